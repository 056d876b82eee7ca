"""From a net's layers to Keras tensors: the part that load_caffe and training share."""

from dataclasses import dataclass, field

from pyimagesearch.caffe import (
    _convert_filters,
    _convert_functions,
    _convert_norms,
    _convert_shapes,
)
from pyimagesearch.caffe._builder import Builder, axis_of, checked_size, unsupported, wrong
from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._fields import V1_TYPES
from pyimagesearch.caffe._inputs import Inputs
from pyimagesearch.caffe._net import DATA_LAYERS
from pyimagesearch.caffe._sharing import owners
from pyimagesearch.caffe.layers import StopGradient
from pyimagesearch.caffe.layers._order import caffe_shape

FAMILIES = (_convert_filters, _convert_norms, _convert_functions, _convert_shapes)
CONVERTERS = {kind: how for family in FAMILIES for kind, how in family.CONVERTERS.items()}
LOSSES = {"SoftmaxWithLoss", "EuclideanLoss", "SigmoidCrossEntropyLoss", "HingeLoss"}
OUTSIDE = LOSSES | {"Accuracy", "Silence"}

ANY = 2**31
# (fewest, most) bottoms and tops of a layer; one of each where nothing is said
BOTTOMS = {
    **dict.fromkeys(("Convolution", "Deconvolution", "Concat"), (1, ANY)),
    **{"Eltwise": (2, ANY), "Crop": (2, 2), "Scale": (1, 2), "Bias": (1, 2), "Silence": (1, ANY)},
    **{"SoftmaxWithLoss": (2, 3), "Accuracy": (2, 2)},
    **dict.fromkeys(("EuclideanLoss", "SigmoidCrossEntropyLoss", "HingeLoss"), (2, 2)),
}
TOPS = {
    **dict.fromkeys(("Convolution", "Deconvolution", "Slice", "Split"), (1, ANY)),
    **{"Silence": (0, 0), "SoftmaxWithLoss": (0, 2), "Accuracy": (0, 2), "Pooling": (1, 2)},
    **dict.fromkeys(("EuclideanLoss", "SigmoidCrossEntropyLoss", "HingeLoss"), (0, 1)),
}


@dataclass
class Loss:
    """What a net is trained on.

    Attributes:
        layer, type: Caffe's name and type of the layer: a loss, or any layer with a loss_weight.
        weight: its loss_weight.
        prediction: KerasTensor: the first bottom (before the softmax); the top of other layers.
        label: name of the blob of labels, or None for other layers.
        message: the layer's LayerParameter.
        target: KerasTensor of labels that a layer makes; None where the data have them.
    """

    layer: str
    type: str
    weight: float
    prediction: object
    label: str | None
    message: object
    target: object = None


@dataclass
class Accuracy:
    """An Accuracy layer.

    Attributes:
        layer: Caffe's name of the layer.
        prediction: KerasTensor, channels-last.
        label: name of the blob of labels.
        top_k, axis: of the layer; axis as Caffe counts (N x C x H x W), 0 or more.
        ignore_label: or None.
        target: as of Loss.
    """

    layer: str
    prediction: object
    label: str
    top_k: int
    axis: int
    ignore_label: int | None
    target: object = None


@dataclass
class Built:
    """A net in Keras.

    Attributes:
        inputs: dict of blob names to KerasTensors, in the file's order.
        blobs: dict of blob names to KerasTensors: the last blob of each name. SoftmaxWithLoss
            makes its softmax, of its top's name, or the layer's where it has none.
        after: dict of layer names to the list of KerasTensors that the layer makes.
        layers: dict of layer names to Keras layers, of those that are one.
        losses: list of Loss.
        accuracies: list of Accuracy.
    """

    inputs: dict = field(default_factory=dict)
    blobs: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    layers: dict = field(default_factory=dict)
    losses: list = field(default_factory=list)
    accuracies: list = field(default_factory=list)


