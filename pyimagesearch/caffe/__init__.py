"""Caffe's nets, weights, solvers and data in Keras 3.

The names are imported when they are first used: reading a mean or an image list needs no Keras.
"""

import importlib

_MODULES = {
    "load": ("load_caffe", "load_caffe_weights"),
    "solver": ("read_solver",),
    "mean": ("read_mean", "write_mean"),
    "convertlmdb": ("lmdb_to_hdf5",),
    "datums": ("write_lmdb",),
    "imagelist": ("read_image_list",),
    "_errors": ("CaffeError",),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
_HOME |= dict.fromkeys(
    ("HistogramEqualizePreprocessor", "MeanImagePreprocessor"), "pyimagesearch.preprocessing"
)

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOME})
