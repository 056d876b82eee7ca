"""Stop a training with ctrl+c and go on from its last checkpoint: the book's ctrl+c method."""

import re
import shlex
import sys
from pathlib import Path

from pyimagesearch.callbacks.epochcheckpoint import saved_epoch
from pyimagesearch.training.saving import check_alike, read_model
from pyimagesearch.training.speed import check_precision
from pyimagesearch.utils.script import option_words


def add_resume_options(ap):
    """Add --model and --start-epoch to an argparse.ArgumentParser."""
    ap.add_argument("-m", "--model", help="checkpoint to go on from (default: a new network)")
    ap.add_argument(
        "-s",
        "--start-epoch",
        type=int,
        default=0,
        help="number of epochs that the checkpoint has behind it",
    )


def check_resume_options(args):
    """Raise a ValueError unless --start-epoch lies within --epochs and comes with a --model."""
    start, epochs = args["start_epoch"], args["epochs"]
    if not 0 <= start < epochs:
        raise ValueError(
            f"--start-epoch must be 0 or more and below --epochs. Received: {start} of {epochs}."
        )
    if start and not args["model"]:
        raise ValueError(f"--start-epoch {start} needs the checkpoint to go on from: --model.")


def load_checkpoint(path, startEpoch, lr=None, *, like=None):
    """Load a full model, with its optimizer, to train on.

    Args:
        path: a `.keras` file that `EpochCheckpoint` wrote.
        startEpoch: number of epochs the model was trained for. The file's own note and a
            name `epoch_N.keras` must agree.
        lr: new learning rate, default the checkpoint's own.
        like: model that the checkpoint must resemble: the network that a new training would
            begin with.
    Returns:
        The compiled keras.Model.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no full model, is another network than `like`, was trained in another
            precision than Keras is set to, or `startEpoch` does not match it.
    """
    path = Path(path)
    if startEpoch <= 0:
        raise ValueError(
            f"--start-epoch must say how many epochs {path} has behind it. Received: {startEpoch}."
        )
    check_precision(path)
    model = read_model(path)
    named = re.fullmatch(r"epoch_(\d+)", path.stem)
    for epoch in (saved_epoch(path), named and int(named[1])):
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
    if lr is not None:
        print(f"[INFO] old learning rate: {float(model.optimizer.learning_rate):g}")
        model.optimizer.learning_rate = lr
        print(f"[INFO] new learning rate: {lr:g}")
    return model


def explain_interrupt(checkpoint, args, *, decay=False):
    """Print the command that resumes an interrupted training.

    Args:
        checkpoint: the run's EpochCheckpoint.
        args: dict of the script's options, as `vars(ap.parse_args())` gives it.
        decay: the script has a schedule for its learning rate and finds the checkpoint by its
            number, so that only --start-epoch changes.
    """
    if checkpoint.lastPath is None:
        print("\n[INFO] interrupted before the first epoch ended: there is no new checkpoint")
        return
    epoch = re.search(r"\d+$", Path(checkpoint.lastPath).stem)[0]
    args = {**args, "start_epoch": epoch}
    if not decay:
        args["model"] = Path(checkpoint.lastPath).resolve()
        args["lr"] = f"{checkpoint.lastRate:g}"
    print(f"\n[INFO] interrupted; epoch {epoch} is the last one finished. To go on from there:")
    print(f"    {shlex.join([sys.executable, sys.argv[0], *option_words(args)])}")
