"""Caffe's examples from end to end: their own nets and solvers, made narrow, on drawn pictures."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe import (
    HistogramEqualizePreprocessor,
    MeanImagePreprocessor,
    load_caffe,
    read_image_list,
    read_mean,
    read_solver,
)
from pyimagesearch.caffe import __main__ as commands
from pyimagesearch.caffe._net import read_net
from pyimagesearch.caffe._wire import read_layers, write_layers
from pyimagesearch.caffe.datums import decode_datum, read_datums
from pyimagesearch.datasets import draw_dogs_vs_cats
from pyimagesearch.utils.script import run

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "examples" / "caffe"
DOGS, STYLE, REGRESSION = "caffe/dogs_vs_cats", "caffe/finetune_style", "caffe/regression"
WIDTHS = {"96": "8", "256": "8", "384": "8", "4096": "6"}  # of CaffeNet's layers, and for tests


def narrow(chapter, target, net, solver, **numbers):
    """Copy a shipped net and its solver to `target`: few filters, small batches, few updates.

    Returns:
        the path of the solver; other numbers in it are set to those given.
    """
    text = (CHAPTERS / chapter / net).read_text()
    for wide, few in WIDTHS.items():
        text = re.sub(rf"num_output: {wide}\b", f"num_output: {few}", text)
    text = re.sub(r"batch_size: \d+", "batch_size: 4", text)
    target.mkdir(exist_ok=True)
    (target / net).write_text(text)
    text = (CHAPTERS / chapter / solver).read_text() if solver else ""
    text = re.sub(r'net: ".*"', f'net: "{net}"', text)
    for name, number in numbers.items():
        text, found = re.subn(rf"^{name}: \S+", f"{name}: {number}", text, flags=re.M)
        assert found
    if solver:
        (target / solver).write_text(text)
        return target / solver
    return target / net


def train(monkeypatch, solver, *options):
    """Run `python -m pyimagesearch.caffe train` in this process."""
    argv = ["caffe", "train", "--solver", solver, *options]
    monkeypatch.setattr(sys, "argv", list(map(str, argv)))
    run(commands.main)


# -- the files that are shipped ------------------------------------------------------------------


def weighted(path, phase):
    """What the layers with weights of a net are, but for their fillers and rates."""
    layers = read_net(path, phase).layers
    return {
        layer.name: [
            (p.num_output, p.kernel_size, p.pad, p.stride, p.group)
            if layer.type == "Convolution"
            else p.num_output
            for p in [getattr(layer.message, f"{kind}_param")]
        ]
        for layer in layers
        for kind in ["convolution" if layer.type == "Convolution" else "inner_product"]
        if layer.type in ("Convolution", "InnerProduct")
    }


@pytest.mark.parametrize(
    ("trained", "deployed"),
    [
        (f"dogs_vs_cats/{name}_train_val.prototxt", f"dogs_vs_cats/{name}_deploy.prototxt")
        for name in ("caffenet", "transfer")
    ]
    + [
        (f"{chapter}/train_val.prototxt", f"{chapter}/deploy.prototxt")
        for chapter in ("finetune_style", "regression")
    ],
)
def test_a_net_is_deployed_as_it_was_trained(trained, deployed):
    layers = [weighted(CHAPTERS / trained, phase) for phase in ("TRAIN", "TEST")]
    layers.append(weighted(CHAPTERS / deployed, "TEST"))
    assert layers[0] == layers[1] == layers[2]
    assert len(layers[0]) >= 4


@pytest.mark.parametrize(
    ("net", "classes"),
    [
        ("dogs_vs_cats/caffenet_deploy", 2),
        ("dogs_vs_cats/transfer_deploy", 2),
        ("finetune_style/deploy", 20),
    ],
)
def test_the_nets_are_caffenet_but_for_their_last_layer(net, classes):
    model = load_caffe(CHAPTERS / f"{net}.prototxt")
    # 60,965,224 with 1,000 classes of 4,096 weights and a bias each
    assert model.count_params() == 60_965_224 - (1000 - classes) * 4097
    assert model.get_layer("pool5").output.shape[1:] == (6, 6, 256)
    assert model.output_shape == (None, classes)


def test_the_solvers_name_the_nets_beside_them():
    solvers = sorted(CHAPTERS.rglob("solver*.prototxt"))
    assert len(solvers) == 4
    for path in solvers:
        solver = read_solver(path)
        assert solver.net_path("TRAIN").resolve().parent == path.parent
        assert solver.test_iter
        assert solver.snapshot_prefix.startswith(f"output/caffe/{path.parent.name}/")
    rates = read_solver(CHAPTERS / "dogs_vs_cats" / "solver.prototxt").schedule()
    assert [float(rates(i)) for i in (0, 2499, 2500, 5000)] == pytest.approx(
        [1e-3, 1e-3, 1e-4, 1e-5]
    )


@pytest.mark.parametrize(
    ("net", "new"),
    [
        ("dogs_vs_cats/transfer_train_val", "fc8_cats_dogs"),
        ("finetune_style/train_val", "fc8_style"),
    ],
)
def test_the_renamed_layer_learns_ten_times_as_fast(net, new):
    for layer in read_net(CHAPTERS / f"{net}.prototxt", "TRAIN").layers:
        if layer.params:
            fast = 10 if layer.name == new else 1
            rates = [(spec.lr_mult, spec.decay_mult) for spec in layer.params]
            assert rates == [(fast, 1), (2 * fast, 0)]


# -- dogs vs. cats -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Nine drawn cats and nine dogs."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_dogs_vs_cats(folder, 18)
    return folder


def records(path):
    """The images, labels and keys of an LMDB."""
    rows = [(decode_datum(datum, key), datum.label, key) for key, datum in read_datums(path)]
    return [list(column) for column in zip(*rows, strict=True)]


def test_photographs_are_equalized_resized_shuffled_and_split(run_script, drawn, tmp_path, capsys):
    script = f"{DOGS}/create_lmdb.py"
    run_script(script, "--dataset", drawn, "--output", tmp_path, "--size", 40)
    assert "9 cats, 9 dogs" in capsys.readouterr().out
    train, validation = records(tmp_path / "train_lmdb"), records(tmp_path / "validation_lmdb")
    assert (len(train[0]), len(validation[0])) == (15, 3)  # 5/6 and 1/6
    assert validation[2] == ["00000", "00006", "00012"]  # every sixth
    assert sorted(train[2] + validation[2]) == [f"{number:05d}" for number in range(18)]
    assert sum(train[1] + validation[1]) == 9
    assert len(set(train[1][:8])) == 2  # shuffled

    equalize, expected = HistogramEqualizePreprocessor(), {}
    for path in (drawn / "train").glob("*.jpg"):
        image = equalize.preprocess(cv2.imread(str(path)))
        image = cv2.resize(image, (40, 40), interpolation=cv2.INTER_CUBIC)
        expected[image.tobytes()] = int(path.name.startswith("dog"))
    stored = zip(train[0] + validation[0], train[1] + validation[1], strict=True)
    assert {image.tobytes(): label for image, label in stored} == expected

    first = (tmp_path / "train_lmdb" / "data.mdb").read_bytes()
    for seed, same in ((42, True), (7, False)):
        again = tmp_path / str(seed)
        run_script(script, "-d", drawn, "-o", again, "--size", 40, "--seed", seed)
        keys = records(again / "train_lmdb")
        assert all(map(np.array_equal, keys[0], train[0])) == same
    with pytest.raises(SystemExit, match=r"train_lmdb exists\. Add --overwrite"):
        run_script(script, "--dataset", drawn, "--output", tmp_path, "--size", 30)
    assert (tmp_path / "train_lmdb" / "data.mdb").read_bytes() == first
    run_script(script, "-d", drawn, "-o", tmp_path, "--size", 30, "--overwrite", "--limit", 6)
    assert records(tmp_path / "train_lmdb")[0][0].shape == (30, 30, 3)
    assert len(records(tmp_path / "train_lmdb")[0]) == 10


def test_unreadable_photographs_are_left_out_and_named(run_script, tmp_path, capsys):
    draw_dogs_vs_cats(tmp_path, 12)
    (tmp_path / "train" / "cat.2.jpg").write_bytes(b"no image")
    options = ("--dataset", tmp_path, "--output", tmp_path / "out", "--size", 20)
    with pytest.raises(SystemExit, match=r"cat\.2\.jpg"):
        run_script(f"{DOGS}/create_lmdb.py", *options, "--strict")
    run_script(f"{DOGS}/create_lmdb.py", *options, "--overwrite")
    printed = capsys.readouterr().out
    assert "[WARNING] 1 files could not be read" in printed
    assert "cat.2.jpg" in printed
    count = sum(
        len(records(tmp_path / "out" / name)[0]) for name in ("train_lmdb", "validation_lmdb")
    )
    assert count == 11


def test_the_mean_image_is_that_of_all_images(run_script, tmp_path, capsys):
    script, target = f"{DOGS}/compute_mean.py", tmp_path / "mean.binaryproto"
    lmdb = FIXTURES / "pets_lmdb"
    run_script(script, "--lmdb", lmdb, "--output", target)
    expected = np.load(FIXTURES / "pets_expected.npz")
    images = expected["images"].astype(np.float64)
    np.testing.assert_allclose(read_mean(target), images.mean(axis=0).transpose(2, 0, 1), rtol=1e-6)
    np.testing.assert_allclose(read_mean(target), expected["mean"], rtol=1e-6)
    assert "20 images, channel means" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="exists. Add --overwrite"):
        run_script(script, "--lmdb", lmdb, "--output", target)
    with pytest.raises(SystemExit, match="nowhere"):
        run_script(script, "--lmdb", tmp_path / "nowhere", "--output", target, "--overwrite")
    run_script(script, "--lmdb", lmdb, "--output", tmp_path / "mean.json")
    means = json.loads((tmp_path / "mean.json").read_text())
    assert means["B"] == pytest.approx(images[..., 0].mean(), rel=1e-5)


@pytest.fixture(scope="module")
def pets(drawn, tmp_path_factory):
    """A folder as the repository's root is after the tutorial's first three steps."""
    return tmp_path_factory.mktemp("pets")


@pytest.fixture
def trained(pets, drawn, run_script, monkeypatch):
    """That folder, the current one: LMDBs, mean, a narrow net with its solver, and a snapshot."""
    monkeypatch.chdir(pets)
    output = pets / "output" / "caffe" / "dogs_vs_cats"
    if not output.exists():
        run_script(f"{DOGS}/create_lmdb.py", "--dataset", drawn, "--output", output)
        run_script(
            f"{DOGS}/compute_mean.py",
            *("--lmdb", output / "train_lmdb", "--output", output / "mean.binaryproto"),
        )
        files = "dogs_vs_cats", pets / "nets", "caffenet_train_val.prototxt", "solver.prototxt"
        train(monkeypatch, narrow(*files, max_iter=2, test_iter=1, display=1, snapshot=1))
        narrow("dogs_vs_cats", pets / "nets", "caffenet_deploy.prototxt", None)
    return output


def unlabelled(folder):
    """Draw pictures as Kaggle's test1 has them: numbers as names, 10 before 2 as text."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in (10, 2, 33):
        picture = rng.integers(0, 256, (30, 50, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def predict(run_script, trained, target, *options):
    nets = trained.parents[2] / "nets"
    given = ("--net", nets / "caffenet_deploy.prototxt", "--mean", trained / "mean.binaryproto")
    run_script(f"{DOGS}/make_predictions.py", *given, "--output", target, *options)


def test_training_writes_snapshots_a_log_and_the_learning_curve(trained):
    assert {path.name for path in trained.glob("caffenet_*")} == {
        *("caffenet_iter_1.keras", "caffenet_iter_2.keras"),
        *("caffenet_log.jsonl", "caffenet_log.png"),
    }
    log = [json.loads(line) for line in (trained / "caffenet_log.jsonl").read_text().splitlines()]
    assert [record["iteration"] for record in log if "loss" in record] == [0, 1]
    tests = [record["test"] for record in log if "test" in record]
    assert {"accuracy", "loss"} <= set(tests[0])


def test_predictions_become_a_submission(trained, run_script, tmp_path, capsys):
    snapshot = trained / "caffenet_iter_2.keras"
    images, target = unlabelled(tmp_path / "test1"), tmp_path / "submission.csv"
    options = ("--weights", snapshot, "--images", images, "--batch-size", 2)
    predict(run_script, trained, target, *options)
    header, *rows = csv.reader(target.read_text().splitlines())
    assert header == ["id", "label"]
    assert [row[0] for row in rows] == ["2", "10", "33"]

    net = load_caffe(trained.parents[2] / "nets" / "caffenet_deploy.prototxt")
    for layer in keras.models.load_model(snapshot, compile=False).layers:
        if layer.weights:
            net.get_layer(layer.name).set_weights(layer.get_weights())
    equalize, mean = HistogramEqualizePreprocessor(), read_mean(trained / "mean.binaryproto")
    for number, label in rows:
        image = equalize.preprocess(cv2.imread(str(images / f"{number}.png")))
        image = cv2.resize(image, (227, 227), interpolation=cv2.INTER_CUBIC)
        inputs = image[None].astype(np.float32) - mean.transpose(1, 2, 0)
        assert int(label) == net.predict(inputs, verbose=0).argmax()

    # the same weights as Caffe keeps them
    blobs = {
        layer.name: [
            np.transpose(weights, (3, 2, 0, 1) if weights.ndim == 4 else None)
            for weights in layer.get_weights()
        ]
        for layer in net.layers
        if layer.weights
    }
    write_layers(tmp_path / "net.caffemodel", blobs)
    again = tmp_path / "again.csv"
    predict(run_script, trained, again, "-w", tmp_path / "net.caffemodel", "--images", images)
    assert again.read_text() == target.read_text()

    capsys.readouterr()
    (images / "4.png").write_bytes(b"no image")
    with pytest.raises(SystemExit) as end:
        predict(run_script, trained, again, *options, "--overwrite")
    assert end.value.code == 1
    assert "4.png" in capsys.readouterr().out
    assert again.read_text() == target.read_text()


def test_predictions_refuse_what_would_be_wrong(trained, run_script, tmp_path):
    images, target = unlabelled(tmp_path / "test1"), tmp_path / "submission.csv"
    options = ("--weights", trained / "caffenet_iter_2.keras", "--images", images)
    target.write_text("mine")
    with pytest.raises(SystemExit, match="exists. Add --overwrite"):
        predict(run_script, trained, target, *options)
    assert target.read_text() == "mine"
    target.unlink()
    other = narrow("dogs_vs_cats", tmp_path, "transfer_deploy.prototxt", None)
    with pytest.raises(SystemExit, match="no weights for fc8_cats_dogs"):
        predict(run_script, trained, target, *options, "--net", other)
    with pytest.raises(SystemExit, match="There is no model at"):
        predict(run_script, trained, target, "--weights", "no.keras", "--images", images)
    (images / "a2.png").write_bytes((images / "2.png").read_bytes())
    with pytest.raises(SystemExit, match="both have the id 2"):
        predict(run_script, trained, target, *options)
    assert not target.exists()


def test_transfer_starts_with_the_layers_of_the_same_names(trained, monkeypatch, tmp_path, capsys):
    files = "dogs_vs_cats", tmp_path, "transfer_train_val.prototxt", "solver_transfer.prototxt"
    # so slow that what the weights began with can be seen
    solver = narrow(*files, max_iter=1, test_iter=1, base_lr=1e-12)
    before = trained / "caffenet_iter_2.keras"
    train(monkeypatch, solver, "--weights", before)
    printed = capsys.readouterr().out
    assert "begun with their fillers: fc8_cats_dogs" in printed
    assert "not in the net: fc8" in printed
    after = keras.models.load_model(trained / "transfer_iter_1.keras")
    before = keras.models.load_model(before, compile=False)
    for name in ("conv1", "conv5", "fc7"):
        np.testing.assert_allclose(
            after.get_layer(name).get_weights()[0],
            before.get_layer(name).get_weights()[0],
            atol=1e-6,
        )
    multipliers = after.optimizer.get_config()["multipliers"]
    fast = {path: list(pair) for path, pair in multipliers.items() if "fc8_cats_dogs" in path}
    assert sorted(fast.values()) == [[10, 1], [20, 0]]


# -- styles --------------------------------------------------------------------------------------


def gallery(folder, styles, count=5):
    rng = np.random.default_rng(0)
    for number in range(styles):
        (folder / f"style {number:02d}").mkdir(parents=True)  # paths may hold spaces
        for i in range(count):
            picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / f"style {number:02d}" / f"{i}.jpg"), picture)
    return folder


