"""The dogs vs. cats chapter from end to end, on drawn pictures."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.datasets.drawn import draw_dogs_vs_cats
from pyimagesearch.training.classifier import load_classifier

CHAPTER = Path(__file__).resolve().parents[1] / "examples" / "dogs_vs_cats"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Twenty drawn cats and twenty dogs."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_dogs_vs_cats(folder, 40)
    return folder


@pytest.fixture
def photographs(tmp_path):
    """A function that makes `cats` and `dogs` one-coloured pictures in Kaggle's layout."""

    def make(cats=20, dogs=20):
        (tmp_path / "train").mkdir()
        for name, count in (("cat", cats), ("dog", dogs)):
            for i in range(count):
                path = tmp_path / "train" / f"{name}.{i}.jpg"
                cv2.imwrite(str(path), np.full((30, 40, 3), 5 * i, "uint8"))
        return tmp_path

    return make


# -- building ----------------------------------------------------------------------------------


def test_a_build_splits_every_class_in_proportion(run_script, drawn, tmp_path, capsys):
    run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", drawn, "--output", tmp_path)
    labels, images = {}, []
    for split in ("train", "val", "test"):
        with h5py.File(tmp_path / f"{split}.hdf5") as db:
            assert db["images"].shape[1:] == (256, 256, 3)
            assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
            labels[split] = np.bincount(db["labels"]).tolist()
            images += [image.tobytes() for image in db["images"]]
    assert labels == {"train": [16, 16], "val": [2, 2], "test": [2, 2]}
    assert len(set(images)) == 40  # no picture in two splits
    means = json.loads((tmp_path / "mean.json").read_text())
    with h5py.File(tmp_path / "train.hdf5") as db:
        blue, green, red = db["images"][:].mean(axis=(0, 1, 2))
    assert means == pytest.approx({"R": red, "G": green, "B": blue})
    assert "20 cats, 20 dogs" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "most"), [(("jpeg", "--quality", 60), 9), (("png",), 0)])
def test_a_build_keeps_compressed_pictures(run_script, photographs, tmp_path, options, most):
    def build(*more):
        script = "dogs_vs_cats/build_dogs_vs_cats.py"
        run_script(script, "--dataset", dataset, "--output", tmp_path, "--overwrite", *more)
        with h5py.File(tmp_path / "train.hdf5") as db:
            return list(db["images"]), (tmp_path / "mean.json").read_text()

    dataset = photographs()
    (pictures, means), (files, same_means) = build(), build("--encode", *options)
    decoded = [cv2.imdecode(file, cv2.IMREAD_COLOR) for file in files]
    assert np.abs(np.subtract(decoded, pictures, dtype=float)).mean() <= most
    assert sum(map(len, files)) < 0.8 * sum(picture.nbytes for picture in pictures)
    assert means == same_means


def test_a_second_build_is_refused_unless_told_to_overwrite(run_script, photographs):
    dataset = photographs()
    run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)
    before = (dataset / "hdf5" / "train.hdf5").stat().st_mtime_ns
    with pytest.raises(SystemExit, match=r"Built already: .*train\.hdf5.*[Oo]verwrite"):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)
    assert (dataset / "hdf5" / "train.hdf5").stat().st_mtime_ns == before
    run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset, "--overwrite")
    assert (dataset / "hdf5" / "train.hdf5").stat().st_mtime_ns > before


