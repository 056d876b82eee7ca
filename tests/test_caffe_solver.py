"""Solvers: read and checked, trained by `fit` as Caffe trains, tested, displayed and resumed."""

import contextlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from caffe_fixtures import FIXTURES
from caffe_training import (
    BATCH,
    SOLVER,
    caffe_training,
    compiled,
    fit,
    rows,
    small_net,
    train,
    weights_of,
    write_solver,
)
from caffe_updates import OWN, cases

from pyimagesearch.caffe import CaffeError, load_caffe, read_solver
from pyimagesearch.caffe._wire import blob_bytes, write_layers
from pyimagesearch.caffe.optimizers import TYPES
from pyimagesearch.caffe.solverstate import _read

HERE = Path(__file__).parent
MINIMAL = 'net: "net.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 10\n'


def solver_of(folder, text):
    path = Path(folder) / "solver.prototxt"
    path.write_text(text)
    return read_solver(path)


def changed(**fields):
    """The small solver with these fields; None leaves one out."""
    text = SOLVER
    for name, value in fields.items():
        pattern = re.compile(rf"\b{name}: (\"[^\"]*\"|\S+)")
        line = "" if value is None else f"{name}: {json.dumps(value)}"
        text = pattern.sub(line, text) if pattern.search(text) else f"{text}{line}\n"
    return text


def script(folder, *code, backend="tensorflow", name="caffe_training.py"):
    paths = os.pathsep.join([str(HERE.parent), str(HERE)])
    env = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": paths}
    command = [sys.executable, *(code or (str(HERE / name), str(folder)))]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_each_policys_solver_has_its_rates():
    expected = json.loads((FIXTURES / "solvers" / "expected_lr.json").read_text())
    for policy, rates in expected.items():
        schedule = read_solver(FIXTURES / "solvers" / f"{policy}.prototxt").schedule()
        for iteration, rate in rates.items():
            assert float(schedule(int(iteration))) == pytest.approx(rate, rel=1e-5), policy


def test_fields_have_caffes_names_and_defaults(tmp_path):
    solver = read_solver(FIXTURES / "solvers" / "multistep.prototxt")
    assert (solver.type, solver.momentum, solver.clip_gradients) == ("Nesterov", 0.9, 10)
    assert (solver.iter_size, solver.stepvalue, solver.snapshot) == (4, [10, 100, 800], 0)
    assert read_solver(FIXTURES / "solvers" / "poly.prototxt").type == "AdaGrad"  # solver_type
    solver = solver_of(tmp_path, MINIMAL)
    assert (solver.type, solver.momentum, solver.momentum2) == ("SGD", 0.0, 0.999)
    assert (solver.rms_decay, solver.delta, solver.weight_decay) == (0.99, 1e-8, 0.0)
    assert (solver.regularization_type, solver.iter_size) == ("L2", 1)
    assert (solver.test_iter, solver.test_interval, solver.test_initialization) == ([], 0, True)
    assert (solver.snapshot, solver.snapshot_after_train, solver.display) == (0, True, 0)
    assert (solver.gamma, solver.stepsize, solver.random_seed) == (None, None, -1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('type: "Adamm"', r"line 5: type must be one of SGD.*Did you mean 'Adam'"),
        ('type: "Adam" solver_type: SGD', "line 5: solver_type SGD and type 'Adam' contradict"),
        ('lr_policy: "cosine"', "line 3: lr_policy must be one of fixed"),
        ('lr_policy: "step" gamma: 0.1', "line 3: lr_policy 'step' needs stepsize"),
        ('lr_policy: "step" stepsize: 5', "line 3: lr_policy 'step' needs gamma"),
        ('lr_policy: "exp" gamma: -1', "line 3: gamma must be a number of 0 or more"),
        ('lr_policy: "step" gamma: 1 stepsize: 0', "line 3: stepsize must be from 1"),
        ('lr_policy: "multistep" gamma: 1 stepvalue: [5, 4]', "line 3: stepvalue must ascend"),
        ("base_lr: -0.1", "line 2: base_lr must be a number of 0 or more"),
        ("base_lr: inf", "line 2: base_lr must be"),
        ("max_iter: -1", "line 4: max_iter must be 1 or more"),
        ("iter_size: 0", "line 5: iter_size must be 1 or more"),
        ("iter_size: 500000000", "line 5: iter_size times max_iter must be below 2147483648"),
        ("momentum: 1", "line 5: momentum must be from 0 to below 1"),
        ("momentum: nan", "line 5: momentum must be from 0 to below 1"),
        ('momentum: 0.9 type: "AdaGrad"', "line 5: momentum cannot be used with AdaGrad"),
        ("rms_decay: 1.5", "line 5: rms_decay must be"),
        ("delta: 0", "line 5: delta must be a number above 0"),
        ("weight_decay: -1", "line 5: weight_decay must be"),
        ('regularization_type: "L3"', "line 5: regularization_type must be 'L1' or 'L2'"),
        ("clip_gradients: 0", "line 5: clip_gradients must be a number above 0, or -1"),
        ("average_loss: 0", "line 5: average_loss must be 1 or more"),
        ("snapshot: -5", "line 5: snapshot must be 0 or more"),
        ("test_iter: 0 test_interval: 5", "line 5: test_iter must be 1 or more"),
        ("test_iter: 4", "test_interval is missing"),
        ('test_net: "a"', "test_iter must be given once for each test net. Received: 0"),
        ("test_iter: 1 test_interval: 1 test_state {} test_state {}", "line 5: test_state must be"),
        ('train_net: "b"', "line 5: train_net and net both give a net to train"),
        ("momentun: 0.9", "SolverParameter has no field 'momentun'. Did you mean 'momentum'"),
        ("base_lr:", "line 1: base_lr is missing"),
        ("lr_policy:", "lr_policy is missing"),
        ("max_iter:", "max_iter is missing"),
        ("net:", "net is missing"),
    ],
)
def test_read_solver_refuses(tmp_path, line, words):
    name = line.split(":")[0]
    lines = MINIMAL.splitlines()
    number = next((i for i, known in enumerate(lines) if known.startswith(f"{name}:")), len(lines))
    lines[number : number + 1] = ["" if line == f"{name}:" else line]
    with pytest.raises(CaffeError) as caught:
        solver_of(tmp_path, "\n".join(lines))
    assert re.search(words, str(caught.value)), caught.value
    assert str(tmp_path / "solver.prototxt") in str(caught.value)


