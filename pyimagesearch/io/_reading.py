"""Open an HDF5 data set for reading, or say in one sentence why it cannot be read."""

import os
from math import prod
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.io._encoding import check_row
from pyimagesearch.utils.hdf5safety import (
    EXPANSION,
    SLACK,
    HDF5Error,
    check_rows,
    damage_named,
    open_hdf5,
)
from pyimagesearch.utils.images import MAX_PIXELS, announced

RESUME = "Run its build again, with --resume (in code: resume=True) to continue it."


def open_file(path):
    """Return the h5py.File, open for reading and looked over, see utils/hdf5safety.py.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if it is no HDF5 file, is truncated, is being written, or cannot be locked.
        ValueError: if its writer was not closed, or it is refused.
    """
    path = Path(path)
    if not path.exists():
        partial = Path(f"{path}.partial")
        hint = f" {partial} was not finished. {RESUME}" if partial.exists() else ""
        raise FileNotFoundError(f"There is no file {path}.{hint}")
    if path.suffix == ".partial" and path.is_file():
        raise ValueError(f"{path} was not finished. {RESUME}")
    db = open_hdf5(path)
    if "idx" in db.attrs:  # a partial file under another name
        db.close()
        raise ValueError(f"{path} was not finished. {RESUME}")
    return db


def read_labels(db, dataKey):
    """Return the labels, (n,) int64, after a look at whether the two data sets make sense.

    Raises:
        ValueError: if they make none, or the file is damaged.
    """
    path = db.filename
    with damage_named(path):
        for key in (dataKey, "labels"):
            if not isinstance(db.get(key), h5py.Dataset):
                found = sorted(name for name in db if isinstance(db.get(name), h5py.Dataset))
                raise HDF5Error(
                    f"{path} has no data set {key!r}, only {found}. The option dataKey (of "
                    "commands: --data-key) names the data set of the rows."
                )
        data, labels = db[dataKey], db["labels"]
        vlen = h5py.check_vlen_dtype(data.dtype) == np.uint8
        if (data.dtype.kind not in "uif" and not vlen) or not data.shape:
            raise HDF5Error(f"{dataKey} of {path} must hold rows of numbers. Found: {data}.")
        if labels.dtype.kind not in "ui" or labels.ndim != 1:
            raise HDF5Error(f"labels of {path} must be one integer per row. Found: {labels}.")
        if len(data) != len(labels):
            raise HDF5Error(f"{path} has {len(data)} rows but {len(labels)} labels.")
        if not len(labels):
            raise HDF5Error(f"{path} is empty: it has no rows.")
        if encoding := encoding_of(data):
            _check_encoded(data, *encoding)
        numbers = labels[:]
        if numbers.max() > np.iinfo(np.int64).max:
            raise HDF5Error(f"{path} has the label {numbers.max()}, which numbers no class.")
        return numbers.astype(np.int64)


def encoding_of(data):
    """Return ("jpeg" or "png", (H, W, C)) of a data set of image files, None for one of numbers.

    Raises:
        ValueError: if it holds bytes, but does not say which images they are.
    """
    if h5py.check_vlen_dtype(data.dtype) != np.uint8:
        return None
    path, shape, found = data.file.filename, _whole_numbers(data, "shape"), None
    if data.ndim == 1 and len(data):
        check_rows(data, 0, 1, path)
        found = announced(data[0].tobytes(), f"Row 0 of {path}")
    if (
        found is None
        or "encoding" not in data.attrs
        or len(shape) != 3
        or min(shape) < 1
        or shape[2] not in (1, 3)
    ):
        raise HDF5Error(
            f"{data.name[1:]} of {path} holds bytes, but no JPEG or PNG images, or its attributes "
            f"encoding and shape do not say which. Found: {shape or None}."
        )
    # not as the attribute says: reading a text, HDF5 takes as much memory as its length announces
    return found[0], shape


def _whole_numbers(data, name):
    """Return the whole numbers in an attribute as a tuple, empty if it is another thing."""
    if name not in data.attrs:
        return ()
    found = data.attrs.get_id(name)
    if found.get_type().get_class() != h5py.h5t.INTEGER or found.shape != (3,):
        return ()
    return tuple(int(number) for number in data.attrs[name])


def _check_encoded(data, encoding, shape):
    """Raise HDF5Error unless images of `shape` can be in the file, and the first row is one."""
    path = data.file.filename
    height, width, _ = shape
    limit = EXPANSION * Path(path).stat().st_size + SLACK
    if height * width > MAX_PIXELS or len(data) * prod(shape) > limit:
        raise HDF5Error(
            f"{data.name[1:]} of {path} announces {len(data)} images of the shape {shape}, which "
            f"are too large: more than {MAX_PIXELS:,} pixels each, or more than {EXPANSION:,} "
            "times the file in all."
        )
    check_row(data[0].tobytes(), encoding, shape, f"Row 0 of {path}")


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
    places = {}
    data.id.chunk_iter(lambda chunk: places.update({chunk.chunk_offset[0]: chunk.byte_offset}))
    first = places.get(0)
    if first is None:  # never written
        return None
    rows = range(0, len(data), data.chunks[0])
    return first if places == {row: first + i * size for i, row in enumerate(rows)} else None


def check_classes(path, labels, classes):
    """Raise ValueError unless all labels are in 0 to classes - 1."""
    for label in (labels.min(), labels.max()):
        if not 0 <= label < classes:
            raise HDF5Error(
                f"{path} has the label {label}, which is not in 0 to {classes - 1}. Pass classes= "
                "with the number of classes."
            )
