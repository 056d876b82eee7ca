"""Mean images: Caffe's binaryproto, NumPy's .npy, and the means of our build scripts in JSON."""

import json
import math
from pathlib import Path

import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._wire import blob_bytes, read_blob
from pyimagesearch.utils.files import replacing

SUFFIXES = (".binaryproto", ".npy", ".json")
CHANNELS = "BGR"  # in the JSON they have names, in an array this order


def read_mean(path):
    """Read a mean image. The suffix of the path says what it is.

    Args:
        path: .npy of the shape (C, H, W), or (C,) for one number each channel; .json with the
            numbers "R", "G" and "B"; anything else as .binaryproto, which Caffe's
            compute_image_mean writes.
    Returns:
        (C, H, W) float32, the channels in the file's order: BGR for Caffe's files, and for JSON. H
        and W are 1 where the file has one number for each channel.
    Raises:
        OSError: if the file cannot be read.
        CaffeError: if it is damaged, or no mean image.
    """
    path = Path(path)
    read = {".npy": _read_array, ".json": _read_json}.get(path.suffix, _read_blob)
    mean = read(path)
    if mean.ndim == 4 and mean.shape[0] == 1:
        mean = mean[0]
    if mean.ndim == 1:
        mean = mean[:, None, None]
    if mean.ndim != 3 or not mean.size:
        raise CaffeError(
            f"{path} is no mean image: that has the shape (channels, height, width). "
            f"Received: {mean.shape}."
        )
    mean = np.array(mean, np.float32)
    if not np.isfinite(mean).all():
        raise CaffeError(f"{path} is no mean image: it holds NaN or infinite numbers.")
    return mean


def write_mean(path, array):
    """Write a mean image, whole or not at all. The suffix of the path says as what.

    Args:
        path: .binaryproto, .npy, or .json for `MeanPreprocessor`, which keeps of each channel its
            mean over all places. One that exists is replaced.
        array: (C, H, W) numbers, BGR. JSON needs three channels.
    Raises:
        ValueError: for another suffix, shape or numbers that are not finite.
        OSError: if the file cannot be written.
    """
    path, array = Path(path), np.asarray(array)
    suffix = path.suffix
    if suffix not in SUFFIXES:
        raise ValueError(
            f"A mean image is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}. "
            f"Received: {path}."
        )
    if array.ndim != 3 or not array.size or array.dtype.kind not in "uif":
        raise ValueError(
            "A mean image is numbers of the shape (channels, height, width). "
            f"Received: {array.dtype} of the shape {array.shape}."
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError("The mean image holds NaN or infinite numbers.")
    if suffix == ".json" and len(array) != len(CHANNELS):
        raise ValueError(f"{path} is for colour images. Received: {len(array)} channels.")
    with replacing(path) as temporary:
        if suffix == ".binaryproto":
            temporary.write_bytes(blob_bytes(array, legacy=True))
        elif suffix == ".npy":
            np.save(temporary, array)
        else:
            means = array.mean(axis=(1, 2), dtype=np.float64).tolist()
            temporary.write_text(json.dumps(dict(zip(CHANNELS, means, strict=True))))


def _read_blob(path):
    with path.open("rb") as file:
        return read_blob(file.read(), path)


def _read_array(path):
    with path.open("rb"):  # a file that cannot be opened says so itself
        pass
    try:
        # as a map: an absurd shape is refused by the size of the file, before memory is taken
        mean = np.load(path, mmap_mode="r")
    except OSError:
        raise
    except Exception as error:  # which one depends on the damage; a pickled object is refused, too
        raise CaffeError(f"{path} is not an array that numpy.save wrote: {error}.") from error
    if getattr(mean, "dtype", np.dtype(object)).kind not in "uif":
        raise CaffeError(f"{path} is no mean image: it does not hold one array of numbers.")
    with np.errstate(over="ignore"):
        return mean.astype(np.float32)


def _read_json(path):
    with path.open("rb") as file:
        content = file.read()
    try:
        means = json.loads(content)
        means = np.array([float(means[channel]) for channel in CHANNELS])
        if not all(map(math.isfinite, means)):
            raise ValueError("NaN or infinite")
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CaffeError(
            f'{path} must hold the channel means as {{"R": 0.0, "G": 0.0, "B": 0.0}}.'
        ) from error
    return means