def test_a_test_net_is_needed_to_test(tmp_path):
    text = MINIMAL.replace("net:", "train_net:") + "test_iter: 1 test_interval: 1"
    with pytest.raises(CaffeError, match="line 5: test_iter is given, and there is no net to test"):
        solver_of(tmp_path, text)


def test_nets_are_found_from_the_current_folder_and_from_the_solvers(tmp_path, monkeypatch):
    folder = tmp_path / "models" / "pets"
    folder.mkdir(parents=True)
    solver = solver_of(folder, MINIMAL.replace("net.prototxt", "models/pets/net.prototxt"))
    with pytest.raises(FileNotFoundError, match="models/pets/net.prototxt.*Looked for"):
        solver.net_path("TRAIN")
    (folder / "net.prototxt").write_text("")
    assert solver.net_path("TRAIN") == folder / "net.prototxt"  # from two folders above
    monkeypatch.chdir(tmp_path)
    assert solver.net_path("TEST") == Path("models/pets/net.prototxt")


def test_each_phase_has_its_net(tmp_path):
    petnet = FIXTURES / "petnet" / "train_val.prototxt"
    text = MINIMAL.replace("net.prototxt", str(petnet)) + "test_iter: 4 test_interval: 5"
    solver = solver_of(tmp_path, text)
    train, test = solver.read_net("TRAIN"), solver.read_net("TEST")
    assert train.layers[0].message.data_param.batch_size == 10
    assert test.layers[0].message.data_param.batch_size == 5
    assert "accuracy" not in [layer.name for layer in train.layers]

    own = f"train_net_param {{ {petnet.read_text()} }}"
    staged = (
        'layer { name: "x" type: "DummyData" top: "x" } layer { name: "y" type: "ReLU" '
        'bottom: "x" top: "y" include { stage: "deep" } }'
    )
    text = MINIMAL.partition("\n")[2] + own + f"test_net_param {{ {staged} }}"
    text += 'test_iter: 1 test_interval: 1 test_state { stage: "deep" }'
    solver = solver_of(tmp_path, text)
    assert solver.read_net("TRAIN").name == "PetNet"
    assert [layer.name for layer in solver.read_net("TEST").layers] == ["x", "y"]
    with pytest.raises(ValueError, match="names no file of a net"):
        solver.net_path("TRAIN")


