"""Settings and tools for all tests."""

import importlib.util
import os
import sys
from pathlib import Path

import progressbar.bar  # noqa: F401  it keeps the standard error of its import: not a test's
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

collect_ignore = ["keras2/book"]  # a reader's scripts, one of which is called test_ensemble.py

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

# The files that take longest, which begin first: at the end none of the processes waits for long.
LONG = [
    *("keras2_runner", "keras2_book", "examples_dogs_vs_cats", "examples_tinyimagenet"),
    *("nn", "examples_cifar10", "keras2_scripts", "caffe_training", "callbacks"),
    *("io_generator", "reliability_feed", "reliability_training"),
]


def pytest_collection_modifyitems(items):
    """Sort the files by the time that they take; the order within a file stays."""
    order = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.fixture
def run_script(monkeypatch):
    """Return a function that runs an example in this process: run("chapter/x.py", "--epochs", 1).

    The script's own folder comes first on the path, as when a user runs it. An error of its input
    ends it with SystemExit.
    """

    def run(script, *args):
        path = EXAMPLES / script
        before = set(sys.modules)
        monkeypatch.syspath_prepend(path.parent)
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, args)])
        spec = importlib.util.spec_from_file_location("example", path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            module.run(module.main)
        finally:
            if "keras" in sys.modules:  # --mixed-precision is for one run
                sys.modules["keras"].config.set_dtype_policy("float32")
            for name in set(sys.modules) - before:  # the next chapter has a `config` of its own
                if name.split(".")[0] in ("config", "photographs"):
                    del sys.modules[name]

    return run
