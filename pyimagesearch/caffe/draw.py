"""Draw the layers of a net: data at the top, one box a layer, in-place layers within its box."""

from dataclasses import dataclass, field

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from pyimagesearch.caffe._net import DATA_LAYERS, LOSS_LAYERS, OUTSIDE
from pyimagesearch.utils.files import replacing

FORMATS = (".png", ".pdf", ".svg", ".jpg")
LINE, MARGIN, GAP, ROW_GAP = 0.17, 0.12, 0.3, 0.38  # inches
LETTER = 0.082  # inches, the width of one at 8 points
DOTS = 110  # an inch
MOST_DOTS = 60_000  # a side; matplotlib stops at 65,536
SWEEPS = 8
LONGEST = 44  # letters in a line
COLOURS = {
    **dict.fromkeys(("Convolution", "Deconvolution"), "#f5b7a8"),
    **dict.fromkeys(("InnerProduct", "Embed"), "#cbb3dd"),
    **dict.fromkeys(("Pooling", "Reduction"), "#f8d58c"),
    **dict.fromkeys(("LRN", "BatchNorm", "MVN", "Scale", "Bias"), "#bfdcc5"),
    **dict.fromkeys(DATA_LAYERS, "#d9d9d9"),
    **dict.fromkeys(LOSS_LAYERS | OUTSIDE | {"SoftmaxWithLoss", "Softmax"}, "#a9cbe8"),
}
OTHER = "#efefe6"
UNSAID = {"weight_filler", "bias_filler", "filler", "engine"}


@dataclass
class _Box:
    """A box, or with no lines a point at which an edge passes a row."""

    lines: list[str] = field(default_factory=list)
    colour: str = OTHER
    sources: list = field(default_factory=list)
    row: int = 0
    place: float = 0.0  # inches from the left

    @property
    def width(self):
        return max(map(len, self.lines)) * LETTER + 2 * MARGIN if self.lines else 0.05

    @property
    def height(self):
        return len(self.lines) * LINE + MARGIN if self.lines else 0


def draw_net(net, path):
    """Draw a net as a picture.

    Args:
        net: a Net, as `read_net` returns it.
        path: .png, .jpg, .pdf or .svg; a file that exists is replaced.
    Raises:
        ValueError: for another suffix.
        OSError: if the file cannot be written.
    """
    suffix = str(path)[-4:].lower()
    if suffix not in FORMATS:
        raise ValueError(f"A net is drawn as {', '.join(FORMATS)}. Received: {path}.")
    boxes = _boxes(net)
    rows = _rows(boxes)
    _order(rows)
    width = _place(rows)
    tops, height = [], ROW_GAP
    for row in rows:
        tops.append(height)
        height += max(box.height for box in row) + ROW_GAP
    figure = Figure(figsize=(width + 2 * GAP, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-GAP, width + GAP), ylim=(height, 0))
    axes.axis("off")
    for box in boxes:
        _draw(axes, box, tops)
    for row in rows:
        for box in row:
            _edges(axes, box, tops, rows)
    dots = min(DOTS, MOST_DOTS / max(width + 2 * GAP, height))
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dots)


def _boxes(net):
    """Return the boxes of a net's inputs and layers in its order."""
    boxes, maker = [], {}
    for source in net.inputs:
        shape = " x ".join(map(str, source.shape or ()))
        maker[source.blob] = _Box([source.blob, shape][: 2 if shape else 1], COLOURS["Input"])
        boxes.append(maker[source.blob])
    for layer in net.layers:
        if layer.type == "Input":
            continue
        in_place = len(layer.bottoms) == 1 and layer.bottoms == layer.tops
        if in_place and layer.bottoms[0] in maker:
            maker[layer.bottoms[0]].lines.append(f"+ {layer.name} ({_short(layer)})")
            continue
        sources = dict.fromkeys(id(maker[bottom]) for bottom in layer.bottoms)
        box = _Box([layer.name, *_about(layer)], COLOURS.get(layer.type, OTHER))
        box.sources = [made for made in boxes if id(made) in sources]
        boxes.append(box)
        maker.update(dict.fromkeys(layer.tops, box))
    for box in boxes:
        box.lines = [
            line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in box.lines
        ]
    return boxes


