"""Read and write images as OpenCV does, but say so when that fails.

Reading, a file may be missing, damaged or absurdly large; writing, the disk may be full.
"""

import io
import zlib
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.utils.files import replacing

MAX_PIXELS = 100_000_000  # of an image, by default

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_EOI, JPEG_SOS = b"\xff\xd9", 0xDA
# C0 to CF start a frame and hold its size, but for C4 (Huffman tables), C8 and CC (arithmetic)
JPEG_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

# by colour type: grey, colour, palette, grey and colour with alpha
PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


class ImageError(ValueError):
    """A file that is no complete, readable image. The message names the file and the reason."""


def read_image(path, *, maxPixels=MAX_PIXELS):
    """Read an image file: the pixels of cv2.imread(path), or an exception, never None.

    The EXIF orientation is applied, grey images get three equal channels, alpha is dropped,
    16 bits become 8, CMYK becomes BGR. Of an animation comes the first frame.

    What is found: files that end too early in any format, wrong checksums in PNG files. What is
    not: changed bytes inside the picture data of a JPEG, whose format has no checksum. They
    show as a smear or a shift of colour below the damaged place.

    Args:
        path: the file, str or Path.
        maxPixels: largest width * height accepted, read from the header before anything is
            decoded. Formats other than JPEG and PNG also keep Pillow's limit of 179 million.
    Returns:
        (H, W, 3) uint8, BGR.
    Raises:
        ImageError: if the file is empty, truncated, too large, or not an image.
        OSError: if it cannot be opened, such as FileNotFoundError.
    """
    path = Path(path)
    return decode_image(path.read_bytes(), path, maxPixels=maxPixels)


def decode_image(data, name="the data", *, maxPixels=MAX_PIXELS, grey=False):
    """Do what `read_image` does for the bytes of an image file; `name` is for the messages.

    With `grey` comes (H, W, 1), its one channel.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes).")
    width, height = (announced(data, name) or ("", *_size_by_pillow(data, name)))[1:3]
    if width * height > maxPixels:
        raise ImageError(
            f"{name} is too large: {width}x{height} pixels, more than {maxPixels:,}. "
            "Make the picture smaller, or pass read_image a larger maxPixels."
        )
    try:
        image = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
        )
    except cv2.error as error:
        raise ImageError(f"{name} cannot be decoded: {error.err}.") from error
    if image is None:
        raise ImageError(
            f"{name} cannot be decoded: its data is damaged, truncated, or not of 8 or 16 bits."
        )
    return image[:, :, None] if grey else image


def announced(data, name="the data"):
    """Return what the header of a complete JPEG or PNG says: (encoding, width, height, channels).

    Returns:
        ("jpeg" or "png", int, int, int), or None for any other data.
    Raises:
        ImageError: if the data ends too early, or a checksum in a PNG is wrong.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg", *_check_jpeg(data, name)
    if data.startswith(PNG_SIGNATURE):
        return "png", *_check_png(data, name)
    return None


def check_image_suffix(path):
    """Raise ValueError unless `write_image` can write this kind of file: before the long work."""
    suffix = Path(path).suffix
    try:
        known = suffix and cv2.haveImageWriter(f"image{suffix}")
    except cv2.error:  # OpenEXR: built in, but switched off
        known = False
    if not known:
        raise ValueError(
            f"A picture cannot be written as {path}: OpenCV has no format for the suffix "
            f"{suffix!r}. Give a name that ends in .png or .jpg."
        )


def write_image(path, image):
    """Write a picture so that `path` holds all of it or what was there before.

    Missing parent folders are made.

    Args:
        path: the file, str or Path. Its suffix chooses the format.
        image: (H, W) or (H, W, 3) uint8, BGR.
    Raises:
        ValueError: if OpenCV writes no such format.
        OSError: if the picture does not fit the format, or the file cannot be written.
    """
    path = Path(path)
    check_image_suffix(path)
    try:
        done, data = cv2.imencode(path.suffix, image)
    except cv2.error as error:
        raise OSError(f"Cannot write the picture {path}: {error.err}.") from error
    if not done:
        raise OSError(f"Cannot write the picture {path}: its format does not take it.")
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _check_jpeg(data, name):
    """Walk the segments to the picture data and find its end; return (width, height, channels).

    cv2.imread gives a full-size image, grey from the cut down, for a JPEG that ends too early.
    """
    size, pos = None, 2
    while pos + 4 <= len(data) and data[pos] == 0xFF:
        code = data[pos + 1]
        if code == 0xFF:  # padding before a marker
            pos += 1
            continue
        if code in JPEG_SOF:
            size = (
                _integer(data, pos + 7, 2),
                _integer(data, pos + 5, 2),
                _integer(data, pos + 9, 1),
            )
        pos += 2 + _integer(data, pos + 2, 2)
        if code == JPEG_SOS:
            # Inside picture data a byte 0xFF is followed by 0x00 or a restart marker, never by D9.
            if size and data.rfind(JPEG_EOI, pos) >= 0:
                return size
            break
    raise ImageError(f"{name} is truncated or damaged: the JPEG data stops before its end marker.")


def _check_png(data, name):
    """Check completeness and checksums of the chunks; return (width, height, channels)."""
    pos = len(PNG_SIGNATURE)
    while pos + 12 <= len(data):
        kind, end = data[pos + 4 : pos + 8], pos + 8 + _integer(data, pos, 4)
        if end + 4 > len(data):
            break
        if zlib.crc32(memoryview(data)[pos + 4 : end]) != _integer(data, end, 4):
            raise ImageError(f"{name} is damaged: wrong checksum in the PNG chunk {kind!r}.")
        if kind == b"IEND":
            channels = PNG_CHANNELS.get(_integer(data, 25, 1), 0)
            return _integer(data, 16, 4), _integer(data, 20, 4), channels
        pos = end + 4
    raise ImageError(f"{name} is truncated: the PNG data stops before its end chunk.")


def _integer(data, pos, size):
    return int.from_bytes(data[pos : pos + size], "big")


def _size_by_pillow(data, name):
    """Return (width, height) of the rarer formats. OpenCV itself refuses truncated ones."""
    from PIL import Image  # noqa: PLC0415 (most files never need it)

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large: {error}") from error
    except Exception as error:  # which one depends on the format and the kind of damage
        raise ImageError(
            f"{name} cannot be read as an image of 8 or 16 bits: it is of another kind, such as "
            "floats, its header is damaged, or it is no image."
        ) from error
