"""From Caffe's LMDB to the HDF5 files of this package."""

import contextlib
import json
from collections import deque
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._lmdb import Lmdb
from pyimagesearch.caffe._wire import read_datum
from pyimagesearch.caffe.datums import RecordName, decode_datum
from pyimagesearch.io._encoding import QUALITY, encode_image
from pyimagesearch.io._imageblocks import block_size, source_of
from pyimagesearch.io.hdf5datasetwriter import HDF5DatasetWriter, refuse_existing
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.images import MAX_PIXELS, announced
from pyimagesearch.utils.parallel import ordered_map, usable_cores

MOST_CLASSES = 1_000_000
BLOCK_BYTES = 2**20  # of images that are written at once, at least


def lmdb_to_hdf5(
    source,
    target,
    *,
    size=None,
    inter=cv2.INTER_LINEAR,
    encode=None,
    quality=QUALITY,
    classLabels=None,
    dataKey="images",
    overwrite=False,
    resume=False,
    workers=None,
    progress=None,
    maxPixels=MAX_PIXELS,
):
    """Write the images and labels of an LMDB to an HDF5 file, in the order of the keys.

    Raw Datums and encoded ones (JPEG, PNG, ...) become (H, W, C) uint8, colour in the LMDB's own
    order, BGR; those of floats become float32. One image is held at a time for each thread, and
    rows are written as they come: the LMDB may be larger than the memory.

    A run that was killed leaves `target`.partial and, beside it, a note on the LMDB and the
    options. With `resume` the next run goes on where the rows were last saved.

    Args:
        source: the LMDB's folder, or its `data.mdb`.
        target: the HDF5 file to write. It appears once it is complete.
        size: (height, width) to resize all images to; default: all must have one size already.
        inter: OpenCV interpolation for that. The default is what convert_imageset takes;
            cv2.INTER_AREA makes large images smaller without jagged edges, more slowly.
        encode, quality: keep the images as JPEG or PNG files, see `HDF5DatasetWriter`. Encoded
            Datums of that kind and size are kept as they are.
        classLabels: names of the classes, label 0 first; default none.
        dataKey: name of the images' data set.
        overwrite: replace an existing `target`.
        resume: continue a run that was killed; without one, start afresh.
        workers: threads that decode; 0 decodes in the caller's. Default: one for each core, or 0
            where the first image is raw and stays of its size, which is little work.
        progress: called with the number of images done so far.
        maxPixels: of the largest image to decode.
    Returns:
        int: the number of images in the file.
    Raises:
        FileNotFoundError: if there is no LMDB.
        FileExistsError: if `target` exists and `overwrite` is false.
        BlockingIOError: if another running process is writing this file.
        OSError: if the file cannot be written.
        CaffeError: if the LMDB is empty, damaged or not readable; if a label is negative, absurd or
            has no name; if images differ in size or kind. It names the records.
        ImageError: if an encoded image is damaged.
        ValueError: for impossible arguments; with `resume` if the killed run was on another LMDB,
            or of other options.
    """
    if not Path(f"{target}.partial").exists():  # of a run that was killed when all was done
        _note(target).unlink(missing_ok=True)
    refuse_existing(Path(target), overwrite)
    size = None if size is None else _checked_size(size)
    with Lmdb(source) as db:
        if Path(target).exists() and Path(target).samefile(db.path):
            raise ValueError(f"{target} is the LMDB itself. Give another name to the HDF5 file.")
        reader = _Reader(db, size, inter, encode, quality, classLabels, maxPixels)
        shape, dtype = reader.shape, reader.dtype
        if workers is None:
            workers = usable_cores() if reader.works else 0
        options = {
            **{"size": size, "inter": inter, "encode": encode, "quality": quality},
            **{"classes": classLabels and list(map(str, classLabels)), "dataKey": dataKey},
        }
        note = json.dumps([str(db.path.name), *source_of(db.status), len(db), options])
        count = block_size(len(db), max(workers, 1), reader.nbytes)
        count = max(count, BLOCK_BYTES // reader.nbytes)  # of small images, more
        with HDF5DatasetWriter(
            (len(db), *shape),
            target,
            dataKey,
            dtype=dtype,
            bufSize=1000 if encode else count,
            overwrite=overwrite,
            resume=resume,
            encode=encode,
            quality=quality,
        ) as writer:
            note_path = _note(target)
            _check_note(note_path, note, writer)
            if classLabels is not None:
                writer.storeClassLabels(classLabels)
            parts = _parts(db.items(writer.idx), count)
            with contextlib.closing(
                ordered_map(reader, parts, workers=workers, ahead=4 * workers, stop=reader.stop)
            ) as blocks:
                for images, labels in blocks:
                    writer.add(images, labels)
                    reader.give_back(images)
                    if progress is not None:
                        progress(len(writer))
        note_path.unlink(missing_ok=True)
        return len(db)


def _checked_size(size):
    numbers = tuple(np.ravel(size).tolist())
    if len(numbers) != 2 or any(
        not isinstance(number, int) or not 0 < number < 2**15 for number in numbers
    ):
        raise ValueError(f"size must be (height, width), 1 to 32767 each. Received: {size!r}.")
    return numbers


def _note(target):
    return Path(f"{target}.partial.source")


def _check_note(path, note, writer):
    """Note what the rows are made of, or raise ValueError if those at hand are of other things."""
    if writer.idx:
        found = path.read_text() if path.exists() else None
        if found != note:
            raise ValueError(
                f"{writer.outputPath}.partial cannot be resumed: it was begun with another LMDB or "
                "other options, or the LMDB has changed. Run without resume to start afresh."
            )
        return
    with replacing(path) as temporary:
        temporary.write_text(note)


def _parts(items, count):
    while part := list(islice(items, count)):
        yield part


class _Reader:
    """Function of a list of (key, value) that returns their images and labels; for threads."""

    def __init__(self, db, size, inter, encode, quality, names, max_pixels):
        self._path = db.path
        self._size, self._inter = size, inter
        self._encode, self._quality = encode, quality
        self._names = names
        self._max_pixels = max_pixels
        self._free = deque()
        self._stopped = False
        first = next(db.items(), None)
        if first is None:
            raise CaffeError(f"{db.path} is empty: it holds no images.")
        self._first = RecordName(first[0], db.path)
        self.shape = self.dtype = None
        image, datum, _ = self._decoded(*first)
        self.works = datum.encoded or size is not None or encode is not None
        self.shape, self.dtype, self.nbytes = image.shape, image.dtype, image.nbytes

    def __call__(self, part):
        if self._encode is not None:
            rows = [self._decoded(*item) for item in part if not self._stopped]
            return [self._as_stored(*row) for row in rows], [row[1].label for row in rows]
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty((len(part), *self.shape), self.dtype)
        labels = []
        for key, value in part:
            if self._stopped:
                break
            memory[len(labels)], datum, _ = self._decoded(key, value)
            labels.append(datum.label)
        return memory[: len(labels)], labels

    def stop(self):
        """End the calls under way after the image they are at."""
        self._stopped = True

    def give_back(self, images):
        """Use the memory of a block again: filling fresh memory takes five times as long."""
        if isinstance(images, np.ndarray):
            self._free.append(images if images.base is None else images.base)

    def _decoded(self, key, value):
        name = RecordName(key, self._path)
        datum = read_datum(value, name)
        self._check_label(datum.label, name)
        image = decode_datum(datum, name, maxPixels=self._max_pixels)
        if image.dtype != np.uint8 and not np.isfinite(image).all():
            raise CaffeError(f"{name} holds NaN or infinite numbers.")
        if self._size is not None and image.shape[:2] != self._size:
            image = self._resized(image, name)
        if self.shape is not None and (image.shape, image.dtype) != (self.shape, self.dtype):
            self._refuse_other(image, name)
        return image, datum, name

    def _resized(self, image, name):
        height, width = self._size
        try:
            resized = cv2.resize(image, (width, height), interpolation=self._inter)
        except cv2.error as error:
            raise CaffeError(f"{name} cannot be resized: {error.err}.") from error
        return resized.reshape(height, width, image.shape[2])

    def _as_stored(self, image, datum, name):
        """Return the image's file, the Datum's own where that is one of the kind and the size."""
        if datum.encoded:
            data = bytes(datum.data)
            height, width, channels = image.shape
            if announced(data, name) == (self._encode, width, height, channels):
                return data
        return encode_image(image, self._encode, self._quality)

    def _refuse_other(self, image, name):
        def words(shape, dtype):
            return f"{shape[1]}x{shape[0]} pixels (width x height), {shape[2]} channels, {dtype}"

        # the size that was asked for can be had; what else differs cannot
        sizes = image.shape[:2] != self.shape[:2]
        advice = (
            "Pass size=(height, width) (of the command: --size) to resize all."
            if sizes
            else "All must be alike: make the LMDB again."
        )
        raise CaffeError(
            f"The images differ: {name} has {words(image.shape, image.dtype)}; {self._first} has "
            f"{words(self.shape, self.dtype)}. {advice}"
        )

    def _check_label(self, label, name):
        if not 0 <= label < MOST_CLASSES:
            raise CaffeError(f"{name} has the label {label}, which numbers no class.")
        if self._names is not None and label >= len(self._names):
            raise CaffeError(
                f"{name} has the label {label}, and classLabels has names for 0 to "
                f"{len(self._names) - 1}."
            )
