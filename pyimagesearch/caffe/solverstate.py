"""Go on where a training in Caffe stopped: from its .solverstate."""

from pathlib import Path

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._paths import resolve
from pyimagesearch.caffe._sharing import owners
from pyimagesearch.caffe._weights import blob_shape, check, order_of, value
from pyimagesearch.caffe._wire import HDF5_SIGN, as_bytes, as_number, as_text, fields, read_blob
from pyimagesearch.caffe.load import load_caffe_weights
from pyimagesearch.caffe.optimizers import CaffeOptimizer

ITERATION, LEARNED_NET, HISTORY = 1, 2, 3  # fields of a SolverState


def restore(solver, model, path):
    """Give a model and its optimizer the state of a .solverstate, and the weights that it names.

    The .caffemodel of the same training is looked for beside it, and where its path says.

    Args:
        solver: the Solver of the training.
        model: keras.Model of the whole training net (`load_caffe(..., phase="TRAIN")`), compiled
            with `solver.optimizer(model)`.
        path: the .solverstate, snapshot_format BINARYPROTO.
    Returns:
        int: the number of updates done.
    Raises:
        FileNotFoundError: if there is no such file, or not the weights that it names.
        CaffeError: if it is damaged, or of another net or type of solver. The model is as it was.
        ValueError: if the model has another optimizer.
    """
    path, optimizer = Path(path), model.optimizer
    if not isinstance(optimizer, CaffeOptimizer):
        raise ValueError(
            f"The model {model.name!r} is not compiled with solver.optimizer(model): its optimizer "
            f"is {type(optimizer).__name__}."
        )
    done, learned, history = _read(path)
    if done > solver.max_iter:
        raise CaffeError(
            f"{path} has {done} updates behind it, and the solver's max_iter is {solver.max_iter}."
        )
    net, layers = solver.read_net("TRAIN"), {layer.name: layer for layer in model.layers}
    owner = owners(net)
    slots = [  # of Caffe's parameters, in its order
        (layer.name, layers[layer.keras_name], i)
        for layer in net.layers
        if layer.name not in owner and layer.keras_name in layers
        for i in range(len(layers[layer.keras_name].weights))
    ]
    kinds = len(optimizer.histories)
    if len(history) != kinds * len(slots):
        raise CaffeError(
            f"{path} has the history of {len(history)} blobs, and {type(optimizer).__name__} on "
            f"this model keeps {kinds} for each of {len(slots)}. It is of another type of solver, "
            "or of another net."
        )
    optimizer.build(model.trainable_variables)
    trained = {variable.path for variable in model.trainable_variables}
    renewed = []
    for number, (name, layer, i) in enumerate(slots * kinds):
        blob, shape, weight = history[number], blob_shape(layer, i), layer.weights[i]
        check(path, name, [blob], [shape])
        if weight.path in trained:
            state = optimizer.states(weight)[number // len(slots)]
            renewed.append((state, value(blob, shape, order_of(layer, i), weight.shape)))
    if learned:
        beside = path.with_name(Path(learned).name)
        load_caffe_weights(model, beside if beside.is_file() else resolve(learned, path))
    for state, new in renewed:
        state.assign(new)
    optimizer._iterations.assign(done * solver.iter_size)
    return done


def _read(path):
    """Return (updates done, path of the weights, blobs) of a .solverstate."""
    content = path.read_bytes()
    if content.startswith(HDF5_SIGN):
        raise CaffeError(f"{path} is HDF5 (snapshot_format: HDF5), which is not read.")
    done, learned, history = None, "", []
    for number, found in fields(content, path):
        if number == ITERATION:
            done = as_number(found, "iter", path)
        elif number == LEARNED_NET:
            learned = as_text(found, "learned_net", path)
        elif number == HISTORY:
            history.append(read_blob(as_bytes(found, "history", path), path))
    if done is None or not 0 <= done < 2**31:
        raise CaffeError(f"{path} is no .solverstate, or damaged: it has no number of updates.")
    return done, learned, history
