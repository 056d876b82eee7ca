"""Layers that cut, repeat or sum up along axes of a Caffe blob (N, C, H, W)."""

import math

import keras
from keras import ops

from pyimagesearch.caffe.layers._order import (
    caffe_shape,
    keras_axis,
    keras_shape,
    register,
    to_caffe,
)


@register
class Slice(keras.layers.Layer):
    """A blob in several parts along an axis.

    Args:
        axis: of the Caffe blob.
        points: where the second part begins, the third, ...
    """

    def __init__(self, axis=1, points=(), **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.points = tuple(points)

    def compute_output_shape(self, shape):
        axis = keras_axis(self.axis, len(shape))
        ends = [*self.points, shape[axis]]
        starts = [0, *self.points]
        return [
            (*shape[:axis], end - start, *shape[axis + 1 :])
            for start, end in zip(starts, ends, strict=True)
        ]

    def call(self, x):
        return list(ops.split(x, self.points, keras_axis(self.axis, len(x.shape))))


@register
class Crop(keras.layers.Layer):
    """The first blob, cut to the second one's size.

    Args:
        axis: of the Caffe blob: this one and those behind it are cut.
        offsets: where the cut begins along each of these axes.
    """

    def __init__(self, axis=2, offsets=(0, 0), **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.offsets = tuple(offsets)

    def compute_output_shape(self, shapes):
        first, second = map(caffe_shape, shapes)
        return keras_shape((*first[: self.axis], *second[self.axis :]))

    def call(self, inputs):
        x, like = inputs
        window = [slice(None)] * len(x.shape)
        for axis, start in enumerate(self.offsets, self.axis):
            place = keras_axis(axis, len(x.shape))
            window[place] = slice(start, start + like.shape[place])
        return x[tuple(window)]


@register
class Tile(keras.layers.Layer):
    """A blob, `tiles` times side by side along an axis of the Caffe blob."""

    def __init__(self, axis=1, tiles=1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.tiles = tiles

    def _repeats(self, rank):
        axis = keras_axis(self.axis, rank)
        return [self.tiles if i == axis else 1 for i in range(rank)]

    def compute_output_shape(self, shape):
        repeats = self._repeats(len(shape))
        return tuple(n and n * times for n, times in zip(shape, repeats, strict=True))

    def call(self, x):
        return ops.tile(x, self._repeats(len(x.shape)))


@register
class Reduction(keras.layers.Layer):
    """The axes of a Caffe blob from `axis` on in one number, times a coefficient.

    Args:
        operation: "SUM", "ASUM" (of absolute values), "SUMSQ" (of squares) or "MEAN".
        axis: the first one to go. 0 leaves one number for the whole batch.
        coeff: what the result is multiplied by.
    """

    def __init__(self, operation="SUM", axis=0, coeff=1.0, **kwargs):
        super().__init__(**kwargs)
        self.operation = operation
        self.axis = axis
        self.coeff = coeff

    def compute_output_shape(self, shape):
        return caffe_shape(shape)[: self.axis]

    def call(self, x):
        x = to_caffe(x)
        axes = tuple(range(self.axis, len(x.shape)))
        if self.operation == "ASUM":
            x = ops.abs(x)
        if self.operation == "SUMSQ":
            x = ops.square(x)
        reduce = ops.mean if self.operation == "MEAN" else ops.sum
        return self.coeff * reduce(x, axes)


@register
class ArgMax(keras.layers.Layer):
    """The places of the largest numbers, or the numbers, largest first.

    Args:
        top_k: how many.
        axis: of the Caffe blob, along which they are looked for; it is `top_k` long then. None is
            over a whole item (C, H, W), and the output N x 1 x top_k.
        out_max_val: with an axis, give the numbers in the place of their places; without one give
            both, N x 2 x top_k.

    Places are numbers of the input's type. Among equal numbers Caffe takes the last one first.
    """

    def __init__(self, top_k=1, axis=None, out_max_val=False, **kwargs):
        super().__init__(**kwargs)
        self.top_k = top_k
        self.axis = axis
        self.out_max_val = out_max_val

    def compute_output_shape(self, shape):
        if self.axis is None:
            return (shape[0], 2 if self.out_max_val else 1, self.top_k)
        axis = keras_axis(self.axis, len(shape))
        return (*shape[:axis], self.top_k, *shape[axis + 1 :])

    def call(self, x):
        if self.axis is None:
            x = to_caffe(x)
            x = ops.reshape(x, (-1, math.prod(x.shape[1:])))
            places, values = self._largest(x)
            parts = [places, values] if self.out_max_val else [places]
            return ops.stack(parts, 1)
        axis = keras_axis(self.axis, len(x.shape))
        places, values = self._largest(ops.moveaxis(x, axis, -1))
        return ops.moveaxis(values if self.out_max_val else places, -1, axis)

    def _largest(self, x):
        """Return places and numbers along the last axis."""
        length = x.shape[-1]
        x = ops.flip(x, -1)  # sorting keeps the order of equals
        order = ops.argsort(-x, -1)[..., : self.top_k]
        return ops.cast(length - 1 - order, x.dtype), ops.take_along_axis(x, order, -1)
