"""Backbones, features, classifiers, batched prediction and resuming."""

import argparse
import os
import pickle
import re
import shutil
import sys
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import EpochCheckpoint, TrainingMonitor
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.nn.conv import LeNet
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training import speed
from pyimagesearch.training.backbone import add_backbone_options, load_backbone
from pyimagesearch.training.classifier import (
    first_part,
    load_classifier,
    read_features,
    save_classifier,
    train_classifier,
)
from pyimagesearch.training.features import extract_features
from pyimagesearch.training.hdf5 import count_classes, read_means
from pyimagesearch.training.prediction import predict_batches
from pyimagesearch.training.resume import add_resume_options, explain_interrupt, load_checkpoint
from pyimagesearch.training.saving import load_network, newest_model
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.images import ImageError


class Doubling:
    """Stands in for a model: twice its input, and a note of every batch size."""

    def __init__(self):
        self.sizes = []

    def predict_on_batch(self, x):
        self.sizes.append(len(x))
        return x * 2


def test_batches_are_cut_anew_and_keep_their_order():
    model = Doubling()
    rows = np.arange(23, dtype="float32").reshape(23, 1)
    outputs = predict_batches(model, np.split(rows, [3, 4, 17]), batchSize=5)
    assert np.array_equal(outputs, rows * 2)
    assert model.sizes == [5, 5, 5, 5, 3]


# -- backbones ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mean_colour(tmp_path_factory):
    """A saved network whose feature map is its 8x8 input: pooled, the mean colour in RGB."""
    path = tmp_path_factory.mktemp("backbone") / "identity.keras"
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, keras.layers.Activation("linear")(inputs)).save(path)
    return path


def test_a_saved_backbone_sees_rgb_in_its_own_range(mean_colour):
    image = np.zeros((1, 8, 8, 3), "uint8")
    image[..., 0] = 255  # blue, in BGR
    tf = load_backbone(mean_colour, pooling="avg")
    assert (tf.width, tf.height, tf.features) == (8, 8, 3)
    assert tf.extract(tf.prepare(image)).tolist() == [[-1, -1, 1]]
    none = load_backbone(mean_colour, pooling="avg", preprocessing="none")
    assert none.extract(none.prepare(image)).tolist() == [[0, 0, 255]]


def test_without_pooling_the_map_is_flattened(mean_colour):
    backbone = load_backbone(mean_colour)
    assert backbone.extract(backbone.prepare(np.zeros((2, 8, 8, 3), "uint8"))).shape == (2, 192)


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe", "none"])
def test_inputs_are_what_keras_makes_of_the_pixels_in_rgb(mean_colour, mode):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
    inputs = load_backbone(mean_colour, preprocessing=mode).prepare(list(images))
    expected = images[..., ::-1].astype("float32")
    if mode != "none":
        expected = keras.applications.imagenet_utils.preprocess_input(expected, mode=mode)
    assert inputs.dtype == np.float32
    assert np.array_equal(inputs, expected)


def test_a_keras_application_loads_with_its_own_preprocessing():
    backbone = load_backbone("MobileNet", "none", pooling="avg", size=32)
    assert backbone.features == 1024
    assert backbone.preprocess(np.full((1, 1, 1, 3), 255.0)).tolist() == [[[[1, 1, 1]]]]
    with_map = load_backbone("mobilenetv3small", "none", size=32)
    assert with_map.features == 576


def test_a_saved_backbone_may_have_lists_of_one_tensor(tmp_path):
    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Activation("linear")(inputs)
    keras.Model([inputs], [outputs]).save(tmp_path / "lists.keras")
    assert load_backbone(tmp_path / "lists.keras", pooling="avg").features == 3
    keras.Model(inputs, [outputs, outputs]).save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match=r"two\.keras takes \(None, 8, 8, 3\) and has 2"):
        load_backbone(tmp_path / "two.keras")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"name": "resnet5"}, ValueError, "Unknown backbone 'resnet5'"),
        ({"name": "no/such.keras"}, FileNotFoundError, "There is no model at no/such.keras"),
        ({"name": "vgg16", "weights": "w.h5"}, FileNotFoundError, "No weights at w.h5"),
        ({"name": "vgg16", "weights": "none", "pooling": "max"}, ValueError, "pooling"),
    ],
)
def test_a_backbone_that_does_not_exist_is_named(options, error, message):
    with pytest.raises(error, match=message):
        load_backbone(**options)


