"""Look through an HDF5 data set for damage, and for images that look like mistakes."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from pyimagesearch.io import _checksums
from pyimagesearch.io._encoding import decode_row
from pyimagesearch.io._reading import encoding_of, open_file, read_labels
from pyimagesearch.utils.images import ImageError
from pyimagesearch.utils.parallel import ordered_map

SOUND, DAMAGED, SUSPICIOUS = 0, 1, 3

KEYS = ("images", "features")  # of the rows, where none is given


@dataclass
class DatasetReport:
    """What `check_dataset` found.

    Attributes:
        path, data_key: the file, and the name of its rows' data set.
        rows: their number. shape, dtype: of one.
        encoding: "jpeg" or "png" of encoded rows, else None.
        labels_dtype: of the labels.
        counts: {label: number of rows}, every label that occurs.
        names: of the classes, None where the file has none.
        checksums: what is said of them, such as "all rows match".
        problems: sentences about what is wrong with the file, besides its single rows.
        changed: numbers of the rows that do not match their checksums.
        unreadable: of those that HDF5 cannot read.
        undecodable: of encoded ones that are no complete image of the right kind.
        not_finite: of those that hold NaN or infinite values.
        constant: of those with the same value in every pixel.
        duplicates: (row, earlier row that is the same).
    """

    path: str
    data_key: str
    rows: int = 0
    shape: tuple = ()
    dtype: object = None
    encoding: str | None = None
    labels_dtype: object = None
    counts: dict = field(default_factory=dict)
    names: list | None = None
    checksums: str = ""
    problems: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    unreadable: list = field(default_factory=list)
    undecodable: list = field(default_factory=list)
    not_finite: list = field(default_factory=list)
    constant: list = field(default_factory=list)
    duplicates: list = field(default_factory=list)

    @property
    def status(self):
        """SOUND, DAMAGED (or unusable), or SUSPICIOUS: images that look like mistakes."""
        damage = (self.problems, self.changed, self.unreadable, self.undecodable, self.not_finite)
        if any(damage):
            return DAMAGED
        return SUSPICIOUS if self.constant or self.duplicates else SOUND


def check_dataset(path, *, dataKey=None, progress=None):
    """Read a whole data set and report what is wrong with it.

    The memory it takes does not depend on the rows' size: about 16 MB of them are read at once, and
    some twenty bytes for each stay.

    Args:
        path: an HDF5 file with rows and labels, by HDF5DatasetWriter or like the book's.
        dataKey: name of the rows' data set; by default "images", else "features".
        progress: function of the number of rows that returns an object with `update(done)` and
            `finish()`, such as a progress bar.
    Returns:
        DatasetReport.
    Raises:
        FileNotFoundError, OSError, ValueError: if it is no such file, was not finished, or is so
            damaged that nothing can be said about its rows.
    """
    with open_file(path) as db:
        try:
            report, rows = _first_look(db, path, dataKey)
            bar = progress(report.rows) if progress is not None else None
            rows.look_through(report, bar)
            if bar is not None:
                bar.finish()
        except ValueError:
            raise
        except Exception as error:  # which one depends on the place of the damage
            raise OSError(f"{path} is damaged: {error}. Build it again.") from error
    return report


def _first_look(db, path, key):
    """Return the report of all but the rows, and the _Rows to look through."""
    if key is None:
        key = next((name for name in KEYS if name in db), KEYS[0])
    labels = read_labels(db, key)
    data = db[key]
    encoding = encoding_of(data)
    report = DatasetReport(str(path), key, len(labels), data.shape[1:], data.dtype)
    if encoding is not None:
        report.encoding, report.shape = encoding
        report.dtype = np.dtype(np.uint8)
    report.labels_dtype = db["labels"].dtype
    values, counts = np.unique(labels, return_counts=True)
    report.counts = dict(zip(values.tolist(), counts.tolist(), strict=True))
    if values[0] < 0:
        report.problems.append(f"The labels must be 0 or more. Found: {values[0]}.")
    stored = _stored_checksums(db, report)
    _look_at_names(db, report, stored)
    return report, _Rows(data, labels, stored, encoding)


def _stored_checksums(db, report):
    """Return the data set of checksums, or None where there is none that we know."""
    stored = db.get(_checksums.NAME)
    if stored is None:
        report.checksums = "the file has none"
        for name in db:
            if _algorithm(db[name]) == _checksums.ALGORITHM:
                report.problems.append(f"The checksums have another name: {name!r}.")
    elif _algorithm(stored) != _checksums.ALGORITHM or stored.dtype != np.uint32:
        report.checksums = "of an unknown kind"
    elif stored.shape != (report.rows,):
        report.problems.append(f"There are {len(stored)} checksums for {report.rows} rows.")
    else:
        return stored
    return None


def _algorithm(data):
    return data.attrs.get("algorithm")


def _look_at_names(db, report, stored):
    noted = None if stored is None else stored.attrs.get("label_names")
    if "label_names" not in db:
        if noted is not None:
            report.problems.append("The label_names are missing: the file was written with them.")
        return
    try:
        report.names = [str(name) for name in db["label_names"].asstr()[:]]
    except Exception as error:  # damaged, or no strings
        report.problems.append(f"The label_names cannot be read: {error}.")
        return
    if max(report.counts) >= len(report.names):
        report.problems.append(
            f"The label {max(report.counts)} has no name: there are {len(report.names)}."
        )
    if noted is not None and noted != _checksums.of_names(report.names):
        report.problems.append("The label_names do not match their checksum.")


class _Rows:
    """The rows of a data set with their labels; checksums and encoding may be None."""

    def __init__(self, data, labels, stored, encoding):
        self.data = data
        self.labels = labels
        self.stored = stored
        self.encoding = encoding
        self.chunk = 1  # rows that can only be read together
        if data.chunks is not None and data.id.get_create_plist().get_nfilters():
            self.chunk = data.chunks[0]

    def look_through(self, report, bar):
        """Fill the report's lists of rows."""
        step = -(-_checksums.rows_at_once(self.data) // self.chunk) * self.chunk
        prints = np.zeros(len(self.labels), np.uint64)
        for start in range(0, len(self.labels), step):
            stop = min(start + step, len(self.labels))
            for first, rows in self._read(start, stop, report):
                crcs = _checksums.crcs(rows)
                prints[first : first + len(rows)] = _fingerprints(rows, crcs)
                self._compare(first, crcs, report)
                if self.encoding is None:
                    _look_at_numbers(first, rows, report)
                else:
                    self._look_at_images(first, rows, report)
            if bar is not None:
                bar.update(stop)
        report.duplicates = _duplicates(prints, report.unreadable)
        if self.stored is not None:
            report.checksums = f"{len(report.changed):,} rows differ"
            if not report.changed:
                report.checksums = "all rows match"

    def _read(self, start, stop, report):
        """Yield (number, rows) of what can be read of these rows, note the others."""
        try:
            rows = _checksums.read(self.data, slice(start, stop))
        except Exception:  # which one depends on the damage
            if stop - start <= self.chunk:
                report.unreadable += range(start, stop)
                return
            half = max(1, (stop - start) // self.chunk // 2) * self.chunk
            yield from self._read(start, start + half, report)
            yield from self._read(start + half, stop, report)
        else:
            yield start, rows

    def _compare(self, first, crcs, report):
        if self.stored is None:
            return
        part = slice(first, first + len(crcs))
        found = _checksums.with_labels(crcs, self.labels[part])
        report.changed += (first + np.flatnonzero(found != self.stored[part])).tolist()

    def _look_at_images(self, first, rows, report):
        def decode(row):
            try:
                return _is_constant(decode_row(row, *self.encoding, "the row"))
            except ImageError:
                return None

        for number, constant in enumerate(ordered_map(decode, rows), first):
            if constant is None:
                report.undecodable.append(number)
            elif constant:
                report.constant.append(number)


def _look_at_numbers(first, rows, report):
    if rows.dtype.kind == "f":
        finite = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        report.not_finite += (first + np.flatnonzero(~finite)).tolist()
    report.constant += [n for n, row in enumerate(rows, first) if _is_constant(row)]


def _is_constant(row):
    """Whether all pixels (numbers, if it is no image) are the same; one alone is not."""
    pixels = row.reshape(-1, row.shape[2]) if row.ndim == 3 else row.reshape(-1, 1)
    some = pixels[:: len(pixels) // 64 + 1]  # most rows are told by a few
    return len(pixels) > 1 and bool((some == some[0]).all() and (pixels == pixels[0]).all())


def _fingerprints(rows, crcs):
    """Return 64 bits for each row, which rows share that are the same."""
    if rows.dtype != object:
        rows = np.ascontiguousarray(rows).reshape(len(rows), -1)
    adlers = np.array([zlib.adler32(row) for row in rows], np.uint64)
    return adlers << np.uint64(32) | np.array(crcs, np.uint64)


def _duplicates(prints, unreadable):
    """Return (row, earlier row) for all that share their fingerprint, by the row's number."""
    order = np.argsort(prints, kind="stable")
    order = order[~np.isin(order, unreadable)]
    new = np.ones(len(order), bool)
    new[1:] = prints[order[1:]] != prints[order[:-1]]
    firsts = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return sorted(zip(order[~new].tolist(), firsts[~new].tolist(), strict=True))
