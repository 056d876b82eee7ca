"""Caffe's updates in NumPy, and our optimizers beside them."""

import itertools

import keras
import numpy as np

from pyimagesearch.caffe.optimizers import TYPES
from pyimagesearch.caffe.schedules import CaffeSchedule

MULTIPLIERS = {"a": (1.0, 1.0), "b": (2.0, 0.0), "c": (0.5, 3.0), "d": (0.0, 1.0)}
SHAPES = {"a": (3, 4), "b": (4,), "c": (4, 2), "d": (2,)}
OWN = {  # what each type is given
    "SGD": {"momentum": 0.9},
    "Nesterov": {"momentum": 0.9},
    "AdaGrad": {"delta": 1e-8},
    "RMSProp": {"rms_decay": 0.98, "delta": 1e-3},
    "AdaDelta": {"momentum": 0.95, "delta": 1e-6},
    "Adam": {"momentum": 0.9, "momentum2": 0.999, "delta": 1e-8},
}
POLICIES = {
    "fixed": ({}, lambda i: 1.0),
    "step": ({"gamma": 0.1, "stepsize": 3}, lambda i: 0.1 ** (i // 3)),
    "multistep": ({"gamma": 0.5, "stepvalue": [2, 5]}, lambda i: 0.5 ** ((i >= 2) + (i >= 5))),
    "poly": ({"power": 0.5, "max_iter": 9}, lambda i: (1 - i / 9) ** 0.5),
}


def cases():
    """Every type with every combination of the other options; the policies in turn."""
    options = itertools.product(OWN, (1, 3), (None, 0.5), (("l2", 0.0), ("l2", 0.05), ("l1", 0.05)))
    for (kind, iter_size, clip, decay), policy in zip(options, itertools.cycle(POLICIES)):
        yield kind, iter_size, clip, decay, policy


def few():
    """Two cases of each type, which have every option between them."""
    chosen = [(3, 0.5, ("l2", 0.05)), (1, None, ("l1", 0.05))]
    return [case for options in chosen for case in cases() if case[1:4] == options]


def gradients(number, iter_size):
    """The gradients of the batches of an update, a dict each."""
    rng = np.random.default_rng(number)
    return [
        {name: rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}
        for _ in range(iter_size)
    ]


def first_weights():
    rng = np.random.default_rng(99)
    return {name: rng.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}


class Caffe:
    """ApplyUpdate of Caffe's solvers, in float64: clip, normalize, regularize, compute."""

    def __init__(self, kind, weights, clip, decay, iter_size):
        self.kind, self.clip, self.decay, self.iter_size = kind, clip, decay, iter_size
        self.weights = {name: value.astype("float64") for name, value in weights.items()}
        self.history = {name: np.zeros_like(value) for name, value in self.weights.items()}
        self.second = {name: np.zeros_like(value) for name, value in self.weights.items()}
        self.done = 0

    def update(self, batches, rate):
        learning = [name for name in self.weights if MULTIPLIERS[name][0]]  # no diff for others
        diffs = {name: sum(batch[name].astype("float64") for batch in batches) for name in learning}
        if self.clip is not None:
            norm = np.sqrt(sum((diff**2).sum() for diff in diffs.values()))
            if norm > self.clip:
                diffs = {name: diff * self.clip / norm for name, diff in diffs.items()}
        for name, diff in diffs.items():
            lr_mult, decay_mult = MULTIPLIERS[name]
            weight = self.weights[name]
            how, strength = self.decay
            gradient = diff / self.iter_size
            gradient += strength * decay_mult * (weight if how == "l2" else np.sign(weight))
            weight -= getattr(self, self.kind)(name, gradient, rate * lr_mult, **OWN[self.kind])
        self.done += 1

    def SGD(self, name, g, rate, momentum):
        self.history[name] = rate * g + momentum * self.history[name]
        return self.history[name]

    def Nesterov(self, name, g, rate, momentum):
        before = self.history[name]
        self.history[name] = rate * g + momentum * before
        return (1 + momentum) * self.history[name] - momentum * before

    def AdaGrad(self, name, g, rate, delta):
        self.history[name] += g**2
        return rate * g / (np.sqrt(self.history[name]) + delta)

    def RMSProp(self, name, g, rate, rms_decay, delta):
        self.history[name] = rms_decay * self.history[name] + (1 - rms_decay) * g**2
        return rate * g / (np.sqrt(self.history[name]) + delta)

    def AdaDelta(self, name, g, rate, momentum, delta):
        self.history[name] = momentum * self.history[name] + (1 - momentum) * g**2
        update = g * np.sqrt((delta + self.second[name]) / (delta + self.history[name]))
        self.second[name] = momentum * self.second[name] + (1 - momentum) * update**2
        return rate * update

    def Adam(self, name, g, rate, momentum, momentum2, delta):
        self.history[name] = momentum * self.history[name] + (1 - momentum) * g
        self.second[name] = momentum2 * self.second[name] + (1 - momentum2) * g**2
        t = self.done + 1
        correction = np.sqrt(1 - momentum2**t) / (1 - momentum**t)
        return rate * correction * self.history[name] / (np.sqrt(self.second[name]) + delta)


def ours(kind, iter_size, clip, decay, policy, base_lr=0.1):
    """The Keras optimizer of a case."""
    schedule = CaffeSchedule(policy, base_lr, iter_size=iter_size, **POLICIES[policy][0])
    return TYPES[kind](
        schedule,
        multipliers=MULTIPLIERS,
        **{f"{decay[0]}_decay": decay[1]},
        global_clipnorm=None if clip is None else clip / iter_size,
        gradient_accumulation_steps=None if iter_size == 1 else iter_size,
        **OWN[kind],
    )


def difference(case, updates=8, base_lr=0.1):
    """The largest difference of a weight from Caffe's after some updates of a case."""
    kind, iter_size, clip, decay, policy = case
    start = first_weights()
    caffe = Caffe(kind, start, clip, decay, iter_size)
    variables = [keras.Variable(value, name=name) for name, value in start.items()]
    optimizer = ours(*case, base_lr=base_lr)
    optimizer.build(variables)
    apply = _compiled(optimizer, variables) if keras.backend.backend() == "jax" else optimizer.apply
    for number in range(updates):
        batches = gradients(number, iter_size)
        caffe.update(batches, base_lr * POLICIES[policy][1](number))
        for batch in batches:
            apply([keras.ops.convert_to_tensor(batch[v.name]) for v in variables])
    found = {v.name: keras.ops.convert_to_numpy(v) for v in variables}
    moved = max(np.abs(found[name] - start[name]).max() for name in "abc")
    assert moved > 1e-3, f"{case}: nothing moved"
    assert (found["d"] == start["d"]).all(), f"{case}: the frozen variable moved"
    return max(np.abs(found[name] - caffe.weights[name]).max() for name in found)


def _compiled(optimizer, variables):
    """As `optimizer.apply`, which JAX would compile anew for every batch."""
    import jax  # noqa: PLC0415 (only there)

    step = jax.jit(optimizer.stateless_apply)

    def apply(gradients):
        state = [v.value for v in optimizer.variables]
        weights, state = step(state, gradients, [v.value for v in variables])
        for variable, value in zip(
            variables + optimizer.variables, list(weights) + list(state), strict=True
        ):
            variable.assign(value)

    return apply
