"""Predict over data that does not fit in memory."""

import numpy as np


def predict_batches(model, batches, batchSize=64):
    """Predict every array that an iterable yields, re-cut into batches of one size.

    Small arrays (the ten crops of one image) share a batch and large ones are divided, so that
    the network always sees `batchSize` inputs, save for the last batch. `model.predict` on each
    array would cost its overhead every time and a new graph for every new size.

    Args:
        model: keras.Model with one input and one output.
        batches: iterable of float arrays (n, ...), n >= 1; only as many are held as fill a batch.
        batchSize: inputs in a batch.
    Returns:
        (N, classes) array: one row for each input, in order.
    """
    outputs, held, count = [], [], 0

    def predict_held(size):
        inputs = np.concatenate(held)
        held[:] = [inputs[size:]]
        outputs.append(np.asarray(model.predict_on_batch(inputs[:size])))

    for array in batches:
        held.append(array)
        count += len(array)
        while count >= batchSize:
            predict_held(batchSize)
            count -= batchSize
    if count:
        predict_held(count)
    return np.concatenate(outputs)
