"""Caffe's loss layers as Keras losses, and its accuracy: one number for a batch."""

from math import prod

import keras
import numpy as np
from keras import ops

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._net import LOSS_LAYERS
from pyimagesearch.caffe.layers._order import to_caffe

SMALLEST = float(np.finfo(np.float32).tiny)  # what Caffe takes the logarithm of instead of 0

registered = keras.saving.register_keras_serializable("pyimagesearch.caffe")


class CaffeLoss(keras.losses.Loss):
    """What the losses share: they return the batch's loss, a scalar, and not one for each item."""

    def __init__(self, name=None, **kwargs):
        kwargs["reduction"] = "sum"  # of one number
        super().__init__(name=name, **kwargs)


class _Ignoring(CaffeLoss):
    """A loss over labels, some of which may be left out.

    Args:
        ignore_label: the label that does not count, or None.
        normalization: what the sum is divided by: "VALID" labels, "FULL" (all of them),
            "BATCH_SIZE" or "NONE".
    """

    def __init__(self, ignore_label=None, normalization="VALID", **kwargs):
        super().__init__(**kwargs)
        self.ignore_label = ignore_label
        self.normalization = normalization

    def counted(self, labels):
        """Return 1 for each label that counts, 0 for the others."""
        if self.ignore_label is None:
            return ops.ones_like(labels)
        return ops.cast(labels != self.ignore_label, labels.dtype)

    def normalized(self, total, counted):
        if self.normalization == "VALID":
            return total / ops.maximum(ops.sum(counted), 1.0)
        if self.normalization == "FULL":
            return total / ops.sum(ops.ones_like(counted))
        return total / _items(counted) if self.normalization == "BATCH_SIZE" else total

    def get_config(self):
        own = {"ignore_label": self.ignore_label, "normalization": self.normalization}
        return super().get_config() | own