def build_net(net, input_shapes=None, layers=None, *, file=None):
    """Return the Built of a net.

    Args:
        net: Net. The tops of its data layers are inputs.
        input_shapes: dict of blob names to the tensors' shapes without the batch: (H, W, C), or
            (), ... They count before what the file says. A blob in it is made in any case, others
            when a layer reads them.
        layers: `layers` of another Built: where that has weights for a layer, they are used.
        file: WeightFile whose blobs the weights start with, in the place of the fillers.
    Raises:
        CaffeError: if sizes do not fit together, naming layer and line.
        NotImplementedError: for a layer or option that is not supported, likewise.
        ValueError: if input_shapes names a blob that is no input.
    """
    known = {name: layer for name, layer in (layers or {}).items() if layer.weights}
    builder = Builder(net, file, known)
    inputs = Inputs(net, builder, dict(input_shapes or {}))
    built = Built(blobs=builder.blobs, layers=builder.layers)
    for layer in net.layers:
        if layer.type in DATA_LAYERS:
            inputs.add_layer(layer)
            continue
        if layer.type not in CONVERTERS and layer.type not in OUTSIDE:
            raise _unknown(layer)
        _count(layer, "bottom", layer.bottoms, BOTTOMS)
        _count(layer, "top", layer.tops, TOPS)
        if layer.type in OUTSIDE and layer.type != "SoftmaxWithLoss":
            _note(built, layer, inputs, builder)
            continue
        read = layer.bottoms[:1] if layer.type == "SoftmaxWithLoss" else layer.bottoms
        bottoms = [inputs.tensor(blob, layer) for blob in read]
        if net.phase == "TRAIN":
            bottoms = _without_gradients(builder, layer, bottoms)
        built.after[layer.name] = tops = _convert(builder, layer, bottoms)
        if layer.type == "SoftmaxWithLoss":
            _note(built, layer, inputs, builder)
            builder.blobs.update(dict.fromkeys(layer.tops or [layer.name], tops[0]))
            continue
        builder.blobs.update(zip(layer.tops, tops, strict=True))
        for weight, top in zip(layer.message.loss_weight, tops, strict=False):
            if weight:
                built.losses.append(Loss(layer.name, layer.type, weight, top, None, layer.message))
    built.inputs = inputs.made()
    return built


def _convert(builder, layer, bottoms):
    convert = CONVERTERS["Softmax" if layer.type == "SoftmaxWithLoss" else layer.type]
    try:
        tops = convert(builder, layer, bottoms)
    except (CaffeError, NotImplementedError):
        raise
    except ValueError as error:  # a check of Keras's
        reason = str(error).strip().split("\n")[0]
        raise wrong(layer, f"cannot be built: {reason}") from error
    if len(tops) != max(1, len(layer.tops)) and layer.type != "SoftmaxWithLoss":
        raise wrong(layer, f"has {len(bottoms)} bottoms and {len(layer.tops)} tops.")
    for top in tops:
        checked_size(layer, caffe_shape(top.shape))
    return tops


def _count(layer, what, names, limits):
    fewest, most = limits.get(layer.type, (1, 1))
    if not fewest <= len(names) <= most:
        limit = f"{fewest}" if fewest == most else f"{fewest} to {most}" if most < ANY else "more"
        raise wrong(layer, f"has {len(names)} {what}s and needs {limit}.")


def _unknown(layer):
    known = {new for _, new in V1_TYPES.values()} | CONVERTERS.keys()
    hint = "" if layer.type in known else " Is the type spelt as Caffe spells it?"
    return NotImplementedError(
        f"{layer.where}: layer {layer.name!r} is of type {layer.type!r}, which is not supported."
        f"{hint}"
    )


def _without_gradients(builder, layer, bottoms):
    """Return the bottoms, those with `propagate_down: false` behind a StopGradient."""
    flags = layer.message.propagate_down
    if flags and len(flags) != len(layer.bottoms):
        raise wrong(
            layer,
            f"has {len(flags)} propagate_down for {len(layer.bottoms)} bottoms: one for each.",
            *(layer.message, "propagate_down"),
        )
    return [
        x if down else StopGradient(name=builder.helper_name(layer, f"stop{i}"))(x)
        for i, (x, down) in enumerate(zip(bottoms, flags or [True] * len(bottoms), strict=False))
    ]


def _note(built, layer, inputs, builder):
    """Note a loss or an accuracy."""
    if layer.type == "Silence":
        return
    prediction, label = inputs.tensor(layer.bottoms[0], layer), layer.bottoms[1]
    target = builder.blobs.get(label)
    if target is inputs.made().get(label):
        target = None
    if layer.type == "Accuracy":
        message = layer.message.accuracy_param
        axis = axis_of(layer, message, len(prediction.shape))
        ignored = message.ignore_label if message.has("ignore_label") else None
        built.accuracies.append(
            Accuracy(layer.name, prediction, label, message.top_k, axis, ignored, target)
        )
        return
    if len(layer.bottoms) > 2:
        raise unsupported(layer, "a third bottom (weights)")
    if builder.net.phase == "TRAIN":
        (prediction,) = _without_gradients(builder, layer, [prediction])
    weight = layer.message.loss_weight[0] if layer.message.loss_weight else 1.0
    built.losses.append(
        Loss(layer.name, layer.type, weight, prediction, label, layer.message, target)
    )


def multipliers(model, net):
    """Return what the rate and the decay of each weight are multiplied by.

    Args:
        model: keras.Model whose layers have the names of the net's.
        net: Net.
    Returns:
        dict of variable.path to (lr_mult, decay_mult): (1, 1) where the file does not say.
    """
    layers = {layer.name: layer for layer in model.layers}
    result, owner = {}, owners(net)
    for layer in net.layers:
        keras_layer = layers.get(layer.keras_name)
        if keras_layer is None or layer.name in owner:
            continue
        for i, weight in enumerate(keras_layer.weights):
            spec = layer.params[i] if i < len(layer.params) else None
            result[weight.path] = (1.0, 1.0) if spec is None else (spec.lr_mult, spec.decay_mult)
    return result
