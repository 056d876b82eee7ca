"""What is promised of a training: kills, full disks, damaged checkpoints and NaN lose nothing."""

import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from pyimagesearch.callbacks import EpochCheckpoint, EpochSeed, StopOnNaN, TrainingMonitor
from pyimagesearch.callbacks.checkpointnote import read_note
from pyimagesearch.callbacks.epochcheckpoint import BEGUN, LOCK, checkpoint_notes
from pyimagesearch.training.resume import checkpoint_to_resume, load_checkpoint, newest_checkpoint
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.locking import hold

# Keras 3.15 reads its own TensorFlow variables in a way NumPy 2 warns of, when it saves a model
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
LABELS = np.eye(3, dtype="float32")[np.arange(12) % 3]


def network(optimizer="sgd"):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(3, "softmax")], name="net"
    )
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


def fit(model, *callbacks, images=IMAGES, **options):
    model.run_eagerly = True
    options = {"verbose": 0, "shuffle": False, "batch_size": 4, **options}
    return model.fit(images, LABELS, callbacks=list(callbacks), **options)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir() if path.name not in (LOCK, BEGUN))


# -- killed trainings --------------------------------------------------------------------------


def train_through_kills(folder, kills, *options):
    """Run killed_training.py, which compares what it trained; return what it printed."""
    script = Path(__file__).with_name("killed_training.py")
    done = subprocess.run(
        [sys.executable, script, folder, "--kills", str(kills), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """One process does it all: it imports Keras once."""
    folder = tmp_path_factory.mktemp("killed")
    return folder, train_through_kills(folder, 3, "--optimizers", "RMSprop", "--full")


def test_a_killed_training_ends_with_the_same_weights_history_and_plot(killed):
    assert killed[1]["kills"] == 3
    assert killed[1]["with a checkpoint"] >= 1


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_trainings_with_every_optimizer_survive_many_kills(tmp_path):
    kills = 0
    for seed in (2, 3):
        kills += train_through_kills(tmp_path / str(seed), 30, "--seed", str(seed))["kills"]
    print(f"[FIGURE] training: {kills} kills survived, 9 optimizers, difference 0.0")
    assert kills >= 40


CIFAR = Path(__file__).resolve().parents[1] / "examples" / "resnet_cifar10"


def write_cifar10(folder):
    """Write 40 random images to train on and 8 to validate, in the layout of CIFAR-10."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        images = rng.integers(256, size=(8, 3072), dtype="uint8")
        batch = {b"data": images, b"labels": rng.integers(10, size=8).tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("script", ["resnet_cifar10.py", "resnet_cifar10_decay.py"])
def test_a_script_that_is_started_until_it_succeeds_survives_kills_at_any_time(tmp_path, script):
    write_cifar10(tmp_path / "cifar-10-batches-py")
    kills, epochs = 0, 24
    rng = random.Random(7)

    def start(output):
        where = ["--model", output / "net.keras"]
        if script == "resnet_cifar10.py":
            where = ["--checkpoints", output / "checkpoints"]
        command = [sys.executable, "-u", CIFAR / script, "--dataset", tmp_path, "--output", output]
        command += [*where, "--epochs", epochs, "--batch-size", 16, "--stages", 1]
        command += ["--filters", 4, 8, "--resume", "--keep", 3]
        return subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    straight, killed = tmp_path / "straight", tmp_path / "killed"
    printed = start(straight).communicate()[0]
    assert "beginning with epoch 1" in printed
    starts = set()
    while kills < 12:
        process = start(killed)
        epochs_to_see = (0, 2, 2, 3)[kills % 4]  # none: while it imports, loads and builds
        for line in process.stdout if epochs_to_see else ():
            if "resuming after" in line:
                starts.add(line)
            epochs_to_see -= line.startswith("Epoch ")
            if not epochs_to_see:
                break
        time.sleep(rng.uniform(0, 1))
        process.kill()
        printed = process.communicate()[0]
        assert process.returncode == -signal.SIGKILL, printed
        kills += 1
        for folder in killed.glob("checkpoints*"):
            notes = checkpoint_notes(folder)
            assert all(note for _, note in notes)
            if notes:
                load_checkpoint(notes[-1][0], notes[-1][1]["epoch"])
    printed = (process := start(killed)).communicate()[0]
    assert process.returncode == 0, printed
    for one, two in zip(
        *(sorted(folder.rglob("*.keras")) for folder in (straight, killed)), strict=True
    ):
        assert one.name == two.name
        weights = [keras.models.load_model(path).get_weights() for path in (one, two)]
        for a, b in zip(*weights, strict=True):
            np.testing.assert_array_equal(a, b)
    histories = [next(folder.glob("*.json")).read_text() for folder in (straight, killed)]
    assert histories[0] == histories[1]
    plots = [next(folder.glob("*.png")).read_bytes() for folder in (straight, killed)]
    assert plots[0] == plots[1]
    assert len(starts) > 3
    print(f"[FIGURE] {script}: {kills} kills survived in {epochs} epochs, difference 0.0")


# -- checkpoints that stay ---------------------------------------------------------------------


def test_keep_leaves_the_newest_checkpoints_also_those_of_the_runs_before(tmp_path):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([int(name[6:-6]) for name in names(tmp_path)])

    options = {"every": 1, "keep": 2}
    fit(network(), EpochCheckpoint(tmp_path, **options), Look(), epochs=3)
    checkpoint = EpochCheckpoint(tmp_path, startAt=3, **options)
    fit(network(), checkpoint, Look(), initial_epoch=3, epochs=5)
    assert seen == [[1], [1, 2], [2, 3], [3, 4], [4, 5]]


def test_keep_touches_no_file_of_another_training(tmp_path):
    fit(network(), EpochCheckpoint(tmp_path, 1, 40), initial_epoch=40, epochs=42)
    shutil.copy(tmp_path / "epoch_41.keras", tmp_path / "epoch_7.keras")  # it says 41
    network().save(tmp_path / "epoch_8.keras")
    (tmp_path / "epoch_9.keras").write_text("no model")
    (tmp_path / "epoch_10.txt").write_text("mine")
    others = names(tmp_path)
    fit(network(), EpochCheckpoint(tmp_path, 1, keep=1), epochs=3)
    assert names(tmp_path) == sorted([*others, "epoch_3.keras"])


@pytest.mark.parametrize("extension", [".keras", ".hdf5"])
def test_keep_holds_for_both_formats(tmp_path, extension):
    fit(network(), EpochCheckpoint(tmp_path, 1, keep=1, extension=extension), epochs=2)
    assert names(tmp_path) == [f"epoch_2{extension}"]


@pytest.mark.parametrize("resumed", [True, False])
def test_a_clock_that_is_set_back_makes_no_new_checkpoint_an_old_one(
    tmp_path, monkeypatch, resumed, capsys
):
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
    fit(network(), EpochCheckpoint(tmp_path, 1, keep=1), epochs=2)
    monkeypatch.setattr(time, "time_ns", now)
    start = 2 if resumed else 0
    checkpoint = EpochCheckpoint(tmp_path, 1, start, keep=1)
    fit(network(), checkpoint, initial_epoch=start, epochs=start + 3)
    assert checkpoint.lastPath.exists()
    assert names(tmp_path) == [f"epoch_{start + 3}.keras"]
    assert newest_checkpoint(tmp_path, 9) == (checkpoint.lastPath, start + 3)


def test_an_older_checkpoint_stays_where_the_newer_one_cannot_be_written(tmp_path):
    model = network()
    checkpoint = EpochCheckpoint(tmp_path, 1, keep=1)
    fit(model, checkpoint, epochs=1)
    (tmp_path / "epoch_2.keras").mkdir()
    with pytest.raises(OSError, match=r"Cannot write the file: .*epoch_2\.keras"):
        fit(model, checkpoint, epochs=1)
    assert read_note(tmp_path / "epoch_1.keras")["epoch"] == 1


def test_a_folder_with_the_name_of_a_checkpoint_is_found_before_training(tmp_path):
    (tmp_path / "epoch_3.keras").mkdir()
    with pytest.raises(FileExistsError, match=r"epoch_3\.keras is a folder.*after epoch 3"):
        fit(network(), EpochCheckpoint(tmp_path, 5), epochs=1)
    fit(network(), EpochCheckpoint(tmp_path, 1, 3), initial_epoch=3, epochs=4)


HOLDER = """
import sys, time
from pyimagesearch.utils.locking import hold
file = hold(sys.argv[1])
print("holding", flush=True)
time.sleep(60)
"""


def test_a_second_training_into_the_same_folder_is_refused(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / LOCK], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "holding\n"
        with pytest.raises(BlockingIOError, match="Another running training writes its checkpoi"):
            fit(network(), EpochCheckpoint(tmp_path, 1), epochs=1)
        assert names(tmp_path) == []
    finally:
        child.kill()
        child.communicate()
    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_1.keras"]


def test_after_an_interrupted_training_the_next_one_has_the_folder(tmp_path):
    class Interrupted(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(BlockingIOError):
                hold(tmp_path / LOCK)
            raise KeyboardInterrupt

    first = EpochCheckpoint(tmp_path, 1)
    for checkpoint in (first, first, EpochCheckpoint(tmp_path, 1, 2)):
        with pytest.raises(KeyboardInterrupt):
            fit(network(), checkpoint, Interrupted(), epochs=1)
    assert names(tmp_path) == ["epoch_1.keras", "epoch_2.keras", "epoch_3.keras"]


# -- what callbacks remember -------------------------------------------------------------------


def watching(folder):
    """Callbacks that have a best value so far, and the checkpoint that remembers them."""
    remember = [
        keras.callbacks.ModelCheckpoint(str(folder / "best.keras"), save_best_only=True),
        keras.callbacks.EarlyStopping(patience=5, min_delta=0.5, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=2, min_delta=0.5, factor=0.5),
    ]
    for callback in remember:
        callback.monitor = "loss"
    return remember


@pytest.mark.parametrize("extension", [".keras", ".hdf5"])
def test_the_best_so_far_is_known_after_a_resume(tmp_path, extension):
    straight = watching(tmp_path)
    fit(network(), *straight, epochs=4)
    first = watching(tmp_path)
    options = {"extension": extension, "every": 1}
    fit(network(), *first, EpochCheckpoint(tmp_path, remember=first, **options), epochs=3)
    again = watching(tmp_path)
    model = load_checkpoint(tmp_path / f"epoch_3{extension}", 3)
    checkpoint = EpochCheckpoint(tmp_path, startAt=3, remember=again, **options)
    fit(model, *again, checkpoint, initial_epoch=3, epochs=4)
    for one, two in zip(straight, again, strict=True):
        assert one.best == two.best
        assert getattr(one, "wait", 0) == getattr(two, "wait", 0)
        assert one.min_delta == two.min_delta  # an option, whose sign Keras turns
    assert straight[1].wait == 3  # the losses fell by less than 0.5 after the first epoch
    assert (straight[1].best_epoch, again[1].best_epoch) == (0, 0)
    for one, two in zip(straight[1].best_weights, again[1].best_weights, strict=True):
        np.testing.assert_array_equal(one, two)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)  # after two epochs


def test_an_option_that_was_changed_between_two_runs_counts(tmp_path):
    stop = keras.callbacks.EarlyStopping(patience=5, monitor="loss")
    fit(network(), stop, EpochCheckpoint(tmp_path, 1, remember=[stop]), epochs=1)
    stop = keras.callbacks.EarlyStopping(patience=9, monitor="loss")
    checkpoint = EpochCheckpoint(tmp_path, 1, 1, remember=[stop])
    fit(network(), stop, checkpoint, initial_epoch=1, epochs=2)
    assert stop.patience == 9


def early_stopping():
    return keras.callbacks.EarlyStopping("loss", patience=1, mode="max", restore_best_weights=True)


@pytest.mark.parametrize("extension", [".keras", ".hdf5"])
def test_a_training_that_early_stopping_ended_is_over_when_it_is_resumed(tmp_path, extension):
    ends, models = [], []
    for start in (0, 2):  # killed after its last checkpoint, and resumed
        stop = early_stopping()
        options = {"remember": [stop], "extension": extension}
        model = network() if not start else load_checkpoint(tmp_path / f"epoch_2{extension}", 2)
        history = fit(
            model,
            *(stop, EpochCheckpoint(tmp_path, 1, start, **options)),
            **{"initial_epoch": start, "epochs": 9},
        )
        ends.append(len(history.epoch))
        models.append(model)
    assert ends == [2, 0]
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, two)  # of epoch 1: the best
    assert len(fit(models[1], epochs=1).epoch) == 1  # the next `fit` trains again


def test_what_else_stops_a_training_lets_it_go_on_later(tmp_path):
    class TimeIsUp(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    for start in (0, 1):
        stop = keras.callbacks.EarlyStopping("loss", patience=5)
        checkpoint = EpochCheckpoint(tmp_path, 1, start, remember=[stop])
        fit(network(), stop, TimeIsUp(), checkpoint, initial_epoch=start, epochs=9)
    assert names(tmp_path) == ["epoch_1.keras", "epoch_2.keras"]


def test_other_callbacks_than_the_remembered_ones_are_refused(tmp_path):
    stop, rates = watching(tmp_path)[1:]
    fit(network(), stop, EpochCheckpoint(tmp_path, 1, remember=[stop]), epochs=1)
    checkpoint = EpochCheckpoint(tmp_path, 1, 1, remember=[rates])
    with pytest.raises(ValueError, match="remembers EarlyStopping.*remember=ReduceLROnPlateau"):
        fit(network(), rates, checkpoint, initial_epoch=1, epochs=2)


def test_a_checkpoint_that_remembers_nothing_warns(tmp_path):
    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=1)
    stop = watching(tmp_path)[1]
    with pytest.warns(UserWarning, match=r"epoch_1\.keras does not tell how far EarlyStopping"):
        EpochCheckpoint(tmp_path, 1, 1, remember=[stop]).on_train_begin()


# -- which checkpoint to resume from -----------------------------------------------------------


def options(**given):
    return {"start_epoch": 0, "epochs": 9, "model": None, "resume": True, **given}


def test_the_checkpoint_written_last_is_resumed(tmp_path, capsys):
    assert newest_checkpoint(tmp_path / "none", 9) == (None, 0)
    assert "no checkpoint in" in capsys.readouterr().out
    fit(network(), EpochCheckpoint(tmp_path, 1, 4), initial_epoch=4, epochs=6)
    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=1)  # another training: written last
    os.utime(tmp_path / "epoch_6.keras")  # as a copy of the folder would
    assert checkpoint_to_resume(options(), tmp_path) == (tmp_path / "epoch_1.keras", 1)
    assert capsys.readouterr().out == "[INFO] resuming after epoch 1\n"


def test_a_new_training_that_has_no_checkpoint_yet_does_not_resume_an_older_one(tmp_path, capsys):
    class Killed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyboardInterrupt

    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=2)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), EpochCheckpoint(tmp_path, 1), Killed(), epochs=2)
    assert newest_checkpoint(tmp_path, 2) == (None, 0)
    assert "2 checkpoints in" in (out := capsys.readouterr().out)
    assert "are of an older training" in out
    assert names(tmp_path) == ["epoch_1.keras", "epoch_2.keras"]
    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=1)
    assert newest_checkpoint(tmp_path, 2) == (tmp_path / "epoch_1.keras", 1)
    # a user who names the older one's checkpoint goes on with that one
    checkpoint = EpochCheckpoint(tmp_path, 1, 2, resumeFrom=tmp_path / "epoch_2.keras")
    with pytest.raises(KeyboardInterrupt):
        fit(network(), checkpoint, Killed(), initial_epoch=2, epochs=3)
    assert newest_checkpoint(tmp_path, 2) == (tmp_path / "epoch_2.keras", 2)
    assert "has all 2 epochs behind it: nothing left to train" in capsys.readouterr().out


def test_a_note_about_the_last_training_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / BEGUN).write_text("[]")
    with pytest.raises(ValueError, match=r"\.begun\.json does not name the training"):
        newest_checkpoint(tmp_path, 2)


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_bytes(b"")])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, capsys, damage):
    fit(network(), EpochCheckpoint(tmp_path, 1), epochs=2)
    damage(tmp_path / "epoch_2.keras")
    assert newest_checkpoint(tmp_path, 9) == (tmp_path / "epoch_1.keras", 1)
    assert re.search(r"\[WARNING\] .*epoch_2\.keras is damaged", capsys.readouterr().out)


def test_resume_and_a_named_checkpoint_exclude_each_other(tmp_path):
    for given in ({"start_epoch": 3}, {"model": "epoch_3.keras"}):
        with pytest.raises(ValueError, match="--resume finds the checkpoint.* leave"):
            checkpoint_to_resume(options(**given), tmp_path)


def test_a_checkpoint_beyond_the_last_epoch_is_explained(tmp_path):
    fit(network(), EpochCheckpoint(tmp_path, 1, 9), initial_epoch=9, epochs=10)
    with pytest.raises(ValueError, match="has 10 epochs behind it. Received: --epochs 9"):
        newest_checkpoint(tmp_path, 9)


def test_what_a_training_must_go_on_with_is_compared(tmp_path, capsys):
    given = {"seed": 1, "reg": 0.1, "batch_size": 8, "epochs": 9, "model": Path("x")}
    fit(network(), EpochCheckpoint(tmp_path, 1, options=given), epochs=1)
    path = tmp_path / "epoch_1.keras"
    load_checkpoint(path, 1, options={**given, "epochs": 10})
    assert capsys.readouterr().out == ""
    for name, value in {"seed": 2, "reg": 0.2}.items():
        with pytest.raises(ValueError, match=rf"trained with --{name} .*Received: {value}"):
            load_checkpoint(path, 1, options={**given, name: value})
    load_checkpoint(path, 1, options={**given, "batch_size": 16})
    assert "[WARNING]" in (out := capsys.readouterr().out)
    assert "trained with --batch-size 8. Received: 16" in out
    other = {"lr": 0.5, "dataset": Path("other")}
    fit(network(), EpochCheckpoint(tmp_path, 1, options={**given, "lr": 0.1, "dataset": "x"}))
    for resume in (False, True):  # by hand another rate is what a user wants
        load_checkpoint(path, 1, options={**given, **other, "resume": resume})
        printed = capsys.readouterr().out
        assert ("trained with --lr 0.1. Received: 0.5" in printed) is resume
        assert ("trained with --dataset x. Received: other" in printed) is resume
    load_checkpoint(path, 1, options={**given, "lr": None, "dataset": Path("x"), "resume": True})
    assert capsys.readouterr().out == ""
    load_checkpoint(path, 1, options={**given, "power": 1, "epochs": 10})  # the line is longer
    assert "trained with --epochs 9. Received: 10" in capsys.readouterr().out


# -- NaN ---------------------------------------------------------------------------------------


def with_nan(row):
    images = IMAGES.copy()
    images[row] = np.nan
    return images


def nan_run(tmp_path, images, model=None, **how):
    checkpoint = EpochCheckpoint(tmp_path / "c", 1)
    monitor = TrainingMonitor(tmp_path / "p.png", tmp_path / "h.json")
    model = model or network()
    fit(model, checkpoint, monitor, epochs=2)
    checkpoint = EpochCheckpoint(tmp_path / "c", 1, 2, latest=True)
    monitor = TrainingMonitor(tmp_path / "p.png", tmp_path / "h.json", 2)
    callbacks = [EpochSeed(1), StopOnNaN(checkpoint), monitor, checkpoint]
    with pytest.raises(ValueError, match=r"Nothing of this epoch was saved") as caught:
        fit(model, *callbacks, images=images, initial_epoch=2, epochs=4, **how)
    assert names(tmp_path / "c") == ["epoch_1.keras", "epoch_2.keras"]
    assert len(json.loads((tmp_path / "h.json").read_text())["loss"]) == 2
    return str(caught.value)


def test_a_nan_loss_stops_with_epoch_batch_and_last_good_checkpoint(tmp_path):
    message = nan_run(tmp_path, with_nan(5))
    assert "loss became nan in batch 2 of epoch 3" in message
    assert re.search(r"last good checkpoint is .*c/epoch_2\.keras", message)


def test_an_infinite_loss_stops_too(tmp_path):
    model = network()
    model.compile("sgd", "mse", run_eagerly=True)
    model.layers[-1].activation = keras.activations.linear
    with np.errstate(over="ignore"):
        message = nan_run(tmp_path, IMAGES * np.float32(1e30), model)
    assert "loss became inf in batch 1 of epoch 3" in message


def test_a_weight_that_the_last_batch_spoils_is_found(tmp_path):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[0].bias.assign([np.inf, 0, 0, 0])

    checkpoint = EpochCheckpoint(tmp_path, 1)
    with pytest.raises(
        ValueError, match="weight became NaN or infinite in the last batch of epoch 1"
    ):
        fit(network(), Spoil(), StopOnNaN(checkpoint), checkpoint, epochs=1)
    with pytest.raises(ValueError, match=r"After epoch 1 the weights are NaN or infinite.*epoch_1"):
        fit(network(), Spoil(), checkpoint, epochs=1)  # by itself too
    assert names(tmp_path) == []


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras has no such option on torch")
def test_with_several_steps_in_an_execution_the_batches_are_a_range(tmp_path):
    model = network()
    model.layers[0].activation = keras.activations.linear  # compiled, a relu makes 0 of NaN
    model.compile("sgd", "categorical_crossentropy", steps_per_execution=2)
    with pytest.raises(ValueError, match="loss became nan in batches 3 to 4 of epoch 1"):
        model.fit(
            *(with_nan(7), LABELS),
            **{"batch_size": 2, "shuffle": False, "verbose": 0, "callbacks": [StopOnNaN()]},
        )


# -- kills and full disks while a file is written ----------------------------------------------

WRITER = """
import sys, time
from pyimagesearch.utils.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    (temporary.parent / "second").write_text("a copy")
    print("writing", flush=True)
    time.sleep(60)
"""


def write_in_a_child(path):
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "writing\n"
    return child


def test_what_a_killed_writer_left_is_removed_and_nothing_of_a_living_one(tmp_path):
    target = tmp_path / "x.txt"
    child = write_in_a_child(target)
    try:
        with replacing(target) as temporary:  # beside a living writer
            temporary.write_text("first")
        assert target.read_text() == "first"
        (left,) = [path for path in tmp_path.iterdir() if path != target]
        assert names(left) == ["second", "x.txt"]
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert names(left) == ["second", "x.txt"]
    with replacing(target) as temporary:
        assert names(temporary.parent) == []
        temporary.write_text("second")
    assert names(tmp_path) == ["x.txt"]
    assert target.read_text() == "second"


def test_a_full_disk_stops_with_a_sentence_and_leaves_what_was_there(killed):
    folder = killed[0] / "full"
    for case, file in {
        "keras": "epoch_2.keras",
        "hdf5": "epoch_2.hdf5",
        "history": "h.json",
    }.items():
        message = (folder / f"{case}.txt").read_text()
        expected = "[ERROR] [Errno 27] Cannot write the file: File too large: "
        assert message == f"{expected}'{folder / case / file}'"
    for extension in ("keras", "hdf5"):
        assert names(folder / extension) == [f"epoch_1.{extension}"]
        load_checkpoint(folder / extension / f"epoch_1.{extension}", 1)
    assert names(folder / "history") == ["h.json", "p.png"]
    assert len(json.loads((folder / "history" / "h.json").read_text())["loss"]) == 1
