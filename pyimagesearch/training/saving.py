"""Write trained networks."""

import argparse
from pathlib import Path

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
