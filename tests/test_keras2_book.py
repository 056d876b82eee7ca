"""The book's scripts as a reader of 2017 typed them, run unmodified on a handful of images.

They lie in tests/keras2/book, one folder for each chapter. Each script runs in a process of its
own, as `python -m pyimagesearch.keras2 SCRIPT` would run it.
"""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.datasets.drawn import draw_dogs_vs_cats
from pyimagesearch.keras2.report import Report

HERE = Path(__file__).parent
BOOK = HERE / "keras2" / "book"

pytestmark = pytest.mark.timeout(900)  # the first test to ask waits for all the chapters

CIFAR10 = {"EPOCHS": "2", "STAGES": "1,1,1"}
PETS = {"BATCH_SIZE": "8", "EPOCHS": "1", "VAL_IMAGES": "8", "TEST_IMAGES": "10"}
TINY = {"CLASSES": "6", "TEST_PER_CLASS": "2", "BATCH_SIZE": "12", "EPOCHS": "1", "EVERY": "1"}
TINY |= {"STAGES": "1,1", "FILTERS": "16,16,32"}
FLOWERS = "../datasets/flowers17/images"
RANDOM = ("--weights", "random")

# chapter -> (name, script, arguments, environment, most epochs)
CHAPTERS = {
    "dogs_vs_cats": [
        ("build", "build_dogs_vs_cats.py", (), PETS, None),
        ("train", "train_alexnet.py", (), PETS, None),
        ("crops", "crop_accuracy.py", (), PETS, None),
        (
            "features",
            "extract_features.py",
            ("-d", "../datasets/few", "-o", "features.hdf5", "-b", 3, *RANDOM),
            {},
            None,
        ),
        (
            "logistic",
            "train_model.py",
            ("-d", "../datasets/drawn.hdf5", "-m", "pets.pickle", "-j", 1),
            {},
            None,
        ),
    ],
    "deepergooglenet": [
        ("build", "build_tiny_imagenet.py", (), TINY, None),
        ("train", "train.py", ("-c", "output/checkpoints"), TINY, None),
        (
            "resume",
            "train.py",
            ("-c", "output/checkpoints", "-m", "output/checkpoints/epoch_1.hdf5", "-s", 1),
            TINY,
            None,
        ),
        ("rank", "rank_accuracy.py", (), TINY | {"EPOCHS": "2"}, None),
    ],
    "feature_extraction": [
        (
            "features",
            "extract_features.py",
            ("-d", "../datasets/few", "-o", "features.hdf5", "-b", 3, *RANDOM),
            {},
            None,
        ),
        (
            "logistic",
            "train_model.py",
            ("-d", "../datasets/drawn.hdf5", "-m", "flowers.cpickle", "-j", 1),
            {},
            None,
        ),
        (
            "rank",
            "rank_accuracy.py",
            ("-d", "../datasets/drawn.hdf5", "-m", "flowers.cpickle"),
            {},
            None,
        ),
    ],
    "fine_tuning": [
        ("inspect", "inspect_model.py", ("-i", -1, *RANDOM), {}, None),
        (
            "finetune",
            "finetune_flowers17.py",
            ("-d", FLOWERS, "-m", "flowers17.model", "-s", 32, "-b", 8, *RANDOM),
            {},
            1,
        ),
    ],
    "resnet_tinyimagenet": [
        ("build", "build_tiny_imagenet.py", (), TINY, None),
        ("train", "train.py", ("-c", "output/checkpoints"), TINY, None),
        (
            "resume",
            "train.py",
            ("-c", "output/checkpoints", "-m", "output/checkpoints/epoch_1.hdf5", "-s", 1),
            TINY,
            None,
        ),
        (
            "decay",
            "train_decay.py",
            ("-m", "output/resnet_tinyimagenet.hdf5", "-o", "output"),
            TINY | {"EPOCHS": "2"},
            None,
        ),
        ("rank", "rank_accuracy.py", (), TINY, None),
    ],
    "resnet_cifar10": [
        (
            "train",
            "resnet_cifar10.py",
            ("-c", "output/checkpoints"),
            CIFAR10 | {"EPOCHS": "5"},
            None,
        ),
        (
            "resume",
            "resnet_cifar10.py",
            ("-c", "output/checkpoints", "-m", "output/checkpoints/epoch_5.hdf5", "-s", 5),
            CIFAR10 | {"EPOCHS": "7"},
            None,
        ),
        (
            "decay",
            "resnet_cifar10_decay.py",
            ("-m", "output/resnet_cifar10.hdf5", "-o", "output"),
            CIFAR10,
            None,
        ),
    ],
    "ensembles": [
        ("train", "train_models.py", ("-o", "output", "-m", "models", "-n", 2, "-e", 1), {}, None),
        ("test", "test_ensemble.py", ("-m", "models"), {}, None),
    ],
    "optimizers": [
        ("adam", "compare_optimizers.py", ("-o", "adam", "-e", 2, "-b", "adam.hdf5"), {}, None),
        ("sgd", "compare_optimizers.py", ("-o", "nesterov", "-e", 2, "-b", "sgd.h5"), {}, None),
    ],
    "data_augmentation": [
        ("demo", "augmentation_demo.py", ("-i", "../datasets/pet.png", "-o", "output"), {}, None),
        ("plain", "minivggnet_flowers17.py", ("-d", FLOWERS, "-e", 2), {}, None),
        ("augmented", "minivggnet_flowers17_data_aug.py", ("-d", FLOWERS, "-e", 1), {}, None),
        ("migrated", "migrated.py", ("-d", FLOWERS, "-e", 1), {}, None),  # without the runner
    ],
    "minigooglenet_cifar10": [
        ("train", "googlenet_cifar10.py", ("-m", "output/net.hdf5", "-o", "output"), CIFAR10, None),
    ],
    "keras1": [("lenet", "lenet_digits.py", ("-w", "lenet.hdf5"), {}, None)],
    "traps": [("traps", "silent_traps.py", ("-o", "traps.json"), {}, None)],
}


