"""Read and write Caffe's binary files: protocol buffers, without their package or a schema.

A message is a run of fields, each a number with a value: an integer (varint or fixed), or bytes,
which may be a message again.
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.utils.files import replacing

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # the ways in which a value is written
FIXED = {FIXED64: struct.Struct("<Q"), FIXED32: struct.Struct("<I")}

NET_NAME, NET_V1_LAYER, NET_LAYER = 1, 2, 100
# name, type and blobs of a layer in today's form and in the older one
LAYER, V1_LAYER = (1, 7), (4, 6)
V0_LAYER = 1
SHAPE, DATA, DOUBLE_DATA, DIMENSIONS = 7, 5, 8, (1, 2, 3, 4)
HDF5_SIGN = b"\x89HDF\r\n\x1a\n"  # the first bytes of such a file
MOST_DIMENSIONS = 32  # Caffe's own limit


def fields(buffer, name):
    """Iterate over (number, value) of a message: an int, or a memoryview of bytes.

    Args:
        buffer: the message's bytes.
        name: of the file, for messages.
    Raises:
        CaffeError: where the bytes are no message, or end inside of one.
    """
    view, position = memoryview(buffer), 0
    while position < len(view):
        start = position
        key, position = _varint(view, position, name)
        number, way = key >> 3, key & 7
        if number == 0 or number >= 2**29:
            raise CaffeError(f"{name} is no file of Caffe's, or damaged: byte {start} is no field.")
        if way == VARINT:
            value, position = _varint(view, position, name)
        elif way == BYTES:
            size, position = _varint(view, position, name)
            if size > len(view) - position:
                raise CaffeError(
                    f"{name} is truncated or damaged: field {number} announces {size} bytes, "
                    f"{len(view) - position} follow."
                )
            value = view[position : position + size]
            position += size
        elif way in FIXED:
            size = FIXED[way].size
            if size > len(view) - position:
                raise CaffeError(f"{name} is truncated: field {number} has no value.")
            (value,) = FIXED[way].unpack_from(view, position)
            position += size
        else:
            raise CaffeError(
                f"{name} is no file of Caffe's, or damaged: field {number} is written in way {way}."
            )
        yield number, value


def _varint(view, position, name):
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(view):
            raise CaffeError(f"{name} is truncated: it ends inside of a number.")
        byte = view[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 2**64 - 1, position
    raise CaffeError(f"{name} is no file of Caffe's, or damaged: a number of more than 10 bytes.")


def signed(value):
    """Return a varint as the signed 64 bit integer that it stands for."""
    return value - 2**64 if value >= 2**63 else value


def varints(value, name):
    """Return the integers of a repeated field, whether they are packed or this is one of them."""
    if isinstance(value, int):
        return [signed(value)]
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(value, position, name)
        numbers.append(signed(number))
    return numbers


def as_bytes(value, what, name):
    """Return the value of a field that holds bytes; CaffeError where it is a number."""
    if isinstance(value, int):
        raise CaffeError(f"{name} is no file of Caffe's, or damaged: {what} is a number.")
    return value


def as_text(value, what, name):
    """Return the value of a field that holds a string."""
    try:
        return bytes(as_bytes(value, what, name)).decode()
    except UnicodeDecodeError:
        raise CaffeError(f"{name} is damaged: {what} is no text.") from None


def as_number(value, what, name):
    """Return the value of a field that holds an integer."""
    if not isinstance(value, int):
        raise CaffeError(f"{name} is no file of Caffe's, or damaged: {what} is no number.")
    return signed(value)


def floats(parts, dtype, what, name):
    """Join the values of a repeated float field: packed bytes, or single numbers.

    Returns:
        1-D array of `dtype`; a view of the file's bytes where they are packed in one part.
    """
    arrays, single = [], []
    width = np.dtype(dtype).itemsize

    def finish():
        if single:
            arrays.append(np.array(single, f"<u{width}").view(dtype))
            single.clear()

    for part in parts:
        if isinstance(part, int):
            if part >= 2 ** (8 * width):
                raise CaffeError(f"{name} is damaged: a number of {what} is too large.")
            single.append(part)
            continue
        finish()
        if len(part) % width:
            raise CaffeError(
                f"{name} is truncated or damaged: {what} has {len(part)} bytes, "
                f"no multiple of {width}."
            )
        arrays.append(np.frombuffer(part, dtype))
    finish()
    return arrays[0] if len(arrays) == 1 else np.concatenate([np.empty(0, dtype), *arrays])


def read_blob(buffer, name):
    """Return the numbers of a blob.

    Args:
        buffer: the bytes of a BlobProto.
        name: of the file and the blob, for messages.
    Returns:
        float32 array of the blob's shape, to be read only: a view of `buffer` where that holds
        float32. The shape is () for a scalar, and of four sizes for the older files.
    Raises:
        CaffeError: if the bytes are damaged, or the numbers do not fill the shape.
    """
    shape, sizes, data, doubles = None, {}, [], []
    for number, value in fields(buffer, name):
        if number == SHAPE:
            shape = []
            for inner, dim in fields(as_bytes(value, "a shape", name), name):
                if inner == 1:
                    shape += varints(dim, name)
        elif number in DIMENSIONS:
            sizes[number] = as_number(value, "a size", name)
        elif number == DATA:
            data.append(value)
        elif number == DOUBLE_DATA:
            doubles.append(value)
    if shape is None:
        shape = [sizes.get(number, 1 if data or doubles else 0) for number in DIMENSIONS]
        if not sizes:
            shape = [0] if not data and not doubles else []
    if len(shape) > MOST_DIMENSIONS or any(not 0 <= size < 2**31 for size in shape):
        raise CaffeError(f"{name} is damaged: a blob of shape {_short(shape)}.")
    kind = "<f8" if doubles else "<f4"
    array = floats(doubles or data, kind, "a blob", name)
    if len(array) != prod(shape):
        raise CaffeError(
            f"{name} is truncated or damaged: a blob of shape {_short(shape)} needs {prod(shape)} "
            f"numbers. Received: {len(array)}."
        )
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False).reshape(shape)


def _short(shape):
    return f"({', '.join(map(str, shape[:8]))}{', ...' if len(shape) > 8 else ''})"


def read_layers(path):
    """Return the blobs of each layer of a .caffemodel, a dict name -> list of float32 arrays.

    The arrays are views of the file's bytes, which are read once and kept as long as an array is.
    Layers of no blobs are there with an empty list.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: if the file is damaged, no .caffemodel, of the first of its three formats, or
            has two layers of one name with blobs.
    """
    with Path(path).open("rb") as file:
        return layers_of(file.read(), path)


def layers_of(content, path):
    """Return what `read_layers` does, of a file's bytes. `path` is what errors call it."""
    content = memoryview(content)
    if not content:
        raise CaffeError(f"{path} is empty.")
    if bytes(content[:8]) == HDF5_SIGN:
        raise NotImplementedError(
            f"{path} is a .caffemodel.h5, which this reader does not read. Take the .caffemodel, "
            "or write one with snapshot_format: BINARYPROTO."
        )
    layers = {}
    for number, value in fields(content, path):
        if number in {NET_LAYER, NET_V1_LAYER}:
            kinds = LAYER if number == NET_LAYER else V1_LAYER
            name, blobs = _read_layer(as_bytes(value, "a layer", path), kinds, path)
            if name in layers and blobs and layers[name]:
                raise CaffeError(f"{path} has two layers of the name {name!r}.")
            layers[name] = blobs or layers.get(name, [])
    if not layers:
        raise CaffeError(
            f"{path} holds no layer, so it is no .caffemodel. Give the file of the weights."
        )
    return layers


