import json
import math
import random
import time
from pathlib import Path

import h5py
import keras
import matplotlib.pyplot
import numpy as np
import pytest
from keras import layers

from pyimagesearch.callbacks import DataWait, EpochCheckpoint, EpochSeed, TrainingMonitor
from pyimagesearch.callbacks.epochcheckpoint import LOCK
from pyimagesearch.callbacks.trainingmonitor import plot_history
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter

# Keras 3.15 reads its own TensorFlow variables in a way NumPy 2 warns of, when it saves a model
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
LABELS = np.eye(3, dtype="float32")[np.arange(12) % 3]


def small_model(rate=0.0, optimizer=None, run_eagerly=True):  # eagerly: nothing to compile
    keras.utils.set_random_seed(5)
    inner = keras.Sequential([keras.Input((8,)), layers.Dropout(rate), layers.Dense(8)])
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(rate),
            inner,
            layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = optimizer or keras.optimizers.SGD(0.125)
    model.compile(
        optimizer, "categorical_crossentropy", metrics=["accuracy"], run_eagerly=run_eagerly
    )
    return model


def fit(model, *callbacks, validate=True, **options):
    validation = (IMAGES, LABELS) if validate else None
    options = {"validation_data": validation, "shuffle": False, "verbose": 0, **options}
    return model.fit(IMAGES, LABELS, batch_size=4, callbacks=list(callbacks), **options)


def read(path):
    return json.loads(Path(path).read_text())


def is_png(path):
    return Path(path).read_bytes().startswith(b"\x89PNG")


# ---- TrainingMonitor: the history -----------------------------------------------------------


def test_the_history_holds_one_float_per_epoch_and_name(tmp_path):
    monitor = TrainingMonitor(tmp_path / "plot.png", jsonPath=tmp_path / "history.json")
    run = fit(small_model(), monitor, epochs=3)
    assert set(monitor.H) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert monitor.H["val_loss"] == run.history["val_loss"]
    assert monitor.H["learning_rate"] == [0.125] * 3
    assert {type(value) for values in monitor.H.values() for value in values} == {float}
    assert read(tmp_path / "history.json") == monitor.H


def test_plot_and_json_are_there_after_the_first_epoch_and_after_each(tmp_path):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((is_png(tmp_path / "p.png"), len(read(tmp_path / "h.json")["loss"])))
            (tmp_path / "p.png").unlink()

    monitor = TrainingMonitor(str(tmp_path / "p.png"), str(tmp_path / "h.json"))
    fit(small_model(), monitor, Look(), epochs=3)
    assert seen == [(True, 1), (True, 2), (True, 3)]


def test_a_metric_with_a_value_per_class_is_recorded_as_their_mean(tmp_path):
    model = small_model()
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
    monitor = TrainingMonitor(tmp_path / "plot.png", jsonPath=tmp_path / "history.json")
    run = fit(model, monitor, epochs=1)
    assert np.shape(run.history["f1_score"][0]) == (3,)
    assert monitor.H["f1_score"] == [pytest.approx(np.mean(run.history["f1_score"][0]))]
    assert read(tmp_path / "history.json") == monitor.H


def test_missing_folders_are_made_and_nothing_else_is_left_in_them(tmp_path):
    monitor = TrainingMonitor(tmp_path / "a" / "p.png", jsonPath=tmp_path / "b" / "h.json")
    fit(small_model(), monitor, epochs=2)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert files == {"a", "a/p.png", "b", "b/h.json"}


def test_a_learning_rate_schedule_is_recorded_once_per_epoch(tmp_path):
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch)
    for order in (0, 1):
        monitor = TrainingMonitor(tmp_path / "p.png")
        fit(small_model(), *[rates, monitor][:: 1 - 2 * order], epochs=3)
        assert monitor.H["learning_rate"] == [1.0, 0.5, 0.25]


def epochs_of(monitor, *losses):
    for epoch, loss in enumerate(losses):
        monitor.on_epoch_end(epoch, {"loss": loss})


def test_a_resumed_run_keeps_the_first_epochs_and_goes_on(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": [5.0, 4.0, 9.0], "val_loss": [6.0, 5.0, 8.0]}))
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=path, startAt=2)
    monitor.on_train_begin()
    assert monitor.H == {"loss": [5.0, 4.0], "val_loss": [6.0, 5.0]}
    monitor.on_epoch_end(2, {"loss": 3.0, "val_loss": 2.0})
    assert read(path) == {"loss": [5.0, 4.0, 3.0], "val_loss": [6.0, 5.0, 2.0]}


