"""The log of a training: a JSON object for each line, and the learning curve."""

import json
import math
import time

import matplotlib.style
from matplotlib.figure import Figure

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.utils.files import replacing

DRAWN_EVERY = 30  # seconds, at least


class TrainLog:
    """The lines of a training so far, kept in <prefix>_log.jsonl as they come.

    A record has "iteration" (updates done) and "loss" with "lr", or "test" (a dict of results), or
    "snapshot" (the file's name). Numbers that are not finite are null.

    Args:
        prefix: Path that the names of the training's files begin with.
    """

    def __init__(self, prefix):
        self.path = prefix.with_name(f"{prefix.name}_log.jsonl")
        self.picture = prefix.with_name(f"{prefix.name}_log.png")
        self.records = []
        self._drawn_at = -math.inf

    def begin(self):
        """Start an empty log."""
        self.records = []
        self._write()

    def cut(self, done):
        """Go on with the log of a training that had `done` updates behind it."""
        self.records = [record for record in self.read() if _before(record, done)]
        self._write()

    def add(self, record):
        """Append a record; draw the curve after a test, though not more often than it is worth."""
        self.records.append(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))
        if "test" in record and time.monotonic() - self._drawn_at > DRAWN_EVERY:
            self.draw()

    def read(self):
        """Return the records of the file; an empty list where there is none.

        Raises:
            CaffeError: if a line is no record. The last one may be incomplete, after a kill.
        """
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        records = []
        for number, line in enumerate(lines[:-1], start=1):
            try:
                record = json.loads(line)
                int(record["iteration"])
            except (ValueError, TypeError, KeyError, RecursionError):
                raise CaffeError(
                    f"{self.path}, line {number} is no record of a training. Move the file away to "
                    "go on without it."
                ) from None
            records.append(record)
        return records

    def draw(self):
        """Write the learning curve, <prefix>_log.png."""
        figure = learning_curve(self.records)
        with replacing(self.picture) as temporary:
            figure.savefig(temporary)
        self._drawn_at = time.monotonic()

    def _write(self):
        with replacing(self.path) as temporary:
            temporary.write_text("".join(map(_line, self.records)), encoding="utf-8")


def _before(record, done):
    """Whether a record belongs to the training before so many updates were done."""
    # the test before update `done` comes again after the snapshot
    return record["iteration"] + ("snapshot" not in record) <= done


def _line(record):
    return (
        json.dumps(record, default=float).replace("NaN", "null").replace("Infinity", "null") + "\n"
    )


def learning_curve(records):
    """Draw the records of a training.

    Args:
        records: list of dicts, as `TrainLog` has them.
    Returns:
        matplotlib.figure.Figure: losses and, where there are some, accuracies over the iterations.
    """
    losses = {"training": _series(records, lambda record: record.get("loss"))}
    accuracies = {}
    names = dict.fromkeys(name for record in records for name in record.get("test", ()))
    for name in names:
        panel = accuracies if "acc" in name.lower() else losses
        panel[f"test {name}"] = _series(records, lambda r, name=name: r.get("test", {}).get(name))
    panels = {"Loss": losses, "Accuracy": accuracies}
    panels = {name: {k: v for k, v in lines.items() if v[0]} for name, lines in panels.items()}
    panels = {name: lines for name, lines in panels.items() if lines} or {"Loss": {}}
    with matplotlib.style.context("ggplot"):
        figure = Figure(figsize=(8, 1 + 3 * len(panels)), dpi=120, layout="constrained")
        for row, (name, lines) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(len(panels), 1, row)
            for label, (iterations, values) in lines.items():
                marker = "o" if len(iterations) <= 20 else None
                axes.plot(iterations, values, label=label, linewidth=2, marker=marker, markersize=4)
            axes.set(xlabel="Iteration", ylabel=name)
            values = [value for _, numbers in lines.values() for value in numbers]
            if name == "Loss" and values and 0 < 50 * min(values) < max(values):
                axes.set_yscale("log")  # else the end of a long way down is a flat line
            if lines:
                latest = (f"{label} {values[-1]:.4g}" for label, (_, values) in lines.items())
                axes.set_title(f"{name}: {', '.join(latest)}", fontsize=11, loc="left")
                axes.legend()
    return figure


def _series(records, value):
    pairs = [(record["iteration"], value(record)) for record in records]
    pairs = [pair for pair in pairs if pair[1] is not None and math.isfinite(pair[1])]
    return [iteration for iteration, _ in pairs], [number for _, number in pairs]
