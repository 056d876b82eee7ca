"""Which code is the user's own, and which belongs to a library or to this runner."""

import sys
import sysconfig
from pathlib import Path

_RUNNER = str(Path(__file__).parent)
_OURS = str(Path(__file__).parents[1])
_LIBRARIES = (sysconfig.get_path("stdlib"), _OURS)
_FOLDERS = ("site-packages", "dist-packages")  # also those of a user's home


def is_user_file(filename):
    """Return whether a file of code is the user's own."""
    if not filename or filename.startswith(("<", *_LIBRARIES)):
        return False
    return not any(folder in filename for folder in _FOLDERS)


def is_runner_file(filename):
    """Return whether a traceback had better not show this file: the runner's or Python's own."""
    return filename.startswith((_RUNNER, "<frozen "))


def user_frame():
    """Return the innermost frame of the user's code, or None outside of it."""
    frame = sys._getframe(1)
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def called_by_user(depth=2):
    """Return whether the function that called this one was called by the user's own code."""
    return is_user_file(sys._getframe(depth).f_code.co_filename)


def strip_traceback(error):
    """Take the frames of the runner out of the tracebacks of an exception and of its causes."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = _stripped(error.__traceback__)
        error = error.__cause__ or error.__context__


def _stripped(traceback):
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept = [e for e in entries if not is_runner_file(e.tb_frame.f_code.co_filename)]
    for entry, following in zip(kept, [*kept[1:], None], strict=True):
        entry.tb_next = following
    return kept[0] if kept else None