def test_a_new_run_replaces_the_old_history_when_its_first_epoch_ends(tmp_path):
    path = tmp_path / "history.json"
    path.write_text('{"loss": [5.0, 4.0]}')
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=path)
    monitor.on_train_begin()
    assert read(path) == {"loss": [5.0, 4.0]}
    monitor.on_epoch_end(0, {"loss": 3.0})
    assert read(path) == {"loss": [3.0]}


def test_an_epoch_without_validation_has_null_in_the_file(tmp_path):
    path = tmp_path / "h.json"
    fit(small_model(), TrainingMonitor(tmp_path / "p.png", path), epochs=4, validation_freq=2)
    losses = read(path)["val_loss"]
    assert [value is None for value in losses] == [True, False, True, False]
    monitor = TrainingMonitor(tmp_path / "p.png", path, startAt=3)
    monitor.on_train_begin()
    assert np.isnan(monitor.H["val_loss"]).tolist() == [True, False, True]


def test_nan_and_infinite_losses_leave_valid_json(tmp_path):
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=tmp_path / "h.json")
    monitor.on_train_begin()
    epochs_of(monitor, 1.0, math.nan, math.inf)
    text = (tmp_path / "h.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"loss": [1.0, None, None]}
    assert is_png(tmp_path / "p.png")


def test_a_name_that_a_resumed_history_lacks_starts_with_nulls(tmp_path):
    path = tmp_path / "h.json"
    path.write_text('{"loss": [2.0], "acc": [0.5]}')
    fit(small_model(), TrainingMonitor(tmp_path / "p.png", path, startAt=1), epochs=1)
    history = read(path)
    assert {len(values) for values in history.values()} == {2}
    assert history["acc"] == [0.5, None]
    assert history["learning_rate"] == [None, 0.125]


@pytest.mark.parametrize(
    "text",
    [
        *("", '{"loss": [1.0, 2.', "[1, 2]", '{"loss": 3}', '{"loss": ["low"]}', '{"R": 1.5}'),
        *("null", '{"loss": "123"}', '{"loss": {"1": 2}}'),
    ],
)
@pytest.mark.parametrize("startAt", [0, 1])
def test_a_file_that_is_no_history_is_refused_by_name_and_kept(tmp_path, text, startAt):
    path = tmp_path / "history.json"
    path.write_text(text)
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=path, startAt=startAt)
    with pytest.raises(ValueError, match=r"history\.json is not a training history.*move it away"):
        fit(small_model(), monitor, epochs=1)
    assert path.read_text() == text


def test_a_history_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "history.json"
    path.write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(ValueError, match=r"history\.json is not a training history"):
        TrainingMonitor(tmp_path / "p.png", jsonPath=path).on_train_begin()


def test_a_history_shorter_than_startat_is_refused_with_both_numbers(tmp_path):
    path = tmp_path / "history.json"
    path.write_text('{"loss": [1.0, 2.0, 3.0], "val_loss": [1.0, 2.0, 3.0]}')
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=path, startAt=4)
    with pytest.raises(ValueError, match=r"after epoch 4: it holds 3 epochs"):
        monitor.on_train_begin()


def test_resuming_without_a_history_file_is_refused(tmp_path):
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=tmp_path / "gone.json", startAt=2)
    with pytest.raises(FileNotFoundError, match=r"after epoch 2: there is no file .*gone\.json"):
        monitor.on_train_begin()


def test_a_plot_that_cannot_be_written_leaves_the_history(tmp_path):
    (tmp_path / "p.png").mkdir()
    monitor = TrainingMonitor(tmp_path / "p.png", jsonPath=tmp_path / "h.json")
    monitor.on_train_begin()
    with pytest.raises(OSError, match=r"p\.png"):
        monitor.on_epoch_end(0, {"loss": 1.0})
    assert read(tmp_path / "h.json") == {"loss": [1.0]}


# ---- TrainingMonitor: the plot --------------------------------------------------------------


def lines(ax):
    return {line.get_label(): line.get_ydata().tolist() for line in ax.get_lines()}


def test_loss_and_accuracy_have_a_panel_each_with_both_curves():
    history = {"loss": [2, 1], "val_loss": [3, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0, 0.1]}
    loss, accuracy = plot_history({**history, "learning_rate": [0.1, 0.1], "auc": [1, 1]}).axes
    assert lines(loss) == {"training": [2, 1], "validation": [3, 2]}
    assert lines(accuracy) == {"training": [0.5, 0.6], "validation": [0, 0.1]}
    assert loss.get_title(loc="left") == "Loss after epoch 2: training 1, validation 2"
    expected = "Accuracy after epoch 2: training 60.0%, validation 10.0%"
    assert accuracy.get_title(loc="left") == expected
    assert [ax.get_xlabel() for ax in (loss, accuracy)] == ["Epoch", "Epoch"]
    assert [ax.get_ylabel() for ax in (loss, accuracy)] == ["Loss", "Accuracy"]


