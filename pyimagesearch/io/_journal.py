"""Where a build is, beside its partial file: JSON lines, one for each time that rows were saved.

Each line begins with its CRC-32: what comes after a damaged one does not count. The first line
tells which build it is. A build goes on only from a line whose rows the partial file
holds; what came after is done again.
"""

import errno
import hashlib
import json
import os
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.utils import files
from pyimagesearch.utils.locking import hold


@dataclass
class Point:
    """How far a build is.

    Attributes:
        paths: how many of the image files are done.
        rows: how many images they became.
        sums: of each channel (B, G, R) over all pixels of those, three floats.
        skipped: (number of the path, reason) of the others.
        sources: what those image files were, by size and time of change, as a hash.
        result: of the finished file, what `_checksums.summary` says of it.
    """

    paths: int = 0
    rows: int = 0
    sums: list = field(default_factory=lambda: [0.0] * 3)
    skipped: list = field(default_factory=list)
    sources: str = ""
    result: str = ""


class Journal:
    """The journal of the file `target`, held for this process until `close()`.

    Args:
        target: the file that is built.
        description: what decides the contents of that file, as `describe` returns it.
        resume: read what an earlier run noted.

    Attributes:
        resumable: whether it noted something to continue from.

    Raises:
        BlockingIOError: if another running process builds this file.
        OSError: if the journal cannot be written.
        ValueError: if what an earlier run noted is of another build.
    """

    def __init__(self, target, description, *, resume=False):
        self._target = Path(target)
        self._partial = Path(f"{target}.partial")
        self._path = Path(f"{target}.partial.journal")
        self._description = json.loads(json.dumps(description))  # as it is read back
        self._points = []  # (Point, where its line ends)
        self._noted = 0  # of the skipped files
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._hold = hold(self._path)
        self._file = self._path.open("rb+", buffering=0)  # so that a full disk is told at once
        try:
            if resume:
                self._load()
        except BaseException:
            self.close()
            raise
        self.resumable = bool(self._points)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _load(self):
        end, skipped, header = 0, [], None
        for line in self._file.read().splitlines(keepends=True):
            text = line[9:-1]
            if line != _line(text):  # damaged, or the run was killed while it wrote
                break
            end += len(line)
            content = json.loads(text)
            if header is None:
                header = content
                continue
            skipped = skipped + content["skipped"] if content["skipped"] else skipped
            self._points.append((Point(**content | {"skipped": skipped}), end))
        if self._points:
            self._require_same(header)

    def finished(self):
        """Return the last Point if its file was to be finished then, else None."""
        if not self._points or self._partial.exists():
            return None
        point = self._points[-1][0]
        return point if point.result else None

    def start(self):
        """Begin the journal of a build that starts afresh. Return its Point."""
        self._points = []
        self._file.truncate(0)
        self._append(self._description)
        files.sync(self._path.parent)
        return Point()

    def go_back(self, rows):
        """Return the last Point that `rows` rows suffice for; forget the later ones."""
        self._points = [(point, end) for point, end in self._points if point.rows <= rows]
        if not self._points:
            return self.start()
        point, end = self._points[-1]
        self._file.truncate(end)
        self._noted = len(point.skipped)
        return point

    def add(self, point):
        """Note, safely on the disk, that the build is at `point`. Its rows are there already."""
        new = point.skipped[self._noted :]
        self._append(vars(point) | {"skipped": new})
        self._noted = len(point.skipped)
        self._points.append((point, None))

    def remove(self):
        """Delete the journal: its build is done."""
        self._path.unlink()

    def close(self):
        """End the hold. A journal that tells of nothing to continue is deleted."""
        if not self._points and not self._partial.exists():
            self._path.unlink(missing_ok=True)
        self._file.close()
        if self._hold is not None:
            self._hold.close()

    def _append(self, content):
        line = _line(json.dumps(content).encode())
        try:
            self._file.seek(0, os.SEEK_END)
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            files.sync(self._path)
        except OSError as error:
            raise OSError(
                error.errno, f"Cannot write the journal: {error.strerror}", str(self._path)
            ) from error

    def _require_same(self, found):
        for name, now in self._description.items():
            if found.get(name) == now:
                continue
            of_file = isinstance(now, str) and now.startswith("sha256")
            change = f"other {name}" if of_file else f"the {name} {found.get(name)}, not {now}"
            raise ValueError(
                f"The build of {self._target} cannot be resumed: it was begun with {change}. Give "
                "the same again, or start afresh without resume."
            )


def _line(text):
    return b"%08x %s\n" % (zlib.crc32(text), text)


def describe(paths, labels, preprocessors, **options):
    """Return what decides the contents of a built file, by name, as JSON takes it."""
    names = "\0".join(os.fspath(path) for path in paths)
    return {
        "number of images": len(paths),
        "image files": _sha256(os.fsencode(names)),
        "labels": _sha256(np.asarray(labels, "<i8").tobytes()),
        "preprocessors": [_settings(preprocessor) for preprocessor in preprocessors],
        **options,
        "OpenCV version": cv2.__version__,
    }


def _sha256(data):
    return f"sha256 {hashlib.sha256(data).hexdigest()}"


def _shown(value):
    if isinstance(value, np.ndarray):  # of a large one, such as a mean image, repr leaves out most
        return f"{value.dtype}{value.shape} {_sha256(np.ascontiguousarray(value).tobytes())}"
    return repr(value)


def _settings(thing):
    values = getattr(thing, "__dict__", {}).items()
    values = ", ".join(f"{name}={_shown(value)}" for name, value in values)
    # functions and the like show their place in memory, which differs from run to run
    return re.sub(r" at 0x[0-9a-fA-F]+", "", f"{type(thing).__qualname__}({values})")
