"""A folder of photographs into one HDF5 file, read and resized on every core."""

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pyimagesearch.io import _checksums
from pyimagesearch.io._checks import check_labels
from pyimagesearch.io._encoding import QUALITY
from pyimagesearch.io._imageblocks import BlockReader, block_size, read_prepared, source_of
from pyimagesearch.io._journal import Journal, Point, describe
from pyimagesearch.io._reading import open_file
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter, refuse_existing
from pyimagesearch.utils.files import move_into_place, replacing
from pyimagesearch.utils.images import MAX_PIXELS, ImageError
from pyimagesearch.utils.locking import hold
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
    resume=False,
    maxPixels=MAX_PIXELS,
):
    """Read, preprocess and store images, in the order given.

    The file appears at `outputPath` once it is complete. An image that cannot be read is left
    out together with its label, unless `strict`. A file that vanished since it was listed, or
    changes while it is read, ends the build.

    A build that ended early leaves `outputPath`.partial and its journal beside it. With `resume`
    the same build goes on where its rows were last saved, about every 64 MB or 5 seconds, and the
    file comes out as if nothing had happened.

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
        resume: continue a build that ended early; without one, start afresh.
        maxPixels: an image of more pixels (width * height) counts as one that cannot be read.
    Returns:
        BuiltDataset.
    Raises:
        FileExistsError: if `outputPath` exists and `overwrite` is false.
        BlockingIOError: if another running process builds this file.
        OSError: if an image file vanished, or changes while it is read, or the data set cannot
            be written.
        ImageError: if `strict` and an image cannot be read.
        ValueError: if no image can be read, paths and labels differ in number, the preprocessors
            leave images of different shapes, or `encode` and `quality` do not fit; with `resume`
            if the build was begun with other images, labels, preprocessors or options.
    """
    made_of = paths, labels, outputPath, preprocessors, classLabels, encode, quality, maxPixels
    with _Build(*made_of, resume=resume) as build:
        built = build.finished(strict) or build.run(strict, overwrite, workers, progress)
        build.journal.remove()
    return built