@pytest.mark.parametrize(
    ("epochs", "first", "ticks"),
    [
        (1, 1, [1]),
        (3, 1, [1, 2, 3]),
        (75, 1, [1, 10, 20, 30, 40, 50, 60, 70]),
        (3, 41, [41, 42, 43]),
    ],
)
def test_the_epoch_axis_has_whole_numbers_and_starts_with_the_first_epoch(epochs, first, ticks):
    (ax,) = plot_history({"loss": np.ones(epochs)}, first=first).axes
    assert ax.get_xticks().tolist() == ticks
    assert ax.get_lines()[0].get_xdata().tolist() == list(range(first, first + epochs))


def test_a_history_of_2017_and_its_continuation_are_one_curve():
    nan = math.nan
    history = {"acc": [0.5, 0.6, nan], "accuracy": [nan, nan, 0.75]}
    (ax,) = plot_history({**history, "val_acc": [0.25, 0.5, 0.5]}).axes
    assert lines(ax) == {"training": [0.5, 0.6, 0.75], "validation": [0.25, 0.5, 0.5]}


def test_a_metric_of_another_name_gets_a_curve_of_its_own():
    history = {"accuracy": [0.5], "top_5_accuracy": [0.75]}
    (ax,) = plot_history(history).axes
    assert lines(ax) == {"training": [0.5], "training top_5_accuracy": [0.75]}


def test_a_wild_first_epoch_does_not_flatten_the_rest():
    assert plot_history({"loss": [900.0, 2.0, 1.0]}).axes[0].get_yscale() == "log"
    assert plot_history({"loss": [6.0, 2.0, 1.0]}).axes[0].get_yscale() == "linear"


def test_without_a_history_file_a_resumed_plot_begins_at_its_epoch(tmp_path, monkeypatch):
    drawn = []
    module = "pyimagesearch.callbacks.trainingmonitor.plot_history"
    monkeypatch.setattr(
        module, lambda history, first: drawn.append(first) or plot_history(history, first)
    )
    monitor = TrainingMonitor(tmp_path / "p.png", startAt=40)
    monitor.on_train_begin()
    epochs_of(monitor, 1.0, 2.0)
    assert drawn == [41, 41]


def test_the_plot_leaves_matplotlibs_settings_and_opens_no_figure(tmp_path):
    before = dict(matplotlib.rcParams)
    monitor = TrainingMonitor(tmp_path / "curve.pdf")
    monitor.on_train_begin()
    epochs_of(monitor, 1.0)
    assert (tmp_path / "curve.pdf").read_bytes().startswith(b"%PDF")
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == []


# ---- EpochCheckpoint ------------------------------------------------------------------------


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir() if path.name != LOCK)


def test_a_checkpoint_is_written_every_n_epochs_and_its_folder_made(tmp_path):
    checkpoint = EpochCheckpoint(tmp_path / "a" / "b", every=2)
    assert checkpoint.lastPath is None
    fit(small_model(), checkpoint, epochs=5)
    assert names(tmp_path / "a" / "b") == ["epoch_2.keras", "epoch_4.keras"]
    assert checkpoint.lastPath == tmp_path / "a" / "b" / "epoch_4.keras"


@pytest.mark.parametrize("counted", [{"epochs": 3}, {"initial_epoch": 5, "epochs": 8}])
def test_numbers_go_on_from_startat_whichever_way_fit_counts(tmp_path, counted):
    fit(small_model(), EpochCheckpoint(str(tmp_path), every=1, startAt=5), **counted)
    assert names(tmp_path) == ["epoch_6.keras", "epoch_7.keras", "epoch_8.keras"]


def test_initial_epoch_alone_is_enough(tmp_path):
    fit(small_model(), EpochCheckpoint(tmp_path, every=1), initial_epoch=5, epochs=6)
    assert names(tmp_path) == ["epoch_6.keras"]


