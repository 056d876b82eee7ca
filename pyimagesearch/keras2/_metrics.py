"""Metrics and losses of Keras 2: their names, and what they are of a single batch."""

import functools

import keras
from keras import ops
from keras.src.losses.loss import squeeze_or_expand_to_same_rank
from keras.src.metrics import accuracy_metrics

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._arguments import rows_of, translate
from pyimagesearch.keras2._era import find_key, keys_are_old
from pyimagesearch.keras2._losses import as_column
from pyimagesearch.keras2._optimizers import own_optimizer
from pyimagesearch.keras2.explain import note

_NAMES = next(row for row in names.METHODS if row.old == "metrics_names")
_KEYS = {row.old: row for row in names.KEYS}
METRICS = {  # what Keras 2.2 called them in its history
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}
_LOSSES = {
    row.old.rpartition(".")[2]: row
    for row in names.NAMES
    if row.old.startswith("keras.losses.") and row.old.rpartition(".")[2].islower()
}


def install():
    """Patch what has to do with metrics in keras.Model."""
    model = keras.Model
    # where it is defined: Keras asks whether a class has a `compile` of its own
    trainer = next(cls for cls in model.__mro__ if "compile" in vars(cls))
    trainer.compile = _compile(trainer.compile)
    model.train_on_batch = _of_this_batch(model.train_on_batch)
    model.test_on_batch = _of_this_batch(model.test_on_batch)
    for module in (keras.losses, keras.metrics):
        module.get = _own_first(module.get)
    model.metrics_names = property(_metrics_names)
    model._flatten_metrics_in_order = _in_order
    wrapper = keras.metrics.MeanMetricWrapper
    wrapper.update_state = _with_labels_as_numbers(wrapper.update_state)
    accuracy = _rounding(accuracy_metrics.binary_accuracy)
    for module in (keras.metrics, accuracy_metrics):
        module.binary_accuracy = accuracy


def _with_labels_as_numbers(original):
    """Give the script's own metrics labels as columns, and of the type of the predictions."""

    @functools.wraps(original)
    def update_state(self, y_true, y_pred, sample_weight=None):
        if not (getattr(self._fn, "__module__", None) or "").startswith("keras."):
            y_pred = ops.convert_to_tensor(y_pred)
            y_true = as_column(y_true) if len(y_pred.shape) > 1 else y_true
            y_true = ops.cast(y_true, y_pred.dtype)
        return original(self, y_true, y_pred, sample_weight)

    return update_state


def _rounding(original):
    """Compare labels with rounded predictions: 1.6 meets a 2, not so in Keras 3."""

    @functools.wraps(original)
    def binary_accuracy(y_true, y_pred, threshold=0.5):
        if threshold != 0.5:
            return original(y_true, y_pred, threshold)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, ops.convert_to_tensor(y_pred))
        hits = ops.equal(ops.cast(y_true, y_pred.dtype), ops.round(y_pred))
        return ops.mean(ops.cast(hits, keras.config.floatx()), axis=-1)

    return binary_accuracy


def _compile(original):
    """Call metrics and losses by names that Keras 3 has and that the script knows."""

    @functools.wraps(original)
    def compile(self, optimizer="rmsprop", loss=None, metrics=None, *args, **kwargs):
        kwargs = translate(rows_of("keras.Model.compile"), kwargs)
        old = keys_are_old()
        metrics = _renamed(metrics, lambda name: _metric(name, old))
        if "weighted_metrics" in kwargs:
            weighted = _renamed(kwargs["weighted_metrics"], lambda name: _metric(name, old))
            kwargs["weighted_metrics"] = weighted
        loss = _renamed(loss, _loss)
        metrics = _by_loss(_for_every_output(self, metrics), loss, _outputs(self))
        self._compile_metrics = None  # Keras 3 keeps those of the last time where none are given
        # by position, the metrics came before the weights of the losses
        original(self, own_optimizer(optimizer), loss, *args, metrics=metrics, **kwargs)

    return compile


def _own_first(original):
    """Find what `load_model` was given as `custom_objects` by its name, too."""

    @functools.wraps(original)
    def get(identifier):
        own = keras.saving.get_custom_objects()
        return original(
            own.get(identifier, identifier) if isinstance(identifier, str) else identifier
        )

    return get


