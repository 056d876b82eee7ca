"""Find image files, and read their labels off their paths."""

import os
import re
import warnings
from pathlib import Path

import numpy as np

from pyimagesearch.utils.links import leaves

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
LABELLED_NAME = re.compile(r"(?P<label>[^.].*)\.[0-9]+\.[^.]+")


def list_images(folder):
    """Return the sorted paths of all image files in `folder` and the folders below it.

    The suffix decides (`IMAGE_SUFFIXES`, upper or lower case). Hidden files and folders are left
    out without a word, as are other files and links to folders inside `folder`. Links that leave
    `folder` or lead nowhere are not followed either, but a warning or the error counts them. The
    order is that of the paths as text, so "cat.10.jpg" stands before "cat.2.jpg", and the same on
    every platform.

    Warns:
        UserWarning: once, if there were such links beside the images.
    Raises:
        FileNotFoundError, NotADirectoryError: if `folder` is missing or a file.
        ValueError: if no image is in it.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}. Create it and put the images there.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file where a folder with images was expected.")
    root, paths, links = folder.resolve(), [], []
    for parent, folders, names in os.walk(folder, onerror=_stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links += [path for name in folders if leaves(path := Path(parent, name), root)]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            if leaves(path, root):
                links.append(path)
            elif path.is_file():
                paths.append(path)
    passed = ""
    if links:
        passed = (
            f"{len(links)} links that leave the folder or lead nowhere were not followed, such as "
            f"{min(links)}. Copy the files, or give the folder they point to."
        )
    if not paths:
        raise ValueError(
            f"No images in {folder} or below it. Looked for names ending in "
            f"{', '.join(IMAGE_SUFFIXES)}. {passed}".rstrip()
        )
    if passed:
        warnings.warn(f"In {folder} {passed}", stacklevel=2)
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def list_class_folders(folder):
    """Return the images of a folder that holds one folder for each class.

    Returns:
        paths: sorted list of image paths, each `<folder>/<class>/<image>`.
        labels: (N,) array of ints, the class of each path as an index into `names`.
        names: sorted list of str, the names of the class folders.
    Raises:
        FileNotFoundError, NotADirectoryError: if `folder` is missing or a file.
        ValueError: if the images lie otherwise, or in fewer than two classes.
    """
    folder = Path(folder)
    paths = list_images(folder)
    expected = f"Expected {folder}/<class>/<image>, one folder for each of two classes or more."
    for path in paths:
        depth = len(path.relative_to(folder).parts)
        if depth != 2:
            where = "in no class folder" if depth == 1 else "deeper"
            raise ValueError(f"{expected} Found: {path}, which lies {where}.")
    names = sorted({path.parent.name for path in paths})
    if len(names) < 2:
        raise ValueError(f"{expected} Found: only {names[0]!r}.")
    empty = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
    empty = sorted(empty.difference(names))
    if empty:
        raise ValueError(
            f"{expected} Found: no images in {', '.join(empty)}. Fill such folders or remove them."
        )
    labels = np.array([names.index(path.parent.name) for path in paths])
    return paths, labels, names


def label_from_folder(path):
    """Return the name of the folder a file lies in: "photos/cat/1.jpg" gives "cat"."""
    label = Path(os.path.abspath(path)).parent.name  # noqa: PTH100 (resolve() would follow links)
    if not label:
        raise ValueError(f"{path} lies in no folder whose name could be its label.")
    return label


def label_from_name(path):
    """Return the part of a file's name before its number: "train/cat.12.jpg" gives "cat".

    Raises:
        ValueError: if the name does not have the form `<label>.<number>.<ext>`.
    """
    match = LABELLED_NAME.fullmatch(Path(path).name)
    if match is None:
        raise ValueError(
            f"Cannot read a label off the file name {path}. "
            "Expected <label>.<number>.<ext>, such as cat.12.jpg."
        )
    return match["label"]


def _stop(error):
    """Let os.walk fail on a folder it may not read; by default it leaves such folders out."""
    raise error
