"""Pack labelled photographs of cats and dogs into two LMDBs, as Caffe reads them.

    python examples/caffe/dogs_vs_cats/create_lmdb.py

Reads DATASET/train/cat.N.jpg and dog.N.jpg, equalizes the histogram of each channel, resizes to
227x227, and writes train_lmdb (5/6 of the images) and validation_lmdb (1/6): raw BGR Datums in
shuffled order, label 0 for cats and 1 for dogs. Kaggle's 25,000 photographs become 20,833 and
4,167, 4 GB in all. Needs the package lmdb: pip install "pyimagesearch[caffe]".
"""

import argparse
import contextlib
import random
from pathlib import Path

from config import caffe_dogs_vs_cats_config as config
from photographs import find_photographs, make_reader
from pyimagesearch.caffe import write_lmdb
from pyimagesearch.utils.images import ImageError
from pyimagesearch.utils.parallel import ordered_map
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.DATASET, help="folder that holds train/")
    ap.add_argument("-o", "--output", default=config.OUTPUT, type=Path, help="folder to write")
    ap.add_argument("--size", type=positive_int, default=config.SIZE, help="pixels a side (227)")
    ap.add_argument(
        "-n", "--limit", type=positive_int, help="use only so many images of each class"
    )
    ap.add_argument("-s", "--seed", type=int, default=config.SEED, help="seed of the order")
    ap.add_argument("--strict", action="store_true", help="stop at the first unreadable image")
    ap.add_argument("--overwrite", action="store_true", help="replace LMDBs that exist")
    args = vars(ap.parse_args())

    targets = [args["output"] / path.name for path in (config.TRAIN_LMDB, config.VALIDATION_LMDB)]
    for target in targets:
        if target.exists() and not args["overwrite"]:
            raise FileExistsError(f"{target} exists. Add --overwrite to replace it.")
    numbered = shuffled(*find_photographs(args["dataset"], args["limit"]), args["seed"])
    train = [row for row in numbered if row[0] % config.EVERY]
    validation = [row for row in numbered if row[0] % config.EVERY == 0]

    skipped = []
    for target, rows in zip(targets, (train, validation), strict=True):
        print(f"[INFO] writing {target}...")
        with contextlib.closing(items(rows, args["size"], args["strict"], skipped)) as images:
            count = write_lmdb(target, images, overwrite=args["overwrite"])
        print(f"[INFO] {count} images")
    report_skipped(skipped)


def shuffled(paths, labels, seed):
    """Return [(number, path, label)] in an order of the seed, numbered from 0."""
    pairs = list(zip(paths, labels, strict=True))
    random.Random(seed).shuffle(pairs)
    return [(number, path, label) for number, (path, label) in enumerate(pairs)]


def items(rows, size, strict, skipped):
    """Yield (key, image, label) of each readable photograph; images are read in threads."""
    read = make_reader(size, size)

    def attempt(row):
        try:
            return row, read(row[1]), None
        except (ImageError, OSError) as error:
            return row, None, error

    bar = progress("images", len(rows))
    with contextlib.closing(ordered_map(attempt, rows)) as images:
        for (number, path, label), image, error in images:
            if error is None:
                yield f"{number:05d}", image, label  # LMDB sorts by the key: the shuffled order
            elif strict:
                raise error
            else:
                skipped.append((path, error))
            bar.increment()
    bar.finish()


if __name__ == "__main__":
    run(main)
