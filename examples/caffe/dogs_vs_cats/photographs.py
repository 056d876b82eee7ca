"""The photographs of the tutorial: where they lie, and what they go through."""

from pathlib import Path

import cv2

from config import caffe_dogs_vs_cats_config as config
from pyimagesearch.datasets import label_from_name, list_images
from pyimagesearch.preprocessing import HistogramEqualizePreprocessor, SimplePreprocessor
from pyimagesearch.utils.images import read_image


def find_photographs(dataset, limit=None):
    """Return paths and labels, 0 for cat.N.jpg and 1 for dog.N.jpg.

    Args:
        dataset: folder that holds train/, or the photographs themselves.
        limit: use only so many photographs of each class.
    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it holds no photographs, or one without a label.
    """
    folder = Path(dataset)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Unpack Kaggle's train.zip in it, so that it holds "
            "train/cat.0.jpg, or draw a stand-in with examples/dogs_vs_cats/draw_dogs_vs_cats.py "
            "and name its folder with --dataset."
        )
    folder = folder / "train" if (folder / "train").is_dir() else folder
    found = {name: [] for name in config.CLASSES}
    for path in list_images(folder):
        name = label_from_name(path)
        if name not in found:
            raise ValueError(f"Expected names like cat.0.jpg and dog.0.jpg. Received: {path}.")
        found[name].append(path)
    found = {name: paths[:limit] for name, paths in found.items()}
    counts = ", ".join(f"{len(paths)} {name}s" for name, paths in found.items())
    print(f"[INFO] {folder}: {counts}")
    if not all(found.values()):
        raise ValueError(f"Photographs of both classes are needed. Received: {counts}.")
    labels = [label for label, name in enumerate(config.CLASSES) for _ in found[name]]
    return [path for paths in found.values() for path in paths], labels


def make_reader(width, height):
    """Return a function from a path to what the network sees: (height, width, 3) uint8, BGR."""
    # equalized before the resize, as the tutorial did: networks of its time expect that
    equalize = HistogramEqualizePreprocessor()
    resize = SimplePreprocessor(width, height, cv2.INTER_CUBIC)

    def read(path):
        return resize.preprocess(equalize.preprocess(read_image(path)))

    return read
