"""From Caffe's functions of numbers to Keras's."""

import keras

from pyimagesearch.caffe._builder import axis_of, shapes_of, wrong
from pyimagesearch.caffe.layers import (
    AbsVal,
    Clip,
    Exp,
    Leaky,
    Log,
    Power,
    SoftmaxOfLoss,
    Swish,
    Threshold,
    WeightedSum,
)
from pyimagesearch.caffe.layers._order import keras_axis


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
        raise wrong(layer, f"has bottoms of different shapes: {shapes_of(bottoms)}.")
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


CONVERTERS = {
    "AbsVal": absval,
    "BNLL": activation("softplus"),
    "Clip": clip,
    "Dropout": dropout,
    "ELU": elu,
    "Eltwise": eltwise,
    "Exp": exp,
    "Log": log,
    "Power": power,
    "ReLU": relu,
    "Sigmoid": activation("sigmoid"),
    "Softmax": softmax,
    "Swish": swish,
    "TanH": activation("tanh"),
    "Threshold": threshold,
}
