"""How every benchmark measures: ways in turn, medians, and peak memory in a process of its own.

A row is one kind of work, done in several ways. Each way runs in a process of its own, which sets
up (imports, opens files), warms up with one pass, and then waits for its turn: pass by pass, A B C
A B C ..., so that whatever else the machine does slows them alike. A way is a function

    way(folder, args) -> run, and run(passes) -> number of items it worked on

The names "2017", "ours" and "bare limit" have their columns in the summary; every other name is an
alternative, of which the fastest is shown. A run that measures elsewhere returns an Outcome.
"""

import argparse
import contextlib
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyimagesearch.utils.script import option_words, positive_int

LEAST_SECONDS = 1.5  # a run repeats its pass until it takes about so long


@dataclass
class Outcome:
    """What a run took, where it knows better than the clock around it."""

    items: int
    seconds: float
    peak: float


@dataclass
class Row:
    """One kind of work.

    Attributes:
        file: the script that measures it alone.
        name: what the table calls it.
        ways: {name: way}.
        prepare: function(folder, args) that writes what the ways read; it may return a remark.
        unit: of the rates; with "s" the table shows seconds per item instead.
    """

    file: str
    name: str
    ways: dict[str, Callable]
    prepare: Callable = lambda folder, args: None
    unit: str = "images/s"


@dataclass
class Result:
    """What the ways of a row reached: rates in items per second, peaks in MB."""

    name: str
    unit: str
    rates: dict = field(default_factory=dict)
    peaks: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)
    remark: str | None = None

    def median(self, way):
        return statistics.median(self.rates[way]) if way in self.rates else None

    @property
    def best_alternative(self):
        others = [way for way in self.rates if way not in ("2017", "ours", "bare limit")]
        return max(others, key=self.median, default=None)

    def show(self, rate):
        """Return a rate in the row's unit, to three digits."""
        value = 1 / rate if self.unit == "s" else rate
        digits = max(0, 2 - math.floor(math.log10(value)))
        return f"{value:,.{digits}f}"


def main(rows, doc, options=lambda ap: None):
    """Measure and print the rows of one file; its command line is `options` and the common ones."""
    ap = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options(ap)
    args = parse(ap)
    if args["only"]:
        serve(rows, args)
    else:
        for row in rows:
            print(markdown(measure(row, args)), flush=True)


def parse(ap, words=None):
    """Return the options of a row, with --quick's numbers in place of the defaults."""
    ap.add_argument("-n", "--images", type=positive_int, help="images to work on")
    ap.add_argument("-r", "--repeats", type=positive_int, help="measurements of each way (5)")
    ap.add_argument("-p", "--photos", help="folder of JPEGs (default: drawn ones)")
    ap.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    ap.add_argument("--only", nargs=3, help=argparse.SUPPRESS)  # row, way, folder
    args = vars(ap.parse_args(words))
    args["repeats"] = args["repeats"] or (1 if args["quick"] else 5)
    return args


def size(args, full, quick):
    """Return the number of images to work on."""
    return args["images"] or (quick if args["quick"] else full)


def measure(row, args):
    """Run the ways of a row in turn; return a Result."""
    result = Result(row.name, row.unit)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        try:
            result.remark = row.prepare(Path(folder), args)
        except ModuleNotFoundError as error:
            result.missing = dict.fromkeys(row.ways, f"{error.name} is not installed")
            return result
        start = in_this_process if args["quick"] else in_own_process
        running = {}
        for name in row.ways:
            try:
                running[name] = stack.enter_context(start(row, name, folder, args))
            except ModuleNotFoundError as error:
                result.missing[name] = f"{error.name} is not installed"
        for _ in range(args["repeats"]):
            for name, turn in running.items():
                rate, result.peaks[name] = turn()
                result.rates.setdefault(name, []).append(rate)
    return result


@contextlib.contextmanager
def in_this_process(row, name, folder, args):
    """Do as `in_own_process`, quicker: no interpreter starts, but the memory is not the way's."""
    run = row.ways[name](Path(folder), args)
    yield lambda: (timed(run, 1)[0], None)


@contextlib.contextmanager
def in_own_process(row, name, folder, args):
    """Start the way; yield a function that runs it once and returns (rate, peak memory)."""
    words = [*option_words(args), "--only", row.name, name, str(folder)]
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, row.file, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,  # TensorFlow always has some; they matter if it fails
            text=True,
        )

        def answer():
            line = process.stdout.readline()
            if not line:
                complaints.seek(0)
                raise OSError(f"{row.name}, {name}: it ended early.\n{complaints.read()}")
            return json.loads(line)

        def turn():
            process.stdin.write("go\n")
            process.stdin.flush()
            return answer()

        with process:
            try:
                if missing := answer():
                    raise ModuleNotFoundError(name=missing)
                yield turn
            finally:
                process.stdin.close()  # ends it


def serve(rows, args):
    """Be the process of one way: run it whenever a line comes in, and answer with what it took."""
    row, way, folder = args["only"]
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like
    try:
        run = next(r for r in rows if r.name == row).ways[way](Path(folder), args)
        start = time.perf_counter()
        run(1)
        passes = math.ceil(LEAST_SECONDS / (time.perf_counter() - start))
        forget_peak_memory()  # what the check of the results took is not the way's
        print("null", file=answers, flush=True)
    except ModuleNotFoundError as error:
        print(json.dumps(error.name), file=answers, flush=True)
        return
    for _ in sys.stdin:
        print(json.dumps(timed(run, passes)), file=answers, flush=True)


def timed(run, passes):
    """Return (items per second, peak memory in MB)."""
    start = time.perf_counter()
    done = run(passes)
    if not isinstance(done, Outcome):
        done = Outcome(done, time.perf_counter() - start, peak_memory())
    return done.items / done.seconds, done.peak


def forget_peak_memory():
    """Let `peak_memory` count from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory():
    """Return the most memory this process ever held, in MB, or None where Linux is not at hand.

    Not getrusage: its figure starts from the peak of the process that started this one.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None


def markdown(result):
    """Return the table of one row."""
    lines = [
        f"### {result.name}\n",
        f"| way | {result.unit}, median | least to most | peak MB |",
        "|---|---|---|---|",
    ]
    for way, rates in result.rates.items():
        ends = sorted((min(rates), max(rates)), reverse=result.unit == "s")
        low, high = map(result.show, ends)
        peak = f"{result.peaks[way]:,.0f}" if result.peaks[way] else ""
        lines.append(f"| {way} | {result.show(result.median(way))} | {low} to {high} | {peak} |")
    lines += [f"\nLeft out: {way}, {why}." for way, why in result.missing.items()]
    if result.remark:
        lines.append(f"\n{result.remark}")
    return "\n".join([*lines, ""])
