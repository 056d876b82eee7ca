"""Feeding a network for days: errors are told, an interruption and many rounds leave nothing."""

import json
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter

CLASSES = 2
ROUNDS = """
import gc, json, os, signal, sys, threading, time

import keras
import numpy as np

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.preprocessing import (
    ImageDataGenerator, ImageToArrayPreprocessor, MeanPreprocessor,
)

path, rounds = sys.argv[1], int(sys.argv[2])
model = keras.Sequential([
    keras.layers.Input((32, 32, 3)), keras.layers.Flatten(),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile("sgd", "categorical_crossentropy")
steps = [MeanPreprocessor(124, 115, 105), ImageToArrayPreprocessor()]
aug = ImageDataGenerator(rotation_range=20)


def open_generator():
    return HDF5DatasetGenerator(path, 16, steps, aug, shuffle=True, workers=2)


def fit_and_evaluate(gen):
    model.fit(gen.generator(), steps_per_epoch=len(gen), shuffle=False, verbose=0)
    model.evaluate(gen.generator(passes=1), steps=len(gen), verbose=0)


def held():
    gc.collect()
    lines = open("/proc/self/status").read().splitlines()
    names = [thread.name for thread in threading.enumerate()]
    places = []
    for number in os.listdir("/proc/self/fd"):
        try:
            places.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # the listing's own
            pass
    return {
        "megabytes": next(int(line.split()[1]) for line in lines if "VmRSS" in line) // 1000,
        "files": len(places),
        "data sets": sum(place.endswith(".hdf5") for place in places),
        "threads": sum(name.startswith("Feed") for name in names),
        "children": len(open(f"/proc/self/task/{os.getpid()}/children").read().split()),
    }


def show(when):
    print(json.dumps([when, held()]), flush=True)


same = open_generator()
for number in range(rounds + 1):
    with open_generator() as new:
        fit_and_evaluate(new)
    fit_and_evaluate(same)
    if number == min(10, rounds // 2):
        show("warm")
show("after all rounds")
same.close()
show("closed")

with open_generator() as gen:
    threading.Timer(1.5, os.kill, [os.getpid(), signal.SIGINT]).start()
    try:
        model.fit(gen.generator(), steps_per_epoch=len(gen), epochs=10**6, shuffle=False, verbose=0)
    except KeyboardInterrupt:
        show("interrupted")
show("interrupted and closed")
"""


@pytest.fixture
def data_set(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    with HDF5DatasetWriter(images.shape, tmp_path / "t.hdf5") as writer:
        writer.add(images, np.arange(400) % CLASSES)
    return tmp_path / "t.hdf5"


def rounds_leave_nothing(path, rounds, megabytes):
    """Fit and evaluate in a process of its own, then be interrupted; return what it held, when."""
    out = subprocess.run(
        [sys.executable, "-c", ROUNDS, path, str(rounds)],
        text=True,
        capture_output=True,
        check=True,
        timeout=280,
    ).stdout
    held = dict(json.loads(line) for line in out.splitlines() if line.startswith("["))
    warm, after = held["warm"], held["after all rounds"]
    assert after["files"] <= warm["files"]
    assert after["threads"] <= warm["threads"]
    assert after["megabytes"] < warm["megabytes"] + megabytes
    for when in ("closed", "interrupted and closed"):
        assert held[when]["threads"] == held[when]["data sets"] == 0, when
    assert held["interrupted and closed"]["files"] == held["closed"]["files"]
    assert "interrupted" in held
    assert {state["children"] for state in held.values()} == {0}
    return held


def test_rounds_of_fit_and_evaluate_and_an_interruption_leave_nothing(data_set):
    rounds_leave_nothing(data_set, rounds=6, megabytes=40)


@pytest.mark.torture
def test_a_hundred_rounds_of_fit_and_evaluate_leave_nothing(data_set):
    held = rounds_leave_nothing(data_set, rounds=100, megabytes=40)
    course = [
        f"{held['warm'][kind]} to {held['after all rounds'][kind]} {kind}"
        for kind in ("megabytes", "files", "threads")
    ]
    print(f"\n[FIGURE] 200 times fit and evaluate, after round 10 and round 100: {course}")


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_thread_ends_fit_with_the_users_own_line(data_set, workers):
    class Failing:
        images = 0

        def preprocess(self, image):
            self.images += 1
            if self.images > 700:
                raise RuntimeError("what the user's own code said")
            return image

    model = keras.Sequential([keras.layers.Input((32, 32, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(CLASSES))
    model.compile("sgd", "mse")
    failing = Failing()
    with HDF5DatasetGenerator(data_set, 16, [failing], workers=workers) as gen:
        started = time.perf_counter()
        # TensorFlow wraps it, with the whole traceback as text
        with pytest.raises(Exception, match="what the user's own code said") as caught:
            model.fit(
                gen.generator(), steps_per_epoch=len(gen), epochs=10**6, shuffle=False, verbose=0
            )
        assert time.perf_counter() - started < 10
    told = "".join(map(str, [caught.value, *getattr(caught.value, "__notes__", [])]))
    if keras.backend.backend() == "tensorflow":
        assert f'File "{__file__}"' in told
        assert "in preprocess" in told
    else:
        assert caught.traceback[-1].name == "preprocess"
    assert "While preparing batch" in told
    assert failing.images < 700 + 16 * 6  # a few batches ahead, and no more
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("Feed")]
