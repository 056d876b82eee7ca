"""Classify pictures with a network that a chapter trained.

    python -m pyimagesearch.classify output/dogs_vs_cats/alexnet.keras photos/ \\
        --means datasets/kaggle_dogs_vs_cats/hdf5/mean.json --crops 10 --aspect-aware

The pictures must reach the network as its training images did. Without these options it sees BGR
of 0 to 255:
    --means mean.json                     AlexNet, Tiny ImageNet
    --rgb --rescale                       the CIFAR-10 ensemble
    --rgb --mean-image model_mean.npy     MiniGoogLeNet and ResNet on CIFAR-10
    --aspect-aware --preprocessing caffe  fine-tuned VGG16 (a .keras body: as in its training)

With --csv it writes Kaggle's submission file instead of printing: a line `id,label` for each
picture in the order of the ids. The id is the last number in the file's name; the label is the
number of the likeliest class: 1 is a dog in dogs vs. cats.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import csv
import itertools
import json
import re
import sys
from pathlib import Path

import numpy as np

from pyimagesearch.callbacks.checkpointnote import LEGACY
from pyimagesearch.datasets import list_images
from pyimagesearch.training.inputs import make_reader
from pyimagesearch.training.prediction import predict_batches
from pyimagesearch.training.saving import add_unsafe_option, read_model
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.hdf5safety import open_hdf5, read_names
from pyimagesearch.utils.images import ImageError
from pyimagesearch.utils.parallel import ordered_map
from pyimagesearch.utils.script import progress, report_skipped, run


def main(argv=None):
    args = parse(argv)
    if args.csv and Path(args.csv).exists() and not args.overwrite:
        raise FileExistsError(f"{args.csv} exists. Add --overwrite to replace it.")
    paths = find_images(args.images)
    ids = file_numbers(paths) if args.csv else {}
    model = load_model(args.model, unsafe=args.unsafe)
    names = class_names(args.labels, model.output_shape[1])
    if args.csv_probability and len(names) != 2:
        raise ValueError(f"--csv-probability is for two classes. {args.model} has {len(names)}.")
    read, words = make_reader(
        model,
        means=args.means,
        meanImage=args.mean_image,
        rescale=args.rescale,
        preprocessing=args.preprocessing,
        rgb=args.rgb,
        aspectAware=args.aspect_aware,
        crops=args.crops,
    )
    print(f"[INFO] inputs: {words}")
    readable, probabilities, skipped = classify(model, read, paths, args.batch_size)

    if args.csv:
        labels = probabilities.argmax(axis=1)
        if args.csv_probability:
            labels = [f"{probability:.6f}" for probability in probabilities[:, 1]]
        write_submission(args.csv, [ids[path] for path in readable], labels)
        print(f"[INFO] {args.csv}: {len(readable)} images")
    else:
        print_best(readable, probabilities, names, args.top)
    report_skipped(skipped)
    if skipped:
        sys.exit(1)


def parse(argv):
    """Return the options of the command line."""
    ap = argparse.ArgumentParser(
        prog="python -m pyimagesearch.classify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ap.add_argument("model", help=".keras file, or .hdf5 in the format of 2017")
    ap.add_argument("images", nargs="+", metavar="image", help="picture, or folder of pictures")
    values = ap.add_mutually_exclusive_group()
    values.add_argument("--means", help='JSON file of {"R": , "G": , "B": } to subtract')
    values.add_argument("--mean-image", help=".npy file of an image to subtract")
    values.add_argument("--rescale", action="store_true", help="divide by 255")
    values.add_argument(
        "--preprocessing",
        choices=["tf", "torch", "caffe"],
        help="input range of a fine-tuned Keras application; tf is RGB of -1 to 1",
    )
    ap.add_argument("--rgb", action="store_true", help="the network was trained on RGB, not BGR")
    ap.add_argument(
        "--aspect-aware", action="store_true", help="cut the longer side, do not distort"
    )
    ap.add_argument("--crops", type=int, choices=[1, 5, 10], default=1, help="crops to average (1)")
    ap.add_argument("--labels", help="class names: a text file, JSON list or HDF5 file")
    ap.add_argument("--top", type=_positive, default=5, help="classes to print (5)")
    ap.add_argument("--batch-size", type=_positive, default=64, help="inputs in a batch (64)")
    ap.add_argument("--csv", help="write this file, in the format of a Kaggle submission")
    ap.add_argument(
        "--csv-probability",
        action="store_true",
        help="label is the probability of class 1 of two, for contests scored by log loss",
    )
    ap.add_argument("--overwrite", action="store_true", help="replace the --csv file if it exists")
    add_unsafe_option(ap)
    return ap.parse_args(argv)


def find_images(names):
    """Return paths: files as they are, folders as the images in and below them."""
    paths = []
    for path in map(Path, names):
        paths += list_images(path) if path.is_dir() else [path]
    return paths


def file_numbers(paths):
    """Return path -> last number in its name: "test/12.jpg" and "dog.12.jpg" give 12.

    Raises:
        ValueError: if a name has no number, or two files have the same.
    """
    numbers, owners = {}, {}
    for path in paths:
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise ValueError(f"--csv takes the id from the file name. {path} has no number in it.")
        number = numbers[path] = int(digits[-1])
        if number in owners:
            raise ValueError(f"{owners[number]} and {path} would both have the id {number}.")
        owners[number] = path
    return numbers


def load_model(path, *, unsafe=False):
    """Load a network; a file that would run code is refused, unless `unsafe` is set.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no Keras model from images to class probabilities.
    """
    path = Path(path)
    if path.is_file() and path.suffix not in (".keras", *LEGACY):
        raise ValueError(f"A model is a .keras or .hdf5 file. Received: {path}.")
    model = read_model(path, compile=False, unsafe=unsafe)
    shapes = [tuple(tensor.shape) for tensor in [*model.inputs, *model.outputs]]
    if list(map(len, shapes)) != [4, 2] or None in shapes[0][1:] or shapes[1][1] < 2:
        raise ValueError(
            "Expected a network from (n, height, width, channels) images of fixed size to "
            f"(n, classes) probabilities of two classes or more. The inputs and outputs of {path} "
            f"have the shapes {', '.join(map(str, shapes))}."
        )
    return model


def class_names(path, classes):
    """Return the names in a text file (one a line), a JSON list or an HDF5 data set's file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no names, or not as many as there are classes.
    """
    if path is None:
        return [f"class {number}" for number in range(classes)]
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No class names at {path}.")
    try:
        if path.suffix in {".hdf5", ".h5"}:
            with open_hdf5(path) as db:
                names = read_names(db)
        elif path.suffix == ".json":
            names = json.loads(path.read_text(encoding="utf-8-sig"))
            if not isinstance(names, list):
                raise TypeError("it is no list")
            names = [str(name) for name in names]
        else:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            names = [line.strip() for line in lines if line.strip()]
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} holds no class names: {error}. Expected a text file of one name a line, a "
            'JSON list (.json), or an HDF5 file with "label_names" (.hdf5).'
        ) from error
    if len(names) != classes:
        raise ValueError(f"{path} names {len(names)} classes. The network tells {classes} apart.")
    return names


def classify(model, read, paths, batch_size):
    """Return the readable paths, their (n, classes) probabilities and [(path, error)] of others.

    A path's probabilities are the mean over the inputs (crops) that `read` makes of it.

    Raises:
        ValueError: if no image can be read, or the outputs are no probabilities.
    """
    readable, skipped = [], []
    bar = progress("images", len(paths)) if len(paths) > batch_size else None

    def attempt(path):
        try:
            return read(path), None
        except (ImageError, OSError) as error:
            return None, error

    def inputs():
        for path, (array, error) in zip(paths, ordered_map(attempt, paths), strict=True):
            if error is None:
                readable.append(path)
                yield array
            else:
                skipped.append((path, error))
            if bar is not None:
                bar.increment()
        if bar is not None:
            bar.finish()

    arrays = inputs()
    first = next(arrays, None)
    if first is None:
        raise ValueError(f"None of the {len(paths)} images could be read. {skipped[0][1]}")
    outputs = predict_batches(model, itertools.chain([first], arrays), batch_size)
    sums = outputs.sum(axis=1)
    if not (np.allclose(sums, 1, atol=0.01) and outputs.min() >= 0):
        raise ValueError(
            f"The network's outputs are no probabilities: those of {readable[0]} add up to "
            f"{sums[0]:.4g}. Its last layer must be a softmax; NaN means that training diverged."
        )
    return readable, outputs.reshape(len(readable), len(first), -1).mean(axis=1), skipped


def print_best(paths, probabilities, names, top):
    """Print the `top` likeliest classes of each image."""
    width = max(map(len, names))
    for path, row in zip(paths, probabilities, strict=True):
        print(path)
        for place, best in enumerate(np.argsort(-row, kind="stable")[:top], start=1):
            print(f"    {place}. {names[best]:{width}} {row[best]:7.2%}")


def write_submission(path, ids, labels):
    """Write a line `id,label` for each image, in the order of the ids."""
    rows = sorted(zip(ids, labels, strict=True), key=lambda row: row[0])
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id", "label"), *rows])


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, not {text!r}")
    return int(text)


if __name__ == "__main__":
    run(main)
