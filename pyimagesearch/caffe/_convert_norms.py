"""From Caffe's layers that normalize or scale to Keras's."""

import keras

from pyimagesearch.caffe._builder import axis_of, four_axes, unsupported, wrong
from pyimagesearch.caffe.layers import LRN, MVN, BatchNorm, Bias, Scale
from pyimagesearch.caffe.layers._order import caffe_shape


def lrn(builder, layer, bottoms):
    message = layer.message.lrn_param
    (x,) = bottoms
    four_axes(layer, x)
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
    four_axes(layer, x)
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
    "LRN": lrn,
    "MVN": mvn,
    "BatchNorm": batch_norm,
    "Scale": scale,
    "Bias": bias,
    "PReLU": prelu,
}
