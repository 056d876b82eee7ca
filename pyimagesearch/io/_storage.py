"""How the data sets lie in a file that is being written, so that a killed run leaves it readable.

The place of every row is fixed before the first one is written. From then on the file changes in
two ways only: rows go to their places, and one number, the attribute `idx`, says how many of them
are safely on the disk. Places not written to take no space there, and `finish` gives back those no
row came for.

Making the data sets and finishing them change the structure of the file, and a kill would leave
that in pieces. So each time a record of the file as it was lies beside it meanwhile, see _undo.py.
"""

import math
import os
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.io import _checksums, _encodedstorage, _undo
from pyimagesearch.utils import files
from pyimagesearch.utils.hdf5safety import check_hdf5

# A chunk is a 128th of the rows: the last one wastes less than 1 % of the file. But no more than
# this many numbers, 2 MB of uint8 pixels, since fewer rows than announced may come.
CHUNKS = 128
CHUNK_NUMBERS = 2 * 2**20

SUPERBLOCK = b"\x89HDF\r\n\x1a\n\0"  # signature and version


def open_file(path, mode, dims, locking):
    """Open a file to write to. Rows reach it at once: HDF5 gets no memory to keep chunks in."""
    # The index of the chunks must lie before the rows: only the end of a file can be given back.
    # It takes about 64 bytes for each; HDF5's own default is room for 32.
    index_bytes = 16 * 1024 + 128 * (dims[0] // _chunk_rows(dims))
    return h5py.File(path, mode, locking=locking, rdcc_nbytes=0, meta_block_size=index_bytes)


def _chunk_rows(dims):
    return max(1, min(dims[0] // CHUNKS, CHUNK_NUMBERS // math.prod(dims[1:])))


def create(db, dataKey, dims, dtype, about):
    """Make the data sets for the rows, `dims` of them, their labels and their checksums.

    `about` is an `_encodedstorage.description`, or {} for plain rows.
    """
    chunk = _chunk_rows(dims)
    small = max(chunk, min(dims[0], 1024))
    row_bytes = 16 if about else math.prod(dims[1:]) * dtype.itemsize
    # HDF5 cannot recover from failing to make the file as long as this, so try it first
    os.truncate(db.filename, dims[0] * (row_bytes + 12))
    _create_one(db, "labels", dims[:1], np.int64, small)
    _create_one(db, _checksums.NAME, dims[:1], np.uint32, small)
    db[_checksums.NAME].attrs["algorithm"] = _checksums.ALGORITHM
    if about:
        _encodedstorage.create(db, dataKey, dims[0], about)
    else:
        _create_one(db, dataKey, dims, dtype, chunk)
    db.attrs["idx"] = 0
    db.flush()
    files.sync(db.filename)
    _undo.forget(db.filename)


def _create_one(db, name, shape, dtype, chunk):
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    db.create_dataset(
        name,
        shape,
        dtype,
        chunks=(chunk, *shape[1:]),
        maxshape=shape,
        fill_time="never",  # no row is read before it is written
        dcpl=early,
    )


def write(db, dataKey, start, rows, labels, checksums):
    """Put rows, labels and checksums in their places from row `start` on."""
    end = start + len(rows)
    db[dataKey][start:end] = rows
    db["labels"][start:end] = labels
    db[_checksums.NAME][start:end] = checksums


def save(db, rows):
    """Have the first `rows` rows safely on the disk, then say so."""
    db.flush()
    files.sync(db.filename)
    db.attrs.modify("idx", rows)
    db.flush()


def finish(db, dataKey, rows, class_labels):
    """Cut the data sets to the first `rows` rows, store the names of the classes, close.

    `save` came before. The caller moves the file away, then forgets the record of it.
    """
    path = Path(db.filename)
    with path.open("rb") as file:
        _undo.record(path, path.stat().st_size, file.read(_head_bytes(db, dataKey)))
    for name in (dataKey, "labels", _checksums.NAME):
        db[name].resize(rows, axis=0)
    if class_labels is not None:
        db.create_dataset("label_names", data=class_labels, dtype=h5py.string_dtype())
        db[_checksums.NAME].attrs["label_names"] = _checksums.of_names(class_labels)
    db.flush()
    del db.attrs["idx"]
    db.close()


def _head_bytes(db, dataKey):
    """Return how far all that `finish` changes reaches: to the first row."""
    data = db[dataKey]
    if _encodedstorage.described(data):  # its chunks hold places; the rows follow in heaps
        last = data.id.get_chunk_info_by_coord(
            ((len(data) - 1) // data.chunks[0] * data.chunks[0],)
        )
        return last.byte_offset + last.size
    return data.id.get_chunk_info_by_coord((0,) * data.ndim).byte_offset


def lengthen(path):
    """Make a file as long as its superblock says: a power failure may have kept only that."""
    with Path(path).open("rb") as file:
        start = file.read(48)
    if start.startswith(SUPERBLOCK):
        size = int.from_bytes(start[40:48], "little")
        if Path(path).stat().st_size < size < 2**62:
            os.truncate(path, size)


def resumable_rows(db, dataKey, dims, dtype, about):
    """Return how many rows a file holds already, having made ready to take the others.

    Raises:
        ValueError: if the file was meant for other data.
        OSError: if a row has changed since it was written.
    """
    if {dataKey, "labels"} <= set(db) and _checksums.NAME not in db:
        raise ValueError("an earlier version of this package began it, without checksums")
    if not {dataKey, "labels", _checksums.NAME} <= set(db):
        raise ValueError(f"it holds the data sets {sorted(db)}, not {dataKey!r}")
    data, rows = db[dataKey], int(db.attrs["idx"])
    if h5py.check_vlen_dtype(data.dtype) is not None:
        _encodedstorage.clear_after(data, rows)
        db.flush()
    check_hdf5(db)
    found = _encodedstorage.described(data)
    found_dims = data.maxshape + found.get("shape", ())
    if found_dims != dims:
        raise ValueError(f"its dims are {found_dims}, not {dims}")
    if found != about:
        raise ValueError(f"it holds {_words(found)}, not {_words(about)}")
    if not about and dtype not in {None, data.dtype}:
        raise ValueError(f"its dtype is {data.dtype}, not {dtype}")
    damaged = _checksums.first_damaged(data, db["labels"][:rows], db[_checksums.NAME])
    if damaged is not None:
        raise OSError(f"row {damaged} does not match its checksum")
    return rows


def _words(about):
    quality = f" of quality {about['quality']}" if "quality" in about else ""
    return f"{about.get('encoding', 'plain')} rows{quality}"
