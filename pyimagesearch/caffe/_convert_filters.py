"""From Caffe's layers with filters or windows to Keras's."""

import keras

from pyimagesearch.caffe._builder import axis_of, checked_size, four_axes, unsupported, wrong
from pyimagesearch.caffe._convert_shapes import as_in_keras, flattened, in_caffes_order
from pyimagesearch.caffe._weights import DENSE, KERNEL
from pyimagesearch.caffe.layers import (
    Deconvolution,
    GroupedConv2D,
    Pooling,
    Subsample,
    TransposedInnerProduct,
)
from pyimagesearch.caffe.layers.filters import stretched
from pyimagesearch.caffe.layers.pooling import windows

LAST = "channels_last"  # whatever the user's keras.json says
FEW_GROUPS = 8  # of more, up to one for each channel, the backends do better at once


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
    kind = GroupedConv2D if 1 < group <= FEW_GROUPS else keras.layers.Conv2D
    filters = kind(
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
    four_axes(layer, x)
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


def pooling(builder, layer, bottoms):
    message = layer.message.pooling_param
    (x,) = bottoms
    four_axes(layer, x)
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


CONVERTERS = {
    "Convolution": convolution,
    "Deconvolution": deconvolution,
    "InnerProduct": inner_product,
    "Pooling": pooling,
}
