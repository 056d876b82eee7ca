"""Train one network on CIFAR-10 with eight optimizers, and see chapter 7's advice for yourself.

    python examples/optimizers/compare_optimizers.py --dataset datasets/cifar10

All begin with the same weights and see the same images in the same order, so that only the
optimizer differs. LeNet has no batch normalization, which would hide part of the difference.
Writes to --output optimizers.png and the histories, optimizers.json; both grow as the optimizers
get done. Prints a table in the end.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import json
import math
import time
from pathlib import Path

import keras
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from pyimagesearch.datasets import load_cifar10
from pyimagesearch.nn.conv import LeNet
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import positive_float, positive_int, run

OUTPUT = Path(__file__).resolve().parents[2] / "output" / "optimizers"
SGD = keras.optimizers.SGD

# name: (class, learning rate, further options, colour). The rates are Keras' defaults of the
# book's time; today's 0.001 for Adagrad and Adadelta is far too low to train with.
OPTIMIZERS = {
    "SGD": (SGD, 0.01, {}, "#5aa8d8"),
    "momentum": (SGD, 0.01, {"momentum": 0.9}, "#2171b5"),
    "Nesterov": (SGD, 0.01, {"momentum": 0.9, "nesterov": True}, "#08306b"),
    "Adagrad": (keras.optimizers.Adagrad, 0.01, {}, "#41ab5d"),
    "Adadelta": (keras.optimizers.Adadelta, 1.0, {}, "#00541f"),
    "RMSprop": (keras.optimizers.RMSprop, 0.001, {}, "#807dba"),
    "Adam": (keras.optimizers.Adam, 0.001, {}, "#fd8d3c"),
    "Nadam": (keras.optimizers.Nadam, 0.002, {}, "#a63603"),
}


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", help="folder of cifar-10-batches-py (default: download)")
    ap.add_argument("-o", "--output", default=OUTPUT, help="folder of the plot and histories")
    ap.add_argument(
        "-e", "--epochs", type=positive_int, default=15, help="epochs of each optimizer"
    )
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    ap.add_argument(
        "-l",
        "--lr",
        type=positive_float,
        help="one learning rate for all (default: each one's own)",
    )
    ap.add_argument(
        "--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS), help="only these"
    )
    ap.add_argument("--seed", type=int, default=42, help="seed of the weights and the order")
    ap.add_argument("--limit", type=positive_int, help="train on the first N images only")
    add_speed_options(ap)
    args = vars(ap.parse_args())
    set_precision(args)
    output, seed = Path(args["output"]), args["seed"]

    print("[INFO] loading CIFAR-10...")
    (trainX, trainY), (testX, testY), names = load_cifar10(args["dataset"], limit=args["limit"])
    trainX, testX = trainX.astype("float32") / 255, testX.astype("float32") / 255
    trainY = keras.utils.to_categorical(trainY, len(names))
    testY = keras.utils.to_categorical(testY, len(names))
    aug = ImageDataGenerator()  # changes nothing; the batches come in a new order every epoch

    results = {}
    for name in args["optimizers"]:
        optimizer, lr, options, _ = OPTIMIZERS[name]
        lr = lr if args["lr"] is None else args["lr"]
        print(f"[INFO] training with {name}, learning rate {lr:g}...")
        keras.utils.set_random_seed(seed)  # the same initial weights
        model = LeNet.build(width=32, height=32, depth=3, classes=len(names))
        model.compile(
            loss="categorical_crossentropy",
            optimizer=optimizer(learning_rate=lr, **options),
            metrics=["accuracy"],
        )
        speed_up(model, args)
        stopwatch = Stopwatch()
        history = model.fit(
            aug.flow(trainX, trainY, batch_size=args["batch_size"], seed=seed),
            shuffle=False,  # the flow does it, in the same order for all
            validation_data=(testX, testY),
            epochs=args["epochs"],
            callbacks=[stopwatch],
        ).history
        results[name] = {"lr": lr, "seconds": stopwatch.seconds, **history}
        write_json(output / "optimizers.json", results)
        with replacing(output / "optimizers.png") as temporary:
            plot(results).savefig(temporary)

    print(table(results))
    print(f"[INFO] plot: {output / 'optimizers.png'}")


class Stopwatch(keras.callbacks.Callback):
    """Measure every epoch; the first one also builds the graph."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.begin)


