"""What there is to do for a batch, and when the next one may be begun."""

import functools
import math
import threading

import numpy as np

from pyimagesearch.io import _steps
from pyimagesearch.io._feed import Work
from pyimagesearch.io._fused import fused_steps
from pyimagesearch.utils.recycling import LEAST_BYTES, Recycler

PART_IMAGES = 16  # images that a thread makes before it looks for more


class BatchMaker:
    """Turns rows into batches: all at once where the steps can be fused, else image by image.

    Fused, the threads share one batch, so that few batches are in memory. A user's own
    preprocessor draws its random numbers one image after the other; then every thread makes a
    batch of its own.

    Args:
        generator: the HDF5DatasetGenerator.
        row_shape, dtype: of a row.
        labels: (N,) int64, of all rows of the file.
        returned: called when the memory of a batch can be used again.
    Attributes:
        keeps_rows: a batch may be the rows themselves, as they were read.
    """

    def __init__(self, generator, row_shape, dtype, labels, returned):
        self._path = generator.dbPath
        self._aug = generator.aug
        self._classes = generator.classes if generator.binarize else None
        self._labels = labels
        self._workers = generator.workers
        self._size = min(generator.batchSize, len(labels))
        self._fused = fused_steps(generator.preprocessors, generator.aug, row_shape, dtype)
        functions = _steps.steps(generator.preprocessors, generator.aug)
        self._stopped = threading.Event()
        self._functions = functions and [_unless(self._stopped, self._path), *functions]
        self._batches = 2 + self._workers // 8  # in memory at once, while the consumer holds one
        self._recycler = Recycler(max(self._batches, self._workers), returned)
        self._begun = 0
        self._shared = (
            self._fused is not None and self._size * math.prod(self._fused.shape) * 4 >= LEAST_BYTES
        )
        self.keeps_rows = not self._functions

    def has_room(self, ahead, waiting):
        """Say whether to begin another batch with so many made ahead of the consumer."""
        if not self._shared:
            return ahead < self._workers
        # A batch that the consumer has let go of makes room for the next. One who keeps several
        # (or all) gets more memory, but only when waiting for it.
        if ahead >= self._batches:
            return False
        return self._recycler.idle > 0 or self._begun < self._batches or (waiting and not ahead)

    def stop(self):
        """Give up batches that are being made image by image: their consumer has gone."""
        self._stopped.set()

    def work(self, parts, count, rng, number, batch):
        """Return the Work of batch `batch` of pass `number`: `count` rows of `parts`."""
        self._begun += 1
        numbers, made = [], []
        jobs = self._fused_jobs if self._fused is not None else self._plain_jobs
        where = f"While preparing batch {batch} of pass {number} of {self._path}."

        def result():
            return self._labelled(made[0], np.concatenate(numbers), where)

        return Work(_noted(jobs(parts, count, rng, numbers, made), where), result)

    def _fused_jobs(self, parts, count, rng, numbers, made):
        # always the memory of a full batch: idle memory then is room for any batch
        images = self._recycler.empty((self._size, *self._fused.shape), np.float32)[:count]
        choices = self._fused.draw(rng, count)
        made.append(images)
        size = min(PART_IMAGES, max(1, -(-count // (2 * max(1, self._workers)))))
        start = 0
        for rows, places, row_numbers in parts:
            numbers.append(row_numbers)
            for first in range(0, len(places), size):
                some = places[first : first + size]
                yield functools.partial(self._fused.fill, images, start, rows, some, choices)
                start += len(some)

    def _plain_jobs(self, parts, count, rng, numbers, made):
        parts = list(parts)
        numbers += [row_numbers for _, _, row_numbers in parts]

        def make():
            empty = self._recycler.empty
            made.append(_steps.apply(self._functions, parts, count, rng, empty))
            parts.clear()  # their memory may serve the next rows

        yield make

    def _labelled(self, images, numbers, where):
        labels = self._labels[numbers]
        if self._classes is not None:
            labels = (labels[:, None] == np.arange(self._classes)).astype(np.float32)
        try:
            return _steps.augment_batch(self._aug, images, labels)
        except Exception as error:
            error.add_note(where)
            raise


def _unless(stopped, path):
    def unless_stopped(image, rng):
        if stopped.is_set():
            raise InterruptedError(f"The generator of {path} was closed.")
        return image

    return unless_stopped


def _noted(jobs, where):
    """Pass on jobs whose exceptions say where they happened."""

    def noted(job):
        try:
            job()
        except Exception as error:
            error.add_note(where)
            raise

    for job in jobs:
        yield functools.partial(noted, job)
