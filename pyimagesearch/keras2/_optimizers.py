"""Optimizers of Keras 2: lr, decay, clipping, their order of arguments and their defaults."""

import functools
import inspect

import keras

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._arguments import rows_of
from pyimagesearch.keras2._era import is_of_tensorflow
from pyimagesearch.keras2._frames import called_by_user
from pyimagesearch.keras2.explain import note

_ORDER = {  # of the arguments, by position
    "SGD": ("learning_rate", "momentum", "decay", "nesterov"),
    "RMSprop": ("learning_rate", "rho", "epsilon", "decay"),
    "Adagrad": ("learning_rate", "epsilon", "decay"),
    "Adadelta": ("learning_rate", "rho", "epsilon", "decay"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay", "amsgrad"),
    "Adamax": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay"),
    "Nadam": ("learning_rate", "beta_1", "beta_2", "epsilon", "schedule_decay"),
}
_DEFAULTS = {row.owner: row for row in names.DEFAULTS}
_METHODS = {row.old: row for row in names.METHODS if row.owner == "model.optimizer"}

# While a model is saved or loaded the variable of a decaying rate does not count among the
# optimizer's: it is saved as the schedule that it is equal to, which has none.
as_schedule = False


def install():
    """Patch the optimizers, each and all."""
    for name, order in _ORDER.items():
        cls = getattr(keras.optimizers, name)
        cls.__init__ = _with_old_arguments(cls.__init__, name, order)
    base = keras.optimizers.Optimizer
    base.lr = property(_get_rate, _set_rate)
    base.decay = property(_get_decay, _set_decay)
    base.variables = property(_without_rate(base.variables.fget))
    base._get_current_learning_rate = _decayed(base._get_current_learning_rate)
    base._backend_apply_gradients = _applying(base._backend_apply_gradients)
    for cls in (base, *(getattr(keras.optimizers, name) for name in _ORDER)):
        cls.get_config = _as_asked(cls.get_config)
    base.get_config = _with_schedule(base.get_config)


def _with_old_arguments(original, name, order):
    owner = f"keras.optimizers.{name}"
    rows = rows_of(owner)
    defaults = _DEFAULTS.get(owner)

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        kwargs = _by_name(name, order, args, kwargs)
        together = "global_clipnorm" not in kwargs and not is_of_tensorflow()
        for old in rows.keys() & kwargs.keys():
            if old != "clipnorm" or together:
                note(rows[old])
        if "lr" in kwargs:
            kwargs["learning_rate"] = kwargs.pop("lr")
        if "clipnorm" in kwargs and together:
            kwargs["global_clipnorm"] = kwargs.pop("clipnorm")
        decay = kwargs.pop("decay", 0.0)
        schedule_decay = kwargs.pop("schedule_decay", 0.004)
        if kwargs.get("epsilon", 0) is None:
            kwargs["epsilon"] = keras.config.epsilon()
        if defaults:
            if "learning_rate" not in kwargs:
                note(defaults)
            kwargs = dict(defaults.values) | kwargs
        rate = kwargs.get("learning_rate")
        if _is_decay(rate):  # as saved by `get_config`
            kwargs["learning_rate"], decay = rate.initial_learning_rate, rate.decay_rate
        elif rate is not None and not callable(rate):
            kwargs["learning_rate"] = float(rate)
        original(self, **kwargs)
        self._keras2_decay = float(decay)
        if name == "Nadam":
            self._keras2_schedule_decay = float(schedule_decay)

    __init__.__signature__ = inspect.signature(original)
    return __init__


def _by_name(name, order, args, kwargs):
    """Return all arguments as keywords, those by position in the order of Keras 2."""
    if len(args) == 3 and isinstance(args[2], bool):  # SGD(rate, momentum, nesterov) of today
        kwargs["nesterov"], args = args[2], args[:2]
    for argument, value in zip(order, args, strict=False):
        if argument in kwargs:
            raise TypeError(f"{name} got {argument} twice.")
        kwargs[argument] = value
    if args[len(order) :]:
        raise TypeError(f"{name} takes {len(order)} arguments by position: {', '.join(order)}.")
    return kwargs


def _is_decay(rate):
    schedule = keras.optimizers.schedules.InverseTimeDecay
    return isinstance(rate, schedule) and rate.decay_steps == 1 and not rate.staircase


def _get_rate(self):
    note(_METHODS["lr"])
    return self.learning_rate


def _set_rate(self, value):
    note(_METHODS["lr"])
    self.learning_rate = value


def _get_decay(self):
    note(_METHODS["decay"])
    return _decay(self)


def _set_decay(self, value):
    note(_METHODS["decay"])
    self._keras2_decay = float(value)


def _decay(optimizer):
    return getattr(optimizer, "_keras2_decay", 0.0)


def _applying(original):
    """Mark the moment in which the rate is asked for to be used."""

    @functools.wraps(original)
    def _backend_apply_gradients(self, *args, **kwargs):
        self._keras2_applying = True
        try:
            return original(self, *args, **kwargs)
        finally:
            self._keras2_applying = False

    return _backend_apply_gradients


def _decayed(original):
    """Use lr / (1 + decay * iterations); whoever reads the rate gets lr, as in Keras 2."""

    @functools.wraps(original)
    def _get_current_learning_rate(self):
        rate, decay = original(self), _decay(self)
        if not (decay and getattr(self, "_keras2_applying", False)):
            return rate
        done = keras.ops.cast(self.iterations, rate.dtype)  # of the batches before this one
        return rate * (1.0 / (1.0 + decay * done))

    return _get_current_learning_rate


def _without_rate(original):
    def variables(self):
        found = original(self)
        if as_schedule and _decay(self):
            return [variable for variable in found if variable is not self._learning_rate]
        return found

    return variables


def _with_schedule(original):
    """Save lr and decay as the schedule that Keras 3 has for them."""

    @functools.wraps(original)
    def get_config(self):
        config = original(self)
        if _decay(self):
            schedule = keras.optimizers.schedules.InverseTimeDecay(
                config["learning_rate"], decay_steps=1, decay_rate=_decay(self)
            )
            config["learning_rate"] = keras.saving.serialize_keras_object(schedule)
        return config

    return get_config


def _as_asked(original):
    """Give the script the options that its own optimizers had: lr, decay and the like."""

    @functools.wraps(original)
    def get_config(self):
        config = original(self)
        order = _ORDER.get(type(self).__name__)
        if order is None or not called_by_user():
            return config
        config |= {"decay": _decay(self), "clipnorm": config.get("global_clipnorm")}
        if hasattr(self, "_keras2_schedule_decay"):
            config["schedule_decay"] = self._keras2_schedule_decay
        clipping = [name for name in ("clipnorm", "clipvalue") if config.get(name) is not None]
        found = {name: config[name] for name in (*order, *clipping) if name != "learning_rate"}
        return {"lr": float(keras.ops.convert_to_numpy(self.learning_rate)), **found}

    return get_config


def own_optimizer(optimizer):
    """Return an optimizer for a model that is being compiled: the one given, or one like it.

    In Keras 2 one optimizer could serve several models, and one model after another `compile`:
    each time it began with moments of their own, while the rate and the count of the batches were
    one for all. Keras 3's knows the variables of the first model alone.
    """
    if not isinstance(optimizer, tuple(getattr(keras.optimizers, name) for name in _ORDER)):
        return optimizer
    if not getattr(optimizer, "_keras2_taken", False) and not optimizer.built:
        optimizer._keras2_taken = True
        return optimizer
    other = type(optimizer).from_config(optimizer.get_config())
    other._keras2_taken = True
    for name in ("_iterations", "_learning_rate"):
        own, shared = getattr(other, name), getattr(optimizer, name)
        if isinstance(shared, keras.Variable):
            other._variables[:] = [shared if v is own else v for v in other._variables]
            object.__setattr__(other, name, shared)
    return other
