"""Old names of arguments, translated where layers, models, callbacks and functions take them."""

import functools
import inspect
import warnings

import keras
import numpy as np

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._modules import PROVIDED, resolve
from pyimagesearch.keras2.explain import note

# Owners whose arguments are translated elsewhere: by _optimizers, _models and so on.
_ELSEWHERE = ("keras.optimizers.", "keras.Model.", "keras.callbacks.", "keras.applications.")
_POSITIONAL = "(filters, rows, columns)"
_COUNTED = ("Dense", "Embedding", "SimpleRNN", "LSTM", "GRU", "RepeatVector", "Conv2D")
_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "concat": "Concatenate",
    "ave": "Average",
    "max": "Maximum",
    "min": "Minimum",
    "dot": "Dot",
    "cos": "Dot",
}


def rows_of(owner):
    """Return old name -> names.Old of the arguments of an owner."""
    return {row.old: row for row in names.ARGUMENTS if row.owner == owner}


def translate(rows, kwargs, special=None):
    """Return keyword arguments with their modern names.

    Args:
        rows: as `rows_of` gives them.
        kwargs: dict of arguments.
        special: old name -> function of (kwargs, value, old name), for what is more than a new
            name. An argument that goes without replacement is left out.
    Raises:
        TypeError: if an argument is given under both names.
    """
    if not rows.keys() & kwargs.keys():
        return kwargs
    kwargs = dict(kwargs)
    for old in [name for name in kwargs if name in rows]:
        row, value = rows[old], kwargs.pop(old)
        note(row)
        if special and old in special:
            special[old](kwargs, value, old)
        elif row.rename:
            if row.new in kwargs:
                raise TypeError(f"{row.new} is given twice, as {old} too.")
            kwargs[row.new] = dict(row.values).get(value, value) if row.values else value
    return kwargs


def wrap(function, before):
    """Return `function` with its arguments after `self` handed through `before` first."""

    @functools.wraps(function)
    def wrapper(self, *args, **kwargs):
        args, kwargs = before(args, kwargs)
        return function(self, *args, **kwargs)

    wrapper.__signature__ = inspect.signature(function)  # Keras looks at its own
    return wrapper


def install():
    """Patch the layers, Model(input=, output=) and the functions that had other arguments."""
    for layer in ("MaxPooling", "AveragePooling"):
        for rank in (1, 2, 3):
            cls = getattr(keras.layers, f"{layer}{rank}D")
            cls.__init__ = wrap(cls.__init__, _pool_of_two(rank))
    for layer in _COUNTED:
        cls = getattr(keras.layers, layer)
        cls.__init__ = wrap(cls.__init__, _whole_numbers)
    owners = {row.owner for row in names.ARGUMENTS if not row.owner.startswith(_ELSEWHERE)}
    for owner in owners - {"keras.layers.*", "keras.Model", "keras.layers.ThresholdedReLU"}:
        _patch(owner)
    _patch_every_layer()
    _patch_model()
    PROVIDED["keras.layers.ThresholdedReLU"] = lambda: _thresholded
    PROVIDED["keras.layers.merge"] = lambda: _merge
    for rank in (1, 2):
        name = f"keras.layers.AtrousConvolution{rank}D"
        PROVIDED[name] = functools.partial(getattr, keras.layers, f"Conv{rank}D")


def _patch(owner):
    rows = rows_of(owner)
    module, _, name = owner.rpartition(".")
    target = getattr(resolve(module), name)

    def before(args, kwargs):
        args, kwargs = _kernel_sizes(rows, args, kwargs)
        return args, translate(rows, kwargs, _SPECIAL)

    if inspect.isclass(target):
        target.__init__ = wrap(target.__init__, before)
        return

    @functools.wraps(target)
    def function(*args, **kwargs):
        args, kwargs = before(args, kwargs)
        return target(*args, **kwargs)

    setattr(resolve(module), name, function)


def _whole_numbers(args, kwargs):
    """Take the whole numbers of NumPy, as in Dense(np.prod(shape)), which Keras 3 refuses."""
    plain = lambda value: int(value) if isinstance(value, np.integer) else value  # noqa: E731
    return tuple(map(plain, args)), {name: plain(value) for name, value in kwargs.items()}


def _pool_of_two(rank):
    """Return what gives a pooling layer its old default size."""

    def before(args, kwargs):
        return args, kwargs if args else {"pool_size": (2,) * rank} | kwargs

    return before


def _kernel_sizes(rows, args, kwargs):
    """Read Conv2D(n, 3, 3) as Keras 1 did: 3 rows and 3 columns."""
    two = args[1:3]
    if _POSITIONAL in rows and len(two) == 2 and all(type(size) is int for size in two):
        note(rows[_POSITIONAL])
        args = (args[0], tuple(two), *args[3:])
    return args, kwargs


