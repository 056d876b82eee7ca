"""Replace a file so that a reader sees the old one or the new one, never half of either."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: leftovers stay
    fcntl = None

OF_MACHINE = {  # errors that say nothing about the file
    *(errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC),
    *(errno.EFBIG, errno.EDQUOT, errno.EROFS),
}


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
        with _own_folder(path) as folder:
            temporary = folder / path.name
            yield temporary
            move_into_place(temporary, path)
    except OSError as error:  # it may name the temporary file, or none
        reason = os.strerror(error.errno) if error.errno else error
        raise OSError(
            error.errno or errno.EIO, f"Cannot write the file: {reason}", str(path)
        ) from error


@contextlib.contextmanager
def _own_folder(path):
    """Give an empty hidden folder beside `path` for as long as the block lasts.

    Its name is always the same, so that a killed process leaves one at most, for the next to
    find. A lock that ends with the process tells whether a living one is using it.
    """
    folder = path.parent / f".{path.name}.writing"
    descriptor = _hold(folder)
    if descriptor is None:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as name:
            yield Path(name)
        return
    try:
        for leftover in folder.iterdir():
            leftover.unlink()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _hold(folder):
    """Make and hold a folder; return a descriptor, or None if a living process holds it.

    Also None where the system or the file system has no such locks.
    """
    if fcntl is None:
        return None
    while True:
        folder.mkdir(exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:  # its holder removed it
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.exists() and os.path.samestat(os.fstat(descriptor), folder.stat()):
                return descriptor
            os.close(descriptor)  # its holder removed it between our two calls: look again
        except OSError as error:
            os.close(descriptor)
            if error.errno != errno.EWOULDBLOCK:  # no locks here, some network folders
                with contextlib.suppress(OSError):
                    folder.rmdir()
            return None


def remove_leftovers(folder):
    """Remove what killed processes left of the files that `replacing` was writing in a folder."""
    for leftover in Path(folder).glob(".*.writing"):
        descriptor = _hold(leftover) if leftover.is_dir() else None
        if descriptor is not None:
            shutil.rmtree(leftover, ignore_errors=True)
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


def raise_of_machine(error, path):
    """Raise an error for `path` if it is the machine's: a full disk, too many open files.

    What a library made of it counts too, as long as it names the first error as its cause.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in OF_MACHINE:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        error = error.__cause__ or error.__context__
