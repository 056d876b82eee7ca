"""Each layer and option of Caffe's: a text, the shapes of its bottoms and blobs, and a reference.

Shapes and references are Caffe's, N x C x H x W.
"""

from dataclasses import dataclass, field

import caffe_reference as caffe
import numpy as np


@dataclass
class Case:
    """A layer.

    Attributes:
        name: of the case.
        text: the layer's fields, without name, bottoms and tops.
        bottoms: shapes.
        reference: function of the bottoms and the blobs, float64.
        blobs: shapes of the weights.
        gradient: whether one is checked.
        positive: whether the bottoms are above 0.
        stored: the shapes in which the file has the blobs, where they differ.
    """

    name: str
    text: str
    bottoms: list
    reference: object
    blobs: list = field(default_factory=list)
    gradient: bool = True
    positive: bool = False
    stored: list | None = None


X = (2, 4, 6, 7)  # a usual bottom
FLAT = (3, 5)


def conv(name, fields, weights, reference, bias=True, kind="Convolution", bottom=X):
    outputs = weights[1] * reference.get("group", 1) if kind != "Convolution" else weights[0]
    text = f'type: "{kind}" convolution_param {{ num_output: {outputs} {fields} }}'
    function = caffe.convolution if kind == "Convolution" else caffe.deconvolution
    return Case(
        name,
        text,
        [bottom],
        lambda x, *blobs: function(x, *blobs, **reference),
        [weights, (outputs,)] if bias else [weights],
    )


def deconv(name, fields, weights, reference, **options):
    return conv(name, fields, weights, reference, kind="Deconvolution", **options)


def pool(name, fields, operation, *arguments, bottom=X, **options):
    return Case(
        name,
        f'type: "Pooling" pooling_param {{ pool: {operation} {fields} }}',
        [bottom],
        lambda x: caffe.pooling(x, operation, *arguments, **options),
    )


def plain(name, kind, fields, reference, bottom=X, **options):
    return Case(name, f'type: "{kind}" {fields}', [bottom], reference, **options)


def inner(name, fields, bottom, blobs, reference, **options):
    return Case(
        name,
        f'type: "InnerProduct" inner_product_param {{ num_output: 3 {fields} }}',
        [bottom],
        reference,
        blobs,
        **options,
    )


def best(x, top_k, axis):
    moved = np.moveaxis(x, axis, -1)
    return np.moveaxis(caffe.largest_last(moved, top_k), -1, axis)


def best_values(x, top_k, axis):
    return np.take_along_axis(x, best(x, top_k, axis), axis)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def cut(x, like, axis, offsets):
    window = [slice(None)] * x.ndim
    for i, offset in enumerate(offsets, axis):
        window[i] = slice(offset, offset + like.shape[i])
    return x[tuple(window)]


