"""A CRC-32 for every row: a resumed build and `check` find by it the bytes that have changed.

HDF5's own filter fletcher32 would do so too, but readers could then no longer take plain rows
straight from the file.
"""

import hashlib
import math
import zlib

import h5py
import numpy as np

from pyimagesearch.utils.hdf5safety import check_rows

NAME = "checksums"
ALGORITHM = "CRC-32 of the row's bytes followed by the 8 of its label"
READ_BYTES = 16 * 2**20


def crcs(rows):
    """Return the CRC-32 of each row's bytes, a list: of (n, ...) numbers or n encoded rows."""
    if isinstance(rows, np.ndarray) and rows.dtype != object:
        rows = np.ascontiguousarray(rows).reshape(len(rows), -1)
    return [zlib.crc32(row) for row in rows]


def with_labels(values, labels):
    """Return what the file stores, (n,) uint32, from the CRCs of the rows and their labels."""
    labels = np.ascontiguousarray(labels, "<i8")
    sums = [zlib.crc32(label.tobytes(), crc) for crc, label in zip(values, labels, strict=True)]
    return np.array(sums, np.uint32)


def of_names(names):
    """Return the CRC-32 of the names of the classes."""
    return np.uint32(zlib.crc32("\0".join(names).encode()))


def summary(stored, names):
    """Return a text that two files share only if their rows, labels and class names do.

    Args:
        stored: (n,) uint32, the checksums of all rows.
        names: the CRC-32 of the names of the classes, None if there are none.
    """
    digest = hashlib.sha256(np.ascontiguousarray(stored, "<u4").tobytes()).hexdigest()
    return f"{len(stored)} rows, {digest}, names {names}"


def first_damaged(data, labels, stored):
    """Return the number of the first row that does not match its checksum, None if all do.

    Args:
        data, stored: h5py.Dataset each; rows after the last label are not looked at.
        labels: (n,) int64.
    """
    count = len(labels)
    step = rows_at_once(data)
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        found = with_labels(crcs(read(data, part)), labels[part])
        wrong = np.flatnonzero(found != stored[part])
        if len(wrong):
            return start + int(wrong[0])
    return None


def read(data, part):
    """Return the rows of a slice, having looked at those of different lengths before HDF5 does."""
    if h5py.check_vlen_dtype(data.dtype) is not None:
        check_rows(data, part.start, part.stop, data.file.filename)
    return data[part]


def rows_at_once(data):
    """Return how many rows of a data set to read at once; 256 of rows of different lengths."""
    if h5py.check_vlen_dtype(data.dtype) is not None:
        return 256
    return max(1, READ_BYTES // max(1, data.dtype.itemsize * math.prod(data.shape[1:])))
