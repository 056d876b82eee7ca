"""The nets of a solver with their data: the one that is trained, and those that are tested."""

from math import prod

import keras
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._net import DATA_LAYERS, keras_name
from pyimagesearch.caffe.build import build_net
from pyimagesearch.caffe.feed import data_feed
from pyimagesearch.caffe.layers._order import caffe_shape
from pyimagesearch.caffe.load import connected, output_names
from pyimagesearch.caffe.losses import SoftmaxWithLoss, accuracy, check_labels, loss_of


class TrainedNet:
    """The net of phase TRAIN, compiled with the solver's optimizer.

    Args:
        solver: the Solver.
        seed: of the fillers and the data.
        stack: contextlib.ExitStack that closes the data's files.

    Attributes:
        model: keras.Model from the images to the outputs that load_caffe gives such a net. Where a
            loss reads another blob, that is an output, too.
        tests: list of TestedNet, one for each test_iter.
    """

    def __init__(self, solver, seed, stack):
        net = solver.read_net("TRAIN")
        keras.utils.set_random_seed(seed)  # of the fillers
        self._feeds = _Feeds(net, seed, stack)
        built = build_net(net, self._feeds.shapes)
        self._losses = losses_of(net, built, self._feeds)
        if not self._losses:
            raise CaffeError(f"{net.path} has no loss in phase TRAIN: nothing would be trained.")
        labels = {id(loss.target) for loss in self._losses}
        outputs = {
            name: built.blobs[name]
            for name in output_names(net)
            if id(built.blobs[name]) not in labels
        }
        free = dict(outputs)
        for loss in self._losses:
            same = (key for key, tensor in free.items() if tensor is loss.tensor)
            loss.key = next(same, loss.name)
            free.pop(loss.key, None)
            outputs[loss.key] = loss.tensor
        self._inputs = inputs_of(net, built, outputs, self._feeds)
        self._single = len(outputs) == 1
        self.model = keras.Model(
            _one_or_all(list(self._inputs.values())),
            next(iter(outputs.values())) if self._single else outputs,
            name=keras_name(net.name or "caffe"),
        )
        self.model.caffe_net = net
        weights = {loss.key: loss.weight for loss in self._losses}
        self.model.compile(
            optimizer=solver.optimizer(self.model),
            loss=self._by_key({loss.key: loss.keras for loss in self._losses}),
            loss_weights=list(weights.values()) if self._single else weights,
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
        )
        self.tests = [
            TestedNet(solver, number, seed, built, stack) for number in range(len(solver.test_iter))
        ]

    def batch(self, number):
        """Return (x, y) of a batch, counted from the first of the training."""
        blobs = self._feeds.batch(number)
        y = {loss.key: loss.labels(blobs) for loss in self._losses}
        return _one_or_all([blobs[name] for name in self._inputs]), self._by_key(y)

    def _by_key(self, values):
        return next(iter(values.values())) if self._single else values


class TestedNet:
    """A net of phase TEST that shares the weights of the one that is trained."""

    def __init__(self, solver, number, seed, trained, stack):
        net = solver.read_net("TEST", number)
        self._batches = solver.test_iter[number]
        self._feeds = _Feeds(net, seed, stack)
        built = build_net(net, self._feeds.shapes, trained.layers)
        self._losses = losses_of(net, built, self._feeds)
        self._accuracies = [_Accuracy(entry, net, built, self._feeds) for entry in built.accuracies]
        measured = [*self._losses, *self._accuracies]
        if not measured:
            raise CaffeError(f"{net.path} has no loss and no Accuracy in phase TEST.")
        outputs = {entry.name: entry.tensor for entry in measured}
        self._inputs = inputs_of(net, built, outputs, self._feeds)
        self._model = keras.Model(_one_or_all(list(self._inputs.values())), outputs)

    def results(self, number):
        """Return the means over the batches of test `number`, from 0: a dict of layers' names.

        Each test goes on in the data where the one before it ended, as Caffe's do.
        """
        sums = {}
        for batch in range(number * self._batches, (number + 1) * self._batches):
            blobs = self._feeds.batch(batch)
            x = _one_or_all([blobs[name] for name in self._inputs])
            outputs = self._model.predict_on_batch(x)
            for entry in (*self._losses, *self._accuracies):
                measured = entry.measure(outputs[entry.name], blobs)
                sums[entry.name] = sums.get(entry.name, 0.0) + measured
        return {name: total / self._batches for name, total in sorted(sums.items())}


class _Feeds:
    """The data layers of a net, their batches side by side."""

    def __init__(self, net, seed, stack):
        layers = [layer for layer in net.layers if layer.type in DATA_LAYERS - {"Input"}]
        if not layers:
            raise CaffeError(
                f"{net.path} has no data layer in phase {net.phase}. To train or test, a net needs "
                "one of type Data, ImageData or HDF5Data; a deploy.prototxt has none."
            )
        self._feeds = [stack.enter_context(data_feed(layer, net.phase, seed)) for layer in layers]
        sizes = [feed.batch_size for feed in self._feeds]
        if len(set(sizes)) > 1:
            names = ", ".join(f"{layer.name!r}" for layer in layers)
            raise CaffeError(f"{net.path}: the data layers {names} have batches of sizes {sizes}.")
        self.batch_size = sizes[0]
        self.shapes = {blob: shape for feed in self._feeds for blob, shape in feed.shapes.items()}

    def batch(self, number):
        return {blob: array for feed in self._feeds for blob, array in feed.batch(number).items()}


