"""Caffe's losses and its accuracy."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from pyimagesearch.caffe import CaffeError
from pyimagesearch.caffe._net import net_of
from pyimagesearch.caffe._text import parse_text
from pyimagesearch.caffe.losses import accuracy, loss_of

RNG = np.random.default_rng(7)


def loss(text, labels, predictions):
    layers = net_of(
        parse_text(
            "input: 'data' input: 'label' "
            f"layer {{ name: 'l' bottom: 'data' bottom: 'label' {text} }}",
            *("NetParameter", "net.prototxt"),
        )
    ).layers
    value = loss_of(layers[0])(np.asarray(labels, np.float32), predictions)
    assert value.shape == ()
    return float(value)


def test_softmax():
    probabilities = softmax(RNG.normal(size=(6, 5)), axis=1).astype(np.float32)
    labels = np.array([0, 4, 2, 2, 1, 3])
    expected = -np.log(probabilities[np.arange(6), labels])
    for shape in ((6,), (6, 1), (6, 1, 1, 1)):
        given = loss("type: 'SoftmaxWithLoss'", labels.reshape(shape), probabilities)
        np.testing.assert_allclose(given, expected.mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "divisor"),
    [
        *[("", 4), ("normalization: VALID", 4), ("normalization: FULL", 6)],
        *[("normalization: BATCH_SIZE", 6), ("normalization: NONE", 1)],
        *[("normalize: true", 4), ("normalize: false", 6)],
    ],
)
def test_softmax_with_labels_left_out(text, divisor):
    probabilities = softmax(RNG.normal(size=(6, 5)), axis=1).astype(np.float32)
    labels = np.array([0, 4, 255, 2, 255, 3])
    kept = labels != 255
    expected = -np.log(probabilities[kept, labels[kept]]).sum() / divisor
    text = f"type: 'SoftmaxWithLoss' loss_param {{ ignore_label: 255 {text} }}"
    np.testing.assert_allclose(loss(text, labels, probabilities), expected, rtol=1e-6)


def test_softmax_of_maps():
    probabilities = softmax(RNG.normal(size=(2, 3, 4, 5)), axis=-1).astype(np.float32)
    labels = RNG.integers(5, size=(2, 1, 3, 4))  # N x 1 x H x W, as Caffe has it
    expected = -np.log(np.take_along_axis(probabilities, labels[:, 0, :, :, None], -1)).mean()
    given = loss("type: 'SoftmaxWithLoss'", labels.transpose(0, 2, 3, 1), probabilities)
    np.testing.assert_allclose(given, expected, rtol=1e-6)


def test_softmax_along_another_axis():
    """Classes in the rows of N x C x H x W."""
    blob = softmax(RNG.normal(size=(2, 3, 4, 5)), axis=2).astype(np.float32)
    labels = RNG.integers(4, size=(2, 3, 5))
    expected = -np.log(np.take_along_axis(blob, labels[:, :, None], 2)).mean()
    text = "type: 'SoftmaxWithLoss' softmax_param { axis: 2 }"
    np.testing.assert_allclose(loss(text, labels, blob.transpose(0, 2, 3, 1)), expected, rtol=1e-6)


def test_maps_are_compared_in_caffes_order():
    """Labels of (N, C * H * W) with a map, and of (N, C, H, W) with a vector."""
    blob, labels = RNG.normal(size=(2, 3, 4, 5, 6)).astype(np.float32)
    expected = ((blob - labels) ** 2).sum() / 6
    maps = [array.transpose(0, 2, 3, 1) for array in (blob, labels)]
    flat = [array.reshape(3, -1) for array in (blob, labels)]
    for predictions, truth in ((maps[0], maps[1]), (maps[0], flat[1]), (flat[0], maps[1])):
        given = loss("type: 'EuclideanLoss'", truth, predictions)
        np.testing.assert_allclose(given, expected, rtol=1e-5)


def test_softmax_of_a_probability_of_0_is_finite():
    given = loss("type: 'SoftmaxWithLoss'", [1], np.array([[1, 0]], np.float32))
    np.testing.assert_allclose(given, -np.log(np.finfo(np.float32).tiny), rtol=1e-6)


def test_euclidean_is_half_the_width_times_mean_squared_error():
    predictions, labels = RNG.normal(size=(2, 6, 4)).astype(np.float32)
    given = loss("type: 'EuclideanLoss'", labels, predictions)
    np.testing.assert_allclose(given, np.mean((predictions - labels) ** 2) * 4 / 2, rtol=1e-6)


def test_sigmoid_cross_entropy():
    logits = (30 * RNG.normal(size=(6, 4))).astype(np.float32)
    targets = RNG.integers(2, size=(6, 4))
    probabilities = np.clip(expit(logits.astype(np.float64)), 1e-300, 1 - 1e-16)
    each = targets * np.log(probabilities) + (1 - targets) * np.log(expit(-logits.astype(float)))
    given = loss("type: 'SigmoidCrossEntropyLoss'", targets, logits)
    np.testing.assert_allclose(given, -each.sum() / 6, rtol=1e-5)


@pytest.mark.parametrize(("norm", "power"), [("L1", 1), ("L2", 2)])
def test_hinge(norm, power):
    scores = RNG.normal(size=(6, 5)).astype(np.float32)
    labels = np.array([0, 4, 2, 2, 1, 3])
    signs = 2 * np.eye(5)[labels] - 1
    expected = (np.maximum(0, 1 - signs * scores) ** power).sum() / 6
    given = loss(f"type: 'HingeLoss' hinge_loss_param {{ norm: {norm} }}", labels, scores)
    np.testing.assert_allclose(given, expected, rtol=1e-6)


def test_other_losses_are_named():
    with pytest.raises(NotImplementedError, match="line 1: layer 'l' of type InfogainLoss"):
        loss("type: 'InfogainLoss'", [1], np.ones((1, 2)))


def test_accuracy():
    scores = np.array([[3, 1, 2], [1, 1, 0], [0, 5, 6], [9, 8, 7]])
    assert accuracy(scores, [0, 2, 2, 1]) == 0.5
    assert accuracy(scores, [0, 2, 2, 1], top_k=2) == 0.75
    assert accuracy(scores, [0, 0, 2, 0]) == 0.75  # two equal scores: the label's is not largest
    assert accuracy(scores, [0, -1, 2, 1], ignore_label=-1) == pytest.approx(2 / 3)
    maps = np.stack([scores, scores])[:, None]  # N x H x W x C
    assert accuracy(maps, [[0, 2, 2, 1]] * 2) == 0.5
    rows = np.stack([scores, scores]).transpose(0, 2, 1)[:, :, :, None]  # classes in the rows
    assert accuracy(rows, [[0, 2, 2, 1]] * 2, axis=2) == 0.5
    with pytest.raises(CaffeError, match="the label 3, and the net has 3 classes, 0 to 2"):
        accuracy(scores, [0, 1, 2, 3])
