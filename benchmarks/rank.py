"""Rank-1 and rank-5 accuracy of 10,000 predictions of 1,000 classes.

    python benchmarks/rank.py

The bare limit reads each score once, for a maximum, on one core.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import harness
import numpy as np

from pyimagesearch.utils.ranked import rank5_accuracy


def prepare(folder, args):
    count = harness.size(args, 10_000, 100)
    rng = np.random.default_rng(0)
    np.save(folder / "preds.npy", rng.random((count, 1000), np.float32))
    np.save(folder / "labels.npy", rng.integers(0, 1000, count))


def way(measure):
    """Make a way of function(preds, labels) -> (rank-1, rank-5)."""

    def setup(folder, args):
        preds, labels = np.load(folder / "preds.npy"), np.load(folder / "labels.npy")
        expected = rank5_accuracy(preds, labels)

        def run(passes):
            for _ in range(passes):
                ranks = measure(preds, labels)
            assert ranks is None or np.allclose(ranks, expected)
            return passes * len(preds)

        return run

    return setup


def book(preds, labels):
    rank1 = rank5 = 0
    for scores, label in zip(preds, labels, strict=True):
        best = np.argsort(scores)[::-1]
        rank5 += label in best[:5]
        rank1 += label == best[0]
    return rank1 / len(labels), rank5 / len(labels)


def in_top_k(preds, labels):
    import tensorflow as tf

    return [np.mean(tf.math.in_top_k(labels, preds, k)) for k in (1, 5)]


def bare(preds, labels):
    preds.max()


WAYS = {"2017": way(book), "tf.math.in_top_k": way(in_top_k), "ours": way(rank5_accuracy)}
ROWS = [
    harness.Row(__file__, "rank accuracy", {**WAYS, "bare limit": way(bare)}, prepare, "rows/s")
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