def test_a_failed_download_is_one_sentence(monkeypatch):
    def no_network(*args, **options):
        raise Exception("URL fetch failure on https://...: None")

    monkeypatch.setattr("keras.src.applications.mobilenet.file_utils.get_file", no_network)
    with pytest.raises(ValueError, match="cannot load the ImageNet weights into MobileNet: URL"):
        load_backbone("mobilenet")


def test_damaged_files_are_named(mean_colour, tmp_path):
    damaged = bytearray(mean_colour.read_bytes())
    damaged[60:260] = bytes(200)
    (tmp_path / "bad.keras").write_bytes(damaged)
    (tmp_path / "short.keras").write_bytes(mean_colour.read_bytes()[:300])
    for name in ("bad.keras", "short.keras"):
        with pytest.raises(ValueError, match=f"{name} is damaged or no Keras model"):
            load_backbone(tmp_path / name)
    (tmp_path / "junk.weights.h5").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"cannot load the weights .*junk\.weights\.h5"):
        load_backbone("mobilenet", tmp_path / "junk.weights.h5")


def test_backbone_options_have_the_books_defaults():
    ap = argparse.ArgumentParser()
    add_backbone_options(ap, "vgg16")
    args = vars(ap.parse_args([]))
    assert args == {
        "backbone": "vgg16",
        "weights": "imagenet",
        "preprocessing": "tf",
        "unsafe": False,
    }


# -- features ----------------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path):
    """Five grey images of level 10, 20 ... 50; the third file is broken."""
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for i, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((20, 30, 3), 10 * (i + 1), "uint8"))
    paths[2].write_bytes(b"not an image")
    return paths


def test_features_are_stored_in_order_without_the_broken_image(tmp_path, photographs, mean_colour):
    backbone = load_backbone(mean_colour, pooling="avg", preprocessing="none")
    steps = []
    skipped = extract_features(
        photographs,
        [0, 1, 0, 1, 0],
        backbone,
        tmp_path / "f.hdf5",
        classLabels=["cat", "dog"],
        batchSize=2,
        progress=steps.append,
    )
    features, labels, names = read_features(tmp_path / "f.hdf5")
    assert features.tolist() == [[10] * 3, [20] * 3, [40] * 3, [50] * 3]
    assert labels.tolist() == [0, 1, 1, 0]
    assert names == ["cat", "dog"]
    assert [path for path, _ in skipped] == [photographs[2]]
    assert steps == [2, 5]  # the second batch ends with the fifth file


def test_strict_extraction_stops_and_leaves_no_file(tmp_path, photographs, mean_colour):
    backbone = load_backbone(mean_colour)
    with pytest.raises(ImageError, match="2.png"):
        extract_features(
            photographs, [0] * 5, backbone, tmp_path / "f.hdf5", classLabels=["cat"], strict=True
        )
    assert not (tmp_path / "f.hdf5").exists()


def test_extraction_from_nothing_but_broken_images_is_an_error(tmp_path, photographs, mean_colour):
    with pytest.raises(ValueError, match="None of the 1 images"):
        extract_features(
            photographs[2:3],
            [0],
            load_backbone(mean_colour),
            tmp_path / "f.hdf5",
            classLabels=["cat"],
        )
    assert not (tmp_path / "f.hdf5").exists()


# -- classifiers -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_clouds():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    return (rng.normal(size=(40, 5)) + 4 * labels[:, None]).astype("float32"), labels


def test_a_classifier_is_trained_saved_and_loaded(tmp_path, two_clouds):
    features, labels = two_clouds
    search = train_classifier(features, labels, ["cat", "dog"], [0.1, 1.0], jobs=1)
    assert search.score(features, labels) == 1.0
    save_classifier(tmp_path / "m.skops", search.best_estimator_, np.array(["cat", "dog"]))
    model, names = load_classifier(tmp_path / "m.skops")
    assert names == ["cat", "dog"]
    assert np.array_equal(model.predict_proba(features), search.predict_proba(features))


class Evil:
    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('evil').touch()",))


def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.cpickle"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="m.cpickle is not a classifier"):
        load_classifier(path)
    assert not (tmp_path / "evil").exists()


def test_a_missing_classifier_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.skops"):
        load_classifier(tmp_path / "none.skops")


