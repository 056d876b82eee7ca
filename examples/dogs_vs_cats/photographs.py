"""The labelled photographs of the chapter, in Kaggle's layout."""

from pathlib import Path

from config import dogs_vs_cats_config as config
from pyimagesearch.datasets import label_from_name, list_images


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
            "train/cat.0.jpg, or draw a stand-in with draw_dogs_vs_cats.py and name its folder "
            "with --dataset."
        )
    folder = folder / "train" if (folder / "train").is_dir() else folder
    found = {label: [] for label in range(len(config.CLASSES))}
    for path in list_images(folder):
        name = label_from_name(path)
        if name not in config.CLASSES:
            raise ValueError(f"Expected names like cat.0.jpg and dog.0.jpg. Received: {path}.")
        found[config.CLASSES.index(name)].append(path)
    found = {label: paths[:limit] for label, paths in found.items()}
    counts = ", ".join(f"{len(found[i])} {name}s" for i, name in enumerate(config.CLASSES))
    print(f"[INFO] {folder}: {counts}")
    if not all(found.values()):
        raise ValueError(f"Photographs of both classes are needed. Received: {counts}.")
    paths = [path for label in found for path in found[label]]
    return paths, [label for label in found for _ in found[label]]
