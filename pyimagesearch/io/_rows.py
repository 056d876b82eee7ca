"""The rows of a data set: read window after window, taken as whoever makes batches needs them."""

import os
from math import prod
from pathlib import Path

import numpy as np

from pyimagesearch.io._checks import compact_dtype
from pyimagesearch.io._encoding import decode_row
from pyimagesearch.io._reading import encoding_of, rows_offset
from pyimagesearch.utils.hdf5safety import check_rows, damage_named
from pyimagesearch.utils.recycling import Recycler


class RowReader:
    """Reads windows of rows (see _order.py) of an h5py.Dataset. Call `close()` at the end.

    Attributes:
        shape, dtype: of a row as batches are made of it: float32 for float64, an image for the
            bytes of its file.
        row_bytes: bytes of one in the data set, on average.
    """

    def __init__(self, data, path):
        self._data = data
        self._path = path
        self._recycler = Recycler(keep=2)
        self._file = None
        with damage_named(path):
            self._encoding = encoding_of(data)
            if self._encoding is None:
                self.shape, self.dtype = data.shape[1:], compact_dtype(data.dtype)
                self.row_bytes = max(1, prod(self.shape) * self.dtype.itemsize)
            else:
                self.shape, self.dtype = self._encoding[1], np.dtype(np.uint8)
                self.row_bytes = max(1, Path(path).stat().st_size // len(data))
            self._offset = rows_offset(data) if self.dtype == data.dtype else None

    def read(self, window):
        """Return the rows of a window, their numbers in the file, and the order to visit them."""
        blocks, order = window
        numbers = np.concatenate([np.arange(start, stop) for start, stop in blocks])
        with damage_named(self._path):
            if self._encoding is None:
                return self._read_pixels(blocks, len(numbers)), numbers, order
            for start, stop in blocks:
                check_rows(self._data, start, stop, self._path)
            rows = np.concatenate([self._data[start:stop] for start, stop in blocks])
        return EncodedRows(rows, numbers, self._encoding, self._path), numbers, order

    def close(self):
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read_pixels(self, blocks, count):
        rows = self._recycler.empty((count, *self.shape), self.dtype)
        if self._offset is not None and self._file is None:
            self._file = os.dup(self._data.file.id.get_vfd_handle())
        filled = 0
        for start, stop in blocks:
            into = slice(filled, filled + stop - start)
            if self._file is None:
                self._data.read_direct(rows, np.s_[start:stop], into)
            else:
                self._read_bytes(start, rows[into])
            filled = into.stop
        return rows

    def _read_bytes(self, start, rows):
        """Read rows where they lie in the file: as fast as the system, and beside HDF5's lock."""
        rest = memoryview(rows.reshape(-1).view(np.uint8))
        position = self._offset + start * self.row_bytes
        while rest:
            count = os.preadv(self._file, [rest], position)
            if not count:
                raise OSError(f"{self._path} is truncated. Build it again.")
            rest, position = rest[count:], position + count


class EncodedRows:
    """Rows of image files; `rows[i]` is decoded when somebody asks for it, in their thread."""

    def __init__(self, rows, numbers, encoding, path):
        self._rows = rows
        self._numbers = numbers
        self._encoding = encoding
        self._path = path

    def __getitem__(self, place):
        name = f"Row {self._numbers[place]} of {self._path}"
        return decode_row(self._rows[place], *self._encoding, name)


class Rows:
    """Rows to take one after the other.

    Args:
        windows: iterator of (rows, numbers, order): rows read together, their numbers in the file,
            and the order to visit them in, a range or an array.
    """

    def __init__(self, windows):
        self._windows = windows
        self._window = None, None, ()
        self._start = 0

    def take(self, count):
        """Yield the next `count` rows as parts (rows, places, numbers): rows[places] of each."""
        while count:
            if self._start == len(self._window[2]):
                self._window = None, None, ()  # its memory may serve the next one
                self._window, self._start = next(self._windows), 0
            rows, numbers, order = self._window
            places = order[self._start : self._start + count]
            self._start += len(places)
            count -= len(places)
            yield rows, places, taken(numbers, places)


def taken(rows, places):
    """Return rows[places]: a view for a range, a copy for an array."""
    return rows[places.start : places.stop] if isinstance(places, range) else rows[places]


def joined(parts, count, empty):
    """Return the rows of all parts in one array, made by `empty`; a view where that does."""
    if len(parts) == 1:
        rows, places, _ = parts[0]
        return taken(rows, places)
    first = parts[0][0]
    images, filled = empty((count, *first.shape[1:]), first.dtype), 0
    for rows, places, _ in parts:
        into = images[filled : filled + len(places)]
        np.take(rows, places, axis=0, out=into, mode="clip")  # the default mode copies twice
        filled += len(places)
    return images
