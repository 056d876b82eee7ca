"""Open an HDF5 data set for reading, or say in one sentence why it cannot be read."""

import os
from math import prod
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.io._encoding import SUFFIXES

RESUME = "Run its build again; HDF5DatasetWriter(..., resume=True) continues it."


def open_file(path):
    """Return the h5py.File, open for reading.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if it is no HDF5 file, is truncated, or is being written.
        ValueError: if its writer was not closed.
    """
    path = Path(path)
    if not path.exists():
        partial = Path(f"{path}.partial")
        hint = f" {partial} was not finished. {RESUME}" if partial.exists() else ""
        raise FileNotFoundError(f"There is no file {path}.{hint}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory. Give the path of an HDF5 file.")
    if path.suffix == ".partial":
        raise ValueError(f"{path} was not finished. {RESUME}")
    try:
        db = h5py.File(path, "r")
    except BlockingIOError as error:
        raise OSError(f"{path} is being written by a running process.") from error
    except PermissionError:
        raise
    except OSError as error:
        raise OSError(f"{path} is no HDF5 file, or it is truncated. Build it again.") from error
    if "idx" in db.attrs:  # a partial file under another name
        db.close()
        raise ValueError(f"{path} was not finished. {RESUME}")
    return db


def read_labels(db, dataKey):
    """Return the labels, (n,) int64, after a look at whether the two data sets make sense."""
    path = db.filename
    for key in (dataKey, "labels"):
        if not isinstance(db.get(key), h5py.Dataset):
            raise ValueError(
                f"{path} has no data set {key!r}, only {sorted(db)}. The option dataKey names "
                "the data set of the rows."
            )
    data, labels = db[dataKey], db["labels"]
    if (data.dtype.kind not in "uif" and encoding_of(data) is None) or not data.shape:
        raise ValueError(f"{dataKey} of {path} must hold rows of numbers. Found: {data}.")
    if labels.dtype.kind not in "ui" or labels.ndim != 1:
        raise ValueError(f"labels of {path} must be one integer per row. Found: {labels}.")
    if len(data) != len(labels):
        raise ValueError(f"{path} has {len(data)} rows but {len(labels)} labels.")
    if not len(labels):
        raise ValueError(f"{path} is empty: it has no rows.")
    return labels[:].astype(np.int64)


def encoding_of(data):
    """Return ("jpeg" or "png", (H, W, C)) of a data set of image files, None for one of numbers.

    Raises:
        ValueError: if it holds bytes, but does not say which images they are.
    """
    if h5py.check_vlen_dtype(data.dtype) != np.uint8:
        return None
    encoding, shape = data.attrs.get("encoding"), data.attrs.get("shape")
    sizes = getattr(shape, "dtype", None)
    if encoding not in SUFFIXES or sizes is None or sizes.kind not in "ui" or len(shape) != 3:
        raise ValueError(
            f"{data.name[1:]} of {data.file.filename} holds bytes whose attributes encoding and "
            f"shape do not say which images they are. Found: {encoding!r}, {shape!r}."
        )
    return encoding, tuple(shape.tolist())


def rows_offset(data):
    """Return the place of a data set's first byte in its file if all others follow it, else None.

    So it is in a data set without chunks, and in the chunks that HDF5DatasetWriter makes.
    """
    if not hasattr(os, "preadv") or data.file.driver != "sec2" or data.file.userblock_size:
        return None
    if data.chunks is None:
        return data.id.get_offset()  # None for an external or virtual one
    if data.id.get_create_plist().get_nfilters() or data.chunks[1:] != data.shape[1:]:
        return None
    size = prod(data.chunks) * data.dtype.itemsize
    first = data.id.get_chunk_info_by_coord((0,) * data.ndim).byte_offset
    places = {}
    data.id.chunk_iter(lambda chunk: places.update({chunk.chunk_offset[0]: chunk.byte_offset}))
    rows = range(0, len(data), data.chunks[0])
    return first if places == {row: first + i * size for i, row in enumerate(rows)} else None


def check_classes(path, labels, classes):
    """Raise ValueError unless all labels are in 0 to classes - 1."""
    for label in (labels.min(), labels.max()):
        if not 0 <= label < classes:
            raise ValueError(
                f"{path} has the label {label}, which is not in 0 to {classes - 1}. Pass classes= "
                "with the number of classes."
            )
