"""Measure AlexNet on the test images: once on each whole image, once averaged over ten crops.

python examples/dogs_vs_cats/crop_accuracy.py
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import cv2
import numpy as np

from config import dogs_vs_cats_config as config
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.preprocessing import (
    CropPreprocessor,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.training.hdf5 import read_means
from pyimagesearch.training.saving import add_unsafe_option, load_network
from pyimagesearch.utils.images import check_image_suffix, write_image
from pyimagesearch.utils.montage import montage
from pyimagesearch.utils.ranked import RankAccuracy, rank_accuracy
from pyimagesearch.utils.script import positive_int, progress, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.HDF5, help="folder of test.hdf5, mean.json")
    ap.add_argument("-m", "--model", default=config.OUTPUT / "alexnet.keras", help=".keras file")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="inputs in a batch")
    ap.add_argument("-o", "--montage", help="picture to write: test images and their verdicts")
    add_unsafe_option(ap)
    args = vars(ap.parse_args())
    if args["montage"]:
        check_image_suffix(args["montage"])
    test, batch_size = Path(args["dataset"]) / "test.hdf5", args["batch_size"]

    means = read_means(Path(args["dataset"]) / "mean.json")
    sp = SimplePreprocessor(config.INPUT_SIZE, config.INPUT_SIZE)
    cp = CropPreprocessor(config.INPUT_SIZE, config.INPUT_SIZE)
    mp = MeanPreprocessor(means["R"], means["G"], means["B"])
    iap = ImageToArrayPreprocessor()

    print("[INFO] loading model...")
    network = AlexNet.build(config.INPUT_SIZE, config.INPUT_SIZE, 3, len(config.CLASSES))
    model = load_network(args["model"], like=network, unsafe=args["unsafe"])

    print("[INFO] predicting on test data (no crops)...")
    accuracy = RankAccuracy(ranks=[1])
    with HDF5DatasetGenerator(test, batch_size, [sp, mp, iap], binarize=False) as gen:
        for images, labels in counted(gen):
            accuracy.update(model.predict_on_batch(images), labels)
    print(f"[INFO] rank-1: {accuracy.result()[0]:.2%}")

    # the crops of several images share a batch: (n, 10, 227, 227, 3) -> (n * 10, 227, 227, 3)
    print("[INFO] predicting on test data (with crops)...")
    ten_crop = []
    with HDF5DatasetGenerator(test, max(1, batch_size // 10), [mp, cp], binarize=False) as gen:
        for images, _ in counted(gen):
            inputs = np.array([iap.preprocess(crop) for crops in images for crop in crops])
            outputs = model.predict_on_batch(inputs)
            ten_crop.extend(outputs.reshape(len(images), 10, -1).mean(axis=1))
        labels = gen.db["labels"][:]
    print(f"[INFO] rank-1: {rank_accuracy(ten_crop, labels, ranks=[1])[0]:.2%}")

    if args["montage"]:
        with HDF5DatasetGenerator(test, 30, binarize=False) as gen:
            images = next(gen.generator(passes=1))[0]
        verdicts = map(verdict, images, ten_crop, labels)
        write_image(args["montage"], montage(verdicts, columns=6, size=(200, 200)))


def verdict(image, probabilities, label):
    """Return the image with the network's answer: green if it is right, red if not."""
    answer = probabilities.argmax()
    colour = (60, 160, 60) if answer == label else (40, 40, 220)
    image = cv2.copyMakeBorder(image, 36, 4, 4, 4, cv2.BORDER_CONSTANT, value=colour)
    text = f"{config.CLASSES[answer]} {probabilities[answer]:.0%}"
    return cv2.putText(
        image, text, (10, 26), cv2.FONT_HERSHEY_DUPLEX, 0.8, (255, 255, 255), 1, cv2.LINE_AA
    )


def counted(gen):
    """Yield the batches of one pass and show how far it is."""
    bar = progress("images", gen.numImages)
    for images, labels in gen.generator(passes=1):
        yield images, labels
        bar.increment(len(images))
    bar.finish()


if __name__ == "__main__":
    run(main)
