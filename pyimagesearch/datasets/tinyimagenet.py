"""Tiny ImageNet in the layout of its own zip file, and a drawn miniature of it.

    wnids.txt                  the WordNet id of each class, one on a line
    words.txt                  WordNet id and its words, for many more ids than there are classes
    train/WNID/images/*.JPEG
    val/images/*.JPEG
    val/val_annotations.txt    file name, WordNet id and the object's box

Columns are separated by tabs. The label of a class is the place of its WordNet id among the
sorted ids of wnids.txt, which is the number that scikit-learn's LabelEncoder gives it.
"""

import re
import tempfile
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.datasets.listing import list_images
from pyimagesearch.utils.links import leaves

LAYOUT = ("wnids.txt", "words.txt", "train", "val/images", "val/val_annotations.txt")

ID = re.compile(r"\w[\w.-]*")  # n02124075, say

SIZE = 64  # pixels a side
# of the drawn miniature: corners of a shape, and BGR colours; 4 and 7 give 28 different pairs
SHAPES = {"triangle": 3, "square": 4, "star": 10, "disc": 32}
COLOURS = {
    "red": (40, 40, 220),
    "orange": (30, 140, 250),
    "yellow": (40, 230, 240),
    "green": (60, 180, 60),
    "cyan": (220, 210, 50),
    "blue": (220, 80, 30),
    "purple": (170, 50, 150),
}


def class_ids(folder):
    """Return the sorted WordNet ids of the classes, as strings: label 0 is the first.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it has another layout, or wnids.txt is empty or names an id twice.
    """
    return sorted(_lines_of_ids(_checked_layout(folder)))


def class_names(folder):
    """Return the words of each class, in the order of the labels: "goldfish, Carassius auratus".

    Raises:
        FileNotFoundError, ValueError: as `class_ids`, and if a class has no line in words.txt.
    """
    folder = _checked_layout(folder)
    ids = _lines_of_ids(folder)
    words = {
        wnid: text
        for _, (wnid, text) in _table(folder / "words.txt", "WordNet id", "words")
        if wnid in ids
    }
    for wnid, number in ids.items():
        if wnid not in words:
            raise ValueError(
                f"Line {number} of {folder / 'wnids.txt'} has the unknown WordNet id {wnid!r}: "
                "words.txt has no line for it."
            )
    return [words[wnid] for wnid in sorted(ids)]


def train_images(folder):
    """Return (paths, labels) of the training images, class after class.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it has another layout, a folder in train/ is no class of wnids.txt, or a
            class has no images.
    """
    folder = _checked_layout(folder)
    ids, train = _lines_of_ids(folder), folder / "train"
    for path in sorted(train.iterdir()):
        if path.is_dir() and path.name not in ids and not path.name.startswith("."):
            raise ValueError(
                f"{path} is the folder of an unknown WordNet id: it is not among the {len(ids)} "
                f"in {folder / 'wnids.txt'}."
            )
    paths, labels, root = [], [], folder.resolve()
    for label, wnid in enumerate(sorted(ids)):
        images = train / wnid / "images"
        for path in (train / wnid, images):
            _refuse_leaving(path, root)
        try:
            found = list_images(images)
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise ValueError(
                f"The class {wnid}, line {ids[wnid]} of {folder / 'wnids.txt'}, has no training "
                f"images. Expected {images / '*.JPEG'}."
            ) from error
        paths += found
        labels += [label] * len(found)
    return paths, labels


def val_images(folder):
    """Return (paths, labels) of the validation images, in the order of val_annotations.txt.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it has another layout, or images and annotations do not belong together:
            an image without a line, a line without its image, two lines for one image, a
            WordNet id that wnids.txt does not have.
    """
    folder = _checked_layout(folder)
    label_of = {wnid: label for label, wnid in enumerate(sorted(_lines_of_ids(folder)))}
    images, annotations = folder / "val" / "images", folder / "val" / "val_annotations.txt"
    on_disk = {path.relative_to(images).as_posix(): path for path in list_images(images)}
    labels = {}
    for number, (name, wnid) in _table(annotations, "file name", "WordNet id"):
        where = f"Line {number} of {annotations}"
        if wnid not in label_of:
            raise ValueError(
                f"{where} has the unknown WordNet id {wnid!r}: it is not in wnids.txt."
            )
        if name not in on_disk:
            raise ValueError(f"{where} names {name!r}: there is no such image in {images}.")
        if name in labels:
            raise ValueError(f"{where} names {name!r}, as a line before it does.")
        labels[name] = label_of[wnid]
    missing = sorted(on_disk.keys() - labels.keys())
    if missing:
        raise ValueError(
            f"{annotations} has no line for {len(missing)} of the {len(on_disk)} images in "
            f"{images}, such as {missing[0]}."
        )
    return [on_disk[name] for name in labels], list(labels.values())