def test_snapshots_are_named_as_caffe_names_them(tmp_path):
    solver = solver_of(tmp_path, MINIMAL)
    assert solver.snapshot_path(20) == tmp_path / "solver_iter_20.keras"
    solver = solver_of(tmp_path, MINIMAL + f'snapshot_prefix: "{tmp_path}"')
    assert solver.snapshot_path(20) == tmp_path / "solver_iter_20.keras"
    solver = solver_of(tmp_path, MINIMAL + 'snapshot_prefix: "new/"')
    assert solver.snapshot_path(20) == Path("new/solver_iter_20.keras")
    solver = solver_of(tmp_path, MINIMAL + 'snapshot_prefix: "models/a.net"')
    assert solver.snapshot_path(20) == Path("models/a.net_iter_20.keras")


def test_epochs_are_rounded_up(tmp_path):
    solver = solver_of(tmp_path, MINIMAL + "iter_size: 3")
    assert solver.epochs(images=100, batch=10) == 3
    assert solver.epochs(images=90, batch=10) == 4
    assert solver.epochs(images=1000, batch=10) == 1
    with pytest.raises(ValueError, match="images and batch must be 1 or more"):
        solver.epochs(0, 10)


@pytest.mark.parametrize(("kind", "iter_size"), [("SGD", 1), *((kind, 3) for kind in TYPES)])
def test_fit_updates_the_weights_as_caffe_does(tmp_path, kind, iter_size):
    fields = {"momentum": None, "iter_size": iter_size, "snapshot": 0, "display": 1}
    text = changed(**fields | {"average_loss": 3, "type": kind} | OWN[kind])
    solver = write_solver(tmp_path, text)
    x, y = rows(45)
    model = compiled(solver)
    start = weights_of(model)
    expected, losses = caffe_training(solver, start, x, y)
    records, _ = fit(model, solver, x, y)

    found = weights_of(model)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5)
        assert (value == start[name]).all() == (name == "d")  # whose lr_mult is 0
    shown = [record["loss"] for record in records if "loss" in record]
    smoothed = [np.mean(losses[max(0, i - 2) : i + 1]) for i in range(8)]
    np.testing.assert_allclose(shown, smoothed, rtol=1e-4)
    rates = [record["lr"] for record in records if "lr" in record]
    np.testing.assert_allclose(rates, [0.05] * 3 + [0.025] * 3 + [0.0125] * 2)


def test_tests_lines_and_snapshots_come_when_caffes_do(tmp_path):
    solver = write_solver(tmp_path, changed(max_iter=9, snapshot=4))
    x, y = rows(60)
    model = compiled(solver)
    records, printed = fit(model, solver, x, y)
    order = [(r["iteration"], "test" if "test" in r else "loss") for r in records]
    assert order == [
        *[(0, "test"), (0, "loss"), (2, "loss"), (3, "test"), (4, "loss")],
        *[(6, "test"), (6, "loss"), (8, "loss"), (9, "test")],
    ]
    names = sorted(path.name for path in (tmp_path / "snapshots").iterdir())
    assert names == ["small_iter_4.keras", "small_iter_8.keras", "small_iter_9.keras"]
    assert re.search(
        r"\[INFO\] Iteration 2 \([\d.e+]+ iter/s, [\d.e-]+s/2 iters\), loss = [\d.]+, lr = 0.05\n",
        printed,
    )
    assert re.search(
        r"Iteration 3, Testing net \(#0\)\n.*Test net output #0: loss = [\d.]+\n.*#1: mae", printed
    )
    assert int(model.optimizer.iterations) == 9
    assert records[-1]["test"]["loss"] == pytest.approx(
        model.evaluate(x[:10], y[:10], verbose=0)[0], rel=1e-5
    )


def test_no_test_at_first_and_no_snapshot_at_the_end_where_the_solver_says_so(tmp_path):
    text = changed(max_iter=5, test_initialization=False, snapshot_after_train=False)
    solver = write_solver(tmp_path, text.replace('"false"', "false"))
    records, _ = fit(compiled(solver), solver, *rows(60))
    assert [r["iteration"] for r in records if "test" in r] == [3]
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == ["small_iter_4.keras"]