def test_too_few_rows_or_classes_are_refused(two_clouds):
    features, _ = two_clouds
    with pytest.raises(ValueError, match=r"Received: \{'cat': 40\}"):
        train_classifier(features, np.zeros(40, int), ["cat"], [1.0])
    with pytest.raises(ValueError, match=r"\{'cat': 38, 'dog': 2\}"):
        train_classifier(features, np.repeat([0, 1], [38, 2]), ["cat", "dog"], [1.0])
    with pytest.raises(ValueError, match="1 rows are too few"):
        first_part(1)
    assert first_part(1360) == 1020


def test_a_file_without_features_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no.hdf5"):
        read_features(tmp_path / "no.hdf5")
    (tmp_path / "text.hdf5").write_text("hello")
    with pytest.raises(ValueError, match="text.hdf5 cannot be read"):
        read_features(tmp_path / "text.hdf5")
    with h5py.File(tmp_path / "images.hdf5", "w") as db:
        db["images"] = [1]
    with pytest.raises(ValueError, match=r"holds no data set 'features', only \['images'\]"):
        read_features(tmp_path / "images.hdf5")


def write_features(path, features=((1, 2), (3, 4)), labels=(0, 1), names=("cat", "dog")):
    with h5py.File(path, "w") as db:
        if isinstance(features, str):
            db.create_group("features")
        else:
            db["features"] = features
        db["labels"] = labels
        db["label_names"] = names
    return path


def test_features_may_be_of_any_type_of_number(tmp_path):
    features, labels, names = read_features(write_features(tmp_path / "f.hdf5"))
    assert features.tolist() == [[1, 2], [3, 4]]
    assert labels.tolist() == [0, 1]
    assert labels.dtype == np.int64
    assert names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"features": np.zeros((2, 3, 3, 1))}, r"features of .*\(n, d\) numbers"),
        ({"features": [1.0, 2.0]}, r"features of .*\(n, d\) numbers"),
        ({"features": np.full((2, 2), b"a")}, r"features of .*\(n, d\) numbers"),
        ({"features": "a group"}, "holds no data set 'features'"),
        ({"features": np.zeros((0, 2)), "labels": np.zeros(0, int)}, r"empty.*\(0, 2\)"),
        ({"features": np.zeros((2, 0))}, r"empty.*\(2, 0\)"),
        ({"features": [[1.0, 2.0], [3.0, np.nan]]}, "NaN or infinite features, first in row 1"),
        ({"features": [[-np.inf, 2.0], [3.0, np.nan]]}, "first in row 0"),
        ({"labels": [0.0, 1.0]}, "labels of .*one integer per row"),
        ({"labels": [[0], [1]]}, "labels of .*one integer per row"),
        ({"labels": [0]}, "2 rows of features but 1 labels"),
        ({"labels": [0, 1, 1]}, "2 rows of features but 3 labels"),
        ({"labels": [0, -1]}, "the label -1, but label_names has 2 names"),
        ({"labels": [0, 5]}, "the label 5, but label_names has 2 names"),
        ({"names": [0, 1]}, "label_names of .*must be strings"),
        ({"names": "cat"}, "label_names of .*must be strings"),
    ],
)
def test_features_that_no_classifier_can_use_are_refused_by_file(tmp_path, content, message):
    path = write_features(tmp_path / "f.hdf5", **content)
    with pytest.raises(ValueError, match=message) as error:
        read_features(path)
    assert str(path) in str(error.value)


# -- resuming ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An EpochCheckpoint after three epochs of a tiny model, Adam at 0.01."""
    folder = tmp_path_factory.mktemp("checkpoints")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 0.01
    saved = EpochCheckpoint(folder, every=5, latest=True)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=3, callbacks=[saved], verbose=0)
    return saved


def test_a_checkpoint_goes_on_at_its_rate_or_at_another(checkpoint, capsys):
    model = load_checkpoint(checkpoint.lastPath, 3)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert int(model.optimizer.iterations) == 3
    model = load_checkpoint(checkpoint.lastPath, 3, lr=1e-4)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    assert "old learning rate: 0.01" in capsys.readouterr().out


def test_a_start_epoch_that_is_not_the_checkpoints_is_refused(checkpoint):
    with pytest.raises(ValueError, match=r"saved after epoch 3\. Received: --start-epoch 4"):
        load_checkpoint(checkpoint.lastPath, 4)
    with pytest.raises(ValueError, match="--start-epoch must say"):
        load_checkpoint(checkpoint.lastPath, 0)
    with pytest.raises(FileNotFoundError, match="epoch_9.keras"):
        load_checkpoint("epoch_9.keras", 9)


