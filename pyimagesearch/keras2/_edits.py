"""Changes to Python source by exact range: everything else keeps its bytes."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the UTF-8 bytes `start` to `end` of a source by `text`."""

    start: int
    end: int
    text: str


class Positions:
    """The place in a source of what `ast` calls line and column.

    Args:
        source: UTF-8 bytes. `ast` counts columns in those, and lines as Python does.
    """

    def __init__(self, source):
        self.source = source
        self.newline = "\r\n" if b"\r\n" in source else "\n"
        self._lines = [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", source))]

    def start(self, node):
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node):
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node):
        return self.source[self.start(node) : self.end(node)].decode()

    def line_start(self, node):
        return self._lines[node.lineno - 1]


def apply_edits(source, edits):
    """Return the bytes `source` with all edits made.

    Of two edits that overlap the outer one is made: it replaces what the inner one would change.
    """
    made = []
    for edit in sorted(set(edits), key=_order):
        if not made or edit.start >= made[-1].end:
            made.append(edit)
    for edit in reversed(made):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source


def _order(edit):
    # what is inserted comes before what is replaced from there on
    return edit.start, edit.start != edit.end, -edit.end, edit.text


def delete_argument(source, start, end):
    """Return the edit that takes an argument, from `start` to `end`, out of its call."""
    before = source[:start].rstrip()
    if before.endswith(b","):
        return Edit(len(before) - 1, end, "")
    # the first argument, or a comment before it: the comma behind it goes
    comma = re.match(rb"\s*,[ \t]*", source[end:])
    return Edit(start, end + comma.end() if comma else end, "")
