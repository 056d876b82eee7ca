"""What the script's own text tells of the version it was written for, where versions differ."""

import functools
import re
import sys
from pathlib import Path

from pyimagesearch.keras2._frames import is_user_file

_OLD_KEYS = r"""["'](?:val_)?acc["']|\{(?:val_)?acc\b"""
_NEW_KEYS = r"""["']val_accuracy["']|[\w\])]\s*\[["']accuracy["']\]|\{(?:val_)?accuracy\b"""
_TF_KERAS = (
    r"\btensorflow(?:\.python|\.contrib)?\.keras\b|\btf\.keras\b|\bfrom tensorflow\S* import keras"
)
_KERAS = r"^\s*(?:from|import) keras\b"
_UNPOOLED = r"7\s*\*\s*7\s*\*\s*2048|2048\s*\*\s*7\s*\*\s*7|100352"


def keys_are_old():
    """Return whether the script calls the accuracy "acc", as until Keras 2.2."""
    return bool(find(_OLD_KEYS)) or not find(_NEW_KEYS)


def pools_resnet():
    """Return whether ResNet50 without a top ends in one pixel, as until Keras 2.1."""
    return not find(_UNPOOLED)


@functools.cache
def is_of_tensorflow():
    """Return whether the script takes Keras from TensorFlow, where some rules were others."""
    return bool(find(_TF_KERAS)) and not find(_KERAS)


def freezes_normalization():
    """Return whether a frozen BatchNormalization works in inference mode, as in TensorFlow 2."""
    return is_of_tensorflow()


def find(pattern):
    """Return "file:line" of the first match in the user's own code that is loaded, or None."""
    for path in _user_files():
        for number, line in enumerate(_lines(path), start=1):
            if re.search(pattern, line):
                return f"{Path(path).name}:{number}"
    return None


def find_key(name):
    """Return "file:line" where the user's code has a key of the history as text, or None."""
    return find(rf"""["']{name}["']""")


def _user_files():
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [path for path in dict.fromkeys(files) if path and is_user_file(path)]


@functools.cache
def _lines(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
