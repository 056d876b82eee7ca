"""100 images on a laptop must not pay for thread pools: feed and build, opened anew every time.

    python benchmarks/small.py

"ours" uses its default workers; "plain loop" is what one would write without the package.
"""

from functools import partial

import build
import cv2
import h5py
import harness
import numpy as np
from common import BGR_MEANS, CROP, STORED, load_stored, our_steps, store_images

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils.images import read_image

BATCH = 32


def prepare_feed(folder, args):
    store_images(folder, args, harness.size(args, 100, 10))
    images, labels = load_stored(folder)
    with HDF5DatasetWriter(images.shape, folder / "small.hdf5") as writer:
        writer.add(images, labels)


def feed_ours(folder, args, workers=None):
    def run(passes):
        count = 0
        for _ in range(passes):
            with HDF5DatasetGenerator(
                folder / "small.hdf5", BATCH, our_steps(), shuffle=True, seed=0, workers=workers
            ) as gen:
                count += sum(len(images) for images, _ in gen.generator(passes=1))
        return count

    return run


def feed_plain(folder, args):
    rng = np.random.default_rng(0)

    def crop(image):
        top, left = rng.integers(0, STORED - CROP + 1, 2)
        return image[top : top + CROP, left : left + CROP].astype(np.float32) - BGR_MEANS

    def run(passes):
        count = 0
        for _ in range(passes):
            with h5py.File(folder / "small.hdf5") as db:
                images = db["images"][:]
            order = rng.permutation(len(images))
            for start in range(0, len(images), BATCH):
                count += len(np.stack([crop(images[i]) for i in order[start : start + BATCH]]))
        return count

    return run


def prepare_build(folder, args):
    return build.prepare(folder, {**args, "images": harness.size(args, 100, 10)})


def build_plain(folder, args):
    paths = build.load_paths(folder)
    aap = AspectAwarePreprocessor(STORED, STORED)

    def run(passes):
        for _ in range(passes):
            images = np.stack([aap.preprocess(read_image(path)) for path in paths])
            with h5py.File(folder / "plain.hdf5", "w") as db:
                db["images"], db["means"] = images, cv2.mean(images.reshape(1, -1, 3))[:3]
        return passes * len(paths)

    return run


def ways(ours, plain):
    return {"plain loop": plain, "0 workers": partial(ours, workers=0), "ours": ours}


ROWS = [
    harness.Row(__file__, "100 images, feed", ways(feed_ours, feed_plain), prepare_feed),
    harness.Row(__file__, "100 images, build", ways(build.ours, build_plain), prepare_build),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
