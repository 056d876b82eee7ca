"""What scripts of 2017 do with Keras, under the runner: see keras2_checks.py."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "keras2_checks.py"
PARTS = [SCRIPT, *(SCRIPT.with_name(f"keras2_{part}_checks.py") for part in ("training", "graph"))]
CHECKS = [
    node.name
    for part in PARTS
    for node in ast.parse(part.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
]


def run_checks(folder, backend="tensorflow"):
    """Run all checks in one process; return name -> None or traceback, and its standard error."""
    words = ["-P", "-m", "pyimagesearch.keras2", "--explain", SCRIPT, "results.json"]
    settings = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
    result = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    return json.loads((folder / "results.json").read_text()), result.stderr


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks")
    return folder, *run_checks(folder)


@pytest.mark.parametrize("name", CHECKS)
def test_under_the_runner(outcome, name):
    _, results, _ = outcome
    assert results[name] is None, results[name]


def test_explain_lists_the_names_the_lines_and_the_modern_forms(outcome):
    text = SCRIPT.read_text().splitlines()
    _, _, errors = outcome
    listed = [line for line in errors.splitlines() if " -> " in line]
    for name, modern, source in [
        ("keras.layers.core", "keras.layers", "from keras.layers.core import"),
        ("SGD: lr", "learning_rate", "optimizer or SGD(lr=0.1)"),
        ("Dense: output_dim", "units", "Dense(output_dim=4)"),
        ("fit: nb_epoch", "epochs", "nb_epoch=2, batch_size=8"),
        ("to_categorical: nb_classes", "num_classes", "nb_classes=3"),
        ('save("x.model")', ".keras", None),
        ("Conv2D(filters, rows, columns)", "(filters, (rows, columns))", "6, 3, 2,"),
    ]:
        found = [line for line in listed if line.startswith(f"  {name} -> {modern}   (")]
        assert len(found) == 1, name
        if source is not None:
            number = int(found[0].rpartition(".py:")[2].split(",")[0])
            assert source in " ".join(text[number - 1 : number + 2])


def test_the_files_are_those_that_keras_and_this_package_read_without_the_runner(outcome):
    from pyimagesearch.training.saving import read_model  # noqa: PLC0415

    folder = outcome[0] / "check_files"
    shutil.copy(folder / "a.model", folder / "b.hdf5")  # outside of the runner the suffix counts
    models = [read_model(folder / name) for name in ("a.keras", "a.hdf5", "a.h5", "b.hdf5")]
    first = models[0]
    for model in models:
        rate = model.optimizer.get_config()["learning_rate"]["config"]
        assert (rate["decay_rate"], rate["decay_steps"]) == (0.1, 1)
        assert float(model.optimizer.iterations) == 2
        for mine, other in zip(first.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))
    with h5py.File(folder / "a.model") as file:
        assert {"model_weights", "optimizer_weights"} <= set(file)
        assert "model_config" in file.attrs


@pytest.mark.torture
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_under_the_runner_on_the_other_backends(tmp_path, backend):
    results, _ = run_checks(tmp_path, backend)
    failed = {name: error for name, error in results.items() if error}
    print(f"[FIGURE] {backend}: {len(results) - len(failed)} of {len(results)} checks passed")
    assert not failed, "\n".join(failed.values())
