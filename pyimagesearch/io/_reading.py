"""Open an HDF5 data set for reading, or say in one sentence why it cannot be read."""

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
    if path.suffix == ".partial":
        raise ValueError(f"{path} was not finished. {RESUME}")
    try:
        db = h5py.File(path, "r")
    except BlockingIOError as error:
        raise OSError(f"{path} is being written by a running process.") from error
    except (IsADirectoryError, PermissionError):
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


def check_classes(path, labels, classes):
    """Raise ValueError unless all labels are in 0 to classes - 1."""
    for label in (labels.min(), labels.max()):
        if not 0 <= label < classes:
            raise ValueError(
                f"{path} has the label {label}, which is not in 0 to {classes - 1}. Pass classes= "
                "with the number of classes."
            )
