"""Images per second that reach the network: the 2017 way against ours.

    python benchmarks/feed.py

Three kinds of work on random pictures: feeding crops from an HDF5 file, augmenting an array, and
both together. Both ways are measured in turn, several times, so that a busy machine slows them
alike. The table shows medians; the ratio in the last column counts, not the rates.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator as LegacyGenerator

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.preprocessing import (
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
)
from pyimagesearch.utils.script import positive_int, run

BATCH = 128
MEANS = (124.0, 115.0, 105.0)  # red, green, blue
AUGMENTATION = {
    "rotation_range": 20,
    "zoom_range": 0.15,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 8.6,
    "horizontal_flip": True,
    "fill_mode": "nearest",
}


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-n", "--images", type=positive_int, default=512, help="pictures to feed")
    ap.add_argument("-r", "--repeats", type=positive_int, default=5, help="measurements of each")
    args = vars(ap.parse_args())

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (args["images"], 256, 256, 3), np.uint8)
    labels = np.arange(args["images"]) % 2
    with tempfile.TemporaryDirectory() as folder:
        path, old_path = Path(folder) / "ours.hdf5", Path(folder) / "book.hdf5"
        with HDF5DatasetWriter(images.shape, path) as writer:
            writer.add(images, labels)
        with h5py.File(old_path, "w") as db:  # the book stored every pixel as a float64
            db["images"], db["labels"] = images.astype("float64"), labels
        crops = images[:, :227, :227].astype("float32")
        work = {
            "feed": (lambda: old_feed(old_path), lambda: our_feed(path)),
            "augmentation": (
                lambda: old_flow(crops, labels),
                lambda: our_flow(images[:, :227, :227], labels),
            ),
            "feed and augmentation": (
                lambda: old_feed(old_path, LegacyGenerator(**AUGMENTATION)),
                lambda: our_feed(path, ImageDataGenerator(**AUGMENTATION)),
            ),
        }
        print(f"{'images/s':24}{'2017':>10}{'ours':>10}{'ratio':>8}")
        for name, ways in work.items():
            rates = [[], []]
            for _ in range(args["repeats"]):
                for way, measured in zip(ways, rates, strict=True):
                    start = time.perf_counter()
                    assert way() == len(images)
                    measured.append(len(images) / (time.perf_counter() - start))
            old, ours = map(statistics.median, rates)
            print(f"{name:24}{old:10.0f}{ours:10.0f}{ours / old:8.1f}", flush=True)


def our_feed(path, aug=None):
    """One shuffled pass; returns the number of images."""
    steps = [PatchPreprocessor(227, 227), MeanPreprocessor(*MEANS), ImageToArrayPreprocessor()]
    with HDF5DatasetGenerator(path, BATCH, steps, aug, shuffle=True, seed=0) as gen:
        return sum(len(batch) for batch, _ in gen.generator(passes=1))


def old_feed(path, aug=None):
    """The same in the manner of 2017: one thread, float64 rows, image by image."""
    rng, seen = np.random.default_rng(0), 0
    with h5py.File(path) as db:
        for start in range(0, len(db["images"]), BATCH):
            batch = []
            for image in db["images"][start : start + BATCH]:
                top, left = rng.integers(0, 30, 2)
                patch = image[top : top + 227, left : left + 227].astype("float32")
                blue, green, red = patch[..., 0], patch[..., 1], patch[..., 2]
                patch = np.stack([blue - MEANS[2], green - MEANS[1], red - MEANS[0]], axis=-1)
                batch.append(patch)
            batch = np.array(batch)
            if aug is not None:
                batch = next(aug.flow(batch, batch_size=len(batch)))
            seen += len(batch)
    return seen


def old_flow(images, labels):
    flow = LegacyGenerator(**AUGMENTATION).flow(images, labels, batch_size=BATCH, seed=0)
    return sum(len(next(flow)[0]) for _ in range(len(flow)))


def our_flow(images, labels):
    flow = ImageDataGenerator(**AUGMENTATION).flow(images, labels, batch_size=BATCH, seed=0)
    return sum(len(next(flow)[0]) for _ in range(len(flow)))


if __name__ == "__main__":
    run(main)
