"""Replace a file so that a reader sees the old one or the new one, never half of either."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: leftovers stay
    fcntl = None


@contextlib.contextmanager
def replacing(path):
    """Give a temporary path in the folder of `path`; on success it takes the place of `path`.

    Missing parent folders are made. The file and its folder are flushed to the disk before and
    after the move, so that a power failure leaves the old file or the new one. An exception in
    the block removes the temporary file and leaves what stood at `path` as it was. What a killed
    process left of the same file is removed; nothing is while a living process writes it.

    Args:
        path: the file to write, str or Path. Its last suffix is kept by the temporary file,
            since Keras and Matplotlib choose the format by it.
    Yields:
        Path: what the block must write. It does not exist yet.
    Raises:
        OSError: naming `path`, if the file cannot be written: a full disk, a read-only folder.

    Example:
        with replacing("output/model.keras") as temporary:
            model.save(temporary)
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held_folder(path) as folder:
            temporary = folder / path.name
            yield temporary
            move_into_place(temporary, path)
    except OSError as error:  # it may name the temporary file, or none
        reason = os.strerror(error.errno) if error.errno else error
        raise OSError(
            error.errno or errno.EIO, f"Cannot write the file: {reason}", str(path)
        ) from error


@contextlib.contextmanager
def _held_folder(path):
    """Make a hidden folder beside `path` and hold it; remove those that nobody holds any more."""
    prefix = f".{path.name}."
    for leftover in path.parent.iterdir():
        # the 8 characters are those of tempfile
        if re.fullmatch(re.escape(prefix) + "[a-z0-9_]{8}", leftover.name):
            with _lock(leftover, wait=False) as held:
                if held:
                    shutil.rmtree(leftover, ignore_errors=True)
    while True:
        with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as name:
            folder = Path(name)
            with _lock(folder, wait=True):
                if folder.exists():  # else another process took it for a leftover, before the lock
                    yield folder
                    return


@contextlib.contextmanager
def _lock(folder, *, wait):
    """Hold a folder; give whether it is held, by a lock that ends with the process."""
    if fcntl is None or folder.is_symlink() or not folder.is_dir():
        yield False
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            held = True
        except OSError:  # held by another, or a file system without locks
            held = False
        yield held
    finally:
        os.close(descriptor)


def move_into_place(source, target):
    """Move a complete file onto `target` atomically and durably (fsync of file and folder)."""
    sync(source)
    Path(source).replace(target)
    sync(Path(target).parent)


def sync(path):
    """Flush a file or folder to the disk. Folders cannot be opened for that on Windows."""
    if os.name == "nt" and Path(path).is_dir():
        return
    # O_RDWR for files: Windows refuses to flush a descriptor opened for reading
    descriptor = os.open(path, os.O_RDONLY if Path(path).is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
