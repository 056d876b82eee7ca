"""A training by a solver, resumed from its snapshot; run as a script it checks a Keras backend.

KERAS_BACKEND=jax python tests/caffe_training.py FOLDER [every]
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np
from caffe_updates import MULTIPLIERS, Caffe, cases, difference, few

from pyimagesearch.caffe.solver import read_solver
from pyimagesearch.training.saving import read_model

BATCH = 5
PATHS = {"a": "hidden/kernel", "b": "hidden/bias", "c": "out/kernel", "d": "out/bias"}
SOLVER = """
net: "none.prototxt" test_iter: 2 test_interval: 3 base_lr: 0.05 lr_policy: "step" gamma: 0.5
stepsize: 3 momentum: 0.9 weight_decay: 0.01 clip_gradients: 1 max_iter: 8 display: 2
average_loss: 2 snapshot: 4 snapshot_prefix: "snapshots/small" iter_size: 2 random_seed: 5
"""


def write_solver(folder, text=SOLVER):
    path = Path(folder) / "solver.prototxt"
    path.write_text(text.replace("snapshots/", f"{Path(folder) / 'snapshots'}/"))
    return read_solver(path)


def small_net(dropout=0.0):
    """Two layers without activations: their gradients can be written down."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, name="hidden", bias_initializer="normal")(inputs)
    hidden = keras.layers.Dropout(dropout)(hidden) if dropout else hidden
    return keras.Model(inputs, keras.layers.Dense(2, name="out")(hidden), name="small")


def rows(count):
    rng = np.random.default_rng(4)
    return (rng.normal(size=(count, n)).astype("float32") for n in (3, 2))


def compiled(solver, **options):
    model = small_net(**options)
    multipliers = {PATHS[name]: pair for name, pair in MULTIPLIERS.items()}
    model.compile(solver.optimizer(model, multipliers), loss="mse", metrics=["mae"])
    return model


def fit(model, solver, x, y, **options):
    """Train in the order of the rows; return the log's records and the printed lines."""
    records, printed = [], io.StringIO()
    callbacks = solver.callbacks(test_data=(x[:10], y[:10]), batch_size=BATCH, log=records.append)
    with contextlib.redirect_stdout(printed):
        model.fit(
            *(x, y),
            batch_size=BATCH,
            epochs=solver.epochs(len(x), BATCH),
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
            **options,
        )
    return records, printed.getvalue()


def caffe_training(solver, weights, x, y):
    """Return the weights and the losses of the updates when Caffe trains on these rows."""
    decay = (solver.regularization_type.lower(), solver.weight_decay)
    clip = solver.clip_gradients if solver.clip_gradients > 0 else None
    caffe = Caffe(solver.type, weights, clip, decay, solver.iter_size)
    losses, start = [], 0
    for update in range(solver.max_iter):
        batches, sums = [], []
        for _ in range(solver.iter_size):
            loss, gradients = _backward(caffe.weights, x[start : start + BATCH], y[start:][:BATCH])
            batches.append(gradients)
            sums.append(loss)
            start = (start + BATCH) % len(x)
        losses.append(np.mean(sums))
        caffe.update(batches, float(solver.schedule()(update)))
    return caffe.weights, losses


def _backward(weights, x, y):
    x, y = x.astype("float64"), y.astype("float64")
    hidden = x @ weights["a"] + weights["b"]
    error = hidden @ weights["c"] + weights["d"] - y
    top = 2 * error / error.size
    below = top @ weights["c"].T
    gradients = {"a": x.T @ below, "b": below.sum(0), "c": hidden.T @ top, "d": top.sum(0)}
    return np.mean(error**2), gradients


def weights_of(model):
    found = {variable.path: keras.ops.convert_to_numpy(variable) for variable in model.weights}
    return {name: found[path] for name, path in PATHS.items()}


def train(folder):
    """Train for eight updates with dropout; return (weights, records of the log)."""
    solver = write_solver(folder)
    x, y = rows(BATCH * solver.iter_size * solver.max_iter)
    model = compiled(solver, dropout=0.5)
    records, _ = fit(model, solver, x, y)
    return weights_of(model), records


def resume(folder):
    """Go on from the snapshot after four updates that lies in the folder; return the weights."""
    solver = write_solver(folder)
    x, y = rows(BATCH * solver.iter_size * solver.max_iter)
    model = read_model(solver.snapshot_path(4))
    fit(model, solver, x[len(x) // 2 :], y[len(x) // 2 :])
    return weights_of(model)


def main():
    folder, *every = sys.argv[1:]
    worst = {}
    for case in cases() if every else few()[:6]:
        worst[case[0]] = max(worst.get(case[0], 0), float(difference(case)))
    whole, records = train(folder)
    again = resume(folder)
    same = all((whole[name] == again[name]).all() for name in whole)
    print(json.dumps({"worst": worst, "same": same, "records": records}))


if __name__ == "__main__":
    main()