class _Build:
    """The build of one file, and its journal."""

    def __init__(
        self,
        paths,
        labels,
        outputPath,
        preprocessors,
        classLabels=None,
        encode=None,
        quality=QUALITY,
        maxPixels=MAX_PIXELS,
        *,
        resume=False,
    ):
        if len(paths) != len(labels):
            raise ValueError(
                f"Every image needs one label. Received: {len(paths)} paths and {len(labels)} "
                "labels."
            )
        if len(paths) == 0:
            raise ValueError(f"There are no images to write to {outputPath}.")
        self.paths = paths
        self.labels = check_labels(labels)
        self.target = Path(outputPath)
        self.class_labels = classLabels
        self.encoding = {"encode": encode, "quality": quality}
        self.reading = {"preprocessors": preprocessors, "max_pixels": maxPixels}
        self.first = self._first_image()
        description = describe(
            paths,
            self.labels,
            preprocessors,
            classes=None if classLabels is None else [str(name) for name in classLabels],
            shape=self.first.shape,
            dtype=str(self.first.dtype),
            maxPixels=maxPixels,
            **self.encoding,
        )
        self.journal = Journal(outputPath, description, resume=resume)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.journal.close()

    def finished(self, strict=False, moved_to=None):
        """Return the BuiltDataset of an earlier run that came to its end, else None.

        It left the file where it was built, or moved it to `moved_to`.
        """
        point = self.journal.finished()
        places = [path for path in (self.target, moved_to) if path is not None and path.exists()]
        if point is None or point.result not in map(_summary, places):
            return None
        self._refuse_skipped(strict, point)
        return self._result(point)

    def refuse_other_sources(self, point=None):
        """Raise ValueError if an image file that was read up to a Point is another one now."""
        point = point or self.journal.finished()
        sources = hashlib.sha256()
        with contextlib.suppress(OSError):  # one that has vanished is another one, too
            for path in self.paths[: point.paths]:
                sources.update(_words(source_of(os.stat(path))))  # noqa: PTH116 (a million of them)
        if sources.hexdigest() != point.sources:
            raise ValueError(
                f"The build of {self.target} cannot be resumed: image files that were read already "
                "have changed since. Put them back, or start afresh without resume."
            )
        return sources

    def run(self, strict=False, overwrite=False, workers=None, progress=None):
        """Build the file, or what is missing of it. Return the BuiltDataset."""
        refuse_existing(self.target, overwrite)
        workers = usable_cores() if workers is None else workers
        size = block_size(len(self.paths), max(workers, 1), self.first.nbytes)
        shape, dtype = self.first.shape, self.first.dtype
        reader = BlockReader(size, shape, dtype, **self.reading, **self.encoding)
        resumed = self.journal.resumable
        point = None if resumed else self.journal.start()
        with HDF5DatasetWriter(
            (len(self.paths), *shape),
            self.target,
            bufSize=1000 if self.encoding["encode"] else size,  # pixels: from the block's memory
            overwrite=overwrite,
            resume=resumed,
            **self.encoding,
        ) as writer:
            point = point or self.journal.go_back(writer.idx)
            self._refuse_skipped(strict, point)
            self._sources = self.refuse_other_sources(point) if point.paths else hashlib.sha256()
            writer.truncate(point.rows)
            if self.class_labels is not None:
                writer.storeClassLabels(self.class_labels)
            starts = range(point.paths, len(self.paths), size)
            parts = (self.paths[start : start + size] for start in starts)
            with contextlib.closing(
                ordered_map(reader, parts, workers=workers, ahead=2 * workers, stop=reader.stop)
            ) as blocks:
                for block in blocks:
                    point = self._add(writer, point, block, strict)
                    reader.give_back(block)
                    if progress is not None:
                        for number in range(len(block.errors)):
                            progress(point.paths - len(block.errors) + number + 1)
            writer.flush()
            names = self.class_labels
            point.result = _checksums.summary(
                writer.db[_checksums.NAME][: point.rows],
                None if names is None else _checksums.of_names(names),
            )
            self.journal.add(point)
        return self._result(point)

    def _add(self, writer, point, block, strict):
        """Write a block, note it if that saved the rows, return the Point after it."""
        skipped, sums = point.skipped, np.array(point.sums)
        good = []
        for number, error in enumerate(block.errors, point.paths):
            if error is None:
                good.append(self.labels[number])
            elif strict:
                raise error
            else:
                skipped = [*skipped, (number, str(error))]
        for image_sums in block.sums:
            sums += image_sums
        for source in block.sources:
            self._sources.update(_words(source))
        saved = writer.saved
        writer.add(block.rows, good)
        paths = point.paths + len(block.errors)
        rows = point.rows + len(good)
        point = Point(paths, rows, sums.tolist(), skipped, self._sources.hexdigest())
        if writer.saved != saved:
            self.journal.add(point)
        return point

    def _refuse_skipped(self, strict, point):
        if strict and point.skipped:
            raise ImageError(point.skipped[0][1])

    def _result(self, point):
        height, width = self.first.shape[:2]
        blue, green, red = (total / (point.rows * height * width) for total in point.sums)
        skipped = [(self.paths[number], ImageError(reason)) for number, reason in point.skipped]
        return BuiltDataset(point.rows, skipped, {"R": red, "G": green, "B": blue})

    def _first_image(self):
        """Return the first image that can be read, as the preprocessors leave it."""
        images = (read_prepared(path, **self.reading)[0] for path in self.paths)
        image = next((image for image in images if image is not None), None)
        if image is None:
            error = read_prepared(self.paths[0], **self.reading)[1]
            raise ValueError(
                f"None of the {len(self.paths)} images could be read. The first: {error}"
            )
        if image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                "The preprocessors must leave images of the shape (H, W, 3). Received: "
                f"{image.shape}."
            )
        return image


def _words(source):
    return b"%d %d\n" % source


def _summary(path):
    """Return the `_checksums.summary` of a finished file, None if it has none to tell."""
    try:
        with open_file(path) as db:
            stored = db[_checksums.NAME]
            return _checksums.summary(stored[:], stored.attrs.get("label_names"))
    except Exception:  # which one depends on what lies there
        return None