def table(results):
    """Return the results as text, the highest validation accuracy first."""
    lines = [
        f"{'':10}{'learning':>9}{'--- validation accuracy ---':>30}{'final':>9}{'seconds':>9}",
        f"{'optimizer':10}{'rate':>9}{'final':>9}{'best':>9}{'in epoch':>12}{'loss':>9}"
        f"{'/ epoch':>9}",
    ]
    for name in sorted(results, key=lambda name: -max(results[name]["val_accuracy"])):
        result = results[name]
        accuracy = result["val_accuracy"]
        lines.append(
            f"{name:10}{result['lr']:9g}{accuracy[-1]:9.2%}{max(accuracy):9.2%}"
            f"{np.argmax(accuracy) + 1:12d}{result['loss'][-1]:9.4g}"
            f"{np.median(result['seconds']):9.1f}"
        )
    return "\n".join(lines)


def plot(results):
    """Draw training loss and validation accuracy of all optimizers, named at the lines' ends."""
    with matplotlib.style.context("ggplot"):
        figure = Figure(figsize=(12, 5.5), dpi=120, layout="constrained")
        figure.suptitle("LeNet on CIFAR-10: the same weights and batches, another optimizer")
        loss, accuracy = figure.subplots(1, 2)
        for ax, key in ((loss, "loss"), (accuracy, "val_accuracy")):
            for name, result in results.items():
                epochs = range(1, len(result[key]) + 1)
                marker = "o" if len(epochs) <= 20 else None
                colour = OPTIMIZERS[name][-1]
                ax.plot(epochs, result[key], color=colour, linewidth=2, marker=marker, markersize=4)
            ax.set_xlim(0.5, len(epochs) + 0.5)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            ax.set_xlabel("Epoch")
        loss.set_title("Training loss", loc="left", fontsize=12)
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        loss.yaxis.set_major_formatter("{x:g}")
        loss.yaxis.set_minor_locator(NullLocator())
        accuracy.set_title("Validation accuracy", loc="left", fontsize=12)
        accuracy.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        name_lines(loss, {name: result["loss"][-1] for name, result in results.items()})
        name_lines(accuracy, {name: result["val_accuracy"][-1] for name, result in results.items()})
    return figure


def name_lines(ax, ends):
    """Write each line's name beside its last value, moved apart where they would overlap."""
    ends = {name: value for name, value in ends.items() if math.isfinite(value)}
    ax.set_ylim(ax.get_ylim())  # now, not when the figure is drawn: the heights depend on it
    height = ax.transData + ax.transAxes.inverted()
    last = ax.dataLim.x1
    names = sorted(ends, key=ends.get)
    places = [height.transform((last, ends[name]))[1] for name in names]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + 0.05)
    for i in reversed(range(len(places))):  # and back, where the highest left the panel
        places[i] = min(places[i], 1 - 0.05 * (len(places) - 1 - i))
    for name, place in zip(names, places, strict=True):
        ax.annotate(
            name,
            (last, ends[name]),
            xytext=(1.04, place),
            textcoords="axes fraction",
            color=OPTIMIZERS[name][-1],
            fontweight="bold",
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": OPTIMIZERS[name][-1],
                "linewidth": 0.8,
                "relpos": (0, 0.5),
                "shrinkA": 2,
            },
        )


def write_json(path, results):
    def finite(value):  # JSON knows no NaN, which a diverged optimizer leaves
        if isinstance(value, list):
            return [finite(item) for item in value]
        return value if math.isfinite(value) else None

    results = {
        name: {key: finite(value) for key, value in result.items()}
        for name, result in results.items()
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(results, allow_nan=False))


if __name__ == "__main__":
    run(main)
