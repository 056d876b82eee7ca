"""Commands for HDF5 data sets: `python -m pyimagesearch.io --help`."""

import argparse
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from pyimagesearch.io.bench import measure_feed
from pyimagesearch.io.check import DAMAGED, SOUND, check_dataset
from pyimagesearch.utils.script import positive_float, positive_int, progress, run

LARGE = 200 * 2**20  # bytes of a file that takes more than a moment

SHOWN = 5  # row numbers of each kind

CHILD = "PYIMAGESEARCH_CHECK_CHILD"  # set in the environment of the process that reads


def main():
    ap = argparse.ArgumentParser(prog="python -m pyimagesearch.io", description="HDF5 data sets")
    commands = ap.add_subparsers(dest="command", required=True)
    bench = commands.add_parser(
        "bench",
        help="images per second that a data set delivers",
        description="Measure how many images per second a data set delivers: read, cropped, "
        "augmented. A network that trains on fewer does not wait for its data.",
    )
    bench.set_defaults(function=measure)
    bench.add_argument("file", help="HDF5 file of HDF5DatasetWriter")
    bench.add_argument("-b", "--batch-size", type=positive_int, default=128)
    bench.add_argument("-w", "--workers", type=int, help="threads (default: every core, 8 at most)")
    bench.add_argument("-a", "--aug", action="store_true", help="augment as AlexNet's chapter does")
    bench.add_argument("-k", "--data-key", default="images", help="name of the rows' data set")
    bench.add_argument("--seconds", type=positive_float, default=2.0, help="to measure each step")
    check = commands.add_parser(
        "check",
        help="look for damage and for images that look like mistakes",
        description="Read a whole data set. Say what it holds, whether all rows, labels and names "
        "match the checksums that HDF5DatasetWriter stored, which rows cannot be read or decoded "
        "or hold NaN, and which are constant or there twice.",
        epilog="Exit status: 0 all is sound; 1 damaged or unusable; 3 readable, but with constant "
        "or duplicate rows.",
    )
    check.set_defaults(function=check_apart)
    check.add_argument("file", help="HDF5 file of rows and labels")
    check.add_argument(
        "-k", "--data-key", help="name of the rows' data set (default: images, else features)"
    )
    args = vars(ap.parse_args())
    args["function"](args)


def measure(args):
    rates = measure_feed(
        args["file"],
        batchSize=args["batch_size"],
        workers=args["workers"],
        aug=args["aug"],
        dataKey=args["data_key"],
        seconds=args["seconds"],
    )
    for number, (name, rate) in enumerate(rates):
        if not number:  # an error in the file has come up by now
            print(f"{args['file']}, batches of {args['batch_size']}, images per second:")
        print(f"{rate:10,.0f}  {name}", flush=True)


def check_apart(args):
    """Check the file in a process of its own: the HDF5 library crashes on some damaged files."""
    if CHILD in os.environ:
        check_file(args)
    command = [sys.executable, *sys.orig_argv[1:]]
    status = subprocess.run(command, env=os.environ | {CHILD: "1"}, check=False).returncode
    if status < 0:
        raise OSError(
            f"{args['file']} is so damaged that the HDF5 library crashed on it "
            f"({signal.Signals(-status).name}). Build it again."
        )
    sys.exit(status)


def check_file(args):
    path = Path(args["file"])
    bar = None
    if sys.stderr.isatty() and path.is_file() and path.stat().st_size > LARGE:

        def bar(rows):
            return progress("check", rows)

    report = check_dataset(path, dataKey=args["data_key"], progress=bar)
    size = "x".join(map(str, report.shape)) or "1"
    kept = f" as {report.encoding}" if report.encoding else ""
    print(f"{path}: {report.rows:,} rows of {size} {report.dtype}{kept} in {report.data_key!r}")
    labels = sorted(report.counts)
    print(f"labels: {report.labels_dtype}, {labels[0]} to {labels[-1]}")
    names = [name if name.isprintable() else ascii(name) for name in report.names or []]
    shown = dict(enumerate(names)) | {n: "" for n in labels if not 0 <= n < len(names)}
    counts = (f"{n} {name}".strip() + f": {report.counts.get(n, 0):,}" for n, name in shown.items())
    print(textwrap.fill(", ".join(counts), 100, initial_indent="    ", subsequent_indent="    "))
    print(f"label_names: {len(names) if report.names is not None else 'the file has none'}")
    print(f"checksums: {report.checksums}")
    for problem in report.problems:
        print(f"[DAMAGED] {problem}")
    for rows, what in (
        (report.unreadable, "cannot be read"),
        (report.changed, "changed since they were written: they do not match their checksums"),
        (report.undecodable, f"cannot be decoded as {report.encoding}"),
        (report.not_finite, "hold NaN or infinite values"),
    ):
        show("DAMAGED", rows, what)
    show("SUSPICIOUS", report.constant, "constant: every pixel is the same")
    pairs = [f"{row} (as {first})" for row, first in report.duplicates]
    show("SUSPICIOUS", pairs, "duplicates of an earlier row")
    if report.status == SOUND:
        print("[INFO] sound")
    elif report.status == DAMAGED:
        print("[INFO] damaged: build it again")
    sys.exit(report.status)


def show(kind, rows, what):
    """Print how many rows these are and the first few of them."""
    if rows:
        more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
        first = ", ".join(map(str, rows[:SHOWN]))
        print(f"[{kind}] {len(rows):,} rows {what}: {first}{more}")


if __name__ == "__main__":
    run(main)
