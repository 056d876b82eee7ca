"""Average the images of an LMDB, one at a time, into the mean image that a network subtracts.

    python examples/caffe/dogs_vs_cats/compute_mean.py

Takes the training images alone: what is known of the validation images must not help. The suffix
of the output decides: .binaryproto for Caffe, .npy, or .json for MeanPreprocessor.
"""

import argparse
from pathlib import Path

import numpy as np

from config import caffe_dogs_vs_cats_config as config
from pyimagesearch.caffe import CaffeError, write_mean
from pyimagesearch.caffe.datums import decode_datum, read_datums
from pyimagesearch.utils.script import run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-l", "--lmdb", default=config.TRAIN_LMDB, help="LMDB to average")
    ap.add_argument("-o", "--output", default=config.MEAN, type=Path, help="file to write")
    ap.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    args = vars(ap.parse_args())
    if args["output"].exists() and not args["overwrite"]:
        raise FileExistsError(f"{args['output']} exists. Add --overwrite to replace it.")

    print(f"[INFO] averaging the images of {args['lmdb']}...")
    mean, count = mean_image(args["lmdb"])
    write_mean(args["output"], mean)
    channels = ", ".join(f"{value:.2f}" for value in mean.mean(axis=(1, 2)))
    print(f"[INFO] {args['output']}: {count} images, channel means {channels}")


def mean_image(path):
    """Return the mean of an LMDB's images, (C, H, W) float64, and their number."""
    total, count = None, 0
    for key, datum in read_datums(path):
        image = decode_datum(datum, f"the record {key} of {path}")
        if total is None:
            total = np.zeros(image.shape)
        if image.shape != total.shape:
            raise CaffeError(
                f"The record {key} of {path} is an image of the shape {image.shape}, those before "
                f"are {total.shape}. A mean image needs images of one size."
            )
        total += image
        count += 1
    if not count:
        raise CaffeError(f"{path} is empty: it holds no images.")
    return (total / count).transpose(2, 0, 1), count


if __name__ == "__main__":
    run(main)
