"""Python files and notebooks as trees, read without running them."""

import ast
import io
import json
import os
import re
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from pyimagesearch.keras2._python2 import sign_in_syntax

SUFFIXES = (".py", ".pyw", ".ipynb")
SKIPPED = ("__pycache__", "node_modules", "site-packages")


@dataclass(eq=False)
class Source:
    """A file that could be read.

    Attributes:
        path: as the user gave it, or below the folder that the user gave.
        data: UTF-8 bytes of its code. Those of a notebook are its code cells, one after another.
        encoding: of the file. "utf-8-sig": it begins with a byte order mark, which is not in data.
        tree: ast.Module.
        cells: (cell, first line) for the code cells of a notebook, in order. Empty for a file.
        problems: an UnreadableError for each cell of a notebook that could not be read.
    """

    path: str
    data: bytes
    tree: ast.Module
    encoding: str = "utf-8"
    cells: list = field(default_factory=list)
    problems: list = field(default_factory=list)

    def place(self, line):
        """Return "path:line", or "path:cell 3:line" in a notebook."""
        for cell, first in reversed(self.cells):
            if line >= first:
                return f"{self.path}:cell {cell}:{line - first + 1}"
        return f"{self.path}:{line}"


class UnreadableError(ValueError):
    """A file that cannot be read as Python.

    Attributes:
        place: "path" or "path:line".
        python2: it is written for Python 2.
    """

    def __init__(self, place, sentence, python2=False):
        super().__init__(sentence)
        self.place = place
        self.python2 = python2


def find_sources(path):
    """Return the paths of the Python files and notebooks at `path`, sorted.

    Args:
        path: a file of any name, or a folder, which is searched with all folders in it. Hidden
            folders, virtual environments and links to folders are left out.
    Raises:
        UnreadableError: if there is no such path, or no such file in the folder.
    """
    if not os.path.lexists(path):
        raise UnreadableError(path, "There is no such file or folder.")
    if not Path(path).is_dir():
        return [path]
    unreadable = []
    found = []
    for folder, folders, files in os.walk(path, onerror=unreadable.append):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in SKIPPED
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        # neither pipes nor devices: to open them could wait for ever
        found += [
            os.path.join(folder, name)  # noqa: PTH118  as the user wrote it: "./x" stays
            for name in files
            if name.lower().endswith(SUFFIXES)
            and not (Path(folder, name).exists() and not Path(folder, name).is_file())
        ]
    if unreadable:
        raise UnreadableError(unreadable[0].filename, f"{unreadable[0].strerror}.")
    if not found:
        raise UnreadableError(path, "There are no Python files or notebooks in this folder.")
    return sorted(found)


def read_source(path):
    """Return the Source at a path.

    Raises:
        UnreadableError: if it is neither Python 3 nor a notebook, or cannot be read.
    """
    try:
        if not Path(path).is_file() and Path(path).exists():
            raise UnreadableError(path, "This is neither a file nor a folder.")
        data = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(path, f"Cannot read it: {error.strerror}.") from error
    if path.lower().endswith(".ipynb"):
        return _read_notebook(path, data)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise UnreadableError(path, f"Its encoding is unknown: {error}.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnreadableError(
            f"{path}:{line}",
            f"Not {encoding} text. Save it as UTF-8, or name its encoding in the first line: "
            "# -*- coding: latin-1 -*-",
        ) from error
    return Source(path, text.encode(), _parse(text, path), encoding)


def _parse(text, place):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old code has "\d" in plain strings
            return ast.parse(text)  # text, not bytes: it is decoded already
    except SyntaxError as error:
        sign = sign_in_syntax(error)
        sentence = f"{sign[0].upper()}{sign[1:]}." if sign else f"{error.msg}."
        raise UnreadableError(f"{place}:{error.lineno or 1}", sentence, bool(sign)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        why = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise UnreadableError(place, f"Python cannot read it: {why}.") from error


def _read_notebook(path, data):
    try:
        cells = json.loads(data)["cells"]
        codes = [
            (number, "".join(cell["source"]))
            for number, cell in enumerate(cells, start=1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError(path, "This is not a notebook of Jupyter 4 or later.") from error
    source = Source(path, b"", ast.Module([], []))
    line = 1
    for number, cell in codes:
        code, place = cell, f"{path}:cell {number}"
        try:
            try:
                tree = _parse(code, place)
            except UnreadableError:  # it may be IPython
                code = _without_magics(cell)
                tree = _parse(code, place)
        except UnreadableError as error:  # the other cells can still be read
            source.problems.append(error)
            continue
        source.cells.append((number, line))
        source.tree.body += ast.increment_lineno(tree, line - 1).body
        source.data += code.encode() + b"\n"
        line += len(re.findall("\r\n|\r|\n", code)) + 1
    return source


def _without_magics(code):
    """Return the code of a cell with IPython's own lines emptied."""
    if code.lstrip().startswith("%%"):
        first, _, code = code.partition("\n")
        if not re.match(r"\s*%%(time|timeit|capture|prun)\b", first):
            return ""  # another language, or a file to write
        code = "\n" + code
    code = re.sub(r"^([ \t]*)[%!?].*", r"\1pass", code, flags=re.MULTILINE)
    code = re.sub(r"^([ \t]*)[\w.*%]+\?\??[ \t]*$", r"\1pass", code, flags=re.MULTILINE)
    return re.sub(r"^([ \t]*[\w., \t]+=[ \t]*)[%!].*", r"\1None", code, flags=re.MULTILINE)
