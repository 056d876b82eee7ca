"""Conversions for test_caffe_data.py, each in a process of its own that kills itself at a step.

    python tests/killed_conversion.py LMDB FOLDER STRIDE

Kills one at every STRIDE-th of its steps, another that resumes it at a later one, resumes that and
compares. Prints the number of kills.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

import h5py
from build_server import die_at  # it serves nobody here: its standard input must be empty

from pyimagesearch.caffe import lmdb_to_hdf5
from pyimagesearch.io import hdf5datasetwriter


def convert(source, target, step=0):
    """Return whether a conversion in a process of its own came to its end."""
    pid = os.fork()
    if not pid:
        try:
            hdf5datasetwriter.SAVE_BYTES = hdf5datasetwriter.HELD_BYTES = 4000
            if step:
                die_at(step)
            lmdb_to_hdf5(source, target, resume=True, classLabels=["cat", "dog"])
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if status not in {0, signal.SIGKILL}:
        sys.exit(f"step {step}: status {status}")
    return status == 0


def contents(path):
    with h5py.File(path) as db:
        return {
            name: data[:].tobytes() if data.dtype.kind != "O" else list(data)
            for name, data in db.items()
        }


def main():
    source, folder, stride = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    convert(source, folder / "whole.hdf5")
    whole, step, kills = contents(folder / "whole.hdf5"), 1, 0
    while True:
        target = folder / f"{step}.hdf5"
        if convert(source, target, step):
            break
        kills += 1
        if not target.exists():  # else it was killed when all was done
            kills += not convert(source, target, step // 2 + 1)
        if not target.exists():
            convert(source, target)
        # one that was killed when all was done may leave its notes
        left = {path.name.removeprefix(target.name) for path in folder.glob(f"{target.name}.*")}
        if contents(target) != whole or left - {".partial.source", ".partial.undo"}:
            sys.exit(f"step {step}: {left}")
        step += stride
    print(kills)


if __name__ == "__main__":
    main()
