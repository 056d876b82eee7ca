"""Train a net as its solver says, on the data layers of its own files."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._trained import TrainedNet
from pyimagesearch.caffe.load import load_caffe_weights
from pyimagesearch.caffe.solver import read_solver
from pyimagesearch.caffe.trainlog import TrainLog
from pyimagesearch.training.saving import read_model
from pyimagesearch.utils.locking import hold

AHEAD = 2  # batches that are made while the net computes


def train(solver, weights=None, snapshot=None, *, resume=False):
    """Train a net to max_iter, with its tests and snapshots.

    Beside the snapshots, <prefix>_iter_N.keras, it writes <prefix>_log.jsonl, a JSON object for
    each line of the log, and <prefix>_log.png, the learning curve. Batches depend on the solver's
    random_seed (0 where it has none) and the number of the update alone: a training that goes on
    from a snapshot comes to the weights that one which never stopped comes to.

    Args:
        solver: path of the solver's .prototxt.
        weights: a .caffemodel or .keras file to begin with: layers of the same name take its
            weights, the others keep their fillers. Default: the solver's own `weights`.
        snapshot: a <prefix>_iter_N.keras to go on from, with the optimizer's state; or a
            .solverstate of Caffe's, with the .caffemodel that it names.
        resume: go on from the newest snapshot that this training wrote and that is undamaged;
            begin where there is none.
    Returns:
        keras.Model, compiled, with the weights after max_iter updates.
    Raises:
        FileNotFoundError: if a file, or the source of a data layer, is not there.
        CaffeError: a ValueError: if a file is not usable, parts do not fit together, a label is no
            class, or the loss is no longer finite.
        NotImplementedError: for a layer or option that is not supported.
        BlockingIOError: if a running process writes the same snapshots.
    """
    solver = read_solver(solver)
    if snapshot and (weights or resume):
        raise ValueError("A snapshot has weights, and says where to go on: give it alone.")
    if resume and weights:
        raise ValueError("--resume goes on from a snapshot's weights: leave --weights out.")
    first = solver.snapshot_path(0)
    prefix = first.with_name(first.name.removesuffix("_iter_0.keras"))
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = hold(prefix.with_name(f".{prefix.name}.lock"))
        if lock is not None:
            stack.enter_context(lock)
        log = TrainLog(prefix)
        net = TrainedNet(solver, max(solver.random_seed, 0), stack)
        found = None
        if resume:
            snapshot, found = _newest(solver, log)
        if snapshot:
            if Path(snapshot).suffix == ".solverstate":
                done = solver.restore(net.model, snapshot)
            else:
                found = read_model(snapshot) if found is None else found
                done = _restore(net.model, found, snapshot) // solver.iter_size
            log.cut(done)
            print(f"[INFO] going on from {snapshot}, after {done} updates")
        else:
            done = 0
            log.begin()
            for path in [weights] if weights else solver.weights:
                copy_weights(net.model, path)
        if resume and done >= solver.max_iter:
            print(f"[INFO] all {solver.max_iter} updates are done already")
            return net.model
        _run(solver, net, log, done)
        log.draw()
        print(f"[INFO] log: {log.path}, learning curve: {log.picture}")
    return net.model


def _run(solver, net, log, done):
    """Make the updates from number `done` to max_iter."""
    model = net.model
    tests_before = 0 if solver.test_initialization else 1

    def test(updates):
        results = {}
        for number, tested in enumerate(net.tests):
            found = tested.results(updates // solver.test_interval - tests_before)
            mark = f" (#{number})" if len(net.tests) > 1 else ""
            results |= {f"{name}{mark}": value for name, value in found.items()}
        return results

    callbacks = keras.callbacks.CallbackList(
        solver.callbacks(test if net.tests else None, log=log.add), model=model
    )
    callbacks.on_train_begin()
    size = solver.iter_size
    numbers = iter(range(done * size, solver.max_iter * size))
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(net.batch, number) for number in islice(numbers, AHEAD))
        for number in range(done * size, solver.max_iter * size):
            x, y = waiting.popleft().result()
            waiting.extend(pool.submit(net.batch, later) for later in islice(numbers, 1))
            callbacks.on_train_batch_begin(0)
            model.reset_metrics()
            loss = float(np.mean(model.train_on_batch(x, y, return_dict=True)["loss"]))
            if not np.isfinite(loss):
                raise CaffeError(
                    f"The loss is {loss} at iteration {number // size}. Lower base_lr, or clip the "
                    f"gradients (clip_gradients) in {solver.path}."
                )
            callbacks.on_train_batch_end(0, {"loss": loss})
            updates = (number + 1) // size
            if (number + 1) % size == 0 and solver.snapshot and updates % solver.snapshot == 0:
                _note_snapshot(solver, log, updates)
    callbacks.on_train_end()
    if solver.snapshot_after_train and not (solver.snapshot and updates % solver.snapshot == 0):
        _note_snapshot(solver, log, updates)


def _note_snapshot(solver, log, updates):
    log.add({"iteration": updates, "snapshot": solver.snapshot_path(updates).name})


def _newest(solver, log):
    """Return (path, model) of the newest undamaged snapshot in the log, or (None, None)."""
    snapshots = {record["iteration"] for record in log.read() if "snapshot" in record}
    for done in sorted(snapshots, reverse=True):
        path = solver.snapshot_path(done)
        try:
            return path, read_model(path)
        except (ValueError, OSError) as error:
            print(f"[WARNING] {path} is left out: {error}")
    return None, None


def _restore(model, found, path):
    """Give the model the weights and the optimizer's state of a snapshot; return its batches."""
    mine, other = model.weights, found.weights
    if [(w.path, w.shape) for w in mine] != [(w.path, w.shape) for w in other]:
        raise CaffeError(
            f"{path} is a snapshot of another net: {_difference(mine, other)}. To begin anew with "
            "the weights of layers of the same names, give it as --weights."
        )
    optimizer, loaded = model.optimizer, found.optimizer
    if type(optimizer) is not type(loaded):
        has = "no optimizer" if loaded is None else f"an optimizer {type(loaded).__name__}"
        raise CaffeError(
            f"{path} has {has}, and the solver wants {type(optimizer).__name__}. To begin anew "
            "with its weights, give it as --weights."
        )
    optimizer.build(model.trainable_variables)
    states = optimizer.variables, loaded.variables
    if [v.shape for v in states[0]] != [v.shape for v in states[1]]:
        raise CaffeError(
            f"{path} has another state of the optimizer: it was written with another iter_size, "
            "or with other layers frozen. To begin anew with its weights, give it as --weights."
        )
    for to, value in zip([*mine, *states[0]], [*other, *states[1]], strict=True):
        to.assign(value)
    return int(keras.ops.convert_to_numpy(optimizer._iterations))


