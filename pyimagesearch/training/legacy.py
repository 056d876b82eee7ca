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
        _compile(model, training, state, path)
    return model


class CodeError(ValueError):
    """The file asks for code to be run that it brings along, or that Keras does not know."""


def refusal(path, what):
    """Say why a file is not loaded: `what` it holds."""
    return (
        f"{path} needs code that is not part of Keras, {what}, which could do anything. "
        "If you trust where the file comes from, load it with --unsafe."
    )


def unknown(path, what):
    """Say why a file cannot be loaded: `what` it needs, "class MyLayer"."""
    return (
        f"{path} needs the {what}, which is not part of Keras. Load it in a program that imports "
        "the module that registers it with keras.saving.register_keras_serializable."
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
                if str(name) in _RUN_CODE and name not in registered:
                    raise CodeError(refusal(path, f"a {name} layer"))
                if not isinstance(name, str) or not (name in registered or _is_harmless(name)):
                    raise CodeError(unknown(path, _describe(name, item)))
            own = any(name in registered for name in names)
            if module and not own and str(module).split(".")[0] not in ("keras", "builtins"):
                raise CodeError(refusal(path, f"something from the module {module}"))


def _describe(name, item):
    if name == "function":
        return f"function {str(item.get('config'))[:80]}"
    return f"class {str(name)[:80]}"


def _is_harmless(name):
    if name in _DATA:
        return True
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


def _compile(model, training, state, path):
    """Compile a model as `training` says, and set its optimizer to the `state` of the file.

    Keras' own loading builds the optimizer for no variables at all (3.15), which can neither take
    the state nor train.
    """
    old = training["optimizer_config"]
    config = modern_optimizer(old)
    room = {name: _revive(kind, training.get(name), path) for name, kind in _COMPILED.items()}
    model.compile(
        optimizer=_revive_optimizer(config), loss_weights=training.get("loss_weights"), **room
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


_COMPILED = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}
_ANY_KIND = {"accuracy", "acc", "crossentropy", "ce"}  # `compile` chooses by the output's shape


def _revive(kind, config, path):
    """Make objects of a `kind`, in nested lists and dicts; `compile` knows them by names, too."""
    if isinstance(config, list):
        return [_revive(kind, item, path) for item in config]
    if isinstance(config, dict):
        if "class_name" in config:
            return getattr(keras, kind).deserialize(config)
        return {name: _revive(kind, item, path) for name, item in config.items()}
    if isinstance(config, str) and config not in _ANY_KIND:
        try:
            getattr(keras, kind).get(config)
        except ValueError as error:
            raise CodeError(unknown(path, f"function {config[:80]}")) from error
    return config


def _revive_optimizer(config):
    """Make the optimizer; `deserialize` of Keras 3.15 lacks some of Keras' own, as Lamb."""
    known = getattr(keras.optimizers, config["class_name"], None)
    if isinstance(known, type) and issubclass(known, keras.optimizers.Optimizer):
        return known.from_config(dict(config["config"]))
    return keras.optimizers.deserialize(config)
