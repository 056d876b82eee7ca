"""DataWait: is the data the bottleneck?"""

import time

import keras


class DataWait(keras.callbacks.Callback):
    """Print after every epoch how long training waited for its data, at most.

    Counted is the time in which a batch was asked for and none was ready. On the jax and torch
    backends that is the training itself, waiting. On TensorFlow it is Keras' thread that asks
    ahead, so that the training waited for less; a share near 0 % or 100 % means the same there.

    Near 0 %: the network is the bottleneck, and a faster feed would change nothing. Near 100 %: the
    data is; `python -m pyimagesearch.io bench` tells which step of it.

    Args:
        batches: what `HDF5DatasetGenerator.generator()` returned, given to `fit` as well.
    Attributes:
        waited, seconds: of the last epoch, without its validation; None before.

    Example:
        batches = trainGen.generator()
        model.fit(batches, steps_per_epoch=len(trainGen), callbacks=[DataWait(batches)], ...)
    """

    def __init__(self, batches):
        super().__init__()
        if not hasattr(batches, "waited"):
            raise TypeError(
                "DataWait takes what HDF5DatasetGenerator.generator() returned. "
                f"Received: {batches!r}."
            )
        self.batches = batches
        self.waited = self.seconds = None
        self._start = None

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter(), self.batches.waited

    def on_test_begin(self, logs=None):
        self._stop()

    def on_epoch_end(self, epoch, logs=None):
        self._stop()
        share = self.waited / self.seconds
        print(
            f"[INFO] epoch {epoch + 1}: waited for data at most {self.waited:.1f} s of "
            f"{self.seconds:.1f} s ({share:.0%})"
        )

    def _stop(self):
        """Stop the clock: at the validation, or at the end of an epoch that has none."""
        if self._start is not None:
            start, waited = self._start
            self.seconds = time.perf_counter() - start
            self.waited = min(self.batches.waited - waited, self.seconds)
            self._start = None
