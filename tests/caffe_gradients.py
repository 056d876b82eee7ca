"""Gradients on each Keras backend, against central differences of a function in NumPy."""

import keras
import numpy as np

from pyimagesearch.caffe._weights import blob_shape, order_of

# Keras's float64 is float32 in parts on its other backends
DOUBLE = keras.backend.backend() == "tensorflow"
DTYPE = np.dtype("float64" if DOUBLE else "float32")


def call(model, inputs):
    """Call a model with a list of inputs, which may be one."""
    inputs = inputs if len(inputs) > 1 else inputs[0]
    if keras.backend.backend() == "jax":
        import jax  # noqa: PLC0415

        weights = [v.value for v in model.trainable_variables]
        fixed = [v.value for v in model.non_trainable_variables]
        return jax.jit(model.stateless_call)(weights, fixed, inputs)[0]  # compiled once as a whole
    return model(inputs)


def gradients(model, inputs, share):
    """Return the gradients of sum(share * output) to the inputs and the trainable weights."""
    variables = model.trainable_variables
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415

        tensors = [tf.convert_to_tensor(x) for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = tf.reduce_sum(call(model, tensors) * share)
        found = tape.gradient(
            total,
            [*tensors, *(v.value for v in variables)],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
    elif keras.backend.backend() == "jax":
        import jax  # noqa: PLC0415

        def total(tensors, weights):
            fixed = [v.value for v in model.non_trainable_variables]
            first = tensors if len(tensors) > 1 else tensors[0]
            y, _ = model.stateless_call(weights, fixed, first)
            return (y * share).sum()

        first, second = jax.jit(jax.grad(total, (0, 1)))(
            [jax.numpy.asarray(x) for x in inputs], [v.value for v in variables]
        )
        found = [*first, *second]
    else:
        import torch  # noqa: PLC0415

        tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
        values = [*tensors, *(v.value for v in variables)]
        total = (call(model, tensors) * torch.tensor(share)).sum()
        found = torch.autograd.grad(total, values, allow_unused=True)
        found = [
            torch.zeros_like(x) if g is None else g for g, x in zip(found, values, strict=True)
        ]
    return [keras.ops.convert_to_numpy(g) for g in found]


def as_blobs(layer, weights):
    """Return weights of a layer as Caffe's blobs."""
    blobs = []
    for i, weight in enumerate(weights):
        order, shape = order_of(layer, i), blob_shape(layer, i)
        blobs.append(
            (weight if order is None else weight.transpose(np.argsort(order))).reshape(shape)
        )
    return blobs


def check(model, inputs, function, rng, directions=4, step=1e-5):
    """Compare gradients with central differences, in float64, along random directions.

    Args:
        model: whose layer "layer" holds the weights, or there are none.
        inputs: list of arrays.
        function: of the inputs and of all weights of the layer as blobs, what the model computes.
    """
    layer = next((layer for layer in model.layers if layer.name == "layer"), None)
    variables = layer.weights if layer else []
    moving = [v.trainable for v in variables]
    start = [*inputs, *(keras.ops.convert_to_numpy(v) for v in variables)]
    start = [np.float64(v) for v in start]
    share = rng.normal(
        size=np.shape(function(*start[: len(inputs)], *as_blobs(layer, start[len(inputs) :])))
    ).astype(DTYPE)
    found = gradients(model, inputs, share)
    assert all(g.dtype == DTYPE for g in found)
    assert any(np.any(g) for g in found)
    for _ in range(directions):
        ways = [rng.normal(size=v.shape) for v in start]
        ends = []
        for sign in (1, -1):
            moved = [
                v + sign * step * way if i < len(inputs) or moving[i - len(inputs)] else v
                for i, (v, way) in enumerate(zip(start, ways, strict=True))
            ]
            blobs = as_blobs(layer, moved[len(inputs) :])
            ends.append(np.sum(share * function(*moved[: len(inputs)], *blobs)))
        expected = (ends[0] - ends[1]) / (2 * step)
        ways = [w for i, w in enumerate(ways) if i < len(inputs) or moving[i - len(inputs)]]
        parts = [g * way for g, way in zip(found, ways, strict=True)]
        size = sum(np.abs(part).sum() for part in parts)
        error = abs(sum(part.sum() for part in parts) - expected)
        assert error <= (1e-6 if DOUBLE else 1e-4) * size, (error, size)
