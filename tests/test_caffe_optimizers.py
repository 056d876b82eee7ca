"""Caffe's learning rates and updates, against expected_lr.json and a NumPy copy of its rules."""

import json
import math
from fractions import Fraction

import keras
import numpy as np
import pytest
from caffe_fixtures import FIXTURES
from caffe_updates import MULTIPLIERS, difference, few, first_weights, ours

from pyimagesearch.caffe.optimizers import TYPES, CaffeAdam, CaffeSGD
from pyimagesearch.caffe.schedules import CaffeSchedule

POLICIES = {  # as in tests/caffe/fixtures/solvers
    "fixed": {"base_lr": 0.001},
    "step": {"base_lr": 0.01, "gamma": 0.1, "stepsize": 100},
    "exp": {"base_lr": 0.02, "gamma": 0.998},
    "inv": {"base_lr": 0.01, "gamma": 0.0001, "power": 0.75},
    "multistep": {"base_lr": 0.04, "gamma": 0.5, "stepvalue": [10, 100, 800]},
    "poly": {"base_lr": 0.05, "power": 0.5, "max_iter": 1000},
    "sigmoid": {"base_lr": 1.0, "gamma": 0.01, "stepsize": 100},
}


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


def test_a_frozen_variable_does_not_count_when_the_others_are_clipped():
    variables = [keras.Variable(value, name=name) for name, value in first_weights().items()]
    moves = {}
    for size in (1, 1000):  # of the gradient of "d", whose lr_mult is 0
        before = [variable.numpy() for variable in variables]
        optimizer = ours("SGD", 1, 0.5, ("l2", 0.0), "fixed")
        optimizer.apply([size * np.ones(v.shape) for v in variables[-1:]], variables[-1:])
        optimizer = ours("SGD", 1, 0.5, ("l2", 0.0), "fixed")
        gradients = [np.ones(v.shape) * (size if v.name == "d" else 1) for v in variables]
        optimizer.apply([g.astype("float32") for g in gradients], variables)
        moves[size] = [v.numpy() - b for v, b in zip(variables, before, strict=True)]
    for one, other in zip(*moves.values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("kind", TYPES)
def test_an_optimizer_comes_back_from_its_config(kind):
    optimizer = ours(kind, 3, 0.5, ("l1", 0.05), "step")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is TYPES[kind]
    assert again.multipliers == MULTIPLIERS
    assert keras.saving.serialize_keras_object(again) == keras.saving.serialize_keras_object(
        optimizer
    )


def test_an_optimizer_knows_the_model_it_was_made_for():
    optimizer = CaffeSGD(0.1, multipliers={"conv1/kernel": (1, 1)})
    with pytest.raises(ValueError, match="made for the variables conv1/kernel. Received: fc"):
        optimizer.build([keras.Variable([0.0], name="fc")])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"momentum": 1.0}, "momentum must be from 0 to below 1"),
        ({"momentum2": math.nan}, "momentum2 must be from 0"),
        ({"delta": 0.0}, "delta must be a number above 0"),
        ({"weight_decay": 0.1}, "Caffe's decay is l2_decay or l1_decay"),
    ],
)
def test_an_optimizer_refuses(options, words):
    with pytest.raises(ValueError, match=words):
        CaffeAdam(0.1, **options)


def test_adams_first_steps_are_exact_with_a_momentum_next_to_1():
    # 1 - 0.9999999 ^ t is lost in float32
    variable = keras.Variable([1.0], name="w")
    optimizer = CaffeAdam(0.1, momentum=0.0, momentum2=0.9999999, delta=1e-12)
    optimizer.apply([np.array([1.0], "float32")], [variable])
    np.testing.assert_allclose(variable.numpy(), [0.9], rtol=1e-5)
