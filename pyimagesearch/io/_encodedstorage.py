"""How encoded rows, of a length of their own each, lie in a file that is being written.

HDF5 keeps each row's bytes in a heap and only their place in the data set. It would go on filling
the heaps of earlier rows, and a run killed then could leave those torn. So the file is closed after
every write: HDF5 never touches a heap again that it did not open itself. Rows after `idx` may point
to bytes that never came; `clear_after` forgets them.
"""

import os
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.io import _checksums

ROW = h5py.vlen_dtype(np.uint8)
CHUNK_ROWS = 1024  # 16 bytes each
HEAP_BYTES = 4096  # the least that HDF5 takes for a heap


def description(encoding, quality, shape):
    """Return the attributes that tell what the rows are, for `create` and for comparison."""
    about = {"encoding": encoding, "shape": tuple(shape)}
    return about | {"quality": quality} if encoding == "jpeg" else about


def described(data):
    """Return the `description` that a data set carries; an empty dict for plain rows."""
    about = {
        name: data.attrs[name] for name in ("encoding", "shape", "quality") if name in data.attrs
    }
    return {
        name: tuple(value.tolist()) if np.ndim(value) else value for name, value in about.items()
    }


def create(db, dataKey, rows, about):
    """Make the data set of the encoded rows."""
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    data = db.create_dataset(
        dataKey,
        (rows,),
        ROW,
        chunks=(min(rows, CHUNK_ROWS),),
        maxshape=(rows,),
        dcpl=early,
    )
    data.attrs.update(about)


def write(db, dataKey, start, rows, labels, checksums):
    """Put rows, labels and checksums in their places from row `start` on, and close the file."""
    _reserve(db.filename, sum(map(len, rows)) + HEAP_BYTES * (len(rows) + 16))
    end = start + len(rows)
    values = np.empty(len(rows), ROW)
    for number, row in enumerate(rows):  # NumPy would make rows of equal length two-dimensional
        values[number] = row
    db[dataKey].write_direct(values, dest_sel=np.s_[start:end])
    db["labels"][start:end] = labels
    db[_checksums.NAME][start:end] = checksums
    db.close()


def _reserve(path, size):
    """Make the file longer for the moment: HDF5 cannot recover from failing to do so."""
    path = Path(path)
    end = path.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), end, size)
    else:
        os.truncate(path, end + size)


def clear_after(data, rows):
    """Forget where the rows from number `rows` on lie: HDF5 would free those places again."""
    (chunk,) = data.chunks
    for start in range(rows // chunk * chunk, len(data), chunk):
        places = bytearray(data.id.read_direct_chunk((start,))[1])
        keep = max(0, rows - start) * (len(places) // chunk)
        places[keep:] = bytes(len(places) - keep)
        data.id.write_direct_chunk((start,), bytes(places))
