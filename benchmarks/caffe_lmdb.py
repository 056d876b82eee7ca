"""LMDB to HDF5: the JPEG Datums of a Caffe data set -> uint8 rows of a file.

    python benchmarks/caffe_lmdb.py --photos datasets/kaggle_dogs_vs_cats/train

Twice: photographs of the middle size of Kaggle's, made 256x256 on the way, and such of 256x256 as
convert_imageset keeps with --encoded --resize. The other ways read the LMDB and decode the
Datums with our functions, on one core or on every core, and do nothing else. Needs the package
`lmdb`, to write.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import harness
from common import STORED, jpegs

from pyimagesearch.caffe import lmdb_to_hdf5, write_lmdb
from pyimagesearch.caffe._lmdb import Lmdb
from pyimagesearch.caffe._wire import read_datum
from pyimagesearch.caffe.datums import decode_datum
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils.parallel import usable_cores

BLOCK = 16


def prepare(resize):
    def write(folder, args):
        aap = AspectAwarePreprocessor(STORED, STORED)

        def stored(path):
            if not resize:
                return open(path, "rb").read()  # noqa: PTH123
            image = aap.preprocess(cv2.imread(path))
            return cv2.imencode(".jpg", image)[1].tobytes()

        paths = jpegs(folder, args, harness.size(args, 1000, 20))
        items = ((f"{n:08d}_{path[-60:]}", stored(path), n % 2) for n, path in enumerate(paths))
        count = write_lmdb(folder / "lmdb", items)
        size = (folder / "lmdb" / "data.mdb").stat().st_size / count
        return f"Bytes for each image in the LMDB: {size:,.0f}."

    return write


def ours(folder, args, **options):
    source, target = folder / "lmdb", folder / "ours.hdf5"
    options = {"size": (STORED, STORED), "overwrite": True, **options}

    def run(passes):
        return sum(lmdb_to_hdf5(source, target, **options) for _ in range(passes))

    return run


def decoded(part):
    images = (decode_datum(read_datum(value, key), key) for key, value in part)
    return sum(image.ndim == 3 for image in images)


def one_core(folder, args):
    cv2.setNumThreads(1)

    def run(passes):
        with Lmdb(folder / "lmdb") as db:
            return sum(decoded(db.items()) for _ in range(passes))

    return run


def every_core(folder, args):
    cv2.setNumThreads(1)

    def run(passes):
        count = 0
        with ThreadPoolExecutor(usable_cores()) as pool, Lmdb(folder / "lmdb") as db:
            for _ in range(passes):
                items = db.items()
                parts = iter(lambda items=items: list(itertools.islice(items, BLOCK)), [])
                count += sum(pool.map(decoded, parts))
        return count

    return run


WAYS = {"decoding on one core": one_core, "ours": ours, "bare limit": every_core}
KEPT = {"ours, kept as JPEG": partial(ours, encode="jpeg")}
ROWS = [
    harness.Row(__file__, "LMDB to HDF5, resized", WAYS, prepare(resize=False)),
    harness.Row(__file__, "LMDB to HDF5, 256x256", WAYS | KEPT, prepare(resize=True)),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