def test_what_fit_reports_is_the_same_with_and_without_tests(tmp_path):
    histories = []
    for tests in (True, False):
        solver = write_solver(tmp_path, changed(snapshot=0, snapshot_after_train=False))
        x, y = rows(60)
        model = compiled(solver)
        callbacks = solver.callbacks(test_data=(x, y) if tests else None)
        with contextlib.redirect_stdout(io.StringIO()):
            history = model.fit(
                *(x, y), batch_size=BATCH, epochs=1, shuffle=False, verbose=0, callbacks=callbacks
            )
        histories.append(history.history)
    assert histories[0] == histories[1]


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // BATCH

    def __getitem__(self, number):
        chosen = slice(number * BATCH, (number + 1) * BATCH)
        return self.x[chosen], self.y[chosen]


def test_every_kind_of_test_data_gives_the_same_results(tmp_path):
    solver = write_solver(tmp_path, changed(test_iter=3))
    x, y = rows(10)
    whole = Batches(x, y)  # two batches: the third one is the first again
    kinds = [
        (x, y),
        whole,
        [whole[0], whole[1]],
        itertools.cycle([whole[0], whole[1], whole[0]]),
        {1: whole[0], 2: whole[1]}.values(),
    ]
    model, records = compiled(solver), []
    for test_data in kinds:
        callbacks = solver.callbacks(test_data=test_data, batch_size=BATCH, log=records.append)
        hooks = keras.callbacks.CallbackList(callbacks, model=model)
        with contextlib.redirect_stdout(io.StringIO()):
            hooks.on_train_begin()
            hooks.on_train_batch_begin(0)
    assert all(record == records[0] for record in records)
    assert len(records) == len(kinds)
    parts = [model.evaluate(*whole[i], verbose=0)[0] for i in (0, 1, 0)]
    assert records[0]["test"]["loss"] == pytest.approx(np.mean(parts), rel=1e-5)


def test_a_function_tests_itself_and_several_nets_need_one(tmp_path):
    text = changed(test_iter=2, max_iter=4) + "test_iter: 3"
    solver = write_solver(tmp_path, text)
    x, y = rows(60)
    with pytest.raises(ValueError, match="2 test nets. Give a function"):
        solver.callbacks(test_data=(x, y))
    called = []
    callbacks = solver.callbacks(test_data=lambda done: called.append(done) or {"loss": 0.5})
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        compiled(solver).fit(x, y, batch_size=BATCH, verbose=0, callbacks=callbacks)
    assert called == [0, 3]
    assert "Test net output #0: loss = 0.5" in printed.getvalue()


def test_test_data_that_ends_is_refused(tmp_path):
    solver = write_solver(tmp_path)
    x, y = rows(60)
    callbacks = solver.callbacks(test_data=iter([(x[:5], y[:5])]))
    with pytest.raises(ValueError, match="ended after 1 batches, and the solver's test_iter asks"):
        compiled(solver).fit(x, y, verbose=0, callbacks=callbacks)


def test_a_loop_of_ones_own_does_the_same_as_fit(tmp_path):
    solver = write_solver(tmp_path)
    x, y = rows(BATCH * 16)
    model = compiled(solver)
    records, _ = fit(model, solver, x, y)
    own, own_records = compiled(solver), []
    callbacks = solver.callbacks(
        test_data=(x[:10], y[:10]), batch_size=BATCH, log=own_records.append
    )
    hooks = keras.callbacks.CallbackList(callbacks, model=own)
    with contextlib.redirect_stdout(io.StringIO()):
        hooks.on_train_begin()
        for start in range(0, len(x), BATCH):
            hooks.on_train_batch_begin(0)
            own.reset_metrics()
            chosen = slice(start, start + BATCH)
            logs = own.train_on_batch(x[chosen], y[chosen], return_dict=True)
            hooks.on_train_batch_end(0, logs)
        hooks.on_train_end()
    assert own.stop_training
    for name, value in weights_of(own).items():
        np.testing.assert_array_equal(value, weights_of(model)[name])
    for one, other in zip(records, own_records, strict=True):
        assert one.get("loss", 0) == pytest.approx(other.get("loss", 0), rel=1e-4)
        assert one.get("test") == other.get("test")


