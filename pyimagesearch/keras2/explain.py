"""Remember which old names a run used, and say so at its end."""

import sys
from pathlib import Path

from pyimagesearch.keras2._frames import user_frame

_used = {}  # row -> [times, place of first use]


def note(row, place=None):
    """Count one use of an old name.

    Args:
        row: names.Old.
        place: "file:line" of the use. Default: the line of the user's code that is running.
    """
    if row in _used:
        _used[row][0] += 1
        return
    if place is None:
        frame = user_frame()
        place = f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""
    _used[row] = [1, place]


def spell(row):
    """Return the old name of a row as one would write it: with its owner."""
    owner = row.owner.removesuffix(".*").split(".")[-1] if row.owner else ""
    if not owner:
        return row.old
    if row.old.startswith("("):
        return f"{owner}{row.old}"
    if row.old.startswith(".") or not row.old:
        return f'{owner}("x{row.old}")'
    return f"{owner}: {row.old}"


def report(stream=None):
    """Print the old names that were used, in the order of first use, and their modern forms."""
    stream = stream or sys.stderr
    if not _used:
        print("[keras2] no old names were used", file=stream)
        return
    said = "1 old name was" if len(_used) == 1 else f"{len(_used)} old names were"
    print(f"[keras2] {said} used:", file=stream)
    for row, (times, place) in _used.items():
        count = "once" if times == 1 else f"{times} times"
        where = f"{place}, " if place else ""
        print(f"  {spell(row)} -> {row.new or '(leave it out)'}   ({where}{count})", file=stream)
        print(f"      {row.why}", file=stream)


def _short(filename):
    try:
        return str(Path(filename).relative_to(Path.cwd()))
    except ValueError:
        return filename
