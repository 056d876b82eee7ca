"""The public names, what an import may load, and the package as pip installs it."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("keras", "tensorflow", "torch", "jax")
NAMES = {
    "preprocessing": [
        *("SimplePreprocessor", "AspectAwarePreprocessor", "ImageToArrayPreprocessor"),
        *("MeanPreprocessor", "PatchPreprocessor", "CropPreprocessor", "ImageDataGenerator"),
    ],
    "io": ["HDF5DatasetWriter", "HDF5DatasetGenerator"],
    "datasets": ["SimpleDatasetLoader"],
    "callbacks": ["TrainingMonitor", "EpochCheckpoint"],
    "nn.conv": [
        *("ShallowNet", "LeNet", "MiniVGGNet", "MiniGoogLeNet", "AlexNet", "DeeperGoogLeNet"),
        *("ResNet", "FCHeadNet"),
    ],
}


@pytest.mark.parametrize(("room", "name"), [(r, n) for r, names in NAMES.items() for n in names])
def test_the_books_classes_come_from_their_room_and_their_module(room, name):
    from_room = getattr(importlib.import_module(f"pyimagesearch.{room}"), name)
    module = importlib.import_module(f"pyimagesearch.{room}.{name.lower()}")
    assert getattr(module, name) is from_room


def test_the_books_functions_come_from_their_module():
    assert importlib.import_module("pyimagesearch.utils.ranked").rank5_accuracy
    assert importlib.import_module("pyimagesearch.utils.captchahelper").preprocess


def light_modules():
    rooms = ("preprocessing", "io", "datasets", "utils")
    files = [path for room in rooms for path in (PROJECT / "pyimagesearch" / room).glob("*.py")]
    return sorted(".".join(p.relative_to(PROJECT).with_suffix("").parts) for p in files)


def run_python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, check=True, **options
    ).stdout


def test_the_light_rooms_load_no_framework():
    code = f"""
import sys
for module in {light_modules()}:
    __import__(module)
print({set(FRAMEWORKS)} & set(sys.modules))
"""
    assert run_python(code) == "set()\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package installed by pip in an otherwise empty folder."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    shutil.copytree(
        PROJECT / "pyimagesearch",
        source / "pyimagesearch",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(folder / "site")]
    subprocess.run([*pip, *options, str(source)], check=True)
    return folder / "site"


def test_every_module_imports_from_the_installed_copy(installed):
    modules = sorted(
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for path in (PROJECT / "pyimagesearch").rglob("*.py")
        if path.name != "__main__.py"
    )
    code = f"""
import importlib, sys
sys.path.insert(0, {str(installed)!r})
for module in {modules}:
    where = importlib.import_module(module).__file__
    assert where.startswith({str(installed)!r}), where
print({len(modules)})
"""
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    assert run_python(code, cwd=installed, env=environment) == f"{len(modules)}\n"


def test_the_installed_version_is_the_packages(installed):
    (info,) = installed.glob("pyimagesearch-*.dist-info")
    version = importlib.import_module("pyimagesearch").__version__
    assert info.name == f"pyimagesearch-{version}.dist-info"
