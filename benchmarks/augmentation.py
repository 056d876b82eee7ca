"""Augment 227x227 images: rotation, zoom, shifts, shear and flip, float32 batches of 128.

    python benchmarks/augmentation.py

The bare limit is one affine warp of each image on every core, with nothing drawn at random, and
its result as floats.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import os
from queue import SimpleQueue

import cv2
import harness
import numpy as np
from common import (
    AUGMENTATION,
    BATCH,
    CROP,
    SLOW_IMAGES,
    bare_run,
    checked,
    load_stored,
    store_images,
)

from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.utils.parallel import ordered_map, usable_cores


def prepare(folder, args):
    store_images(folder, args, harness.size(args, 2048, BATCH + 10))


def load_crops(folder, count=None):
    images, labels = load_stored(folder, "r")
    return np.ascontiguousarray(images[:count, 14 : 14 + CROP, 14 : 14 + CROP]), labels[:count]


def ours(folder, args):
    return of_flow(folder, ImageDataGenerator(**AUGMENTATION), *load_crops(folder))


def book(folder, args):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Legacy

    crops, labels = load_crops(folder, SLOW_IMAGES)
    return of_flow(folder, Legacy(**AUGMENTATION), crops.astype("float32"), labels)


def of_flow(folder, aug, crops, labels):
    flow = aug.flow(crops, labels, batch_size=BATCH, seed=0)

    def batches(passes):
        for _ in range(passes * len(flow)):
            yield next(flow)

    return checked(folder, batches, means=0)


def albumentations_compose():
    """Return the same augmentation, made of albumentations' parts."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would look for a newer version online
    import albumentations as A

    affine = A.Affine(
        scale={"x": (0.85, 1.15), "y": (0.85, 1.15)},
        translate_percent={"x": (-0.2, 0.2), "y": (-0.2, 0.2)},
        rotate=(-20, 20),
        shear={"x": (-8.6, 8.6), "y": (0, 0)},
        border_mode=cv2.BORDER_REPLICATE,
        p=1,
    )
    return A.Compose([affine, A.HorizontalFlip(p=0.5)])


def albumentations(folder, args):
    """A thread for each core, each with an augmenter of its own, makes whole batches."""
    crops, labels = load_crops(folder)
    cv2.setNumThreads(1)
    workers = usable_cores()
    free = SimpleQueue()
    for _ in range(workers):
        free.put(albumentations_compose())

    def make(part):
        augment = free.get()
        batch = np.empty((len(part), CROP, CROP, 3), np.float32)
        for into, i in zip(batch, part, strict=True):
            into[:] = augment(image=crops[i])["image"]
        free.put(augment)
        return batch, labels[part]

    def batches(passes):
        rng = np.random.default_rng()
        orders = (rng.permutation(len(crops)) for _ in range(passes))
        parts = (
            order[start : start + BATCH]
            for order in orders
            for start in range(0, len(order), BATCH)
        )
        return ordered_map(make, parts, workers=workers, ahead=workers + 1)

    return checked(folder, batches, means=0)


def keras_layers(folder, args):
    """What Keras 3 offers in place of ImageDataGenerator; it interpolates once for each layer."""
    import tensorflow as tf
    from keras import layers

    crops, labels = load_crops(folder, SLOW_IMAGES)
    parts = [
        layers.RandomRotation(20 / 360, fill_mode="nearest"),
        layers.RandomTranslation(0.2, 0.2, fill_mode="nearest"),
        layers.RandomShear(x_factor=0.15, fill_mode="nearest"),
        layers.RandomZoom(0.15, 0.15, fill_mode="nearest"),
        layers.RandomFlip("horizontal"),
    ]

    def augment(images, labels):
        images = tf.cast(images, tf.float32)
        for layer in parts:
            images = layer(images, training=True)
        return images, labels

    def batches(passes):
        data = tf.data.Dataset.from_tensor_slices((crops, labels)).shuffle(1024).repeat(passes)
        data = data.batch(BATCH).map(augment, tf.data.AUTOTUNE)
        yield from data.prefetch(tf.data.AUTOTUNE)

    return checked(folder, batches, means=0)


def bare(folder, args):
    def fill(image, into):
        into[:] = turned(image)

    return bare_run(load_crops(folder)[0], fill)


def turned(image):
    """Warp an image the way that costs OpenCV least: by a matrix that needs no inversion."""
    matrix = cv2.getRotationMatrix2D((CROP / 2, CROP / 2), 10, 1)
    return cv2.warpAffine(
        image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


WAYS = {
    "2017": book,
    "albumentations": albumentations,
    "Keras layers in tf.data": keras_layers,
    "ours": ours,
    "bare limit": bare,
}
ROWS = [harness.Row(__file__, "augmentation", WAYS, prepare)]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