def _short(layer):
    return ", ".join([layer.type, *_options(layer)])


def _about(layer):
    """Return the type of a layer and its options, in lines of about 30 letters."""
    lines = [layer.type]
    for option in _options(layer):
        if len(lines[-1]) + len(option) > 30:
            lines.append(option)
        else:
            lines[-1] += f", {option}"
    return lines


def _options(layer):
    for name in layer.message.given():
        if not name.endswith("_param"):
            continue
        param = getattr(layer.message, name)
        for option in param.given():
            value = getattr(param, option)
            if option in UNSAID or hasattr(value, "kind"):
                continue
            if isinstance(value, list):
                if any(hasattr(entry, "kind") for entry in value):
                    continue
                value = " x ".join(f"{entry:g}" for entry in value)
            yield f"{option} {value:g}" if isinstance(value, float) else f"{option} {value}"


def _rows(boxes):
    """Put each box below all that it reads, with a point in each row that an edge passes."""
    for box in boxes:
        box.row = 1 + max((source.row for source in box.sources), default=-1)
    rows = [[] for _ in range(max(box.row for box in boxes) + 1)]
    for box in boxes:
        rows[box.row].append(box)
        box.sources = [_passed(source, box.row, rows) for source in box.sources]
    return rows


def _passed(source, row, rows):
    for between in range(source.row + 1, row):
        source = _Box(sources=[source], row=between)
        rows[between].append(source)
    return source


def _order(rows):
    """Sort each row by the middle of the boxes above and below, so that few edges cross."""
    below = {}
    for row in rows:
        for box in row:
            for source in box.sources:
                below.setdefault(id(source), []).append(box)
    for row in rows:
        for place, box in enumerate(row):
            box.place = place
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            middles = {}
            for box in row:
                near = box.sources if down else below.get(id(box), [])
                middles[id(box)] = (
                    sum(other.place for other in near) / len(near) if near else box.place
                )
            row.sort(key=lambda box, middles=middles: middles[id(box)])
            for place, box in enumerate(row):
                box.place = place


def _place(rows):
    """Give each box its place in inches, rows centred; return the width of the widest row."""
    widths = [sum(box.width for box in row) + GAP * (len(row) - 1) for row in rows]
    for row, width in zip(rows, widths, strict=True):
        left = (max(widths) - width) / 2
        for box in row:
            box.place = left + box.width / 2
            left += box.width + GAP
    return max(widths)


def _draw(axes, box, tops):
    top = tops[box.row]
    corner = (box.place - box.width / 2, top)
    style = "round,pad=0,rounding_size=0.06"
    patch = FancyBboxPatch(
        corner, box.width, box.height, style, facecolor=box.colour, edgecolor="#666666", zorder=2
    )
    axes.add_patch(patch)
    for number, line in enumerate(box.lines):
        place = top + MARGIN / 2 + LINE * (number + 0.5)
        weight = "bold" if number == 0 else "normal"
        axes.text(
            *(box.place, place, line),
            **{"ha": "center", "va": "center", "size": 8, "weight": weight, "zorder": 3},
            parse_math=False,
        )


def _edges(axes, box, tops, rows):
    for source in box.sources:
        end = source.height if source.lines else max(other.height for other in rows[source.row])
        start = tops[source.row] + source.height
        if not source.lines:  # the point's row is passed straight
            axes.plot([source.place] * 2, [start, start + end], color="#666666", lw=0.8, zorder=1)
            start += end
        arrow = "-|>" if box.lines else "-"
        axes.annotate(
            "",
            *((box.place, tops[box.row]), (source.place, start)),
            arrowprops={"arrowstyle": arrow, "color": "#666666", "lw": 0.8, "shrinkA": 0}
            | {"shrinkB": 0},
        )