@registered
class SoftmaxWithLoss(_Ignoring):
    """The mean cross-entropy of probabilities, the softmax itself being a layer of the model.

    `y_true` holds class numbers, as many as there are predictions in Caffe's order.

    Args:
        axis: of the classes in Caffe's blob.
    """

    def __init__(self, axis=1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, y_true, y_pred):
        y_pred = ops.moveaxis(to_caffe(y_pred), self.axis, -1)
        labels = ops.reshape(to_caffe(y_true), ops.shape(y_pred)[:-1])
        counted = self.counted(labels)
        classes = ops.one_hot(ops.cast(labels, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
        chosen = ops.sum(classes * y_pred, axis=-1)
        logs = -ops.log(ops.maximum(chosen, SMALLEST))
        return self.normalized(ops.sum(logs * counted), counted)

    def get_config(self):
        return super().get_config() | {"axis": self.axis}


@registered
class EuclideanLoss(CaffeLoss):
    """The sum of the squared differences over twice the number of items."""

    def call(self, y_true, y_pred):
        y_true, y_pred = _alike(y_true, y_pred)
        return ops.sum(ops.square(y_pred - y_true)) / (2 * _items(y_pred))


@registered
class SigmoidCrossEntropyLoss(_Ignoring):
    """The cross-entropy of logits and targets of 0 to 1, summed over each item."""

    def __init__(self, ignore_label=None, normalization="BATCH_SIZE", **kwargs):
        super().__init__(ignore_label, normalization, **kwargs)

    def call(self, y_true, y_pred):
        targets, y_pred = _alike(y_true, y_pred)
        counted = self.counted(targets)
        each = ops.maximum(y_pred, 0) - y_pred * targets + ops.log1p(ops.exp(-ops.abs(y_pred)))
        return self.normalized(ops.sum(each * counted), counted)


@registered
class HingeLoss(CaffeLoss):
    """One class against all others: max(0, 1 - t * y), t being 1 for the label and -1 else.

    Args:
        norm: "L1" sums it over each item, "L2" its square.
    """

    def __init__(self, norm="L1", **kwargs):
        super().__init__(**kwargs)
        self.norm = norm

    def call(self, y_true, y_pred):
        scores = ops.reshape(to_caffe(y_pred), (-1, prod(y_pred.shape[1:])))
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        signs = 2 * ops.one_hot(labels, scores.shape[1], dtype=scores.dtype) - 1
        margins = ops.maximum(1 - signs * scores, 0)
        return ops.sum(ops.square(margins) if self.norm == "L2" else margins) / _items(scores)

    def get_config(self):
        return super().get_config() | {"norm": self.norm}


@registered
class TopLoss(CaffeLoss):
    """The sum of a top that has a loss_weight: whatever layer made it. `y_true` means nothing."""

    def call(self, y_true, y_pred):
        return ops.sum(y_pred)


def _alike(y_true, y_pred):
    """Return both in Caffe's order and in the shape of the predictions."""
    y_pred = to_caffe(y_pred)
    return ops.reshape(to_caffe(y_true), ops.shape(y_pred)), y_pred


def _items(tensor):
    return ops.cast(ops.shape(tensor)[0], tensor.dtype)


def loss_of(layer):
    """Return the Keras loss of a loss layer, or of any other one whose top has a loss_weight.

    Args:
        layer: a Layer of a net.
    Raises:
        NotImplementedError: for another layer or option.
    """
    if layer.type == "SoftmaxWithLoss":
        axis = layer.message.softmax_param.axis
        return SoftmaxWithLoss(axis, name=layer.keras_name, **_counting(layer, "VALID"))
    if layer.type == "SigmoidCrossEntropyLoss":
        return SigmoidCrossEntropyLoss(name=layer.keras_name, **_counting(layer, "BATCH_SIZE"))
    if layer.type == "EuclideanLoss":
        return EuclideanLoss(name=layer.keras_name)
    if layer.type == "HingeLoss":
        return HingeLoss(layer.message.hinge_loss_param.norm, name=layer.keras_name)
    if layer.type in LOSS_LAYERS:
        raise NotImplementedError(
            f"{layer.where}: layer {layer.name!r} of type {layer.type} is a loss that is not "
            "trained. SoftmaxWithLoss, EuclideanLoss, SigmoidCrossEntropyLoss and HingeLoss are."
        )
    return TopLoss(name=layer.keras_name)


def _counting(layer, usual):
    param = layer.message.loss_param
    normalization = param.normalization if param.has("normalization") else usual
    if param.has("normalize") and not param.has("normalization"):  # its older spelling
        normalization = "VALID" if param.normalize else "BATCH_SIZE"
    ignored = param.ignore_label if param.has("ignore_label") else None
    return {"ignore_label": ignored, "normalization": normalization}


def accuracy(predictions, labels, *, axis=1, top_k=1, ignore_label=None):
    """Return the share of predictions with the label among the `top_k` largest, as Caffe counts.

    A class of the same score as the label's counts as larger.

    Args:
        predictions: array of scores; of four axes (N, H, W, C).
        labels: array of class numbers, one for each prediction; of four axes (N, H, W, 1).
        axis: of the classes in Caffe's blob.
        ignore_label: the label that does not count.
    Raises:
        CaffeError: if a label is none of the classes.
    """
    scores = np.moveaxis(_caffes(np.asarray(predictions)), axis, -1)
    scores = scores.reshape(-1, scores.shape[-1])
    labels = _caffes(np.asarray(labels)).reshape(-1).astype(np.int64)
    if ignore_label is not None:
        scores, labels = scores[labels != ignore_label], labels[labels != ignore_label]
    check_labels(labels, scores.shape[-1])
    if not len(labels):
        return 0.0
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    return float(np.mean((scores >= own).sum(axis=1) <= top_k))


def _caffes(array):
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


def check_labels(labels, classes, where="The data"):
    """Raise CaffeError where a label is no class; Caffe itself would read past the scores."""
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise CaffeError(
            f"{where} have the label {wrong}, and the net has {classes} classes, 0 to "
            f"{classes - 1}. Mend the labels, or num_output of the last layer."
        )
