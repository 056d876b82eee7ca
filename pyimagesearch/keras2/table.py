"""The table of old names as Markdown, for docs/migration.md.

    python -m pyimagesearch.keras2.table docs/migration.md

writes it anew between the two marks in that file.
"""

import sys
from pathlib import Path

from pyimagesearch.keras2 import names
from pyimagesearch.utils.files import replacing

BEGIN = "<!-- python -m pyimagesearch.keras2.table docs/migration.md writes what follows -->"
END = "<!-- the table ends -->"

SECTIONS = (
    ("Other roots of Keras", [row for row in names.ROOTS if row.why]),
    ("Modules", names.MODULES),
    ("Contents of modules", names.NAMES),
    ("Arguments", names.ARGUMENTS),
    ("Defaults of optimizers", names.DEFAULTS),
    ("Methods and attributes", names.METHODS),
    ("Names of metrics, in histories, logs and `monitor=`", names.KEYS),
    ("Numbers of batches", names.STEPS),
    ("Suffixes of model files", names.SUFFIXES),
    ("Other libraries", names.OTHERS),
)
RESULTS = {names.ERROR: "error", names.SILENT: "**silently other**", names.WARNING: "warning"}


def markdown():
    """Return the table."""
    parts = []
    for title, rows in SECTIONS:
        parts.append(f"### {title}\n")
        parts.append("| 2017 | today | on Keras 3 | runner | why |\n|---|---|---|---|---|")
        parts += [
            f"| {_old(old)}{_of(owners)} | {_code(new) or 'leave it out'} | {RESULTS[result]} "
            f"| {'yes' if provided else 'no'} | {_escape(why)} |"
            for (old, new, why, result, provided), owners in _merged(rows).items()
        ]
        parts[-1] += "\n"
    return "\n".join(parts)


def _merged(rows):
    """Return what is said of an old name -> the owners of which it is said."""
    merged = {}
    for row in rows:
        key = (row.old, row.new, row.why, row.result, row.provided)
        merged.setdefault(key, []).append(row.owner)
    return merged


def _of(owners):
    shown = [
        owner.removeprefix("keras.").removesuffix(".*") + (", all" if owner.endswith("*") else "")
        for owner in owners
        if owner
    ]
    # the module of several layers is said once
    modules = {owner.rpartition(".")[0] for owner in shown}
    if len(shown) > 1 and len(modules) == 1:
        module = modules.pop()
        shown = [f"{module}: " + ", ".join(owner.rpartition(".")[2] for owner in shown)]
    return f" ({'; '.join(shown)})" if shown else ""


def _code(text):
    return f"`{_escape(text)}`" if text else ""


def _old(text):
    return _code(text) or "no suffix"


def _escape(text):
    return text.replace("|", "\\|")


def write(path):
    """Put the table into a page, between its marks.

    Raises:
        ValueError: if the page lacks the marks.
    """
    path = Path(path)
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} lacks the marks {BEGIN!r} and {END!r}.")
    with replacing(path) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{markdown()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1])
