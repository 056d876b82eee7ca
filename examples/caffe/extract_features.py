"""Turn pictures into the numbers of any blob of any Caffe net, for a classifier of one's own.

    python examples/caffe/extract_features.py --net deploy.prototxt --weights net.caffemodel \\
        --blob fc7 --dataset datasets/flowers17/images --output output/fc7.hdf5
    python examples/feature_extraction/train_model.py --db output/fc7.hdf5 --model output/fc7.skops

Pictures come from a folder of one folder for each class, or from an image list (--list, a line
`path label` each). They are resized to the net's input, BGR of 0 to 255, less the mean. The blob is
what it is after the last layer that writes it: fc7 after its ReLU. Maps are flattened in Caffe's
order, C x H x W.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import keras
import numpy as np
from sklearn.utils import shuffle

from pyimagesearch.caffe import (
    HistogramEqualizePreprocessor,
    MeanImagePreprocessor,
    read_image_list,
)
from pyimagesearch.caffe._net import read_net
from pyimagesearch.caffe.build import build_net
from pyimagesearch.caffe.training import copy_weights
from pyimagesearch.datasets import list_class_folders
from pyimagesearch.training.backbone import Backbone
from pyimagesearch.training.features import extract_features
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("--net", required=True, help="deploy.prototxt")
    ap.add_argument("--weights", required=True, help=".caffemodel, or .keras snapshot")
    ap.add_argument("--blob", required=True, help="name of the blob, fc7 say")
    pictures = ap.add_mutually_exclusive_group(required=True)
    pictures.add_argument("-d", "--dataset", help="folder of class folders")
    pictures.add_argument("-l", "--list", help="image list, as ImageData layers read it")
    ap.add_argument("--root", default="", help="put before each path of the list, as it is")
    ap.add_argument("-o", "--output", required=True, help="HDF5 file to write")
    mean = ap.add_mutually_exclusive_group()
    mean.add_argument("--mean", help="mean image to subtract: .binaryproto, .npy or .json")
    mean.add_argument(
        "--mean-value", type=float, nargs="+", metavar="X", help="one number, or B G R, to subtract"
    )
    ap.add_argument("--equalize", action="store_true", help="equalize the histograms first")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=32, help="images in a batch")
    ap.add_argument("--seed", type=int, default=42, help="seed of the order")
    ap.add_argument("--strict", action="store_true", help="stop at the first unreadable image")
    ap.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    args = vars(ap.parse_args())
    if args["mean_value"] and len(args["mean_value"]) not in (1, 3):
        raise ValueError(f"--mean-value takes one number or three. Received: {args['mean_value']}.")

    # shuffled, since train_model.py trains on the first rows and tests on the last ones
    paths, labels, names = find_pictures(args)
    paths, labels = shuffle(paths, labels, random_state=args["seed"])
    print(f"[INFO] {len(paths)} images of {len(names)} classes")

    print(f"[INFO] loading {args['weights']} into {args['net']}...")
    net = CaffeBackbone(blob_model(args["net"], args["weights"], args["blob"]), steps(args))
    print(f"[INFO] extracting {net.features} features of each image...")
    bar = progress("images", len(paths))
    skipped = extract_features(
        paths,
        labels,
        net,
        args["output"],
        classLabels=names,
        batchSize=args["batch_size"],
        strict=args["strict"],
        overwrite=args["overwrite"],
        progress=bar.update,
    )
    bar.finish()
    report_skipped(skipped)


class CaffeBackbone(Backbone):
    """A net of one BGR image input, and the preprocessors between a resized image and it."""

    def __init__(self, model, preprocessors):
        super().__init__(model, model.input_shape[2], model.input_shape[1], preprocessors)

    def prepare(self, images):
        for step in self.preprocess:
            images = [step.preprocess(image) for image in images]
        return np.array(images, np.float32)


def find_pictures(args):
    """Return paths, labels, and the names of the labels 0, 1, ...; of a list, numbers."""
    if args["dataset"]:
        return list_class_folders(args["dataset"])
    paths, labels = read_image_list(args["list"], args["root"])
    if min(labels) < 0:
        raise ValueError(f"{args['list']} has the label {min(labels)}. Labels begin at 0.")
    return [Path(path) for path in paths], labels, [f"class {n}" for n in range(max(labels) + 1)]


def blob_model(prototxt, weights, blob):
    """Return a keras.Model from the net's image to a blob, flat for each image."""
    net = read_net(prototxt)
    built = build_net(net)
    if blob not in built.blobs:
        raise ValueError(f"{prototxt} has no blob {blob!r}. It has {', '.join(built.blobs)}.")
    features = built.blobs[blob]
    if len(features.shape) == 4:
        features = keras.layers.Permute((3, 1, 2))(features)
    shapes = [tuple(tensor.shape) for tensor in built.inputs.values()]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 3:
        raise ValueError(f"Expected a net of one input, colour images. {prototxt} takes {shapes}.")
    model = keras.Model(*built.inputs.values(), features)
    model.caffe_net = net
    copy_weights(model, weights, complete=True)
    return model


def steps(args):
    """Return the preprocessors that the options ask for."""
    chosen = [HistogramEqualizePreprocessor()] if args["equalize"] else []
    if args["mean"]:
        chosen.append(MeanImagePreprocessor(args["mean"]))
    if args["mean_value"]:
        chosen.append(MeanImagePreprocessor(np.resize(args["mean_value"], (3, 1, 1))))
    return chosen


if __name__ == "__main__":
    run(main)
