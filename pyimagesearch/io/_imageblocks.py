"""What each thread of a build does: some photographs into one block of rows."""

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.io._encoding import encode_image
from pyimagesearch.utils.images import ImageError, decode_image

# More images in a block than this save no time; all blocks under way take so much memory at most.
MOST_IMAGES = 16
MOST_BYTES = 48 * 2**20

MAX_PIXELS = 100_000_000  # as read_image


@dataclass
class Block:
    """The images of some files, in their order.

    Attributes:
        errors: for each file None, or why it could not be read.
        images: (n, H, W, 3), those that could.
        rows: what to store of them: `images`, or a list of encoded ones.
        sums: of each image's channels over its pixels, (n, 3) float64.
    """

    errors: list
    images: np.ndarray
    rows: list | np.ndarray
    sums: np.ndarray


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
        errors, count = [], 0
        for path in paths:
            if self._stopped:
                break
            image, error = read_prepared(path, self.preprocessors, self.max_pixels)
            errors.append(error)
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
        return Block(errors, images, rows, sums)

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
    """Return (image, None), or (None, error) where the file holds no image that can be used.

    Raises:
        OSError: if the file vanished, cannot be read, or changed meanwhile: that can be helped, and
            the same file may hold a good image after.
    """
    try:
        with Path(path).open("rb") as file:
            before = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        raise OSError(
            error.errno, f"Cannot read an image: {os.strerror(error.errno)}", str(path)
        ) from error
    try:
        image, error = decode_image(data, path, maxPixels=max_pixels), None
    except ImageError as found:
        image, error = None, found
    _require_unchanged(path, before, len(data))
    if error is not None:
        return None, error
    try:
        for preprocessor in preprocessors:
            image = preprocessor.preprocess(image)
    except ValueError as error:  # a size that the preprocessor cannot take
        return None, ImageError(f"{path}: {error}")
    return image, None


def _require_unchanged(path, before, size):
    try:
        after = Path(path).stat()
    except FileNotFoundError:
        after = None
    if after is None or (size, before.st_size, before.st_mtime_ns) != (
        after.st_size,
        after.st_size,
        after.st_mtime_ns,
    ):
        raise OSError(f"{path} changed while it was read. Wait until nothing writes to it.")
