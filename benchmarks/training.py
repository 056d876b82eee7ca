"""Train AlexNet and ResNet-56: images per second with a feed, and on a ready batch.

    python benchmarks/training.py
    KERAS_BACKEND=torch python benchmarks/training.py --mixed-precision -b 128 -n 8192

The bare limit takes the same steps on one batch that is ready in memory. The share of the time
that training waits for data is 1 - ours / bare limit.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import itertools

import harness
import numpy as np
from common import AUGMENTATION, CROP, load_stored, our_steps, store_feed_files
from feed import book_batches

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.utils.script import positive_int

SHIFTS = {"width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True}


def add_options(ap):
    ap.add_argument("-b", "--batch-size", type=positive_int, help="images in a step (32)")
    ap.add_argument("--mixed-precision", action="store_true", help="compute in 16 bits")


def batch_size(args):
    return args["batch_size"] or (4 if args["quick"] else 32)


def prepare(folder, args):
    count = harness.size(args, 256, 2 * batch_size(args)) // batch_size(args)  # whole batches
    store_feed_files(folder, args, count * batch_size(args))


def alexnet(args):
    from pyimagesearch.nn.conv import AlexNet

    return AlexNet.build(CROP, CROP, 3, 2)


def resnet56(args):
    from pyimagesearch.nn.conv import ResNet

    modules = 1 if args["quick"] else 9
    return ResNet.build(32, 32, 3, 2, (modules,) * 3, (64, 64, 128, 256))


# A feed is a function that returns a function: what `fit` takes, afresh for each run.


def hdf5_feed(folder, args):
    aug = ImageDataGenerator(**AUGMENTATION)
    gen = HDF5DatasetGenerator(
        folder / "ours.hdf5", batch_size(args), our_steps(), aug, shuffle=True, seed=0
    )
    return gen.generator


def old_hdf5_feed(folder, args):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Legacy

    batches = book_batches(folder, batch_size(args), Legacy(**AUGMENTATION))
    return lambda: batches(1_000)


def array_feed(folder, args):
    flow = ImageDataGenerator(**SHIFTS).flow(*cifar_like(folder), batch_size=batch_size(args))
    return lambda: flow


def old_array_feed(folder, args):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Legacy

    flow = Legacy(**SHIFTS).flow(*cifar_like(folder), batch_size=batch_size(args))
    return lambda: flow


def ready(feed):
    """Make a feed that gives the first batch of another one again and again."""

    def repeated(folder, args):
        batch = next(iter(feed(folder, args)()))
        return lambda: (batch for _ in itertools.count())

    return repeated


def cifar_like(folder):
    """Return every eighth pixel, (n, 32, 32, 3) float32 minus its mean image, and labels."""
    images, labels = load_stored(folder)
    images = images[:, ::8, ::8].astype("float32")
    return images - images.mean(axis=0), np.eye(2, dtype="float32")[labels]


def way(build, feed):
    def setup(folder, args):
        import keras

        if args["mixed_precision"]:
            keras.config.set_dtype_policy("mixed_float16")
        keras.utils.set_random_seed(0)
        model = build(args)
        model.compile(keras.optimizers.SGD(0.001), "categorical_crossentropy", metrics=["accuracy"])
        fresh = feed(folder, args)
        steps = -(-len(np.load(folder / "labels.npy", "r")) // batch_size(args))

        def run(passes):
            model.fit(fresh(), steps_per_epoch=steps, epochs=passes, shuffle=False, verbose=0)
            return passes * steps * batch_size(args)

        return run

    return setup


ROWS = [
    harness.Row(
        __file__,
        "training AlexNet",
        {
            "2017": way(alexnet, old_hdf5_feed),
            "ours": way(alexnet, hdf5_feed),
            "bare limit": way(alexnet, ready(hdf5_feed)),
        },
        prepare,
    ),
    harness.Row(
        __file__,
        "training ResNet-56",
        {
            "2017": way(resnet56, old_array_feed),
            "ours": way(resnet56, array_feed),
            "bare limit": way(resnet56, ready(array_feed)),
        },
        prepare,
    ),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__, add_options)
