"""What each thread of a build does: some photographs into one block of rows."""

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.io._encoding import encode_image
from pyimagesearch.utils.images import ImageError, decode_image, read_limited

# More images in a block than this save no time; all blocks under way take so much memory at most.
MOST_IMAGES = 16
MOST_BYTES = 48 * 2**20


@dataclass
class Block:
    """The images of some files, in their order.

    Attributes:
        errors: for each file None, or why it could not be read.
        images: (n, H, W, 3), those that could.
        rows: what to store of them: `images`, or a list of encoded ones.
        sums: of each image's channels over its pixels, (n, 3) float64.
        sources: for each file its size and the time it was changed.
    """

    errors: list
    images: np.ndarray
    rows: list | np.ndarray
    sums: np.ndarray
    sources: list


def block_size(count, workers, image_bytes):
    """Return the number of images in a block, for 2 blocks under way for each worker."""
    # four blocks for each worker, if that many, so that none is left alone with the last one
    fair = -(-count // (4 * workers))
    return max(1, min(MOST_IMAGES, fair, MOST_BYTES // (2 * workers * image_bytes)))


class BlockReader:
    """Function of a list of paths that returns their Block.

    Args:
        size: images in a block at most.
        shape, dtype: of the image that comes out, the same for all.
        preprocessors: applied to each image in turn.
        max_pixels: of the largest image to read.
        encode, quality: as `HDF5DatasetWriter` takes them.
    """

    def __init__(self, size, shape, dtype, preprocessors, max_pixels, encode, quality):
        self.size = size
        self.preprocessors = preprocessors
        self.max_pixels = max_pixels
        self.shape = shape
        self.dtype = dtype
        self.encode = encode
        self.quality = quality
        self._free = deque()
        self._stopped = False

    def __call__(self, paths):
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty((self.size, *self.shape), self.dtype)
        errors, sources, count = [], [], 0
        for path in paths:
            if self._stopped:
                break
            image, error, source = read_prepared(path, self.preprocessors, self.max_pixels)
            errors.append(error)
            sources.append(source)
            if error is None:
                self._check(image, path)
                memory[count] = image
                count += 1
        images = memory[:count]
        rows = images
        if self.encode is not None:
            rows = [encode_image(image, self.encode, self.quality) for image in images]
        # of each image by itself: then the means do not depend on how images fall into blocks
        sums = np.array([cv2.sumElems(image)[:3] for image in images]).reshape(-1, 3)
        return Block(errors, images, rows, sums, sources)

    def stop(self):
        """End the calls under way after the image they are at."""
        self._stopped = True

    def give_back(self, block):
        """Use the memory of a block again: filling fresh memory takes five times as long."""
        self._free.append(block.images.base)

    def _check(self, image, path):
        if (image.shape, image.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f"The preprocessors must make all images alike, {self.dtype} of the shape "
                f"{self.shape} as the first one. Received: {image.dtype} of the shape "
                f"{image.shape} for {path}."
            )


def read_prepared(path, preprocessors, max_pixels):
    """Return (image, None, source), or (None, error, source) where the file holds no usable image.

    `source` is what `source_of` says of the file.

    Raises:
        OSError: if the file vanished, cannot be read, or changed meanwhile: that can be helped, and
            the same file may hold a good image after.
    """
    image = error = None
    try:
        with Path(path).open("rb") as file:
            source = source_of(os.fstat(file.fileno()))
            data = read_limited(file, path, maxPixels=max_pixels)
    except OSError as reason:
        raise OSError(
            reason.errno, f"Cannot read an image: {os.strerror(reason.errno)}", str(path)
        ) from reason
    except ImageError as found:
        return None, found, source
    try:
        image = decode_image(data, path, maxPixels=max_pixels)
    except ImageError as found:
        error = found
    _require_unchanged(path, source, len(data))
    try:
        for preprocessor in preprocessors if error is None else ():
            image = preprocessor.preprocess(image)
    except ValueError as found:  # a size that the preprocessor cannot take
        image, error = None, ImageError(f"{path}: {found}")
    return image, error, source


def source_of(status):
    """Return what tells that a file has changed, of its os.stat_result."""
    return status.st_size, status.st_mtime_ns


def _require_unchanged(path, source, size):
    try:
        after = source_of(Path(path).stat())
    except FileNotFoundError:
        after = None
    if after != source or size != source[0]:
        raise OSError(f"{path} changed while it was read. Wait until nothing writes to it.")
