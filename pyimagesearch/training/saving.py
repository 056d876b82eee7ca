"""Write trained networks, find them again and load them."""

import argparse
import re
from pathlib import Path

import keras

import pyimagesearch.caffe.registered  # noqa: F401  models may hold what it registers
from pyimagesearch.callbacks.checkpointnote import LEGACY
from pyimagesearch.training.legacy import CodeError, read_legacy, refusal, unknown
from pyimagesearch.training.untrusted import check_archive, rehearse
from pyimagesearch.utils.files import raise_of_machine, replacing

LONGEST = 300  # characters of what Keras says about a file


def model_path(text):
    """Return the path of a `.keras` file; as `type=` of an option, before the training begins.

    Raises:
        argparse.ArgumentTypeError: for another suffix, which Keras would refuse at the very end.
    """
    path = Path(text)
    if path.suffix != ".keras":
        raise argparse.ArgumentTypeError(f"Keras 3 writes .keras files. Received: {text}")
    return path


def save_model(model, path):
    """Write a network to a `.keras` file that appears when it is complete."""
    print(f"[INFO] writing {path}...")
    with replacing(path) as temporary:
        model.save(temporary)


def newest_model(folder):
    """Return the path of the `.keras` file in `folder`, or below it, that was written last.

    Raises:
        FileNotFoundError: if there is none.
    """
    paths = [
        path
        for path in Path(folder).rglob("*.keras")
        if not path.parent.name.startswith(".")  # a checkpoint that is being written
    ]
    if not paths:
        raise FileNotFoundError(
            f"There is no .keras file in {folder}. Train a network first, or name one with --model."
        )
    return max(paths, key=lambda path: (path.stat().st_mtime_ns, path))


def load_network(path, *, like, unsafe=False):
    """Load a network to predict with, not to train on.

    Args:
        path: a `.keras` file, a checkpoint for example; or one in the format of 2017.
        like: keras.Model that it must resemble in name, shapes and size.
        unsafe: as `read_model`.
    Returns:
        keras.Model, not compiled.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no model, or another network than `like`.
    """
    model = read_model(path, compile=False, unsafe=unsafe)
    check_alike(model, like, path)
    return model


def read_model(path, *, compile=True, unsafe=False):
    """Load a model that runs no code of its own, or say in one sentence why it cannot be loaded.

    Classes of the caller's must be registered by `keras.saving.register_keras_serializable`.

    Args:
        path: a `.keras` file, or `.h5` or `.hdf5` in the format of 2017.
        compile: also restore loss, metrics and the optimizer with its state.
        unsafe: load Lambda layers and the like too, which can run anything.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no model, damaged, needs `unsafe` (option --unsafe) to be loaded, or
            a class or function that is not registered, which `unsafe` does not bring either.
        OSError: if the machine cannot read it now: no permission, too many open files.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no model at {path}.")
    try:
        if path.suffix in LEGACY:
            return read_legacy(path, compile=compile, unsafe=unsafe)
        if not unsafe:
            check_archive(path)
            rehearse(path)
        return keras.models.load_model(path, compile=compile, safe_mode=not unsafe)
    except CodeError:
        raise
    except Exception as error:  # which one depends on the damage
        raise_of_machine(error, path)
        raise _explain(error, path) from error


_REFUSED = {  # words of Keras' safe mode -> what it refuses
    "Python lambda": "a Python lambda",
    "torch.nn.Module": "a TorchModuleWrapper layer",
    "TFSMLayer": "a TFSMLayer layer",
    "vocabulary file": "a layer that reads its vocabulary from another file",
}


def _explain(error, path):
    """Return the error for the user, of one sentence or two, that a failed load comes to."""
    text = str(error)
    if "safe_mode=False" in text:
        what = next((what for words, what in _REFUSED.items() if words in text), "custom code")
        return CodeError(refusal(path, what))
    missing = re.search(r"Could not locate (class|function) '([^']{1,80})'", text)
    if missing is None:
        missing = re.search(r"Unknown ([\w ]{1,20}): '([^']{1,80})'", text)
    if missing is not None:
        return CodeError(unknown(path, " ".join(missing.groups())))
    cause = text.rpartition("Exception encountered: ")[2]  # after a dump of all layers
    first = cause.strip().split("\n")[0]
    if len(first) > LONGEST:
        first = f"{first[:LONGEST]}..."
    return ValueError(f"{path} is damaged or no Keras model: {first}")


def add_unsafe_option(ap):
    """Add --unsafe to an argparse.ArgumentParser."""
    ap.add_argument(
        "--unsafe",
        action="store_true",
        help="load a model that brings code along, as Lambda layers do: it can run anything",
    )


def check_alike(model, like, path):
    """Raise a ValueError unless `model`, loaded from `path`, is the same network as `like`."""
    if _describe(model) != _describe(like):
        raise ValueError(
            f"{path} holds {_describe(model)}. Needed here: {_describe(like)}. "
            "Name another file, or give the options that this one was trained with."
        )


def _describe(model):
    """Say what tells networks apart: the name, the shapes and the size."""
    return (
        f"{model.name} from {model.input_shape[1:]} to {model.output_shape[1:]} "
        f"with {model.count_params():,} parameters"
    )
