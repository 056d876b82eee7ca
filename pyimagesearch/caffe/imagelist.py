"""The image lists of Caffe's tools: a path and a label a line."""

from pathlib import Path

from pyimagesearch.caffe._errors import CaffeError

LABELS = range(-(2**31), 2**31)


def read_image_list(path, root=""):
    """Read a list as `convert_imageset` and ImageData layers take it.

    A line is `path label`, split at its last space: paths may hold spaces. Blank lines are skipped.

    Args:
        path: the text file, UTF-8, with a byte order mark or without.
        root: put before each path as it is. Caffe adds no separator, so end a folder with "/".
    Returns:
        (paths, labels): a list of str and a list of int, in the file's order.
    Raises:
        OSError: if the file cannot be read.
        CaffeError: naming the line, if one is not a path and a whole number; if there is none.
    """
    paths, labels = [], []
    # names of files are bytes: what is not UTF-8 comes back as it was when the file is opened
    with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, 1):
            name, _, label = line.strip().rpartition(" ")
            if not line.strip():
                continue
            if not name.strip() or "\0" in name or not _is_label(label):
                raise CaffeError(
                    f"{path}, line {number}: a line of an image list is a path, a space and a "
                    f"whole number, the label. Received: {_short(line.strip())}."
                )
            paths.append(f"{root}{name.rstrip(' ')}")
            labels.append(int(label))
    if not paths:
        raise CaffeError(f"{path} lists no images.")
    return paths, labels


def _is_label(text):
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(text) in LABELS


def _short(line):
    return ascii(line if len(line) <= 80 else f"{line[:77]}...")