def test_a_snapshot_goes_on_in_another_process_to_the_same_weights(tmp_path):
    whole, _ = train(tmp_path)
    code = (
        "import sys, numpy, caffe_training;"
        "numpy.savez(sys.argv[1] + '/again.npz', **caffe_training.resume(sys.argv[1]))"
    )
    script(tmp_path, "-c", code, str(tmp_path))
    with np.load(tmp_path / "again.npz") as again:
        for name, value in whole.items():
            np.testing.assert_array_equal(again[name], value)


@pytest.mark.torture  # needs both backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_update_test_and_resume_alike(tmp_path, backend):
    found = json.loads(script(tmp_path, backend=backend))
    assert set(found["worst"]) == set(TYPES)
    assert max(found["worst"].values()) < 1e-5
    assert found["same"]  # resumed from a snapshot
    assert [r["iteration"] for r in found["records"] if "test" in r] == [0, 3, 6]


def test_what_is_finished_is_not_trained_on(tmp_path):
    solver = write_solver(tmp_path)
    x, y = rows(80)
    model = compiled(solver)
    _, printed = fit(model, solver, x, y)
    assert printed.count("small_iter_8.keras") == 1  # the end comes with a snapshot already
    before = weights_of(model)
    with pytest.raises(ValueError, match="has 8 updates behind it.*nothing is left to train"):
        fit(model, solver, x, y)
    for name, value in weights_of(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_an_optimizer_that_does_not_fit_the_solver_is_refused(tmp_path):
    solver = write_solver(tmp_path)
    x, y = rows(20)
    model = small_net()
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="iter_size is 2, and the optimizer makes an update of 1"):
        fit(model, solver, x, y)
    model = small_net()
    model.compile(solver.optimizer(model, {}), loss="mse", steps_per_execution=2)
    with pytest.raises(ValueError, match="steps_per_execution=1"):
        fit(model, solver, x, y)


def test_a_place_for_snapshots_is_needed_before_the_training(tmp_path):
    (tmp_path / "taken").write_text("")
    solver = solver_of(tmp_path, MINIMAL + f'snapshot_prefix: "{tmp_path}/taken/small"')
    x, y = rows(20)
    model = compiled(solver)
    with pytest.raises(OSError, match="taken"):
        fit(model, solver, x, y)
    assert int(model.optimizer.iterations) == 0


def test_a_model_that_cannot_be_trained_is_refused(tmp_path):
    solver = solver_of(tmp_path, MINIMAL)
    with pytest.raises(ValueError, match="not built yet, or its layers are frozen"):
        solver.optimizer(keras.Sequential([keras.layers.Dense(2)]), multipliers={})
    model = small_net()
    with pytest.raises(FileNotFoundError, match="There is no net.prototxt"):
        solver.optimizer(model)  # which needs its multipliers
    frozen = {variable.path: (0, 1) for variable in model.weights}
    with pytest.raises(ValueError, match="nothing to train"):
        solver.optimizer(model, multipliers=frozen)


PETNET = FIXTURES / "petnet"


def petnet_solver(folder, kind="SGD"):
    text = f'net: "{PETNET / "train_val.prototxt"}" base_lr: 0.01 lr_policy: "fixed" type: "{kind}"'
    return solver_of(folder, text + " momentum: 0.9 weight_decay: 0.05 iter_size: 2 max_iter: 9")


def petnet_of(solver):
    model = load_caffe(PETNET / "train_val.prototxt", phase="TRAIN", input_shape=(28, 28, 3))
    model.get_layer("drop6").rate = 0
    model.compile(solver.optimizer(model), loss="sparse_categorical_crossentropy")
    return model


def test_a_caffe_nets_own_multipliers_are_used(tmp_path):
    solver = petnet_solver(tmp_path)
    model = petnet_of(solver)
    multipliers = model.optimizer.multipliers
    assert multipliers["conv1/kernel"] == (1, 1)
    assert multipliers["conv1/bias"] == (2, 0)
    assert multipliers["fc8-pets/kernel"] == (10, 1)
    assert multipliers["fc8-pets/bias"] == (20, 0)
    del model.caffe_net  # as after saving and loading: the solver's net tells
    assert solver.optimizer(model).multipliers == multipliers
    with pytest.raises(ValueError, match="has no layer of the model 'small'.*multipliers={}"):
        solver.optimizer(small_net())


