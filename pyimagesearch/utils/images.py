"""Read and write images as OpenCV does, but say so when that fails.

Reading, a file may be missing, damaged or absurdly large; writing, the disk may be full.
"""

import io
import math
import os
import re
import zlib
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.utils.files import replacing

MAX_PIXELS = 100_000_000  # of an image, by default; decoding that many takes 0.3 to 0.9 GB

PIXEL_BYTES = 8  # in a file that does not compress: four channels of 16 bits
METADATA_BYTES = 2**26

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_EOI, JPEG_SOS = b"\xff\xd9", 0xDA
# C0 to CF start a frame and hold its size, but for C4 (Huffman tables), C8 and CC (arithmetic)
JPEG_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# what may stand before the picture data: these too, tables (C4, CC, DB to DD), APPn and comments.
# Each is followed by its length; any other marker would be read differently here and by the decoder
JPEG_SEGMENTS = JPEG_SOF | {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE} | set(range(0xE0, 0xF0))
JPEG_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
# the end of picture data, in which 0xFF is followed by 0x00 or by a restart marker
JPEG_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")

MOST_PARTS = 100_000  # of a file: chunks of a PNG, segments of a JPEG
MOST_SCANS = 100  # of a JPEG, all of which are decoded; progressive ones have some ten
LARGE_PNG = 2**20  # bytes of picture data that can unpack to 1 GB, for 2 seconds

OTHER_FORMATS = ("BMP", "GIF", "PPM", "TIFF", "WEBP")  # as Pillow calls them
TILE_TAGS = (322, 323)  # width and height of a tile, in a TIFF

# by colour type: grey, colour, palette, grey and colour with alpha
PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


class ImageError(ValueError):
    """A file that is no complete, readable image. The message names the file and the reason."""


def read_image(path, *, maxPixels=MAX_PIXELS):
    """Read an image file: the pixels of cv2.imread(path), or an exception, never None.

    The EXIF orientation is applied, grey images get three equal channels, alpha is dropped,
    16 bits become 8, CMYK becomes BGR. Of an animation comes the first frame.

    JPEG, PNG, BMP, GIF, TIFF, WebP and PPM files are read; the content decides, not the name.

    What is found: files that end too early in any format, wrong checksums in PNG files. What is
    not: changed bytes inside the picture data of a JPEG, whose format has no checksum. They
    show as a smear or a shift of colour below the damaged place.

    Args:
        path: the file, str or Path.
        maxPixels: largest width * height accepted, read from the header before anything is
            decoded. Pixels of more than three bytes, as in CMYK, count for more. Formats other
            than JPEG and PNG also keep Pillow's limit of 179 million.
    Returns:
        (H, W, 3) uint8, BGR.
    Raises:
        ImageError: if the file is empty, truncated, too large, not an image, or made to take long:
            a JPEG of more than 100 scans, a PNG whose data is longer than its pixels.
        OSError: if it cannot be opened, such as FileNotFoundError.
    """
    path = Path(path)
    with path.open("rb") as file:
        data = read_limited(file, path, maxPixels=maxPixels)
    return decode_image(data, path, maxPixels=maxPixels)


def read_limited(file, name, *, maxPixels=MAX_PIXELS):
    """Return the bytes of an open image file, or raise ImageError if no image takes so many."""
    size, limit = os.fstat(file.fileno()).st_size, PIXEL_BYTES * maxPixels + METADATA_BYTES
    if size > limit:
        raise ImageError(
            f"{name} is too large: {size:,} bytes, more than an image of {maxPixels:,} pixels "
            "takes. Take it away, or raise the limit, maxPixels."
        )
    return file.read()


