"""The hard sigmoid of Keras 2, and the recurrent layers that used it by default."""

import functools

import keras
from keras import ops
from keras.src import activations

from pyimagesearch.keras2._arguments import wrap
from pyimagesearch.keras2._era import is_of_tensorflow
from pyimagesearch.keras2._modules import PROVIDED


def hard_sigmoid(x):
    """Return 0.2 * x + 0.5, clipped to 0 and 1. Keras 3 takes x / 6 + 0.5."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def install():
    """Patch the activation, and what LSTM and GRU are by default."""
    hard_sigmoid.__module__ = activations.hard_sigmoid.__module__  # it is saved by this name
    keras.activations.hard_sigmoid = activations.hard_sigmoid = hard_sigmoid
    activations.ALL_OBJECTS_DICT["hard_sigmoid"] = hard_sigmoid
    activations.ALL_OBJECTS.add(hard_sigmoid)
    PROVIDED["keras.backend.hard_sigmoid"] = lambda: hard_sigmoid
    old = {"recurrent_activation": "hard_sigmoid"}
    for name, defaults in (
        *(("LSTM", old), ("LSTMCell", old), ("ConvLSTM2D", old)),
        *((name, old | {"reset_after": False}) for name in ("GRU", "GRUCell")),
    ):
        cls = getattr(keras.layers, name)
        cls.__init__ = wrap(cls.__init__, functools.partial(_with_defaults, defaults))


def _with_defaults(defaults, args, kwargs):
    if is_of_tensorflow():
        return args, kwargs
    positions = ("units", "activation", "recurrent_activation")
    given = set(positions[: len(args)]) | kwargs.keys()
    return args, {name: v for name, v in defaults.items() if name not in given} | kwargs
