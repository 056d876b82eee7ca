"""Losses of Keras 2: what counts in them, and tensors that are losses."""

import functools

import keras
import numpy as np
from keras import ops
from keras.src.losses import losses
from keras.src.models.functional import Functional
from keras.src.ops.function import map_graph

from pyimagesearch.keras2._era import is_of_tensorflow


def install():
    """Patch what has to do with losses in models and layers."""
    keras.Model.compute_loss = _over_rows_that_count(keras.Model.compute_loss)
    add_loss = _add_loss(keras.layers.Layer.add_loss)
    keras.layers.Layer.add_loss = Functional.add_loss = add_loss
    keras.layers.Layer.__call__ = _sum_of_activities(keras.layers.Layer.__call__)
    losses.convert_binary_labels_to_hinge = _as_given(losses.convert_binary_labels_to_hinge)


def _as_given(original):
    """Let labels of the hinge losses be 0 where they are 0: Keras 3 reads it as -1."""

    @functools.wraps(original)
    def labels(y_true):
        return original(y_true) if is_of_tensorflow() else y_true

    return labels


def _sum_of_activities(original):
    """Add up what `activity_regularizer` says of a batch: Keras 3 divides it by the rows."""

    @functools.wraps(original)
    def __call__(self, *args, **kwargs):
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is None or is_of_tensorflow():
            return original(self, *args, **kwargs)
        self.activity_regularizer = None
        try:
            outputs = original(self, *args, **kwargs)
        finally:
            self.activity_regularizer = regularizer
        for output in keras.tree.flatten(outputs):
            if not isinstance(output, keras.KerasTensor):
                self.add_loss(regularizer(output))
        return outputs

    return __call__


def _over_rows_that_count(original):
    """Divide a weighted loss by the number of rows whose weight is not 0."""

    @functools.wraps(original)
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True, **kwargs
    ):
        y = keras.tree.map_structure(as_column, y)
        if sample_weight is not None:
            sample_weight = keras.tree.map_structure(_scaled, sample_weight)
        return original(self, x, y, y_pred, sample_weight, training, **kwargs)

    return compute_loss


def as_column(labels):
    """Return labels (N,) as (N, 1), the shape that functions of the script expect."""
    return ops.expand_dims(labels, -1) if len(getattr(labels, "shape", ())) == 1 else labels


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
                "The loss of a layer can use what its call() is given, and no other tensors of "
                "the network. Hand those to the layer, too, or give the loss to model.add_loss()."
            )
        tap = _Tap(functools.partial(original, self))
        # the graph grows; the layers of the model stay those between its inputs and outputs
        taps = getattr(self, "_keras2_taps", tuple)() + tuple(tap(loss) for loss in symbolic)
        self._keras2_taps = lambda: taps  # hidden in a function, since Keras tracks tuples
        self._nodes, self._nodes_by_depth, _, _ = map_graph(self._inputs, [*self._outputs, *taps])

    return add_loss
