"""From Caffe's layers that join, cut and reshape blobs to Keras's."""

from itertools import pairwise
from math import prod

import keras

from pyimagesearch.caffe._builder import axis_of, checked_size, shapes_of, unsupported, wrong
from pyimagesearch.caffe.layers import ArgMax, Crop, Reduction, Slice, Tile
from pyimagesearch.caffe.layers._order import caffe_shape, keras_axis


def in_caffes_order(builder, layer, x):
    """Return a blob of four axes as N x C x H x W; others as they are."""
    if len(x.shape) != 4:
        return x
    return keras.layers.Permute((3, 1, 2), name=builder.helper_name(layer, "order"))(x)


def as_in_keras(builder, layer, x):
    """Return a blob N x C x H x W as channels-last; of other numbers of axes as they are."""
    if len(x.shape) != 4:
        return x
    return keras.layers.Permute((2, 3, 1), name=builder.helper_name(layer, "channels_last"))(x)


def flattened(builder, layer, x, axis):
    """Return a blob in Caffe's order whose axes from `axis` on are one."""
    if axis == len(x.shape) - 1:
        return x
    name = builder.helper_name(layer, "flat")
    if axis == 1:
        return keras.layers.Flatten(data_format="channels_last", name=name)(x)
    return keras.layers.Reshape((*x.shape[1:axis], -1), name=name)(x)


def concat(builder, layer, bottoms):
    rank = len(bottoms[0].shape)
    axis = keras_axis(axis_of(layer, layer.message.concat_param, rank), rank)
    others = {tuple(n for i, n in enumerate(x.shape) if i != axis) for x in bottoms}
    if len(others) > 1 or any(len(x.shape) != rank for x in bottoms):
        raise wrong(layer, f"has bottoms that differ in more than the axis: {shapes_of(bottoms)}.")
    if len(bottoms) == 1:
        return bottoms
    checked_size(layer, (*others.pop(), sum(x.shape[axis] for x in bottoms)))
    made = keras.layers.Concatenate(axis, name=layer.keras_name)
    return [builder.run(layer, made, bottoms)]