def test_a_second_fit_with_the_same_callback_overwrites_nothing(tmp_path):
    model, checkpoint = small_model(), EpochCheckpoint(tmp_path, every=1)
    fit(model, checkpoint, epochs=2)
    fit(model, checkpoint, epochs=1)
    assert names(tmp_path) == ["epoch_1.keras", "epoch_2.keras", "epoch_3.keras"]


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.Adam(0.01),
    ],
)
def test_training_resumed_from_a_checkpoint_equals_training_without_a_stop(tmp_path, optimizer):
    straight = small_model(optimizer=optimizer())
    fit(straight, epochs=4)
    fit(small_model(optimizer=optimizer()), EpochCheckpoint(tmp_path, every=2), epochs=2)
    resumed = keras.models.load_model(tmp_path / "epoch_2.keras")
    fit(resumed, initial_epoch=2, epochs=4)
    for one, other in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_latest_keeps_the_last_finished_epoch_and_those_that_are_due(tmp_path):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([int(name[6:-6]) for name in names(tmp_path)])

    fit(small_model(), EpochCheckpoint(tmp_path, every=3, latest=True), Look(), epochs=5)
    assert seen == [[1], [2], [3], [3, 4], [3, 5]]


def test_latest_removes_no_checkpoint_of_an_earlier_run(tmp_path):
    for name in ("epoch_1.keras", "epoch_2.keras"):
        (tmp_path / name).write_text("from an earlier run")
    fit(small_model(), EpochCheckpoint(tmp_path, latest=True, startAt=1), epochs=3)
    assert names(tmp_path) == ["epoch_1.keras", "epoch_2.keras", "epoch_4.keras"]


def test_a_failing_save_keeps_the_checkpoint_that_was_there(tmp_path):
    class Full:
        def get_weights(self):
            return []

        def save(self, path):
            Path(path).write_text("half a mod")
            raise OSError(28, "No space left on device")

    (tmp_path / "epoch_1.keras").write_text("good")
    checkpoint = EpochCheckpoint(tmp_path, every=1)
    checkpoint.set_model(Full())
    with pytest.raises(OSError, match="No space left"):
        checkpoint.on_epoch_end(0)
    assert names(tmp_path) == ["epoch_1.keras"]
    assert (tmp_path / "epoch_1.keras").read_text() == "good"
    assert checkpoint.lastPath is None


