"""Keras by its private names in TensorFlow: scripts import from tensorflow.python.keras, too.

TensorFlow has a module of that name and needs it itself, an old Keras whose layers do not fit.
So only what the user's own code imports from there is taken from tensorflow.keras instead.
"""

import builtins
import functools
import re

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._frames import is_user_file
from pyimagesearch.keras2.explain import note

_PRIVATE = re.compile(r"tensorflow\.(python|contrib)(\.keras(?:\.(?:api|python)\.keras)?)?(\..*)?")
_ROWS = {row.old: row for row in names.ROOTS}


def install():
    """Patch the function behind `from x import y`."""
    builtins.__import__ = _redirecting(builtins.__import__)


def _redirecting(original):
    @functools.wraps(original)
    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        private = fromlist and not level and name.startswith("tensorflow.")
        if private and is_user_file((globals or {}).get("__file__")):
            name = _public(name, fromlist)
        return original(name, globals, locals, fromlist, level)

    return __import__


def _public(name, wanted):
    found = _PRIVATE.fullmatch(name)
    if found is None or (found[2] is None and (found[3] or tuple(wanted) != ("keras",))):
        return name
    note(_ROWS[f"tensorflow.{found[1]}.keras"])
    return "tensorflow" if found[2] is None else f"tensorflow.keras{found[3] or ''}"