def slice_(builder, layer, bottoms):
    message, (x,) = layer.message.slice_param, bottoms
    rank, parts = len(x.shape), len(layer.tops)
    axis = axis_of(layer, message, rank)
    length, points = x.shape[keras_axis(axis, rank)], message.slice_point
    if points:
        bounds = [0, *points, length]
        if len(points) != parts - 1 or any(a >= b for a, b in pairwise(bounds)):
            raise wrong(
                layer,
                f"has slice_point {points}, for {parts} tops of an axis of {length}: rising, one "
                "less than tops.",
                message,
                "slice_point",
            )
    else:
        if length % parts:
            raise wrong(layer, f"cannot cut an axis of {length} in {parts} equal parts.", message)
        points = [length // parts * i for i in range(1, parts)]
    if parts == 1:
        return [x]
    return builder.run(layer, Slice(axis, points, name=layer.keras_name), x)


def split(builder, layer, bottoms):
    return bottoms * len(layer.tops)


def crop(builder, layer, bottoms):
    message, (x, like) = layer.message.crop_param, bottoms
    shape, size = caffe_shape(x.shape), caffe_shape(like.shape)
    if len(shape) != len(size):
        raise wrong(layer, f"has bottoms of different numbers of axes: {shapes_of(bottoms)}.")
    axis = axis_of(layer, message, len(shape))
    offsets, cut = message.offset or [0], len(shape) - axis
    if len(offsets) not in (1, cut):
        raise wrong(
            layer,
            f"has {len(offsets)} offsets for {cut} axes: one, or one each.",
            message,
            "offset",
        )
    offsets = offsets * cut if len(offsets) == 1 else offsets
    for offset, wide, narrow in zip(offsets, shape[axis:], size[axis:], strict=True):
        if offset + narrow > wide:
            raise wrong(
                layer, f"cannot cut {size} at offset {offsets} out of {shape}.", message, "offset"
            )
    return [builder.run(layer, Crop(axis, offsets, name=layer.keras_name), bottoms)]


def flatten(builder, layer, bottoms):
    message, (x,) = layer.message.flatten_param, bottoms
    rank = len(x.shape)
    axis = axis_of(layer, message, rank)
    end = axis_of(layer, message, rank, "end_axis")
    if end < axis:
        raise wrong(layer, f"has end_axis {end} in front of axis {axis}.", message, "end_axis")
    x = in_caffes_order(builder, layer, x)
    if end == rank - 1:
        x = flattened(builder, layer, x, axis)
    else:
        sizes = (*x.shape[1:axis], prod(x.shape[axis : end + 1]), *x.shape[end + 1 :])
        x = keras.layers.Reshape(sizes, name=builder.helper_name(layer, "flat"))(x)
    return [_named(builder, layer, x)]


def reshape(builder, layer, bottoms):
    message, (x,) = layer.message.reshape_param, bottoms
    shape = caffe_shape(x.shape)
    start = message.axis if message.axis >= 0 else len(shape) + 1 + message.axis
    end = len(shape) if message.num_axes == -1 else start + message.num_axes
    if not 0 <= start <= len(shape) or not start <= end <= len(shape):
        raise wrong(
            layer,
            f"has axis {message.axis} and num_axes {message.num_axes}, of a blob of "
            f"{len(shape)} axes.",
            message,
            "axis",
        )
    dims = message.shape.dim
    if any(dim < -1 for dim in dims) or dims.count(-1) > 1:
        raise wrong(layer, f"has shape {dims}: sizes, 0 to copy, and -1 once.", message, "shape")
    if any(dim == 0 and start + i >= len(shape) for i, dim in enumerate(dims)):
        raise wrong(layer, f"copies an axis that its bottom has not: shape {dims}.", message)
    copied = [shape[start + i] if dim == 0 else dim for i, dim in enumerate(dims)]
    result = [*shape[:start], *copied, *shape[end:]]
    sizes, items = _without_batch(layer, message, result), prod(shape[1:])
    known = prod(size for size in sizes if size != -1)
    if -1 in sizes and items % max(known, 1) == 0:
        sizes = [items // max(known, 1) if size == -1 else size for size in sizes]
    if prod(sizes) != items:
        raise wrong(
            layer,
            f"cannot make {result} of {shape}: {items} numbers an image do not fit.",
            message,
            "shape",
        )
    x = in_caffes_order(builder, layer, x)
    x = keras.layers.Reshape(tuple(sizes), name=builder.helper_name(layer, "reshape"))(x)
    return [_named(builder, layer, x)]


def _without_batch(layer, message, result):
    """Return the sizes of an image; a batch size in the file means nothing."""
    if not result or None in result[1:]:
        raise unsupported(layer, "a shape that does not begin with the batch", message, "shape")
    return list(result[1:])


def _named(builder, layer, x):
    """Return a blob of Caffe's order as it is in Keras, from a layer of this one's name."""
    if len(x.shape) == 4:
        made = keras.layers.Permute((2, 3, 1), name=layer.keras_name)
    else:
        made = keras.layers.Activation("linear", name=layer.keras_name)
    return builder.run(layer, made, x)


def argmax(builder, layer, bottoms):
    message, (x,) = layer.message.argmax_param, bottoms
    axis = axis_of(layer, message, len(x.shape)) if message.has("axis") else None
    shape = caffe_shape(x.shape)
    length = prod(shape[1:]) if axis is None else shape[axis]
    if not 1 <= message.top_k <= length:
        raise wrong(layer, f"has top_k {message.top_k} of {length} numbers.", message, "top_k")
    made = ArgMax(message.top_k, axis, message.out_max_val, name=layer.keras_name)
    return [builder.run(layer, made, x)]


def reduction(builder, layer, bottoms):
    message, (x,) = layer.message.reduction_param, bottoms
    axis = axis_of(layer, message, len(x.shape), batch=True)
    made = Reduction(message.operation, axis, message.coeff, name=layer.keras_name)
    return [builder.run(layer, made, x)]


def tile(builder, layer, bottoms):
    message, (x,) = layer.message.tile_param, bottoms
    axis = axis_of(layer, message, len(x.shape))
    if message.tiles < 1:
        raise wrong(layer, f"has tiles {message.tiles}: 1 is the least.", message, "tiles")
    checked_size(layer, (*x.shape[1:], message.tiles))
    return [builder.run(layer, Tile(axis, message.tiles, name=layer.keras_name), x)]


CONVERTERS = {
    "ArgMax": argmax,
    "Concat": concat,
    "Crop": crop,
    "Flatten": flatten,
    "Reduction": reduction,
    "Reshape": reshape,
    "Slice": slice_,
    "Split": split,
    "Tile": tile,
}
