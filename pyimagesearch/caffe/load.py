"""Caffe nets and their weights as Keras models."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import keras

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._net import keras_name, read_net
from pyimagesearch.caffe._sharing import owners
from pyimagesearch.caffe._weights import WeightFile, blob_shape, check, order_of, value
from pyimagesearch.caffe.build import build_net
from pyimagesearch.utils.files import replacing


def load_caffe(prototxt, caffemodel=None, phase="TEST", input_shape=None):
    """Return a Caffe net as a Keras model.

    Blobs N x C x H x W are channels-last in Keras, (N, H, W, C); others are as in Caffe. Channels
    keep the net's order: what was trained on B, G, R wants that. Layers keep their names, with
    `_` for characters that Keras refuses. Several inputs are a list in the file's order. The
    outputs are the blobs that nobody reads: one is a tensor, several are a dict by blob name.
    Losses and Accuracy are left out, what they compare being read by nobody; SoftmaxWithLoss is
    a softmax of its top's name.

    Args:
        prototxt: path of the net, a deploy.prototxt best.
        caffemodel: path of the weights, or None: the net's fillers. Weights go by layer name, and
            layers that the file lacks keep their fillers.
        phase: "TEST" or "TRAIN": which layers of the file belong to the net.
        input_shape: (height, width, channels) of the input, without the batch; or a dict of blob
            names to shapes. It counts before the file's, and is needed where that has none.
    Returns:
        keras.Model, not compiled. Layers whose lr_mult are all 0 are not trainable. Its
        `caffe_net` is the net, which load_caffe_weights and read_solver use.
    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: a ValueError, if a file is damaged, or the parts or both files do not fit.
        NotImplementedError: for a layer or an option that is not supported, with its line.
        ValueError: if `input_shape` does not fit the net's inputs.
    """
    net = read_net(prototxt, phase)
    file = None if caffemodel is None else WeightFile(caffemodel)
    built = build_net(net, _input_shapes(net, input_shape), file=file)
    outputs = {name: built.blobs[name] for name in output_names(net)}
    if not outputs:
        raise CaffeError(f"{net.path} has no output: each blob is read by a layer.")
    inputs = connected(list(built.inputs.values()), list(outputs.values()))
    model = keras.Model(
        inputs if len(inputs) > 1 else inputs[0],
        outputs if len(outputs) > 1 else next(iter(outputs.values())),
        name=keras_name(net.name or "caffe"),
    )
    model.caffe_net = net
    return model


def output_names(net):
    unnamed = {
        layer.name for layer in net.layers if layer.type == "SoftmaxWithLoss" and not layer.tops
    }
    return sorted({*net.outputs, *unnamed})


def connected(inputs, outputs):
    """Return the inputs that an output depends on."""
    nodes, waiting = set(), [x._keras_history.operation for x in outputs]
    while waiting:
        operation = waiting.pop()
        if id(operation) not in nodes:
            nodes.add(id(operation))
            for node in operation._inbound_nodes:
                waiting += [x._keras_history.operation for x in node.input_tensors]
    return [x for x in inputs if id(x._keras_history.operation) in nodes]


def _input_shapes(net, input_shape):
    if input_shape is None or isinstance(input_shape, dict):
        return input_shape
    made = {source.blob for source in net.inputs}
    for layer in net.layers:
        if layer.type in {"Data", "ImageData", "HDF5Data", "MemoryData", "WindowData"}:
            made.update(layer.tops[:1])
    if len(made) != 1:
        raise ValueError(
            f"{net.path} has {len(made)} inputs ({', '.join(sorted(made))}): give input_shape as a "
            "dict of blob names to shapes."
        )
    return {made.pop(): tuple(input_shape)}


class Transfer(NamedTuple):
    """What load_caffe_weights did, in names of layers.

    Attributes:
        copied: layers whose weights now come from the file.
        unused: layers with weights in the file that the model has not.
        kept: layers with weights of the model that the file lacks: they are as they were.
    """

    copied: list
    unused: list
    kept: list


def load_caffe_weights(model, caffemodel):
    """Copy the weights of a .caffemodel into the layers of the same names.

    To start transfer learning, rename the last layer in the prototxt: it keeps its fillers.

    Args:
        model: keras.Model made by load_caffe, or one that was saved and loaded since.
        caffemodel: path.
    Returns:
        Transfer: what was copied, what the file has besides, what the model kept. Names are
        Caffe's where the model has its `caffe_net`, Keras's else.
    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: a ValueError, if the file is damaged, or a layer that both have differs in the
            number or shape of its blobs. The model is as it was then.
    """
    file = WeightFile(caffemodel)
    blobs = {name: blobs for name, blobs in file.layers.items() if blobs}
    layers = _weighted(model)
    names = _names(model, layers, blobs, file.path)
    found = {name: layers[names[name]] for name in blobs if name in names}
    for name, layer in found.items():
        check(
            file.path, name, blobs[name], [blob_shape(layer, i) for i in range(len(layer.weights))]
        )
    for name, layer in found.items():
        for i, weight in enumerate(layer.weights):
            new = value(blobs[name][i], blob_shape(layer, i), order_of(layer, i), weight.shape)
            weight.assign(new)
        file.release()
    copied = {id(layer) for layer in found.values()}
    original = {keras: caffe for caffe, keras in reversed(names.items())}
    return Transfer(
        list(found),
        [name for name in blobs if name not in found],
        [original.get(name, name) for name, layer in layers.items() if id(layer) not in copied],
    )


def _weighted(model):
    """Return the layers with weights, those of nested models too, a dict of names."""
    layers = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            layers |= _weighted(layer)
        elif layer.weights:
            layers[layer.name] = layer
    return layers


def _names(model, layers, blobs, path):
    """Return a dict of Caffe's layer names to the names of the model's layers."""
    net = getattr(model, "caffe_net", None)
    if net is not None:
        owner = owners(net)
        keras_names = {layer.name: layer.keras_name for layer in net.layers}
        names = {name: keras_names[owner.get(name, name)] for name in keras_names}
        return {name: keras for name, keras in names.items() if keras in layers}
    doubles = [name for name, n in Counter(map(keras_name, blobs)).items() if n > 1]
    if any(name in layers for name in doubles):
        raise CaffeError(
            f"{path} has several layers that Keras calls {doubles[0]!r}. Load them into a model "
            "from load_caffe, which knows the layers' own names."
        )
    return {name: keras_name(name) for name in blobs if keras_name(name) in layers}


def convert(prototxt, caffemodel, target, *, overwrite=False):
    """Write a Caffe net with its weights as a `.keras` file.

    Args:
        prototxt, caffemodel: paths, as of load_caffe.
        target: path of the `.keras` file.
        overwrite: replace a file that stands there.
    Returns:
        keras.Model, as written.
    Raises:
        FileExistsError: if `target` exists, without `overwrite`.
        ValueError: if `target` is no `.keras` file, and what load_caffe raises.
    """
    target = Path(target)
    if target.suffix != ".keras":
        raise ValueError(f"Keras 3 writes .keras files. Received: {target}")
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"{target} exists already. Name another file, or say that it may be replaced "
            "(--overwrite)."
        )
    model = load_caffe(prototxt, caffemodel)
    with replacing(target) as temporary:
        model.save(temporary)
    return model