def test_a_build_stopped_in_its_last_part_leaves_the_old_files_and_can_be_repeated(
    run_script, photographs
):
    dataset = photographs()
    script = ("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)
    run_script(*script)
    before = {path.name: path.read_bytes() for path in (dataset / "hdf5").iterdir()}
    broken = dataset / "train" / "dog.7.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(b"")
    for seed in range(20):  # with some seed the broken file lies in the test part, built last
        with pytest.raises(SystemExit, match="dog.7.jpg"):
            run_script(*script, "--strict", "--overwrite", "--seed", seed)
        if (dataset / "hdf5" / ".building" / "val.hdf5").exists():
            break
    else:
        pytest.fail("no seed put the broken file into the last part")
    after = {path.name: path.read_bytes() for path in (dataset / "hdf5").glob("*.*5")}
    assert {name: data for name, data in before.items() if name.endswith("5")} == after
    broken.write_bytes(whole)
    run_script(*script, "--overwrite", "--seed", 3)
    assert sorted(path.name for path in (dataset / "hdf5").iterdir()) == sorted(before)
    assert (dataset / "hdf5" / "train.hdf5").read_bytes() != before["train.hdf5"]


def test_broken_pictures_are_listed_at_the_end(run_script, photographs, capsys):
    dataset = photographs()
    broken = dataset / "train" / "cat.3.jpg"
    broken.write_bytes(broken.read_bytes()[:-60])
    run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset, "--overwrite")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "[WARNING] 1 files could not be read and were left out:"
    assert str(broken) in lines[-1]
    rows = 0
    for split in ("train", "val", "test"):
        with h5py.File(dataset / "hdf5" / f"{split}.hdf5") as db:
            rows += len(db["images"])
    assert rows == 39
    with pytest.raises(SystemExit, match="cat.3.jpg"):
        run_script(
            "dogs_vs_cats/build_dogs_vs_cats.py",
            *("--dataset", dataset, "--output", dataset / "strict", "--strict"),
        )


@pytest.mark.parametrize(
    ("cats", "dogs", "message"),
    [
        (0, 20, "both classes are needed. Received: 0 cats, 20 dogs"),
        (3, 3, "Too few photographs"),
        (2, 30, "2 of the smaller class"),
    ],
)
def test_too_few_pictures_are_refused(run_script, photographs, cats, dogs, message):
    dataset = photographs(cats, dogs)
    with pytest.raises(SystemExit, match=message):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)
    assert not (dataset / "hdf5").exists()


def test_a_picture_without_a_label_is_named(run_script, photographs):
    dataset = photographs()
    (dataset / "train" / "cat.0.jpg").rename(dataset / "train" / "IMG_0001.jpg")
    with pytest.raises(SystemExit, match="IMG_0001.jpg"):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)
    (dataset / "train" / "IMG_0001.jpg").rename(dataset / "train" / "bird.0.jpg")
    with pytest.raises(SystemExit, match="Expected names like cat.0.jpg.*bird.0.jpg"):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", dataset)


def test_a_missing_or_empty_folder_is_named(run_script, tmp_path):
    with pytest.raises(SystemExit, match="There is no folder .*nowhere"):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", tmp_path / "nowhere")
    with pytest.raises(SystemExit, match="No images in"):
        run_script("dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", tmp_path)


# -- training ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def straight(drawn, tmp_path_factory):
    """The HDF5 files, and the output of two epochs that nothing interrupted."""
    folder = tmp_path_factory.mktemp("straight")
    subprocess.run(
        [
            *(sys.executable, CHAPTER / "build_dogs_vs_cats.py"),
            *("--dataset", drawn, "--output", folder / "hdf5"),
        ],
        check=True,
    )
    with (folder / "printed.txt").open("w") as printed:
        command = [*training(folder), "--data-wait"]
        subprocess.run(command, check=True, cwd=folder, stdout=printed)
    return folder


def training(folder, output="output"):
    """The command that trains for two epochs of four batches."""
    return [
        *(sys.executable, str(CHAPTER / "train_alexnet.py"), "--dataset", str(folder / "hdf5")),
        *("--output", str(folder / output), "--epochs", "2", "--batch-size", "8"),
    ]


def test_training_writes_model_curve_history_and_the_last_checkpoint(straight):
    output = straight / "output"
    history = json.loads((output / "alexnet.json").read_text())
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), 2
    )
    assert cv2.imread(str(output / "alexnet.png")).shape[1] > 500
    assert [path.name for path in (output / "checkpoints").iterdir()] == ["epoch_2.keras"]
    assert (output / "alexnet.keras").stat().st_size > 58_327_810 * 4