FILTERS = [
    conv("convolution", "kernel_size: 3", (6, 4, 3, 3), {}),
    conv("convolution of 1x1", "kernel_size: 1", (2, 4, 1, 1), {}),
    conv("convolution, no bias", "kernel_size: 3 bias_term: false", (6, 4, 3, 3), {}, bias=False),
    conv(
        "convolution by axis",
        "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 1 pad_w: 2",
        (3, 4, 2, 3),
        {"stride": (1, 2), "pad": (1, 2)},
    ),
    conv(
        "convolution, lists",
        "kernel_size: 3 kernel_size: 2 stride: 2 stride: 1 pad: 2 pad: 0 dilation: 1 dilation: 1",
        (3, 4, 3, 2),
        {"stride": (2, 1), "pad": (2, 0)},
    ),
    conv("convolution, pad of one axis", "kernel_size: 3 pad_w: 2", (3, 4, 3, 3), {"pad": (0, 2)}),
    conv("convolution in groups", "kernel_size: 3 group: 2", (6, 2, 3, 3), {"group": 2}),
    conv(
        "convolution with dilation",
        "kernel_size: 3 dilation: 2 dilation: 3 pad: 2",
        (2, 4, 3, 3),
        {"dilation": (2, 3), "pad": (2, 2)},
    ),
    conv(
        "convolution with dilation and stride",
        "kernel_size: 2 dilation: 3 stride: 2 stride: 3 pad: 1 group: 2",
        (2, 2, 2, 2),
        {"dilation": (3, 3), "stride": (2, 3), "pad": (1, 1), "group": 2},
    ),
    deconv("deconvolution", "kernel_size: 3 stride: 2", (4, 3, 3, 3), {"stride": (2, 2)}),
    deconv(
        "deconvolution, stride above kernel",
        "kernel_size: 2 stride: 3",
        (4, 3, 2, 2),
        {"stride": (3, 3)},
    ),
    deconv(
        "deconvolution in groups",
        "kernel_size: 4 stride: 2 pad: 1 group: 4 bias_term: false",
        (4, 1, 4, 4),
        {"stride": (2, 2), "pad": (1, 1), "group": 4},
        bias=False,
    ),
    deconv(
        "deconvolution with dilation",
        "kernel_h: 2 kernel_w: 3 stride: 2 pad_h: 1 pad_w: 0 dilation: 3 dilation: 2 group: 2",
        (4, 3, 2, 3),
        {"stride": (2, 2), "pad": (1, 0), "dilation": (3, 2), "group": 2},
    ),
    inner(
        "inner product of maps",
        "",
        (2, 4, 3, 2),
        [(3, 24), (3,)],
        lambda x, w, b: x.reshape(2, -1) @ w.T + b,
    ),
    inner("inner product", "", FLAT, [(3, 5), (3,)], lambda x, w, b: x @ w.T + b),
    inner("inner product, no bias", "bias_term: false", FLAT, [(3, 5)], lambda x, w: x @ w.T),
    inner(
        "inner product, older file",
        "",
        FLAT,
        [(3, 5), (3,)],
        lambda x, w, b: x @ w.T + b,
        stored=[(1, 1, 3, 5), (1, 1, 1, 3)],
    ),
    inner(
        "inner product, transposed",
        "transpose: true",
        (2, 4, 3, 2),
        [(24, 3), (3,)],
        lambda x, w, b: x.reshape(2, -1) @ w + b,
    ),
    inner(
        "inner product from axis 2",
        "axis: 2",
        (2, 4, 3, 2),
        [(3, 6), (3,)],
        lambda x, w, b: x.reshape(2, 4, 6) @ w.T + b,
    ),
    inner(
        "inner product from the last axis",
        "axis: -1",
        (2, 4, 3, 2),
        [(3, 2), (3,)],
        lambda x, w, b: x @ w.T + b,
    ),
]

POOLING = [
    pool(
        "max, window that fits",
        "kernel_size: 2 stride: 2",
        "MAX",
        (2, 2),
        (2, 2),
        bottom=(2, 3, 6, 8),
    ),
    pool(
        "mean, window that fits",
        "kernel_size: 2 stride: 2",
        "AVE",
        (2, 2),
        (2, 2),
        bottom=(2, 3, 6, 8),
    ),
    pool("max, clipped", "kernel_size: 3 stride: 2", "MAX", (3, 3), (2, 2)),
    pool("mean, clipped", "kernel_size: 3 stride: 2", "AVE", (3, 3), (2, 2)),
    pool(
        "max, floor",
        "kernel_size: 3 stride: 2 round_mode: FLOOR",
        "MAX",
        (3, 3),
        (2, 2),
        ceil=False,
    ),
    pool(
        "mean, floor",
        "kernel_size: 3 stride: 2 round_mode: FLOOR pad: 1",
        "AVE",
        (3, 3),
        (2, 2),
        (1, 1),
        ceil=False,
    ),
    pool("max, padded", "kernel_size: 3 stride: 2 pad: 1", "MAX", (3, 3), (2, 2), (1, 1)),
    pool("mean, padded", "kernel_size: 3 stride: 2 pad: 1", "AVE", (3, 3), (2, 2), (1, 1)),
    pool(
        "max, padded on one axis",
        "kernel_size: 2 stride: 2 pad_h: 0 pad_w: 1",
        "MAX",
        (2, 2),
        (2, 2),
        (0, 1),
    ),
    pool(
        "mean, padded on one axis",
        "kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0",
        "AVE",
        (3, 2),
        (2, 2),
        (1, 0),
    ),
    pool(
        "max, last window dropped",
        "kernel_size: 2 stride: 2 pad: 1",
        "MAX",
        (2, 2),
        (2, 2),
        (1, 1),
        bottom=(2, 3, 5, 7),
    ),
    pool(
        "mean, last window dropped",
        "kernel_size: 2 stride: 2 pad: 1",
        "AVE",
        (2, 2),
        (2, 2),
        (1, 1),
        bottom=(2, 3, 5, 7),
    ),
    pool(
        "max, stride above kernel",
        "kernel_size: 2 stride: 3",
        "MAX",
        (2, 2),
        (3, 3),
        bottom=(2, 3, 7, 7),
    ),
    pool(
        "mean, stride above kernel",
        "kernel_size: 2 stride_h: 3 stride_w: 4",
        "AVE",
        (2, 2),
        (3, 4),
        bottom=(2, 3, 7, 6),
    ),
    pool(
        "mean, stride above kernel and pad",
        "kernel_size: 2 stride: 4 pad: 1",
        "AVE",
        (2, 2),
        (4, 4),
        (1, 1),
        bottom=(2, 3, 7, 6),
    ),
    pool(
        "max, kernel above map",
        "kernel_size: 9 stride: 3",
        "MAX",
        (9, 9),
        (3, 3),
        bottom=(2, 3, 7, 8),
    ),
    pool(
        "mean, kernel above map",
        "kernel_size: 9 stride: 3",
        "AVE",
        (9, 9),
        (3, 3),
        bottom=(2, 3, 7, 8),
    ),
    pool("max, global", "global_pooling: true", "MAX", (6, 7)),
    pool("mean, global", "global_pooling: true", "AVE", (6, 7)),
]

