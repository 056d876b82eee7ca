"""The order in which one pass visits the rows of a file."""

import numpy as np

# Rows next to each other on the disk are read together, this many bytes at a time ...
BLOCK_BYTES = 2**19
# ... and this many blocks, from all over the file, are mixed row by row.
WINDOW_BLOCKS = 24


def window_rows(rowBytes):
    """Return how many rows are read together at least, if they are neighbours anyway."""
    return max(1, WINDOW_BLOCKS * BLOCK_BYTES // rowBytes)


def in_file_order(rows, size):
    """Yield windows of `size` rows, the last may have fewer, as `shuffled` yields them."""
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        yield [(start, stop)], range(stop - start)


def shuffled(rows, rowBytes, seed, number):
    """Yield windows: rows to be read together, and the order to visit them in.

    A file sorted by class gives mixed batches, since the blocks of a window lie anywhere in the
    file, and only contiguous blocks are read. A window takes about 12 MB (more only where 24 single
    rows do).

    Args:
        rows: number of rows in the file.
        rowBytes: bytes of one row.
        seed, number: the order is a function of these two, the seed and the pass, alone.
    Yields:
        (blocks, order): (start, stop) pairs in file order, and a permutation of all their rows.
    """
    # a stream apart from the batches' own: default_rng([seed, pass]) equals [seed, pass, 0]
    rng = np.random.default_rng([seed, number]).spawn(1)[0]
    size = max(1, BLOCK_BYTES // rowBytes)
    starts = rng.permutation(np.arange(0, rows, size))
    for window in np.array_split(starts, -(-len(starts) // WINDOW_BLOCKS)):
        blocks = [(int(start), int(min(start + size, rows))) for start in np.sort(window)]
        yield blocks, rng.permutation(sum(stop - start for start, stop in blocks))
