"""From Caffe's layers without weights to Keras's: functions of numbers, and of shapes."""

from itertools import pairwise
from math import prod

import keras

from pyimagesearch.caffe._builder import axis_of, checked_size, unsupported, wrong
from pyimagesearch.caffe._convert_filters import flattened, in_caffes_order
from pyimagesearch.caffe.layers import (
    AbsVal,
    ArgMax,
    Clip,
    Crop,
    Exp,
    Leaky,
    Log,
    Power,
    Reduction,
    Slice,
    SoftmaxOfLoss,
    Swish,
    Threshold,
    Tile,
    WeightedSum,
)
from pyimagesearch.caffe.layers._order import caffe_shape, keras_axis


def relu(builder, layer, bottoms):
    slope = layer.message.relu_param.negative_slope
    if slope == 0:
        made = keras.layers.ReLU(name=layer.keras_name)
    elif slope > 0:
        made = keras.layers.LeakyReLU(negative_slope=slope, name=layer.keras_name)
    else:
        made = Leaky(slope, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def elu(builder, layer, bottoms):
    made = keras.layers.ELU(layer.message.elu_param.alpha, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def activation(function):
    def convert(builder, layer, bottoms):
        made = keras.layers.Activation(function, name=layer.keras_name)
        return [builder.run(layer, made, bottoms[0])]

    return convert


def absval(builder, layer, bottoms):
    return [builder.run(layer, AbsVal(name=layer.keras_name), bottoms[0])]


def swish(builder, layer, bottoms):
    made = Swish(layer.message.swish_param.beta, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def power(builder, layer, bottoms):
    message = layer.message.power_param
    made = Power(message.power, message.scale, message.shift, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def exp(builder, layer, bottoms):
    return [_based(builder, layer, layer.message.exp_param, Exp, bottoms[0])]


def log(builder, layer, bottoms):
    message = layer.message.log_param
    if message.base == 1:
        raise wrong(layer, "has base 1, which has no logarithm.", message, "base")
    return [_based(builder, layer, message, Log, bottoms[0])]


def _based(builder, layer, message, kind, x):
    if message.base != -1 and not message.base > 0:
        raise wrong(
            layer, f"has base {message.base}: a number above 0, or -1 for e.", message, "base"
        )
    made = kind(message.base, message.scale, message.shift, name=layer.keras_name)
    return builder.run(layer, made, x)


def threshold(builder, layer, bottoms):
    made = Threshold(layer.message.threshold_param.threshold, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def clip(builder, layer, bottoms):
    message = layer.message.clip_param
    if not (message.has("min") and message.has("max")):
        raise wrong(layer, "needs min and max.", message)
    if message.min > message.max:
        raise wrong(layer, f"has min {message.min} above max {message.max}.", message, "min")
    made = Clip(message.min, message.max, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def dropout(builder, layer, bottoms):
    message = layer.message.dropout_param
    if not 0 <= message.dropout_ratio < 1:
        raise wrong(
            layer,
            f"has dropout_ratio {message.dropout_ratio}: from 0 to below 1.",
            message,
            "dropout_ratio",
        )
    made = keras.layers.Dropout(message.dropout_ratio, name=layer.keras_name)
    return [builder.run(layer, made, bottoms[0])]


def softmax(builder, layer, bottoms):
    (x,) = bottoms[:1]
    rank = len(x.shape)
    axis = axis_of(layer, layer.message.softmax_param, rank, batch=True)
    trained = layer.type == "SoftmaxWithLoss" and builder.net.phase == "TRAIN"
    kind = SoftmaxOfLoss if trained else keras.layers.Softmax
    made = kind(keras_axis(axis, rank), name=layer.keras_name)
    return [builder.run(layer, made, x)]


def eltwise(builder, layer, bottoms):
    message = layer.message.eltwise_param
    shapes = {tuple(x.shape) for x in bottoms}
    if len(shapes) > 1:
        raise wrong(layer, f"has bottoms of different shapes: {_shapes(bottoms)}.")
    if message.coeff and (message.operation != "SUM" or len(message.coeff) != len(bottoms)):
        raise wrong(
            layer,
            f"has {len(message.coeff)} coeff: one for each of its {len(bottoms)} bottoms, for "
            "operation SUM only.",
            message,
            "coeff",
        )
    if any(c != 1 for c in message.coeff):
        made = WeightedSum(message.coeff, name=layer.keras_name)
    else:
        kind = {"SUM": "Add", "PROD": "Multiply", "MAX": "Maximum"}[message.operation]
        made = getattr(keras.layers, kind)(name=layer.keras_name)
    return [builder.run(layer, made, bottoms)]


def _shapes(bottoms):
    return ", ".join(str(caffe_shape(x.shape)) for x in bottoms)


def concat(builder, layer, bottoms):
    rank = len(bottoms[0].shape)
    axis = keras_axis(axis_of(layer, layer.message.concat_param, rank), rank)
    others = {tuple(n for i, n in enumerate(x.shape) if i != axis) for x in bottoms}
    if len(others) > 1 or any(len(x.shape) != rank for x in bottoms):
        raise wrong(layer, f"has bottoms that differ in more than the axis: {_shapes(bottoms)}.")
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
        raise wrong(layer, f"has bottoms of different numbers of axes: {_shapes(bottoms)}.")
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
    "AbsVal": absval,
    "ArgMax": argmax,
    "BNLL": activation("softplus"),
    "Clip": clip,
    "Concat": concat,
    "Crop": crop,
    "Dropout": dropout,
    "ELU": elu,
    "Eltwise": eltwise,
    "Exp": exp,
    "Flatten": flatten,
    "Log": log,
    "Power": power,
    "ReLU": relu,
    "Reduction": reduction,
    "Reshape": reshape,
    "Sigmoid": activation("sigmoid"),
    "Slice": slice_,
    "Softmax": softmax,
    "Split": split,
    "Swish": swish,
    "TanH": activation("tanh"),
    "Threshold": threshold,
    "Tile": tile,
}
