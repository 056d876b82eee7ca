"""h5py 2, as scripts of 2017 used it: text is str, and a file opens for whatever one does."""

import functools
import os
import sys

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._frames import called_by_user, user_frame
from pyimagesearch.keras2.explain import note

_ROWS = {row.old: row for row in names.OTHERS if row.owner.startswith("h5py.")}


def install(h5py):
    """Patch h5py."""
    _read_text(h5py)
    h5py.Dataset.value = property(_value)
    h5py.File.__init__ = _with_default_mode(h5py.File.__init__)


def _value(dataset):
    note(_ROWS["value"])
    return dataset[()]


def _read_text(h5py):
    """Let data sets of text give str instead of bytes."""
    from h5py._hl import dataset  # noqa: PLC0415

    original = h5py.Dataset.__getitem__
    raw = dataset.AsStrView.__getitem__.__code__  # `asstr` itself, which wants bytes

    @functools.wraps(original)
    def __getitem__(self, args, new_dtype=None):
        values = original(self, args, new_dtype)
        if self.dtype.kind != "O" or new_dtype is not None:
            return values
        if sys._getframe(1).f_code is raw or user_frame() is None:
            return values
        text = h5py.check_string_dtype(self.dtype)
        if text is None or text.encoding != "utf-8":
            return values
        note(_ROWS["label_names"])
        return self.asstr()[args]

    h5py.Dataset.__getitem__ = __getitem__
    array = h5py.Dataset.__array__

    @functools.wraps(array)
    def __array__(self, *args, **kwargs):
        if self.dtype.kind == "O" and h5py.check_string_dtype(self.dtype) and self.shape:
            return self[()]
        return array(self, *args, **kwargs)

    h5py.Dataset.__array__ = __array__


def _outlives_a_kill(name):
    """Return whether a file that is open for writing, and not written to, can simply be left.

    One of the newer formats carries a mark while it is open, and does not open again with it.
    """
    with open(name, "rb") as file:  # noqa: PTH123  bytes and str alike
        head = file.read(9)
    return head[:8] == b"\x89HDF\r\n\x1a\n" and head[8] < 2


def _with_default_mode(original):
    """Open a file without a mode for reading and writing, as far as one may; or make it."""

    @functools.wraps(original)
    def __init__(self, name, mode=None, *args, **kwargs):
        if mode is not None or not called_by_user() or not isinstance(name, (str, os.PathLike)):
            return original(self, name, mode or "r", *args, **kwargs)
        note(_ROWS["File(path)"])
        if not os.path.exists(name):  # noqa: PTH110  bytes and str alike
            return original(self, name, "w-", *args, **kwargs)
        if os.access(name, os.W_OK) and _outlives_a_kill(name):
            try:  # as in 2017: several may have it open
                return original(self, name, "r+", *args, **{"locking": False, **kwargs})
            except OSError:
                pass
        return original(self, name, "r", *args, **kwargs)

    return __init__
