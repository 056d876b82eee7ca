"""CIFAR-10: 50,000 training and 10,000 test images of ten classes."""

import operator
import pickle
from pathlib import Path

import numpy as np

from pyimagesearch.preprocessing._dataformat import resolve_data_format

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
TRAIN_FILES = [f"data_batch_{number}" for number in range(1, 6)]
TEST_FILE = "test_batch"


def load_cifar10(folder=None, *, limit=None, dataFormat=None):
    """Read CIFAR-10 from its official Python files, or let Keras download it.

    The files are pickles, which can run any code when they are opened. Here they cannot: only
    arrays, dicts, lists, numbers and strings are accepted.

    Args:
        folder: `cifar-10-batches-py` or the folder that holds it. Default: Keras' own copy, which
            is downloaded to ~/.keras/datasets (170 MB) if it is not there.
        limit: keep the first so many training images only, for a trial. Default: all.
        dataFormat: "channels_last" or "channels_first". Default: as Keras is set.
    Returns:
        ((trainX, trainY), (testX, testY), names): images uint8 in RGB order (not BGR), of shape
        (n, 32, 32, 3) or, with the channels first, (n, 3, 32, 32); labels (n,) int64 of 0 to 9;
        and the list of the ten names in the labels' order.
    Raises:
        FileNotFoundError: if the folder, or one of the six files in it, is missing.
        ValueError: if a file is truncated, damaged or no batch of CIFAR-10, `limit` is not
            positive, or `dataFormat` is unknown.
        OSError: if Keras cannot download the data.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"The limit must be 1 training image or more. Received: {limit}.")
    order = resolve_data_format("dataFormat", dataFormat)
    train, test = _download() if folder is None else _read_folder(Path(folder))
    train = tuple(part[:limit] for part in train)
    if order == "channels_first":
        train, test = (
            (np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels)
            for images, labels in (train, test)
        )
    return train, test, list(CLASSES)


def _download():
    """Return train and test, (images, labels) each, the channels last."""
    import keras  # noqa: PLC0415 (half a gigabyte of framework, only if it is asked for)

    try:
        parts = keras.datasets.cifar10.load_data()
    except Exception as error:  # Keras raises a plain Exception
        raise OSError(
            f"Keras could not get CIFAR-10: {error}. Download cifar-10-python.tar.gz from "
            "https://www.cs.toronto.edu/~kriz/cifar.html, unpack it and give its folder."
        ) from error
    channels_first = keras.config.image_data_format() == "channels_first"
    return [
        (
            images.transpose(0, 2, 3, 1) if channels_first else images,
            labels.reshape(-1).astype(np.int64),
        )
        for images, labels in parts
    ]


def _read_folder(folder):
    """Return train and test, (images, labels) each, the channels last."""
    inner = folder / "cifar-10-batches-py"
    place = inner if inner.is_dir() else folder
    if not place.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Give cifar-10-batches-py, unpacked from "
            "cifar-10-python.tar.gz, or the folder that holds it."
        )
    missing = [name for name in (*TRAIN_FILES, TEST_FILE) if not (place / name).is_file()]
    if missing:
        found = sorted(path.name for path in place.iterdir())
        raise FileNotFoundError(
            "Expected the CIFAR-10 files data_batch_1 to data_batch_5 and test_batch in "
            f"{place}. Missing: {', '.join(missing)}. Found: {_few(found)}."
        )
    batches = [_read_batch(place / name) for name in TRAIN_FILES]
    train = tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))
    return train, _read_batch(place / TEST_FILE)


def _few(names):
    shown = ", ".join(names[:5]) or "nothing"
    return f"{shown}, ... ({len(names)} in all)" if len(names) > 5 else shown


def _empty_array(kind, shape, _):
    """Return the array that a pickle fills afterwards, instead of one of any size it asks for."""
    if (kind, tuple(shape)) != (ARRAY, (0,)):
        raise pickle.UnpicklingError(f"it asks for a {kind} of the shape {shape}")
    return np.empty(0, np.uint8)


# the only names that a pickled array refers to; NumPy 1 called the first module numpy.core
ARRAY = "array"  # no class: a pickle could call it
ALLOWED = {
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): ARRAY,
    ("numpy", "dtype"): np.dtype,
}


# Python's own, not the C one: that takes as much memory as a number in the file says
class _BatchUnpickler(pickle._Unpickler):
    dispatch = pickle._Unpickler.dispatch.copy()
    del dispatch[pickle.BYTEARRAY8[0]]  # which does so, too

    def find_class(self, module, name):
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no CIFAR-10 file needs"
            ) from None


def _read_batch(path):
    """Return ((n, 32, 32, 3) uint8, (n,) int64) of one file."""
    try:
        with path.open("rb") as file:
            batch = _BatchUnpickler(file, encoding="bytes").load()  # the official ones: Python 2
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(
            f"{path} is truncated, damaged or no CIFAR-10 batch: {error}. Unpack it anew."
        ) from error
    try:
        data, labels = batch[b"data"], batch[b"labels"]
        if not isinstance(labels, np.ndarray):
            # lists in lists, each twice in the next, would become an array of any size
            labels = np.array([operator.index(label) for label in labels])
        whole = data.ndim == 2 and data.shape[1] == 3 * 32 * 32 and data.dtype == np.uint8
        right = labels.shape == data.shape[:1] and set(labels.tolist()) <= set(range(10))
    except (KeyError, TypeError, AttributeError, ValueError):
        whole = right = False
    if not (whole and right):
        raise ValueError(
            f"{path} is no CIFAR-10 batch. Expected a dict with b'data', (n, 3072) uint8, and "
            f"b'labels', n numbers of 0 to 9. Found: {_describe(batch)}."
        )
    # a row holds a red, a green and a blue plane
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def _describe(batch):
    if not isinstance(batch, dict):
        return f"a {type(batch).__name__}"
    parts = []
    for key, value in batch.items():
        shape = getattr(value, "shape", None)
        size = f"array {shape}" if shape is not None else type(value).__name__
        name = repr(key) if isinstance(key, str | bytes) else type(key).__name__
        parts.append(f"{name} ({size})")
    return ", ".join(parts)[:200] or "an empty dict"