def test_training_says_how_long_it_waited_for_its_images(straight):
    printed = (straight / "printed.txt").read_text()
    for epoch in (1, 2):
        found = re.search(
            rf"epoch {epoch}: waited for data at most ([\d.]+) s of ([\d.]+) s", printed
        )
        assert 0 <= float(found[1]) <= float(found[2])


def test_an_interrupted_training_resumes_to_the_same_weights(straight):
    process = subprocess.Popen(
        training(straight, "interrupted"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    first = straight / "interrupted" / "checkpoints" / "epoch_1.keras"
    while not first.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    time.sleep(0.5)  # into the second epoch
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == 130, printed
    assert "Traceback" not in printed
    assert "epoch 1 is the last one finished" in printed

    command = shlex.split(printed.strip().splitlines()[-1])
    assert str(first) in command
    subprocess.run(command, check=True)
    models = [
        keras.models.load_model(straight / output / "alexnet.keras", compile=False)
        for output in ("output", "interrupted")
    ]
    for weights, resumed in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(weights, resumed, atol=1e-5)
    histories = [
        json.loads((straight / output / "alexnet.json").read_text())
        for output in ("output", "interrupted")
    ]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], abs=1e-4)


def test_accuracy_is_measured_with_and_without_crops(straight, run_script, capsys):
    run_script(
        "dogs_vs_cats/crop_accuracy.py",
        *("--dataset", straight / "hdf5", "--model", straight / "output" / "alexnet.keras"),
        *("--montage", straight / "test.png"),
    )
    printed = capsys.readouterr().out
    assert printed.count("[INFO] rank-1: ") == 2
    assert cv2.imread(str(straight / "test.png")).shape == (200, 1200, 3)  # four pictures, one row


def test_training_without_data_or_with_a_wrong_checkpoint_is_refused(
    straight, run_script, tmp_path
):
    with pytest.raises(SystemExit, match="mean.json"):
        run_script("dogs_vs_cats/train_alexnet.py", "--dataset", tmp_path)
    with pytest.raises(SystemExit, match="saved after epoch 2"):
        run_script(
            "dogs_vs_cats/train_alexnet.py",
            *("--dataset", straight / "hdf5", "--output", tmp_path, "--start-epoch", 1),
            *("--model", straight / "output" / "checkpoints" / "epoch_2.keras"),
        )


# -- transfer ----------------------------------------------------------------------------------


def test_features_and_a_classifier_come_from_any_backbone(drawn, run_script, tmp_path, capsys):
    inputs = keras.Input((16, 16, 3))
    keras.Model(inputs, keras.layers.AveragePooling2D(4)(inputs)).save(tmp_path / "body.keras")
    features, classifier = tmp_path / "features.hdf5", tmp_path / "pets.skops"
    run_script(
        "dogs_vs_cats/extract_features.py",
        *("--dataset", drawn, "--output", features, "--backbone", tmp_path / "body.keras"),
    )
    with h5py.File(features) as db:
        assert db["features"].shape == (40, 3)
        assert db["features"].dtype == np.float32
        assert 5 < db["labels"][:30].sum() < 25  # shuffled
    run_script("dogs_vs_cats/train_model.py", "--db", features, "--model", classifier, "--jobs", 1)
    assert "[INFO] score: " in capsys.readouterr().out
    model, names = load_classifier(classifier)
    assert names == ["cat", "dog"]
    assert model.n_features_in_ == 3


# -- the demo ----------------------------------------------------------------------------------


def test_help_is_quiet_and_works_from_any_folder(tmp_path):
    for script in (CHAPTER / "build_dogs_vs_cats.py", CHAPTER / "train_alexnet.py"):
        result = subprocess.run(
            [sys.executable, script, "--help"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=True,
            env={k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"},
        )
        assert result.stderr == ""