NORMALIZATION = [
    plain("lrn", "LRN", "lrn_param { local_size: 3 alpha: 0.5 }", lambda x: caffe.lrn(x, 3, 0.5)),
    plain("lrn by default", "LRN", "", caffe.lrn),
    plain(
        "lrn with k",
        "LRN",
        "lrn_param { local_size: 5 alpha: 0.7 beta: 0.6 k: 2.5 }",
        lambda x: caffe.lrn(x, 5, 0.7, 0.6, 2.5),
    ),
    plain(
        "lrn wider than the channels",
        "LRN",
        "lrn_param { local_size: 99 alpha: 40 }",
        lambda x: caffe.lrn(x, 99, 40.0),
    ),
    plain(
        "lrn within a channel",
        "LRN",
        "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 beta: 0.5 k: 7 }",
        lambda x: caffe.lrn_within(x, 3, 2.0, 0.5),
    ),
    plain(
        "lrn within a channel, wider than the map",
        "LRN",
        "lrn_param { norm_region: WITHIN_CHANNEL local_size: 15 alpha: 9 }",
        lambda x: caffe.lrn_within(x, 15, 9.0),
    ),
    plain("mvn", "MVN", "", caffe.mvn),
    plain(
        "mvn with eps",
        "MVN",
        "mvn_param { eps: 0.25 }",
        lambda x: caffe.mvn(x, eps=0.25),
    ),
    plain(
        "mvn across channels",
        "MVN",
        "mvn_param { across_channels: true }",
        lambda x: caffe.mvn(x, (1, 2, 3)),
    ),
    plain(
        "mvn, mean only",
        "MVN",
        "mvn_param { normalize_variance: false }",
        lambda x: caffe.mvn(x, variance=False),
    ),
    plain("batch norm", "BatchNorm", "", caffe.batch_norm, blobs=[(4,), (4,), (1,)]),
    plain(
        "batch norm with eps",
        "BatchNorm",
        "batch_norm_param { use_global_stats: true eps: 0.1 }",
        lambda x, *blobs: caffe.batch_norm(x, *blobs, eps=0.1),
        blobs=[(4,), (4,), (1,)],
    ),
    plain(
        "batch norm of vectors", "BatchNorm", "", caffe.batch_norm, FLAT, blobs=[(5,), (5,), (1,)]
    ),
    plain(
        "batch norm of three axes",
        "BatchNorm",
        "",
        caffe.batch_norm,
        (2, 3, 5),
        blobs=[(3,), (3,), (1,)],
    ),
    plain(
        "batch norm of the batch",
        "BatchNorm",
        "batch_norm_param { use_global_stats: false }",
        lambda x, *blobs: (
            caffe.mvn(x, (0, 2, 3), 0)
            * np.sqrt(x.var((0, 2, 3), keepdims=True) / (x.var((0, 2, 3), keepdims=True) + 1e-5))
        ),
        blobs=[(4,), (4,), (1,)],
    ),
]


