"""Pack the dogs vs. cats photographs into three HDF5 files.

    python examples/dogs_vs_cats/build_dogs_vs_cats.py

Reads DATASET/train/cat.N.jpg and dog.N.jpg and writes hdf5/train.hdf5, val.hdf5 and test.hdf5
(256x256 uint8 BGR images) and hdf5/mean.json, the channel means of the training images. Kaggle's
25,000 photographs become 20,000, 2,500 and 2,500 images, 4.9 GB in all; 0.7 GB with --encode jpeg,
which changes the pixels a little, 2.9 GB with --encode png, which keeps them. Both read slower.
After a kill, a power failure or an error the same command with --resume continues the build.
"""

import argparse
from pathlib import Path

from sklearn.model_selection import train_test_split

from config import dogs_vs_cats_config as config
from photographs import find_photographs
from pyimagesearch.io.imagedatasetbuilder import MAX_PIXELS, build_splits
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.DATASET, help="folder that holds train/")
    ap.add_argument("-o", "--output", help="folder to write (default: hdf5/ in the data set)")
    ap.add_argument(
        "-n", "--limit", type=positive_int, help="use only so many images of each class"
    )
    ap.add_argument("-s", "--seed", type=int, default=config.SEED, help="seed of the split")
    ap.add_argument(
        "-w", "--workers", type=positive_int, help="threads that read (default: every core)"
    )
    ap.add_argument("--encode", choices=["jpeg", "png"], help="store compressed images")
    ap.add_argument(
        "--quality", type=positive_int, default=95, help="of the JPEGs, 1 to 100 (default: 95)"
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
    # paths are cut into train, val and test once, before any image is read
    paths, labels = find_photographs(args["dataset"], args["limit"])
    splits = split(paths, labels, args["seed"])

    print(f"[INFO] building {output}...")
    built = build_splits(
        splits,
        output,
        [AspectAwarePreprocessor(config.STORED_SIZE, config.STORED_SIZE)],
        classLabels=config.CLASSES,
        strict=args["strict"],
        overwrite=args["overwrite"],
        resume=args["resume"],
        workers=args["workers"],
        maxPixels=args["max_pixels"],
        encode=args["encode"],
        quality=args["quality"],
        progress=progress,
    )
    print("[INFO] means: " + ", ".join(f"{c} {m:.2f}" for c, m in built["train"].means.items()))
    report_skipped([skip for part in built.values() for skip in part.skipped])


def split(paths, labels, seed):
    """Return {"train": (paths, labels), "val": ..., "test": ...}, every class in proportion."""
    val, test = (round(len(paths) * part) for part in (config.VAL_FRACTION, config.TEST_FRACTION))
    smallest = min(labels.count(label) for label in range(len(config.CLASSES)))
    if min(val, test) < len(config.CLASSES) or smallest < 3:
        raise ValueError(
            f"Too few photographs to keep {config.VAL_FRACTION:.0%} for validation and "
            f"{config.TEST_FRACTION:.0%} for test, with both classes in each. "
            f"Received: {len(paths)}, {smallest} of the smaller class."
        )
    train_val, test, train_val_labels, test_labels = train_test_split(
        paths, labels, test_size=test, stratify=labels, random_state=seed
    )
    train, val, train_labels, val_labels = train_test_split(
        train_val, train_val_labels, test_size=val, stratify=train_val_labels, random_state=seed
    )
    return {
        "train": (train, train_labels),
        "val": (val, val_labels),
        "test": (test, test_labels),
    }


if __name__ == "__main__":
    run(main)
