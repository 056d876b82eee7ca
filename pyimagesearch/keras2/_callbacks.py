"""Callbacks of Keras 2: BaseLogger, the names in the logs, periods and suffixes of checkpoints."""

import functools
import inspect

import keras
from keras.src.utils.python_utils import pythonify_logs

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._arguments import rows_of, translate
from pyimagesearch.keras2._metrics import METRICS
from pyimagesearch.keras2._modules import PROVIDED
from pyimagesearch.keras2.explain import note

_KEYS = {row.old: row for row in names.KEYS}
_PAIRS = {"lr": "learning_rate"}
_PAIRS |= {part + old: part + new for part in ("", "val_") for old, new in METRICS.items()}
_OTHER_NAMES = _PAIRS | {new: old for old, new in _PAIRS.items()}
_OWNER = "keras.callbacks.ModelCheckpoint"
_SUFFIXES = {row.old: row for row in names.SUFFIXES if row.owner == _OWNER}
_POSITIONS = {
    "TensorBoard": (
        *("log_dir", "histogram_freq", "batch_size", "write_graph", "write_grads"),
        *("write_images", "embeddings_freq", "embeddings_layer_names", "embeddings_metadata"),
    ),
    "ProgbarLogger": ("count_mode", "stateful_metrics"),
}


class Logs(dict):
    """What an epoch came to, under the names of Keras 2; it answers to those of Keras 3 as well.

    Pickled and copied it is a plain dict.
    """

    def __setitem__(self, name, value):
        super().__setitem__("lr" if name == "learning_rate" else name, value)

    def setdefault(self, name, default=None):
        """As of a dict."""
        if name not in self:
            self[name] = default
        return self[name]

    def __missing__(self, name):
        other = _other_name(name)
        if not super().__contains__(other):
            raise KeyError(name)
        if name == "lr" or other == "lr":
            note(_KEYS["lr"])
        return super().__getitem__(other)

    def __contains__(self, name):
        return super().__contains__(name) or super().__contains__(_other_name(name))

    def get(self, name, default=None):
        """As of a dict."""
        try:
            return self[name]
        except KeyError:
            return default

    def __reduce__(self):
        return dict, (dict(self),)


def _other_name(name):
    """Return the name that Keras 2 has for one of Keras 3, or the other way round."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if isinstance(name, str) and name.endswith("accuracy"):
        return name.removesuffix("uracy")
    return name + "uracy" if isinstance(name, str) and name.endswith("acc") else None


class BaseLogger(keras.callbacks.Callback):
    """The base class that the book's callbacks derive from. Keras averages without it."""

    def __init__(self, stateful_metrics=None):
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or [])


def install():
    """Patch the callbacks."""
    callbacks = keras.callbacks
    callbacks.Callback.validation_data = None
    callbacks.Callback.model = callbacks.Callback.model.setter(_set_model)
    callbacks.CallbackList.on_epoch_end = _on_epoch_end
    callbacks.History.__init__ = _with_logs(callbacks.History.__init__)
    _patch_checkpoint(callbacks.ModelCheckpoint)
    for name in ("EarlyStopping", "ReduceLROnPlateau"):
        cls = getattr(callbacks, name)
        cls.__init__ = _with_old_mode(cls.__init__, rows_of(f"keras.callbacks.{name}"))
    for name, positions in _POSITIONS.items():
        cls, rows = getattr(callbacks, name), rows_of(f"keras.callbacks.{name}")
        cls.__init__ = _with_arguments(cls.__init__, positions, rows)

    PROVIDED["keras.callbacks.BaseLogger"] = lambda: BaseLogger


def _set_model(self, model):
    self._model = model


def _on_epoch_end(self, epoch, logs=None):
    if self._async_train:
        self._flush_futures()
    logs = Logs(pythonify_logs(logs))
    for callback in self.callbacks:
        callback.on_epoch_end(epoch, logs)


def _with_logs(original):
    @functools.wraps(original)
    def __init__(self):
        original(self)
        self.history = Logs()

    return __init__


def _with_arguments(original, positions, rows):
    special = dict.fromkeys(rows, lambda *ignored: None)

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        original(self, **translate(rows, kwargs, special))

    return __init__


def _with_old_mode(original, rows):
    """Decide as Keras 2 did whether more is better: of accuracies it is."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        given = signature.bind(self, *args, **translate(rows, kwargs))
        given.apply_defaults()
        options = {k: v for k, v in given.arguments.items() if k not in ("self", "kwargs")}
        if options["mode"] == "auto":
            options["mode"] = _mode(options["monitor"])
        original(self, **options, **given.arguments.get("kwargs", {}))

    return __init__


def _mode(monitor):
    return "max" if "acc" in monitor or monitor.startswith("fmeasure") else "min"


def _patch_checkpoint(cls):
    rows = rows_of(_OWNER)
    original, on_epoch_end = cls.__init__, cls.on_epoch_end

    @functools.wraps(original)
    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        period=1,
        **kwargs,
    ):
        if isinstance(period, str):  # by position it is save_freq today
            kwargs["save_freq"], period = period, 1
        if period != 1:
            note(rows["period"])
        mode = _mode(monitor) if mode == "auto" else mode
        path = str(filepath)
        for suffix, row in _SUFFIXES.items():
            if path.endswith(suffix) and not path.endswith(".weights.h5"):
                note(row)
        accepted = ".weights.h5" if save_weights_only else ".keras"
        if not path.endswith(accepted):
            path += accepted  # for its check of the suffix
        options = {"save_best_only": save_best_only, "save_weights_only": save_weights_only}
        original(self, path, monitor, verbose, mode=mode, **options, **kwargs)
        self.filepath = str(filepath)
        self.period = period
        self.epochs_since_last_save = 0

    def _on_epoch_end(self, epoch, logs=None):
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            on_epoch_end(self, epoch, logs)

    cls.__init__ = __init__
    cls.on_epoch_end = _on_epoch_end
