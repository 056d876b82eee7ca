"""The benchmarks run; nothing about time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
SUMMARY = {
    *("feed", "augmentation", "feed and augmentation", "build", "cold import", "rank accuracy"),
    *("ten-crop evaluation", "ten crops, cutting alone"),
    *("features, reading alone", "features, with the network"),
    *("training AlexNet", "training ResNet-56", "100 images, feed", "100 images, build"),
    *("LMDB to HDF5, resized", "LMDB to HDF5, 256x256"),
}


def run(*words):
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.torture  # a minute and more
def test_all_benchmarks_run_and_leave_table_and_chart(tmp_path):
    printed = run(BENCHMARKS / "all.py", "--quick", "--output", tmp_path)
    results = {row["name"]: row for row in json.loads((tmp_path / "table.json").read_text())}
    assert {name for name, row in results.items() if "ours" in row["rates"]} == SUMMARY
    for row in results.values():
        assert all(rate > 0 for rates in row["rates"].values() for rate in rates)
        for way, why in row["missing"].items():  # those of the `bench` extra, and said so
            assert f"Left out: {way}, {why}." in printed
            assert why in ("torch is not installed", "albumentations is not installed")
    assert "| feed, images/s |" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_benchmark_of_tiny_sizes_prints_its_tables():
    printed = run(BENCHMARKS / "storage.py", "--quick")
    for way in ("pixels", "jpeg, quality 95", "png"):
        assert printed.count(f"| {way} |") == 2


def test_each_way_runs_in_a_process_of_its_own():
    printed = run(BENCHMARKS / "small.py", "--images", "10", "--repeats", "1")
    for way in ("plain loop", "0 workers", "ours"):
        assert printed.count(f"| {way} |") == 2