def decode_image(data, name="the data", *, maxPixels=MAX_PIXELS, grey=False):
    """Do what `read_image` does for the bytes of an image file; `name` is for the messages.

    With `grey` comes (H, W, 1), its one channel; with None so for a grey JPEG or PNG only.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes).")
    found = announced(data, name)
    if grey is None:
        grey = found is not None and found[3] == 1
    if found is None:
        width, height, size = _size_by_pillow(data, name)
    else:
        _, width, height, channels = found
        size = 3  # PNG files are decoded row by row
        if found[0] == "jpeg":
            size = max(3, channels)
    if width * height * size > 3 * maxPixels:
        more = f" of {size} bytes" if size > 3 else ""
        raise ImageError(
            f"{name} is too large: {width}x{height} pixels{more}, more than {maxPixels:,}"
            f"{' of 3' if more else ''}. Make the picture smaller, or raise the limit, maxPixels."
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
    size, scans, pos = None, 0, 2
    for _ in range(MOST_PARTS):
        marker = JPEG_MARKER.match(data, pos)
        code = marker[1][0] if marker else None
        if scans and code == JPEG_EOI[1]:
            return size
        if code not in JPEG_SEGMENTS:
            break
        pos = marker.end()
        if code in JPEG_SOF:
            size = (
                _integer(data, pos + 5, 2),
                _integer(data, pos + 3, 2),
                _integer(data, pos + 7, 1),
            )
        pos += _integer(data, pos, 2)
        if code != JPEG_SOS:
            continue
        if not size or data.rfind(JPEG_EOI, pos) < 0:  # never inside picture data
            break
        scans += 1
        if scans == 1 and data.count(bytes([0xFF, JPEG_SOS]), pos) < MOST_SCANS:
            return size
        if scans > MOST_SCANS:
            raise ImageError(
                f"{name} is a JPEG of more than {MOST_SCANS} scans: it is not decoded."
            )
        marker = JPEG_NEXT_MARKER.search(data, pos)
        pos = marker.start() if marker else len(data)
    raise ImageError(f"{name} is truncated or damaged: the JPEG data stops before its end marker.")


def _check_png(data, name):
    """Check completeness and checksums of the chunks; return (width, height, channels)."""
    pos, header, pictures = len(PNG_SIGNATURE), None, []
    for _ in range(MOST_PARTS):
        kind, end = data[pos + 4 : pos + 8], pos + 8 + _integer(data, pos, 4)
        if end + 4 > len(data):
            break
        if zlib.crc32(memoryview(data)[pos + 4 : end]) != _integer(data, end, 4):
            raise ImageError(f"{name} is damaged: wrong checksum in the PNG chunk {kind!r}.")
        if (kind == b"IHDR") != (header is None):
            raise ImageError(f"{name} is damaged: a PNG begins with one header, and has no other.")
        if kind == b"IHDR":
            header = data[pos + 8 : end].ljust(13, b"\0")
        if kind == b"IDAT":
            pictures.append(memoryview(data)[pos + 8 : end])
        if kind == b"IEND":
            width, height = _integer(header, 0, 4), _integer(header, 4, 4)
            channels = PNG_CHANNELS.get(header[9], 0)
            if sum(map(len, pictures)) > LARGE_PNG:
                # every row begins with a byte for its filter; seven images in an interlaced one
                _check_unpacked(
                    pictures, 2 * height * (width * channels * header[8] // 8 + 2), name
                )
            return width, height, channels
        pos = end + 4
    raise ImageError(f"{name} is truncated: the PNG data stops before its end chunk.")


def _check_unpacked(pictures, most, name):
    """Raise ImageError if the picture data of a PNG is longer than `most` bytes when unpacked.

    OpenCV would unpack all of it, 1,000 times what the file holds, only to throw it away.
    """
    unpacker, size = zlib.decompressobj(), 0
    try:
        for part in pictures:
            rest = part
            while rest and size <= most:
                size += len(unpacker.decompress(rest, LARGE_PNG))
                rest = unpacker.unconsumed_tail
    except zlib.error:  # the decoder says so
        return
    if size > most:
        raise ImageError(f"{name} holds more picture data than its pixels take: it is not decoded.")


def _integer(data, pos, size):
    return int.from_bytes(data[pos : pos + size], "big")


def _size_by_pillow(data, name):
    """Return (width, height, bytes of a pixel) of the rarer formats.

    OpenCV itself refuses truncated ones. Of a TIFF in tiles it may be the size of one of them.
    """
    from PIL import Image  # noqa: PLC0415 (most files never need it)

    try:
        with Image.open(io.BytesIO(data), formats=OTHER_FORMATS) as image:
            sizes, tags = [image.size], getattr(image, "tag_v2", {})
            sizes.append(tuple(int(tags.get(tag, 0)) for tag in TILE_TAGS))
            return *max(sizes, key=math.prod), _pixel_bytes(tags)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large: {error}") from error
    except Exception as error:  # which one depends on the format and the kind of damage
        raise ImageError(
            f"{name} cannot be read as an image of 8 or 16 bits: it is of another kind, such as "
            "floats, its header is damaged, or it is no image."
        ) from error


def _pixel_bytes(tags):
    """Return the bytes of a pixel of a TIFF, at least 3: as many as every image has in the end."""
    bits = tags.get(258, (8,))
    return max(3, int(tags.get(277, 1)) * max(bits) // 8)
