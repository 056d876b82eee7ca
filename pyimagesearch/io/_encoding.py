"""Images as the bytes of JPEG or PNG files: one row of an encoded data set."""

import cv2
import numpy as np

from pyimagesearch.io._checks import whole_number
from pyimagesearch.utils.images import ImageError, announced, decode_image
from pyimagesearch.utils.parallel import ordered_map, usable_cores

SUFFIXES = {"jpeg": ".jpg", "png": ".png"}

QUALITY = 95

FEW = 16  # images that are encoded before threads have started


def check_options(encoding, quality, shape):
    """Raise ValueError unless images of `shape` can be kept in this encoding."""
    if encoding != "jpeg" and quality != QUALITY:
        raise ValueError(
            f'quality is of encode="jpeg". Received: quality {quality} with encode {encoding!r}.'
        )
    if encoding is None:
        return
    if encoding not in SUFFIXES:
        raise ValueError(f'encode must be "jpeg", "png" or None. Received: {encoding!r}.')
    if len(shape) != 3 or shape[2] not in {1, 3}:
        raise ValueError(
            "Encoded images are grey or colour: dims must be (rows, H, W, C) with C 1 or 3. "
            f"Received: rows of the shape {shape}."
        )
    if whole_number("quality", quality, 1) > 100:
        raise ValueError(f"quality must be 1 to 100. Received: {quality}.")


def encode_image(image, encoding, quality=QUALITY):
    """Return the bytes of an image file.

    Args:
        image: (H, W, 3) BGR or (H, W, 1), uint8.
        encoding: "jpeg", which changes the pixels a little, or "png", which keeps them.
        quality: of a JPEG, 1 to 100.
    Returns:
        (n,) uint8.
    Raises:
        ValueError: if the format cannot hold the image: OpenCV writes JPEGs of 65,500 pixels a
            side at most.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if encoding == "jpeg" else []
    try:
        done, data = cv2.imencode(SUFFIXES[encoding], image, options)
    except cv2.error as error:
        raise ValueError(f"An image cannot be kept as {encoding}: {error.err}.") from error
    if not done:
        raise ValueError(f"An image of the shape {image.shape} cannot be kept as {encoding}.")
    return data


def decode_row(data, encoding, shape, name):
    """Return the image that a stored row holds.

    Args:
        data: (n,) uint8, the bytes of one image file.
        encoding: "jpeg" or "png", as the data set's attribute says.
        shape: the (H, W, C) of the image, C 1 or 3, as the data set's attribute says.
        name: row and file, for the messages.
    Returns:
        (H, W, C) uint8; colour is BGR.
    Raises:
        ImageError: if the bytes are damaged, or are of another encoding or shape. They are not
            decoded then, however large an image their header announces.
    """
    data = data.tobytes()
    check_row(data, encoding, shape, name)
    image = decode_image(data, name, grey=shape[2] == 1)
    if image.shape != tuple(shape):  # turned by its EXIF orientation
        raise ImageError(f"{name} decodes to the shape {image.shape}, not {tuple(shape)}.")
    return image


def check_row(data, encoding, shape, name):
    """Raise ImageError unless bytes are a complete file whose header says encoding and shape."""
    found = announced(data, name)
    if found is None or found[0] != encoding:
        raise ImageError(f"{name} is no {encoding} data.")
    _, width, height, channels = found
    if (height, width, channels) != tuple(shape):
        raise ImageError(
            f"{name} is an image of the shape {(height, width, channels)}, not {tuple(shape)}."
        )


def encode_rows(rows, encoding, shape, quality):
    """Return a list of (n,) uint8: images encoded, rows that are encoded checked and copied.

    Args:
        rows: array or list of images as `encode_image` takes them, bytes, or (n,) uint8 arrays.
    Raises:
        ValueError, TypeError: for anything else. ImageError for encoded rows of another shape.
    """

    def encoded(row):
        return isinstance(row, bytes) or (getattr(row, "ndim", 0) == 1 and row.dtype == np.uint8)

    def encode(numbered):
        number, row = numbered
        if encoded(row):
            data = bytes(row)
            check_row(data, encoding, shape, f"Row {number} of those added")
            return np.frombuffer(data, np.uint8)
        image = np.asarray(row)
        if image.dtype != np.uint8:
            raise TypeError(
                f"Images to keep as {encoding} must be uint8. Received: dtype {image.dtype}."
            )
        if image.shape != shape:
            raise ValueError(
                f"Rows must be images of the shape {shape} that dims announced, or bytes of their "
                f"{encoding} files. Received: shape {image.shape}."
            )
        return encode_image(image, encoding, quality)

    workers = 0 if sum(not encoded(row) for row in rows) < FEW else usable_cores()
    return list(ordered_map(encode, enumerate(rows), workers=workers))