class Loss:
    """A loss of a net: what it reads, and how it is computed.

    Attributes:
        name, weight: of the layer.
        tensor: KerasTensor, the prediction; a softmax for SoftmaxWithLoss.
        keras: the Keras loss.
        key: name of the model's output.
        target: KerasTensor of labels that a layer makes, or None.
    """

    def __init__(self, entry, layer, net, built, feeds):
        self.name = self.key = entry.layer
        self.weight = entry.weight
        self.tensor = entry.prediction
        if layer.type == "SoftmaxWithLoss":
            (self.tensor,) = built.after[layer.name]
        self.keras = loss_of(layer)
        self.target = entry.target
        self._labels = None
        if entry.label is not None:
            shape = caffe_shape(self.tensor.shape)
            self._classes = shape[self.keras.axis] if layer.type == "SoftmaxWithLoss" else 1
            one = layer.type == "HingeLoss"
            wanted = 1 if one else prod(shape[1:]) // self._classes
            self._labels = _Labels(entry, layer, net, built, feeds, shape, wanted)
        self._where = f"{layer.where}: the labels of layer {layer.name!r}"
        self._items = feeds.batch_size

    def labels(self, blobs):
        """Return the labels of a batch; CaffeError where one is no class."""
        if self._labels is None:
            return np.zeros(self._items, np.float32)
        labels = self._labels.of(blobs)
        if isinstance(self.keras, SoftmaxWithLoss):
            counted = labels[labels != self.keras.ignore_label]
            check_labels(counted, self._classes, self._where)
        return labels

    def measure(self, output, blobs):
        """Return the loss of a batch, not weighted."""
        return float(keras.ops.convert_to_numpy(self.keras(self.labels(blobs), output)))


class _Accuracy:
    def __init__(self, entry, net, built, feeds):
        layer = next(layer for layer in net.layers if layer.name == entry.layer)
        if len(layer.tops) > 1:
            raise NotImplementedError(
                f"{layer.where}: layer {layer.name!r} (Accuracy) has a second top, the accuracy of "
                "each class, which is not supported. Take that top out."
            )
        self.name = entry.layer
        self.tensor = entry.prediction
        self._entry = entry
        shape = caffe_shape(self.tensor.shape)
        wanted = prod(shape[1:]) // shape[entry.axis]
        self._labels = _Labels(entry, layer, net, built, feeds, shape, wanted)

    def measure(self, output, blobs):
        """Return the accuracy on a batch."""
        return accuracy(
            *(output, self._labels.of(blobs)),
            axis=self._entry.axis,
            top_k=self._entry.top_k,
            ignore_label=self._entry.ignore_label,
        )


def losses_of(net, built, feeds):
    """Return the list of Loss of a net."""
    layers = {layer.name: layer for layer in net.layers}
    return [Loss(entry, layers[entry.layer], net, built, feeds) for entry in built.losses]


def inputs_of(net, built, outputs, feeds):
    """Return the inputs that the outputs depend on, a dict blob -> KerasTensor."""
    used = {id(tensor) for tensor in connected(built.inputs.values(), outputs.values())}
    inputs = {blob: tensor for blob, tensor in built.inputs.items() if id(tensor) in used}
    missing = sorted(inputs.keys() - feeds.shapes.keys())
    if missing:
        raise CaffeError(f"{net.path}: no data layer gives the input {missing[0]!r}.")
    return inputs


class _Labels:
    """The labels that a loss or Accuracy compares with: a data layer's, or made from the data.

    Args:
        entry: Loss or Accuracy of a Built.
        layer: its Layer.
        shape: of the prediction, in Caffe's order.
        wanted: number of labels for an item.
    """

    def __init__(self, entry, layer, net, built, feeds, shape, wanted):
        self._blob, self._model = entry.label, None
        if entry.target is not None:
            self._inputs = inputs_of(net, built, {entry.label: entry.target}, feeds)
            self._model = keras.Model(list(self._inputs.values()), entry.target)
        if self._model is not None and self._model.weights:
            raise NotImplementedError(
                f"{layer.where}: layer {layer.name!r} ({layer.type}) compares with the blob "
                f"{entry.label!r}, which layers with weights compute. Only labels as a data layer "
                "gives them, or made from those by layers without weights, are supported."
            )
        if self._model is None and entry.label not in feeds.shapes:
            raise CaffeError(f"{layer.where}: no data layer gives the labels {entry.label!r}.")
        found = feeds.shapes[entry.label] if self._model is None else entry.target.shape[1:]
        if prod(found) != wanted:
            raise CaffeError(
                f"{layer.where}: layer {layer.name!r} ({layer.type}) compares with {wanted} labels "
                f"for each prediction of shape {shape[1:]}, and the labels {entry.label!r} of the "
                f"data have the shape {tuple(found)}."
            )

    def of(self, blobs):
        """Return the labels of a batch, an array."""
        if self._model is None:
            return blobs[self._blob]
        inputs = [blobs[name].astype(np.float32) for name in self._inputs]
        return keras.ops.convert_to_numpy(self._model(inputs, training=False))


def _one_or_all(values):
    return values if len(values) > 1 else values[0]