def scale(name, fields, blobs, reference, bottoms=(X,), kind="Scale"):
    text = f'type: "{kind}" {kind.lower()}_param {{ {fields} }}'
    return Case(name, text, list(bottoms), reference, blobs)


SCALING = [
    scale("scale", "", [(4,)], lambda x, g: x * caffe.along(g, 1, x)),
    scale(
        "scale and bias",
        "bias_term: true",
        [(4,), (4,)],
        lambda x, g, b: x * caffe.along(g, 1, x) + caffe.along(b, 1, x),
    ),
    scale(
        "scale from axis 1 to the end",
        "num_axes: -1 bias_term: true",
        [(4, 6, 7), (4, 6, 7)],
        lambda x, g, b: x * g + b,
    ),
    scale("scale along axis 2", "axis: 2 num_axes: 2", [(6, 7)], lambda x, g: x * g),
    scale("scale along axis -2", "axis: -2", [(6,)], lambda x, g: x * caffe.along(g, 2, x)),
    scale("scale by one number", "num_axes: 0", [()], lambda x, g: x * g),
    scale("scale of vectors", "", [(5,)], lambda x, g: x * g, [FLAT]),
    scale("scale of three axes", "", [(3,)], lambda x, g: x * g[:, None], [(2, 3, 5)]),
    scale("scale by a blob", "axis: 0", [], lambda x, g: x * g, [X, X]),
    scale(
        "scale by each item's channels",
        "axis: 0",
        [],
        lambda x, g: x * g[:, :, None, None],
        [X, (2, 4)],
    ),
    scale("scale by each item", "axis: 0", [], lambda x, g: x * caffe.along(g, 0, x), [X, (2,)]),
    scale(
        "scale by another blob's channels", "", [], lambda x, g: x * caffe.along(g, 1, x), [X, (4,)]
    ),
    scale("bias", "", [(4,)], lambda x, b: x + caffe.along(b, 1, x), kind="Bias"),
    scale("bias along axis 2", "axis: 2 num_axes: -1", [(6, 7)], lambda x, b: x + b, kind="Bias"),
    scale(
        "bias by a blob",
        "axis: 0",
        [],
        lambda x, b: x + b[:, :, None, None],
        [X, (2, 4)],
        kind="Bias",
    ),
    plain(
        "prelu",
        "PReLU",
        "",
        lambda x, a: np.where(x > 0, x, x * a[:, None, None]),
        blobs=[(4,)],
    ),
    plain(
        "prelu, shared",
        "PReLU",
        "prelu_param { channel_shared: true }",
        lambda x, a: np.where(x > 0, x, x * a),
        blobs=[()],
    ),
    plain(
        "prelu of vectors", "PReLU", "", lambda x, a: np.where(x > 0, x, x * a), FLAT, blobs=[(5,)]
    ),
    plain(
        "prelu of three axes",
        "PReLU",
        "",
        lambda x, a: np.where(x > 0, x, x * a[:, None]),
        (2, 3, 5),
        blobs=[(3,)],
    ),
]