def test_a_renamed_checkpoint_still_knows_its_epoch(checkpoint, tmp_path):
    best = tmp_path / "best.keras"
    shutil.copy(checkpoint.lastPath, best)
    with pytest.raises(ValueError, match="best.keras was saved after epoch 3"):
        load_checkpoint(best, 2)
    assert int(load_checkpoint(best, 3).optimizer.iterations) == 3


def test_a_model_without_optimizer_is_no_checkpoint(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="holds no optimizer"):
        load_checkpoint(tmp_path / "m.keras", 1)


def test_an_interrupted_run_prints_the_command_that_resumes_it(checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--lr", "0.5"])
    explain_interrupt(checkpoint, {"output": "a b", "lr": None, "model": None, "start_epoch": 0})
    command = capsys.readouterr().out.splitlines()[-1]
    assert command.strip() == (
        f"{sys.executable} train.py --output 'a b' --lr 0.01 "
        f"--model {checkpoint.lastPath} --start-epoch 3"
    )
    ap = argparse.ArgumentParser()
    add_resume_options(ap)
    assert vars(ap.parse_args([])) == {
        **{"model": None, "start_epoch": 0, "resume": False, "keep": None, "unsafe": False}
    }


def test_the_printed_rate_is_exactly_that_of_the_checkpoint(checkpoint, capsys, monkeypatch):
    rate = np.float32(0.0123456789)
    monkeypatch.setattr(checkpoint, "lastRate", float(rate))
    explain_interrupt(checkpoint, {"lr": None, "model": None, "start_epoch": 0})
    words = capsys.readouterr().out.split()
    printed = words[words.index("--lr") + 1]
    assert np.float32(printed) == rate
    assert len(printed) <= 12


def test_a_run_without_a_finished_epoch_has_nothing_to_resume(tmp_path, capsys):
    explain_interrupt(EpochCheckpoint(tmp_path), {})
    assert "before the first epoch ended" in capsys.readouterr().out


# -- options for speed -------------------------------------------------------------------------

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
not_on_torch = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no such option on torch"
)


def speed_options(*words):
    ap = argparse.ArgumentParser()
    add_speed_options(ap)
    return vars(ap.parse_args([str(word) for word in words]))


@pytest.fixture
def _policy():
    """Put the precision back that a test sets."""
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


def test_speed_options_are_off_by_default():
    assert speed_options() == {"mixed_precision": None, "jit": False, "steps_per_execution": 1}
    assert speed_options("--mixed-precision")["mixed_precision"] == "auto"


@pytest.mark.parametrize(
    "script", sorted(path for path in EXAMPLES.glob("*/*.py") if ".fit(\n" in path.read_text())
)
def test_every_training_script_has_the_speed_options(script, run_script, capsys):
    with pytest.raises(SystemExit):
        run_script(script, "--mixed-precision", "--jit", "--steps-per-execution", 0)
    assert "argument --steps-per-execution: must be 1 or more" in capsys.readouterr().err


@pytest.mark.usefixtures("_policy")
@pytest.mark.parametrize(
    ("words", "gpu", "policy"),
    [
        ((), True, "float32"),
        (("--mixed-precision",), True, "mixed_float16"),
        (("--mixed-precision",), False, "mixed_bfloat16"),
        (("--mixed-precision", "float16"), False, "mixed_float16"),
    ],
)
def test_mixed_precision_is_float16_on_a_gpu_only(words, gpu, policy, monkeypatch):
    monkeypatch.setattr(speed, "_has_gpu", lambda: gpu)
    set_precision(speed_options(*words))
    assert keras.config.dtype_policy().name == policy


def lenet_and_images(lr=0.01):
    keras.utils.set_random_seed(3)
    model = LeNet.build(8, 8, 1, 3)
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=lr, momentum=0.9),
    )
    images = np.random.default_rng(3).random((12, 8, 8, 1), "float32")
    return model, images, np.eye(3, dtype="float32")[np.arange(12) % 3]


def fit(model, images, labels, **options):
    options = {"batch_size": 4, "verbose": 0, "shuffle": False, **options}
    return model.fit(images, labels, **options).history["loss"]


@pytest.mark.usefixtures("_policy")
@pytest.mark.parametrize(
    ("words", "tolerance"),
    [
        (("--mixed-precision", "bfloat16"), 0.02),
        (("--mixed-precision", "float16"), 0.02),
        pytest.param(("--jit",), 1e-4, marks=not_on_torch),
        pytest.param(("--steps-per-execution", 3), 1e-4, marks=not_on_torch),
    ],
)
def test_a_training_with_a_speed_option_takes_the_same_course(words, tolerance):
    plain = fit(*lenet_and_images(), epochs=3)
    set_precision(speed_options(*words))
    model, *data = lenet_and_images()
    speed_up(model, speed_options(*words))
    assert fit(model, *data, epochs=3) == pytest.approx(plain, rel=tolerance)


