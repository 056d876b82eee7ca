"""What Keras 2 told callbacks besides what Keras 3 does: more `params`, the validation data."""

import math

import keras
import numpy as np

from pyimagesearch.keras2._metrics import names_of_results


class CompleteParams(keras.callbacks.Callback):
    """The first callback of a training: it completes the `params` that all get.

    Args:
        given: dict of the arguments of `fit`.
    """

    def __init__(self, given):
        super().__init__()
        x = given.get("x")
        self.more = {
            "batch_size": given.get("batch_size") or (32 if hasattr(x, "shape") else None),
            "samples": _samples(x, given.get("validation_split") or 0.0),
            "do_validation": given.get("validation_data") is not None
            or bool(given.get("validation_split")),
        }

    def set_params(self, params):
        metrics = names_of_results(self.model)
        if self.more["do_validation"]:
            metrics = metrics + [f"val_{name}" for name in metrics]
        params.update(self.more, metrics=metrics)
        self.params = params


def _samples(x, split):
    """Return the number of rows to train on, of which the last ones may be kept for validation."""
    return math.floor(len(x) * (1.0 - split)) if hasattr(x, "shape") else None


def split_off(given):
    """Return the last rows, which `validation_split` keeps back, where the data are arrays."""
    x, y, split = (given.get(name) for name in ("x", "y", "validation_split"))
    if split and hasattr(x, "shape") and hasattr(y, "shape"):
        return x[_samples(x, split) :], y[_samples(x, split) :]
    return None


def hand_out(data, callbacks):
    """Give the callbacks the validation data where these are arrays, as Keras 2 did."""
    if isinstance(data, (list, tuple)) and all(hasattr(item, "shape") for item in data):
        weights = [np.ones(len(data[0]))] if len(data) == 2 else []
        for callback in callbacks:
            callback.validation_data = [*data, *weights]