def _difference(mine, other):
    mine, other = ({w.path: tuple(w.shape) for w in weights} for weights in (mine, other))
    for path in {**mine, **other}:
        if mine.get(path) != other.get(path):
            return f"{path} has the shape {other.get(path)} there and {mine.get(path)} here"
    return "its layers stand in another order"


def copy_weights(model, path, *, complete=False):
    """Give the layers of a model the weights of the layers of the same names in a file.

    Args:
        model: keras.Model from load_caffe or of a training.
        path: .caffemodel, or .keras file.
        complete: refuse a file that lacks weights of the model: to predict, all must be trained.
    Raises:
        CaffeError: if a layer that both have differs in shape, no weights are changed then; if
            they have none in common.
    """
    path = Path(path)
    if path.suffix == ".keras":
        copied, unused, kept = _copy_keras(model, path)
    else:
        copied, unused, kept = load_caffe_weights(model, path)
    print(f"[INFO] weights of {path}: {len(copied)} layers")
    if kept:
        print(f"[INFO]   not in the file, begun with their fillers: {', '.join(kept)}")
    if unused:
        print(f"[INFO]   not in the net: {', '.join(unused)}")
    if not copied:
        raise CaffeError(
            f"{path} and the net have no layer with weights in common. Layers of the file: "
            f"{', '.join(unused)}."
        )
    if complete and kept:
        raise CaffeError(
            f"{path} has no weights for {', '.join(kept)}. Give the net that it was trained as, or "
            "the weights of this one."
        )


def _copy_keras(model, path):
    found = {layer.name: layer for layer in read_model(path, compile=False).layers if layer.weights}
    mine = {layer.name: layer for layer in model.layers if layer.weights}
    common = [name for name in mine if name in found]
    for name in common:
        shapes = [[tuple(w.shape) for w in layer.weights] for layer in (found[name], mine[name])]
        if shapes[0] != shapes[1]:
            raise CaffeError(
                f"{path}: layer {name!r} has weights of shapes {shapes[0]} there and {shapes[1]} "
                "in the net. Rename the layer in the net to begin it anew."
            )
    for name in common:
        mine[name].set_weights(found[name].get_weights())
    return common, [name for name in found if name not in mine], [n for n in mine if n not in found]
