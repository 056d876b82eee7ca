"""Caffe's fillers as Keras initializers."""

import math

import keras
import numpy as np
from keras import ops

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe.layers._order import register


def filler(message, shape, order, default=0.0):
    """Return the initializer of a blob.

    Args:
        message: its FillerParameter, or None where the file has none.
        shape: of the blob, in Caffe's order.
        order: the axes of the Keras weight, as axes of the blob.
        default: the constant that counts where the file has no filler.
    Raises:
        CaffeError, NotImplementedError: for a filler that is not there, or does not fit the blob.
    """
    if message is None:
        return keras.initializers.Constant(default)
    if message.type not in FILLERS:
        raise CaffeError(f"{message.where}: Caffe has no filler of type {message.type!r}.")
    if message.has("sparse") and message.sparse != -1:
        raise NotImplementedError(f"{message.where}: the filler's sparse is not supported.")
    if message.std < 0:
        raise CaffeError(f"{message.where}: a filler of std {message.std}, below 0.")
    if message.type == "bilinear" and (len(shape) != 4 or shape[2] != shape[3]):
        raise CaffeError(
            f"{message.where}: a bilinear filler is for square kernels. "
            f"Received: a blob of shape {shape}."
        )
    return FILLERS[message.type](message, shape, order)


def _xavier(message, shape, order):
    limit = math.sqrt(3 / _fan(message.variance_norm, shape))
    return keras.initializers.RandomUniform(-limit, limit)


def _msra(message, shape, order):
    std = math.sqrt(2 / _fan(message.variance_norm, shape))
    return keras.initializers.RandomNormal(0.0, std)


def _fan(norm, shape):
    """Return Caffe's n: how many numbers an output sees, or an input reaches, or their mean."""
    count = math.prod(shape)
    fan_in = count / (shape[0] if shape else 1)
    fan_out = count / (shape[1] if len(shape) > 1 else 1)
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[norm]


@register
class PositiveUnitball(keras.initializers.Initializer):
    """Uniform numbers above 0; those of each output sum to 1.

    Args:
        axis: the axis of the outputs in the Keras weight.
    """

    def __init__(self, axis=-1):
        self.axis = axis

    def __call__(self, shape, dtype=None):
        x = keras.random.uniform(shape, dtype=dtype)
        axes = [i for i in range(len(shape)) if i != self.axis % len(shape)]
        return x / ops.sum(x, axes, keepdims=True) if axes else ops.ones_like(x)

    def get_config(self):
        return {"axis": self.axis}


@register
class Bilinear(keras.initializers.Initializer):
    """The kernel (k, k, ., .) that enlarges by interpolation, the same for all channels."""

    def __call__(self, shape, dtype=None):
        size = shape[0]
        factor = math.ceil(size / 2)
        centre = (size - 1) / (2 * factor)
        line = 1 - np.abs(np.arange(size) / factor - centre)
        kernel = np.broadcast_to(np.outer(line, line)[:, :, None, None], shape)
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())


FILLERS = {
    "constant": lambda message, *_: keras.initializers.Constant(message.value),
    "uniform": lambda message, *_: keras.initializers.RandomUniform(message.min, message.max),
    "gaussian": lambda message, *_: keras.initializers.RandomNormal(message.mean, message.std),
    "xavier": _xavier,
    "msra": _msra,
    "positive_unitball": lambda message, shape, order: PositiveUnitball(order.index(0)),
    "bilinear": lambda *_: Bilinear(),
}
