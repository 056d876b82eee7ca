"""What is patched, and upon the import of which module."""

import importlib
import warnings

from pyimagesearch.keras2 import _h5py, _modules, _others, _redirects

_PATCHES = (
    *(
        "arguments",
        "backend",
        "optimizers",
        "nadam",
        "epsilon",
        "losses",
        "generators",
        "models",
        "metrics",
    ),
    *("trainable", "phases", "shapes", "graph", "own_layers"),
    *("callbacks", "batch_logs", "saving", "own_files", "applications", "matrix", "recurrent"),
)
_ADVICE = (  # of Keras, to scripts of today
    "Do not pass an `input_shape`",
    "Your `PyDataset` class should call `super",
    "Argument `alpha` is deprecated",
)

UNSAFE = False  # whether models may bring code along


def install(*, unsafe=False):
    """Have everything patched as it is imported."""
    global UNSAFE  # noqa: PLW0603  one setting for the process
    UNSAFE = unsafe
    _modules.AFTER_IMPORT.update(
        {
            "keras": [_patch_keras],
            "h5py": [_h5py.install],
            "numpy": [_modules.extend],
            "tensorflow": [_modules.extend],
            "sklearn.linear_model": [_others.patch_linear_model],
            "pyimagesearch.callbacks.epochcheckpoint": [_others.patch_epoch_checkpoint],
            "pyimagesearch.utils.ranked": [_others.patch_ranked],
        }
    )
    _modules.install()
    _redirects.install()


def _patch_keras(keras):
    for message in _ADVICE:
        warnings.filterwarnings("ignore", message=message)
    for name in _PATCHES:  # imported here, since they import Keras
        importlib.import_module(f"pyimagesearch.keras2._{name}").install()
