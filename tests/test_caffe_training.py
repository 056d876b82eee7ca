"""`python -m pyimagesearch.caffe train`: nets, data, tests, snapshots and exact resume."""

import json
import os
import shutil
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
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe import CaffeError, load_caffe, training
from pyimagesearch.caffe._wire import blob_bytes, read_layers, write_layers
from pyimagesearch.caffe.losses import accuracy
from pyimagesearch.caffe.trainlog import TrainLog
from pyimagesearch.utils.locking import hold

SOLVER = """
net: "petnet/train_val.prototxt"
base_lr: 0.001 lr_policy: "step" gamma: 0.5 stepsize: 4
momentum: 0.9 weight_decay: 0.0005
max_iter: 8 display: 2 random_seed: 5
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of its own with petnet and its data, to which the process has changed."""
    shutil.copytree(FIXTURES / "petnet", tmp_path / "petnet")
    shutil.copytree(FIXTURES / "pets_lmdb", tmp_path / "pets_lmdb")
    shutil.copy(FIXTURES / "mean.binaryproto", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solve(text="", **options):
    """Write a solver's file and train."""
    Path("solver.prototxt").write_text(SOLVER + text)
    return training.train("solver.prototxt", **options)


def records(prefix="solver"):
    return [json.loads(line) for line in (Path() / f"{prefix}_log.jsonl").read_text().splitlines()]


def equal(model, other):
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy(), err_msg=one.path)


def test_a_training_writes_log_snapshots_and_curve(place, capsys):
    model = solve("test_iter: 4 test_interval: 4 snapshot: 4")
    assert sorted(path.name for path in place.glob("solver_*")) == [
        *("solver_iter_4.keras", "solver_iter_8.keras", "solver_log.jsonl", "solver_log.png"),
    ]
    found = records()
    assert [r["iteration"] for r in found if "test" in r] == [0, 4, 8]
    assert [r["iteration"] for r in found if "loss" in r] == [0, 2, 4, 6]
    assert [r["lr"] for r in found if "lr" in r] == pytest.approx([0.001, 0.001, 0.0005, 0.0005])
    assert [r["snapshot"] for r in found if "snapshot" in r] == [
        *("solver_iter_4.keras", "solver_iter_8.keras"),
    ]
    assert set(found[0]["test"]) == {"accuracy", "loss"}
    printed = capsys.readouterr().out
    assert "Iteration 4, Testing net (#0)" in printed
    assert "lr = 0.0005" in printed
    assert cv2.imread("solver_log.png").std() > 10
    snapshot = keras.models.load_model("solver_iter_8.keras")
    equal(model, snapshot)
    assert float(snapshot.optimizer.iterations) == 8
    x = np.load(place / "petnet" / "expected.npz")["data"].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(snapshot.predict(x, verbose=0).sum(axis=1), 1, rtol=1e-5)


def test_tests_are_of_the_test_net(place):
    """The means over all 20 pets equal those of the deployed net on the images at hand."""
    shutil.copy("petnet/petnet_iter_200.caffemodel", "start.caffemodel")
    solve("test_iter: 4 test_interval: 8", weights="start.caffemodel")
    first = records()[0]
    pets = np.load(FIXTURES / "pets_expected.npz")
    x = pets["images"][:, 2:30, 2:30].astype(np.float32) - np.array([104, 117, 123], np.float32)
    predictions = load_caffe("petnet/deploy.prototxt", "start.caffemodel").predict(x, verbose=0)
    chosen = predictions[np.arange(20), pets["labels"]]
    assert first["test"]["loss"] == pytest.approx(-np.log(chosen).mean(), rel=1e-4)
    assert first["test"]["accuracy"] == pytest.approx(accuracy(predictions, pets["labels"]))


def test_a_training_learns(place):
    (place / "solver.prototxt").write_text(
        SOLVER.replace("max_iter: 8", "max_iter: 40").replace("stepsize: 4", "stepsize: 40")
        + 'type: "Adam" test_iter: 4 test_interval: 40'
    )
    training.train("solver.prototxt")
    tests = [record["test"] for record in records() if "test" in record]
    assert tests[1]["loss"] < 0.7 * tests[0]["loss"]


def test_resume_is_exact(place):
    extra = "snapshot: 3 iter_size: 2 test_iter: 1 test_interval: 3"
    whole = solve(extra)
    expected = records()
    shutil.copy("solver_iter_3.keras", "kept.keras")
    for path in place.glob("solver_iter_*"):
        path.unlink()
    again = solve(extra, snapshot="kept.keras")
    equal(whole, again)
    for one, two in zip(whole.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy(), err_msg=one.path)
    assert records() == expected
    # the newest one is at the end; without it, the one before; then there is nothing left to do
    (place / "solver_iter_8.keras").write_bytes(b"damaged")
    again = solve(extra, resume=True)
    equal(whole, again)
    assert records() == expected
    equal(whole, solve(extra, resume=True))  # nothing is left to do


