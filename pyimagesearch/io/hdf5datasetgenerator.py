"""Read an HDF5 data set in batches, pass after pass, prepared ahead in the background."""

import contextlib
import functools
import os
import weakref

import numpy as np

from pyimagesearch.io import _order, _reading, _steps
from pyimagesearch.io._batches import Batches
from pyimagesearch.io._checks import whole_number
from pyimagesearch.io._feed import Feed
from pyimagesearch.io._making import BatchMaker
from pyimagesearch.io._rows import RowReader, Rows
from pyimagesearch.utils.hdf5safety import damage_named
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
        workers: threads that make batches ahead, and one more that reads; default one for each
            core, 8 at most. 0 does all work when a batch is asked for.

    The usual steps, a PatchPreprocessor, SimplePreprocessor or AspectAwarePreprocessor (or none), a
    MeanPreprocessor, an ImageToArrayPreprocessor and our augmenter, in this order, on uint8 rows,
    are done in one pass over each image, which the threads share: two batches are in memory then,
    the consumer's and the next one. Any other preprocessor works as well, but is called image by
    image, and each thread makes a batch of its own. Rows take some 40 MB more, whatever the size of
    the file. The memory of a batch is used again for a later one as soon as nobody holds the batch,
    or a view on it, any more.

    Attributes:
        numImages: rows in the file.
        db: the h5py.File, open for reading.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it is no HDF5 file, is truncated, is being written, or cannot be locked.
        ValueError: for a file that was not finished, is empty, damaged, lacks a data set or has
            labels outside 0 to classes - 1 (if `binarize`); for one that refers to other files or
            announces more than it can hold; and for impossible arguments.

    The file is opened to read only: several processes may have it open, a forked or spawned one
    opens it for itself. HDF5 locks it against writers; where a network file system has no locks,
    set the environment variable HDF5_USE_FILE_LOCKING=FALSE before Python starts.

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
        with damage_named(self.dbPath):
            data = self.db[self.dataKey]
        start = functools.partial(self._feed, data, first + passes)
        batches = keras_class(Batches)(start, len(self), first, passes, self._running)
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

    def _feed(self, data, end, first):
        """Return the batches from pass `first` on: one thread reads rows, others make batches."""
        reader = RowReader(data, self.dbPath)
        looks_again = []  # the feed, once there is one
        maker = BatchMaker(
            self,
            reader.shape,
            reader.dtype,
            self._labels,
            lambda: [look_again() for look_again in looks_again],
        )
        works = self._works(reader, maker, first, end)
        feed = Feed(works, self.workers, maker.has_room, maker.stop)
        looks_again.append(feed.look_again)
        return feed

    def _works(self, reader, maker, number, end):
        """Yield what there is to do for every batch."""
        windows = self._windows(reader.row_bytes, maker.keeps_rows, number, end)
        with (
            contextlib.closing(reader),
            contextlib.closing(
                ordered_map(self._read(reader), windows, workers=min(self.workers, 1), ahead=1)
            ) as read,
        ):
            rows = Rows(read)
            while number < end:
                for batch in range(len(self)):
                    count = min(self.batchSize, self.numImages - batch * self.batchSize)
                    rng = np.random.default_rng([self.seed, number, batch])
                    yield maker.work(rows.take(count), count, rng, number, batch)
                number += 1

    def _windows(self, row_bytes, whole_batches, number, end):
        """Yield the windows of all passes, see _order.py."""
        while number < end:
            if self.shuffle:
                yield from _order.shuffled(self.numImages, row_bytes, self.seed, number)
            elif whole_batches:
                yield from _order.in_file_order(self.numImages, self.batchSize)
            else:
                yield from _order.in_file_order(self.numImages, _order.window_rows(row_bytes))
            number += 1

    def _read(self, reader):
        def read(window):
            self._require_open()
            return reader.read(window)

        return read
