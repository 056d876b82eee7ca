"""Write trained networks, find them again and load them."""

import argparse
from pathlib import Path

import keras

from pyimagesearch.training.resume import check_alike
from pyimagesearch.utils.files import replacing


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


def load_network(path, *, like):
    """Load a network to predict with, not to train on.

    Args:
        path: a `.keras` file, a checkpoint for example.
        like: keras.Model that it must resemble in name, shapes and size.
    Returns:
        keras.Model, not compiled.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no model, or another network than `like`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model at {path}.")
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # which one depends on the damage
        raise ValueError(f"{path} is damaged or no Keras model: {error}") from error
    check_alike(model, like, path)
    return model
