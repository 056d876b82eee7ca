"""Losses of Keras 2: rows of weight 0 do not count, and tensors can be losses."""

import functools

import keras
import numpy as np
from keras import ops
from keras.src.models.functional import Functional
from keras.src.ops.function import map_graph


def install():
    """Patch what has to do with losses in models and layers."""
    keras.Model.compute_loss = _over_rows_that_count(keras.Model.compute_loss)
    add_loss = _add_loss(keras.layers.Layer.add_loss)
    keras.layers.Layer.add_loss = Functional.add_loss = add_loss


def _over_rows_that_count(original):
    """Divide a weighted loss by the number of rows whose weight is not 0."""

    @functools.wraps(original)
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True, **kwargs
    ):
        if sample_weight is not None:
            sample_weight = keras.tree.map_structure(_scaled, sample_weight)
        return original(self, x, y, y_pred, sample_weight, training, **kwargs)

    return compute_loss


def _scaled(weights):
    if weights is None:
        return None
    weights = ops.cast(weights, keras.config.floatx())
    share = ops.mean(ops.cast(ops.not_equal(weights, 0), weights.dtype))
    return weights / ops.where(share > 0, share, 1)


def with_classes(sample_weight, y, class_weight):
    """Return the weights of rows times those of their classes, as Keras 2.2 had them.

    Args:
        sample_weight: (N,).
        y: (N,) classes, or (N, C) one-hot.
        class_weight: class -> weight.
    """
    y = np.asarray(y)
    classes = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    weights = [class_weight.get(int(label), 1.0) for label in classes]
    return np.asarray(sample_weight) * np.array(weights)


class _Tap(keras.layers.Layer):
    """Hands a tensor of the graph on, whenever it is computed."""

    def __init__(self, to):
        super().__init__()
        self._to = to

    def call(self, loss):
        self._to(loss)
        return loss

    def compute_output_spec(self, loss):
        return keras.KerasTensor(loss.shape, loss.dtype)


def _add_loss(original):
    """Take tensors that a model computes, and the `inputs` that Keras 2 wanted to know."""

    @functools.wraps(original)
    def add_loss(self, losses, inputs=None):
        found = [loss for loss in keras.tree.flatten(losses) if loss is not None]
        symbolic = [loss for loss in found if isinstance(loss, keras.KerasTensor)]
        concrete = [loss for loss in found if not isinstance(loss, keras.KerasTensor)]
        if concrete or not found:
            original(self, concrete)
        if not symbolic:
            return
        if not isinstance(self, Functional):
            raise ValueError(
                "A tensor can be the loss of a Model with inputs and outputs alone. In a layer, "
                "call add_loss within call()."
            )
        tap = _Tap(functools.partial(original, self))
        # the graph grows; the layers of the model stay those between its inputs and outputs
        taps = getattr(self, "_keras2_taps", tuple)() + tuple(tap(loss) for loss in symbolic)
        self._keras2_taps = lambda: taps  # hidden in a function, since Keras tracks tuples
        self._nodes, self._nodes_by_depth, _, _ = map_graph(self._inputs, [*self._outputs, *taps])

    return add_loss
