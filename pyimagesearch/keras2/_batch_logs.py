"""What callbacks are told of a batch: its own figures, its number and its size, as in Keras 2.

Keras 3 tells them the means over the epoch so far. The figures of one batch are the difference
that it makes to the sums that these means are made of.
"""

import keras
from keras.src.utils.python_utils import pythonify_logs

from pyimagesearch.keras2._generators import Training
from pyimagesearch.keras2._metrics import named_metrics


def install():
    """Patch the list of callbacks that a training calls."""
    callbacks = keras.callbacks.CallbackList
    callbacks.on_train_batch_begin = _on_train_batch_begin
    callbacks._on_train_batch_end = _with_figures(callbacks._on_train_batch_end)


def _listens(callback):
    """Return whether a callback has code of the script for the end of a batch.

    Those of Keras, as the progress bar, do with the means of Keras 3.
    """
    if isinstance(callback, keras.callbacks.LambdaCallback):
        return True
    kind = type(callback)
    names = ("on_batch_end", "on_train_batch_end")
    owners = (next(cls for cls in kind.__mro__ if name in vars(cls)) for name in names)
    return any(not cls.__module__.startswith("keras.") for cls in owners)


def _on_train_batch_begin(self, batch, logs=None):
    logs = {"batch": batch}
    size, samples = self.params.get("batch_size"), self.params.get("samples")
    if size and samples:
        logs["size"] = min(size, samples - batch * size)
    window = next((c.window for c in self.callbacks if isinstance(c, Training)), None)
    if window is not None:
        logs["size"] = window.rows(batch)
    for callback in self.callbacks:
        callback.on_train_batch_begin(batch, logs=dict(logs))
    if any(map(_listens, self.callbacks)):
        self._keras2_sums = _sums(self.model)


def _with_figures(original):
    def _on_train_batch_end(self, batch, logs=None):
        listening = [callback for callback in self.callbacks if _listens(callback)]
        if not listening:
            original(self, batch, logs)
            return
        figures = {"batch": batch} | _figures(self._keras2_sums, _sums(self.model))
        logs = pythonify_logs(logs)
        for callback in self.callbacks:
            callback.on_train_batch_end(
                batch, logs=logs | figures if callback in listening else logs
            )

    return _on_train_batch_end


def _sums(model):
    """Return name -> (sum, number) of the metrics that are means."""
    return {
        name: (float(metric.total), float(metric.count))
        for name, metric in named_metrics(model)
        if isinstance(metric, keras.metrics.Mean)
    }


def _figures(before, after):
    found = {}
    for name, (total, count) in after.items():
        total_before, count_before = before.get(name, (0.0, 0.0))
        if count > count_before:  # on JAX the sums are not to be had before the end of the epoch
            found[name] = (total - total_before) / (count - count_before)
            if name == "loss":
                found["size"] = round(count - count_before)
    return found
