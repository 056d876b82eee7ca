"""Stop a training and go on from its last checkpoint: by ctrl+c, or after it was killed."""

import re
import shlex
import sys
import zipfile
from pathlib import Path

import numpy as np

from pyimagesearch.callbacks.checkpointnote import read_note
from pyimagesearch.callbacks.epochcheckpoint import begun_training, checkpoint_notes
from pyimagesearch.training.saving import add_unsafe_option, check_alike, read_model
from pyimagesearch.training.speed import check_precision
from pyimagesearch.utils.files import raise_of_machine
from pyimagesearch.utils.script import option_words, positive_int

FIXED = ("seed", "reg")  # options that a training must go on with
USUAL = ("batch_size", "limit")  # that it had better go on with
OF_DECAY = ("epochs", "lr", "power")  # and these, where the rate follows a schedule
OF_RESUME = ("lr", "dataset")  # and these, where --resume chose the checkpoint


def add_resume_options(ap, *, decay=False):
    """Add --resume, --keep, --start-epoch, --model and --unsafe to an argparse.ArgumentParser.

    Args:
        ap: the argparse.ArgumentParser.
        decay: the script has a schedule for its learning rate, and finds a checkpoint by its
            number in its own folder: leave --model and --unsafe out.
    """
    if decay:
        start = "go on from the checkpoint epoch_N.keras, after N epochs"
    else:
        ap.add_argument("-m", "--model", help="checkpoint to go on from (default: a new network)")
        add_unsafe_option(ap)
        start = "number of epochs that the checkpoint has behind it"
    ap.add_argument("-s", "--start-epoch", type=int, default=0, help=start)
    ap.add_argument(
        "--resume",
        action="store_true",
        help="go on from the newest checkpoint, or begin if there is none: after a kill",
    )
    ap.add_argument(
        "--keep", type=positive_int, help="number of checkpoints to leave (default: all)"
    )


def checkpoint_to_resume(args, folder, *, decay=False):
    """Return (path, epoch) of the checkpoint that the options tell to go on from.

    With --resume that is the newest one in `folder` that is undamaged; it is printed which.

    Args:
        args: dict of the script's options, as `vars(ap.parse_args())` gives it.
        folder: where the script writes its checkpoints.
        decay: as `add_resume_options`.
    Returns:
        (pathlib.Path, number of epochs behind it), or (None, 0) for a training from the start.
    Raises:
        ValueError: if the options do not go together.
    """
    start, epochs, folder = args["start_epoch"], args["epochs"], Path(folder)
    model = None if decay else args["model"]
    if args["resume"]:
        if start or model:
            raise ValueError(
                "--resume finds the checkpoint and its epoch by itself: leave --start-epoch and "
                "--model out."
            )
        return newest_checkpoint(folder, epochs)
    if not 0 <= start < epochs:
        raise ValueError(
            f"--start-epoch must be 0 or more and below --epochs. Received: {start} of {epochs}."
        )
    if decay:
        return (folder / f"epoch_{start}.keras", start) if start else (None, 0)
    if start and not model:
        raise ValueError(f"--start-epoch {start} needs the checkpoint to go on from: --model.")
    return (Path(model), start) if model else (None, 0)


def newest_checkpoint(folder, epochs):
    """Return (path, epoch) of the undamaged `.keras` checkpoint written last, (None, 0) if none.

    Those of older trainings are left out where `EpochCheckpoint` began a new one among them.

    Raises:
        ValueError: if it has more than `epochs` behind it.
    """
    begun, older = begun_training(folder), 0
    for path, note in reversed(checkpoint_notes(folder)):
        if begun and note is not None and note.get("run") != begun:
            older += 1
        elif note is None or not _is_whole(path):
            print(f"[WARNING] {path} is damaged: going back to the one before")
        elif note["epoch"] > epochs:
            raise ValueError(
                f"{path} has {note['epoch']} epochs behind it. Received: --epochs {epochs}. "
                "Give more, or another folder for another training."
            )
        else:
            print(f"[INFO] resuming after epoch {note['epoch']}")
            if note["epoch"] == epochs:
                print(f"[INFO] {path} has all {epochs} epochs behind it: nothing left to train")
            return path, note["epoch"]
    if older:
        print(f"[INFO] the {older} checkpoints in {folder} are of an older training")
    print(f"[INFO] no checkpoint in {folder}: beginning with epoch 1")
    return None, 0


