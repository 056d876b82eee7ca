"""The bar chart of all rows: how many times the rate of 2017, on a log scale."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

COLOURS = {"ours": "#d1495b", "alternative": "#7aa6c2", "2017": "#b8b8b8"}
LEGEND = {
    "ours": "pyimagesearch",
    "alternative": "the best alternative today",
    "2017": "the book's code of 2017",
}
LEFT = 0.2  # where bars begin, so that 2017's, of length 1, are seen


def draw(results, path):
    """Draw every result that has both 2017 and ours; write a PNG."""
    results = [r for r in results if {"2017", "ours"} <= r.rates.keys()]
    if not results:
        return
    fig = Figure(figsize=(10.5, 1.5 + 0.8 * len(results)), layout="constrained")
    ax = fig.subplots()
    longest = 1
    for place, result in enumerate(results):
        for lane, (kind, colour) in enumerate(COLOURS.items()):
            way = result.best_alternative if kind == "alternative" else kind
            if way is None:
                continue
            y, length = place + 0.27 * (lane - 1), times(result, way)
            ax.barh(y, length - LEFT, 0.25, left=LEFT, color=colour)
            if kind == "ours" and "bare limit" in result.rates:
                limit = times(result, "bare limit")
                ax.barh(y, limit - LEFT, 0.25, left=LEFT, fill=False, ls=":", lw=1.2)
                length = max(length, limit)
            text = f"{result.show(result.median(way))} {result.unit}"
            if kind != "2017":
                text = f"{times(result, way):.3g}x   {text}"
            if kind == "alternative":
                text += f", {way}"
            weight = "bold" if kind == "ours" else "normal"
            ax.text(length * 1.07, y, text, va="center", fontsize=8.5, fontweight=weight)
            longest = max(longest, length)
    ax.set_xscale("log")
    ax.set_xlim(LEFT, 8 * longest)
    ax.set_ylim(len(results) - 0.4, -0.6)
    ax.set_yticks(range(len(results)), [result.name for result in results], fontsize=10)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    ax.set_xlabel("times the rate of 2017 (log scale)")
    ax.spines[["top", "right"]].set_visible(False)
    for kind, label in LEGEND.items():
        ax.barh([0], [0], color=COLOURS[kind], label=label)
    ax.barh([0], [0], fill=False, ls=":", lw=1.2, label="the machine's bare limit")
    fig.legend(loc="outside upper center", ncols=4, frameon=False)
    fig.savefig(path, dpi=150)


def times(result, way):
    """Return how many times the rate of 2017 a way reached, at least what can be drawn."""
    return max(result.median(way) / result.median("2017"), LEFT * 1.05)
