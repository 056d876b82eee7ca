"""Patches of scikit-learn and of this package itself."""

import functools
import warnings
from pathlib import Path

from pyimagesearch.keras2 import names
from pyimagesearch.keras2.explain import note

_STEPS = next(row for row in names.STEPS if row.owner == "keras.Model.predict")
_MULTI_CLASS = next(row for row in names.OTHERS if row.old == "multi_class")


def patch_linear_model(linear_model):
    """Let LogisticRegression take `multi_class`, though scikit-learn has one way left."""
    cls = linear_model.LogisticRegression
    original = cls.__init__

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        if "multi_class" in kwargs:
            note(_MULTI_CLASS)
            if kwargs.pop("multi_class") == "ovr":
                warnings.warn(
                    'multi_class="ovr" is not what scikit-learn does any more: it solves one '
                    "problem for all classes. OneVsRestClassifier(LogisticRegression()) solves "
                    "one for each.",
                    stacklevel=2,
                )
        original(self, *args, **kwargs)

    cls.__init__ = __init__


def patch_epoch_checkpoint(module):
    """Write `epoch_N.hdf5`: the scripts ask for it by that name when they resume."""
    if _is_ours(module):
        module.EpochCheckpoint.__init__.__kwdefaults__["extension"] = ".hdf5"


def patch_ranked(module):
    """Let rank5_accuracy take fewer predictions than labels, as the book's did.

    steps=n // batch leaves the last rows out. The accuracy is that of the rows that are there;
    the book divided by the number of all.
    """
    if not _is_ours(module):
        return
    original = module.rank5_accuracy

    @functools.wraps(original)
    def rank5_accuracy(preds, labels):
        if len(preds) < len(labels):
            note(_STEPS)
            labels = labels[: len(preds)]
        return original(preds, labels)

    module.rank5_accuracy = rank5_accuracy


def _is_ours(module):
    """Whether a module of the package is not that of a reader's own copy."""
    return Path(module.__file__).is_relative_to(Path(__file__).parents[1])
