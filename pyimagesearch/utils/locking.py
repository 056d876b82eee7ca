"""Hold a file for one process; the hold ends with the process, however that ends."""

import os
import weakref
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: HDF5's own lock on the open file is what there is
    fcntl = None

_held = weakref.WeakSet()


def _let_go_in_child():
    # a forked worker that outlives its killed parent would keep the file held
    for file in list(_held):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


def hold(path):
    """Make `path` if it is missing, without changing what it contains, and hold it.

    Returns:
        An open file whose `close()` ends the hold, or None where the system has no such locks.
    Raises:
        BlockingIOError: if a living writer, in this process or another, holds the file.
    """
    path = Path(path)
    if fcntl is None:
        path.touch()
        return None
    while True:
        file = path.open("ab")
        try:
            _flock(file, path)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                _held.add(file)
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its holder moved it away between our two calls: look again


def _flock(file, path):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BlockingIOError(
            error.errno, "Another running process is writing this file", str(path)
        ) from None
    except OSError:
        pass  # a file system without locks, some network folders: go on unprotected
