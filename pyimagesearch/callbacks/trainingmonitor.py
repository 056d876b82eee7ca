"""TrainingMonitor: the learning curve as a picture and as JSON, after every epoch."""

import json
import math
from pathlib import Path

import keras
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pyimagesearch.utils.files import replacing


class TrainingMonitor(keras.callbacks.Callback):
    """Plot loss and accuracy, and write the history, after every epoch.

    The history `H` maps each name in Keras' logs, and "learning_rate", to one float per epoch;
    NaN where an epoch has no value (validation every other epoch, say). In the JSON file NaN and
    infinities are null. Of a metric with a value per class, as F1Score, it is the mean. The plot
    shows losses and accuracies; other metrics are recorded only.

    With `startAt=0` a new history begins, and takes the old one's place when the first epoch
    ends. To resume, give the number of epochs to keep: the history is read back and cut there.

    Args:
        figPath: the picture to write; its suffix gives the format, PNG if there is none.
        jsonPath: the history file to write, and to read when resuming. Default: none.
        startAt: number of epochs finished before this run.
    Raises:
        ValueError: when training begins, if the file at `jsonPath` is not a history, or ends
            before `startAt`.
        FileNotFoundError: when training begins, if `startAt` is given and there is no such file.

    Example:
        model.fit(..., initial_epoch=40, epochs=75, callbacks=[
            TrainingMonitor("output/alexnet.png", jsonPath="output/alexnet.json", startAt=40)])
    """

    def __init__(self, figPath, jsonPath=None, startAt=0):
        super().__init__()
        self.figPath = figPath
        self.jsonPath = jsonPath
        self.startAt = startAt
        self.H = {}

    def on_train_begin(self, logs=None):
        self.H = {}
        if self.jsonPath is None:
            return
        if Path(self.jsonPath).exists():  # read at startAt=0 too: only a history may be replaced
            history = _read_history(self.jsonPath)
            shortest = min(map(len, history.values()), default=0)
            if shortest < self.startAt:
                raise ValueError(
                    f"Cannot resume the history {self.jsonPath} after epoch {self.startAt}: it "
                    f"holds {shortest} epochs. Resume from epoch {shortest} or an earlier one."
                )
            if self.startAt > 0:
                self.H = {name: values[: self.startAt] for name, values in history.items()}
        elif self.startAt > 0:
            raise FileNotFoundError(
                f"Cannot resume the history after epoch {self.startAt}: there is no file "
                f"{self.jsonPath}. Give its path, or leave jsonPath out to go on without it."
            )

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None:  # what a schedule put into the logs is the rate this epoch used
            logs.setdefault("learning_rate", keras.ops.convert_to_numpy(rate))
        done = max(map(len, self.H.values()), default=0)
        for name in self.H | logs:
            values = self.H.setdefault(name, [math.nan] * done)
            values.append(float(np.mean(logs.get(name, math.nan))))

        if self.jsonPath is not None:
            _write_history(self.jsonPath, self.H)
        first = 1 if self.jsonPath is not None else 1 + self.startAt
        figure = plot_history(self.H, first=first)
        with replacing(self.figPath) as temporary:
            figure.savefig(temporary, format=temporary.suffix[1:] or "png")


def plot_history(history, first=1):
    """Draw the losses and the accuracies of a history over its epochs, one below the other.

    Args:
        history: name to one number per epoch, as `TrainingMonitor.H` holds them. The names that
            Keras gave in 2017 ("acc", "val_acc") are understood too.
        first: number of the first epoch.
    Returns:
        matplotlib.figure.Figure: still to be saved.
    """
    panels = {"Loss": _lines(history, "loss"), "Accuracy": _lines(history, "accuracy")}
    panels = {name: lines for name, lines in panels.items() if lines}
    epochs = np.arange(first, first + max(map(len, history.values()), default=0))
    with matplotlib.style.context("ggplot"):
        figure = Figure(figsize=(8, 1 + 3 * len(panels)), dpi=120, layout="constrained")
        for row, (name, lines) in enumerate(panels.items(), start=1):
            _draw(figure.add_subplot(len(panels), 1, row), name, epochs, lines)
        figure.align_ylabels()
    return figure


def _lines(history, kind):
    """Return label -> values of the series whose name ends in `kind`, training ones first."""
    lines = {}
    for name, values in history.items():
        base = name.removeprefix("val_")
        base = "accuracy" if base == "acc" else base
        if base.endswith(kind):
            part = "validation" if name.startswith("val_") else "training"
            label = part if base == kind else f"{part} {base}"
            # a history resumed from 2017 has "acc" first and "accuracy" then: one line
            lines[label] = np.fmax(lines.get(label, np.nan), values)
    return dict(sorted(lines.items()))


def _draw(ax, name, epochs, lines):
    marker = "o" if len(epochs) <= 20 else None
    for label, values in lines.items():
        ax.plot(epochs, values, label=label, linewidth=2, marker=marker, markersize=5)

    ax.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    ticks = MaxNLocator(integer=True, steps=[1, 2, 5, 10]).tick_values(epochs[0], epochs[-1])
    ax.set_xticks([epochs[0], *(tick for tick in ticks if epochs[0] < tick <= epochs[-1])])
    ax.set_xlabel("Epoch")

    values = np.concatenate(list(lines.values()))
    values = values[np.isfinite(values)]
    if name == "Accuracy":
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        if len(values):  # some room, so that one epoch's noise does not fill the panel
            ax.set_ylim(max(0, values.min() - 0.05), min(1.02, values.max() + 0.05))
    elif len(values) and 0 < 50 * values.min() < values.max():
        ax.set_yscale("log")  # one wild epoch must not flatten the others
    ax.set_ylabel(name)

    latest = ", ".join(
        f"{label} {values[-1]:.1%}" if name == "Accuracy" else f"{label} {values[-1]:.4g}"
        for label, values in lines.items()
    )
    ax.set_title(f"{name} after epoch {epochs[-1]}: {latest}", fontsize=11, loc="left")
    ax.legend()


def _read_history(path):
    """Return the history in a JSON file, null as NaN; raise ValueError if it is none."""
    try:
        history = json.loads(Path(path).read_text(encoding="utf-8"))
        if not all(isinstance(values, list) for values in history.values()):
            raise TypeError("it has no list of numbers for each name")
        return {
            name: [math.nan if value is None else float(value) for value in values]
            for name, values in history.items()
        }
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"The file {path} is not a training history: {error}. Nothing was written to it. "
            f"Repair it, move it away, or give another jsonPath."
        ) from error


def _write_history(path, history):
    history = {
        name: [value if math.isfinite(value) else None for value in values]
        for name, values in history.items()
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(history, allow_nan=False), encoding="utf-8")
