"""Patches of scikit-learn and of this package's own callbacks."""

import functools

from pyimagesearch.keras2 import names
from pyimagesearch.keras2.explain import note

_MULTI_CLASS = next(row for row in names.OTHERS if row.old == "multi_class")


def patch_linear_model(linear_model):
    """Let LogisticRegression take `multi_class`, which says what it does anyway.

    "ovr" is the exception: one problem per class, which is what OneVsRestClassifier is for.
    """
    cls = linear_model.LogisticRegression
    original = cls.__init__

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        if "multi_class" in kwargs:
            kwargs.pop("multi_class")
            note(_MULTI_CLASS)
        original(self, *args, **kwargs)

    cls.__init__ = __init__


def patch_epoch_checkpoint(module):
    """Write `epoch_N.hdf5`: the scripts ask for it by that name when they resume."""
    module.EpochCheckpoint.__init__.__kwdefaults__["extension"] = ".hdf5"
