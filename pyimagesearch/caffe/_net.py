"""From a .prototxt to the layers of one phase, in order, in today's spelling."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._fields import V1_TYPES, fields_of
from pyimagesearch.caffe._text import Message, read_text

PHASES = ("TRAIN", "TEST")
DATA_LAYERS = {
    *("Data", "ImageData", "HDF5Data", "MemoryData", "DummyData", "WindowData", "Input"),
}
# Layers that compare, count or swallow, and are no part of a model. SoftmaxWithLoss is a softmax.
LOSS_LAYERS = {
    *("EuclideanLoss", "SigmoidCrossEntropyLoss", "HingeLoss", "ContrastiveLoss"),
    *("InfogainLoss", "MultinomialLogisticLoss"),
}
OUTSIDE = LOSS_LAYERS | {"Accuracy", "HDF5Output"}
# Spellings of data layers before there was transform_param.
MOVED = ("scale", "mean_file", "crop_size", "mirror")
TODAY = {old: new for old, (_, new) in V1_TYPES.items()}


@dataclass
class Input:
    """An input that the net declares itself.

    Attributes:
        blob: its name.
        shape: Caffe's shape, batch first, or None where the file does not say.
        where: file and line.
    """

    blob: str
    shape: list[int] | None
    where: str


@dataclass
class Layer:
    """A layer of a net.

    Attributes:
        name, type: Caffe's; the type in today's spelling.
        keras_name: the name that Keras takes, no other layer's in this net.
        bottoms, tops: names of the blobs that it reads and makes.
        message: its LayerParameter, in today's spelling.
        where: file and line.
    """

    name: str
    type: str
    keras_name: str
    bottoms: list[str]
    tops: list[str]
    message: Message
    where: str

    @property
    def params(self):
        """The ParamSpec of each blob that has one, the weights' first."""
        return self.message.param


@dataclass
class Net:
    """The layers of a net in one phase.

    Attributes:
        name, path, phase: of the net.
        inputs: those of the header (`input: "data"`) and of Input layers, in the file's order.
        layers: in the file's order, which is the order of computation. A top replaces an older
            blob of its name. Data layers and losses are among them.
        outputs: the blobs that nobody reads, in alphabetical order, without those of data layers,
            losses and Accuracy. SoftmaxWithLoss makes one, its softmax.
    """

    name: str
    path: Path
    phase: str
    inputs: list[Input] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def read_net(path, phase="TEST", level=0, stages=()):
    """Return the Net of a .prototxt file.

    Args:
        path: a net in today's format or in the older one (`layers { type: RELU }`).
        phase: "TRAIN" or "TEST": which layers stay, by their include and exclude rules.
        level, stages: what further rules ask for: a number and names.
    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: if the text does not parse, or the layers do not fit together.
        NotImplementedError: for Caffe's first format, V0.
    """
    return net_of(read_text(path, "NetParameter"), phase, level, stages)


def net_of(message, phase="TEST", level=0, stages=()):
    """Return the Net of a NetParameter, which may stand in a solver's file. See `read_net`."""
    if phase not in PHASES:
        raise ValueError(f'phase must be "TRAIN" or "TEST". Received: {phase!r}.')
    if message.layer and message.layers:
        raise CaffeError(
            f"{message.path} has both `layer` and `layers`: keep to one spelling (today's `layer`)."
        )
    level, stages = level or message.state.level, {*stages, *message.state.stage}
    kept = [
        given
        for given in map(_today, message.layers or message.layer)
        if _stays(given, phase, level, stages)
    ]
    net = Net(message.name, Path(message.path), phase, _header_inputs(message))
    names = set()
    for given in kept:
        if not given.name:
            raise CaffeError(f"{given.where}: this layer of type {given.type} has no name.")
        name = _unique(keras_name(given.name), names)
        layer = Layer(given.name, given.type, name, given.bottom, given.top, given, given.where)
        net.layers.append(layer)
        if layer.type == "Input":
            net.inputs += _layer_inputs(layer)
    if not net.layers:
        raise CaffeError(f"{message.path} has no layer in phase {phase}.")
    net.outputs = _connected(net)
    return net