@pytest.mark.parametrize("extension", [".h5", ".hdf5"])
def test_a_checkpoint_in_the_old_format_does_no_harm_to_the_live_model(tmp_path, extension):
    model = small_model(optimizer=keras.optimizers.Adam(0.25))
    checkpoint = EpochCheckpoint(tmp_path, every=1, extension=extension)
    fit(model, checkpoint, epochs=1)
    assert names(tmp_path) == [f"epoch_1{extension}"]
    with h5py.File(checkpoint.lastPath) as file:
        assert "optimizer_weights" in file
        assert json.loads(file.attrs["training_config"])["optimizer_config"]
    old = keras.models.load_model(checkpoint.lastPath, compile=False)
    for one, other in zip(model.get_weights(), old.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    model.save(tmp_path / "later.keras")
    optimizer = keras.models.load_model(tmp_path / "later.keras").optimizer
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 0.25
    assert int(optimizer.iterations) == 3


def my_loss(truth, output):
    return keras.ops.mean((truth - output) ** 2, axis=-1)


class MyLayer(layers.Layer):
    def call(self, x):
        return 2 * x


def test_what_is_not_registered_is_saved_in_the_old_format_too(tmp_path, capfd):
    model = keras.Sequential([keras.Input((6,)), MyLayer(), layers.Dense(3)])
    model.compile("adam", my_loss, metrics=[my_loss], run_eagerly=True)
    random.seed(1)
    checkpoint = EpochCheckpoint(tmp_path, 1, extension=".hdf5")
    fit(model, checkpoint, epochs=2)
    assert names(tmp_path) == ["epoch_1.hdf5", "epoch_2.hdf5"]
    assert model.optimizer.get_config() == model.get_compile_config()["optimizer"]["config"]
    fit(model, epochs=1)
    random.seed(1)
    expected = random.random()
    random.seed(1)
    checkpoint.on_epoch_end(2)
    assert random.random() == expected
    assert "legacy" not in capfd.readouterr().err


def test_an_optimizer_that_the_old_format_cannot_hold_is_refused_at_the_start(tmp_path):
    model = small_model(optimizer=keras.optimizers.Adafactor(0.01))
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"\.h5 file cannot hold .*Adafactor.*extension='\.keras'"):
        fit(model, EpochCheckpoint(tmp_path, 1, extension=".h5"), epochs=1)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_save_that_fails_names_the_file(tmp_path):
    class Unsaved:
        stop_training = False

        def get_weights(self):
            return []

        def save(self, path):
            raise NotImplementedError("no config\nand more")

    checkpoint = EpochCheckpoint(tmp_path, every=1)
    checkpoint.set_model(Unsaved())
    with pytest.raises(ValueError, match=r"Cannot write .*epoch_1\.keras: no config\. The earlier"):
        checkpoint.on_epoch_end(0)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be 1 epoch or more. Received: 0"),
        ({"startAt": -1}, "startAt must be 0 or more. Received: -1"),
        ({"extension": ".model"}, r"extension must be '\.keras'.*Received: '\.model'"),
        ({"extension": "keras"}, r"Received: 'keras'"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_training(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        EpochCheckpoint(tmp_path, **options)


def test_a_file_in_the_place_of_the_folder_is_found_before_training(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(FileExistsError, match="checkpoints"):
        fit(small_model(), EpochCheckpoint(tmp_path / "checkpoints"), epochs=1)


# ---- EpochSeed ------------------------------------------------------------------------------


def test_with_dropout_a_resumed_run_equals_one_that_never_stopped(tmp_path):
    straight, stopped = (
        small_model(rate=0.5, optimizer=keras.optimizers.Adam(0.01), run_eagerly=False)
        for _ in range(2)
    )
    fit(straight, EpochSeed(42), epochs=4)
    fit(stopped, EpochSeed(42), EpochCheckpoint(tmp_path, every=2), epochs=2)
    resumed = keras.models.load_model(tmp_path / "epoch_2.keras")
    fit(resumed, EpochSeed(42), initial_epoch=2, epochs=4)

    for one, other in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def seeds(model, seed, epoch):
    callback = EpochSeed(seed)
    callback.set_model(model)
    callback.on_epoch_begin(epoch)
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return [tuple(keras.ops.convert_to_numpy(state).tolist()) for state in states]


def test_each_seed_epoch_and_layer_has_a_number_of_its_own():
    model = small_model(rate=0.5)
    numbers = [seeds(model, seed, epoch) for seed in (1, 2) for epoch in (0, 1, 2)]
    assert [len(pair) for pair in numbers] == [2] * 6  # one outside, one in the nested model
    assert len({number for pair in numbers for number in pair}) == 12
    assert seeds(model, 1, 2) == numbers[2]


def test_masks_change_from_batch_to_batch_within_an_epoch():
    model = keras.Sequential([keras.Input((64,)), layers.Dropout(0.5)])
    seeds(model, 0, 0)
    first, second = (
        keras.ops.convert_to_numpy(model(np.ones((1, 64), "float32"), training=True))
        for _ in range(2)
    )
    assert (first != second).any()


def test_a_model_without_random_layers_is_left_alone():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    before = model.get_weights()
    assert seeds(model, 0, 0) == []
    assert all((one == two).all() for one, two in zip(model.get_weights(), before, strict=True))


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be 0 or more. Received: -1"):
        EpochSeed(-1)


# -- DataWait ------------------------------------------------------------------------------------


def fit_slowly(tmp_path, seconds, validation):
    """Train on 6 batches that each take so long to prepare; return the callback."""

    class Slow:
        def preprocess(self, image):
            time.sleep(seconds)
            return image.astype(np.float32)

    with HDF5DatasetWriter((6, 4), tmp_path / "x.hdf5", overwrite=True) as writer:
        writer.add(np.ones((6, 4), np.uint8), [0] * 6)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with HDF5DatasetGenerator(tmp_path / "x.hdf5", 1, [Slow()], binarize=False) as gen:
        batches = gen.generator()
        wait = DataWait(batches)
        model.fit(
            batches,
            steps_per_epoch=6,
            epochs=2,
            verbose=0,
            shuffle=False,
            callbacks=[wait],
            validation_data=gen.generator() if validation else None,
            validation_steps=6 if validation else None,
        )
    return wait


def test_a_slow_feed_is_found_out(tmp_path, capsys):
    wait = fit_slowly(tmp_path, 0.1, validation=False)
    assert 0.1 < wait.waited <= wait.seconds < 5
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["[INFO] epoch 1", "[INFO] epoch 2"]
    assert printed[1].endswith(
        f"waited for data at most {wait.waited:.1f} s of {wait.seconds:.1f} s "
        f"({wait.waited / wait.seconds:.0%})"
    )


def test_validation_is_not_counted(tmp_path):
    # six batches to train on, made while six were validated that take 0.3 s or more
    wait = fit_slowly(tmp_path, 0.1, validation=True)
    assert wait.waited <= wait.seconds < 0.3


def test_only_batches_know_how_long_they_were_waited_for():
    with pytest.raises(TypeError, match=r"generator\(\) returned. Received: \[\]"):
        DataWait([])
