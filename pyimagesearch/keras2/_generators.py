"""Python generators, given to Keras 3 so that every batch is used once and in order.

Keras 3 reads ahead: on TensorFlow it takes two batches to learn their shape, more while it
trains, and begins every validation with the batches it saw first. What it took of a generator too
early would be lost, and what it sees again be validated twice. So it gets batches by number, and a
batch is kept until it has been used.
"""

import threading
import weakref

import numpy as np

_streams = weakref.WeakKeyDictionary()  # iterator -> its stream, for the next `fit` with it


def batches(keras, iterator, steps, *, training=False, inputs_only=False):
    """Return a PyDataset of `steps` batches of an iterator a pass, and the callback it needs.

    Args:
        keras: the module.
        iterator: what yields x, (x, y), (x, y, weights) or a list of these.
        steps: number of batches.
        training: they are to train on.
        inputs_only: leave labels out, for `predict`.
    """
    try:
        stream = _streams.setdefault(iterator, Stream(iterator))
    except TypeError:  # it cannot be referred to weakly
        stream = Stream(iterator)
    window = _classes(keras)["window"](stream, steps, inputs_only)
    return window, _classes(keras)["training" if training else "testing"](window)


class Stream:
    """The batches of an iterator by number, each until it has been used."""

    def __init__(self, iterator):
        # not the iterator itself: it would keep its own entry in `_streams` alive
        self._iterator = _reference(iterator)
        self._waiting = {}
        self._taken = 0  # of the iterator
        self.used = 0
        self._lock = threading.Lock()

    def batch(self, number):
        """Return a batch, counted from the first one of the iterator on."""
        with self._lock:
            while self._taken <= number:
                self._waiting[self._taken] = next(self._iterator())
                self._taken += 1
            if number not in self._waiting:
                raise IndexError(f"Batch {number} of the generator has been used already.")
            return self._waiting[number]

    def use(self, end):
        """Let go of the batches before number `end`."""
        with self._lock:
            for number in range(self.used, end):
                self._waiting.pop(number, None)
            self.used = max(self.used, end)


def _reference(iterator):
    try:
        return weakref.ref(iterator)
    except TypeError:
        return lambda: iterator


_made = {}


def _classes(keras):
    """Return the classes that need Keras to be defined."""
    if not _made:
        _made["window"] = _window_class(keras)
        _made["training"], _made["testing"] = _callback_classes(keras)
    return _made


def _window_class(keras):
    class Window(keras.utils.PyDataset):
        """`steps` batches of a stream in every pass: an epoch, or a validation."""

        def __init__(self, stream, steps, inputs_only):
            super().__init__()
            self.stream = stream
            self.steps = steps
            self.inputs_only = inputs_only
            self.first = None  # number of its first batch in the stream, during a pass
            self.ended = None  # after how many batches, if the generator came to its end
            self._iterator = stream._iterator()  # alive as long as this

        @property
        def num_batches(self):
            return self.steps

        def __getitem__(self, index):
            try:
                batch = self.stream.batch(self._start() + index)
            except StopIteration:
                self.ended = self.stream._taken
                raise IndexError(f"The generator ended after {self.ended} batches.") from None
            return _as_tuple(batch, self.inputs_only)

        def _start(self):
            # Keras looks at the first batches before a pass, too
            return self.stream.used if self.first is None else self.first

        def begin(self):
            """Begin a pass with the batch that comes next."""
            self.first = self.stream.used

        def use(self, index):
            """Let go of the batches of this pass up to `index`."""
            self.stream.use(self.first + index + 1)

        def end(self):
            """End a pass, complete or not."""
            self.first = None

    return Window


def _callback_classes(keras):
    class Training(keras.callbacks.Callback):
        """Tell a window of its passes, the epochs, and which of its batches have been used."""

        async_safe = True  # Keras need not wait for it after every batch

        def __init__(self, window):
            super().__init__()
            self.window = window

        def on_epoch_begin(self, epoch, logs=None):
            self.window.begin()

        def on_train_batch_end(self, batch, logs=None):
            self.window.use(batch)

        def on_epoch_end(self, epoch, logs=None):
            self.window.end()

    class Testing(keras.callbacks.Callback):
        """The same for validation, `evaluate` and `predict`."""

        async_safe = True

        def __init__(self, window):
            super().__init__()
            self.window = window

        def on_test_begin(self, logs=None):
            self.window.begin()

        def on_test_batch_end(self, batch, logs=None):
            self.window.use(batch)

        def on_test_end(self, logs=None):
            self.window.end()

        on_predict_begin = on_test_begin
        on_predict_batch_end = on_test_batch_end
        on_predict_end = on_test_end

    return Training, Testing


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
    batch = stream.batch(stream.used)
    x = batch[0] if isinstance(batch, (list, tuple)) else batch
    return len(x[0] if isinstance(x, (list, tuple)) else x)