def build_splits(
    splits, folder, preprocessors, *, overwrite=False, resume=False, progress=None, **options
):
    """Build one HDF5 file for each part of a data set, and the means of its training images.

    All files are built in `folder`/.building and moved into place together when the last one is
    complete, so that no reader finds the training images of one build beside the test images of
    another. A build that was stopped leaves `folder` as it was; the next one goes on where it was
    with `resume`, else it starts afresh.

    Args:
        splits: {"train": (paths, labels), "val": ..., ...}.
        folder: folder to write train.hdf5, val.hdf5, ... and mean.json to: the means of "train",
            {"R": ..., "G": ..., "B": ...}.
        preprocessors, options: as `build_image_dataset` takes them.
        overwrite: replace files that exist.
        resume: continue a build that ended early, at whatever moment; without one, start afresh.
        progress: function of (name, number of images) that returns an object with `update(done)`
            and `finish()`, such as a progress bar.
    Returns:
        {"train": BuiltDataset, ...}.
    Raises:
        FileExistsError: if one of the files exists and `overwrite` is false.
        BlockingIOError: if another running process builds into this folder.
        ImageError, ValueError, OSError: as `build_image_dataset`.
    """
    folder = Path(folder)
    building = folder / ".building"
    names = [*(f"{name}.hdf5" for name in splits), "mean.json"]

    def refuse_built():
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"{folder / name} is a folder. Move or delete it.")
        existing = [str(folder / name) for name in names if (folder / name).exists()]
        if existing and not overwrite:
            also = ""
            if building.exists():
                also = f" A build that was stopped left {building}: resume goes on with it."
            raise FileExistsError(
                f"Built already: {', '.join(existing)}. Overwrite or delete them to build them "
                f"anew.{also}"
            )

    if not (resume and building.exists()):
        refuse_built()
    run = {name: options.pop(name) for name in ("strict", "workers") if name in options}
    with _held(building), contextlib.ExitStack() as journals:
        if not resume:
            refuse_built()
            _clear(building)
        builds = {}
        for name, (paths, labels) in splits.items():
            target = building / f"{name}.hdf5"
            build = _Build(paths, labels, target, preprocessors, resume=resume, **options)
            builds[name] = journals.enter_context(build)
        built = {
            name: build.finished(run.get("strict"), folder / f"{name}.hdf5")
            for name, build in builds.items()
        }
        if not all(built.values()):  # else only moving is left, and may have begun
            try:
                refuse_built()
            except FileExistsError:
                if not any(path.suffix in {".hdf5", ".partial"} for path in building.iterdir()):
                    journals.close()
                    _clear(building)  # the earlier run was killed while it did so
                raise
            for name, build in builds.items():
                if built[name] is not None:
                    build.refuse_other_sources()
        for name, build in builds.items():
            if built[name] is None:
                bar = progress(name, len(build.paths)) if progress is not None else None
                built[name] = build.run(overwrite=True, progress=bar and bar.update, **run)
                if bar is not None:
                    bar.finish()
        with replacing(building / "mean.json") as temporary:
            temporary.write_text(json.dumps(built["train"].means))
        _move(names, building, folder)
        journals.close()
        _clear(building)
    return built


@contextlib.contextmanager
def _held(building):
    """Keep other processes from building there. Remove the folder if nothing is left in it."""
    building.mkdir(parents=True, exist_ok=True)
    lock = building / "lock"
    try:
        held = hold(lock)
    except BlockingIOError as error:
        raise BlockingIOError(
            error.errno, "Another running process builds into this folder", str(building.parent)
        ) from None
    try:
        yield
    finally:
        if list(building.iterdir()) == [lock]:
            with contextlib.suppress(OSError):  # the next build may be on its way in
                lock.unlink()
                building.rmdir()
        if held is not None:
            held.close()


def _clear(building):
    """Delete what was built: the journals first, which would vouch for it."""
    for path in sorted(building.iterdir(), key=lambda path: path.suffix != ".journal"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _move(names, building, folder):
    """Put the new files in the places of the old ones, or leave all old ones where they are.

    Old files must never stand beside new ones, so all of them go before the first new one comes.
    """
    waiting = [name for name in names if (building / name).exists()]
    away = []
    try:
        for name in waiting:
            if (folder / name).exists():
                (folder / name).rename(building / f"{name}.old")
                away.append(name)
    except OSError as error:
        for name in away:
            (building / f"{name}.old").rename(folder / name)
        raise OSError(
            error.errno,
            f"Cannot replace an earlier file: {os.strerror(error.errno)}. The new ones are "
            f"complete in {building}: run again with resume once it can be moved",
            str(folder / name),
        ) from error
    for name in waiting:
        move_into_place(building / name, folder / name)
