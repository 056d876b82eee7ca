"""How the data sets lie in a file that is being written, so that a killed run leaves it readable.

The place of every row is fixed before the first one is written. From then on the file changes in
two ways only: rows go to their places, and one number, the attribute `idx`, says how many are
there. Places not written to take no space on the disk, and `finish` gives back those no row came
for.
"""

import math
import os

import h5py
import numpy as np

from pyimagesearch.io import _encodedstorage

# A chunk is a 128th of the rows: the last one wastes less than 1 % of the file. But no more than
# this many numbers, 2 MB of uint8 pixels, since fewer rows than announced may come.
CHUNKS = 128
CHUNK_NUMBERS = 2 * 2**20

# `idx` while a file is being finished. A finished file has no `idx`.
FINISHING = -1


def open_file(path, mode, dims, locking):
    """Open a file to write to. Rows reach it at once: HDF5 gets no memory to keep chunks in."""
    # The index of the chunks must lie before the rows: only the end of a file can be given back.
    # It takes about 64 bytes for each; HDF5's own default is room for 32.
    index_bytes = 16 * 1024 + 128 * (dims[0] // _chunk_rows(dims))
    return h5py.File(path, mode, locking=locking, rdcc_nbytes=0, meta_block_size=index_bytes)


def _chunk_rows(dims):
    return max(1, min(dims[0] // CHUNKS, CHUNK_NUMBERS // math.prod(dims[1:])))


def create(db, dataKey, dims, dtype, about):
    """Make the data sets for the rows, `dims` of them, and their labels.

    `about` is an `_encodedstorage.description`, or {} for plain rows.
    """
    chunk = _chunk_rows(dims)
    row_bytes = 16 if about else math.prod(dims[1:]) * dtype.itemsize
    # HDF5 cannot recover from failing to make the file as long as this, so try it first
    os.truncate(db.filename, dims[0] * (row_bytes + 8))
    _create_one(db, "labels", dims[:1], np.int64, max(chunk, min(dims[0], 1024)))
    if about:
        _encodedstorage.create(db, dataKey, dims[0], about)
    else:
        _create_one(db, dataKey, dims, dtype, chunk)
    db.attrs["idx"] = 0
    db.flush()


def _create_one(db, name, shape, dtype, chunk):
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    db.create_dataset(
        name,
        shape,
        dtype,
        chunks=(chunk, *shape[1:]),
        maxshape=shape,
        fill_time="never",  # no row is written twice
        dcpl=early,
    )


def write(db, dataKey, start, rows, labels):
    """Put rows and labels in their places from row `start` on, then say so."""
    end = start + len(rows)
    db[dataKey][start:end] = rows
    db["labels"][start:end] = labels
    db.attrs.modify("idx", end)
    db.flush()


def finish(db, dataKey, rows, class_labels):
    """Cut the data sets to the first `rows` rows, store the names of the classes, close."""
    db.attrs.modify("idx", FINISHING)
    db.flush()
    db[dataKey].resize(rows, axis=0)
    db["labels"].resize(rows, axis=0)
    if class_labels is not None:
        if "label_names" in db:
            del db["label_names"]
        db.create_dataset("label_names", data=class_labels, dtype=h5py.string_dtype())
    db.flush()
    del db.attrs["idx"]
    db.close()


def resumable_rows(db, dataKey, dims, dtype, about):
    """Return how many rows a file holds already, having made ready to take the others.

    Raises:
        ValueError: if the file was meant for other data, or its run died in `finish`.
    """
    if not {dataKey, "labels"} <= set(db):
        raise ValueError(f"it holds the data sets {sorted(db)}, not {dataKey!r}")
    data = db[dataKey]
    found = _encodedstorage.described(data)
    found_dims = data.maxshape + found.get("shape", ())
    if found_dims != dims:
        raise ValueError(f"its dims are {found_dims}, not {dims}")
    if found != about:
        raise ValueError(f"it holds {_words(found)}, not {_words(about)}")
    if not about and dtype not in {None, data.dtype}:
        raise ValueError(f"its dtype is {data.dtype}, not {dtype}")
    # without idx the run was killed between closing the file and moving it: it is complete
    rows = int(db.attrs.get("idx", len(data)))
    if rows == FINISHING:
        raise ValueError("its run was killed in the moment of finishing it")
    if "idx" not in db.attrs:
        db.attrs["idx"] = rows
        db.flush()
        data.resize(dims[0], axis=0)
        db["labels"].resize(dims[0], axis=0)
        db.flush()
    if about:
        _encodedstorage.clear_after(data, rows)
        db.flush()
    return rows


def _words(about):
    quality = f" of quality {about['quality']}" if "quality" in about else ""
    return f"{about.get('encoding', 'plain')} rows{quality}"
