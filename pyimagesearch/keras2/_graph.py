"""The graph of a model as Keras 2 let scripts take it apart: layers.pop, outputs, inbound_nodes."""

import keras
from keras.src.models.functional import Functional
from keras.src.ops.function import map_graph
from keras.src.ops.node import Node

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._frames import called_by_user
from pyimagesearch.keras2.explain import note

_OWNERS = ("keras.Model", "model.layers", "keras.layers.Layer")
_ROWS = {row.old: row for row in names.METHODS if row.owner in _OWNERS}


def install():
    """Patch models, layers, and the tensors between them."""
    for cls in (Functional, keras.Sequential):
        cls.layers = property(_layers(cls.layers.fget), cls.layers.fset)
    Functional.outputs = property(Functional.outputs.fget, _set_outputs)
    keras.Sequential.outputs = property(keras.Sequential.outputs.fget, _cut)
    keras.Model.updates = keras.Model.state_updates = property(lambda self: [])
    keras.Model.to_yaml = _to_yaml
    keras.Model.reset_states = _reset_states
    keras.layers.InputLayer.input = property(lambda self: self.output)
    for which in ("inbound", "outbound"):
        setattr(keras.layers.Layer, f"{which}_nodes", _nodes(which))
    Node.inbound_layers = property(lambda self: [node.operation for node in self.parent_nodes])
    Node.outbound_layer = property(lambda self: self.operation)
    keras.KerasTensor.get_shape = lambda self: Shape(self.shape)
    keras.KerasTensor._keras_shape = property(lambda self: tuple(self.shape))


class Layers(list):
    """The layers of a model; what is taken out here is gone from `model.layers`, as in Keras 2.

    What the model computes stays the same until its `outputs` are set.
    """

    def __init__(self, model, layers):
        super().__init__(layers)
        self._model = model

    def pop(self, index=-1):
        """As of a list."""
        note(_ROWS["pop"])
        layer = super().pop(index)
        self._model._keras2_removed = (*getattr(self._model, "_keras2_removed", ()), id(layer))
        return layer

    def remove(self, layer):
        """As of a list."""
        self.pop(self.index(layer))

    def __delitem__(self, index):
        places = range(len(self))[index]
        for place in sorted([places] if isinstance(index, int) else places, reverse=True):
            self.pop(place)


def _layers(original):
    def layers(self):
        found = original(self)
        if not called_by_user():  # Keras saves what the model computes
            return found
        removed = getattr(self, "_keras2_removed", ())
        return Layers(self, [layer for layer in found if id(layer) not in removed])

    return layers


def _set_outputs(self, outputs):
    """Let a functional model compute other tensors of its graph."""
    outputs = keras.tree.flatten(outputs)
    before = self._operations
    found = map_graph(self._inputs, outputs)
    self._nodes, self._nodes_by_depth, self._operations, self._operations_by_depth = found
    self._outputs = outputs
    self._outputs_struct = outputs[0] if len(outputs) == 1 else outputs
    self.output_names = [tensor._keras_history.operation.name for tensor in outputs]
    for layer in before:  # what it no longer computes it has no weights of either
        if layer not in self._operations and layer in self._layers:
            self._layers.remove(layer)
    self.train_function = self.test_function = self.predict_function = None


def _cut(self, outputs):
    """Let a Sequential model end in the layer that a tensor comes from."""
    (tensor,) = keras.tree.flatten(outputs)
    last = tensor._keras_history.operation
    if last not in self._layers:
        raise ValueError("The outputs of a Sequential model are those of one of its layers.")
    while self._layers[-1] is not last:
        self.pop()
    self._keras2_removed = ()


def _nodes(which):
    def get(self):
        if called_by_user():
            note(_ROWS[f"{which}_nodes"])
        return getattr(self, f"_{which}_nodes")

    def ignore(self, nodes):
        """Keras 3 finds its way without: `layer.outbound_nodes = []` belongs to layers.pop."""

    return property(get, ignore)


def _to_yaml(self, **kwargs):
    row = _ROWS["to_yaml"]
    raise NotImplementedError(f"{row.why} Keras 3 has no to_yaml. Use instead: {row.new}.")


def _reset_states(self):
    """Let the stateful layers begin anew."""
    for layer in self._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_states()


class Shape(tuple):
    """What `tensor.get_shape()` gives."""

    def as_list(self):
        """Return the lengths of the axes as a list, None where they are not known."""
        return list(self)

    @property
    def ndims(self):
        """Number of axes."""
        return len(self)
