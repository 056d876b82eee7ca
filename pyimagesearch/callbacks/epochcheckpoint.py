"""EpochCheckpoint: the whole model, optimizer included, every few epochs."""

import json
import time
import uuid
import warnings
from pathlib import Path

import keras
import numpy as np

from pyimagesearch.callbacks.checkpointnote import LEGACY, read_arrays, read_note, write_note
from pyimagesearch.callbacks.legacyformat import save_legacy, writing_hdf5
from pyimagesearch.utils.files import remove_leftovers, replacing
from pyimagesearch.utils.locking import hold

LOCK = ".lock"  # held while a process trains into the folder
BEGUN = ".begun.json"  # names the training that was begun last, where others left checkpoints
_held = {}  # lock -> open file; no callback is told when an exception ends a training


class EpochCheckpoint(keras.callbacks.Callback):
    """Save the model to `outputPath/epoch_N.keras` after every epoch N that `every` divides.

    N counts the epochs of all runs: after the first epoch of a run with `startAt=5` it is 6,
    whether `fit` counts from 0 (as the book's scripts do) or got `initial_epoch=5`. A file
    appears under its name only when it is complete. Weights that are NaN or infinite are not
    saved: they end the training with a ValueError.

    While it trains, no other process may write checkpoints into the folder: a second one gets a
    BlockingIOError at its start. A training that begins where an older one left checkpoints leaves
    a small hidden file there, so that `--resume` does not take those for its own.

    Give it as the last callback, so that it saves what the others have done to model and rate.

    Args:
        outputPath: folder of the checkpoints, made if missing.
        every: number of epochs between two checkpoints.
        startAt: number of epochs finished before this run.
        extension: ".keras", or ".h5" or ".hdf5" for the format of 2017, which Keras calls legacy
            and whose optimizer state only `read_model` and `load_checkpoint` bring back.
        latest: also save after every other epoch, and remove that file when the next one is
            there, so that the last finished epoch can always be resumed. Files of earlier runs
            are never removed.
        keep: number of checkpoints to leave in the folder, the newest ones; default all. Older
            ones are removed once the new one is complete, those of the runs before too that this
            one goes on from. Files of other trainings stay.
        remember: callbacks such as EarlyStopping, ReduceLROnPlateau, or ModelCheckpoint with
            save_best_only, in the same order in every run. What they have found out, as their
            best value so far, is saved with the model and given back when training is resumed. If
            EarlyStopping had ended it there, `fit` trains no further epoch, and restores the best
            weights as it would have: leave `remember` out to train on all the same.
        resumeFrom: checkpoint that this run goes on from. Default: the one of epoch `startAt` in
            `outputPath`, if it is there.
        options: dict of what the training was started with, as `vars(ap.parse_args())`; saved
            with the model, for `load_checkpoint` to compare.
    Attributes:
        lastPath: pathlib.Path of the newest checkpoint written by this object, or None.
        lastRate: the learning rate in it, None if the model has no optimizer.

    Example:
        model.fit(..., initial_epoch=40, epochs=75, callbacks=[
            EpochCheckpoint("output/checkpoints", every=5, startAt=40)])
    """

    def __init__(
        self,
        outputPath,
        every=5,
        startAt=0,
        *,
        extension=".keras",
        latest=False,
        keep=None,
        remember=(),
        resumeFrom=None,
        options=None,
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be 1 epoch or more. Received: {every}.")
        if startAt < 0:
            raise ValueError(f"startAt must be 0 or more. Received: {startAt}.")
        if extension not in (".keras", *LEGACY):
            raise ValueError(
                f"extension must be '.keras', '.h5' or '.hdf5'. Received: {extension!r}."
            )
        if keep is not None and keep < 1:
            raise ValueError(f"keep must be 1 checkpoint or more, or None. Received: {keep}.")
        self.outputPath = outputPath
        self.every = every
        self.startAt = startAt
        self.extension = extension
        self.latest = latest
        self.keep = keep
        self.remember = list(remember)
        self.resumeFrom = resumeFrom
        self.options = options
        self.intEpoch = startAt
        self.lastPath = None
        self.lastRate = None
        self._passing = None  # the file to remove once a newer one is there
        self._run = uuid.uuid4().hex  # what tells our checkpoints from those of other trainings
        self._written = 0  # when the newest checkpoint in the folder was
        self._untouched = [_state(callback) for callback in self.remember]

    def on_train_begin(self, logs=None):
        Path(self.outputPath).mkdir(parents=True, exist_ok=True)  # fail now, not in five epochs
        _hold_folder(self.outputPath)
        remove_leftovers(self.outputPath)
        notes = checkpoint_notes(self.outputPath, self.extension)
        self._written = max((_when(path, note) for path, note in notes), default=0)
        if self.extension in LEGACY:
            self._check_legacy()
        if self.intEpoch != self.startAt:  # a second `fit` with this object
            return
        self._check_names()
        path = self.resumeFrom or Path(self.outputPath) / f"epoch_{self.startAt}{self.extension}"
        if self.startAt and Path(path).exists():
            try:
                note = read_note(path)
            except ValueError:
                if self.resumeFrom is None and not self.remember:
                    return  # the file only happens to have this name
                raise
            self.resumeFrom = path
            self._run = note.get("run", self._run)
            self._mark_begun(notes, known="run" in note)
            if self.remember:
                self._remind(path, note)
                if note.get("over"):
                    print(
                        f"[INFO] {path}: {note['over']} had ended this training after epoch "
                        f"{self.startAt}: nothing left to train"
                    )
                    self.model._initial_epoch = self.params["epochs"]  # as BackupAndRestore does
            self._remove_old()  # a kill may have come between
        else:
            self._mark_begun(notes, known=self.startAt == 0)

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None
        _let_go(self.outputPath)

    def on_epoch_end(self, epoch, logs=None):
        self.intEpoch = max(self.intEpoch, epoch) + 1
        due = self.intEpoch % self.every == 0
        if not (due or self.latest):
            return
        path = Path(self.outputPath) / f"epoch_{self.intEpoch}{self.extension}"
        is_new = not path.exists()
        if not weights_are_finite(self.model):
            raise ValueError(
                f"After epoch {self.intEpoch} the weights are NaN or infinite, so that no "
                f"checkpoint {path} was written. Go on from an earlier one at a lower rate."
            )
        # a clock that was set back must not make the newest checkpoint an old one
        self._written = max(time.time_ns(), self._written + 1)
        note, arrays = self._note()
        _save(self.model, path, {**note, "over": self._ended_by(epoch)}, arrays)
        self.lastPath = path
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        self.lastRate = None if rate is None else float(keras.ops.convert_to_numpy(rate))
        if self._passing is not None:
            self._passing.unlink(missing_ok=True)
        self._passing = path if is_new and not due else None
        self._remove_old()

    def _note(self):
        """Return the note to save, and the arrays beside it."""
        callbacks, arrays = [], []
        for callback, untouched in zip(self.remember, self._untouched, strict=True):
            entry = {"class": type(callback).__name__, "values": {}, "arrays": {}}
            for name, value in _state(callback).items():
                if isinstance(value, list):
                    entry["arrays"][name] = [len(arrays), len(arrays) + len(value)]
                    arrays += value
                elif name not in untouched or value != untouched[name]:
                    entry["values"][name] = value
            callbacks.append(entry)
        note = {
            "epoch": self.intEpoch,
            "run": self._run,
            "written": self._written,
            "options": _plain(self.options),
            "callbacks": callbacks,
        }
        return note, arrays

    def _ended_by(self, epoch):
        """Return which remembered callback ends the training after this epoch, or None.

        It is one that keeps the number of its last epoch, as EarlyStopping. Others that stop a
        training, because their time is up for example, want it to go on later.
        """
        for callback in self.remember:
            last = getattr(callback, "stopped_epoch", 0)  # 0 is "not yet"
            if self.model.stop_training and last and last == epoch:
                return type(callback).__name__
        return None

    def _remind(self, path, note):
        """Give the callbacks back what they knew when the checkpoint at `path` was written."""
        now = [type(callback).__name__ for callback in self.remember]
        saved = note.get("callbacks") or []
        if not saved:
            warnings.warn(
                f"{path} does not tell how far {', '.join(now)} had come: they begin anew.",
                stacklevel=2,
            )
            return
        if [entry["class"] for entry in saved] != now:
            raise ValueError(
                f"{path} remembers {', '.join(entry['class'] for entry in saved)}. "
                f"Received: remember={', '.join(now)}. Give the same callbacks in the same order."
            )
        arrays = read_arrays(path)
        for callback, entry in zip(self.remember, saved, strict=True):
            vars(callback).update(entry["values"])
            for name, (first, end) in entry["arrays"].items():
                setattr(callback, name, arrays[first:end])

    def _remove_old(self):
        """Leave `keep` of this training's checkpoints, the newest ones."""
        if self.keep is not None:
            notes = checkpoint_notes(self.outputPath, self.extension)
            own = [path for path, note in notes if note and note.get("run") == self._run]
            for old in own[: -self.keep]:
                old.unlink(missing_ok=True)

    def _mark_begun(self, notes, known):
        """Tell `begun_training` which run this is, if others have left checkpoints here.

        Args:
            notes: what `checkpoint_notes` found.
            known: this is a new training, or the checkpoint that it goes on from tells its run.
        """
        marker = Path(self.outputPath) / BEGUN
        if known and any(note and note.get("run") != self._run for _, note in notes):
            with replacing(marker) as temporary:
                temporary.write_text(json.dumps({"run": self._run}))
        else:
            marker.unlink(missing_ok=True)

    def _check_names(self):
        """Raise a FileExistsError if a folder has the name of a checkpoint to come."""
        for path in Path(self.outputPath).glob(f"epoch_*{self.extension}"):
            number = path.stem.removeprefix("epoch_")
            if path.is_dir() and number.isdecimal() and int(number) > self.startAt:
                raise FileExistsError(
                    f"{path} is a folder, and the checkpoint after epoch {number} would have its "
                    "name. Move it away, or give another folder for the checkpoints."
                )

    def _check_legacy(self):
        """Raise a ValueError if the old format cannot hold the optimizer, as Adafactor."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and self.model.built and not optimizer.built:
            optimizer.build(self.model.trainable_variables)  # as `fit` does with the first batch
        paths = [variable.path for variable in getattr(optimizer, "variables", ())]
        if len(set(paths)) < len(paths):
            raise ValueError(
                f"A {self.extension} file cannot hold the state of {type(optimizer).__name__}, "
                "several of whose variables have the same name. Use extension='.keras'."
            )


def checkpoint_notes(folder, extension=".keras"):
    """Return [(path, note)] of the checkpoints epoch_N in a folder, the one written first first.

    The note of a file that does not open is None. Left out is what no EpochCheckpoint wrote there
    under that name: files without a note, and renamed ones.
    """
    found = []
    for path in Path(folder).glob(f"epoch_*{extension}"):
        if not path.is_file():
            continue
        try:
            note = read_note(path)
        except ValueError:
            note = None
        epoch = note["epoch"] if note else 0
        if note is None or path.stem == f"epoch_{epoch}":
            found.append((_when(path, note), epoch, path, note))
    return [(path, note) for *_, path, note in sorted(found, key=lambda entry: entry[:2])]


def _when(path, note):
    """Return when a checkpoint was written; the first ones did not tell."""
    return (note or {}).get("written") or path.stat().st_mtime_ns


def begun_training(folder):
    """Return the run of the training begun last in a folder, None if all checkpoints may be its.

    It is compared with "run" in the notes of the checkpoints.
    """
    try:
        return json.loads((Path(folder) / BEGUN).read_text(encoding="utf-8"))["run"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{Path(folder) / BEGUN} does not name the training that was begun last. Remove it to "
            "resume from the newest checkpoint, whichever training it is of."
        ) from error


def _hold_folder(folder):
    """Keep other processes from training into a folder; this one may begin anew in it."""
    _let_go(folder)
    lock = Path(folder).resolve() / LOCK
    try:
        _held[lock] = hold(lock)
    except BlockingIOError as error:
        raise BlockingIOError(
            error.errno,
            "Another running training writes its checkpoints there. Wait for it, or give another "
            "folder",
            str(folder),
        ) from None


def _let_go(folder):
    lock = Path(folder).resolve() / LOCK
    file = _held.pop(lock, None)
    if file is not None:
        lock.unlink(missing_ok=True)
        file.close()


def weights_are_finite(model):
    """Return whether no weight of a model is NaN or infinite."""
    return all(np.isfinite(value).all() for value in model.get_weights())


def _state(callback):
    """Return what a callback has in its attributes: plain values and lists of arrays."""
    state = {}
    for name, value in vars(callback).items():
        if name == "min_delta":  # an option: Keras turns its sign in every run
            continue
        value = value.item() if isinstance(value, np.generic) else value  # noqa: PLW2901
        plain = value is None or isinstance(value, (bool, int, float, str))
        if plain or (isinstance(value, list) and value and isinstance(value[0], np.ndarray)):
            state[name] = value
    return state


def _plain(options):
    """Return options as JSON takes them: a path becomes text."""
    if options is None:
        return None
    return {name: str(v) if isinstance(v, Path) else v for name, v in options.items()}


def _save(model, path, note, arrays):
    with replacing(path) as temporary:
        try:
            if path.suffix in LEGACY:
                with writing_hdf5(temporary) as file:
                    save_legacy(model, file)
                    write_note(file, note, arrays)
            else:
                model.save(temporary)
                write_note(temporary, note, arrays)
        except OSError:
            raise
        except Exception as error:  # which one depends on what the model is made of
            first = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ValueError(
                f"Cannot write {path}: {first}. The earlier checkpoints are as they were."
            ) from error


def saved_epoch(path):
    """Return the number of epochs behind a checkpoint, None if the file does not tell.

    Raises:
        ValueError: if the file is damaged.
    """
    return read_note(path).get("epoch")