def _is_whole(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None  # reads everything and compares the checksums
    except Exception as error:  # which one depends on the damage
        raise_of_machine(error, path)
        return False


def load_checkpoint(path, startEpoch, lr=None, *, like=None, options=None, unsafe=False):
    """Load a full model, with its optimizer, to train on.

    Args:
        path: a `.keras` file that `EpochCheckpoint` wrote, or an `.h5` or `.hdf5` file.
        startEpoch: number of epochs the model was trained for. The file's own note and a
            name `epoch_N` must agree.
        lr: new learning rate, default the checkpoint's own.
        like: model that the checkpoint must resemble: the network that a new training would
            begin with.
        options: dict of the script's options, to compare with those in the checkpoint. Another
            seed or weight decay is an error; others that change the course are printed.
        unsafe: as `read_model`.
    Returns:
        The compiled keras.Model.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no full model, is another network than `like`, was trained in another
            precision than Keras is set to or with other `options`, or `startEpoch` does not
            match it.
    """
    path = Path(path)
    if startEpoch <= 0:
        raise ValueError(
            f"--start-epoch must say how many epochs {path} has behind it. Received: {startEpoch}."
        )
    check_precision(path)
    model = read_model(path, unsafe=unsafe)
    note = read_note(path)
    named = re.fullmatch(r"epoch_(\d+)", path.stem)
    for epoch in (note.get("epoch"), named and int(named[1])):
        if epoch not in (None, startEpoch):
            raise ValueError(
                f"{path} was saved after epoch {epoch}. Received: --start-epoch {startEpoch}."
            )
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            f"{path} holds no optimizer, so training cannot go on from it. "
            "Use a checkpoint that EpochCheckpoint wrote."
        )
    if like is not None:
        check_alike(model, like, path)
    if options is not None:
        _compare_options(path, note.get("options") or {}, options)
    if lr is not None:
        _set_rate(model.optimizer, lr, path)
    return model


def _compare_options(path, before, now):
    usual = USUAL + (OF_DECAY if "power" in now else ())
    if now.get("resume"):
        given = {name for name in OF_RESUME if now.get(name) and before.get(name)}
        usual += tuple(given - set(usual))
    now = {name: str(v) if isinstance(v, Path) else v for name, v in now.items()}
    for name in FIXED + usual:
        if name in before and name in now and before[name] != now[name]:
            option = "--" + name.replace("_", "-")
            words = f"{path} was trained with {option} {before[name]}. Received: {now[name]}."
            if name in FIXED:
                raise ValueError(f"{words} Give it as before, or begin a new training.")
            print(f"[WARNING] {words} The result will be another than without a stop.")


def _set_rate(optimizer, lr, path):
    print(f"[INFO] old learning rate: {float(optimizer.learning_rate):g}")
    try:
        optimizer.learning_rate = lr
    except TypeError:  # one that is computed for every batch
        raise ValueError(
            f"The learning rate of {path} follows a schedule of its optimizer. Received: --lr "
            f"{lr:g}. Leave it out."
        ) from None
    print(f"[INFO] new learning rate: {lr:g}")


def explain_interrupt(checkpoint, args, *, decay=False):
    """Print the command that resumes an interrupted training.

    Args:
        checkpoint: the run's EpochCheckpoint.
        args: dict of the script's options, as `vars(ap.parse_args())` gives it.
        decay: as `add_resume_options`: only --start-epoch changes.
    """
    if checkpoint.lastPath is None:
        print("\n[INFO] interrupted before the first epoch ended: there is no new checkpoint")
        return
    epoch = re.search(r"\d+$", Path(checkpoint.lastPath).stem)[0]
    args = {**args, "start_epoch": epoch, "resume": False}
    if not decay:
        args["model"] = Path(checkpoint.lastPath).resolve()
        args["lr"] = str(np.float32(checkpoint.lastRate))  # as short as gives the same float32
    print(f"\n[INFO] interrupted; epoch {epoch} is the last one finished. To go on from there:")
    print(f"    {shlex.join([sys.executable, sys.argv[0], *option_words(args)])}")
