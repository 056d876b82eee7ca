"""Between the blobs of a .caffemodel and the weights of Keras layers."""

import mmap
from pathlib import Path

import keras
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._wire import layers_of
from pyimagesearch.caffe.layers import Deconvolution, TransposedInnerProduct

KERNEL = (2, 3, 1, 0)  # (out, in, h, w), and (in, out, h, w) of a deconvolution, to Keras's kernel
DENSE = (1, 0)


def order_of(layer, index):
    """Return the axes of a layer's weight `index` as axes of its blob, or None: as they are."""
    if index == 0 and isinstance(layer, (keras.layers.Conv2D, Deconvolution)):
        return KERNEL
    if (
        index == 0
        and isinstance(layer, keras.layers.Dense)
        and not isinstance(layer, TransposedInnerProduct)
    ):
        return DENSE
    return None


def blob_shape(layer, index):
    """Return the shape, as Caffe has it, of the blob of a layer's weight `index`."""
    shape, order = tuple(layer.weights[index].shape), order_of(layer, index)
    if order is not None:
        return tuple(shape[order.index(axis)] for axis in range(len(shape)))
    if isinstance(layer, keras.layers.PReLU):
        return tuple(size for size in shape if size != 1) or (() if len(shape) != 1 else shape)
    return shape


def value(blob, shape, order, like):
    """Return a blob as the value of a weight, of shape `like`: a copy, in C order."""
    blob = blob.reshape(shape)
    blob = blob if order is None else blob.transpose(order)
    return np.array(blob, order="C").reshape(like)


def check(where, name, blobs, shapes):
    """Raise a CaffeError unless the blobs of a file's layer have the shapes of the net's.

    Ones in front do not count: older files have four sizes always.
    """
    found = [blob.shape for blob in blobs]
    if len(found) != len(shapes):
        raise CaffeError(
            f"{where}: layer {name!r} has {len(found)} blobs {_all(found)} in the file, and "
            f"{len(shapes)} {_all(shapes)} in the net. {RENAME}"
        )
    for has, needs in zip(found, shapes, strict=True):
        if _short(has) != _short(needs):
            raise CaffeError(
                f"{where}: layer {name!r} has a blob of shape {tuple(has)} in the file, and of "
                f"shape {tuple(needs)} in the net. {RENAME}"
            )


RENAME = (
    "Rename the layer in the prototxt if it is to start anew, as one does with the last layer for "
    "transfer learning; otherwise these are different nets."
)


def _all(shapes):
    return "(" + ", ".join(str(tuple(shape)) for shape in shapes) + ")"


def _short(shape):
    """Return a shape without the ones in front."""
    shape = tuple(shape)
    while shape and shape[0] == 1:
        shape = shape[1:]
    return shape


class WeightFile:
    """The blobs of a .caffemodel, in memory only while they are in use.

    Attributes:
        path: of the file.
        layers: dict of the layers' names to lists of float32 arrays, to be read only.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._map = None
        with self.path.open("rb") as file:
            if file.seek(0, 2):
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.layers = layers_of(self._map or b"", self.path)

    def release(self):
        """Give back the memory of what was read; it is read again when it is needed again."""
        if hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)


class Given(keras.initializers.Initializer):
    """Starts a weight with a blob, so that no other value takes memory before.

    Args:
        blob: array.
        shape: the blob's, as the net has it.
        order: as of `order_of`.
        filler: the initializer that takes its place once the layer is built.
        file: WeightFile, whose memory is released after use.
    """

    def __init__(self, blob, shape, order, filler, file):
        self.blob = blob
        self.shape = shape
        self.order = order
        self.filler = filler
        self.file = file

    def __call__(self, shape, dtype=None):
        array = value(self.blob, self.shape, self.order, shape)
        self.file.release()
        return keras.ops.convert_to_tensor(array, dtype)