def _for_every_output(model, metrics):
    """Apply a list of metrics to each of several outputs."""
    count = len(_outputs(model))
    nested = isinstance(metrics, (list, tuple)) and any(
        part is None or isinstance(part, (list, tuple, dict)) for part in metrics
    )
    if count < 2 or nested or not metrics or isinstance(metrics, dict):
        return metrics
    return [list(metrics) for _ in range(count)]


def _outputs(model):
    return getattr(model, "output_names", None) or []


def _renamed(item, rename):
    """Apply `rename` to every str in nested lists and dicts."""
    if isinstance(item, (list, tuple)):
        return [_renamed(part, rename) for part in item]
    if isinstance(item, dict):
        return {name: _renamed(part, rename) for name, part in item.items()}
    return rename(item) if isinstance(item, str) else item


def _metric(name, old):
    own = keras.saving.get_custom_objects()
    if name in own or not old:
        return own.get(name, name)
    if name == "accuracy":
        for key in ("acc", "val_acc"):
            place = find_key(key)
            if place:
                note(_KEYS[key], place)
        return "acc"
    return METRICS.get(name, name)


def _loss(name):
    own = keras.saving.get_custom_objects()
    if name in own:  # Keras 3 asks for losses among its own alone
        return own[name]
    row = _LOSSES.get(name)
    return row.new.rpartition(".")[2] if row else name


def _by_loss(metrics, loss, outputs):
    """Let the accuracy be that of each label on its own where the loss is, as for several labels.

    Keras 3 looks at shapes alone: more than one label is one of several classes to it.
    """
    if isinstance(metrics, dict):
        losses = loss if isinstance(loss, dict) else dict.fromkeys(metrics, loss)
        if isinstance(loss, (list, tuple)):
            losses = dict(zip(outputs, loss, strict=False))
        return {name: _by_loss(item, losses.get(name), ()) for name, item in metrics.items()}
    if not _is_binary(loss):
        return metrics
    return _renamed(
        metrics,
        lambda name: keras.metrics.BinaryAccuracy(name) if name in ("acc", "accuracy") else name,
    )


def _is_binary(loss):
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", "")
    return name == "binary_crossentropy" or isinstance(loss, keras.losses.BinaryCrossentropy)


def _metrics_names(self):
    note(_NAMES)
    return names_of_results(self)


def names_of_results(model):
    """Return the names of what `evaluate` returns, in its order."""
    found = [name for name, _ in named_metrics(model)]
    settings = getattr(model, "_compile_config", None)
    if found == ["loss"] and settings is not None:  # those given are not built yet
        found += _names_to_be(_outputs(model), settings.config.get("metrics") or [])
    return found or ["loss"]


def named_metrics(model):
    """Return pairs of name and metric: the loss, those of several outputs, and what was given."""
    losses, given = [], []
    for metric in model.metrics:
        if not hasattr(metric, "_user_metrics"):
            losses.append((metric.name, metric))
        elif metric.built:  # the container of those given to `compile`
            for part in metric._flat_metrics + metric._flat_weighted_metrics:
                output = f"{part.output_name}_" if part and part.output_name else ""
                given += [(output + one.name, one) for one in (part.metrics if part else ())]
    return losses + given


def _names_to_be(outputs, given):
    """Return the names that metrics will have once they are built."""
    if len(outputs) < 2:
        return _names(given)
    found = [f"{output}_loss" for output in outputs]
    pairs = given if isinstance(given, dict) else dict(zip(outputs, given, strict=False))
    for output, metrics in pairs.items():
        listed = metrics if isinstance(metrics, (list, tuple)) else [metrics]
        found += [f"{output}_{name}" for name in _names(listed)]
    return found


def _names(metrics):
    named = (one.name if isinstance(one, keras.metrics.Metric) else one for one in metrics)
    return [name for name in named if isinstance(name, str)]


def _in_order(self, logs):
    """Return the figures of `evaluate` and its kin, in the order of `metrics_names`."""
    names = names_of_results(self)
    names = [name for name in names if name in logs] + sorted(logs.keys() - set(names))
    found = [logs[name] for name in names]
    return found[0] if len(found) == 1 else found


def _of_this_batch(original):
    """Return the figures of the batch: Keras 3 has their mean over all batches so far."""

    @functools.wraps(original)
    def on_batch(self, *args, **kwargs):
        self.reset_metrics()
        return original(self, *args, **kwargs)

    return on_batch
