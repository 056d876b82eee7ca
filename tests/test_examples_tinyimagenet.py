"""The chapters on Tiny ImageNet from end to end, on a drawn miniature of it."""

import json
import re
import shlex

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import EpochSeed
from pyimagesearch.datasets.tinyimagenet import draw_tiny_imagenet
from pyimagesearch.nn.conv import DeeperGoogLeNet, ResNet
from pyimagesearch.training import saving
from pyimagesearch.utils.ranked import rank5_accuracy

BUILD = "deepergooglenet/build_tiny_imagenet.py"
GOOGLENET, RESNET = "deepergooglenet", "resnet_tinyimagenet"
WAIT = ("--data-wait",)
SPEED = (*WAIT, "--mixed-precision", "--jit", "--steps-per-execution", 3)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Six classes of five images: 18 to train, 6 to validate and 12 to test."""
    return draw_tiny_imagenet(tmp_path_factory.mktemp("drawn") / "tiny", classes=6, images=5)


@pytest.fixture
def built(drawn, run_script, tmp_path):
    """The folder of the HDF5 files."""
    run_script(BUILD, "--dataset", drawn, "--output", tmp_path / "hdf5", "--test-per-class", 2)
    return tmp_path / "hdf5"


# -- building ----------------------------------------------------------------------------------


def test_a_build_takes_the_test_images_evenly_from_the_training_images(capsys, drawn, built):
    labels, images = {}, []
    for split in ("train", "val", "test"):
        with h5py.File(built / f"{split}.hdf5") as db:
            assert db["images"].shape[1:] == (64, 64, 3)
            assert db["images"].dtype == np.uint8
            assert "red triangle" in db["label_names"].asstr()[:]
            labels[split] = np.bincount(db["labels"]).tolist()
            images += [image.tobytes() for image in db["images"]]
    assert labels == {"train": [3] * 6, "val": [1] * 6, "test": [2] * 6}
    assert len(set(images)) == 36  # no picture in two splits
    with h5py.File(built / "train.hdf5") as db:
        blue, green, red = db["images"][:].mean(axis=(0, 1, 2))
        assert len(set(db["labels"][:3])) > 1  # shuffled
    means = json.loads((built / "mean.json").read_text())
    assert means == pytest.approx({"R": red, "G": green, "B": blue})
    assert "6 classes, 18 images to train, 6 to validate, 12 to test" in capsys.readouterr().out


def test_a_second_build_is_refused_unless_told_to_overwrite(drawn, built, run_script):
    before = (built / "train.hdf5").stat().st_mtime_ns
    with pytest.raises(SystemExit, match=r"Built already: .*train\.hdf5"):
        run_script(BUILD, "--dataset", drawn, "--output", built, "--test-per-class", 3)
    assert (built / "train.hdf5").stat().st_mtime_ns == before
    run_script(BUILD, "--dataset", drawn, "--output", built, "--overwrite", "--test-per-class", 3)
    with h5py.File(built / "train.hdf5") as db:
        assert len(db["images"]) == 12


def test_large_images_are_resized_and_broken_ones_listed(run_script, tmp_path, capsys):
    folder = draw_tiny_imagenet(tmp_path / "tiny", classes=2, images=3)
    large, broken = sorted(folder.glob("train/*/images/*_0.JPEG"))
    cv2.imwrite(str(large.with_suffix(".jpg")), np.zeros((90, 120, 3), np.uint8))
    broken.write_bytes(broken.read_bytes()[:-60])
    options = ("--dataset", folder, "--test-per-class", 1)
    run_script(BUILD, *options)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "[WARNING] 1 files could not be read and were left out:"
    assert str(broken) in lines[-1]
    with (
        h5py.File(folder / "hdf5" / "train.hdf5") as train,
        h5py.File(folder / "hdf5" / "test.hdf5") as test,
    ):
        assert len(train["images"]) + len(test["images"]) == 6
    with pytest.raises(SystemExit, match=r"_0\.JPEG is truncated"):
        run_script(BUILD, *options, "--output", tmp_path / "strict", "--strict")


def test_the_test_images_are_as_many_of_each_class_even_where_classes_differ(run_script, tmp_path):
    folder = draw_tiny_imagenet(tmp_path / "tiny", classes=3, images=12)
    small, middle, _ = sorted(folder.glob("train/*/images"))
    for images, keep in ((small, 4), (middle, 7)):
        for path in sorted(images.iterdir())[keep:]:
            path.unlink()

    def build(name, seed):
        out = tmp_path / name
        run_script(BUILD, "-d", folder, "-o", out, "--test-per-class", 3, "--seed", seed)
        with h5py.File(out / "train.hdf5") as train, h5py.File(out / "test.hdf5") as test:
            return (
                [db["labels"][:].tolist() for db in (train, test)],
                [[image.tobytes() for image in db["images"]] for db in (train, test)],
            )

    labels, images = build("a", 1)
    assert np.bincount(labels[0]).tolist() == [1, 4, 9]
    assert np.bincount(labels[1]).tolist() == [3, 3, 3]
    assert all(rows != sorted(rows) for rows in labels)  # shuffled
    assert len(set(images[0] + images[1])) == 23
    assert build("b", 1) == (labels, images)
    assert sorted(build("c", 2)[1][1]) != sorted(images[1])  # other images of the same classes


def test_a_build_refuses_what_it_cannot_split_or_read(drawn, run_script, tmp_path):
    with pytest.raises(SystemExit, match="Received: 5 of the 5 images"):
        run_script(BUILD, "--dataset", drawn, "--output", tmp_path, "--test-per-class", 5)
    with pytest.raises(SystemExit, match=r"Expected wnids\.txt.*Found in .*: tiny/"):
        run_script(BUILD, "--dataset", drawn.parent, "--output", tmp_path)
    assert not list(tmp_path.iterdir())


# -- the real networks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chapter", "model"),
    [(GOOGLENET, "deepergooglenet.keras"), (RESNET, "resnet.keras")],
)
def test_a_network_is_trained_and_measured(chapter, model, built, run_script, tmp_path, capsys):
    output = tmp_path / "output"
    run_script(
        f"{chapter}/train.py",
        *("--dataset", built, "--output", output, "--epochs", 1),
    )
    path = (output / model).with_suffix("")
    history = json.loads(path.with_suffix(".json").read_text())
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), 1
    )
    assert cv2.imread(str(path.with_suffix(".png"))).shape[1] > 500
    assert [path.name for path in (output / "checkpoints").iterdir()] == ["epoch_1.keras"]

    run_script(
        f"{chapter}/rank_accuracy.py",
        *("--dataset", built, "--model", output / model),
    )
    means = json.loads((built / "mean.json").read_text())
    with h5py.File(built / "test.hdf5") as db:
        images = db["images"][:] - np.float32([means["B"], means["G"], means["R"]])
        labels = db["labels"][:]
    network = keras.models.load_model(output / model, compile=False)
    rank1, rank5 = rank5_accuracy(np.asarray(network(images)), labels)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == [f"[INFO] rank-1: {rank1:.2%}", f"[INFO] rank-5: {rank5:.2%}"]


# -- small networks in their place, which the framework has soon compiled ----------------------


def small(name, classes=6, size=64):
    """A network with dropout."""
    inputs = keras.Input((size, size, 3))
    x = keras.layers.AveragePooling2D(8)(inputs)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, x, name=name)


@pytest.fixture
def small_networks(monkeypatch):
    def build(name):
        return staticmethod(lambda width, classes, **options: small(name, classes, width))

    monkeypatch.setattr(DeeperGoogLeNet, "build", build("googlenet"))
    monkeypatch.setattr(ResNet, "build", build("resnet"))


@pytest.fixture
def interrupt(monkeypatch):
    """Return a function: ctrl+c when the second epoch begins, once."""

    def arm():
        begin = EpochSeed.on_epoch_begin

        def stop(self, epoch, logs=None):
            if epoch == 1:
                monkeypatch.setattr(EpochSeed, "on_epoch_begin", begin)
                raise KeyboardInterrupt
            begin(self, epoch, logs)

        monkeypatch.setattr(EpochSeed, "on_epoch_begin", stop)

    return arm


@pytest.mark.parametrize(
    ("script", "history", "checkpoints", "rates", "speed"),
    [
        (f"{GOOGLENET}/train.py", "deepergooglenet.json", "checkpoints", [1e-3, 1e-3], WAIT),
        (f"{RESNET}/train.py", "resnet.json", "checkpoints", [0.1, 0.1], SPEED),
        (f"{RESNET}/train_decay.py", "resnet_decay.json", "checkpoints_decay", [0.1, 0.05], WAIT),
    ],
)
def test_an_interrupted_training_resumes_to_the_same_weights(
    script, history, checkpoints, rates, speed, built, run_script, tmp_path, capsys,
    small_networks, interrupt,
):  # fmt: skip
    def options(output):
        given = ["--dataset", built, "--output", tmp_path / output, "--epochs", 2]
        given += ["--batch-size", 8, *speed]  # 3 batches
        return [*given, "--model", tmp_path / output / "m.keras"] if "decay" in script else given

    run_script(script, *options("straight"))
    interrupt()
    with pytest.raises(SystemExit) as stopped:
        run_script(script, *options("interrupted"))
    assert stopped.value.code == 130
    printed = capsys.readouterr().out
    assert "epoch 1 is the last one finished" in printed
    command = shlex.split(printed.strip().splitlines()[-1])
    assert command[1].endswith(script)
    assert set(map(str, speed)) <= set(command)
    run_script(script, *command[2:])

    runs = [tmp_path / output for output in ("straight", "interrupted")]
    models = [
        keras.models.load_model(run / checkpoints / "epoch_2.keras", compile=False) for run in runs
    ]
    for weights, resumed in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(weights, resumed, atol=1e-6)
    histories = [json.loads((run / history).read_text()) for run in runs]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"])
    assert histories[1]["learning_rate"] == pytest.approx(rates)


@pytest.mark.parametrize(("chapter", "name"), [(GOOGLENET, "googlenet"), (RESNET, "resnet")])
def test_the_network_written_last_is_measured(
    chapter, name, built, run_script, tmp_path, small_networks, capsys, monkeypatch
):
    asked = []
    small(name).save(tmp_path / "epoch_5.keras")

    def newest_model(folder):
        asked.append(folder.name)
        return tmp_path / "epoch_5.keras"

    monkeypatch.setattr(saving, "newest_model", newest_model)
    run_script(f"{chapter}/rank_accuracy.py", "--dataset", built)
    assert asked == [chapter]
    assert "[INFO] rank-5: " in capsys.readouterr().out


# -- what does not fit together ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "received"),
    [
        (("resnet",), "resnet from (64, 64, 3) to (6,)"),
        (("googlenet", 10), "googlenet from (64, 64, 3) to (10,)"),
        (("googlenet", 6, 32), "googlenet from (32, 32, 3) to (6,)"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(
    other, received, built, run_script, tmp_path, small_networks
):
    network = small(*other)
    network.compile("adam", "categorical_crossentropy")
    network.optimizer.build(network.trainable_variables)
    network.save(tmp_path / "epoch_5.keras")
    needed = "Needed here: googlenet from (64, 64, 3) to (6,)"
    message = f"{re.escape(received)}.*{re.escape(needed)}"
    options = ("--dataset", built, "--model", tmp_path / "epoch_5.keras")
    with pytest.raises(SystemExit, match=message):
        run_script(f"{GOOGLENET}/train.py", *options, "--start-epoch", 5, "--output", tmp_path)
    with pytest.raises(SystemExit, match=message):
        run_script(f"{GOOGLENET}/rank_accuracy.py", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--start-epoch", 5], "--start-epoch 5 needs"),
        (["--start-epoch", 70, "--model", "m.keras"], "70 of 70"),
        (["--start-epoch", 5, "--model", "epoch_4.keras"], "There is no model at epoch_4.keras"),
    ],
)
def test_resume_options_must_make_sense(
    options, message, built, run_script, tmp_path, small_networks
):
    with pytest.raises(SystemExit, match=message):
        run_script(
            f"{GOOGLENET}/train.py", "--dataset", built, "--output", tmp_path / "output", *options
        )
    assert not (tmp_path / "output").exists()


def test_a_decay_goes_on_from_a_checkpoint_that_is_there(
    built, run_script, tmp_path, small_networks
):
    options = ("--dataset", built, "--output", tmp_path, "--start-epoch", 3)
    missing = r"There is no model at .*checkpoints_decay/epoch_3\.keras"
    with pytest.raises(SystemExit, match=missing):
        run_script(f"{RESNET}/train_decay.py", *options)


@pytest.mark.parametrize("script", [f"{GOOGLENET}/train.py", f"{RESNET}/rank_accuracy.py"])
def test_without_a_data_set_the_missing_file_is_named(script, run_script, tmp_path, built):
    with pytest.raises(SystemExit, match=r"There is no file .*mean\.json"):
        run_script(script, "--dataset", tmp_path)
    (tmp_path / "mean.json").write_text((built / "mean.json").read_text())
    small("resnet").save(tmp_path / "m.keras")
    options = ["--model", tmp_path / "m.keras"] if "rank" in script else []
    with pytest.raises(SystemExit, match=r"There is no file .*(train|test)\.hdf5"):
        run_script(script, "--dataset", tmp_path, *options)
