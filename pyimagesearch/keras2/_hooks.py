"""What is patched, and upon the import of which module."""

import importlib

from pyimagesearch.keras2 import _h5py, _modules, _others

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
        }
    )
    _modules.install()


def _patch_keras(keras):
    # here, since they import Keras
    for name in (
        "arguments",
        "backend",
        "optimizers",
        "models",
        "callbacks",
        "saving",
        "applications",
    ):
        importlib.import_module(f"pyimagesearch.keras2._{name}").install(keras)
