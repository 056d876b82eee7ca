"""Feed and augment, as AlexNet's training does: crop, minus means, warp, batches of 128.

    python benchmarks/feed_augmentation.py

The bare limit takes a crop of an array, warps it once and subtracts the means, on every core.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

from concurrent.futures import ThreadPoolExecutor

import cv2
import feed
import harness
import numpy as np
from augmentation import albumentations_compose
from common import AUGMENTATION, BATCH, BGR_MEANS, CROP, load_stored, store_feed_files

from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.utils.parallel import usable_cores


def ours(folder, args):
    return feed.ours(folder, args, ImageDataGenerator(**AUGMENTATION))


def book(folder, args):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Legacy

    return feed.book(folder, args, Legacy(**AUGMENTATION))


def torch_and_albumentations(folder, args):
    return feed.torch_loader(folder, args, albumentations_compose())


def bare(folder, args):
    images, _ = load_stored(folder)
    cv2.setNumThreads(1)
    means = np.tile(BGR_MEANS, (CROP, CROP, 1))
    workers = usable_cores()
    matrix = cv2.getRotationMatrix2D((CROP / 2, CROP / 2), 10, 1.05)

    def work(share):
        batch = np.empty((BATCH, CROP, CROP, 3), np.float32)
        for i, image in enumerate(share):
            warped = cv2.warpAffine(image[9 : 9 + CROP, 9 : 9 + CROP], matrix, (CROP, CROP))
            cv2.subtract(warped, means, batch[i % BATCH], dtype=cv2.CV_32F)
        return len(share)

    def run(passes):
        with ThreadPoolExecutor(workers) as pool:
            return sum(pool.map(work, [images[i::workers] for i in range(workers)] * passes))

    return run


WAYS = {
    "2017": book,
    "torch DataLoader + albumentations": torch_and_albumentations,
    "ours": ours,
    "bare limit": bare,
}
ROWS = [harness.Row(__file__, "feed and augmentation", WAYS, store_feed_files)]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
