"""StopOnNaN: end a training whose loss is no number any more, before it overwrites anything."""

import math

import keras

from pyimagesearch.callbacks.epochcheckpoint import weights_are_finite


class StopOnNaN(keras.callbacks.Callback):
    """Raise a ValueError as soon as the training loss or a weight is NaN or infinite.

    It tells the epoch and the batch, both counted from 1, and the last good checkpoint. The loss is
    looked at after every batch, or with `steps_per_execution` after every execution; the weights
    after every epoch. Give it before TrainingMonitor and EpochCheckpoint: the history and the
    checkpoints then end with the last good epoch. Under float16 Keras skips the steps whose
    gradients overflow, which this does not notice.

    Args:
        checkpoint: the training's EpochCheckpoint, whose last file the error names. Default: none.

    Example:
        checkpoint = EpochCheckpoint("output/checkpoints")
        model.fit(..., callbacks=[StopOnNaN(checkpoint), checkpoint])
    """

    def __init__(self, checkpoint=None):
        super().__init__()
        self.checkpoint = checkpoint
        self._epoch = 0
        self._done = 0  # batches of this epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1
        self._done = 0

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        first, self._done = self._done + 1, batch + 1
        if loss is not None and not math.isfinite(loss):
            batches = f"batch {first}" if first == batch + 1 else f"batches {first} to {batch + 1}"
            self._stop(f"The loss became {float(loss)} in {batches} of epoch {self._epoch}")

    def on_epoch_end(self, epoch, logs=None):
        if not weights_are_finite(self.model):
            self._stop(f"A weight became NaN or infinite in the last batch of epoch {epoch + 1}")

    def _stop(self, what):
        checkpoint = self.checkpoint
        last = checkpoint and (checkpoint.lastPath or checkpoint.resumeFrom)
        if last:
            advice = f"The last good checkpoint is {last}: go on from it at a lower learning rate."
        else:
            advice = "There is no checkpoint yet: begin anew at a lower learning rate."
        raise ValueError(f"{what}. Nothing of this epoch was saved. {advice}")
