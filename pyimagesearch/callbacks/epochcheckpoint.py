"""EpochCheckpoint: the whole model, optimizer included, every few epochs."""

import zipfile
from pathlib import Path

import keras

from pyimagesearch.utils.files import replacing

LEGACY = (".h5", ".hdf5")
EPOCH_ENTRY = "pyimagesearch/epoch.txt"  # in the checkpoint's archive


class EpochCheckpoint(keras.callbacks.Callback):
    """Save the model to `outputPath/epoch_N.keras` after every epoch N that `every` divides.

    N counts the epochs of all runs: after the first epoch of a run with `startAt=5` it is 6,
    whether `fit` counts from 0 (as the book's scripts do) or got `initial_epoch=5`. A file
    appears under its name only when it is complete.

    Args:
        outputPath: folder of the checkpoints, made if missing.
        every: number of epochs between two checkpoints.
        startAt: number of epochs finished before this run.
        extension: ".keras", or ".h5" or ".hdf5" for the format of 2017, which Keras calls legacy
            and whose optimizer state it does not load without help.
        latest: also save after every other epoch, and remove that file when the next one is
            there, so that the last finished epoch can always be resumed. Files of earlier runs
            are never removed.
    Attributes:
        lastPath: pathlib.Path of the newest checkpoint written by this object, or None.
        lastRate: the learning rate in it, None if the model has no optimizer.

    Example:
        model.fit(..., initial_epoch=40, epochs=75, callbacks=[
            EpochCheckpoint("output/checkpoints", every=5, startAt=40)])
    """

    def __init__(self, outputPath, every=5, startAt=0, *, extension=".keras", latest=False):
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be 1 epoch or more. Received: {every}.")
        if startAt < 0:
            raise ValueError(f"startAt must be 0 or more. Received: {startAt}.")
        if extension not in (".keras", *LEGACY):
            raise ValueError(
                f"extension must be '.keras', '.h5' or '.hdf5'. Received: {extension!r}."
            )
        self.outputPath = outputPath
        self.every = every
        self.startAt = startAt
        self.extension = extension
        self.latest = latest
        self.intEpoch = startAt
        self.lastPath = None
        self.lastRate = None
        self._passing = None  # the file to remove once a newer one is there

    def on_train_begin(self, logs=None):
        Path(self.outputPath).mkdir(parents=True, exist_ok=True)  # fail now, not in five epochs

    def on_epoch_end(self, epoch, logs=None):
        self.intEpoch = max(self.intEpoch, epoch) + 1
        due = self.intEpoch % self.every == 0
        if not (due or self.latest):
            return
        path = Path(self.outputPath) / f"epoch_{self.intEpoch}{self.extension}"
        is_new = not path.exists()
        _save(self.model, path, self.intEpoch)
        self.lastPath = path
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        self.lastRate = None if rate is None else float(keras.ops.convert_to_numpy(rate))
        if self._passing is not None:
            self._passing.unlink(missing_ok=True)
        self._passing = path if is_new and not due else None


def _save(model, path, epoch):
    with replacing(path) as temporary:
        if path.suffix in LEGACY:
            # Saving this format takes the optimizer out of the compile settings of the model it
            # is given (Keras 3.15), so give it a copy: the live model must train and save on.
            copy = temporary.with_suffix(".keras")
            model.save(copy)
            model = keras.models.load_model(copy)
        model.save(temporary)
        if path.suffix not in LEGACY:
            # a .keras file is a zip archive; Keras leaves what it does not know alone
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(EPOCH_ENTRY, str(epoch))


def saved_epoch(path):
    """Return the number of epochs behind a `.keras` checkpoint, None if the file does not tell."""
    with zipfile.ZipFile(path) as archive:
        if EPOCH_ENTRY not in archive.namelist():
            return None
        return int(archive.read(EPOCH_ENTRY))