def _read_layer(view, kinds, path):
    name_field, blob_field = kinds
    name, blobs = "", []
    for number, value in fields(view, path):
        if number == name_field:
            name = as_text(value, "a layer's name", path)
        elif number == blob_field:
            blobs.append(as_bytes(value, "a blob", path))
        elif number == V0_LAYER and kinds is V1_LAYER:
            raise NotImplementedError(
                f"{path} is of Caffe's first format (V0, 2013), which is not read. Caffe's "
                "upgrade_net_proto_binary writes it anew."
            )
    return name, [read_blob(blob, f"{path}, layer {name!r}") for blob in blobs]


@dataclass
class Datum:
    """A record of a data set: an image and its label.

    Attributes:
        channels, height, width: its size; 0 where the file does not say, as for encoded images.
        data: bytes of C x H x W uint8 numbers, or with `encoded` of an image file.
        label: an int.
        float_data: (C * H * W,) float32 array in the place of `data`, or None.
        encoded: whether `data` is an image file.
    """

    channels: int = 0
    height: int = 0
    width: int = 0
    data: bytes = b""
    label: int = 0
    float_data: np.ndarray | None = None
    encoded: bool = False


def read_datum(buffer, name):
    """Return the Datum of a record's bytes; CaffeError, naming `name`, where they are damaged."""
    datum, numbers = Datum(), []
    sizes = {1: "channels", 2: "height", 3: "width", 5: "label"}
    for number, value in fields(buffer, name):
        if number in sizes:
            setattr(datum, sizes[number], as_number(value, f"a datum's {sizes[number]}", name))
        elif number == 4:
            datum.data = as_bytes(value, "a datum's data", name)
        elif number == 6:
            numbers.append(value)
        elif number == 7:
            datum.encoded = bool(as_number(value, "a datum's mark of encoding", name))
    if numbers:
        datum.float_data = floats(numbers, "<f4", "a datum", name)
    return datum


