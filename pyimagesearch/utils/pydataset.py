"""Let an object of ours be a Keras PyDataset where Keras is loaded, and load it nowhere."""

import functools
import sys


def keras_class(cls):
    """Return `cls`; where Keras is loaded, a subclass of its PyDataset as well.

    Keras takes an object whose batches it may ask for by number only if it is a PyDataset, and
    whoever calls `fit`, `evaluate` or `predict` has loaded Keras. Nobody else should have to.
    """
    keras = sys.modules.get("keras")
    return _joined(cls, keras.utils.PyDataset) if keras else cls


@functools.cache
def _joined(cls, base):
    return type(cls.__name__, (cls, base), {"__module__": cls.__module__, "__doc__": cls.__doc__})
