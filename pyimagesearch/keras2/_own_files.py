"""The model files that this very run has written: what is in them is the script's own code."""

import functools
import sys
from pathlib import Path

import keras
import numpy as np
from keras.src.utils import python_utils

_written = {}  # path -> its state when it was written


def install():
    """Let the code of a Lambda layer that is loaded find the script's names, K and np."""
    python_utils.func_load = _with_names(python_utils.func_load)


def remember(path):
    """Note that this run has written a model to `path`."""
    path = Path(path).resolve()
    if path.is_file():
        _written[path] = _state(path)


def is_own(path):
    """Return whether this run wrote the file at `path`, and nobody has touched it since."""
    path = Path(path).resolve()
    return path in _written and path.is_file() and _written[path] == _state(path)


def _state(path):
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _with_names(original):
    """Keras 2 ran such code among the names of its module of layers; K and np were there."""

    @functools.wraps(original)
    def func_load(code, defaults=None, closure=None, globs=None):
        if globs is None:
            globs = {"K": keras.backend, "np": np, **vars(sys.modules["__main__"])}
        return original(code, defaults, closure, globs)

    return func_load
