"""Measure everything and write one table and one chart.

    python benchmarks/all.py
    python benchmarks/all.py --photos datasets/kaggle_dogs_vs_cats/train feed build

Writes table.md, table.json and chart.png to output/bench/. Options that only one file knows keep
their defaults; run that file by itself to set them.
"""

import argparse
import importlib
import json
import os
import platform
from dataclasses import asdict
from datetime import date
from pathlib import Path

import chart
import cv2
import h5py
import harness
import numpy as np

from pyimagesearch.utils.parallel import usable_cores
from pyimagesearch.utils.script import option_words, positive_int, run

OUTPUT = Path(__file__).resolve().parents[1] / "output" / "bench"
FILES = (
    *("feed", "augmentation", "feed_augmentation", "build", "imports", "rank", "crops"),
    *("features", "training", "scaling", "small", "storage", "caffe_lmdb"),
)


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("files", nargs="*", default=FILES, help=f"of {', '.join(FILES)} (all)")
    ap.add_argument("-r", "--repeats", type=positive_int, help="measurements of each way (5)")
    ap.add_argument("-p", "--photos", help="folder of JPEGs (default: drawn ones)")
    ap.add_argument("-o", "--output", type=Path, default=OUTPUT, help="folder to write")
    ap.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    args = vars(ap.parse_args())
    output = args.pop("output")
    output.mkdir(parents=True, exist_ok=True)

    files = args.pop("files")
    if unknown := sorted(set(files) - set(FILES)):
        ap.error(f"unknown: {', '.join(unknown)}. Choose from {', '.join(FILES)}.")
    results = []
    for name in files:
        module = importlib.import_module(name)
        options = argparse.ArgumentParser()
        getattr(module, "add_options", lambda ap: None)(options)
        defaults = harness.parse(options, option_words(args))
        for row in module.ROWS:
            result = harness.measure(row, defaults)
            print(harness.markdown(result), flush=True)
            results.append(result)

    parts = [conditions(args), summary(results), *map(harness.markdown, results)]
    (output / "table.md").write_text("\n".join(parts))
    (output / "table.json").write_text(json.dumps([asdict(r) for r in results], indent=1))
    chart.draw(results, output / "chart.png")
    print(summary(results))
    print(f"[INFO] wrote table.md, table.json and chart.png to {output}")


def conditions(args):
    versions = f"NumPy {np.__version__}, OpenCV {cv2.__version__}, h5py {h5py.__version__}"
    pictures = "photographs" if args["photos"] else "drawn pictures"
    return (
        f"{date.today()}, {usable_cores()} cores ({platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}, {versions}; "
        f"{pictures}; medians, the ways in turn.\n"
    )


def summary(results):
    """Return the table of all rows that have ours."""
    lines = [
        "| work | 2017 | best alternative | ours | bare limit | ours / 2017 | ours / alternative "
        "| of the limit | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        ours = result.median("ours")
        if ours is None:
            continue
        other = result.best_alternative
        rates = [result.median(way) for way in ("2017", other, "bare limit")]
        old, best, limit = (rate and result.show(rate) for rate in rates)
        cells = [f"{result.name}, {result.unit}", old, other and f"{best} ({other})"]
        cells += [f"**{result.show(ours)}**", limit]
        cells += [rate and f"{ours / rate:.3g}" for rate in rates[:2]]
        cells += [
            rates[2] and f"{ours / rates[2]:.0%}",
            result.peaks["ours"] and f"{result.peaks['ours']:,.0f}",
        ]
        lines.append("| " + " | ".join(cell or "" for cell in cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    run(main)
