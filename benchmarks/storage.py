"""Pixels or compressed images in the file: size, and rates of writing and feeding.

python benchmarks/storage.py --photos datasets/kaggle_dogs_vs_cats/train
"""

from functools import partial

import feed
import harness
from common import load_stored, store_images

from pyimagesearch.io import HDF5DatasetWriter

KINDS = {
    "pixels": {},
    "jpeg, quality 95": {"encode": "jpeg", "quality": 95},
    "png": {"encode": "png"},
}


def prepare(folder, args):
    store_images(folder, args, harness.size(args, 1000, 10))
    sizes = []
    for name in KINDS:
        write(name, folder, args)(1)
        size = path(folder, name).stat().st_size / len(load_stored(folder, "r")[0])
        sizes.append(f"{name} {size:,.0f}")
    return f"Bytes for each 256x256 image in the file: {'; '.join(sizes)}."


def path(folder, name):
    return folder / f"{name}.hdf5"


def write(name, folder, args):
    images, labels = load_stored(folder)

    def run(passes):
        for _ in range(passes):
            with HDF5DatasetWriter(
                images.shape, path(folder, name), overwrite=True, **KINDS[name]
            ) as writer:
                for start in range(0, len(images), 100):
                    rows = slice(start, start + 100)
                    writer.add(images[rows], labels[rows])
        return passes * len(images)

    return run


def read(name, folder, args):
    return feed.ours(folder, args, file=path(folder, name))


ROWS = [
    harness.Row(__file__, f"storage, {doing}", {n: partial(way, n) for n in KINDS}, prepare)
    for doing, way in {"writing": write, "feeding crops": read}.items()
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
