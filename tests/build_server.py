"""Builds for test_reliability_builds.py, each in a process of its own that can be killed.

Reads jobs from its input, JSON lines, and forks a process for each: the imports are done by then.
Prints the id of the process, and how it ended as os.waitpid tells it.
"""

import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

import h5py

from pyimagesearch.io import hdf5datasetwriter
from pyimagesearch.io.imagedatasetbuilder import build_splits
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils import files

STEPS = [
    *((os, name) for name in ("fsync", "truncate")),
    *((Path, name) for name in ("open", "replace", "unlink", "mkdir", "write_bytes", "write_text")),
    *((h5py.Dataset, name) for name in ("resize", "__setitem__", "write_direct")),
    (h5py.Group, "create_dataset"),
    *((h5py.File, name) for name in ("flush", "close")),
    *((h5py.AttributeManager, name) for name in ("modify", "__setitem__", "__delitem__")),
]


def die_at(step):
    """Kill this process at a step: before the first of the calls, after it, before the second."""
    count = 0

    def die():
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(function):
        def call(*args, **options):
            die()
            result = function(*args, **options)
            die()
            return result

        return call

    for owner, name in STEPS:
        setattr(owner, name, watched(getattr(owner, name)))


def follow_syncs(power):
    """Keep what was flushed to the disk: contents of files by inode, and the lists of folders."""
    real = files.sync

    def sync(path):
        real(path)
        path = Path(path)
        if path.is_dir():
            names = {other.name: other.stat().st_ino for other in path.iterdir() if other.is_file()}
            keep(json.dumps(names).encode(), f"{path.name}.names")
            return
        inode = path.stat().st_ino
        if not (power / f"{inode}.link").exists():
            os.link(path, power / f"{inode}.link")  # so that no other file gets its number
        shutil.copyfile(path, power / "new")
        os.replace(power / "new", power / str(inode))  # noqa: PTH105 (Path's are steps)

    def keep(data, name):
        with open(power / "new", "wb") as file:  # noqa: PTH123
            file.write(data)
        os.replace(power / "new", power / name)  # noqa: PTH105

    files.sync = sync


def build(job):
    hdf5datasetwriter.SAVE_BYTES = hdf5datasetwriter.HELD_BYTES = job["save_bytes"]
    if job["power"]:
        follow_syncs(Path(job["power"]))
    if job["step"]:
        die_at(job["step"])
    preprocessors = [AspectAwarePreprocessor(job["size"], job["size"])]
    options = {"classLabels": ["cat", "dog"], **job["options"]}
    built = build_splits(job["splits"], job["folder"], preprocessors, **options)
    report = {
        name: [part.rows, part.means, [[str(path), str(error)] for path, error in part.skipped]]
        for name, part in built.items()
    }
    Path(job["report"]).write_text(json.dumps(report))


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