def datum_bytes(datum):
    """Return the bytes of a Datum, as `read_datum` reads them."""
    sizes = ((1, datum.channels), (2, datum.height), (3, datum.width))
    parts = [_number_field(number, size) for number, size in sizes if size]
    if datum.float_data is None:
        parts.append(_bytes_field(4, datum.data))
    parts.append(_number_field(5, datum.label))
    if datum.float_data is not None:
        parts.append(_bytes_field(6, np.ascontiguousarray(datum.float_data, "<f4").tobytes()))
    if datum.encoded:
        parts.append(_number_field(7, 1))
    return b"".join(parts)


def blob_bytes(array, *, legacy=False):
    """Return the bytes of a BlobProto.

    Args:
        array: of numbers; stored as float32.
        legacy: write the four sizes of the older files, as compute_image_mean does. Missing ones
            are 1, in front.
    """
    array = np.asarray(array, "<f4", order="C")  # ascontiguousarray makes a scalar a vector
    if legacy:
        shape = (1,) * (4 - array.ndim) + array.shape
        parts = [_number_field(i, size) for i, size in zip(DIMENSIONS, shape, strict=True)]
    else:
        dims = _bytes_field(1, b"".join(map(_varint_bytes, array.shape)))
        parts = [_bytes_field(SHAPE, dims if array.ndim else b"")]
    return b"".join([*parts, _bytes_field(DATA, array.data.cast("B") if array.size else b"")])


def write_layers(path, layers, name=""):
    """Write a .caffemodel, whole or not at all.

    Args:
        path: the file; one that exists is replaced.
        layers: dict of layer names to lists of arrays, or to (type, list of arrays).
        name: the net's name.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(_bytes_field(NET_NAME, name.encode()))
        for layer, blobs in layers.items():
            kind, arrays = blobs if isinstance(blobs, tuple) else ("", blobs)
            parts = [_bytes_field(LAYER[0], layer.encode()), _bytes_field(2, kind.encode())]
            parts += [_bytes_field(LAYER[1], blob_bytes(array)) for array in arrays]
            file.write(_key(NET_LAYER, BYTES) + _varint_bytes(sum(map(len, parts))))
            file.writelines(parts)


def _varint_bytes(number):
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _key(number, way):
    return _varint_bytes(number << 3 | way)


def _number_field(number, value):
    return _key(number, VARINT) + _varint_bytes(value)


def _bytes_field(number, value):
    return _key(number, BYTES) + _varint_bytes(len(value)) + value