FUNCTIONS = [
    plain("relu", "ReLU", "", lambda x: np.maximum(x, 0)),
    plain(
        "relu with a slope",
        "ReLU",
        "relu_param { negative_slope: 0.2 }",
        lambda x: np.where(x > 0, x, 0.2 * x),
    ),
    plain(
        "relu with a slope below 0",
        "ReLU",
        "relu_param { negative_slope: -0.5 }",
        lambda x: np.where(x > 0, x, -0.5 * x),
    ),
    plain(
        "elu",
        "ELU",
        "elu_param { alpha: 0.7 }",
        lambda x: np.where(x > 0, x, 0.7 * (np.exp(x) - 1)),
    ),
    plain("sigmoid", "Sigmoid", "", lambda x: 1 / (1 + np.exp(-x))),
    plain("tanh", "TanH", "", np.tanh),
    plain("absval", "AbsVal", "", np.abs),
    plain("bnll", "BNLL", "", lambda x: np.log(1 + np.exp(x))),
    plain(
        "swish",
        "Swish",
        "swish_param { beta: 1.7 }",
        lambda x: x / (1 + np.exp(-1.7 * x)),
    ),
    plain(
        "power",
        "Power",
        "power_param { power: 2.5 scale: 0.5 shift: 3 }",
        lambda x: (3 + 0.5 * x) ** 2.5,
        positive=True,
    ),
    plain(
        "square",
        "Power",
        "power_param { power: 2 scale: -0.5 shift: 0.1 }",
        lambda x: (0.1 - 0.5 * x) ** 2,
    ),
    plain("power 0", "Power", "power_param { power: 0 shift: 3 }", np.ones_like, gradient=False),
    plain("power 1", "Power", "power_param { scale: 3 shift: 2 }", lambda x: 2 + 3 * x),
    plain("exp", "Exp", "", np.exp),
    plain(
        "exp to a base",
        "Exp",
        "exp_param { base: 2.5 scale: 0.5 shift: 1 }",
        lambda x: 2.5 ** (1 + 0.5 * x),
    ),
    plain("log", "Log", "", np.log, positive=True),
    plain(
        "log to a base",
        "Log",
        "log_param { base: 10 scale: 2 shift: 1 }",
        lambda x: np.log10(1 + 2 * x),
        positive=True,
    ),
    plain(
        "threshold",
        "Threshold",
        "threshold_param { threshold: 0.3 }",
        lambda x: (x > 0.3).astype(float),
        gradient=False,
    ),
    plain("clip", "Clip", "clip_param { min: -0.5 max: 0.7 }", lambda x: np.clip(x, -0.5, 0.7)),
    plain("dropout", "Dropout", "", lambda x: x),
    plain("softmax", "Softmax", "", lambda x: softmax(x, 1)),
    plain("softmax along axis 2", "Softmax", "softmax_param { axis: 2 }", lambda x: softmax(x, 2)),
    plain("softmax of vectors", "Softmax", "", lambda x: softmax(x, 1), FLAT),
    plain("split", "Split", "", lambda x: x),
    Case("sum", 'type: "Eltwise"', [X, X, X], lambda a, b, c: a + b + c),
    Case(
        "weighted sum",
        'type: "Eltwise" eltwise_param { coeff: 1 coeff: -0.5 }',
        [X, X],
        lambda a, b: a - 0.5 * b,
    ),
    Case(
        "product",
        'type: "Eltwise" eltwise_param { operation: PROD }',
        [X, X],
        lambda a, b: a * b,
    ),
    Case("maximum", 'type: "Eltwise" eltwise_param { operation: MAX }', [X, X], np.maximum),
]

