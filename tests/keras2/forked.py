"""Runs many scripts under the runner, each in a process of its own, with one import of Keras.

    python tests/keras2/forked.py jobs.json cifar10.npz

A job is {"name", "folder", "script", "args", "env", "epochs", "plain"}; jobs.json holds lists of
them: a list runs in order, the lists side by side. What a job prints goes to FOLDER/NAME.txt, its
exit status to FOLDER/NAME.status. "epochs" cuts trainings as KERAS_MAX_EPOCHS does, which Keras
reads as it is imported: that has happened here. A "plain" job does without the runner.
"""

import atexit
import json
import os
import runpy
import sys
from pathlib import Path

import cv2  # noqa: F401
import h5py  # noqa: F401
import keras
import matplotlib.style  # noqa: F401
import numpy as np
import progressbar  # noqa: F401
import sklearn.datasets
import sklearn.linear_model
import sklearn.model_selection  # noqa: F401
import tensorflow


def run_job(job):
    """Become the process `python -m pyimagesearch.keras2 SCRIPT ARGS` in the job's folder."""
    from pyimagesearch.keras2 import runner  # noqa: PLC0415

    os.chdir(job["folder"])
    os.environ |= job.get("env", {})
    keras.config.set_max_epochs(job.get("epochs"))
    # to trace the graph of DeeperGoogLeNet takes ten times longer than to train it for two steps
    tensorflow.config.run_functions_eagerly("deepergooglenet" in job["folder"])
    output = os.open(f"{job['name']}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 0
    try:
        if job.get("plain"):  # without the runner, but with a stand-in for imutils
            sys.path.append(str(Path(runner.__file__).with_name("standins")))
            sys.argv = [job["script"], *job["args"]]
            runpy.run_path(job["script"], run_name="__main__")
        else:
            runner.run(job["script"], job["args"])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        print(error.code or "", file=sys.stderr)
    except BaseException as error:
        status = 1
        sys.excepthook(type(error), error, error.__traceback__)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    Path(job["folder"], f"{job['name']}.status").write_text(str(status))
    os._exit(0)


def main():
    lanes = json.loads(Path(sys.argv[1]).read_text())
    images = np.load(sys.argv[2])
    # the one thing that needs a network
    train, test = (images["trainX"], images["trainY"]), (images["testX"], images["testY"])
    keras.datasets.cifar10.load_data = lambda: (train, test)
    running = {}
    while lanes or running:
        while lanes and len(running) < 2:
            lane = lanes.pop(0)
            process = os.fork()
            if process == 0:
                run_job(lane[0])
            running[process] = lane
        process, _, used = os.wait4(-1, 0)
        done, *rest = running.pop(process)
        print(f"{done['folder']} {done['name']}: {used.ru_utime + used.ru_stime:.1f} s of CPU")
        if rest:
            lanes.insert(0, rest)


if __name__ == "__main__":
    main()
