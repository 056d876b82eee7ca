"""Look through old code without running it, and say what Keras 3 needs changed.

    python -m pyimagesearch.keras2 --report train_alexnet.py my_old_project/
    python -m pyimagesearch.keras2 --report my_old_project/ --diff > keras3.patch

Prints "file:line: old -> new" with the reason for each name of Keras 1 and 2. With --diff it prints
what can be changed by rote as a patch instead (`patch -p0 < keras3.patch`) and the rest to standard
error. Nothing is ever written to the files. The exit status is 0 if nothing must change, 1 if
something must, and 2 if a path was missing or could not be read.
"""

import argparse
import difflib
import os
import re
import sys
from collections import Counter

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._checks import Checker
from pyimagesearch.keras2._edits import apply_edits
from pyimagesearch.keras2._sources import UnreadableError, find_sources, read_source


class Report:
    """What was found in a number of files.

    Attributes:
        files: number of files that were read.
        findings: list of (Source, Finding), by file and line.
        python2: an UnreadableError for each file that is written for Python 2.
        unreadable: an UnreadableError for each path that could not be read.
    """

    def __init__(self, paths):
        self.findings = []
        self.python2 = []
        self.unreadable = []
        sources = list(self._read(paths))
        self.files = len(sources)
        written = set()
        for source in sources:
            try:
                checker = Checker(source.tree, source.data)
                self.findings += [(source, finding) for finding in checker.check()]
                written |= checker.written_paths
            except RecursionError:
                self._refuse(UnreadableError(source.path, "It is nested too deeply."))
        written |= {("*", suffix) for _, suffix in written}  # glob("*.model")
        self.findings = [
            (source, finding)
            for source, finding in self.findings
            if not finding.loads or finding.path in written
        ]
        for source, finding in self.findings:
            if source.cells:
                finding.edits = []  # a notebook is no text that a patch could change
            if finding.path and finding.path not in written:
                finding.edits = []  # the file that is there keeps its name

    def _read(self, paths):
        seen = set()
        for path in paths:
            try:
                found = find_sources(path)
            except UnreadableError as error:
                self._refuse(error)
                continue
            for name in found:
                if os.path.realpath(name) in seen:
                    continue
                seen.add(os.path.realpath(name))
                try:
                    source = read_source(name)
                except UnreadableError as error:
                    self._refuse(error)
                else:
                    for error in source.problems:
                        self._refuse(error)
                    yield source

    def _refuse(self, error):
        (self.python2 if error.python2 else self.unreadable).append(error)

    @property
    def status(self):
        if self.unreadable:
            return 2
        return 1 if self.findings or self.python2 else 0

    def lines(self, by_hand=False):
        """Return the report's lines; only what `diff` leaves to be done with `by_hand`."""
        lines = [
            f"{source.place(found.line)}: {found.old} -> {found.new or '(leave it out)'}: "
            f"{'SILENT: ' if found.result == names.SILENT else ''}{found.why}"
            for source, found in self.findings
            if not (by_hand and found.edits)
        ]
        lines += [
            f"{error.place}: Python 2 -> Python 3: {error} Translate it first: 2to3, "
            "a part of Python up to 3.12, does it."
            for error in self.python2
        ]
        return [*lines, *(f"{error.place}: cannot be read: {error}" for error in self.unreadable)]

    def summary(self):
        files = _count(self.files, "file")
        refused = [
            f"{len(errors)} {what}"
            for errors, what in (
                (self.python2, "for Python 2"),
                (self.unreadable, "not readable"),
            )
            if errors
        ]
        if not self.findings:
            return "; ".join([f"Nothing of Keras 1 or 2 in {files}", *refused]) + "."
        results = Counter(found.result for _, found in self.findings)
        parts = [
            _count(results[names.ERROR], "error"),
            _count(results[names.SILENT], "silent change"),
            _count(results[names.WARNING], "warning"),
        ]
        touched = len({source.path for source, _ in self.findings})
        mechanical = sum(bool(found.edits) for _, found in self.findings)
        return (
            "; ".join(
                [
                    f"{_count(len(self.findings), 'old name')} in {touched} of {files}: "
                    + ", ".join(parts),
                    f"--diff changes {mechanical} of them",
                    *refused,
                ]
            )
            + "."
        )

    def diff(self):
        """Return a unified diff as bytes, each file in its own encoding; b"" if there is none."""
        parts = []
        for source in dict.fromkeys(source for source, _ in self.findings):
            mark = "\ufeff" if source.encoding == "utf-8-sig" else ""
            # lines as patch sees them: a form feed ends none
            old, new = (
                re.findall(r"[^\n]*\n|[^\n]+", mark + data.decode())
                for data in (source.data, self.patched(source))
            )
            for line in difflib.unified_diff(old, new, source.path, source.path):
                end = "" if line.endswith("\n") else "\n\\ No newline at end of file\n"
                encoding = source.encoding.removesuffix("-sig")
                parts.append((line + end).encode(encoding, "surrogateescape"))
        return b"".join(parts)

    def patched(self, source):
        """Return the bytes of a source with all its edits made."""
        edits = [edit for at, found in self.findings if at is source for edit in found.edits]
        return apply_edits(source.data, edits)


def _count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


def main(argv=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pyimagesearch.keras2 --report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, notebook or folder")
    parser.add_argument("--diff", action="store_true", help="print a patch instead")
    args = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # names of files and code hold any character
        stream.reconfigure(errors="backslashreplace")
    report = Report(args.paths)
    try:
        if args.diff:
            sys.stdout.buffer.write(report.diff())
            sys.stdout.flush()
        lines = [*report.lines(by_hand=args.diff), report.summary()]
        print("\n".join(lines), file=sys.stderr if args.diff else sys.stdout, flush=True)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return report.status


if __name__ == "__main__":
    sys.exit(main())
