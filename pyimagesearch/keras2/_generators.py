"""Python generators, given to Keras 3 so that every batch is used once and in order.

Keras 3 reads ahead: on TensorFlow it takes two batches to learn their shape, more while it
trains, and begins every validation with the batches it saw first. What it took of a generator too
early would be lost, and what it sees again be validated twice. So it gets batches by number, and a
batch is kept until it has been used.
"""

import threading
import weakref

import keras
import numpy as np
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

_streams = weakref.WeakKeyDictionary()  # iterator -> its stream, for the next `fit` with it


def batches(iterator, steps, *, training=False, inputs_only=False):
    """Return a PyDataset of `steps` batches of an iterator a pass, and the callback it needs.

    Args:
        iterator: what yields x, (x, y), (x, y, weights) or a list of these.
        steps: number of batches.
        training: they are to train on.
        inputs_only: leave labels out, for `predict`.
    """
    try:
        stream = _streams.setdefault(iterator, Stream(iterator))
    except TypeError:  # it cannot be referred to weakly
        stream = Stream(iterator)
    steps = min(steps, keras.config.max_steps_per_epoch() or steps)
    window = Window(stream, steps, inputs_only)
    return window, (Training if training else Testing)(window)


class Stream:
    """The batches of an iterator by number, each until it has been used."""

    def __init__(self, iterator):
        # not the iterator itself: it would keep its own entry in `_streams` alive
        self._iterator = _reference(iterator)
        self._waiting = {}
        self.taken = 0  # of the iterator
        self._dropped = 0
        self.next = 0  # number of the batch that nobody has used yet
        self._lock = threading.Lock()

    def batch(self, number):
        """Return a batch, counted from the first one of the iterator on."""
        with self._lock:
            while self.taken <= number:
                self._waiting[self.taken] = next(self._iterator())
                self.taken += 1
            if number not in self._waiting:
                raise IndexError(f"Batch {number} of the generator has been used already.")
            return self._waiting[number]

    def use(self, first, end):
        """Let go of the batches before number `first`; those before `end` are in use now."""
        with self._lock:
            for number in range(self._dropped, first):
                self._waiting.pop(number, None)
            self._dropped = max(self._dropped, first)
            self.next = max(self.next, end)


def _reference(iterator):
    try:
        return weakref.ref(iterator)
    except TypeError:
        return lambda: iterator


class Window(keras.utils.PyDataset):
    """`steps` batches of a stream in every pass: an epoch, or a validation."""

    def __init__(self, stream, steps, inputs_only):
        super().__init__()
        self.stream = stream
        self.steps = steps
        self.inputs_only = inputs_only
        self.first = None  # number of its first batch in the stream, during a pass
        self.failure = None  # what the generator raised
        self._iterator = stream._iterator()  # alive as long as this

    @property
    def num_batches(self):
        return self.steps

    def __getitem__(self, index):
        try:
            batch = self.stream.batch(self._start() + index)
        except StopIteration:
            self.failure = self.failure or ValueError(
                f"The generator ended after {self.stream.taken} batches, but more were asked for: "
                f"{self.steps} at a time. Let it go on for ever, or ask for fewer."
            )
            raise self.failure from None
        except Exception as error:
            self.failure = error
            raise
        return _as_tuple(batch, self.inputs_only)

    def rows(self, index):
        """Return the number of rows in a batch of this pass."""
        return _rows(self[index])

    def _start(self):
        # Keras looks at the first batches before a pass, too
        return self.stream.next if self.first is None else self.first

    def begin(self):
        """Begin a pass with the batch that comes next."""
        self.first = self.stream.next
        self.stream.use(self.first, self.first)

    def use(self, index, count):
        """Note that `count` batches of this pass from `index` on are being used."""
        end = min(index + count, self.steps)
        self.stream.use(self.first + index, self.first + end)

    def end(self):
        """End a pass, complete or not."""
        self.first = None


# At the beginning of a batch, not at its end: Keras may call the ends late, in other threads


class Training(keras.callbacks.Callback):
    """Tell a window of its passes, the epochs, and which of its batches are being used."""

    def __init__(self, window):
        super().__init__()
        self.window = window

    def on_epoch_begin(self, epoch, logs=None):
        self.window.begin()

    def on_train_batch_begin(self, batch, logs=None):
        self.window.use(batch, self.model.steps_per_execution)

    def on_epoch_end(self, epoch, logs=None):
        self.window.end()


class Testing(keras.callbacks.Callback):
    """The same for validation, `evaluate` and `predict`."""

    def __init__(self, window):
        super().__init__()
        self.window = window

    def on_test_begin(self, logs=None):
        self.window.begin()

    def on_test_batch_begin(self, batch, logs=None):
        self.window.use(batch, self.model.steps_per_execution)

    def on_test_end(self, logs=None):
        self.window.end()

    on_predict_begin = on_test_begin
    on_predict_batch_begin = on_test_batch_begin
    on_predict_end = on_test_end


def install():
    """Let batches have lists of inputs or labels in them, as `yield [x1, x2], y` has."""
    standardize = PyDatasetAdapter._standardize_batch
    PyDatasetAdapter._standardize_batch = lambda self, batch: standardize(self, _tuples(batch))


def _tuples(batch):
    if not isinstance(batch, (list, tuple)):
        return batch
    if batch and not any(
        hasattr(item, "shape") or isinstance(item, (list, tuple, dict)) for item in batch
    ):
        return np.asarray(batch)  # rows of numbers
    return tuple(_tuples(item) for item in batch)


def _as_tuple(batch, inputs_only):
    batch = tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)
    if inputs_only:
        batch = batch[:1]
    elif len(batch) not in (2, 3):
        raise ValueError(
            "A generator must yield (x, y) or (x, y, weights). "
            f"Received: {len(batch)} items of {type(batch[0]).__name__}."
        )
    return tuple(np.asarray(item) if np.isscalar(item) else item for item in batch)


def is_stream(data):
    """Return whether data comes from a generator, or something else that is asked for `next`."""
    return hasattr(data, "__next__")


def first_batch_size(iterator):
    """Return the number of rows in the next batch of an iterator, which stays the next one."""
    stream = _streams.setdefault(iterator, Stream(iterator))
    return _rows(stream.batch(stream.next))


def _rows(batch):
    x = batch[0] if isinstance(batch, (list, tuple)) else batch
    return len(x[0] if isinstance(x, (list, tuple)) else x)
