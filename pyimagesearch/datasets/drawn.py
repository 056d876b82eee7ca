"""Drawn cats and dogs: a stand-in for the photographs of Kaggle's Dogs vs. Cats."""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.datasets._pets import Coat, Pose, draw_body, draw_cat_head, draw_dog_head
from pyimagesearch.datasets._scenery import draw_background
from pyimagesearch.datasets._sketch import Sketch
from pyimagesearch.datasets.listing import list_images

LABELS = ("cat", "dog")
MARKER = "DRAWN.txt"  # beside the pictures: says that they are drawn and may be replaced
HEADS = {"cat": draw_cat_head, "dog": draw_dog_head}
# where the middle of the head with its ears lies, in head radii below the head's centre
MIDDLE = {"cat": -0.25, "dog": 0.1}


def draw_pet(label, rng):
    """Draw one animal somewhere, differing in everything but the shape of its kind.

    Args:
        label: "cat" or "dog".
        rng: numpy.random.Generator; the picture depends on the label and the generator alone.
    Returns:
        (H, W, 3) uint8 BGR, 200 to 500 pixels wide and high.
    """
    if label not in HEADS:
        raise ValueError(f"Only {' and '.join(LABELS)} can be drawn. Received: {label!r}.")
    width, height = _size(rng)
    image = draw_background(width, height, rng)
    coat = Coat.choose(rng)
    pose = Pose(*rng.uniform((-0.45, -0.2), (0.45, 0.25)))
    radius = min(width / 2.5, height / 2.6) * rng.uniform(0.74, 1.05)
    tilt = rng.normal(0, 10)
    centre = np.array((width, height)) * (0.5 + rng.uniform(-0.06, 0.06, 2))
    head_matrix = _matrix(radius, tilt, centre, (0, MIDDLE[label]))
    weight = rng.choice([0.0, 0.02, 0.03, 0.05])
    origin = head_matrix[:, 2]
    mask = np.zeros((height, width), np.uint8)
    if rng.random() < 0.85:
        lean = _matrix(radius * rng.uniform(0.9, 1.05), rng.normal(0, 5), origin, (0, 0))
        body = Sketch(image, lean, coat.ink, weight)
        draw_body(body, coat, label, rng)
        mask = body.mask
    head = Sketch(image, head_matrix, coat.ink, weight)
    HEADS[label](head, coat, pose, rng)
    return _photograph(image, np.maximum(mask, head.mask), rng)


def draw_dogs_vs_cats(folder, count, seed=42, *, overwrite=False, progress=None):
    """Write `count` JPEGs in Kaggle's layout: train/cat.0.jpg, train/dog.0.jpg, train/cat.1.jpg ...

    Half of them are cats. Picture N of a kind depends on `seed`, kind and N alone. `train`
    appears once all of it is drawn.

    Args:
        folder: the data set's folder; made where missing.
        count: number of pictures, at least 2. The odd one is a cat.
        overwrite: replace drawn pictures. Photographs are never replaced, nor added to.
        progress: called with the number of pictures drawn so far.
    Returns:
        list of the paths written, cats and dogs in turn.
    Raises:
        FileExistsError: if `folder` holds images already and they may not be replaced.
    """
    if count < len(LABELS):
        raise ValueError(f"A cat and a dog are the least to draw. Received: count={count}.")
    folder = Path(folder)
    train = folder / "train"
    _refuse_to_mix(folder, train, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    names = [(label, number) for number in range((count + 1) // 2) for label in LABELS][:count]
    with tempfile.TemporaryDirectory(prefix=".drawing.", dir=folder) as temporary:
        new = Path(temporary, "train")
        new.mkdir()
        for done, (label, number) in enumerate(names, start=1):
            rng = np.random.default_rng([seed, LABELS.index(label), number])
            _, jpeg = cv2.imencode(".jpg", draw_pet(label, rng), [cv2.IMWRITE_JPEG_QUALITY, 92])
            (new / f"{label}.{number}.jpg").write_bytes(jpeg)
            if progress is not None:
                progress(done)
        note = f"Drawn by draw_dogs_vs_cats(count={count}, seed={seed}). It may replace all this.\n"
        (new / MARKER).write_text(note, encoding="utf-8")
        if train.exists():
            train.rename(Path(temporary, "old"))
        new.rename(train)
    return [train / f"{label}.{number}.jpg" for label, number in names]


def _refuse_to_mix(folder, train, overwrite):
    """Raise FileExistsError unless `folder` is free, or holds drawings that may be replaced."""
    try:
        images = list_images(folder)
    except (FileNotFoundError, ValueError):  # missing, or without images
        if train.exists() and any(train.iterdir()):
            raise FileExistsError(
                f"{train} is not empty. Name another folder for the drawn pictures."
            ) from None
        return
    # a photograph that came to lie among the drawn pictures has another name than theirs
    drawn = {train / f"{label}.{number}.jpg" for label in LABELS for number in range(len(images))}
    strangers = [path for path in images if path not in drawn]
    if strangers or not (train / MARKER).exists():
        raise FileExistsError(
            f"{folder} holds images that were not drawn, such as {(strangers or images)[0]}. Name "
            "another folder, so that drawings and photographs never mix."
        )
    if not overwrite:
        raise FileExistsError(
            f"{folder} holds {len(images)} drawn images already. Use them, name another folder, "
            "or overwrite them (overwrite=True, --overwrite)."
        )


def _size(rng):
    """Return (width, height): aspect ratios from 3:4 to 4:3."""
    long = int(rng.integers(270, 501))
    short = int(long * rng.uniform(0.76, 1))
    return (long, short) if rng.random() < 0.6 else (short, long)


def _matrix(radius, tilt, centre, middle):
    """Return the (2, 3) map from head radii to pixels that puts `middle` at `centre`."""
    cos, sin = radius * np.cos(np.deg2rad(tilt)), radius * np.sin(np.deg2rad(tilt))
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, centre - turn @ middle])


def _photograph(image, fur, rng):
    """Change colours as a camera would: saturation, contrast, cast, light from one side, noise.

    `fur` (H, W) uint8 is 255 where fur is, which gets a coarser grain.
    """
    height, width = image.shape[:2]
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    colour = rng.uniform(0.5, 1.2)
    image = cv2.addWeighted(image, colour, grey, 1 - colour, 0)
    tones = np.linspace(0, 1, 256)[:, None] ** rng.uniform(0.6, 1.6) * rng.uniform(0.88, 1.08, 3)
    image = cv2.LUT(image, (tones * 255).clip(0, 255).astype(np.uint8)[None])
    corners = rng.uniform(0.75, 1.1, (2, 2)).astype(np.float32)
    light = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    hair = rng.standard_normal((height // 3 + 1, width // 3 + 1), np.float32)
    hair = cv2.resize(hair, (width, height))
    light += cv2.multiply(hair, fur, scale=rng.uniform(0, 0.09) / 255, dtype=cv2.CV_32F)
    light += rng.standard_normal((height, width), np.float32) * np.float32(rng.uniform(0, 0.05))
    return cv2.multiply(image, cv2.merge([light, light, light]), dtype=cv2.CV_8U)
