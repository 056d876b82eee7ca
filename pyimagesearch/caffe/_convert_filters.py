"""From Caffe's layers that look at windows, or have weights, to Keras's."""

import keras

from pyimagesearch.caffe._builder import axis_of, checked_size, unsupported, wrong
from pyimagesearch.caffe._weights import DENSE, KERNEL
from pyimagesearch.caffe.layers import (
    LRN,
    MVN,
    BatchNorm,
    Bias,
    Deconvolution,
    Pooling,
    Scale,
    Subsample,
    TransposedInnerProduct,
)
from pyimagesearch.caffe.layers._order import caffe_shape
from pyimagesearch.caffe.layers.filters import stretched
from pyimagesearch.caffe.layers.pooling import windows

LAST = "channels_last"  # whatever the user's keras.json says


def convolution(builder, layer, bottoms):
    return [_convolved(builder, layer, x) for x in bottoms]


def _convolved(builder, layer, x):
    message = layer.message.convolution_param
    kernel, stride, pad, dilation = _geometry(layer, message)
    channels, group = _channels(layer, message, x)
    padded = [n + 2 * p for n, p in zip(x.shape[1:3], pad, strict=True)]
    checked_size(layer, (*padded, channels), "a padded map")
    axes = zip(padded, kernel, stride, dilation, strict=True)
    checked_size(layer, (*((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes), 1))
    checked_size(layer, (*padded, message.num_output))
    initializers = builder.initializers(
        layer, *_blobs(message, (message.num_output, channels // group, *kernel))
    )
    if any(pad):
        margins, name = tuple((p, p) for p in pad), builder.helper_name(layer, "pad")
        x = keras.layers.ZeroPadding2D(margins, data_format=LAST, name=name)(x)
    thinned = max(stride) > 1 and max(dilation) > 1  # which Keras refuses together
    filters = keras.layers.Conv2D(
        message.num_output,
        kernel,
        strides=1 if thinned else stride,
        dilation_rate=dilation,
        groups=group,
        padding="valid",
        data_format=LAST,
        **_with_bias(message, initializers),
        name=layer.keras_name,
    )
    x = builder.run_weighted(layer, filters, x)
    return Subsample(stride, name=builder.helper_name(layer, "stride"))(x) if thinned else x


def deconvolution(builder, layer, bottoms):
    return [_deconvolved(builder, layer, x) for x in bottoms]


def _deconvolved(builder, layer, x):
    message = layer.message.convolution_param
    kernel, stride, pad, dilation = _geometry(layer, message)
    channels, group = _channels(layer, message, x)
    axes = zip(x.shape[1:3], kernel, stride, pad, dilation, strict=True)
    size = [stretched(*axis) for axis in axes]
    checked_size(layer, (*size, message.num_output))
    full = [n + 2 * p for n, p in zip(size, pad, strict=True)]
    checked_size(layer, (*full, message.num_output), "a map before its pad is cut off")
    checked_size(layer, [d * k for d, k in zip(dilation, kernel, strict=True)], "a kernel")
    initializers = builder.initializers(
        layer, *_blobs(message, (channels, message.num_output // group, *kernel))
    )
    filters = Deconvolution(
        message.num_output,
        kernel,
        stride,
        pad,
        dilation,
        group,
        **_with_bias(message, initializers),
        name=layer.keras_name,
    )
    return builder.run_weighted(layer, filters, x)


def _blobs(message, shape):
    weights = (message, "weight_filler", shape, KERNEL if len(shape) == 4 else DENSE, 0.0)
    bias = (message, "bias_filler", (message.num_output,), None, 0.0)
    return [weights, bias] if message.bias_term else [weights]


def _with_bias(message, initializers):
    arguments = {"use_bias": message.bias_term, "kernel_initializer": initializers[0]}
    if message.bias_term:
        arguments["bias_initializer"] = initializers[1]
    return arguments


def _channels(layer, message, x):
    """Return the channels of the input and the groups."""
    _four_axes(layer, x)
    channels, group, filters = x.shape[3], message.group, message.num_output
    if filters < 1:
        raise wrong(layer, f"needs num_output of 1 or more. Received: {filters}.", message)
    if group < 1 or channels % group or filters % group:
        raise wrong(
            layer,
            f"has {group} groups, which divide its {channels} inputs and {filters} outputs not.",
            message,
            "group",
        )
    if message.axis not in (1, -3):
        raise unsupported(layer, f"axis: {message.axis}", message, "axis")
    return channels, group


def _geometry(layer, message):
    """Return kernel, stride, pad and dilation as (height, width)."""
    kernel = _pair(layer, message, "kernel_size", "kernel", None)
    stride = _pair(layer, message, "stride", "stride", 1)
    pad = _pair(layer, message, "pad", "pad", 0)
    dilation = _pair(layer, message, "dilation", None, 1)
    for name, sizes in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(sizes) < 1:
            raise wrong(layer, f"has {name} {sizes}: 1 is the least.", message, name)
    return kernel, stride, pad, dilation


def _pair(layer, message, name, split, default):
    """Return (height, width) of a field that is given once, once an axis, or by two fields."""
    sizes = getattr(message, name)
    sizes = sizes if isinstance(sizes, list) else [sizes] if message.has(name) else []
    single = [f"{split}_h", f"{split}_w"] if split else []
    given = [field for field in single if message.has(field)]
    if given:
        if sizes:
            raise wrong(
                layer, f"has {name} and {given[0]}: keep to one spelling.", message, given[0]
            )
        if len(given) < 2 and name != "pad":
            raise wrong(
                layer, f"has {given[0]} alone: {single[0]} and {single[1]} go together.", message
            )
        return tuple(getattr(message, field) for field in single)
    if not sizes:
        if default is None:
            raise wrong(layer, f"has no {name}.", message)
        return (default, default)
    if len(sizes) > 2:
        raise unsupported(layer, f"{len(sizes)} sizes in {name} (three axes)", message, name)
    return tuple(sizes * 2) if len(sizes) == 1 else tuple(sizes)


def _four_axes(layer, x):
    if len(x.shape) != 4:
        raise unsupported(layer, f"a bottom of {len(x.shape)} axes (not N x C x H x W)")


def inner_product(builder, layer, bottoms):
    message = layer.message.inner_product_param
    (x,) = bottoms
    if message.num_output < 1:
        raise wrong(
            layer, f"needs num_output of 1 or more. Received: {message.num_output}.", message
        )
    axis = axis_of(layer, message, len(x.shape))
    x = in_caffes_order(builder, layer, x)
    x = flattened(builder, layer, x, axis)
    inputs, outputs = x.shape[-1], message.num_output
    shape = (inputs, outputs) if message.transpose else (outputs, inputs)
    checked_size(layer, (*x.shape[1:-1], outputs))
    blobs = _blobs(message, shape)
    if message.transpose:
        blobs[0] = (*blobs[0][:3], None, 0.0)
    initializers = builder.initializers(layer, *blobs)
    kind = TransposedInnerProduct if message.transpose else keras.layers.Dense
    dense = kind(outputs, **_with_bias(message, initializers), name=layer.keras_name)
    x = builder.run_weighted(layer, dense, x)
    return [as_in_keras(builder, layer, x)]


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
        return keras.layers.Flatten(data_format=LAST, name=name)(x)
    return keras.layers.Reshape((*x.shape[1:axis], -1), name=name)(x)


def pooling(builder, layer, bottoms):
    message = layer.message.pooling_param
    (x,) = bottoms
    _four_axes(layer, x)
    if message.pool == "STOCHASTIC":
        raise unsupported(layer, "pool: STOCHASTIC", message, "pool")
    if len(layer.tops) > 1:
        raise unsupported(layer, "a second top (the mask)")
    maximum = message.pool == "MAX"
    name = layer.keras_name
    stride = _pair(layer, message, "stride", "stride", 1)
    pad = _pair(layer, message, "pad", "pad", 0)
    if message.global_pooling:
        sizes = [f for f in ("kernel_size", "kernel_h", "kernel_w") if message.has(f)]
        if sizes or any(pad) or stride != (1, 1):
            raise wrong(layer, "has global_pooling, which takes no kernel, pad or stride.", message)
        kind = "GlobalMaxPooling2D" if maximum else "GlobalAveragePooling2D"
        pool = getattr(keras.layers, kind)(keepdims=True, data_format=LAST, name=name)
        return [builder.run(layer, pool, x)]
    kernel = _pair(layer, message, "kernel_size", "kernel", None)
    if min(kernel) < 1 or min(stride) < 1:
        raise wrong(layer, f"has kernel {kernel} and stride {stride}: 1 is the least.", message)
    if any(p >= k for p, k in zip(pad, kernel, strict=True)):
        raise wrong(layer, f"has pad {pad}, which must be less than the kernel {kernel}.", message)
    ceil = message.round_mode == "CEIL"
    axes = list(zip(x.shape[1:3], kernel, stride, pad, strict=True))
    counts = [windows(*axis, ceil, any(pad)) for axis in axes]
    checked_size(layer, (*counts, x.shape[3]))
    reach = [(c - 1) * s + k for c, (_, k, s, _) in zip(counts, axes, strict=True)]
    checked_size(layer, (*map(max, reach, x.shape[1:3]), x.shape[3]), "a padded map")
    if not any(pad) and all(r <= n for r, n in zip(reach, x.shape[1:3], strict=True)):
        kind = keras.layers.MaxPooling2D if maximum else keras.layers.AveragePooling2D
        pool = kind(kernel, stride, "valid", data_format=LAST, name=name)
    else:
        pool = Pooling(message.pool, kernel, stride, pad, ceil, name=name)
    return [builder.run(layer, pool, x)]


def lrn(builder, layer, bottoms):
    message = layer.message.lrn_param
    (x,) = bottoms
    _four_axes(layer, x)
    if message.local_size % 2 == 0:
        raise wrong(
            layer,
            f"has local_size {message.local_size}: Caffe takes odd ones.",
            message,
            "local_size",
        )
    within = message.norm_region == "WITHIN_CHANNEL"
    norm = LRN(
        message.local_size, message.alpha, message.beta, message.k, within, name=layer.keras_name
    )
    return [builder.run(layer, norm, x)]


def mvn(builder, layer, bottoms):
    message = layer.message.mvn_param
    (x,) = bottoms
    _four_axes(layer, x)
    norm = MVN(
        message.normalize_variance, message.across_channels, message.eps, name=layer.keras_name
    )
    return [builder.run(layer, norm, x)]


def batch_norm(builder, layer, bottoms):
    message = layer.message.batch_norm_param
    (x,) = bottoms
    if len(x.shape) < 2:
        raise unsupported(layer, "a bottom without channels")
    channels = caffe_shape(x.shape)[1]
    initializers = builder.initializers(
        layer, *[(message, "", shape, None, 0.0) for shape in ((channels,), (channels,), (1,))]
    )
    norm = BatchNorm(message.eps, message.moving_average_fraction, name=layer.keras_name)
    # said in the call: the nets of both phases share the layer
    fixed = {}
    if message.has("use_global_stats"):
        fixed["use_global_stats"] = message.use_global_stats
    x = builder.run_weighted(layer, norm, x, **fixed)
    norm.trainable = True  # its lr_mult are always 0
    if builder.layers[layer.name] is norm:
        for weight, initializer in zip(norm.weights, initializers, strict=True):
            weight.assign(initializer(weight.shape, weight.dtype))
    return [x]


def scale(builder, layer, bottoms):
    message = layer.message.scale_param
    shape, axis = _along(layer, message, bottoms)
    blobs = [] if len(bottoms) == 2 else [(message, "filler", shape, None, 1.0)]
    if message.bias_term:
        blobs.append((message, "bias_filler", shape, None, 0.0))
    initializers = builder.initializers(layer, *blobs)
    names = ["gain_initializer"] * (len(bottoms) == 1) + ["bias_initializer"] * message.bias_term
    made = Scale(
        axis,
        message.num_axes,
        message.bias_term,
        **dict(zip(names, initializers, strict=True)),
        name=layer.keras_name,
    )
    return [builder.run_weighted(layer, made, bottoms if len(bottoms) == 2 else bottoms[0])]


def bias(builder, layer, bottoms):
    message = layer.message.bias_param
    shape, axis = _along(layer, message, bottoms)
    if len(bottoms) == 2:
        return [builder.run(layer, Bias(axis, message.num_axes, name=layer.keras_name), bottoms)]
    initializers = builder.initializers(layer, (message, "filler", shape, None, 0.0))
    made = Bias(axis, message.num_axes, *initializers, name=layer.keras_name)
    return [builder.run_weighted(layer, made, bottoms[0])]


def _along(layer, message, bottoms):
    """Return the shape of the weights of Scale or Bias, and the first axis that they cover."""
    shape = caffe_shape(bottoms[0].shape)
    rank = len(shape)
    if len(bottoms) == 2:
        axis = axis_of(layer, message, rank, batch=True)
        own = caffe_shape(bottoms[1].shape)
        covered = shape[axis : axis + len(own)]
        sizes = zip(covered, own, strict=False)
        if len(own) != len(covered) or any(a and b and a != b for a, b in sizes):
            raise wrong(
                layer,
                f"has bottoms of shapes {shape} and {own}, which do not fit from axis {axis}.",
            )
        if message.kind == "ScaleParameter" and message.bias_term and None in covered:
            raise unsupported(layer, "a bias along the batch", message, "bias_term")
        return covered, axis
    axis = axis_of(layer, message, rank)
    count = rank - axis if message.num_axes == -1 else message.num_axes
    if not 0 <= count <= rank - axis:
        raise wrong(
            layer,
            f"has num_axes {message.num_axes} from axis {axis} on, of a blob of {rank} axes.",
            message,
            "num_axes",
        )
    return shape[axis : axis + count], axis


def prelu(builder, layer, bottoms):
    message = layer.message.prelu_param
    (x,) = bottoms
    if len(x.shape) < 2:
        raise unsupported(layer, "a bottom without channels")
    shape = () if message.channel_shared else (caffe_shape(x.shape)[1],)
    channel = 3 if len(x.shape) == 4 else 1
    shared = [axis for axis in range(1, len(x.shape)) if message.channel_shared or axis != channel]
    (initializer,) = builder.initializers(layer, (message, "filler", shape, None, 0.25))
    made = keras.layers.PReLU(
        alpha_initializer=initializer, shared_axes=shared or None, name=layer.keras_name
    )
    return [builder.run_weighted(layer, made, x)]


CONVERTERS = {
    "Convolution": convolution,
    "Deconvolution": deconvolution,
    "InnerProduct": inner_product,
    "Pooling": pooling,
    "LRN": lrn,
    "MVN": mvn,
    "BatchNorm": batch_norm,
    "Scale": scale,
    "Bias": bias,
    "PReLU": prelu,
}
