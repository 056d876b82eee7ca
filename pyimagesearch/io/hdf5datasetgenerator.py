"""Read an HDF5 data set in batches, pass after pass, prepared ahead in the background."""

import contextlib
import functools
import os
import weakref
from math import prod

import numpy as np

from pyimagesearch.io import _order, _reading, _steps
from pyimagesearch.io._batches import Batches
from pyimagesearch.io._checks import compact_dtype, whole_number
from pyimagesearch.utils.parallel import ordered_map, usable_cores
from pyimagesearch.utils.pydataset import keras_class


class HDF5DatasetGenerator:
    """Batches of (images, labels) for Keras' `fit`, `evaluate` and `predict`.

    Every pass yields every row exactly once; the last batch may be short. `len()` is the number
    of batches in a pass. Use it in a `with` block, or call `close()`.

    Args:
        dbPath: an HDF5 file of `HDF5DatasetWriter`, or of the book's own from 2017.
        batchSize: rows in a batch.
        preprocessors: objects with `preprocess(image)`, applied to each row in turn. They are
            called from several threads at once, unless `workers` is 0 or 1. One whose `preprocess`
            takes the keyword `rng` gets a numpy.random.Generator, so that its random choices
            repeat with the seed.
        aug: an `ImageDataGenerator`, applied after the preprocessors; or another object with its
            `flow` method, which sees whole batches and draws by itself.
        binarize: yield labels as one column per class, instead of numbers.
        classes: the number of classes, for `binarize`.
        shuffle: visit the rows in a new order in every pass, a function of seed and pass. Off, so
            that predictions line up with `db["labels"]`.
        seed: fixes order and random choices, whatever the number of workers. By default one is
            drawn; the attribute tells it.
        dataKey: name of the rows' data set.
        workers: threads, each preparing one batch ahead, and one more that reads; default one for
            each core, 8 at most. 0 does all work when a batch is asked for. Memory: a batch for
            each worker, the batches handed out, and with `shuffle` some 70 MB of rows, whatever
            the size of the file.

    Attributes:
        numImages: rows in the file.
        db: the h5py.File, open for reading.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is no HDF5 file, is truncated, or is being written.
        ValueError: for a file that was not finished, is empty, lacks a data set or has labels
            outside 0 to classes - 1 (if `binarize`), and for impossible arguments.

    Example:
        with HDF5DatasetGenerator("output/train.hdf5", 128, shuffle=True) as trainGen:
            model.fit(trainGen.generator(), steps_per_epoch=len(trainGen), shuffle=False)
    """

    def __init__(
        self,
        dbPath,
        batchSize,
        preprocessors=None,
        aug=None,
        binarize=True,
        classes=2,
        *,
        shuffle=False,
        seed=None,
        dataKey="images",
        workers=None,
    ):
        if seed is None:
            seed = np.random.SeedSequence().generate_state(1)[0]
        self.dbPath = dbPath
        self.batchSize = whole_number("batchSize", batchSize, 1)
        self.preprocessors = preprocessors
        self.aug = aug
        self.binarize = binarize
        self.classes = whole_number("classes", classes, 1)
        self.shuffle = shuffle
        self.seed = whole_number("seed", seed, 0)
        self.dataKey = dataKey
        workers = min(usable_cores(), 8) if workers is None else workers
        self.workers = whole_number("workers", workers, 0)
        self._closed = False
        self._db = None
        self._running = weakref.WeakSet()
        _steps.steps(preprocessors, aug)  # refuses what cannot preprocess now, not in a thread
        try:
            self._labels = _reading.read_labels(self.db, dataKey)
            if binarize:
                _reading.check_classes(dbPath, self._labels, self.classes)
        except BaseException:
            self.close()
            raise
        self.numImages = len(self._labels)

    def __len__(self):
        """Batches in a pass, the short last one counted."""
        return (self.numImages + self.batchSize - 1) // self.batchSize

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __getstate__(self):
        return {**self.__dict__, "_db": None, "_running": None}

    def __setstate__(self, state):
        self.__dict__.update(state, _running=weakref.WeakSet())

    @property
    def db(self):
        """The open h5py.File; a process that got this object by fork or pickle opens its own."""
        self._require_open()
        if self._db is None or self._pid != os.getpid():
            self._db, self._pid = _reading.open_file(self.dbPath), os.getpid()
        return self._db

    def generator(self, passes=np.inf, *, startPass=0):
        """Return an iterator of batches, which Keras takes as well.

        Args:
            passes: number of passes over the file, endless by default. Keras then needs
                `steps_per_epoch=len(gen)`, or `validation_steps`.
            startPass: number of the first pass, since order and random choices depend on the pass:
                a training that goes on with epoch k goes on with pass k. Each call starts there.
        Yields:
            (images, labels): images (n, ...) as the preprocessors give them, or in the file's own
            dtype (float32 for float64); labels float32 (n, classes), or int64 (n,) without
            `binarize`. n is batchSize, less in the last batch of a pass.
        Raises:
            ValueError: if this object is closed. While yielding: if the preprocessors give images
                of different shapes.
        """
        first = whole_number("startPass", startPass, 0)
        if not passes > 0:
            raise ValueError(f"passes must be above 0. Received: {passes!r}.")
        start = functools.partial(self._generate, self.db[self.dataKey], first + passes)
        batches = keras_class(Batches)(start, len(self), first, passes)
        self._running.add(batches)
        return batches

    def close(self):
        """End all generators with their background work, and close the file."""
        self._closed = True
        for batches in list(self._running):
            batches.close()
        if self._db is not None:
            self._db.close()

    def _require_open(self):
        if self._closed:
            raise ValueError(f"The generator of {self.dbPath} is closed.")

    def _generate(self, data, end, first):
        """Two lines of work: one thread reads windows of rows, the others make batches of them."""
        read = functools.partial(self._read, data)
        prepare = functools.partial(self._prepare, _steps.steps(self.preprocessors, self.aug))
        wanted = self._windows(data, first, end)
        with contextlib.closing(
            ordered_map(read, wanted, workers=min(self.workers, 1), ahead=1)
        ) as windows:
            cut = self._cut(windows, first)
            with contextlib.closing(
                ordered_map(prepare, cut, workers=self.workers, ahead=self.workers)
            ) as batches:
                yield from batches

    def _windows(self, data, number, end):
        """Yield the windows of all passes, see _order.py."""
        row_bytes = max(1, prod(data.shape[1:]) * compact_dtype(data.dtype).itemsize)
        while number < end:
            if self.shuffle:
                yield from _order.shuffled(self.numImages, row_bytes, self.seed, number)
            else:
                yield from _order.in_file_order(self.numImages, self.batchSize)
            number += 1

    def _read(self, data, window):
        """Return the rows of a window, their numbers in the file, and the order to visit them."""
        self._require_open()
        blocks, order = window
        numbers = np.concatenate([np.arange(start, stop) for start, stop in blocks])
        rows = np.empty((len(numbers), *data.shape[1:]), compact_dtype(data.dtype))
        filled = 0
        try:
            for start, stop in blocks:
                into = np.s_[filled : filled + stop - start]
                data.read_direct(rows, np.s_[start:stop], into)
                filled = into.stop
        except Exception as error:
            error.add_note(f"While reading {self.dbPath}.")
            raise
        return rows, numbers, order

    def _cut(self, windows, number):
        """Cut the rows of the windows, in their order, into batches for `_prepare`."""
        parts, numbers, batch, missing = [], [], 0, min(self.batchSize, self.numImages)
        for rows, row_numbers, order in windows:
            start = 0
            while start < len(order):
                places = order[start : start + missing]
                parts.append((rows, places))
                numbers.append(_steps.taken(row_numbers, places))
                start += len(places)
                missing -= len(places)
                if not missing:
                    yield parts, np.concatenate(numbers), (number, batch)
                    batch += 1
                    if batch == len(self):
                        number, batch = number + 1, 0
                    left = self.numImages - batch * self.batchSize
                    parts, numbers, missing = [], [], min(self.batchSize, left)

    def _prepare(self, functions, work):
        """Return the (images, labels) of one batch."""
        parts, numbers, (number, batch) = work
        rng = np.random.default_rng([self.seed, number, batch])
        try:
            images = _steps.apply(functions, parts, len(numbers), rng)
            labels = self._labels[numbers]
            if self.binarize:
                labels = (labels[:, None] == np.arange(self.classes)).astype(np.float32)
            return _steps.augment_batch(self.aug, images, labels)
        except Exception as error:
            error.add_note(f"While preparing batch {batch} of pass {number} of {self.dbPath}.")
            raise
