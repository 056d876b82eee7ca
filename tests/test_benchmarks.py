"""The benchmarks run; nothing about time is asserted."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def test_the_feed_benchmark_prints_its_table():
    command = [sys.executable, BENCHMARKS / "feed.py", "--images", "130", "--repeats", "1"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    header, *rows = printed.splitlines()
    assert header.split() == ["images/s", "2017", "ours", "ratio"]
    assert [row[:24].strip() for row in rows] == ["feed", "augmentation", "feed and augmentation"]
    assert all(float(number) > 0 for row in rows for number in row[24:].split())
