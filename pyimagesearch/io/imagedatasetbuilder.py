"""A folder of photographs into one HDF5 file, read and resized on every core."""

import contextlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pyimagesearch.io._encoding import QUALITY
from pyimagesearch.io._imageblocks import BlockReader, block_size, read_prepared
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter
from pyimagesearch.utils.files import move_into_place, replacing
from pyimagesearch.utils.parallel import ordered_map, usable_cores


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
    encode=None,
    quality=QUALITY,
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
        encode, quality: keep the images as JPEG or PNG files, see `HDF5DatasetWriter`.
    Returns:
        BuiltDataset.
    Raises:
        FileExistsError: if `outputPath` exists and `overwrite` is false.
        ImageError: if `strict` and an image cannot be read.
        ValueError: if no image can be read, paths and labels differ in number, the preprocessors
            leave images of different shapes, or `encode` and `quality` do not fit.
    """
    if len(paths) != len(labels):
        raise ValueError(
            f"Every image needs one label. Received: {len(paths)} paths and {len(labels)} labels."
        )
    if len(paths) == 0:
        raise ValueError(f"There are no images to write to {outputPath}.")
    first = _first_image(preprocessors, paths)
    workers = usable_cores() if workers is None else workers
    size = block_size(len(paths), max(workers, 1), first.nbytes)
    reader = BlockReader(size, preprocessors, first.shape, first.dtype, encode, quality)
    built = BuiltDataset()
    sums = np.zeros(3)
    starts = range(0, len(paths), size)
    parts = (paths[start : start + size] for start in starts)
    with (
        HDF5DatasetWriter(
            (len(paths), *first.shape),
            outputPath,
            bufSize=1000 if encode else size,  # pixels are written from the block's own memory
            overwrite=overwrite,
            encode=encode,
            quality=quality,
        ) as writer,
        contextlib.closing(
            ordered_map(reader, parts, workers=workers, ahead=2 * workers, stop=reader.stop)
        ) as blocks,
    ):
        if classLabels is not None:
            writer.storeClassLabels(classLabels)
        for start, block in zip(starts, blocks, strict=True):
            good = []
            for number, error in enumerate(block.errors, start):
                if error is None:
                    good.append(labels[number])
                elif strict:
                    raise error
                else:
                    built.skipped.append((paths[number], error))
            writer.add(block.rows, good)
            sums += block.sums
            reader.give_back(block)
            if progress is not None:
                for number in range(start, start + len(block.errors)):
                    progress(number + 1)
        built.rows = len(writer)
    blue, green, red = sums / (built.rows * first.shape[0] * first.shape[1])
    built.means = {"R": red, "G": green, "B": blue}
    return built


def _first_image(preprocessors, paths):
    """Return the first image that can be read, as the preprocessors leave it."""
    prepared = (read_prepared(preprocessors, path)[0] for path in paths)
    image = next((image for image in prepared if image is not None), None)
    if image is None:
        error = read_prepared(preprocessors, paths[0])[1]
        raise ValueError(f"None of the {len(paths)} images could be read. The first: {error}")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"The preprocessors must leave images of the shape (H, W, 3). Received: {image.shape}."
        )
    return image


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
