"""The layers and the fixture nets on Keras's other backends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CHOSEN = " or ".join(
    (
        *("layer_is_caffes", "slice_cuts", "equal_numbers", "behind_the_map", "half_precision"),
        *("fixtures", "(test_caffe_layers and batch_norm)"),
    )
)


@pytest.mark.torture  # needs both backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_layers_gradients_and_nets_are_the_same_on_another_backend(backend):
    # more than half of JAX's time here would go into code that runs once
    settings = {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    settings |= {"PYTHONPATH": str(TESTS.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    files = [str(TESTS / name) for name in ("test_caffe_layers.py", "test_caffe_load.py")]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", CHOSEN],
        cwd=TESTS.parent,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert " passed" in result.stdout
