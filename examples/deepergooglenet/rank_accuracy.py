"""Measure the rank-1 and rank-5 accuracy of DeeperGoogLeNet on the test images of Tiny ImageNet.

    python examples/deepergooglenet/rank_accuracy.py

Takes the network or checkpoint written last, unless --model names another.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

from config import tiny_imagenet_config as config
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import DeeperGoogLeNet
from pyimagesearch.preprocessing import (
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.training.hdf5 import count_classes, read_means
from pyimagesearch.training.saving import add_unsafe_option, load_network, newest_model
from pyimagesearch.utils.ranked import RankAccuracy
from pyimagesearch.utils.script import positive_int, progress, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.HDF5, help="folder of test.hdf5, mean.json")
    ap.add_argument(
        "-m", "--model", help=f".keras file (default: the one written last in {config.OUTPUT})"
    )
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    add_unsafe_option(ap)
    args = vars(ap.parse_args())
    test = Path(args["dataset"]) / "test.hdf5"

    means = read_means(Path(args["dataset"]) / "mean.json")
    sp = SimplePreprocessor(config.SIZE, config.SIZE)
    mp = MeanPreprocessor(means["R"], means["G"], means["B"])
    iap = ImageToArrayPreprocessor()

    path = args["model"] or newest_model(config.OUTPUT)
    print(f"[INFO] loading {path}...")
    network = DeeperGoogLeNet.build(
        width=config.SIZE, height=config.SIZE, depth=3, classes=count_classes(test)
    )
    model = load_network(path, like=network, unsafe=args["unsafe"])

    print("[INFO] predicting on test data...")  # batch by batch: no prediction is kept
    accuracy = RankAccuracy(ranks=(1, 5))
    with HDF5DatasetGenerator(test, args["batch_size"], [sp, mp, iap], binarize=False) as gen:
        bar = progress("images", gen.numImages)
        for images, labels in gen.generator(passes=1):
            accuracy.update(model.predict_on_batch(images), labels)
            bar.increment(len(images))
        bar.finish()
    rank1, rank5 = accuracy.result()
    print(f"[INFO] rank-1: {rank1:.2%}")
    print(f"[INFO] rank-5: {rank5:.2%}")


if __name__ == "__main__":
    run(main)
