"""The rows of HDF5 files as Caffe's HDF5Data layers take them: a data set for each blob."""

import h5py
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.utils.hdf5safety import damage_named, open_hdf5

HELD_BYTES = 2**28  # a file of less is read as a whole, as Caffe reads all


class HDF5Rows:
    """Rows of several files.

    Args:
        paths: of the files.
        names: of their data sets, one for each blob.

    Attributes:
        shapes: {name: shape of a row}, images (C, H, W) turned to (H, W, C).

    Raises:
        OSError: if a file cannot be read.
        CaffeError: if it lacks a data set, or one has other rows than in the first file.
        HDF5Error: if a file is refused, see utils/hdf5safety.py.
    """

    def __init__(self, paths, names):
        self._paths = paths
        self._names = names
        self._open = None, None, None  # number of the file at hand, the file, its data sets
        self._counts, self._shapes = [], None
        for number in range(len(paths)):
            data = self._sets(number)
            shapes = {name: rows.shape[1:] for name, rows in data.items()}
            self._shapes = self._shapes or shapes
            if shapes != self._shapes:
                raise CaffeError(
                    f"{paths[number]} has rows of the shapes {shapes}, {paths[0]} of {self._shapes}"
                    ". All files of a list must be alike."
                )
            self._counts.append(len(data[names[0]]))
        self.shapes = {
            name: (*shape[1:], shape[0]) if len(shape) == 3 else shape
            for name, shape in self._shapes.items()
        }

    def __len__(self):
        return sum(self._counts)

    def close(self):
        """Close the file at hand."""
        if self._open[1] is not None:
            self._open[1].close()
        self._open = None, None, None

    def order(self, rng=None):
        """Return (files, starts, rows): the files in turn, where each begins, and its rows' order.

        Args:
            rng: for files and the rows in each in random order; by default they come as stored.
        """
        files = list(range(len(self._paths)))
        if rng is not None:
            rng.shuffle(files)
        counts = [self._counts[file] for file in files]
        rows = [range(count) if rng is None else rng.permutation(count) for count in counts]
        return files, np.cumsum([0, *counts[:-1]]), rows

    def take(self, places):
        """Return {name: (n, ...) float32} of the rows at (file, row) places, in their order."""
        batch = {
            name: np.empty((len(places), *shape), np.float32)
            for name, shape in self._shapes.items()
        }
        files, rows = np.array(places).T
        for number in dict.fromkeys(files.tolist()):
            wanted = np.flatnonzero(files == number)
            # HDF5 reads each row once, and in the file's order
            distinct, back = np.unique(rows[wanted], return_inverse=True)
            data = self._sets(number)
            with damage_named(self._paths[number]), np.errstate(over="ignore"):
                for name, values in batch.items():
                    values[wanted] = _rows(data[name], distinct)[back]
            for name, values in batch.items():
                if not np.isfinite(values[wanted]).all():
                    raise CaffeError(
                        f"{name} of {self._paths[number]} holds NaN, infinite or too large numbers."
                    )
        return {
            name: np.ascontiguousarray(values.transpose(0, 2, 3, 1)) if values.ndim == 4 else values
            for name, values in batch.items()
        }

    def _sets(self, number):
        """Return {name: h5py.Dataset or array} of a file, which stays open or in memory."""
        if self._open[0] == number:
            return self._open[2]
        self.close()
        path = self._paths[number]
        db = open_hdf5(path)
        try:
            with damage_named(path):
                data = {name: _checked(db, name, path) for name in self._names}
                counts = {name: len(rows) for name, rows in data.items()}
                if len(set(counts.values())) > 1 or not min(counts.values()):
                    raise CaffeError(
                        f"{path} has rows {counts}. It must have as many of each, and one at least."
                    )
                if sum(rows.nbytes for rows in data.values()) <= HELD_BYTES:
                    data = {name: rows[:] for name, rows in data.items()}
                    db.close()
        except BaseException:
            db.close()
            raise
        self._open = number, db, data
        return data


def _rows(data, distinct):
    """Return the rows of these numbers, which rise."""
    if distinct[-1] - distinct[0] == len(distinct) - 1:  # far faster than one by one
        return data[distinct[0] : distinct[-1] + 1]
    return data[distinct]


def _checked(db, name, path):
    data = db.get(name)
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "uif" or not data.shape:
        raise CaffeError(
            f"{path} has no data set {name!r} of numbers, for the blob of that name. "
            f"Found: {sorted(db)[:20]}."
        )
    return data
