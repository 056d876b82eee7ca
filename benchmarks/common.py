"""What several benchmarks share: the pictures, the settings, and the check of a feed's batches."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import cv2
import h5py
import harness
import numpy as np

from pyimagesearch.datasets.drawn import draw_dogs_vs_cats
from pyimagesearch.datasets.listing import list_images
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
)
from pyimagesearch.utils.parallel import usable_cores

BATCH, STORED, CROP = 128, 256, 227
MEANS = {"R": 124.0, "G": 115.0, "B": 105.0}
BGR_MEANS = np.float32([MEANS["B"], MEANS["G"], MEANS["R"]])
AUGMENTATION = {
    "rotation_range": 20,
    "zoom_range": 0.15,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 8.6,  # degrees: the book's 0.15 radians
    "horizontal_flip": True,
    "fill_mode": "nearest",
}
SLOW_IMAGES = 512  # what the ways of 2017 work on: their rate does not depend on the number


def jpegs(folder, args, count):
    """Return `count` paths of JPEGs, the same ones again where there are too few."""
    if args["photos"]:
        paths = list_images(args["photos"])
    else:
        paths = draw_dogs_vs_cats(folder / "drawn", min(count, 10 if args["quick"] else 200))
        for path in paths:  # the middle size and weight of Kaggle's photographs: 25 KB
            image = cv2.resize(cv2.imread(str(path)), (430, 375))
            cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return [str(path) for path in itertools.islice(itertools.cycle(paths), count)]


def store_images(folder, args, count):
    """Write `count` 256x256 images and their labels as images.npy and labels.npy."""
    aap = AspectAwarePreprocessor(STORED, STORED)
    distinct = {
        path: aap.preprocess(cv2.imread(path)) for path in dict.fromkeys(jpegs(folder, args, count))
    }
    images = np.stack(list(itertools.islice(itertools.cycle(distinct.values()), count)))
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", np.arange(count) % 2)
    np.save(folder / "brightness.npy", images[:SLOW_IMAGES].mean(axis=(0, 1, 2)))


def load_stored(folder, mmap_mode=None):
    """Return (images, labels) of `store_images`."""
    return np.load(folder / "images.npy", mmap_mode), np.load(folder / "labels.npy")


def store_feed_files(folder, args, count=None):
    """Write ours.hdf5, and 2017.hdf5 as the book did, each pixel a float64."""
    store_images(folder, args, count or harness.size(args, 2048, BATCH + 10))
    images, labels = load_stored(folder)
    with HDF5DatasetWriter(images.shape, folder / "ours.hdf5") as writer:
        writer.add(images, labels)
    with h5py.File(folder / "2017.hdf5", "w") as db:
        for key, rows in {"images": images, "labels": labels}.items():
            db[key] = rows[:SLOW_IMAGES].astype("float64" if key == "images" else "int")


def our_steps():
    """Return the preprocessors of the book's AlexNet training."""
    means = MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"])
    return [PatchPreprocessor(CROP, CROP), means, ImageToArrayPreprocessor()]


def checked(folder, batches, *, means=BGR_MEANS, tolerance=6):
    """Make `batches(passes)`, of (images, labels), a run that counts, once a pass did the work.

    It must give every image once, as float32 of the crop's size, and on average as bright as the
    stored images minus the means, within `tolerance` grey levels.
    """
    count, total = 0, 0.0
    for images, labels in batches(1):
        pixels = np.asarray(images)
        assert len(labels) == len(pixels)
        assert pixels.shape[1:] == (CROP, CROP, 3), pixels.shape
        assert pixels.dtype == np.float32, pixels.dtype
        count += len(pixels)
        total += pixels.mean(axis=(1, 2), dtype="float64").sum(axis=0)
    stored = len(np.load(folder / "labels.npy"))
    assert count % stored == 0 or count == SLOW_IMAGES, count
    expected = np.load(folder / "brightness.npy") - means
    assert np.abs(total / count - expected).max() < tolerance, (total / count, expected)
    return lambda passes: sum(len(images) for images, _ in batches(passes))


def bare_run(images, fill):
    """Make a run in which every core calls fill(image, into) on images, and does nothing else.

    The cores take a batch at a time, so that a core that others keep busy holds up none; `into`
    is a place in one of as many batches as there are cores, used again and again.
    """
    cv2.setNumThreads(1)
    free = SimpleQueue()
    for _ in range(usable_cores()):
        free.put(np.empty((BATCH, CROP, CROP, 3), np.float32))

    def work(start):
        batch, part = free.get(), images[start : start + BATCH]
        for image, into in zip(part, batch, strict=False):
            fill(image, into)
        free.put(batch)
        return len(part)

    def run(passes):
        with ThreadPoolExecutor(usable_cores()) as pool:
            return sum(pool.map(work, list(range(0, len(images), BATCH)) * passes))

    return run