def _side(position, sides, name="kernel_size"):
    """Return a translation of one side of a kernel that is given by its sides."""

    def special(kwargs, value, old):
        size = list(kwargs.get(name) or [1] * sides)
        size[position] = value
        kwargs[name] = tuple(size)

    return special


def _mode(kwargs, value, old):
    if value not in (0, 2):  # 2, per batch in testing too, made no difference in training
        raise ValueError(f"BatchNormalization has no mode {value} any more. Leave mode out.")


def _forget_bias(kwargs, value, old):
    kwargs["unit_forget_bias"] = value in ("one", "ones")


def _grayscale(kwargs, value, old):
    kwargs["color_mode"] = "grayscale" if value else "rgb"


def _no_dropout(kwargs, value, old):
    if value:
        warnings.warn(
            "Embedding has no dropout since Keras 2, and goes on without. A SpatialDropout1D "
            "after it does the same.",
            stacklevel=2,
        )


def _length(kwargs, value, old):
    if isinstance(value, int):  # it said the shape of the input, by which a model is built
        kwargs.setdefault("input_shape", (value,))


_SPECIAL = {
    "input_length": _length,
    "dropout": _no_dropout,
    "nb_row": _side(0, 2),
    "nb_col": _side(1, 2),
    "kernel_dim1": _side(0, 3),
    "kernel_dim2": _side(1, 3),
    "kernel_dim3": _side(2, 3),
    "mode": _mode,
    "forget_bias_init": _forget_bias,
    "grayscale": _grayscale,
}


def _patch_every_layer():
    """Let every layer take `weights` and `batch_input_shape`."""
    rows = rows_of("keras.layers.*")
    original = keras.layers.Layer.__init__

    def batch_input_shape(kwargs, shape, old):
        kwargs["input_shape"] = tuple(shape[1:])

    @functools.wraps(original)
    def __init__(self, *args, weights=None, **kwargs):
        if kwargs.get("name"):
            kwargs["name"] = kwargs["name"].replace("/", "_")  # Keras 3 forbids it
        batch_shape = kwargs.get("batch_input_shape")
        kwargs = translate(rows, kwargs, {"batch_input_shape": batch_input_shape})
        original(self, *args, **kwargs)
        if batch_shape is not None:
            self._keras2_batch_shape = tuple(batch_shape)
        if weights is not None:
            note(rows["weights"])
            _set_once_built(self, weights)

    __init__.__signature__ = inspect.signature(original)
    keras.layers.Layer.__init__ = __init__
    keras.Sequential.add = _add(keras.Sequential.add)


def _add(original):
    """Keep the number of rows in `batch_input_shape`, which a stateful layer needs."""

    @functools.wraps(original)
    def add(self, layer, rebuild=True):
        shape = getattr(layer, "_keras2_batch_shape", None)
        if shape is not None and not self._layers:
            original(self, keras.layers.InputLayer(batch_shape=shape))
        original(self, layer, rebuild)

    return add


def _set_once_built(layer, weights):
    build = layer.build

    @functools.wraps(build)
    def build_and_set(*args, **kwargs):
        build(*args, **kwargs)
        layer.set_weights(weights)

    build_and_set.__signature__ = inspect.signature(build)
    layer.build = build_and_set


def _patch_model():
    """Let Model take `input` and `output`."""
    rows = rows_of("keras.Model")
    inputs = keras.Input((1,))
    functional = type(keras.Model(inputs, inputs))
    new = keras.Model.__new__

    def __new__(cls, *args, **kwargs):
        return new(cls, *args, **translate(rows, kwargs))

    keras.Model.__new__ = staticmethod(__new__)
    before = lambda args, kwargs: (args, translate(rows, kwargs))  # noqa: E731
    functional.__init__ = wrap(functional.__init__, before)


def _thresholded(theta=1.0, **kwargs):
    return keras.layers.ReLU(threshold=theta, **kwargs)


def _merge(inputs, mode="sum", concat_axis=-1, dot_axes=-1, output_shape=None, name=None, **kwargs):
    """Keras 1's `merge(tensors, mode="concat", concat_axis=3)`."""
    if callable(mode):
        return keras.layers.Lambda(mode, name=name)(list(inputs))
    if mode not in _MERGES or kwargs:
        raise ValueError(
            f"merge(mode={mode!r}) cannot be translated. Use a keras.layers.Lambda or a layer."
        )
    options = {"name": name}
    if mode == "concat":
        options["axis"] = concat_axis
    if mode in ("dot", "cos"):
        options |= {"axes": dot_axes, "normalize": mode == "cos"}
    return getattr(keras.layers, _MERGES[mode])(**options)(list(inputs))
