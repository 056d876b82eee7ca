"""The records of Caffe's data sets: from an LMDB to images, and from images to an LMDB."""

import contextlib
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._lmdb import Lmdb
from pyimagesearch.caffe._wire import Datum, datum_bytes, read_datum
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.images import MAX_PIXELS, announced, decode_image

MOST_CHANNELS = 4  # that cv2.merge interleaves faster than NumPy
MAP_BYTES = 2**40  # what an LMDB may grow to; convert_imageset takes the same
COMMIT_RECORDS = 1000


def read_datums(path):
    """Iterate over the records of an LMDB in the order of their keys.

    Args:
        path: the folder with `data.mdb`, or that file.
    Yields:
        (key, Datum): a str, in which bytes that are no UTF-8 are escaped, and the record, whose
        `data` is a memoryview.
    Raises:
        FileNotFoundError: if there is none.
        CaffeError: if it is not readable, see `_lmdb.Lmdb`, or a record is no Datum.
    """
    with Lmdb(path) as db:
        for key, value in db.items():
            yield key_text(key), read_datum(value, RecordName(key, db.path))


def key_text(key):
    """Return a key as text for messages."""
    return bytes(key).decode(errors="backslashreplace")


class RecordName:
    """What messages call a record; made into text for those alone."""

    def __init__(self, key, path):
        self.key = key
        self.path = path

    def __str__(self):
        text = key_text(self.key)
        text = text if len(text) <= 80 else f"{text[:77]}..."
        return f"the record {text if text.isprintable() else ascii(text)} of {self.path}"


def decode_datum(datum, name, *, colour=None, maxPixels=MAX_PIXELS):
    """Return the image of a Datum.

    Args:
        datum: raw, encoded (the bytes of an image file), or of floats.
        name: of the record, for messages.
        colour: "color" or "gray" makes an encoded image so, as Caffe's force_color and force_gray
            do. Default: as it is stored.
        maxPixels: of the largest image to decode.
    Returns:
        (H, W, C), colour in the file's order (BGR): uint8, or float32 for one of floats. An encoded
        image of alpha loses it.
    Raises:
        CaffeError: if the sizes are negative, absurd, or do not fit the data.
        ImageError: if an encoded image is damaged, too large, or of an unknown format.
    """
    if datum.encoded:
        grey = None if colour is None else colour == "gray"
        return decode_image(bytes(datum.data), name, maxPixels=maxPixels, grey=grey)
    shape = datum.channels, datum.height, datum.width
    if any(not 0 < size < 2**31 for size in shape):
        raise CaffeError(
            f"{name} says it has {shape[0]} channels, height {shape[1]}, width {shape[2]}. "
            "Is it an encoded image without the mark `encoded`? Make the data set again."
        )
    if len(datum.data) or datum.float_data is None:
        values = np.frombuffer(datum.data, np.uint8)
    else:
        values = datum.float_data
    if len(values) != shape[0] * shape[1] * shape[2]:
        raise CaffeError(
            f"{name} says it has {shape[0]} channels, height {shape[1]}, width {shape[2]}, and "
            f"holds {len(values)} numbers. Make the data set again."
        )
    return channels_last(values.reshape(shape))


def channels_last(image):
    """Return a (C, H, W) image as (H, W, C), in memory of its own order."""
    if 1 < len(image) <= MOST_CHANNELS:
        return cv2.merge(list(image))
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def image_datum(image, label, name="the image"):
    """Return the Datum of an image.

    Args:
        image: (H, W, C) or (H, W) array: uint8, BGR for colour, is kept raw, other numbers as
            floats. Or the bytes of an image file, kept as they are.
        label: an int.
    Raises:
        ValueError: for anything else.
    """
    if not -(2**31) <= label < 2**31:
        raise ValueError(f"{name}: a label has 32 bits. Received: {label}.")
    if isinstance(image, bytes):
        if announced(image, name) is None:
            decode_image(image, name)
        return Datum(data=image, label=int(label), encoded=True)
    image = np.asarray(image)
    if image.ndim not in {2, 3} or not image.size or image.dtype.kind not in "uif":
        raise ValueError(
            f"{name} must be numbers of the shape (H, W, C) or (H, W), or the bytes of an image "
            f"file. Received: {image.dtype} of the shape {image.shape}."
        )
    planes = np.atleast_3d(image).transpose(2, 0, 1)
    datum = Datum(*planes.shape, label=int(label))
    if image.dtype == np.uint8:
        datum.data = planes.tobytes()
    else:
        datum.float_data = planes.astype(np.float32).ravel()
    return datum


def write_lmdb(target, items, *, overwrite=False):
    """Write an LMDB as Caffe's convert_imageset does. It appears once it is complete.

    Needs the package `lmdb`: pip install "pyimagesearch[caffe]".

    Args:
        target: the folder to make, with the file `data.mdb` in it.
        items: iterable of (key, image, label). Keys are str or bytes of 1 to 511 bytes, by which
            records are ordered: convert_imageset takes f"{number:08d}_{path}". For images and
            labels see `image_datum`.
        overwrite: replace an LMDB that is there, once the new one is complete.
    Returns:
        int: the number of records.
    Raises:
        ModuleNotFoundError: without the package `lmdb`.
        FileExistsError: if there is an LMDB and `overwrite` is false.
        OSError: if it cannot be written.
        ValueError: if there are no items, two have one key, or one is no image.
    """
    try:
        import lmdb  # noqa: PLC0415 (only needed here: our own reader does without)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'Writing an LMDB needs the package lmdb: pip install "pyimagesearch[caffe]".',
            name="lmdb",
        ) from error

    folder = Path(target)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file. An LMDB is a folder: give another name.")
    if (folder / "data.mdb").exists() and not overwrite:
        raise FileExistsError(
            f"There is an LMDB {folder} already. Delete it, choose another name, or pass "
            "overwrite=True."
        )
    made = not folder.exists()
    try:
        with replacing(folder / "data.mdb") as temporary:
            try:
                count = _fill(lmdb, temporary, items)
            except lmdb.Error as error:
                raise OSError(f"LMDB says: {error}") from error
            if not count:
                raise ValueError(f"There are no images to write to {folder}.")
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    return count


def _fill(lmdb, path, items):
    count = 0
    environment = lmdb.open(
        str(path), subdir=False, map_size=MAP_BYTES, lock=False, sync=False, readahead=False
    )
    with environment as env:
        transaction = env.begin(write=True)
        try:
            for key, image, label in items:
                data = key.encode(errors="surrogateescape") if isinstance(key, str) else bytes(key)
                if not 0 < len(data) <= env.max_key_size():
                    raise ValueError(
                        f"A key has 1 to {env.max_key_size()} bytes. Received: {len(data)}, "
                        f"{key_text(data)[:80]!r}."
                    )
                datum = datum_bytes(image_datum(image, label, f"the image {key_text(data)!r}"))
                if not transaction.put(data, datum, overwrite=False):
                    raise ValueError(f"Two images have the key {key_text(data)!r}.")
                count += 1
                if count % COMMIT_RECORDS == 0:
                    transaction.commit()
                    transaction = env.begin(write=True)
        except BaseException:
            transaction.abort()
            raise
        transaction.commit()
    return count
