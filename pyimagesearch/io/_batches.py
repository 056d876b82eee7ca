"""What `HDF5DatasetGenerator.generator` returns."""

import itertools
import operator
import threading
import time
from collections.abc import Iterator

import numpy as np

IDLE = 4  # a line of work that was passed over so many times is given up
FORGOTTEN = 32  # so are all lines of an object while another one gave so many batches


class Batches(Iterator):
    """Batches to iterate over, or for Keras to ask for by number; see `HDF5DatasetGenerator`.

    A Python generator would not do for Keras: on TensorFlow it starts every validation with the
    two batches it saw first and goes on where its own reading ahead stopped, so that some images
    would be evaluated twice and others never. Batch number i here is always the same one.

    Args:
        start: function of a pass number to an iterator of all batches from that pass on.
        length: batches in a pass.
        first: number of the first pass.
        passes: number of passes, or infinity.
        siblings: set of the Batches that may take this one's place. TensorFlow keeps what `fit` was
            given for ever; endless batches would keep their threads as long. Work that was given
            up begins again where it was, should anybody ask.
    Attributes:
        waited: seconds that whoever asked for batches has waited for them, since none was ready.
    """

    def __init__(self, start, length, first, passes, siblings=()):
        super().__init__()  # of PyDataset, where that is the other base
        self._start = start
        self._length = length
        self._first = first
        self._end = np.inf if passes == np.inf else int(np.ceil(passes)) * length
        self._position = 0
        self._lines = []  # [number of the next batch, iterator, time of its last batch]
        self._clock = 0
        self._siblings = siblings
        self._passed_over = 0
        self.waited = 0.0
        self._closed = False
        self._lock = threading.RLock()

    @property
    def num_batches(self):
        """Number of all batches, None if there is no end: what Keras asks a PyDataset for."""
        return None if self._end == np.inf else self._end

    def __next__(self):
        with self._lock:
            if self._closed or self._position >= self._end:
                self.close()
                raise StopIteration
            batch = self[self._position]
            self._position += 1
            return batch

    def __getitem__(self, index):
        """Return batch `index`, counted from the first pass on."""
        index = operator.index(index)
        with self._lock:
            if self._closed or not 0 <= index < self._end:
                raise IndexError(f"There is no batch {index}, or these batches were closed.")
            asked = time.perf_counter()
            line = self._line(index)
            try:
                batch = next(line[1])
            except BaseException:
                self._lines.remove(line)
                raise
            self.waited += time.perf_counter() - asked
            self._clock += 1
            line[0], line[2] = index + 1, self._clock
            for idle in [line for line in self._lines if self._clock - line[2] > IDLE]:
                self._lines.remove(idle)
                idle[1].close()
            self._passed_over = 0
            for sibling in [other for other in self._siblings if other is not self]:
                sibling._pass_over()
            return batch

    def _pass_over(self):
        if not self._lines or not self._lock.acquire(blocking=False):
            return  # nothing to give up, or somebody waits for a batch
        try:
            self._passed_over += 1
            while self._passed_over > FORGOTTEN and self._lines:
                self._lines.pop()[1].close()
        finally:
            self._lock.release()

    def close(self):
        """End the work in the background."""
        self._closed = True
        for line in list(self._lines):  # first: who waits for one of them holds the lock
            line[1].close()
        with self._lock:
            while self._lines:
                self._lines.pop()[1].close()

    def _line(self, index):
        """Return the line of work that comes to batch `index` next, a new one if there is none."""
        for line in reversed(self._lines):
            if line[0] == index:
                return line
        passes, skipped = divmod(index, self._length)
        iterator = self._start(self._first + passes)
        self._lines.append([index, iterator, self._clock])
        next(itertools.islice(iterator, skipped, skipped), None)  # what comes before in its pass
        return self._lines[-1]