def test_styles_are_listed_and_trained_with_a_new_last_layer(
    run_script, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    folder, output = gallery(tmp_path / "styles", 20), tmp_path / "output/caffe/finetune_style"
    run_script(f"{STYLE}/make_lists.py", "--dataset", folder, "--output", output)
    assert "WARNING" not in capsys.readouterr().out
    names = (output / "style_names.txt").read_text().splitlines()
    assert names == [f"style {number:02d}" for number in range(20)]
    seen = []
    for name, each in (("train", 4), ("test", 1)):
        paths, labels = read_image_list(output / f"{name}.txt")
        assert np.bincount(labels).tolist() == [each] * 20
        assert [Path(path).parent.name for path in paths] == [names[label] for label in labels]
        assert labels != sorted(labels)
        seen += paths
    assert len(set(seen)) == 100

    net = "train_val.prototxt"
    train(
        monkeypatch,
        narrow(
            "finetune_style", tmp_path / "nets", net, "solver.prototxt", max_iter=1, test_iter=1
        ),
    )
    model = keras.models.load_model(output / "style_iter_1.keras", compile=False)
    assert model.get_layer("fc8_style").output.shape == (None, 20)
    assert model.input_shape == (None, 227, 227, 3)


def test_lists_that_do_not_fit_the_net_or_cannot_be_split_are_told(run_script, tmp_path, capsys):
    script, output = f"{STYLE}/make_lists.py", tmp_path / "lists"
    run_script(script, "--dataset", gallery(tmp_path / "three", 3), "--output", output)
    assert "[WARNING] 3 classes: set num_output of fc8_style to 3" in capsys.readouterr().out
    before = (output / "train.txt").read_text()
    with pytest.raises(SystemExit, match=r"train\.txt exists"):
        run_script(script, "--dataset", tmp_path / "three", "--output", output)
    few = gallery(tmp_path / "few", 3, count=2)
    with pytest.raises(SystemExit, match="Each class needs five pictures"):
        run_script(script, "--dataset", few, "--output", output, "--overwrite")
    with pytest.raises(SystemExit, match="in no class folder"):
        run_script(script, "--dataset", tmp_path / "three" / "style 00", "--output", output)
    assert (output / "train.txt").read_text() == before


# -- regression ----------------------------------------------------------------------------------


def test_boxes_are_learned_from_hdf5_files(run_script, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "output" / "caffe" / "regression"
    run_script(f"{REGRESSION}/make_data.py", "-o", output, "--train", 200, "--test", 40)
    with h5py.File(output / "train.hdf5") as train_db, h5py.File(output / "test.hdf5") as test_db:
        images, boxes = train_db["data"][:], train_db["label"][:]
        assert images.shape == (200, 3, 32, 32)
        assert images.dtype == boxes.dtype == np.float32
        assert not np.array_equal(images[:40], test_db["data"][:])
    for image, box in zip(images, np.rint(boxes * 32).astype(int), strict=True):
        left, top, right, bottom = box
        shape = np.zeros((32, 32), bool)
        shape[top:bottom, left:right] = True
        ground = image[:, ~shape]
        assert ground.std(axis=1).max() < 0.06  # nothing but noise outside of the box
        assert image[:, shape].std(axis=1).max() > 0.06

    solver = (CHAPTERS / "regression" / "solver.prototxt").read_text()
    for name, number in {
        "max_iter": 60,
        "test_iter": 1,
        "test_interval": 60,
        "snapshot": 0,
    }.items():
        solver = re.sub(rf"^{name}: \S+", f"{name}: {number}", solver, flags=re.M)
    (tmp_path / "solver.prototxt").write_text(solver)
    shutil.copytree(CHAPTERS / "regression", tmp_path / "examples" / "caffe" / "regression")
    train(monkeypatch, tmp_path / "solver.prototxt")
    log = [json.loads(line) for line in (output / "shapes_log.jsonl").read_text().splitlines()]
    losses = [record["test"]["loss"] for record in log if "test" in record]
    assert losses[-1] < 0.05 * losses[0]

    capsys.readouterr()
    picture = tmp_path / "boxes.png"
    given = ("--db", output / "test.hdf5", "--montage", picture, "--show", 3)
    run_script(f"{REGRESSION}/show_boxes.py", "--weights", output / "shapes_iter_60.keras", *given)
    printed = capsys.readouterr().out
    assert len(re.findall(r"^( +-?[\d.]+){8}$", printed, re.M)) == 3
    error = float(re.search(r"mean error of a side: ([\d.]+) pixels", printed)[1])
    # half of the summed square is the loss: 4 sides
    assert error <= 32 * np.sqrt(losses[-1] / 2) * 1.3
    assert cv2.imread(str(picture)).shape == (5 * 128, 8 * 128, 3)
    with pytest.raises(SystemExit, match="Make it with make_data"):
        run_script(f"{REGRESSION}/show_boxes.py", "--weights", "no.keras", "--db", tmp_path / "no")


# -- features ------------------------------------------------------------------------------------

PETNET = FIXTURES / "petnet"
GIVEN = ("--net", PETNET / "deploy.prototxt", "--weights", PETNET / "petnet_iter_200.caffemodel")


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """Twelve pictures of each of two classes, one of them blue, one red."""
    folder, rng = tmp_path_factory.mktemp("flowers"), np.random.default_rng(0)
    for channel, name in ((0, "cornflower"), (2, "poppy")):
        (folder / name).mkdir()
        for i in range(12):
            picture = rng.integers(0, 100, (28, 28, 3), dtype=np.uint8)
            picture[..., channel] += 150
            cv2.imwrite(str(folder / name / f"{i}.png"), picture)
    return folder


def features_of(images, blob, mean):
    """What the blob is for (N, H, W, 3) pictures, flat in Caffe's order."""
    net = load_caffe(*GIVEN[1::2])
    layer = [layer for layer in net.caffe_net.layers if blob in layer.tops][-1]
    part = keras.Model(net.inputs, net.get_layer(layer.keras_name).output)
    values = part.predict(np.float32(images) - mean, verbose=0)
    return (values.transpose(0, 3, 1, 2) if values.ndim == 4 else values).reshape(len(images), -1)


@pytest.mark.parametrize(("blob", "features"), [("fc6", 24), ("pool2", 16 * 6 * 6)])
def test_any_blob_becomes_features_for_a_classifier(
    run_script, flowers, tmp_path, capsys, blob, features
):
    db, picked = tmp_path / "f.hdf5", {}
    mean = MeanImagePreprocessor(FIXTURES / "mean.binaryproto").mean[2:30, 2:30]
    options = ("--blob", blob, "--mean", FIXTURES / "mean.binaryproto", "--output", db)
    run_script("caffe/extract_features.py", *GIVEN, *options, "--dataset", flowers, "-b", 5)
    assert f"extracting {features} features" in capsys.readouterr().out
    with h5py.File(db) as file:
        assert file["label_names"].asstr()[:].tolist() == ["cornflower", "poppy"]
        rows, labels = file["features"][:], file["labels"][:]
    assert rows.shape == (24, features)
    assert len(set(labels[:12])) == 2  # shuffled
    for label, name in enumerate(["cornflower", "poppy"]):
        images = [cv2.imread(str(flowers / name / f"{i}.png")) for i in range(12)]
        picked[label] = features_of(np.array(images), blob, mean)
        ours, theirs = (np.sort(part, axis=0) for part in (rows[labels == label], picked[label]))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)

    if blob == "fc6":
        run_script(
            "feature_extraction/train_model.py",
            *("--db", db, "--model", tmp_path / "f.skops", "--jobs", 1),
        )
        assert "[INFO] score: 1.0000" in capsys.readouterr().out


PAIR = ((2, "poppy"), (0, "cornflower"))


def test_features_of_an_image_list(run_script, flowers, tmp_path):
    lines = [
        f"{name}/{i}.png {label}"
        for label, name in ((2, "poppy"), (0, "cornflower"))
        for i in (0, 1)
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    run_script(
        "caffe/extract_features.py",
        *(*GIVEN, "--blob", "fc6", "--list", tmp_path / "list.txt", "--root", f"{flowers}/"),
        *("--mean-value", 104, 117, 123, "--equalize", "--output", tmp_path / "f.hdf5"),
    )
    with h5py.File(tmp_path / "f.hdf5") as file:
        assert file["label_names"].asstr()[:].tolist() == ["class 0", "class 1", "class 2"]
        labels, rows = file["labels"][:], file["features"][:]
    assert sorted(labels) == [0, 0, 2, 2]
    images = [cv2.imread(str(flowers / "poppy" / f"{i}.png")) for i in (0, 1)]
    images = np.array(list(map(HistogramEqualizePreprocessor().preprocess, images)))
    expected = features_of(images, "fc6", np.float32([104, 117, 123]))
    ours, theirs = (np.sort(part, axis=0) for part in (rows[labels == 2], expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_features_that_cannot_be_had_are_refused(run_script, flowers, tmp_path):
    target = tmp_path / "f.hdf5"

    def refused(message, *options, blob="fc6", given=GIVEN):
        with pytest.raises(SystemExit, match=message):
            run_script(
                "caffe/extract_features.py",
                *(*given, "--blob", blob, "--output", target, "--dataset", flowers, *options),
            )
        assert not target.exists()

    refused(r"no blob 'fc9'. It has data, conv1, .*fc6", blob="fc9")
    refused("--mean-value takes one number or three", "--mean-value", 1, 2)
    weights = read_layers(GIVEN[3])
    write_layers(tmp_path / "some.caffemodel", {"conv1": weights["conv1"]})
    refused("no weights for conv2, fc6", given=(*GIVEN[:3], tmp_path / "some.caffemodel"))


# -- the guide -----------------------------------------------------------------------------------


def test_the_guides_ten_lines_run(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "caffe.md").read_text(), re.S)
    for source, name in (
        (PETNET / "deploy.prototxt", "deploy.prototxt"),
        (PETNET / "petnet_iter_200.caffemodel", "net_iter_1000.caffemodel"),
        (FIXTURES / "mean.binaryproto", "mean.binaryproto"),
    ):
        shutil.copy(source, tmp_path / name)
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "cat.png"), image)
    monkeypatch.chdir(tmp_path)
    assert len([line for line in code.splitlines() if line]) == 10
    exec(compile(code, "docs/caffe.md", "exec"), {})
    assert re.search(r"\[\[0\.\d+ +0\.\d+\]\]", capsys.readouterr().out)
    # the other commands load it, in a process that knows nothing of Caffe
    files = [str(tmp_path / name) for name in ("net.keras", "cat.png")]
    command = [sys.executable, "-m", "pyimagesearch.classify", *files]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert "1. class" in answer.stdout
