"""Shapes and tensors of layers, by the names of Keras 2."""

import keras

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._frames import called_by_user
from pyimagesearch.keras2.explain import note


def install():
    """Give layers their shapes and tensors by the old names."""
    rows = {row.old: row for row in names.METHODS if row.owner == "keras.layers.Layer"}

    def shape_of(which):
        def shape(self):
            if called_by_user():
                note(rows[f"{which}_shape"])
            return _shapes_of(getattr(self, which))

        return property(shape)

    def at(which, name, convert):
        def get(self, node_index):
            note(rows[name])
            if node_index >= len(self._inbound_nodes):
                raise ValueError(f"{self.name} was called {len(self._inbound_nodes)} times.")
            node = self._inbound_nodes[node_index]
            found = node.input_tensors if which == "input" else node.output_tensors
            found = found[0] if len(found) == 1 else list(found)
            return convert(found)

        return get

    layer = keras.layers.Layer
    for which in ("input", "output"):
        setattr(layer, f"{which}_shape", shape_of(which))
        for name, convert in ((f"get_{which}_at", _itself), (f"get_{which}_shape_at", _shapes_of)):
            setattr(layer, name, at(which, name, convert))


def _itself(tensors):
    return tensors


def _shapes_of(tensors):
    if isinstance(tensors, (list, tuple)):
        return [tuple(tensor.shape) for tensor in tensors]
    return tuple(tensors.shape)
