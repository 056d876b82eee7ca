"""Caffe nets and their weights as Keras models."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import keras

import pyimagesearch.caffe.registered  # noqa: F401  for models that are loaded later
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
    try:
        model = keras.Model(
            inputs if len(inputs) > 1 else inputs[0],
            outputs if len(outputs) > 1 else next(iter(outputs.values())),
            name=keras_name(net.name or "caffe"),
        )
    except RecursionError:  # Keras goes from the output to the input by calls within calls
        raise CaffeError(
            f"{net.path} has more layers in a row than Keras takes, {len(net.layers)} in all. "
            "Call sys.setrecursionlimit(10000) first, here and where the model is loaded."
        ) from None
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
        model: keras.Model made by load_caffe, or one that was saved and loaded since. Another one
            is taken too if its layers have the names; see the errors.
        caffemodel: path.
    Returns:
        Transfer: what was copied, what the file has besides, what the model kept. Names are
        Caffe's where the model has its `caffe_net`, Keras's else.
    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: a ValueError, if the file is damaged, or a layer that both have differs in the
            number or shape of its blobs, or a Dense layer gets maps in Keras's order, channels
            last. The model is as it was then.
    """
    file = WeightFile(caffemodel)
    layers = _by_name(model)
    names = _names(model, layers, file)
    found = {name: layers[names[name]] for name in file.layers if name in names}
    for name, layer in found.items():
        shapes = [blob_shape(layer, i) for i in range(len(layer.weights))]
        check(file.path, name, file.layers[name], shapes)
        _check_order(name, layer)
    for name, layer in found.items():
        for i, weight in enumerate(layer.weights):
            blob = file.layers[name][i]
            weight.assign(value(blob, blob_shape(layer, i), order_of(layer, i), weight.shape))
        file.release()
    filled = {name for name, blobs in file.layers.items() if blobs}
    done = {id(found[name]) for name in filled if name in found}
    original = {keras: caffe for caffe, keras in reversed(names.items())}
    return Transfer(
        [name for name in found if name in filled],
        [name for name in file.layers if name in filled and name not in found],
        [
            original.get(name, name)
            for name, layer in layers.items()
            if layer.weights and id(layer) not in done
        ],
    )


def _check_order(name, layer):
    """Raise a CaffeError if a Dense layer gets a map that was flattened with its channels last."""
    if not isinstance(layer, keras.layers.Dense) or not layer._inbound_nodes:
        return
    flat = layer._inbound_nodes[0].input_tensors[0]._keras_history.operation
    if not isinstance(flat, (keras.layers.Flatten, keras.layers.Reshape)):
        return
    given = flat._inbound_nodes[0].input_tensors[0]
    ordered = isinstance(given._keras_history.operation, keras.layers.Permute)
    if len(given.shape) != 4 or ordered or given.shape[1:3] == (1, 1) or given.shape[3] == 1:
        return
    raise CaffeError(
        f"Layer {name!r} of the model gets a map of shape {given.shape} flattened with channels "
        "last; its weights in the file want them first. Take a model from load_caffe, or put "
        "keras.layers.Permute((3, 1, 2)) in front of Flatten."
    )


def _by_name(model):
    """Return the layers of a model, those of nested models too, a dict of names."""
    layers = {}
    for layer in model.layers:
        layers |= _by_name(layer) if isinstance(layer, keras.Model) else {layer.name: layer}
    return layers


def _names(model, layers, file):
    """Return a dict of Caffe's layer names to the names of the model's layers."""
    net = getattr(model, "caffe_net", None)
    if net is not None:
        owner = owners(net)
        keras_names = {layer.name: layer.keras_name for layer in net.layers}
        names = {name: keras_names[owner.get(name, name)] for name in keras_names}
        return {name: keras for name, keras in names.items() if keras in layers}
    filled = [name for name, blobs in file.layers.items() if blobs]
    for keras_layer, count in Counter(map(keras_name, filled)).items():
        if count > 1 and keras_layer in layers:
            raise CaffeError(
                f"{file.path} has several layers that Keras calls {keras_layer!r}. Load them into "
                "a model from load_caffe, which knows the layers' own names."
            )
    return {name: keras_name(name) for name in filled if keras_name(name) in layers}


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