def keras_name(name):
    """Return the name that a layer of this name gets in Keras.

    Keras takes no `/`, and TensorFlow nothing outside of `A-Za-z0-9_.-` in the middle, and a
    letter, digit or dot at the start.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return name if re.match(r"[A-Za-z0-9.]", name) else f"layer{name}"


def _unique(name, taken):
    free, number = name, 1
    while free.lower() in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free.lower())
    return free


def _header_inputs(message):
    names, shapes, dims = message.input, message.input_shape, message.input_dim
    if shapes and dims:
        raise CaffeError(
            f"{message.where_of('input_dim')}: input_shape and input_dim are both given; keep one."
        )
    if dims:
        if len(dims) != 4 * len(names):
            raise CaffeError(
                f"{message.where_of('input_dim')}: input_dim needs four numbers for each input. "
                f"Received: {len(dims)} for {len(names)} inputs."
            )
        sizes = [dims[i : i + 4] for i in range(0, len(dims), 4)]
    elif shapes:
        sizes = [shape.dim for shape in shapes]
        sizes = sizes * len(names) if len(sizes) == 1 else sizes
        if len(sizes) != len(names):
            raise CaffeError(
                f"{message.where_of('input_shape')}: {len(names)} inputs have {len(sizes)} shapes."
            )
    else:
        sizes = [None] * len(names)
    where = message.where_of("input")
    return [
        Input(name, _sizes(size, where), where) for name, size in zip(names, sizes, strict=True)
    ]


def _layer_inputs(layer):
    shapes = [shape.dim for shape in layer.message.input_param.shape]
    if len(shapes) == 1:
        shapes *= len(layer.tops)
    if shapes and len(shapes) != len(layer.tops):
        raise CaffeError(
            f"{layer.where}: layer {layer.name!r} has {len(layer.tops)} tops and {len(shapes)} "
            "shapes."
        )
    shapes = shapes or [None] * len(layer.tops)
    return [
        Input(top, _sizes(shape, layer.where), layer.where)
        for top, shape in zip(layer.tops, shapes, strict=True)
    ]


def _sizes(shape, where):
    if shape is not None and any(not 0 < size < 2**31 for size in shape):
        raise CaffeError(f"{where}: an input of shape {shape}. Sizes are 1 to 2147483647.")
    return shape


def _connected(net):
    """Check that each bottom is there, and return the outputs."""
    made = {source.blob for source in net.inputs}
    waiting = set()  # made and not read so far
    makers = {top: layer for layer in reversed(net.layers) for top in layer.tops}
    for layer in net.layers:
        for bottom in layer.bottoms:
            if bottom not in made:
                raise CaffeError(_missing(bottom, layer, makers))
        if len(set(layer.tops)) < len(layer.tops):
            raise CaffeError(f"{layer.where}: layer {layer.name!r} has two tops of one name.")
        made.update(layer.tops)
        if layer.type in OUTSIDE:
            continue
        waiting.difference_update(layer.bottoms)
        if layer.type not in DATA_LAYERS:
            waiting.update(layer.tops)
    return sorted(waiting)


def _missing(bottom, layer, makers):
    start = f"{layer.where}: layer {layer.name!r} reads the blob {bottom!r}, which "
    if bottom not in makers:
        return start + "no layer and no input makes. Is its name spelt as in a `top`?"
    maker = makers[bottom]
    if maker is layer:
        return start + "it makes itself: a cycle."
    return start + (
        f"layer {maker.name!r} makes further down ({maker.where}). Layers run in the file's order; "
        "a cycle cannot run at all."
    )


def _stays(layer, phase, level, stages):
    if layer.include and layer.exclude:
        raise CaffeError(
            f"{layer.where}: layer {layer.name!r} has include and exclude rules; keep one kind."
        )
    rules = layer.include or layer.exclude
    met = any(_holds(rule, phase, level, stages) for rule in rules)
    return not rules or met == bool(layer.include)


def _holds(rule, phase, level, stages):
    return (
        (not rule.has("phase") or rule.phase == phase)
        and (not rule.has("min_level") or level >= rule.min_level)
        and (not rule.has("max_level") or level <= rule.max_level)
        and stages.issuperset(rule.stage)
        and stages.isdisjoint(rule.not_stage)
    )


def _today(given):
    """Return a layer's message in today's spelling."""
    if given.kind == "V1LayerParameter":
        given = _upgraded(given)
    if not given.type:
        raise CaffeError(f"{given.where}: layer {given.name!r} has no type.")
    if given.blobs:
        raise NotImplementedError(
            f"{given.where}: layer {given.name!r} ({given.type}) has its weights (blobs) in the "
            "text, which is not read. Keep them in a .caffemodel."
        )
    _rename(given.concat_param, "concat_dim", "axis")
    _rename(given.slice_param, "slice_dim", "axis")
    for name in ("data_param", "image_data_param", "window_data_param"):
        _move_transform(given, getattr(given, name))
    return given


def _upgraded(old):
    if old.has("layer"):
        raise NotImplementedError(
            f"{old.where}: this is Caffe's first format (V0, 2013: `layers {{ layer {{`), which is "
            "not read. Caffe's upgrade_net_proto_text writes it anew."
        )
    new = Message("LayerParameter", old.path, old.line)
    known = fields_of("LayerParameter")
    for name in old.given():
        if name in known and name not in {"type", "param"}:
            new.set(name, getattr(old, name), old.line)
    new.set("type", TODAY[old.type])
    count = max(len(old.param), len(old.blobs_lr), len(old.weight_decay))
    specs = [Message("ParamSpec", old.path, old.line) for _ in range(count)]
    columns = (
        *(("name", old.param), ("share_mode", old.blob_share_mode)),
        *(("lr_mult", old.blobs_lr), ("decay_mult", old.weight_decay)),
    )
    for name, values in columns:
        for spec, value in zip(specs, values, strict=False):
            spec.set(name, value)
    if specs:
        new.set("param", specs)
    return new


def _rename(message, old, new):
    if message.has(old):
        if message.has(new):
            raise CaffeError(f"{message.where_of(old)}: {old} and {new} are both given; keep one.")
        message.set(new, getattr(message, old))


def _move_transform(layer, data):
    for name in MOVED:
        if data.has(name):
            if not layer.has("transform_param"):
                layer.set(
                    "transform_param", Message("TransformationParameter", layer.path, layer.line)
                )
            transform = layer.transform_param
            if transform.has(name):
                raise CaffeError(
                    f"{data.where_of(name)}: {name} stands here and in transform_param; keep one."
                )
            transform.set(name, getattr(data, name))
