"""A folder of photographs into one HDF5 file, read and resized on every core."""

import contextlib
import json
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.utils.files import move_into_place, replacing
from pyimagesearch.utils.images import ImageError, read_image
from pyimagesearch.utils.parallel import ordered_map


@dataclass
class BuiltDataset:
    """What `build_image_dataset` wrote.

    Attributes:
        rows: number of images in the file.
        skipped: (path, error) of every image that could not be read.
        means: mean of each channel over all pixels written, {"R": ..., "G": ..., "B": ...},
            in grey levels of 0 to 255: what `MeanPreprocessor` takes.
    """

    rows: int = 0
    skipped: list = field(default_factory=list)
    means: dict = field(default_factory=dict)


def build_image_dataset(
    paths,
    labels,
    outputPath,
    preprocessors,
    *,
    classLabels=None,
    strict=False,
    overwrite=False,
    workers=None,
    progress=None,
):
    """Read, preprocess and store images, in the order given.

    The file appears at `outputPath` once it is complete. An image that cannot be read is left
    out together with its label, unless `strict`.

    Args:
        paths: image files.
        labels: one int for each path.
        outputPath: the HDF5 file to write.
        preprocessors: objects with `preprocess(image)`, applied one after the other to the
            (H, W, 3) uint8 BGR image; the last must return the same shape for every image. They
            are called from several threads.
        classLabels: names of the classes, stored as `label_names`; default none.
        strict: raise at the first unreadable image instead of skipping it.
        overwrite: replace an existing `outputPath`.
        workers: threads that read and resize, default one for each core.
        progress: called with the number of images done so far.
    Returns:
        BuiltDataset.
    Raises:
        FileExistsError: if `outputPath` exists and `overwrite` is false.
        ImageError: if `strict` and an image cannot be read.
        ValueError: if no image can be read, or paths and labels differ in number.
    """
    if len(paths) != len(labels):
        raise ValueError(
            f"Every image needs one label. Received: {len(paths)} paths and {len(labels)} labels."
        )
    if len(paths) == 0:
        raise ValueError(f"There are no images to write to {outputPath}.")
    read = partial(_read, preprocessors)
    shape = next((image.shape for image, _ in map(read, paths) if image is not None), None)
    if shape is None:
        raise ValueError(
            f"None of the {len(paths)} images could be read. The first: {read(paths[0])[1]}"
        )
    built = BuiltDataset()
    sums = np.zeros(shape[-1])  # exact: whole numbers far below 2**53
    with (
        HDF5DatasetWriter((len(paths), *shape), outputPath, overwrite=overwrite) as writer,
        contextlib.closing(ordered_map(read, paths, workers=workers)) as images,
    ):
        if classLabels is not None:
            writer.storeClassLabels(classLabels)
        for done, (path, label, (image, error)) in enumerate(
            zip(paths, labels, images, strict=True), 1
        ):
            if error is None:
                writer.add([image], [label])
                sums += cv2.sumElems(image)[: shape[-1]]
            elif strict:
                raise error
            else:
                built.skipped.append((path, error))
            if progress is not None:
                progress(done)
        built.rows = len(writer)
    blue, green, red = sums / (built.rows * shape[0] * shape[1])
    built.means = {"R": red, "G": green, "B": blue}
    return built


def build_splits(splits, folder, preprocessors, *, overwrite=False, progress=None, **options):
    """Build one HDF5 file for each part of a data set, and the means of its training images.

    All files are built in `folder`/.building and moved into place together when the last one is
    complete, so that no reader finds the training images of one build beside the test images of
    another. A build that was stopped leaves `folder` as it was; the next one starts afresh.

    Args:
        splits: {"train": (paths, labels), "val": ..., ...}.
        folder: folder to write train.hdf5, val.hdf5, ... and mean.json to: the means of "train",
            {"R": ..., "G": ..., "B": ...}.
        preprocessors, options: as `build_image_dataset` takes them.
        overwrite: replace files that exist.
        progress: function of (name, number of images) that returns an object with `update(done)`
            and `finish()`, such as a progress bar.
    Returns:
        {"train": BuiltDataset, ...}.
    Raises:
        FileExistsError: if one of the files exists and `overwrite` is false.
        ImageError, ValueError, OSError: as `build_image_dataset`.
    """
    folder = Path(folder)
    names = [*(f"{name}.hdf5" for name in splits), "mean.json"]
    existing = [str(folder / name) for name in names if (folder / name).exists()]
    if existing and not overwrite:
        raise FileExistsError(f"Built already: {', '.join(existing)}. Overwrite or delete them.")
    building = folder / ".building"
    built = {}
    for name, (paths, labels) in splits.items():
        bar = progress(name, len(paths)) if progress is not None else None
        built[name] = build_image_dataset(
            paths,
            labels,
            building / f"{name}.hdf5",
            preprocessors,
            overwrite=True,
            progress=bar and bar.update,
            **options,
        )
        if bar is not None:
            bar.finish()
    with replacing(building / "mean.json") as temporary:
        temporary.write_text(json.dumps(built["train"].means))
    for name in names:  # first away with the old ones: they must never stand beside new ones
        (folder / name).unlink(missing_ok=True)
    for name in names:
        move_into_place(building / name, folder / name)
    shutil.rmtree(building)  # with what a killed build may have left there
    return built


def _read(preprocessors, path):
    """Return (image, None), or (None, error) where the file cannot be read."""
    try:
        image = read_image(path)
    except (ImageError, OSError) as error:
        return None, error
    try:
        for preprocessor in preprocessors:
            image = preprocessor.preprocess(image)
    except ValueError as error:  # a size that the preprocessor cannot take
        return None, ImageError(f"{path}: {error}")
    return image, None
