"""What each thread of a build does: some photographs into one block of rows."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from pyimagesearch.io._encoding import encode_image
from pyimagesearch.utils.images import ImageError, read_image

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
        sums: of each channel over all pixels, (3,) float64.
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
        preprocessors: applied to each image in turn.
        shape, dtype: of the image that comes out, the same for all.
        encode, quality: as `HDF5DatasetWriter` takes them.
    """

    def __init__(self, size, preprocessors, shape, dtype, encode, quality):
        self.size = size
        self.preprocessors = preprocessors
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
            image, error = read_prepared(self.preprocessors, path)
            errors.append(error)
            if error is None:
                self._check(image, path)
                memory[count] = image
                count += 1
        images = memory[:count]
        rows = images
        if self.encode is not None:
            rows = [encode_image(image, self.encode, self.quality) for image in images]
        # exact: whole numbers far below 2**53
        sums = np.array(cv2.sumElems(images.reshape(-1, *self.shape[1:]))[:3]) if count else 0
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


def read_prepared(preprocessors, path):
    """Return (image, None), or (None, error) where the file cannot be read."""
    try:
        image = read_image(path)
    except (ImageError, OSError) as error:
        return None, error
    try:
        for preprocessor in preprocessors:
            image = preprocessor.preprocess(image)
    except ValueError as error:  # a size that the preprocessor cannot take
        return None, ImageError(f"{path}: {error}")
    return image, None
