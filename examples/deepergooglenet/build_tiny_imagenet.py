"""Pack Tiny ImageNet into three HDF5 files.

    python examples/deepergooglenet/build_tiny_imagenet.py

Reads DATASET, laid out as tiny-imagenet-200.zip unpacks, and writes hdf5/train.hdf5, val.hdf5 and
test.hdf5 (64x64 uint8 BGR images) and hdf5/mean.json, the channel means of the training images.
The test images are taken from the training images, since the labels of the real ones are secret:
100,000 and 10,000 images become 90,000, 10,000 and 10,000, 1.4 GB in all. After a kill, a power
failure or an error the same command with --resume continues the build.
"""

import argparse
from pathlib import Path

import numpy as np

from config import tiny_imagenet_config as config
from pyimagesearch.datasets.tinyimagenet import class_names, train_images, val_images
from pyimagesearch.io.imagedatasetbuilder import MAX_PIXELS, build_splits
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.DATASET, help="folder that holds wnids.txt")
    ap.add_argument("-o", "--output", help="folder to write (default: hdf5/ in the data set)")
    ap.add_argument(
        "-t",
        "--test-per-class",
        type=positive_int,
        default=config.TEST_PER_CLASS,
        help="training images of each class to keep for the test",
    )
    ap.add_argument("-s", "--seed", type=int, default=config.SEED, help="seed of the split")
    ap.add_argument(
        "-w", "--workers", type=positive_int, help="threads that read (default: every core)"
    )
    ap.add_argument("--strict", action="store_true", help="stop at the first unreadable image")
    ap.add_argument(
        "--max-pixels",
        type=positive_int,
        default=MAX_PIXELS,
        help="leave out images of more pixels, width x height (default: %(default)s)",
    )
    ap.add_argument("--overwrite", action="store_true", help="replace files that exist")
    ap.add_argument(
        "--resume", action="store_true", help="continue a build that was killed, if there is one"
    )
    args = vars(ap.parse_args())

    output = Path(args["output"] or Path(args["dataset"]) / "hdf5")
    # all labels are checked before any image is read
    names = class_names(args["dataset"])
    val = val_images(args["dataset"])
    train, test = split(*train_images(args["dataset"]), args["test_per_class"], args["seed"])
    print(
        f"[INFO] {args['dataset']}: {len(names)} classes, {len(train[0])} images to train, "
        f"{len(val[0])} to validate, {len(test[0])} to test"
    )

    print(f"[INFO] building {output}...")
    built = build_splits(
        {"train": train, "val": val, "test": test},
        output,
        [SimplePreprocessor(config.SIZE, config.SIZE)],
        classLabels=names,
        strict=args["strict"],
        overwrite=args["overwrite"],
        resume=args["resume"],
        workers=args["workers"],
        maxPixels=args["max_pixels"],
        progress=progress,
    )
    print("[INFO] means: " + ", ".join(f"{c} {m:.2f}" for c, m in built["train"].means.items()))
    report_skipped([skip for part in built.values() for skip in part.skipped])


def split(paths, labels, test_per_class, seed):
    """Return (paths, labels) of train and test, shuffled: as many of each class for the test."""
    labels = np.array(labels)
    smallest = np.bincount(labels).min()
    if not 0 < test_per_class < smallest:
        raise ValueError(
            "--test-per-class must leave images of every class to train on. "
            f"Received: {test_per_class} of the {smallest} images in the smallest class."
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    kept = np.zeros(len(labels), dtype=bool)
    for label in range(labels.max() + 1):
        kept[order[labels[order] == label][:test_per_class]] = True
    train, test = order[~kept[order]], order[kept[order]]
    return [([paths[i] for i in rows], labels[rows].tolist()) for rows in (train, test)]


if __name__ == "__main__":
    run(main)
