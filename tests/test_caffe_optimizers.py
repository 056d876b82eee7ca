"""Caffe's learning rates and updates, against expected_lr.json and a NumPy copy of its rules."""

import json
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pytest
from caffe_fixtures import FIXTURES
from caffe_updates import Caffe, cases, difference, few

from pyimagesearch.caffe.optimizers import TYPES, CaffeAdam, CaffeNesterov, CaffeSGD
from pyimagesearch.caffe.schedules import CaffeSchedule

ROOT = Path(__file__).parents[1]
POLICIES = {  # as in tests/caffe/fixtures/solvers
    "fixed": {"base_lr": 0.001},
    "step": {"base_lr": 0.01, "gamma": 0.1, "stepsize": 100},
    "exp": {"base_lr": 0.02, "gamma": 0.998},
    "inv": {"base_lr": 0.01, "gamma": 0.0001, "power": 0.75},
    "multistep": {"base_lr": 0.04, "gamma": 0.5, "stepvalue": [10, 100, 800]},
    "poly": {"base_lr": 0.05, "power": 0.5, "max_iter": 1000},
    "sigmoid": {"base_lr": 1.0, "gamma": 0.01, "stepsize": 100},
}


def run_backend(backend, *args):
    env = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).parent / "caffe_updates.py"), *args]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("policy", POLICIES)
def test_rates_are_those_expected(policy):
    expected = json.loads((FIXTURES / "solvers" / "expected_lr.json").read_text())[policy]
    schedule = CaffeSchedule(policy, **POLICIES[policy])
    iterations = np.array([int(i) for i in expected])
    np.testing.assert_allclose(schedule(iterations), list(expected.values()), rtol=1e-5)
    for iteration, rate in expected.items():
        assert float(schedule(int(iteration))) == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_schedule_comes_back_from_its_config(policy):
    schedule = CaffeSchedule(policy, iter_size=3, **POLICIES[policy])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == schedule.get_config()
    assert float(again(2000)) == float(schedule(2000))


MILLIONS = {  # of updates, where float32 counts and powers go wrong
    "step": ({"gamma": 0.5, "stepsize": 1_000_001}, lambda i: 0.5 ** (i // 1_000_001)),
    "exp": ({"gamma": 0.999999}, lambda i: math.exp(i * math.log(0.999999))),
    "inv": ({"gamma": 1e-5, "power": 0.75}, lambda i: (1 + 1e-5 * i) ** -0.75),
    "multistep": (
        {"gamma": 0.1, "stepvalue": [5_000_000, 9_999_999]},
        lambda i: 0.1 ** ((i >= 5_000_000) + (i >= 9_999_999)),
    ),
    "poly": (
        {"power": 0.5, "max_iter": 10_000_000},
        lambda i: math.sqrt(Fraction(10_000_000 - i, 10_000_000)),
    ),
    "sigmoid": (
        {"gamma": 1e-6, "stepsize": 5_000_000},
        lambda i: 1 / (1 + math.exp(-1e-6 * (i - 5_000_000))),
    ),
}


@pytest.mark.parametrize("policy", MILLIONS)
def test_rates_stay_exact_for_ten_million_updates(policy):
    options, exact = MILLIONS[policy]
    schedule = CaffeSchedule(policy, 0.01, **options)
    near = [1_000_000, 1_000_001, 2_000_001, 4_999_999, 5_000_000, 9_999_998, 9_999_999]
    iterations = np.array([*near, *np.random.default_rng(1).integers(0, 10_000_000, 200)])
    rates = np.asarray(schedule(iterations))
    np.testing.assert_allclose(rates, [0.01 * exact(int(i)) for i in iterations], rtol=1e-5)


def test_poly_ends_at_0_and_stays_there():
    schedule = CaffeSchedule("poly", 0.1, power=0.5, max_iter=10)
    np.testing.assert_array_equal(schedule(np.array([10, 11, 1000])), 0)


def test_a_schedule_counts_batches_where_keras_does():
    schedule = CaffeSchedule("step", 1.0, gamma=0.5, stepsize=2, iter_size=3)
    assert np.asarray(schedule(np.arange(13))).tolist() == [1.0] * 6 + [0.5] * 6 + [0.25]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr_policy": "cosine"}, "lr_policy must be one of fixed, step"),
        ({"lr_policy": "step", "gamma": 0.1}, "'step' needs stepsize"),
        ({"lr_policy": "multistep", "gamma": 0.1}, "'multistep' needs stepvalue"),
        ({"lr_policy": "exp", "gamma": 0}, "gamma must be above 0"),
        ({"lr_policy": "exp", "gamma": -0.1}, "gamma must be a number of 0 or more"),
        ({"lr_policy": "inv", "gamma": math.nan, "power": 1}, "gamma must be a number"),
        ({"lr_policy": "poly", "power": 1, "max_iter": 0}, "max_iter must be from 1"),
        ({"lr_policy": "step", "gamma": 0.1, "stepsize": 0}, "stepsize must be from 1"),
        ({"lr_policy": "fixed", "base_lr": math.inf}, "base_lr must be a number"),
        (
            {"lr_policy": "multistep", "gamma": 0.1, "stepvalue": [9, 5]},
            "stepvalue must ascend",
        ),
    ],
)
def test_a_schedule_refuses(options, words):
    with pytest.raises(ValueError, match=words):
        CaffeSchedule(**{"base_lr": 0.1} | options)


@pytest.mark.parametrize("case", few(), ids=str)
def test_weights_after_eight_updates_are_caffes(case):
    assert difference(case) < 1e-5


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_weights_after_eight_updates_are_caffes_on_other_backends(backend):
    worst = run_backend(backend, "--few")
    assert set(worst) == set(TYPES)
    assert max(worst.values()) < 1e-5


@pytest.mark.torture
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_every_combination_of_options(backend):
    worst = run_backend(backend)
    print(f"\n[FIGURE] {backend}: {len(list(cases()))} cases, largest difference {worst}")
    assert max(worst.values()) < 1e-5
