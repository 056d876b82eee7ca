"""Train small networks to the end through many kills, and compare with a training without any.

    python tests/killed_training.py FOLDER --kills 4 --seed 1

Every life is a fork of this process, which has imported Keras but run nothing, and ends in a real
SIGKILL: before a batch, or before or after any flush of a file or folder to the disk. Lives go on
from what the one before left. Prints a line of JSON, and fails if anything differs at the end.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import json
import os
import random
import resource
import signal
import traceback
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers

from pyimagesearch.callbacks import EpochCheckpoint, EpochSeed, StopOnNaN, TrainingMonitor
from pyimagesearch.callbacks.epochcheckpoint import checkpoint_notes
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training.resume import load_checkpoint
from pyimagesearch.utils import files, script

SGD = keras.optimizers.SGD
OPTIMIZERS = {  # those of the examples; every second one saves in the format of 2017
    "SGD": lambda: SGD(0.05),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "Nesterov": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "decay": lambda: SGD(keras.optimizers.schedules.InverseTimeDecay(0.05, 1, 0.1), momentum=0.9),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "Adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.005),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
}
EPOCHS = 3


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder", type=Path)
    ap.add_argument("--kills", type=int, default=4)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--full", action="store_true", help="fill the disk in between, too")
    ap.add_argument("--optimizers", nargs="+", default=list(OPTIMIZERS))
    args = ap.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    write_data(args.folder / "x.hdf5")

    if args.full:
        assert in_a_fork(lambda: fill(args.folder / "full")) == 0
    straight, killed = args.folder / "straight", args.folder / "killed"
    assert live(straight, args.optimizers, None) == 0
    events = int((straight / "events").read_text())
    rng = random.Random(args.seed)
    kills, resumed = 0, 0
    while kills < args.kills:
        # short enough lives that most kills find something left to do
        status = live(killed, args.optimizers, rng.randint(1, 1 + 2 * events // args.kills))
        if status == 0:
            break
        assert status == -signal.SIGKILL, status
        kills += 1
        resumed += any(check_newest(folder) for folder in killed.glob("*/checkpoints"))
    assert live(killed, args.optimizers, None) == 0
    for name in args.optimizers:
        compare(straight / name, killed / name)
    print(json.dumps({"kills": kills, "with a checkpoint": resumed, "events": events}))


def live(folder, names, last):
    """Train in a fork until event number `last`; return its exit status, minus a signal."""

    def train_all():
        count = count_events(last)
        for name in names:
            files.remove_leftovers(folder / name)  # where the kill came after the last file
            if not (folder / name / "result.npz").exists():
                train(folder.parent / "x.hdf5", folder / name, name, count)
        (folder / "events").write_text(str(count()))

    return in_a_fork(train_all)


def in_a_fork(work):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # past whatever the parent has registered to do at its end


def fill(folder):
    """Train where the disk is full from the second epoch on; write what a user reads."""
    without = resource.RLIM_INFINITY
    for case in ("keras", "hdf5", "history"):
        if case == "history":
            least, callback = 20, TrainingMonitor(folder / case / "p.png", folder / case / "h.json")
        else:
            least, callback = 2_000, EpochCheckpoint(folder / case, 1, extension=f".{case}")
        model = network()
        model.compile("sgd", "mse", run_eagerly=True)

        def limit(epoch, logs, least=least):
            resource.setrlimit(resource.RLIMIT_FSIZE, (least if epoch else without, without))

        full = keras.callbacks.LambdaCallback(on_epoch_begin=limit)
        options = {"epochs": 3, "verbose": 0, "callbacks": [full, callback]}
        try:
            script.run(partial(model.fit, np.ones((4, 8, 8, 3)), np.ones((4, 2)), **options))
        except SystemExit as end:
            resource.setrlimit(resource.RLIMIT_FSIZE, (without, without))
            (folder / f"{case}.txt").write_text(str(end))


def count_events(last):
    """Return a function that counts its calls, and the flushes of files; the last one kills."""
    seen = 0

    def count(*_, **logs):
        nonlocal seen
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return seen

    sync = files.sync

    def counted(path):
        count()
        sync(path)
        count()

    files.sync = counted
    return count


def train(data, folder, name, count):
    """Train to the last epoch, from the newest checkpoint in `folder` if there is one."""
    extension = (".keras", ".hdf5")[list(OPTIMIZERS).index(name) % 2]
    notes = checkpoint_notes(folder / "checkpoints", extension)
    previous, start = (notes[-1][0], notes[-1][1]["epoch"]) if notes else (None, 0)
    keras.utils.set_random_seed(1)
    model = network()
    if previous:
        model = load_checkpoint(previous, start, like=model)
        model.run_eagerly = True
    else:
        model.compile(
            OPTIMIZERS[name](), "categorical_crossentropy", metrics=["accuracy"], run_eagerly=True
        )
    best = keras.callbacks.ModelCheckpoint(str(folder / "best.keras"), save_best_only=True)
    stop = keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True)
    rates = [keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)]
    if name == "momentum":
        rates = [keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 * (1 - epoch / EPOCHS))]
    elif name == "decay":  # a rate that only the optimizer sets
        rates = []
    remember = [best, stop, *(rates if name != "momentum" else [])]
    checkpoint = EpochCheckpoint(
        folder / "checkpoints",
        2,
        start,
        extension=extension,
        latest=True,
        keep=2,
        remember=remember,
        resumeFrom=previous,
    )
    aug = ImageDataGenerator(horizontal_flip=True, rotation_range=20, rescale=1 / 255)
    with (
        HDF5DatasetGenerator(data, 8, None, aug, shuffle=True, seed=3) as train,
        HDF5DatasetGenerator(data, 8, None, ImageDataGenerator(rescale=1 / 255)) as val,
    ):
        model.fit(
            train.generator(startPass=start),
            shuffle=False,
            steps_per_epoch=len(train),
            validation_data=val.generator(),
            validation_steps=len(val),
            epochs=EPOCHS,
            initial_epoch=start,
            verbose=0,
            callbacks=[
                *(EpochSeed(4), *rates, best, stop, StopOnNaN(checkpoint)),
                TrainingMonitor(folder / "curve.png", folder / "history.json", start),
                keras.callbacks.LambdaCallback(on_train_batch_begin=count),
                checkpoint,
            ],
        )
    optimizer = [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
    values = [stop.best, stop.wait, best.best, float(model.optimizer.learning_rate)]
    with files.replacing(folder / "result.npz") as temporary:
        np.savez(temporary, *model.get_weights(), *optimizer, np.array(values))


def network():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ],
        name="small",
    )


def write_data(path):
    """Write 20 random images: the last batch of 8 is a short one."""
    rng = np.random.default_rng(0)
    with HDF5DatasetWriter((20, 8, 8, 3), path, overwrite=True) as writer:
        writer.add(rng.integers(256, size=(20, 8, 8, 3), dtype="uint8"), [0, 1] * 10)


def check_newest(folder):
    """Return whether there are checkpoints; all that have a name must be whole."""
    paths = list(folder.glob("epoch_*"))
    notes = [
        pair for extension in (".keras", ".hdf5") for pair in checkpoint_notes(folder, extension)
    ]
    assert all(note for _, note in notes)
    assert len(paths) == len(notes) <= 3, paths  # at most the new one, before the old one goes
    return bool(paths)


def compare(straight, killed):
    """Raise an AssertionError unless both trainings left the same, bit for bit."""
    assert names(straight) == names(killed), (names(straight), names(killed))
    with np.load(straight / "result.npz") as one, np.load(killed / "result.npz") as two:
        assert one.files == two.files
        for key in one.files:
            np.testing.assert_array_equal(one[key], two[key], err_msg=f"{killed} {key}")
    assert (straight / "history.json").read_text() == (killed / "history.json").read_text()
    assert (straight / "curve.png").read_bytes() == (killed / "curve.png").read_bytes()


def names(folder):
    """Return the names of all files, also of those that a kill may have left: none."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


if __name__ == "__main__":
    main()