def message(number, content):
    """A field of a protocol buffer."""
    size, digits = len(content), []
    while size > 127:
        size, digits = size >> 7, [*digits, size & 127 | 128]
    return bytes([number << 3 | 2, *digits, size]) + content


def test_a_training_of_caffes_goes_on_from_its_solverstate(tmp_path):
    solver = petnet_solver(tmp_path, "Adam")  # which keeps two blobs for each of the net's
    model = petnet_of(solver)
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 30, (4, 28, 28, 3)).astype("float32"), np.array([0, 1, 1, 0])
    for _ in range(4):
        model.train_on_batch(x, y)

    def blob(variable):  # as Caffe has it
        array = variable.numpy()
        return array.transpose({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[array.ndim])

    names = ["conv1", "conv2", "fc6", "fc8-pets"]
    weights = {name: model.get_layer(name).weights for name in names}
    write_layers(
        tmp_path / "x_iter_2.caffemodel", {n: list(map(blob, w)) for n, w in weights.items()}
    )
    history = [
        blob(model.optimizer.states(weight)[kept])
        for kept in range(len(model.optimizer.histories))
        for name in names
        for weight in weights[name]
    ]
    state = bytes([8, 2]) + message(2, b"elsewhere/x_iter_2.caffemodel")
    state += b"".join(message(3, blob_bytes(array)) for array in history)
    path = tmp_path / "x_iter_2.solverstate"
    path.write_bytes(state)

    again = petnet_of(solver)
    assert solver.restore(again, path) == 2
    assert int(again.optimizer.iterations) == 2
    for one in (model, again):
        for _ in range(4):
            one.train_on_batch(x, y)
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())

    path.write_bytes(state[: -len(message(3, blob_bytes(history[-1])))])
    with pytest.raises(CaffeError, match=f"history of {len(history) - 1} blobs.*another type"):
        solver.restore(again, path)
    path.write_bytes(bytes([8, 99]) + state)
    assert solver.restore(again, path) == 2  # the last number counts
    path.write_bytes(state + bytes([8, 99]))
    with pytest.raises(CaffeError, match="99 updates behind it, and the solver's max_iter is 9"):
        solver.restore(again, path)
    path.write_bytes(state[:-3])
    with pytest.raises(CaffeError, match="truncated"):
        solver.restore(again, path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(CaffeError, match="is HDF5"):
        solver.restore(again, path)
    path.write_bytes(state.replace(b"x_iter_2.caffemodel", b"y_iter_2.caffemodel"))
    with pytest.raises(FileNotFoundError, match="no elsewhere/y_iter_2.caffemodel"):
        solver.restore(again, path)
    again.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="not compiled with solver.optimizer"):
        solver.restore(again, path)


@pytest.mark.parametrize("mutants", [200, pytest.param(2000, marks=pytest.mark.torture)])
def test_damaged_solverstates_are_refused(tmp_path, mutants):
    history = [np.arange(n, dtype="float32") for n in (3, 12, 2)]
    whole = bytes([8, 9]) + message(2, b"x.caffemodel")
    whole += b"".join(message(3, blob_bytes(array)) for array in history)
    path = tmp_path / "x.solverstate"
    rng, refused = np.random.default_rng(7), []
    for _ in range(mutants):
        mutant = bytearray(whole[: rng.integers(len(whole) + 1)] if rng.random() < 0.3 else whole)
        for place in rng.integers(len(whole), size=rng.integers(4)):
            if place < len(mutant):
                mutant[place] = rng.integers(256)
        path.write_bytes(mutant)
        try:
            done, learned, blobs = _read(path)
            assert 0 <= done < 2**31
            assert isinstance(learned, str)
            assert sum(blob.size for blob in blobs) * 4 <= len(mutant)
        except CaffeError as error:
            refused.append(str(error))
    assert all(str(path) in text for text in refused)
    assert len(refused) > mutants // 4
    if mutants > 200:
        print(f"\n[FIGURE] {mutants:,} damaged solverstates, {len(refused):,} refused, no finding")


@pytest.mark.torture
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_every_combination_of_options(tmp_path, backend):
    found = json.loads(
        script(tmp_path, str(HERE / "caffe_training.py"), str(tmp_path), "every", backend=backend)
    )
    count = len(list(cases()))
    print(f"\n[FIGURE] {backend}: {count} cases, largest differences {found['worst']}")
    assert max(found["worst"].values()) < 1e-5
