"""Feed and augment, as AlexNet's training does: crop, minus means, warp, batches of 128.

    python benchmarks/feed_augmentation.py

The bare limit takes a crop of an array, warps it once and subtracts the means, on every core.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import cv2
import feed
import harness
import numpy as np
from augmentation import albumentations_compose, turned
from common import AUGMENTATION, BGR_MEANS, CROP, bare_run, load_stored, store_feed_files

from pyimagesearch.preprocessing import ImageDataGenerator


def ours(folder, args):
    return feed.ours(folder, args, ImageDataGenerator(**AUGMENTATION))


def book(folder, args):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Legacy

    return feed.book(folder, args, Legacy(**AUGMENTATION))


def torch_and_albumentations(folder, args):
    return feed.torch_loader(folder, args, albumentations_compose())


def bare(folder, args):
    means = np.tile(BGR_MEANS, (CROP, CROP, 1))

    def fill(image, into):
        warped = turned(image[9 : 9 + CROP, 9 : 9 + CROP])
        cv2.subtract(warped, means, into, dtype=cv2.CV_32F)

    return bare_run(load_stored(folder)[0], fill)


WAYS = {
    "2017": book,
    "torch DataLoader + albumentations": torch_and_albumentations,
    "ours": ours,
    "bare limit": bare,
}
ROWS = [harness.Row(__file__, "feed and augmentation", WAYS, store_feed_files)]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
