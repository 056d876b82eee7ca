"""The inputs of a net: what its header, its Input layers and its data layers make."""

import keras

from pyimagesearch.caffe._builder import checked_size, unsupported
from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._net import DATA_LAYERS, keras_name
from pyimagesearch.caffe.layers._order import keras_shape


class Inputs:
    """Makes Keras inputs when they are read.

    Args:
        net: Net.
        builder: Builder, whose blobs it adds to.
        shapes: dict of blob names to shapes without the batch, which count before the file's.
    """

    def __init__(self, net, builder, shapes):
        self.net = net
        self.builder = builder
        self.shapes = shapes
        self._declared = {source.blob: source for source in net.inputs}
        self._waiting = {}  # blob -> (place in the file, Caffe's shape or None, layer)
        self._made = {}
        from_layers = {top for layer in net.layers if layer.type == "Input" for top in layer.tops}
        for source in net.inputs:
            if source.blob not in from_layers:
                self._add(source.blob, source.shape, None)
        unknown = shapes.keys() - self._declared.keys() - _data_tops(net)
        if unknown:
            raise ValueError(
                f"{net.path} has no input {sorted(unknown)[0]!r} that a shape could be given for. "
                f"Its inputs: {', '.join(sorted(self._declared.keys() | _data_tops(net)))}."
            )

    def add_layer(self, layer):
        """Take note of the tops of a data layer."""
        for i, top in enumerate(layer.tops):
            source = self._declared.get(top) if layer.type == "Input" else None
            self._add(top, source.shape if source else _known_shape(layer, i), layer)

    def _add(self, blob, shape, layer):
        self.builder.blobs.pop(blob, None)
        self._waiting[blob] = (len(self._waiting), shape, layer)
        if blob in self.shapes:
            self._make(blob, None)

    def tensor(self, blob, reader):
        """Return the newest KerasTensor of a blob, for the layer that reads it."""
        if blob not in self.builder.blobs:
            self._make(blob, reader)
        return self.builder.blobs[blob]

    def made(self):
        """Return the inputs in the file's order, a dict blob -> KerasTensor."""
        return dict(sorted(self._made.items(), key=lambda item: self._waiting[item[0]][0]))

    def _make(self, blob, reader):
        _, shape, layer = self._waiting[blob]
        if blob in self.shapes:
            shape = tuple(self.shapes[blob])
        elif shape is None:
            where = layer.where if layer else self._declared[blob].where
            raise CaffeError(
                f"{where}: the file does not say how large the blob {blob!r} is, which layer "
                f"{reader.name!r} reads. Give its shape: input_shape=(height, width, channels)."
            )
        else:
            if not shape:
                raise unsupported(reader, f"a bottom ({blob!r}) without any axis")
            shape = keras_shape((None, *shape[1:]))[1:]
        if reader is not None:
            checked_size(reader, shape, "a bottom")
        elif any(not isinstance(size, int) or size < 1 for size in shape):
            raise ValueError(
                f"The shape of {blob!r} must be of whole numbers above 0. Received: {shape}."
            )
        name = self.builder.free_name(keras_name(blob))
        self._made[blob] = self.builder.blobs[blob] = keras.Input(shape, name=name)


def _data_tops(net):
    return {top for layer in net.layers if layer.type in DATA_LAYERS for top in layer.tops}


def _known_shape(layer, index):
    """Return Caffe's shape of a data layer's top where its options tell, else None."""
    message = layer.message
    if layer.type == "DummyData":
        return _dummy_shape(message.dummy_data_param, index)
    if index == 1 and layer.type in {"Data", "ImageData", "MemoryData", "WindowData"}:
        return (1,)
    if layer.type == "MemoryData":
        data = message.memory_data_param
        return (1, data.channels, data.height, data.width)
    transform, crop = message.transform_param, message.transform_param.crop_size
    if layer.type == "ImageData":
        data = message.image_data_param
        size = (crop, crop) if crop else (data.new_height, data.new_width)
        return (1, 3 if data.is_color else 1, *size) if all(size) else None
    if layer.type == "Data" and crop and (transform.force_color or transform.force_gray):
        return (1, 3 if transform.force_color else 1, crop, crop)
    return None


def _dummy_shape(data, index):
    if data.shape:
        return data.shape[index if index < len(data.shape) else 0].dim
    sizes = [data.num, data.channels, data.height, data.width]
    if not all(sizes):
        return None
    return [size[index if index < len(size) else 0] for size in sizes]
