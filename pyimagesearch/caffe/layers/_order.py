"""Where Caffe's axes are in Keras: blobs of four axes are channels-last, others are as in Caffe."""

import keras
from keras import ops

register = keras.saving.register_keras_serializable("pyimagesearch.caffe")


def keras_axis(axis, rank):
    """Return where an axis of a Caffe blob is in the tensor that stands for it."""
    return (0, 3, 1, 2)[axis] if rank == 4 else axis


def caffe_shape(shape):
    """Return Caffe's shape of a tensor's: (N, H, W, C) is (N, C, H, W), others stay."""
    return (shape[0], shape[3], shape[1], shape[2]) if len(shape) == 4 else tuple(shape)


def keras_shape(shape):
    """Return the tensor's shape of a blob's: (N, C, H, W) is (N, H, W, C), others stay."""
    return (shape[0], shape[2], shape[3], shape[1]) if len(shape) == 4 else tuple(shape)


def to_caffe(x):
    """Return a tensor in Caffe's order of axes."""
    return ops.transpose(x, (0, 3, 1, 2)) if len(x.shape) == 4 else x


def from_caffe(x):
    """Return a tensor of Caffe's order as it is in Keras."""
    return ops.transpose(x, (0, 2, 3, 1)) if len(x.shape) == 4 else x


def spread(x, axis, rank):
    """Return `x`, which covers Caffe's axes from `axis` on, so that it fits a blob of `rank` axes.

    Args:
        x: tensor in Caffe's order, of at most `rank - axis` axes.
    """
    before, after = axis, rank - axis - len(x.shape)
    for _ in range(before):
        x = ops.expand_dims(x, 0)
    for _ in range(after):
        x = ops.expand_dims(x, -1)
    return from_caffe(x)
