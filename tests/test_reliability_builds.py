"""Builds that are killed, starved of disk or disturbed: nothing is lost, nothing is half done.

The torture versions take the photographs of PYIMAGESEARCH_PHOTOGRAPHS, else those of
datasets/kaggle_dogs_vs_cats/train, else drawn ones.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.datasets.drawn import draw_dogs_vs_cats
from pyimagesearch.datasets.listing import list_images
from pyimagesearch.io import HDF5DatasetGenerator

ROOT = Path(__file__).resolve().parents[1]
SPLITS = ("train", "val", "test")

# Forks a process for each job it reads, all imports done: prints its pid, then how it ended.
SERVER = r"""
import json, os, signal, sys, traceback
from pathlib import Path
import h5py
from pyimagesearch.io import _encodedstorage, _storage, hdf5datasetwriter
from pyimagesearch.io.imagedatasetbuilder import build_splits
from pyimagesearch.preprocessing import AspectAwarePreprocessor

STEPS = [
    (os, "fsync"), (os, "truncate"), (Path, "open"), (Path, "replace"), (Path, "unlink"),
    (Path, "mkdir"), (Path, "write_bytes"), (Path, "write_text"), (h5py.Dataset, "resize"),
    (h5py.Dataset, "__setitem__"), (h5py.Dataset, "write_direct"), (h5py.Group, "create_dataset"),
    (h5py.File, "flush"), (h5py.File, "close"), (h5py.AttributeManager, "modify"),
    (h5py.AttributeManager, "__setitem__"), (h5py.AttributeManager, "__delitem__"),
]

def die_at(step):
    count = 0
    def die():
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
    def watched(function):
        def call(*args, **options):
            if args and str(args[0]).startswith("/dev/"):
                return function(*args, **options)
            die()
            result = function(*args, **options)
            die()
            return result
        return call
    for owner, name in STEPS:
        setattr(owner, name, watched(getattr(owner, name)))

def build(job):
    hdf5datasetwriter.SAVE_BYTES = job["save_bytes"]
    if job["step"]:
        die_at(job["step"])
    splits = {name: [paths, labels] for name, (paths, labels) in job["splits"].items()}
    built = build_splits(
        splits, job["folder"], [AspectAwarePreprocessor(job["size"], job["size"])],
        classLabels=["cat", "dog"], **job["options"],
    )
    report = {
        name: [part.rows, part.means, [[str(path), str(error)] for path, error in part.skipped]]
        for name, part in built.items()
    }
    print(json.dumps(report), file=open(job["report"], "w"))

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        try:
            build(json.loads(line))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


class Builder:
    """Starts builds in processes of their own."""

    def __init__(self, splits, size, save_bytes, **options):
        self.job = {"splits": splits, "size": size, "save_bytes": save_bytes}
        self.options = options
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, folder, step=0, **options):
        """Start a build; return the id of its process. With `step` it kills itself there."""
        job = self.job | {
            "folder": str(folder),
            "report": f"{folder}.json",
            "options": self.options | options,
            "step": step,
        }
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def wait(self):
        """Return how the build ended: "killed", "done" or "failed"."""
        status = int(self.server.stdout.readline())
        return {signal.SIGKILL: "killed", 0: "done"}.get(status, "failed")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        _, errors = self.server.communicate()
        if error == (None, None, None):
            expected = "FileExistsError: Built already" in errors
            assert errors == "" or expected, errors


def snapshot(folder):
    """Return all that a build left in its folder, as comparable values."""
    found = {"report": json.loads(Path(f"{folder}.json").read_text())}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".hdf5":
            found[path.name] = path.read_bytes()
            continue
        with h5py.File(path) as db:
            assert "idx" not in db.attrs
            found[path.name] = {
                "rows": [row.tobytes() for row in db["images"]],
                "labels": db["labels"][:].tolist(),
                "names": db["label_names"].asstr()[:].tolist(),
                "checksums": db["checksums"][:].tolist(),
                "attributes": [str(sorted(db[key].attrs.items())) for key in sorted(db)],
            }
    return found


def require_sound(folder, whole):
    """What a kill leaves: finished files hold everything; unfinished ones are refused."""
    for path in folder.glob("*.hdf5"):
        with HDF5DatasetGenerator(path, 4) as gen:
            assert gen.numImages == len(whole[path.name]["labels"])
    for path in folder.glob(".building/*.partial"):
        with pytest.raises((ValueError, OSError)):
            HDF5DatasetGenerator(path, 4)


