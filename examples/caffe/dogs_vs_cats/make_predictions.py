"""Predict unlabelled photographs and write Kaggle's submission file.

    python examples/caffe/dogs_vs_cats/make_predictions.py \\
        --weights output/caffe/dogs_vs_cats/caffenet_iter_40000.keras

The weights are a snapshot of `python -m pyimagesearch.caffe train` or a .caffemodel. For those of
the transfer add --net examples/caffe/dogs_vs_cats/transfer_deploy.prototxt. submission.csv has a
line `id,label` for each photograph, in the order of the ids: the last number in the file's name,
and 0 for a cat or 1 for a dog.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import sys
from pathlib import Path

import numpy as np

from config import caffe_dogs_vs_cats_config as config
from photographs import make_reader
from pyimagesearch.caffe import MeanImagePreprocessor, load_caffe
from pyimagesearch.caffe.training import copy_weights
from pyimagesearch.classify import classify, file_numbers, find_images, write_submission
from pyimagesearch.utils.script import positive_int, report_skipped, run

DEPLOY = Path(__file__).resolve().parent / "caffenet_deploy.prototxt"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-w", "--weights", required=True, help=".keras snapshot or .caffemodel")
    ap.add_argument("-n", "--net", default=DEPLOY, help="its deploy.prototxt")
    ap.add_argument("-m", "--mean", default=config.MEAN, help="mean image of the training")
    ap.add_argument("-i", "--images", default=config.UNLABELLED, help="folder of photographs")
    ap.add_argument("-o", "--output", default=config.SUBMISSION, type=Path, help="CSV to write")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    ap.add_argument("--overwrite", action="store_true", help="replace the CSV if it exists")
    args = vars(ap.parse_args())
    if args["output"].exists() and not args["overwrite"]:
        raise FileExistsError(f"{args['output']} exists. Add --overwrite to replace it.")
    paths = find_images([args["images"]])
    ids = file_numbers(paths)

    print(f"[INFO] loading {args['weights']} into {args['net']}...")
    model = load_caffe(args["net"])
    copy_weights(model, args["weights"], complete=True)
    read_image = make_reader(*reversed(model.input_shape[1:3]))
    subtract = MeanImagePreprocessor(args["mean"])

    def read(path):
        return subtract.preprocess(read_image(path))[np.newaxis]

    print(f"[INFO] predicting {len(paths)} images...")
    readable, probabilities, skipped = classify(model, read, paths, args["batch_size"])
    labels = probabilities.argmax(axis=1)
    write_submission(args["output"], [ids[path] for path in readable], labels)
    counts = np.bincount(labels, minlength=len(config.CLASSES))
    found = ", ".join(f"{n} {name}s" for name, n in zip(config.CLASSES, counts, strict=True))
    print(f"[INFO] {args['output']}: {found}")
    report_skipped(skipped)
    if skipped:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
