"""Load models in the HDF5 format of 2017, which Keras calls legacy: safely, and to train on.

Keras 3.15 ignores its safe mode for this format, and does not bring the optimizer's state back.
"""

import contextlib
import json
import shutil
import tempfile
from pathlib import Path

import h5py
import keras
import numpy as np

from pyimagesearch.training.keras2 import modern_architecture, modern_optimizer, modern_slots
from pyimagesearch.training.untrusted import rehearse
from pyimagesearch.utils.hdf5safety import open_hdf5

_LONGEST = 1 << 25  # characters of a configuration; that of ResNet152 has 300,000
_ROOMS = (
    *("layers", "initializers", "regularizers", "constraints", "losses", "metrics"),
    *("optimizers", "optimizers.schedules", "dtype_policies"),
)
_DATA = {  # what Keras writes beside classes: structure and plain values
    *("Functional", "Model", "Sequential", "DTypePolicy", "DTypePolicyMap"),
    *("__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"),
}
_RUN_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


def read_legacy(path, *, compile=True, unsafe=False):
    """Load a model from an HDF5 file, with its optimizer as it stood if `compile` is set.

    Files of Keras 2 are understood as far as Keras 3 has what they are made of.

    Args:
        path: an `.h5` or `.hdf5` file that `model.save` or `EpochCheckpoint` wrote.
        compile: also restore loss, metrics and optimizer, where the file has them.
        unsafe: load Lambda layers and classes from outside Keras too, which can run any code.
    Returns:
        keras.Model.
    Raises:
        OSError, ValueError, and whatever Keras raises, if the file is damaged or no model.
        ValueError: if it holds a Lambda layer or custom code, and `unsafe` is not set.
    """
    with open_hdf5(path) as file:
        architecture = _read_config(file, "model_config")
        training = _read_config(file, "training_config")
        if architecture is None:
            raise ValueError("it has no model_config: it may hold weights alone")
        if not unsafe:
            for config in (architecture, training):
                _check_code(config, path)
        state = _optimizer_state(file)
    with _translated(path, architecture) as readable:
        if not unsafe:
            rehearse(readable)
        model = keras.models.load_model(readable, compile=False, safe_mode=not unsafe)
    if compile and training is not None:
        _compile(model, training, state)
    return model


class CodeError(ValueError):
    """The file asks for code to be run that it brings along, or that Keras does not know."""


def refusal(path, what):
    """Say why a file is not loaded: `what` it holds."""
    return (
        f"{path} needs code that is not part of Keras, {what}, which could do anything. "
        "If you trust where the file comes from, load it with --unsafe."
    )


@contextlib.contextmanager
def _translated(path, architecture):
    """Give the path of a file whose architecture Keras 3 reads: `path`, or a copy for a while."""
    translated = modern_architecture(architecture)
    if translated == architecture:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.hdf5"
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(translated)
        yield copy


def _read_config(file, name):
    text = file.attrs.get(name)
    if text is None:
        return None
    if not isinstance(text, (str, bytes)) or len(text) > _LONGEST:
        raise ValueError(f"its {name} is no text, or too long")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"its {name} is nested too deeply") from None


def _check_code(config, path):
    """Raise a CodeError for any class in a configuration that is not one of Keras' harmless ones.

    Classes that the program itself has registered with Keras are its own code, and pass.
    """
    registered = keras.saving.get_custom_objects()
    todo = [config]
    while todo:  # not by recursion: the file decides how deep it is
        item = todo.pop()
        if isinstance(item, list):
            todo += item
        elif isinstance(item, dict):
            todo += item.values()
            names = [item[key] for key in ("class_name", "registered_name") if item.get(key)]
            module = item.get("module") if "class_name" in item else None
            for name in names:
                if not isinstance(name, str) or not (name in registered or _is_harmless(name)):
                    raise CodeError(refusal(path, _describe(name)))
            own = any(name in registered for name in names)
            if module and not own and str(module).split(".")[0] not in ("keras", "builtins"):
                raise CodeError(refusal(path, f"something from the module {module}"))


def _describe(name):
    return f"a {name} layer" if str(name) in _RUN_CODE else f"the class {name}"


def _is_harmless(name):
    if name in _DATA:
        return True
    if name in _RUN_CODE:
        return False
    for room in _ROOMS:
        found = keras
        for part in room.split("."):
            found = getattr(found, part)
        if isinstance(getattr(found, name, None), type):
            return True
    return False


def _optimizer_state(file):
    """Return the optimizer's variables in the order in which they were saved, or None."""
    if "optimizer_weights" not in file:
        return None
    group, names, part = file["optimizer_weights"], [], 0
    if "weight_names" in group.attrs:
        names = list(group.attrs["weight_names"])
    while f"weight_names{part}" in group.attrs:  # a list too long for one attribute
        names += list(group.attrs[f"weight_names{part}"])
        part += 1
    return [np.asarray(group[name]) for name in names]


def _compile(model, training, state):
    """Compile a model as `training` says, and set its optimizer to the `state` of the file.

    Keras' own loading builds the optimizer for no variables at all (3.15), which can neither take
    the state nor train.
    """
    old = training["optimizer_config"]
    config = modern_optimizer(old)
    optimizer = keras.optimizers.deserialize(config)
    model.compile(
        optimizer=optimizer,
        loss=_revive(keras.losses.deserialize, training.get("loss")),
        loss_weights=training.get("loss_weights"),
        metrics=_revive(keras.metrics.deserialize, training.get("metrics")),
        weighted_metrics=_revive(keras.metrics.deserialize, training.get("weighted_metrics")),
    )
    optimizer = model.optimizer  # under float16 `compile` wraps it
    optimizer.build(model.trainable_variables)
    if state is None:
        return
    if config is not old:
        state = modern_slots(optimizer, state, len(model.trainable_variables))
    shapes = [tuple(variable.shape) for variable in optimizer.variables]
    if not any(value.shape for value in state):  # saved before its first step, or it has no more
        shapes = shapes[: len(state)]
    if [value.shape for value in state] != shapes:
        raise ValueError(
            f"the state of its optimizer, {len(state)} arrays, does not fit its {len(shapes)} "
            f"variables of {type(optimizer).__name__}"
        )
    for variable, value in zip(optimizer.variables, state, strict=False):
        variable.assign(value)


def _revive(deserialize, config):
    """Apply `deserialize` to every object in nested lists and dicts; `compile` knows the names."""
    if isinstance(config, list):
        return [_revive(deserialize, item) for item in config]
    if not isinstance(config, dict):
        return config
    if "class_name" in config:
        return deserialize(config)
    return {name: _revive(deserialize, item) for name, item in config.items()}
