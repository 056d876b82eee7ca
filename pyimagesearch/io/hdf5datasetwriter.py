"""Write rows and their labels to an HDF5 file as they come."""

import contextlib
import errno
import math
import os
import re
import time
from copy import copy
from pathlib import Path

import numpy as np

from pyimagesearch.io import _checksums, _encodedstorage, _encoding, _storage, _undo
from pyimagesearch.io._checks import check_labels, check_rows, count_entries, whole_number
from pyimagesearch.utils import files
from pyimagesearch.utils.hdf5safety import HDF5Error
from pyimagesearch.utils.locking import hold

HELD_BYTES = 16 * 2**20

# Rows are saved when there are so many bytes of them, or they have waited so long.
SAVE_BYTES = 64 * 2**20
SAVE_SECONDS = 5


class HDF5DatasetWriter:
    """Stream rows and labels into an HDF5 file that appears once it is complete.

    The file holds the data sets `dataKey` (the rows), `labels` (int64), `checksums` (uint32, by
    which `python -m pyimagesearch.io check` finds bytes that have changed since) and, after
    `storeClassLabels`, `label_names` (UTF-8 strings). Until `close()` it is called
    `<outputPath>.partial`. A run that was killed leaves that file; the next run replaces it, or
    continues it with `resume=True`. Best used in a `with` block: leaving the block closes the
    file, an exception leaves the partial file and touches nothing at `outputPath`.

    With `encode` each image is kept as the bytes of a JPEG or PNG file: a seventh or three fifths
    of the size, for photographs, and slower to read. `db["images"][i]` is then such a file, which
    cv2.imdecode takes; the attributes `encoding` and `shape` of the data set say what comes out.

    Args:
        dims: the shape (rows, ...) of the full data set. Fewer rows may come, never more.
        outputPath: the file to write. Missing parent folders are made.
        dataKey: name of the rows' data set.
        bufSize: rows held in memory before they are written; about 16 MB of them at most.
        dtype: type of the stored rows. By default that of the first rows added: uint8 photographs
            stay uint8, float64 becomes float32, other types are kept.
        overwrite: replace a file at `outputPath`, at the moment the new one is complete.
        resume: continue the partial file of a killed run. `idx` says how many rows it holds;
            add those after them. Without a partial file it starts afresh.
        encode: "jpeg", which changes the pixels a little, or "png", which keeps them. For images:
            dims must be (rows, H, W, C) with C 1 or 3, and the rows uint8.
        quality: of the JPEGs, 1 to 100.

    Attributes:
        db: the open h5py.File.
        data, labels: its data sets; None until the first `add` where `dtype` is not given.
        buffer: the rows and labels not written yet, a dict of lists "data" and "labels".
        idx: the number of rows written.
        saved: the number of rows that a killed process, or a power failure, leaves behind.

    Raises:
        FileExistsError: if `outputPath` exists and `overwrite` is False.
        BlockingIOError: if another running process is writing this file.
        OSError: if the file cannot be written, or the partial file not be read.
        ValueError: for impossible arguments, or a partial file that does not fit them.

    Example:
        with HDF5DatasetWriter((2000, 256, 256, 3), "output/train.hdf5") as writer:
            writer.storeClassLabels(["cat", "dog"])
            for image, label in examples:
                writer.add([image], [label])
    """

    def __init__(
        self,
        dims,
        outputPath,
        dataKey="images",
        bufSize=1000,
        *,
        dtype=None,
        overwrite=False,
        resume=False,
        encode=None,
        quality=_encoding.QUALITY,
    ):
        self.dims = tuple(whole_number("Each of dims", size, 1) for size in dims)
        self.outputPath = outputPath
        self.dataKey = dataKey
        self.bufSize = whole_number("bufSize", bufSize, 1)
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.overwrite = overwrite
        self.resume = resume
        self.encode = encode
        self.quality = quality
        self.db = self.data = self.labels = None
        self.buffer = {"data": [], "labels": []}
        self.idx = 0
        self.saved = 0
        if not self.dims:
            raise ValueError("dims must be the shape (rows, ...) of the data set. Received: ().")
        if dataKey in {"", "labels", "label_names", _checksums.NAME}:
            raise ValueError(f"dataKey must be a name of its own. Received: {dataKey!r}.")
        if self.dtype is not None and self.dtype.kind not in "uif":
            raise ValueError(f"dtype must be an integer or float type. Received: {dtype!r}.")
        _encoding.check_options(encode, quality, self.dims[1:])
        if encode is not None:
            if self.dtype not in {None, np.dtype(np.uint8)}:
                raise ValueError(f"Encoded images are uint8. Received: dtype {dtype!r}.")
            self.dtype = np.dtype(np.uint8)
            self._about = _encodedstorage.description(encode, quality, self.dims[1:])
        else:
            self._about = {}
        self._target = Path(outputPath)
        self._partial = Path(f"{outputPath}.partial")
        self._class_labels = None
        self._highest_label = -1
        self._hold = None
        self._closed = False
        self._unsaved_bytes = 0
        self._saved_at = time.monotonic()
        refuse_existing(self._target, self.overwrite)
        try:
            self._open()
        except BaseException:
            self._release(discard=not resume)
            raise

    def __len__(self):
        """Rows added so far, written or held."""
        return self.idx + len(self.buffer["labels"])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()
        elif not self._closed:
            with contextlib.suppress(Exception):  # the exception on its way says what went wrong
                self.flush()
            self._release(discard=self.idx == 0)

    def add(self, rows, labels):
        """Add rows and their labels. Rows that are refused leave the writer as it was.

        Args:
            rows: array or list of arrays, (n, *dims[1:]). They are copied. With `encode` also the
                bytes of images that are encoded already, as bytes or (size,) uint8 arrays.
            labels: n integers, 0 or more.
        Raises:
            ValueError: for another shape, NaN or infinite values, values that `dtype` cannot hold,
                numbers of rows and labels that differ, labels without a class, more rows than
                dims[0], or a closed writer.
            TypeError: if the rows are not numbers, the labels not integers, or either is no
                sequence.
            OSError: if rows cannot be written. They are held: `flush()` or `close()` tries again.
        """
        self._require_open()
        given = rows
        counts = count_entries("rows", rows), count_entries("labels", labels)
        if counts == (0, 0):
            return
        if counts[0] != counts[1]:
            raise ValueError(
                f"Each row needs one label. Received: {counts[0]} rows and {counts[1]} labels."
            )
        labels = check_labels(labels)
        if self.encode is None:
            rows = check_rows(rows, self.dims[1:], self.dtype)
        else:
            rows = _encoding.encode_rows(rows, self.encode, self.dims[1:], self.quality)
        if len(self) + len(rows) > self.dims[0]:
            raise ValueError(
                f"{self._target} was announced with {self.dims[0]} rows, holds {len(self)} and "
                f"cannot take {len(rows)} more. Pass the number of all rows as dims[0]."
            )
        self._check_classes(self._class_labels, int(labels.max()))
        if self.data is None:
            self._create(rows.dtype)
        self._highest_label = max(self._highest_label, int(labels.max()))
        before, limit = self.idx, min(self.bufSize, self._most_held())
        try:
            if len(rows) >= limit and not self.buffer["labels"]:
                self._write(rows, labels)  # from the caller's memory, not copied first
        finally:
            if self.idx == before:
                self.buffer["data"] += list(rows if isinstance(given, list) else copy(rows))
                self.buffer["labels"] += labels.tolist()
        if len(self.buffer["labels"]) >= limit:
            self._write_held()
        waited = time.monotonic() - self._saved_at
        if self._unsaved_bytes >= SAVE_BYTES or waited >= SAVE_SECONDS:
            self.flush()

    def flush(self):
        """Write the held rows, and save all: from then on they survive (see `resume`).

        Adding does so by itself for every 64 MB of rows and every 5 seconds.
        """
        self._require_open()
        try:
            self._write_held()
        finally:  # on a full disk, too: those written before
            if self.saved < self.idx:
                self._save(self.idx)
            self._unsaved_bytes, self._saved_at = 0, time.monotonic()

    def truncate(self, rows):
        """Drop the rows from number `rows` on, the held ones too."""
        self.flush()
        if not 0 <= rows <= self.idx:
            raise ValueError(f"rows must be 0 to {self.idx}. Received: {rows}.")
        if rows == self.idx:
            return
        self._save(rows)
        self.idx = rows
        self._highest_label = int(self.labels[:rows].max(initial=-1))
        if self.encode is not None:
            with self._errors_named():
                _encodedstorage.clear_after(self.data, rows)

    def _save(self, rows):
        with self._errors_named():
            _storage.save(self.db, rows)
        self.saved = rows

    def _write_held(self):
        while self.buffer["labels"]:
            data, labels = self.buffer["data"], self.buffer["labels"]
            count = min(len(labels), self._most_held())
            rows = data[:count] if self.encode is not None else np.stack(data[:count])
            rest = {"data": data[count:], "labels": labels[count:]}
            self._write(rows, labels[:count])
            self.buffer = rest

    def storeClassLabels(self, classLabels):
        """Name the classes, label 0 first. `close()` writes the names as `label_names`.

        Raises:
            TypeError: if they are not strings.
            ValueError: if a label added so far has no name among them, or HDF5 cannot store a name.
        """
        self._require_open()
        if isinstance(classLabels, str) or not all(isinstance(name, str) for name in classLabels):
            raise TypeError(f"classLabels must be a list of strings. Received: {classLabels!r}.")
        names = [str(name) for name in classLabels]  # NumPy's strings, too
        for name in names:
            if "\0" in name or name != name.encode(errors="ignore").decode():
                raise ValueError(f"HDF5 stores UTF-8 text without NUL. Received: {name!r}.")
        self._check_classes(names, self._highest_label)
        self._class_labels = names

    def close(self):
        """Write what is held, cut the file to the rows that came, move it to `outputPath`.

        Closing twice does nothing. If it fails, the rows written stay in the partial file.

        Raises:
            ValueError: if no row was added; then there is no file at all.
            OSError: if the file cannot be written or moved.
        """
        if self._closed:
            return
        try:
            if not len(self):
                raise ValueError(f"No row was added, so {self._target} was not written.")
            self.flush()
            refuse_existing(self._target, self.overwrite)
            with self._errors_named():
                _storage.finish(self.db, self.dataKey, self.idx, self._class_labels)
                files.move_into_place(self._partial, self._target)
                _undo.forget(self._partial)
        finally:
            self._release(discard=not len(self))

    def _write(self, rows, labels):
        storage = _storage if self.encode is None else _encodedstorage
        checksums = _checksums.with_labels(_checksums.crcs(rows), labels)
        with self._errors_named():
            storage.write(self.db, self.dataKey, self.idx, rows, labels, checksums)
            self.idx += len(rows)
            self._unsaved_bytes += sum(row.nbytes for row in rows)
            if self.encode is not None:
                self._open_file("r+")
                self.data, self.labels = self.db[self.dataKey], self.db["labels"]

    def _open_file(self, mode):
        locking = False if self._hold else None
        self.db = _storage.open_file(self._partial, mode, self.dims, locking)

    def _open(self):
        self._hold = self._hold_partial()
        if self.resume and self._partial.stat().st_size:
            _undo.restore(self._partial)
        if self.resume and self._partial.stat().st_size:
            self._continue()
        else:
            self._start_afresh()

    def _start_afresh(self):
        with self._errors_named():
            os.truncate(self._partial, 0)
            _undo.record(self._partial, 0, b"")  # a kill before it is made leaves an empty file
            self._open_file("w")
            self.db.flush()
        if self.dtype is not None:
            self._create(self.dtype)

    def _hold_partial(self):
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            return hold(self._partial)
        except BlockingIOError:
            raise
        except FileExistsError as error:  # a file where a folder should be, not the target
            raise self._cannot_write(NotADirectoryError(errno.ENOTDIR, "")) from error
        except OSError as error:
            raise self._cannot_write(error) from error

    def _continue(self):
        try:
            _storage.lengthen(self._partial)
            self._open_file("r+")
            rows = _storage.resumable_rows(
                self.db, self.dataKey, self.dims, self.dtype, self._about
            )
            highest = int(self.db["labels"][:rows].max(initial=-1))
        except (HDF5Error, OSError, RuntimeError, KeyError, TypeError) as error:
            raise self._cannot_resume(OSError, "it is damaged") from error
        except ValueError as error:
            raise self._cannot_resume(ValueError, error) from None
        self.data, self.labels = self.db[self.dataKey], self.db["labels"]
        if self.encode is None:
            self.dtype = self.data.dtype
        self.idx = self.saved = rows
        self._highest_label = highest

    def _create(self, dtype):
        with self._errors_named():
            _storage.create(self.db, self.dataKey, self.dims, dtype, self._about)
        self.data, self.labels = self.db[self.dataKey], self.db["labels"]
        self.dtype = dtype

    def _most_held(self):
        return max(1, HELD_BYTES // (math.prod(self.dims[1:]) * self.dtype.itemsize))

    def _require_open(self):
        if self._closed:
            raise ValueError(f"The writer of {self._target} is closed.")

    def _check_classes(self, names, highest):
        if names is not None and highest >= len(names):
            raise ValueError(
                f"Label {highest} has no name: storeClassLabels was given {len(names)}, for the "
                f"labels 0 to {len(names) - 1}."
            )

    @contextlib.contextmanager
    def _errors_named(self):
        try:
            yield
        except (OSError, RuntimeError) as error:  # h5py raises either when a write fails
            raise self._cannot_write(error) from error

    def _cannot_write(self, error):
        told = re.search(r"errno = (\d+)", str(error))  # HDF5 has no other way to say it
        code = getattr(error, "errno", None) or (told and int(told[1]))
        reason = os.strerror(code) if code else error
        return OSError(
            code or errno.EIO, f"Cannot write the data set: {reason}", str(self._partial)
        )

    def _cannot_resume(self, kind, reason):
        return kind(
            f"{self._partial} cannot be resumed: {reason}. Delete it, or run without resume to "
            "start afresh."
        )

    def _release(self, discard):
        """Close the partial file, and delete it if it holds nothing to keep."""
        self._closed = True
        if self.db is not None:
            with contextlib.suppress(Exception):  # fails where the disk has refused the rows
                self.db.close()
            if discard:
                self._partial.unlink(missing_ok=True)
                _undo.record_of(self._partial).unlink(missing_ok=True)
        if self._hold is not None:
            self._hold.close()


def refuse_existing(path, overwrite):
    """Raise FileExistsError if there is a file `path` that may not be replaced."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Give the path of a file.")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Delete it, choose another outputPath, or pass "
            "overwrite=True to replace it once the new file is complete."
        )