class Chapter:
    """A chapter that has run: its folder, and what each of its scripts printed."""

    def __init__(self, folder):
        self.folder = folder

    def printed(self, name):
        """Return what a script printed; fail if it did not end well."""
        text = (self.folder / f"{name}.txt").read_text(errors="replace")
        status = self.folder / f"{name}.status"
        ended = status.read_text() if status.exists() else "died"
        assert ended == "0", f"{self.folder.name}, {name}: status {ended}\n{text[-3000:]}"
        return text


@pytest.fixture(scope="module")
def chapters(request, tmp_path_factory):
    """Run the scripts of all chapters that a selected test names; return name -> Chapter."""
    wanted = {
        mark.args[0]
        for item in request.session.items
        if item.path == request.path
        for mark in item.iter_markers("chapter")
    }
    root = tmp_path_factory.mktemp("book")
    data = root / "data"
    draw_data(data)
    lanes = []
    for chapter in [name for name in CHAPTERS if name in wanted]:
        folder = lay_out(root / chapter, chapter, data)
        lanes.append(
            [
                {
                    "name": name,
                    "folder": str(folder),
                    "script": script,
                    "args": list(map(str, args)),
                    "env": environment,
                    "epochs": epochs,
                    "plain": script == "migrated.py",
                }
                for name, script, args, environment, epochs in CHAPTERS[chapter]
            ]
        )
    (root / "jobs.json").write_text(json.dumps(lanes))
    subprocess.run(
        [sys.executable, HERE / "keras2" / "forked.py", root / "jobs.json", data / "cifar10.npz"],
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return {chapter: Chapter(root / chapter / chapter) for chapter in wanted}


@pytest.fixture
def chapter(request, chapters):
    return chapters[request.node.get_closest_marker("chapter").args[0]]


def lay_out(root, chapter, data):
    """Put a chapter's scripts and the data sets where a reader has them; return the folder."""
    shutil.copytree(BOOK / chapter, root / chapter)
    for name in ("output/checkpoints", "models"):
        (root / chapter / name).mkdir(parents=True)
    if chapter == "data_augmentation":
        migrate(root / chapter / "minivggnet_flowers17_data_aug.py")
    datasets = root / "datasets"
    datasets.mkdir()
    for path in data.iterdir():
        (datasets / path.name).symlink_to(path)
    for name in ("tiny-imagenet-200", "kaggle_dogs_vs_cats"):
        (datasets / name).unlink()
        shutil.copytree(data / name, datasets / name)
        (datasets / name / "hdf5").mkdir()
    return root / chapter


def migrate(script):
    """Do what docs/migration.md does with its example: the patch, and the shear by hand."""
    report = Report([str(script)])
    text = report.patched(report.findings[0][0]).decode()
    text = text.replace("shear_range=0.2", "shear_range=11.5")
    script.with_name("migrated.py").write_text(text.replace("_data_aug.png", "_migrated.png"))


def draw_data(folder):
    """Draw a few images of every data set of the book."""
    rng = np.random.default_rng(0)

    def draw(path, size=(70, 80)):
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(256, size=(*size, 3), dtype="uint8"))

    draw_dogs_vs_cats(folder / "kaggle_dogs_vs_cats", 42)
    pets = folder / "kaggle_dogs_vs_cats" / "train"
    shutil.copy(pets / "cat.0.jpg", folder / "pet.png")
    for species in ("bluebell", "crocus", "iris"):
        for number in range(15):
            draw(folder / "flowers17" / "images" / species / f"image_{number}.jpg")
    for kind in ("cat", "dog"):  # a folder and a file name that tell the class
        for number in range(2):
            target = folder / "few" / kind / f"{kind}.{number}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pets / f"{kind}.{number}.jpg", target)
    tiny = folder / "tiny-imagenet-200"
    wnids = [f"n{number:08}" for number in range(int(TINY["CLASSES"]))]
    for wnid in wnids:
        for number in range(6):
            draw(tiny / "train" / wnid / "images" / f"{wnid}_{number}.JPEG", (64, 64))
    rows = []
    for number in range(16):
        draw(tiny / "val" / "images" / f"val_{number}.JPEG", (64, 64))
        rows.append(f"val_{number}.JPEG\t{wnids[number % len(wnids)]}\t0\t0\t62\t62")
    (tiny / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")
    np.savez(
        folder / "cifar10.npz",
        trainX=rng.integers(256, size=(130, 32, 32, 3), dtype="uint8"),
        trainY=np.arange(130)[:, None] % 10,
        testX=rng.integers(256, size=(20, 32, 32, 3), dtype="uint8"),
        testY=np.arange(20)[:, None] % 10,
    )
    labels = np.arange(60) % 6
    with h5py.File(folder / "drawn.hdf5", "w") as db:  # features that tell six classes apart
        db["features"] = np.eye(6)[labels] + rng.normal(0, 0.1, (60, 6))
        db["labels"] = labels
        db["label_names"] = ["bluebell", "crocus", "daisy", "fritillary", "iris", "tulip"]


def history(folder):
    """Return the one history, whose file has the number of a process for its name."""
    (path,) = [path for path in folder.glob("*.json") if path.stem.isdigit()]
    return json.loads(path.read_text())


# -- the chapters ------------------------------------------------------------------------------


@pytest.mark.chapter("data_augmentation")
def test_augmentation_writes_its_samples_and_trains(chapter):
    chapter.printed("demo")
    samples = list((chapter.folder / "output").glob("image_*.jpg"))
    assert 1 <= len(samples) <= 11  # random numbers in their names; the next one is drawn ahead
    height, width = cv2.imread(str(chapter.folder / ".." / "datasets" / "pet.png")).shape[:2]
    assert cv2.imread(str(samples[0])).shape == (height, width, 3)
    for name in ("plain", "augmented", "migrated"):
        printed = chapter.printed(name)
        assert re.search(r"bluebell +[\d.]+", printed)
    for name in ("", "_data_aug", "_migrated"):
        plot = cv2.imread(str(chapter.folder / f"minivggnet_flowers17{name}.png"))
        assert plot.shape == (480, 640, 3)


@pytest.mark.chapter("data_augmentation")
def test_the_report_has_nothing_to_say_of_the_script_it_brought_to_keras_3(chapter):
    chapter.printed("migrated")
    assert Report([str(chapter.folder / "migrated.py")]).status == 0


@pytest.mark.chapter("feature_extraction")
def test_features_are_extracted(chapter):
    chapter.printed("features")
    with h5py.File(chapter.folder / "features.hdf5") as db:
        assert db["features"].shape == (4, 512 * 7 * 7)
        assert np.abs(db["features"][:]).sum(axis=1).min() > 0
        assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
        assert sorted(db["labels"][:].tolist()) == [0, 0, 1, 1]


@pytest.mark.chapter("feature_extraction")
def test_rank_5_accuracy_is_measured(chapter):
    assert re.search(r"fritillary +1.00 +1.00", chapter.printed("logistic"))
    printed = chapter.printed("rank")
    assert "[INFO] rank-1: 100.00%" in printed
    assert "[INFO] rank-5: 100.00%" in printed


@pytest.mark.chapter("fine_tuning")
def test_vgg16_is_inspected_and_fine_tuned(chapter):
    layers = re.findall(r"\[INFO\] (\d+)\t(\w+)", chapter.printed("inspect"))
    assert len(layers) == 19
    assert layers[15] == ("15", "Conv2D")
    printed = chapter.printed("finetune")
    assert printed.count("macro avg") == 2  # after the head, and after the body
    assert (chapter.folder / "flowers17.model").stat().st_size > 14_714_688 * 4


@pytest.mark.chapter("optimizers")
def test_optimizers_train_with_their_old_arguments(chapter):
    for name, best in (("adam", "adam.hdf5"), ("sgd", "sgd.h5")):
        printed = chapter.printed(name)
        assert re.search(r"\[INFO\] correct: \d+ of 20", printed)
        assert re.search(r"\[INFO\] best epoch: [\d.]+%", printed)
        assert (chapter.folder / best).exists()


@pytest.mark.chapter("ensembles")
def test_an_ensemble_is_trained_and_averaged(chapter):
    chapter.printed("train")
    assert re.search(r"accuracy +[\d.]+ +20", chapter.printed("test"))
    models = sorted(path.name for path in (chapter.folder / "models").iterdir())
    assert models == ["model_0.model", "model_1.model"]
    for number in range(2):
        assert "airplane" in (chapter.folder / "output" / f"model_{number}.txt").read_text()
        assert (chapter.folder / "output" / f"model_{number}.png").exists()


@pytest.mark.chapter("dogs_vs_cats")
def test_dogs_and_cats_are_packed_trained_and_measured_with_ten_crops(chapter):
    chapter.printed("build")
    counts = {}
    hdf5 = chapter.folder / ".." / "datasets" / "kaggle_dogs_vs_cats" / "hdf5"
    for name in ("train", "val", "test"):
        with h5py.File(hdf5 / f"{name}.hdf5") as db:
            counts[name] = db["images"].shape
    assert counts == {
        name: (count, 256, 256, 3) for name, count in (("train", 24), ("val", 8), ("test", 10))
    }
    means = json.loads((chapter.folder / "output" / "dogs_vs_cats_mean.json").read_text())
    assert set(means) == {"R", "G", "B"}
    assert "3/3" in chapter.printed("train")
    assert len(list((chapter.folder / "output").glob("*.png"))) == 1
    model = chapter.folder / "output" / "alexnet_dogs_vs_cats.model"
    assert model.stat().st_size > 58_327_810 * 4
    # ten test images in batches of eight: the script predicts eight, and the ten crops of all ten
    ranks = re.findall(r"rank-1: ([\d.]+)%", chapter.printed("crops"))
    assert [float(rank) % share for rank, share in zip(ranks, (12.5, 10), strict=True)] == [0, 0]


@pytest.mark.chapter("dogs_vs_cats")
def test_resnet50_gives_its_pooled_features(chapter):
    chapter.printed("features")
    with h5py.File(chapter.folder / "features.hdf5") as db:
        assert db["features"].shape == (4, 2048)
        assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
    assert "[INFO] score: 1.0" in chapter.printed("logistic")
    model = pickle.loads((chapter.folder / "pets.pickle").read_bytes())
    assert model.n_features_in_ == 6


@pytest.mark.chapter("minigooglenet_cifar10")
def test_minigooglenet_trains_with_a_readers_own_monitor(chapter):
    chapter.printed("train")
    found = history(chapter.folder / "output")
    assert {len(values) for values in found.values()} == {2}
    assert set(found) == {"loss", "acc", "val_loss", "val_acc"}
    assert len(list((chapter.folder / "output").glob("*.png"))) == 1
    assert (chapter.folder / "output" / "net.hdf5").stat().st_size > 10**6


@pytest.mark.chapter("deepergooglenet")
def test_deepergooglenet_trains_and_resumes_from_its_own_checkpoint(chapter):
    chapter.printed("build")
    chapter.printed("train")
    rates = re.findall(r"learning rate: ([\d.e-]+)", chapter.printed("resume"))
    assert [float(rate) for rate in rates] == pytest.approx([1e-3, 1e-4])
    checkpoints = sorted(path.name for path in (chapter.folder / "output/checkpoints").iterdir())
    assert checkpoints == ["epoch_1.hdf5", "epoch_2.hdf5"]
    found = json.loads((chapter.folder / "output/deepergooglenet_tinyimagenet.json").read_text())
    assert len(found["loss"]) == len(found["val_acc"]) == 2
    printed = chapter.printed("rank")
    assert re.search(r"rank-1: [\d.]+%\n\[INFO\] rank-5: [\d.]+%", printed)


@pytest.mark.chapter("resnet_cifar10")
def test_resnet_trains_and_resumes_from_our_checkpoint(chapter):
    chapter.printed("train")
    rates = re.findall(r"learning rate: ([\d.e-]+)", chapter.printed("resume"))
    assert [float(rate) for rate in rates] == pytest.approx([1e-1, 1e-2])
    assert [path.name for path in (chapter.folder / "output/checkpoints").iterdir()] == [
        "epoch_5.hdf5"
    ]
    found = json.loads((chapter.folder / "output/resnet56_cifar10.json").read_text())
    assert len(found["loss"]) == 7
    chapter.printed("decay")
    assert (chapter.folder / "output" / "resnet_cifar10.hdf5").exists()
    assert len(history(chapter.folder / "output")["loss"]) == 2


@pytest.mark.chapter("resnet_tinyimagenet")
def test_resnet_trains_on_tiny_imagenet(chapter):
    for name in ("build", "train", "resume", "decay"):
        chapter.printed(name)
    checkpoints = sorted(path.name for path in (chapter.folder / "output/checkpoints").iterdir())
    assert checkpoints == ["epoch_1.hdf5", "epoch_2.hdf5"]
    assert len(history(chapter.folder / "output")["loss"]) == 2
    ranks = re.findall(r"rank-\d: ([\d.]+)%", chapter.printed("rank"))
    assert 0 <= float(ranks[0]) <= float(ranks[1]) <= 100


@pytest.mark.chapter("keras1")
def test_a_script_for_keras_1_runs(chapter):
    printed = chapter.printed("lenet")
    assert re.search(r"accuracy: 0\.\d{4}", printed)
    assert "output: (None, 10)" in printed
    assert (chapter.folder / "lenet.hdf5").exists()


# -- what would be silently wrong ----------------------------------------------------------------


def check_traps(found):
    assert found["kernel"] == [3, 3, 1, 4]  # not strides of 3
    assert found["map"] == [6, 6, 4]
    # the first step is made at 0.1, the second, from the same weights, at 0.1 / (1 + 0.5)
    assert found["steps"][1] / found["steps"][0] == pytest.approx(1 / 1.5, rel=1e-3)
    assert found["rate"] == pytest.approx(0.01)
    assert found["halved"] == pytest.approx(0.0025)  # twice
    assert found["predictions"] == 48  # as then: the report is there to tell


@pytest.mark.chapter("traps")
def test_what_keras_3_would_silently_do_otherwise_is_done_as_then(chapter):
    chapter.printed("traps")
    check_traps(json.loads((chapter.folder / "traps.json").read_text()))


def test_the_command_itself_runs_a_script(tmp_path):
    command = [sys.executable, "-m", "pyimagesearch.keras2", BOOK / "traps" / "silent_traps.py"]
    subprocess.run(
        [*command, "--output", tmp_path / "traps.json"],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    check_traps(json.loads((tmp_path / "traps.json").read_text()))
