"""Rank-N accuracy: how often the true class is among the N best guesses."""

import cv2
import numpy as np

BLOCK_SCORES = 1 << 18  # scores compared at a time: 1 MB of float32, which stays in the cache
WIDE = 400  # columns from which a short buffer makes NumPy's comparisons faster, not slower


def rank5_accuracy(preds, labels):
    """Return the rank-1 and rank-5 accuracy as fractions of 1.

    With fewer than five classes the rank-5 accuracy is 1.0. Arguments, ties and errors are those
    of `rank_accuracy`.

    Returns:
        (rank1, rank5): two floats.

    Example:
        rank1, rank5 = rank5_accuracy(model.predict(images), labels)
    """
    return rank_accuracy(preds, labels, ranks=(1, 5))


def rank_accuracy(preds, labels, ranks=(1, 5)):
    """Return, for each rank, the fraction of rows whose true class is among that many best.

    Classes of equal score rank in the order of their index, the lower one first: with the scores
    [0.4, 0.4, 0.2] class 0 has rank 1 and class 1 rank 2. A rank of at least the number of
    classes is always reached.

    Args:
        preds: (n, classes) scores or probabilities, higher is better; an array or a list of rows.
        labels: (n,) indices of the true classes, integers.
        ranks: positive integers.
    Returns:
        A tuple of floats in the order of `ranks`.
    Raises:
        ValueError: if shapes or lengths do not fit, nothing is given, a score is NaN, a label is
            not the index of a class, or a rank is not a positive integer.
    """
    accuracy = RankAccuracy(ranks)
    accuracy.update(preds, labels)
    return accuracy.result()


class RankAccuracy:
    """`rank_accuracy` batch by batch, for predictions that need not fit in memory together.

    Args:
        ranks: positive integers.
    Raises:
        ValueError: if a rank is not a positive integer.

    Example:
        accuracy = RankAccuracy()
        for images, labels in batches:
            accuracy.update(model.predict_on_batch(images), labels)
        rank1, rank5 = accuracy.result()
    """

    def __init__(self, ranks=(1, 5)):
        ranks = np.atleast_1d(ranks)
        if ranks.size == 0 or ranks.dtype.kind not in "iu" or ranks.min() < 1:
            raise ValueError(f"ranks must be positive integers. Received: {ranks.tolist()}.")
        self.ranks = tuple(ranks.tolist())
        self._rows, self._reached = 0, [0] * len(self.ranks)

    def update(self, preds, labels):
        """Count a batch. Arguments, ties and errors are those of `rank_accuracy`.

        A batch that is refused is not counted.
        """
        reached = true_class_ranks(preds, labels)
        self._rows += len(reached)
        for i, rank in enumerate(self.ranks):
            self._reached[i] += int(np.count_nonzero(reached <= rank))

    def result(self):
        """Return, for each rank, its accuracy over all rows so far: a tuple of floats.

        Raises:
            ValueError: if there were none.
        """
        if self._rows == 0:
            raise ValueError("There is no accuracy of no predictions. Call update first.")
        return tuple(count / self._rows for count in self._reached)


def true_class_ranks(preds, labels):
    """Return the rank of each row's true class, 1 for the best: (n,) integers.

    Arguments, ties and errors are those of `rank_accuracy`.
    """
    preds, labels = _checked(preds, labels)
    n, classes = preds.shape
    ranks = np.empty(n, dtype=np.intp)
    step = max(1, BLOCK_SCORES // classes)
    # one array for all comparisons: the pages of a new one cost more than filling it
    truth = np.empty((min(n, step), classes), dtype=bool)
    with np.errstate():  # at whose end NumPy's buffer has its old size again
        if classes >= WIDE:
            # NumPy repeats a row's true score until its buffer of 8,192 is full, but does not
            # repeat it for a row that is longer than the buffer
            np.setbufsize(16)
        for start in range(0, n, step):
            rows = slice(start, start + step)
            ranks[rows] = _ranks_of_block(preds[rows], labels[rows, None], start, truth)
    return ranks


def _ranks_of_block(preds, labels, start, truth):
    true, truth = np.take_along_axis(preds, labels, axis=1), truth[: len(preds)]
    # counting what beats the true class needs one pass, sorting the row needs many
    ranks = 1 + _count_in_rows(np.greater(preds, true, out=truth))
    # every other score is above or below the true one, unless there are ties or NaN
    if ranks.sum() + np.count_nonzero(np.less(preds, true, out=truth)) < preds.size:
        bad = np.isnan(preds).any(axis=1)
        if bad.any():
            raise ValueError(
                f"preds must not hold NaN. Received: NaN in row {start + int(bad.argmax())}. "
                f"Did the training diverge?"
            )
        before = np.arange(preds.shape[1]) < labels
        ranks += _count_in_rows(before & np.equal(preds, true, out=truth))
    return ranks


def _count_in_rows(truth):
    """Return how many are true in each row of (n, m) bools: several times as fast as NumPy."""
    return cv2.reduce(truth.view(np.uint8), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]


def _checked(preds, labels):
    """Return both as arrays; raise ValueError where they cannot be ranked."""
    try:
        preds, labels = np.asarray(preds), np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"preds and labels must have rows of equal length: {error}") from error
    if preds.ndim != 2 or preds.size == 0 or preds.dtype.kind not in "fiu":
        raise ValueError(
            f"preds must be an (n, classes) array of numbers, at least one row. "
            f"Received: shape {preds.shape}, {preds.dtype}."
        )
    if labels.ndim != 1:
        raise ValueError(
            f"labels must be an (n,) array of class indices, not one-hot rows. "
            f"Received: shape {labels.shape}. "
            f"One-hot labels become indices with labels.argmax(axis=1)."
        )
    if len(preds) != len(labels):
        raise ValueError(
            f"preds and labels must have the same length. "
            f"Received: {len(preds)} predictions and {len(labels)} labels."
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be integers, the indices of the classes. Received: {labels.dtype}, "
            f"such as {labels[0]}."
        )
    if labels.min() < 0 or labels.max() >= preds.shape[1]:
        raise ValueError(
            f"labels must be 0 to {preds.shape[1] - 1}, since preds have {preds.shape[1]} "
            f"columns. Received: labels from {labels.min()} to {labels.max()}."
        )
    return preds, labels