def survive_kills(folder, builder, rng, kills, lives):
    """Kill builds at random moments, resume until they are done, compare. Return kills, lives."""
    whole_folder = folder / "whole"
    start = time.perf_counter()
    builder.start(whole_folder)
    assert builder.wait() == "done"
    duration = time.perf_counter() - start
    whole = snapshot(whole_folder)
    killed = 0
    for life in range(lives):
        target = folder / f"life{life}"
        for _ in range(kills):
            pid = builder.start(target, resume=True)
            time.sleep(rng.uniform(0, duration * 1.3 / kills))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if builder.wait() == "done":
                break
            killed += 1
            require_sound(target, whole)
        else:
            builder.start(target, resume=True)
            assert builder.wait() == "done"
        assert snapshot(target) == whole
    return killed


def survive_steps(folder, builder, stride):
    """Kill a build at each of its steps, or a part of them, resume it, compare. Return the kills.

    The run that resumes it is killed at another step, and resumed again.
    """
    builder.start(folder / "whole")
    assert builder.wait() == "done"
    whole = snapshot(folder / "whole")
    step, target, killed = 1, folder / "target", 0
    while True:
        builder.start(target, step)
        if builder.wait() == "done":
            return killed
        require_sound(target, whole)
        second = 1 + step * 7 % 90
        builder.start(target, second, resume=True)
        ended = builder.wait()
        killed += 1
        if ended == "killed":
            killed += 1
            require_sound(target, whole)
            builder.start(target, resume=True)
            ended = builder.wait()
        if ended == "failed":  # it was killed when all was done: "Built already"
            assert not (target / ".building").exists(), (step, second)
            Path(f"{target}.json").write_bytes(Path(f"{folder / 'whole'}.json").read_bytes())
        assert snapshot(target) == whole, (step, second)
        for path in target.iterdir():
            path.unlink()
        step += stride


def small_splits(folder, count, seed=0):
    """Write small pictures of all kinds, some broken; return paths and labels of each split."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        height, width = rng.integers(20, 90, 2)
        coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
        picture = cv2.resize(coarse, (int(width), int(height)), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), picture)
        if number % 11 == 3:
            path.write_bytes(path.read_bytes()[: int(rng.integers(0, 400))])
        paths.append(str(path))
    return cut(paths)


def cut(paths):
    labels = [number % 2 for number in range(len(paths))]
    ends = [0, len(paths) * 7 // 10, len(paths) * 17 // 20, len(paths)]
    return {
        name: [paths[start:end], labels[start:end]]
        for name, start, end in zip(SPLITS, ends[:-1], ends[1:], strict=True)
    }


@pytest.mark.parametrize("encode", [None, "jpeg"])
def test_a_killed_build_resumes_to_the_same_files(tmp_path, encode):
    splits = small_splits(tmp_path / "photos", 600)
    with Builder(splits, 32, 20_000, encode=encode) as builder:
        assert survive_kills(tmp_path, builder, random.Random(5), kills=3, lives=2) >= 2


@pytest.mark.parametrize(("encode", "stride"), [(None, 19), ("jpeg", 31)])
def test_a_build_survives_a_kill_at_some_of_its_steps(tmp_path, encode, stride):
    splits = small_splits(tmp_path / "photos", 12)
    with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
        assert survive_steps(tmp_path, builder, stride) >= 15


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_build_survives_a_kill_at_each_of_its_steps(tmp_path):
    killed = 0
    for encode in (None, "jpeg"):
        folder = tmp_path / str(encode)
        folder.mkdir()
        splits = small_splits(folder / "photos", 12)
        with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
            killed += survive_steps(folder, builder, 1)
    print(f"\n[FIGURE] {killed} kills survived, at each step that a small build takes")


def photographs(folder):
    """Return the paths of many photographs and what they are."""
    for place in (
        os.environ.get("PYIMAGESEARCH_PHOTOGRAPHS"),
        ROOT / "datasets" / "kaggle_dogs_vs_cats" / "train",
    ):
        if place and Path(place).is_dir():
            return [str(path) for path in list_images(place)], "photographs"
    draw_dogs_vs_cats(folder, 1000)
    return [str(path) for path in list_images(folder / "train")], "drawings"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("encode", [None, "jpeg", "png"])
def test_builds_of_photographs_survive_20_kills(tmp_path, encode):
    paths, kind = photographs(tmp_path / "drawn")
    random.Random(0).shuffle(paths)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(Path(paths[0]).read_bytes()[:1000])
    paths[10:10] = [str(broken)]
    with Builder(cut(paths), 256, 4 * 2**20, encode=encode) as builder:
        killed = 0
        while killed < 20:
            folder = tmp_path / str(killed)
            folder.mkdir()
            killed += survive_kills(folder, builder, random.Random(killed), kills=7, lives=3)
    print(f"\n[FIGURE] {killed} kills survived, {len(paths):,} {kind}, encode={encode}")
