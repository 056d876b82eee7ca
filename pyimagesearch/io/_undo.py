"""Make a change to a file that a kill or a power failure cannot leave half done.

Before the change a record of the file's size and first bytes is put beside it, safely on the disk.
A record found there later says that the change did not come to its end: `restore` takes it back.
"""

import os
import zlib
from pathlib import Path

from pyimagesearch.utils import files


def record_of(path):
    """Return where the record for the file `path` lies."""
    return Path(f"{path}.undo")


def record(path, size, head):
    """Note durably that the file `path` has `size` bytes, of which those in `head` may change."""
    content = size.to_bytes(8, "little") + head
    content += zlib.crc32(content).to_bytes(4, "little")
    record_of(path).write_bytes(content)
    files.sync(record_of(path))
    files.sync(record_of(path).parent)


def forget(path):
    """Remove the record durably: the change is done."""
    record_of(path).unlink(missing_ok=True)
    files.sync(record_of(path).parent)


def restore(path):
    """Make the file `path` what it was before a change that did not come to its end."""
    try:
        content = record_of(path).read_bytes()
    except FileNotFoundError:
        return
    noted, crc = content[:-4], content[-4:]
    # a record that is not complete itself was killed before the change began
    if zlib.crc32(noted).to_bytes(4, "little") == crc:
        with Path(path).open("rb+") as file:
            file.write(noted[8:])
        os.truncate(path, int.from_bytes(noted[:8], "little"))
        files.sync(path)
    forget(path)