SHAPES = [
    Case("concat", 'type: "Concat"', [X, (2, 3, 6, 7)], lambda a, b: np.concatenate([a, b], 1)),
    Case(
        "concat along axis 2",
        'type: "Concat" concat_param { axis: 2 }',
        [X, (2, 4, 1, 7)],
        lambda a, b: np.concatenate([a, b], 2),
    ),
    Case(
        "concat along the last axis, spelt as of old",
        'type: "Concat" concat_param { concat_dim: 3 }',
        [X, X],
        lambda a, b: np.concatenate([a, b], 3),
    ),
    Case("concat of one", 'type: "Concat"', [X], lambda a: a),
    Case(
        "crop",
        'type: "Crop" crop_param { axis: 2 offset: 1 }',
        [X, (2, 9, 3, 4)],
        lambda x, like: cut(x, like, 2, (1, 1)),
    ),
    Case(
        "crop by axis",
        'type: "Crop" crop_param { axis: 1 offset: 1 offset: 0 offset: 3 }',
        [X, (2, 3, 6, 2)],
        lambda x, like: cut(x, like, 1, (1, 0, 3)),
    ),
    plain("flatten", "Flatten", "", lambda x: x.reshape(2, -1)),
    plain(
        "flatten from axis 2",
        "Flatten",
        "flatten_param { axis: 2 }",
        lambda x: x.reshape(2, 4, -1),
    ),
    plain(
        "flatten of axes 1 and 2",
        "Flatten",
        "flatten_param { axis: -3 end_axis: -2 }",
        lambda x: x.reshape(2, -1, 7),
    ),
    plain(
        "flatten to four axes",
        "Flatten",
        "flatten_param { axis: 1 end_axis: 2 }",
        lambda x: x.reshape(2, 6, 4, 2),
        (2, 2, 3, 4, 2),
    ),
    plain(
        "reshape",
        "Reshape",
        "reshape_param { shape { dim: 0 dim: 8 dim: -1 } }",
        lambda x: x.reshape(2, 8, 21),
    ),
    plain(
        "reshape to four axes",
        "Reshape",
        "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 7 } }",
        lambda x: x.reshape(2, 2, 12, 7),
    ),
    plain(
        "reshape, batch inferred",
        "Reshape",
        "reshape_param { shape { dim: -1 dim: 28 dim: 6 } }",
        lambda x: x.reshape(2, 28, 6),
    ),
    plain(
        "reshape of vectors to maps",
        "Reshape",
        "reshape_param { shape { dim: 0 dim: 3 dim: 2 dim: 4 } }",
        lambda x: x.reshape(2, 3, 2, 4),
        (2, 24),
    ),
    plain(
        "reshape of some axes",
        "Reshape",
        "reshape_param { axis: 1 num_axes: 2 shape { dim: 3 dim: -1 } }",
        lambda x: x.reshape(2, 3, 8, 7),
    ),
    plain(
        "reshape that inserts an axis",
        "Reshape",
        "reshape_param { axis: 1 num_axes: 0 shape { dim: 1 } }",
        lambda x: x.reshape(3, 1, 5),
        FLAT,
    ),
    plain(
        "reshape from the end",
        "Reshape",
        "reshape_param { axis: -3 shape { dim: -1 } }",
        lambda x: x.reshape(2, 4, 6 * 7),
    ),
    plain(
        "argmax",
        "ArgMax",
        "",
        lambda x: caffe.largest_last(x.reshape(2, 1, -1), 1),
        gradient=False,
    ),
    plain(
        "argmax with values",
        "ArgMax",
        "argmax_param { top_k: 3 out_max_val: true }",
        lambda x: np.concatenate(
            [best(x.reshape(2, 1, -1), 3, 2), best_values(x.reshape(2, 1, -1), 3, 2)], 1
        ),
        gradient=False,
    ),
    plain(
        "argmax along axis 1",
        "ArgMax",
        "argmax_param { top_k: 2 axis: 1 }",
        lambda x: best(x, 2, 1),
        gradient=False,
    ),
    plain(
        "argmax along axis -1, values",
        "ArgMax",
        "argmax_param { top_k: 2 axis: -1 out_max_val: true }",
        lambda x: best_values(x, 2, 3),
    ),
    plain(
        "reduction",
        "Reduction",
        "reduction_param { axis: 1 }",
        lambda x: x.reshape(2, -1).sum(1),
    ),
    plain(
        "reduction of the batch", "Reduction", "reduction_param { coeff: 2 }", lambda x: 2 * x.sum()
    ),
    plain(
        "reduction of maps",
        "Reduction",
        "reduction_param { operation: MEAN axis: 2 coeff: 0.5 }",
        lambda x: 0.5 * x.mean((2, 3)),
    ),
    plain(
        "reduction of rows",
        "Reduction",
        "reduction_param { operation: ASUM axis: -1 }",
        lambda x: np.abs(x).sum(3),
    ),
    plain(
        "reduction of squares",
        "Reduction",
        "reduction_param { operation: SUMSQ axis: 2 coeff: -1 }",
        lambda x: -(x**2).sum((2, 3)),
    ),
    plain("tile", "Tile", "tile_param { tiles: 3 }", lambda x: np.tile(x, (1, 3, 1, 1))),
    plain("tile along axis 3", "Tile", "tile_param { axis: 3 tiles: 2 }", lambda x: np.tile(x, 2)),
]

CASES = FILTERS + POOLING + NORMALIZATION + SCALING + FUNCTIONS + SHAPES
