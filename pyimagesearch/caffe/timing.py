"""How long each layer of a net takes, forward and backward."""

import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import keras
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from pyimagesearch.caffe._compiled import compiled
from pyimagesearch.caffe._net import DATA_LAYERS, read_net
from pyimagesearch.caffe.build import build_net
from pyimagesearch.caffe.feed import data_feed
from pyimagesearch.utils.files import replacing

WARM_UP = 3  # calls that are not counted: the first one compiles
FORMATS = (".png", ".pdf", ".svg", ".jpg")
CHARTED = 60  # layers at most, those that take longest


class LayerTime(NamedTuple):
    """The times of a layer in seconds for a batch: medians."""

    name: str
    type: str
    forward: float
    backward: float


def measure_layers(net, *, iterations=50, batch=None, progress=None):
    """Measure each layer of a net by itself, compiled, on random numbers.

    The backward time is that of both passes together less the forward time. What a layer is in
    Keras is measured, padding for example among it; losses and Accuracy are not.

    Args:
        net: Net. In phase TRAIN dropout and batch normalization work as in training.
        iterations: measurements, of which the median counts.
        batch: images in a batch. Default: what the net says, or 1.
        progress: called with the number of layers done and of all.
    Returns:
        list of LayerTime, in the net's order.
    Raises:
        CaffeError, NotImplementedError: as of load_caffe.
        FileNotFoundError: if the size of the input is that of a data layer's files, and they are
            not there.
    """
    shapes, size = _input_shapes(net)
    batch = batch or size
    built = build_net(net, shapes)
    rng = np.random.default_rng(0)
    tensors = dict(built.inputs)
    values = {
        blob: keras.ops.convert_to_tensor(rng.normal(size=(batch, *tensor.shape[1:])), "float32")
        for blob, tensor in tensors.items()
    }
    layers = [layer for layer in net.layers if layer.name in built.after]
    times = []
    for number, layer in enumerate(layers):
        read = layer.bottoms[:1] if layer.type == "SoftmaxWithLoss" else layer.bottoms
        read = list(dict.fromkeys(read))
        model = keras.Model([tensors[blob] for blob in read], built.after[layer.name])
        forward, both = compiled(model, training=net.phase == "TRAIN")
        inputs = [values[blob] for blob in read]
        once, twice = (_median(function, inputs, iterations) for function in (forward, both))
        times.append(LayerTime(layer.name, layer.type, once, max(twice - once, 0.0)))
        tops = layer.tops or [layer.name]
        values.update(zip(tops, forward(inputs), strict=False))
        tensors.update(zip(tops, built.after[layer.name], strict=False))
        if progress is not None:
            progress(number + 1, len(layers))
    return times


def _input_shapes(net):
    """Return the shapes of the inputs from data layers, and the number of images in a batch."""
    sizes = [source.shape[0] for source in net.inputs if source.shape]
    shapes = {}
    with ExitStack() as stack:
        for layer in net.layers:
            if layer.type in DATA_LAYERS - {"Input"}:
                feed = stack.enter_context(data_feed(layer, net.phase, seed=0))
                shapes |= feed.shapes
                sizes.append(feed.batch_size)
    return shapes, sizes[0] if sizes else 1


def _median(function, inputs, iterations):
    seconds = []
    for number in range(WARM_UP + iterations):
        start = time.perf_counter()
        function(inputs)
        if number >= WARM_UP:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def time_net(path, *, iterations=50, phase="TRAIN", batch=None, chart=None):
    """Print a table of the layers' times and draw a bar chart of them.

    Args:
        path: .prototxt file.
        iterations, batch: as of `measure_layers`.
        phase: "TRAIN" or "TEST".
        chart: picture to write. Default: <name of the net's file>_time.png in the current folder.
    Returns:
        list of LayerTime.
    Raises:
        As `measure_layers`, and OSError if the chart cannot be written.
    """
    net = read_net(path, phase)
    chart = Path(chart) if chart else Path(f"{Path(path).stem}_time.png")
    if chart.suffix.lower() not in FORMATS:
        raise ValueError(f"A chart is one of {', '.join(FORMATS)}. Received: {chart}.")
    times = measure_layers(net, iterations=iterations, batch=batch)
    size = batch or _input_shapes(net)[1]
    print(f"{path}: a batch of {size}, {keras.backend.backend()}, median of {iterations}, in ms")
    width = max(len("layer"), *(len(entry.name) for entry in times))
    kind = max(len(entry.type) for entry in times)
    print(f"{'layer':{width}}  {'type':{kind}}   forward  backward   share")
    whole = sum(entry.forward + entry.backward for entry in times) or 1.0
    for entry in times:
        print(
            f"{entry.name:{width}}  {entry.type:{kind}}  {1e3 * entry.forward:8.3f}  "
            f"{1e3 * entry.backward:8.3f}  {(entry.forward + entry.backward) / whole:6.1%}"
        )
    forward = sum(entry.forward for entry in times)
    sums = f"{1e3 * forward:8.3f}  {1e3 * (whole - forward):8.3f}"
    print(f"{'all':{width}}  {'':{kind}}  {sums}  100.0%")
    figure = bar_chart(times, f"{net.name or Path(path).stem}, a batch of {size}")
    with replacing(chart) as temporary:
        figure.savefig(temporary)
    print(f"[INFO] {chart} written")
    return times


def bar_chart(times, title):
    """Draw the times as bars, the first layer at the top.

    Of more than 60 layers those that take longest are drawn.

    Returns:
        matplotlib.figure.Figure: still to be saved.
    """
    longest = sorted(times, key=lambda entry: entry.forward + entry.backward)[-CHARTED:]
    if len(longest) < len(times):
        title += f": the {CHARTED} slowest of {len(times)} layers"
    shown = [entry for entry in times if entry in longest][::-1]
    forward = [1e3 * entry.forward for entry in shown]
    with matplotlib.style.context("ggplot"):
        figure = Figure(figsize=(9, 1.4 + 0.22 * len(shown)), dpi=110, layout="constrained")
        axes = figure.add_subplot()
        places = range(len(shown))
        axes.barh(places, forward, label="forward")
        axes.barh(places, [1e3 * entry.backward for entry in shown], left=forward, label="backward")
        axes.set_yticks(places, [entry.name for entry in shown], fontsize=8)
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.set(xlabel="ms", title=title)
        axes.legend()
    return figure