def test_a_training_of_caffes_goes_on(place):
    """A .solverstate and its .caffemodel, made from our snapshot: the weights end the same."""
    whole = solve("snapshot: 4")
    middle = keras.models.load_model("solver_iter_4.keras")

    def as_caffe(variable):
        array = variable.numpy()
        return array.transpose({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[array.ndim])

    layers = {n: middle.get_layer(n).weights for n in ("conv1", "conv2", "fc6", "fc8-pets")}
    write_layers("c.caffemodel", {n: list(map(as_caffe, pair)) for n, pair in layers.items()})
    state = b"\x08\x04" + field(2, b"c.caffemodel")
    for pair in layers.values():
        for weight in pair:
            (velocity,) = middle.optimizer.states(weight)
            state += field(3, blob_bytes(as_caffe(velocity)))
    (place / "c.solverstate").write_bytes(state)
    for path in place.glob("solver_iter_*"):
        path.unlink()
    equal(whole, solve("snapshot: 4", snapshot="c.solverstate"))
    assert not (place / "solver_iter_4.keras").exists()


def field(number, content):
    """A field of bytes of a protocol buffer, of up to 2 MB."""
    size = len(content)
    return bytes([number << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + content


def test_resume_takes_no_snapshot_of_an_earlier_training(place, capsys):
    solve("snapshot: 4")
    solve("snapshot: 100 snapshot_after_train: false")  # begun anew, killed before a snapshot
    solve("snapshot: 100", resume=True)
    assert "going on" not in capsys.readouterr().out


@pytest.mark.timeout(120)
def test_a_killed_training_goes_on_to_the_same_weights(place):
    text = SOLVER.replace("max_iter: 8", "max_iter: 40") + "snapshot: 5 test_iter: 1"
    (place / "solver.prototxt").write_text(text + " test_interval: 20")
    command = [*(sys.executable, "-m", "pyimagesearch.caffe", "train"), "--solver"]
    command += ["solver.prototxt", "--resume"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while not (place / "solver_iter_15.keras").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (place / "solver_iter_40.keras").exists()
    resumed = training.train("solver.prototxt", resume=True)
    expected = records()
    straight = training.train("solver.prototxt")
    equal(resumed, straight)
    assert records() == expected


def test_weights_go_by_name(place, capsys):
    net = (place / "petnet" / "train_val.prototxt").read_text()
    (place / "petnet" / "train_val.prototxt").write_text(
        net.replace("fc8-pets", "fc8-new").replace("num_output: 2 ", "num_output: 5 ")
    )
    model = solve(weights="petnet/petnet_iter_200.caffemodel")
    printed = capsys.readouterr().out
    assert "4 layers" not in printed
    assert "begun with their fillers: fc8-new" in printed
    assert "not in the net: fc8-pets" in printed
    assert model.output_shape == (None, 5)
    solve(weights="solver_iter_8.keras")  # all of them, of a .keras file
    assert "begun with" not in capsys.readouterr().out
    (place / "petnet" / "train_val.prototxt").write_text(
        net.replace("num_output: 12", "num_output: 14")
    )
    with pytest.raises(CaffeError, match=r"layer 'conv1' has weights of shapes .* Rename the lay"):
        solve(weights="solver_iter_8.keras")
    with pytest.raises(CaffeError, match="conv1"):
        solve(weights="petnet/petnet_iter_200.caffemodel")
    write_layers("other.caffemodel", {"else": [np.zeros(3)]})
    with pytest.raises(CaffeError, match="no layer with weights in common. Layers of the file: el"):
        solve(weights="other.caffemodel")
    assert read_layers("other.caffemodel")


def test_snapshots_that_do_not_fit(place):
    solve()
    with pytest.raises(CaffeError, match="has an optimizer CaffeSGD, and the solver wants CaffeA"):
        solve('type: "Adam"', snapshot="solver_iter_8.keras")
    with pytest.raises(ValueError, match="nothing is left to train"):
        solve(snapshot="solver_iter_8.keras")
    with pytest.raises(ValueError, match="give it alone"):
        solve(snapshot="solver_iter_8.keras", weights="x")
    net = (place / "petnet" / "train_val.prototxt").read_text()
    (place / "petnet" / "train_val.prototxt").write_text(net.replace("fc8-pets", "fc8"))
    with pytest.raises(CaffeError, match="snapshot of another net: .*fc8"):
        solve(snapshot="solver_iter_8.keras")
    with pytest.raises(FileNotFoundError):
        solve(snapshot="none.keras")


TWO_LOSSES = """
layer {{ name: "d" type: "HDF5Data" top: "data" top: "class" top: "box"
        hdf5_data_param {{ source: "list.txt" batch_size: 4 }} }}
layer {{ name: "body" type: "InnerProduct" bottom: "data" top: "body"
        inner_product_param {{ num_output: 6 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "scores" type: "InnerProduct" bottom: "body" top: "scores"
        inner_product_param {{ num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "boxes" type: "InnerProduct" bottom: "body" top: "boxes"
        inner_product_param {{ num_output: 4 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "class_loss" type: "SoftmaxWithLoss" bottom: "scores" bottom: "class" top: "a" }}
layer {{ name: "box_loss" type: "EuclideanLoss" bottom: "boxes" bottom: "box" top: "b"
        loss_weight: {weight} }}
layer {{ name: "top3" type: "Accuracy" bottom: "scores" bottom: "class" top: "top3"
        accuracy_param {{ top_k: 3 }} include {{ phase: TEST }} }}
{more}
"""


def two_losses(weight=0.5, more="", sides=4):
    rng = np.random.default_rng(2)
    with h5py.File("data.h5", "w") as db:
        db["data"] = rng.normal(size=(10, 5)).astype(np.float32)
        db["class"] = np.arange(10, dtype=np.float32).reshape(10, 1) % 3
        db["box"] = rng.normal(size=(10, sides)).astype(np.float32)
    (Path() / "list.txt").write_text("data.h5\n")
    (Path() / "net.prototxt").write_text(TWO_LOSSES.format(weight=weight, more=more))
    (Path() / "two.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 display: 1 '
        "test_iter: 3 test_interval: 1"
    )
    return training.train("two.prototxt")


def test_losses_are_weighted_and_added(place):
    """The first update of one net with two losses, by NumPy."""
    model = two_losses(weight=0.5)
    found = records("two")
    before, line, after = found[0]["test"], found[1], found[-2]["test"]
    assert set(before) == {"class_loss", "box_loss", "top3"}
    assert before["top3"] == 1
    assert after["class_loss"] != before["class_loss"]
    keras.utils.set_random_seed(0)
    start = load_caffe("net.prototxt", phase="TRAIN", input_shape={"data": (5,)})
    with h5py.File("data.h5") as db:
        x, labels, boxes = (db[name][:4] for name in ("data", "class", "box"))
    w = {v.path: v.numpy() for v in start.variables}
    body = x @ w["body/kernel"] + w["body/bias"]
    scores = body @ w["scores/kernel"] + w["scores/bias"]
    off = body @ w["boxes/kernel"] + w["boxes/bias"] - boxes
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wanted = np.eye(3)[labels[:, 0].astype(int)]
    loss = -np.log((softmax * wanted).sum(axis=1)).mean() + 0.5 * (off**2).sum() / 8
    assert line["loss"] == pytest.approx(loss, rel=1e-5)
    expected = w["boxes/kernel"] - 0.1 * 0.5 * body.T @ off / 4
    new = {v.path: v.numpy() for v in model.variables}
    np.testing.assert_allclose(new["boxes/kernel"], expected, rtol=1e-4, atol=1e-6)
    expected = w["scores/kernel"] - 0.1 * body.T @ (softmax - wanted) / 4
    np.testing.assert_allclose(new["scores/kernel"], expected, rtol=1e-4, atol=1e-6)


def test_labels_may_be_made_from_the_data(place):
    """Two tasks whose labels are cut out of one blob, and a blob that is its own label."""
    heads = """
        layer { name: "a" type: "InnerProduct" bottom: "data" top: "a"
            inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
        layer { name: "b" type: "InnerProduct" bottom: "data" top: "b"
            inner_product_param { num_output: 60 weight_filler { type: "xavier" } } }
        layer { name: "lossa" type: "SoftmaxWithLoss" bottom: "a" bottom: "task" top: "lossa" }
        layer { name: "lossb" type: "EuclideanLoss" bottom: "b" bottom: "whole" top: "lossb" }
        layer { name: "hinge" type: "HingeLoss" bottom: "b" bottom: "other" top: "hinge" }
        layer { name: "right" type: "Accuracy" bottom: "a" bottom: "task" top: "right" }"""
    rng = np.random.default_rng(2)
    images = rng.normal(size=(8, 3, 4, 5)).astype(np.float32)
    both = rng.integers(3, size=(8, 2)).astype(np.float32)
    with h5py.File("data.h5", "w") as db:
        db["data"], db["both"], db["whole"] = images, both, images.reshape(8, -1)
        db["task"], db["other"] = both[:, :1], both[:, 1:]
    (place / "list.txt").write_text("data.h5\n")
    data = 'hdf5_data_param { source: "list.txt" batch_size: 4 }'
    made = """layer { name: "d" type: "HDF5Data" top: "data" top: "both" %s }
        layer { name: "cut" type: "Slice" bottom: "both" top: "task" top: "other" }
        layer { name: "flat" type: "Flatten" bottom: "data" top: "whole" }"""
    given = (
        'layer { name: "d" type: "HDF5Data" top: "data" top: "whole" top: "task" top: "other" %s }'
    )
    models = []
    for layers in (made, given):
        (place / "net.prototxt").write_text(layers % data + heads)
        Path("made.prototxt").write_text(
            'net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 3 display: 1 '
            "test_iter: 2 test_interval: 3"
        )
        models.append((training.train("made.prototxt"), records("made")))
    equal(models[0][0], models[1][0])
    assert models[0][1] == models[1][1]
    assert set(models[0][1][0]["test"]) == {"lossa", "lossb", "hinge", "right"}
    assert set(models[0][0].output) == {"lossa", "b", "hinge"}


def test_labels_of_another_number_are_named(place):
    with pytest.raises(
        CaffeError,
        match=r"net\.prototxt, line \d+: layer 'box_loss' \(EuclideanLoss\) compares with 4 labels "
        r"for each prediction of shape \(4,\), and the labels 'box' .* shape \(3,\)",
    ):
        two_losses(sides=3)


def test_a_top_with_a_loss_weight_is_a_loss(place):
    more = """layer { name: "small" type: "Reduction" bottom: "body" top: "small" loss_weight: 0.1
        reduction_param { operation: SUMSQ axis: 1 } }"""
    two_losses(more=more)
    assert records("two")[0]["test"]["small"] > 0


def test_no_gradient_goes_where_the_net_says_so(place):
    """The loss of a branch with `propagate_down: false` moves the branch, not the body."""
    more = """layer { name: "more" type: "InnerProduct" bottom: "body" top: "more"
        propagate_down: false inner_product_param { num_output: 4
        weight_filler { type: "gaussian" } } }
        layer { name: "l" type: "EuclideanLoss" bottom: "more" bottom: "box" top: "l" }"""
    with_it = {v.path: v.numpy() for v in two_losses(more=more).trainable_variables}
    without = {v.path: v.numpy() for v in two_losses().trainable_variables}
    np.testing.assert_array_equal(with_it["boxes/kernel"], without["boxes/kernel"])
    np.testing.assert_allclose(with_it["body/kernel"], without["body/kernel"], rtol=1e-6)
    assert np.abs(with_it["more/bias"]).max() > 0
    with pytest.raises(CaffeError, match="'more'.*has 2 propagate_down for 1 bottoms"):
        two_losses(more=more.replace("propagate_down: false", "propagate_down: [false, true]"))


def test_a_blocked_layer_decays_as_in_caffe(place):
    more = """layer { name: "more" type: "InnerProduct" bottom: "body" top: "more"
        inner_product_param { num_output: 4 weight_filler { type: "constant" value: 1 } } }
        layer { name: "l" type: "EuclideanLoss" bottom: "more" bottom: "box" top: "l"
        propagate_down: false propagate_down: false }"""
    two_losses(more=more)
    solver = Path("two.prototxt")
    solver.write_text(solver.read_text() + " weight_decay: 0.5")
    model = training.train("two.prototxt")
    np.testing.assert_allclose(model.get_layer("more").kernel.numpy(), 1 - 0.1 * 0.5, rtol=1e-6)


def test_the_most_wrong_images_have_a_gradient(place):
    """Scores 1,000 apart: the softmax in float32 is 0 and 1, and Caffe's gradient -1 and 1."""
    with h5py.File("data.h5", "w") as db:
        db["data"] = np.full((4, 1), 1000, np.float32)
        db["class"] = np.ones(4, np.float32)
    Path("list.txt").write_text("data.h5\n")
    Path("net.prototxt").write_text("""
        layer { name: "d" type: "HDF5Data" top: "data" top: "class"
                hdf5_data_param { source: "list.txt" batch_size: 4 } }
        layer { name: "one" type: "Slice" bottom: "data" top: "a" }
        layer { name: "zero" type: "Power" bottom: "a" top: "b" power_param { scale: 0 } }
        layer { name: "both" type: "Concat" bottom: "a" bottom: "b" top: "both" }
        layer { name: "bias" type: "Bias" bottom: "both" top: "scores" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "scores" bottom: "class" top: "loss" }
    """)
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.25 lr_policy: "fixed" max_iter: 1 display: 1'
    )
    model = training.train("solver.prototxt")
    np.testing.assert_allclose(model.trainable_variables[0].numpy(), [-0.25, 0.25], rtol=1e-5)
    assert records()[0]["loss"] == pytest.approx(87.3365, rel=1e-4)  # what Caffe shows


@pytest.mark.parametrize(
    ("old", "new", "error", "text"),
    [
        ("pets_lmdb", "nowhere_lmdb", FileNotFoundError, "line 9: layer 'data'.*nowhere_lmdb"),
        ("mean.binaryproto", "no.binaryproto", FileNotFoundError, "layer 'data'.*no.binaryproto"),
        ("num_output: 2 ", "num_output: 1 ", CaffeError, "the label 1, and the net has 1 classes"),
        ('top: "accuracy"', 'top: "a" top: "b"', NotImplementedError, "'accuracy'.*second top"),
        ("SoftmaxWithLoss", "InfogainLoss", NotImplementedError, "layer 'loss'.*InfogainLoss"),
        ('bottom: "label" top: "loss"', 'bottom: "fc6" top: "loss"', NotImplementedError, "'fc6'"),
    ],
)
def test_nets_that_cannot_be_trained(place, old, new, error, text):
    path = place / "petnet" / "train_val.prototxt"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(error, match=text):
        solve("test_iter: 1 test_interval: 1")


def test_a_net_without_data_or_loss_is_refused(place):
    deploy = SOLVER.replace("train_val", "deploy")
    (place / "solver.prototxt").write_text(deploy)
    with pytest.raises(CaffeError, match=r"deploy\.prototxt has no data layer in phase TRAIN"):
        training.train("solver.prototxt")
    path = place / "petnet" / "train_val.prototxt"
    path.write_text(path.read_text().replace("SoftmaxWithLoss", "Silence").replace(
        'top: "loss"', ""))  # fmt: skip
    with pytest.raises(CaffeError, match="has no loss in phase TRAIN"):
        solve()


def test_a_loss_that_is_not_finite_ends_the_training(place):
    text = SOLVER.replace("base_lr: 0.001", "base_lr: 1e12")
    (place / "solver.prototxt").write_text(text)
    with pytest.raises(CaffeError, match=r"The loss is (nan|inf) at iteration \d+. Lower base_lr"):
        training.train("solver.prototxt")
    assert not list(place.glob("solver_iter_*"))


def test_two_trainings_of_one_prefix_are_refused(place):
    with hold(place / ".solver.lock"), pytest.raises(BlockingIOError):
        solve()


def test_damaged_logs_are_named(tmp_path):
    log = TrainLog(tmp_path / "x")
    log.begin()
    log.add({"iteration": 1, "loss": float("nan")})
    assert '"loss": null' in log.path.read_text()
    log.path.write_text('{"iteration": 1, "loss": 2}\n{"iteration": 2, "lo')
    assert log.read() == [{"iteration": 1, "loss": 2}]
    log.path.write_text("something else\n")
    with pytest.raises(CaffeError, match=r"x_log\.jsonl, line 1 is no record"):
        log.read()


@pytest.mark.torture
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_the_same(place, backend):
    """Four updates without dropout come to the same weights on each backend."""
    path = place / "petnet" / "train_val.prototxt"
    path.write_text(path.read_text().replace("dropout_ratio: 0.5", "dropout_ratio: 0"))
    extra = "snapshot: 4 test_iter: 1 test_interval: 4"
    own = solve(extra, weights="petnet/petnet_iter_200.caffemodel")
    logged = records()
    command = [*(sys.executable, "-m", "pyimagesearch.caffe", "train"), "--solver"]
    command += ["solver.prototxt", "--weights", "petnet/petnet_iter_200.caffemodel"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "KERAS_BACKEND": backend,
    }
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    other = keras.models.load_model("solver_iter_8.keras")
    for one, two in zip(own.weights, other.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5, err_msg=one.path)
    for one, two in zip(logged, records(), strict=True):
        assert one.keys() == two.keys()
        if "loss" in one:
            assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
    pairs = zip(own.get_weights(), other.get_weights(), strict=True)
    largest = max(np.abs(one - two).max() for one, two in pairs)
    print(f"[FIGURE] 8 updates of petnet on {backend}: weights at most {largest:.1e} apart")