@pytest.mark.usefixtures("_policy")
def test_a_mixed_precision_checkpoint_goes_on_with_its_rate_and_its_loss_scale(tmp_path):
    args = speed_options("--mixed-precision", "float16")
    set_precision(args)
    straight = fit(*lenet_and_images(), epochs=2)

    model, *data = lenet_and_images()
    saved = EpochCheckpoint(tmp_path, latest=True)
    monitor = TrainingMonitor(tmp_path / "curve.png")
    keras_schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    fit(model, *data, epochs=1, callbacks=[keras_schedule, monitor, saved])
    assert saved.lastRate == pytest.approx(0.01)
    assert monitor.H["learning_rate"] == [pytest.approx(0.01)]
    resumed = load_checkpoint(saved.lastPath, 1, like=model)
    assert int(resumed.optimizer.iterations) == 3
    assert int(resumed.optimizer.step_counter) == 3
    speed_up(resumed, args)
    assert fit(resumed, *data, epochs=2, initial_epoch=1) == pytest.approx(straight[1:])

    model.optimizer.dynamic_scale.assign(512.0)
    model.save(tmp_path / "epoch_1.keras")
    resumed = load_checkpoint(tmp_path / "epoch_1.keras", 1, lr=0.5)
    assert float(resumed.optimizer.dynamic_scale) == 512
    assert float(resumed.optimizer.inner_optimizer.learning_rate) == 0.5


@pytest.mark.usefixtures("_policy")
def test_a_checkpoint_of_another_precision_is_refused(tmp_path):
    model, *_ = lenet_and_images()
    model.save(tmp_path / "plain.keras")
    keras.config.set_dtype_policy("mixed_float16")
    with pytest.raises(ValueError, match="plain.keras was trained without --mixed-precision"):
        load_checkpoint(tmp_path / "plain.keras", 1)
    model, *_ = lenet_and_images()
    model.save(tmp_path / "mixed.keras")
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        with pytest.raises(ValueError, match="mixed.keras was trained with .*ion float16: go on"):
            load_checkpoint(tmp_path / "mixed.keras", 1)


POWERS = 2.0 ** np.arange(10, dtype="float32").reshape(10, 1, 1, 1)  # any lost or doubled one shows


class Total(keras.metrics.Sum):
    def update_state(self, labels, outputs, sample_weight=None):
        super().update_state(outputs)


def summing_model():
    """A network that learns nothing and returns its input, and the sum of it in its history."""
    model = keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(learning_rate=0.0), "mse", metrics=[Total(name="total")])
    return model


@not_on_torch
@pytest.mark.parametrize(("wanted", "taken"), [(2, 1), (3, 3), (9, 3)])
def test_an_epoch_of_a_data_set_has_every_row_once_whatever_the_steps_per_execution(
    tmp_path, capsys, wanted, taken
):
    path = tmp_path / "powers.hdf5"
    with HDF5DatasetWriter((10, 1, 1, 1), path) as writer:
        writer.add(POWERS, [1] * 10)
    model = summing_model()
    with (
        HDF5DatasetGenerator(path, 4, binarize=False, shuffle=True, seed=1) as train,  # 3 batches
        HDF5DatasetGenerator(path, 3, binarize=False) as val,  # 4
    ):
        speed_up(model, speed_options("--steps-per-execution", wanted), steps=len(train))
        history = model.fit(
            train.generator(),
            shuffle=False,
            steps_per_epoch=len(train),
            validation_data=val.generator(passes=1),
            validation_steps=len(val),
            epochs=2,
            verbose=0,
        ).history
    assert model.steps_per_execution == taken
    assert ("[INFO] steps per execution: " in capsys.readouterr().out) == (taken != wanted)
    assert history["total"] == history["val_total"] == [2**10 - 1] * 2


@not_on_torch
def test_an_epoch_of_a_flow_has_every_row_once_also_where_the_steps_leave_a_rest():
    model = summing_model()
    speed_up(model, speed_options("--steps-per-execution", 2))
    flow = ImageDataGenerator().flow(POWERS, np.ones((10, 1)), batch_size=4)
    history = model.fit(
        flow, shuffle=False, validation_data=(POWERS, np.ones((10, 1))), epochs=2, verbose=0
    ).history
    assert history["total"] == history["val_total"] == [2**10 - 1] * 2


