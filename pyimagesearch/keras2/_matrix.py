"""HDF5Matrix of Keras 2: rows of an HDF5 file in place of an array."""

import keras
import numpy as np

from pyimagesearch.keras2._modules import PROVIDED


def install():
    """Provide the class."""
    PROVIDED["keras.utils.HDF5Matrix"] = lambda: HDF5Matrix


class HDF5Matrix:
    """The rows from `start` to `end` of a dataset, read when they are asked for.

    Args:
        datapath: path of the file.
        dataset: name of the dataset in it.
        start, end: the rows; default: all.
        normalizer: function to call with what was read.
    """

    def __init__(self, datapath, dataset, start=0, end=None, normalizer=None):
        import h5py  # noqa: PLC0415  the script asks for it

        self.data = h5py.File(datapath, "r")[dataset]
        self.start = start or 0
        self.end = len(self.data) if end is None else end
        self.normalizer = normalizer

    def __len__(self):
        return self.end - self.start

    def __getitem__(self, key):
        if isinstance(key, slice):
            rows = range(len(self))[key]
        elif isinstance(key, (int, np.integer)):
            return self._normalized(self.data[range(self.start, self.end)[key]])
        else:
            rows = np.arange(len(self))[np.asarray(key)]
        if len(rows) == 0:
            return self._normalized(self.data[0:0])
        first, last = int(min(rows)), int(max(rows)) + 1
        if isinstance(rows, range) and rows.step == 1:
            return self._normalized(self.data[self.start + first : self.start + last])
        unique, places = np.unique(np.asarray(rows), return_inverse=True)
        return self._normalized(self.data[self.start + unique][places])  # h5py wants them sorted

    def _normalized(self, found):
        return found if self.normalizer is None else self.normalizer(found)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    @property
    def shape(self):
        """Shape, of the rows from `start` to `end`."""
        return (len(self), *self[0:1].shape[1:])

    @property
    def dtype(self):
        """Type of what is read, after `normalizer`."""
        return self[0:1].dtype

    @property
    def ndim(self):
        """Number of axes."""
        return self.data.ndim

    @property
    def size(self):
        """Number of values."""
        return int(np.prod(self.shape))


class Rows(keras.utils.PyDataset):
    """Batches of arrays and HDF5Matrix objects that belong together.

    Args:
        parts: x, or (x, y), or (x, y, weights).
        batch_size: number of rows in a batch.
    """

    def __init__(self, parts, batch_size):
        super().__init__()
        self.parts = parts
        self.batch_size = batch_size

    @property
    def num_batches(self):
        return -(-len(self.parts[0]) // self.batch_size)

    def __getitem__(self, index):
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return tuple(part[rows] for part in self.parts)


def without_matrices(kwargs):
    """Replace HDF5Matrix objects in the arguments of fit, evaluate or predict by feeds of them.

    They are read batch by batch. Shuffled is, as with `shuffle="batch"`, the order of the batches.
    """
    kwargs = dict(kwargs)
    size = kwargs.get("batch_size") or 32
    if kwargs.get("validation_split"):  # Keras 2 read both parts whole, too
        for name in ("x", "y"):
            if isinstance(kwargs.get(name), HDF5Matrix):
                kwargs[name] = kwargs[name][:]
    data = kwargs.get("validation_data")
    if isinstance(data, (list, tuple)) and _any(data):
        kwargs["validation_data"] = Rows(tuple(data), size)
    parts = [kwargs.get(name) for name in ("x", "y", "sample_weight")]
    if _any(parts):
        kwargs["x"] = Rows(tuple(part for part in parts if part is not None), size)
        kwargs |= {name: None for name in ("y", "sample_weight", "batch_size") if name in kwargs}
        if "shuffle" in kwargs:
            kwargs["shuffle"] = bool(kwargs["shuffle"])
    return kwargs


def _any(parts):
    return any(isinstance(part, HDF5Matrix) for part in parts)
