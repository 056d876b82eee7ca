"""Feed a network: stored 256x256 images -> random 227x227 crops minus means, batches of 128.

    python benchmarks/feed.py
    python benchmarks/feed.py --photos datasets/kaggle_dogs_vs_cats/train

All ways give shuffled float32 batches; 2017's, as printed, come in file order. The bare limit
subtracts the means from crops of an array on every core, and does nothing else.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

from functools import partial

import cv2
import h5py
import harness
import numpy as np
from common import (
    BATCH,
    BGR_MEANS,
    CROP,
    MEANS,
    STORED,
    bare_run,
    checked,
    load_stored,
    our_steps,
    store_feed_files,
    store_images,
)

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.utils.parallel import usable_cores

MARGIN = STORED - CROP + 1


def ours(folder, args, aug=None, file="ours.hdf5", **options):
    def batches(passes):
        with HDF5DatasetGenerator(
            folder / file, BATCH, our_steps(), aug, shuffle=True, seed=0, **options
        ) as gen:
            yield from gen.generator(passes)

    return checked(folder, batches)


def book(folder, args, aug=None):
    return checked(folder, book_batches(folder, BATCH, aug))


def book_batches(folder, batch_size, aug=None):
    """One thread, image after image, as `HDF5DatasetGenerator` and its preprocessors did."""
    from keras.utils import img_to_array, to_categorical
    from sklearn.feature_extraction.image import extract_patches_2d

    def preprocess(image):
        image = extract_patches_2d(image, (CROP, CROP), max_patches=1)[0]
        blue, green, red = cv2.split(image.astype("float32"))
        red -= MEANS["R"]
        green -= MEANS["G"]
        blue -= MEANS["B"]
        return img_to_array(cv2.merge([blue, green, red]))

    def batches(passes):
        with h5py.File(folder / "2017.hdf5") as db:
            for start in list(range(0, len(db["labels"]), batch_size)) * passes:
                images = db["images"][start : start + batch_size]
                labels = to_categorical(db["labels"][start : start + batch_size], 2)
                images = np.array([preprocess(image) for image in images])
                if aug is not None:
                    images, labels = next(aug.flow(images, labels, batch_size=batch_size))
                yield images, labels

    return batches


def tf_data(folder, args):
    import tensorflow as tf

    images, labels = load_stored(folder)
    file = str(folder / "images.tfrecord")
    with tf.io.TFRecordWriter(file) as writer:
        for image, label in zip(images, labels, strict=True):
            writer.write(image.tobytes() + bytes([label]))

    def preprocess(record):
        data = tf.io.decode_raw(record, tf.uint8)
        image = tf.reshape(data[:-1], (STORED, STORED, 3))
        image = tf.image.random_crop(image, (CROP, CROP, 3))
        return tf.cast(image, tf.float32) - BGR_MEANS, tf.one_hot(data[-1], 2)

    def batches(passes):
        records = tf.data.TFRecordDataset(file).shuffle(1024).repeat(passes)
        examples = records.map(preprocess, tf.data.AUTOTUNE, deterministic=False)
        yield from examples.batch(BATCH).prefetch(tf.data.AUTOTUNE)

    return checked(folder, batches)


def torch_loader(folder, args, augment=None):
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Crops(Dataset):
        def __init__(self):
            self.images, self.labels = load_stored(folder, "r")

        def __len__(self):
            return len(self.images)

        def __getitem__(self, i):
            top, left = torch.randint(0, MARGIN, (2,)).tolist()
            image = self.images[i, top : top + CROP, left : left + CROP]
            if augment is not None:
                image = augment(image=image)["image"]
            return cv2.subtract(image, means, dtype=cv2.CV_32F), self.labels[i]

    means = np.tile(BGR_MEANS, (CROP, CROP, 1))
    loader = DataLoader(
        Crops(),
        BATCH,
        shuffle=True,
        num_workers=0 if args["quick"] else usable_cores(),
        worker_init_fn=lambda _: cv2.setNumThreads(0),
        persistent_workers=not args["quick"],
    )

    def batches(passes):
        for _ in range(passes):
            yield from loader

    return checked(folder, batches)


def bare(folder, args):
    means = np.tile(BGR_MEANS, (CROP, CROP, 1))

    def fill(image, into):
        cv2.subtract(image[9 : 9 + CROP, 9 : 9 + CROP], means, into, dtype=cv2.CV_32F)

    return bare_run(load_stored(folder)[0], fill)


WAYS = {
    "2017": book,
    "tf.data": tf_data,
    "torch DataLoader": torch_loader,
    "ours": ours,
    "bare limit": bare,
}


def store_two_sizes(folder, args):
    store_images(folder, args, harness.size(args, 1000, BATCH))
    images, labels = load_stored(folder)
    for name, times in {"once.hdf5": 1, "four_times.hdf5": 4}.items():
        with HDF5DatasetWriter((times * len(images), *images.shape[1:]), folder / name) as writer:
            for _ in range(times):
                writer.add(images, labels)


ROWS = [
    harness.Row(__file__, "feed", WAYS, store_feed_files),
    harness.Row(
        __file__,
        "feed, memory of ours",
        {
            "1,000 images": partial(ours, file="once.hdf5"),
            "4,000 images": partial(ours, file="four_times.hdf5"),
        },
        store_two_sizes,
    ),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