@not_on_torch
def test_a_network_that_cannot_be_compiled_is_one_sentence():
    model, *_ = lenet_and_images()
    model.layers[1].supports_jit = False
    with pytest.raises(ValueError, match="XLA cannot compile lenet on this machine: leave --jit"):
        speed_up(model, speed_options("--jit"))


@pytest.mark.parametrize("words", [("--jit",), ("--steps-per-execution", 2)])
def test_on_torch_only_mixed_precision_is_to_be_had(words, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="are for TensorFlow and JAX.*torch here: leave them out"):
        speed_up(None, speed_options(*words))


def test_an_interrupted_run_goes_on_with_its_speed_options(checkpoint, capsys):
    words = ["--mixed-precision", "auto", "--jit", "--steps-per-execution", "3"]
    args = {"lr": None, "model": None, "start_epoch": 0, **speed_options(*words)}
    explain_interrupt(checkpoint, args)
    assert " ".join(words) in capsys.readouterr().out


# -- data sets and networks of the scripts -----------------------------------------------------


def test_means_are_read_or_the_file_is_named(tmp_path):
    path = tmp_path / "mean.json"
    with pytest.raises(FileNotFoundError, match=r"no file .*mean\.json"):
        read_means(path)
    path.write_text('{"R": 1.5, "G": 2, "B": 3, "seen": 7}')
    assert read_means(path) == {"R": 1.5, "G": 2.0, "B": 3.0}
    broken = ["null", "NaN", "-Infinity", "1e999"]
    broken = [f'{{"R": {value}, "G": 2, "B": 3}}' for value in broken]
    for text in ("", "[1, 2, 3]", '{"R": 1, "G": 2}', *broken):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"mean\.json must hold the channel means"):
            read_means(path)


def write_rows(path, names=None):
    """Seven rows, 0 to 6, with the labels 0, 1, 2, 0, 1, 2, 0."""
    with HDF5DatasetWriter((7, 1), path) as writer:
        writer.add(np.arange(7, dtype="float32")[:, None], np.arange(7) % 3)
        if names:
            writer.storeClassLabels(names)
    return path


def test_classes_are_counted_by_their_names_or_else_by_the_labels(tmp_path):
    assert count_classes(write_rows(tmp_path / "named.hdf5", ["a", "b", "c", "d"])) == 4
    assert count_classes(write_rows(tmp_path / "unnamed.hdf5")) == 3


def test_the_newest_model_is_the_one_written_last(tmp_path):
    with pytest.raises(FileNotFoundError, match="no .keras file in"):
        newest_model(tmp_path)
    names = ("epoch_9.keras", "checkpoints/epoch_10.keras", ".epoch_11.keras.x/epoch_11.keras")
    for seconds, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    assert newest_model(tmp_path) == tmp_path / "checkpoints" / "epoch_10.keras"


def network(name="net", inputs=2, classes=1, units=3):
    inputs = keras.Input((inputs,))
    x = keras.layers.Dense(units)(inputs)
    return keras.Model(inputs, keras.layers.Dense(classes)(x), name=name)


@pytest.mark.parametrize(
    ("other", "received"),
    [
        ({"name": "other"}, "other from (2,) to (1,) with 13 parameters"),
        ({"inputs": 4}, "net from (4,) to (1,) with 19 parameters"),
        ({"classes": 9}, "net from (2,) to (9,) with 45 parameters"),
        ({"units": 6}, "net from (2,) to (1,) with 25 parameters"),
    ],
)
def test_another_network_than_the_scripts_is_refused(tmp_path, other, received):
    path = tmp_path / "epoch_1.keras"
    model = network(**other)
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    wanted = "net from (2,) to (1,) with 13 parameters"
    message = re.escape(f"{path} holds {received}. Needed here: {wanted}.")
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, 1, like=network())
    with pytest.raises(ValueError, match=message):
        load_network(path, like=network())
    assert load_checkpoint(path, 1, like=network(**other)).optimizer is not None
    assert load_network(path, like=network(**other)).name == model.name


def test_a_network_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model at .*m.keras"):
        load_network(tmp_path / "m.keras", like=network())
    (tmp_path / "m.keras").write_text("no model")
    with pytest.raises(ValueError, match=r"m\.keras is damaged or no Keras model"):
        load_network(tmp_path / "m.keras", like=network())