def draw_tiny_imagenet(folder, classes=6, images=20, seed=42):
    """Draw a miniature of Tiny ImageNet, to try things on: coloured shapes, 64x64 JPEGs.

    Args:
        folder: the data set's folder, which must be new or empty.
        classes: number of classes, 1 to 28: a red triangle, an orange square ...
        images: training images of each class; val/ and test/ get a tenth of it, at least one.
        seed: another seed, other pictures.
    Returns:
        pathlib.Path of the folder.
    Raises:
        FileExistsError: if something is in the folder.
        ValueError: for impossible numbers.
    """
    folder, most = Path(folder), len(SHAPES) * len(COLOURS)
    if not 1 <= classes <= most or images < 1:
        raise ValueError(
            f"1 to {most} classes with an image or more each can be drawn. "
            f"Received: classes={classes}, images={images}."
        )
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty. Name another folder for the drawings.")
    rng = np.random.default_rng(seed)
    ids = [f"n{number:08d}" for number in rng.choice(10**7, classes, replace=False)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        new = Path(temporary) / folder.name
        for kind, wnid in enumerate(ids):
            names = [f"{wnid}_{number}.JPEG" for number in range(images)]
            boxes = _draw_images(new / "train" / wnid / "images", names, [kind] * images, rng)
            _write_table(
                new / "train" / wnid / f"{wnid}_boxes.txt",
                [(name, *box) for name, box in zip(names, boxes, strict=True)],
            )
        kinds = list(range(classes)) * max(1, images // 10)
        for split in ("val", "test"):
            names = [f"{split}_{number}.JPEG" for number in range(len(kinds))]
            boxes = _draw_images(new / split / "images", names, kinds, rng)
            if split == "val":  # the answers to the test images are not given
                rows = zip(names, kinds, boxes, strict=True)
                _write_table(
                    new / "val" / "val_annotations.txt",
                    [(name, ids[kind], *box) for name, kind, box in rows],
                )
        words = [(wnid, _words(kind)) for kind, wnid in enumerate(ids)]
        _write_table(new / "words.txt", sorted([*words, ("n99999999", "shape, form")]))
        _write_table(new / "wnids.txt", [(wnid,) for wnid in ids])
        if folder.exists():
            folder.rmdir()
        new.rename(folder)
    return folder


def _checked_layout(folder):
    """Return the folder as a Path if all of LAYOUT is in it; else say what is there instead."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Unpack tiny-imagenet-200.zip and name the folder that "
            "holds wnids.txt."
        )
    missing = [part for part in LAYOUT if not (folder / part).exists()]
    if missing:
        place = (folder / missing[0]).parent
        place = place if place.is_dir() else folder
        names = sorted(path.name + "/" * path.is_dir() for path in place.iterdir())
        shown = ", ".join(names[:5]) + ", ..." * (len(names) > 5) if names else "nothing"
        raise ValueError(
            f"{folder} does not have the layout of Tiny ImageNet: it lacks {', '.join(missing)}. "
            f"Expected {', '.join(LAYOUT)}. Found in {place}: {shown}."
        )
    root = folder.resolve()
    for part in LAYOUT:
        _refuse_leaving(folder / part, root)
    return folder


def _refuse_leaving(path, root):
    """Raise ValueError if a path of the layout is a link out of the data set's folder."""
    if leaves(path, root):
        raise ValueError(
            f"{path} is a link that leaves {root}, and is not followed. Copy what it points to."
        )


def _lines_of_ids(folder):
    """Return WordNet id -> its line number in wnids.txt."""
    path, ids = folder / "wnids.txt", {}
    for number, (wnid,) in _table(path, "WordNet id"):
        if not ID.fullmatch(wnid):  # it becomes the name of a folder
            raise ValueError(f"Line {number} of {path} is no WordNet id: {wnid[:40]!r}.")
        if wnid in ids:
            raise ValueError(f"Line {number} of {path} names {wnid}, as line {ids[wnid]} does.")
        ids[wnid] = number
    if not ids:
        raise ValueError(f"{path} is empty. Expected a WordNet id on each line.")
    return ids


def _table(path, *columns):
    """Yield (line number, fields) of each line that is not blank; further columns are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.strip().split("\t")
        if fields == [""]:
            continue
        if len(fields) < len(columns):
            raise ValueError(
                f"Line {number} of {path} must hold {' and '.join(columns)}, separated by a tab. "
                f"Received: {line!r}."
            )
        yield number, fields[: len(columns)]


def _write_table(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def _words(kind):
    """Return what a drawn class shows."""
    return f"{list(COLOURS)[kind % len(COLOURS)]} {list(SHAPES)[kind % len(SHAPES)]}"


def _draw_images(folder, names, kinds, rng):
    """Write a picture of each kind; return their boxes: left, top, right, bottom in pixels."""
    folder.mkdir(parents=True)
    boxes = []
    for name, kind in zip(names, kinds, strict=True):
        image, box = _draw_shape(kind, rng)
        _, jpeg = cv2.imencode(".jpg", image)
        (folder / name).write_bytes(jpeg)
        boxes.append(box)
    return boxes


def _draw_shape(kind, rng):
    """Return a (64, 64, 3) uint8 BGR picture of one shape on a noisy grey, and the shape's box."""
    colour, shape = _words(kind).split()
    grey = rng.normal(rng.uniform(60, 200), 12, (SIZE, SIZE, 1))
    image = grey.clip(0, 255).astype(np.uint8).repeat(3, axis=2)
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, SHAPES[shape], endpoint=False)
    radii = np.full(len(angles), rng.uniform(12, 22))
    if shape == "star":
        radii[1::2] *= 0.45
    points = rng.uniform(24, 40, 2) + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    points = points.round().astype(np.int32)
    cv2.fillPoly(image, [points], COLOURS[colour], cv2.LINE_AA)
    left, top = points.min(axis=0).clip(0, SIZE - 1).tolist()
    right, bottom = points.max(axis=0).clip(0, SIZE - 1).tolist()
    return image, (left, top, right, bottom)
