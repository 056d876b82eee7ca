"""Caffe's seven learning rate policies as one Keras schedule."""

import math

import keras
from keras import ops

NEEDS = {  # policy -> the numbers that it cannot do without
    "fixed": (),
    "step": ("gamma", "stepsize"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "multistep": ("gamma", "stepvalue"),
    "poly": ("power", "max_iter"),
    "sigmoid": ("gamma", "stepsize"),
}
LARGEST = 2**31 - 1  # of a count, as in Caffe and in int32


@keras.saving.register_keras_serializable("pyimagesearch.caffe")
class CaffeSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate before update i, i being the number of updates done so far.

    ========== ===========================================================
    fixed      base_lr
    step       base_lr * gamma ^ floor(i / stepsize)
    exp        base_lr * gamma ^ i
    inv        base_lr * (1 + gamma * i) ^ -power
    multistep  base_lr * gamma ^ (number of stepvalues that are <= i)
    poly       base_lr * (1 - i / max_iter) ^ power, and 0 from max_iter on
    sigmoid    base_lr / (1 + e ^ (-gamma * (i - stepsize)))
    ========== ===========================================================

    Args:
        lr_policy: one of these names.
        base_lr: the rate to begin with, for sigmoid the one to end with; 0 or more.
        gamma, power: floats of 0 or more; gamma above 0 for step, exp and multistep.
        stepsize, max_iter: integers of 1 or more.
        stepvalue: ascending integers of 0 or more.
        iter_size: number of batches for an update. Keras asks with the batches counted so far
            where an optimizer has `gradient_accumulation_steps`, which this must then equal.
    Raises:
        ValueError: naming the argument, if one is missing or has no such value.

    Called with i, an integer or a tensor of integers of any shape, it returns float32 of that
    shape. The counts are divided and subtracted as integers, and powers are taken by their
    logarithm, so that the rate after ten million updates is as exact as the first one.
    """

    def __init__(
        self,
        lr_policy,
        base_lr,
        *,
        gamma=None,
        power=None,
        stepsize=None,
        stepvalue=(),
        max_iter=None,
        iter_size=1,
    ):
        self.lr_policy = lr_policy
        self.base_lr = base_lr
        self.gamma = gamma
        self.power = power
        self.stepsize = stepsize
        self.stepvalue = list(stepvalue)
        self.max_iter = max_iter
        self.iter_size = iter_size
        self._check()

    def __call__(self, step):
        done = ops.cast(ops.convert_to_tensor(step), "int32")
        if self.iter_size > 1:
            done = ops.floor_divide(done, self.iter_size)
        factor = getattr(self, f"_{self.lr_policy}")(done)
        return ops.cast(self.base_lr, "float32") * factor

    def _fixed(self, done):
        return ops.ones_like(done, dtype="float32")

    def _step(self, done):
        return self._gamma_to_the(ops.floor_divide(done, self.stepsize))

    def _exp(self, done):
        return self._gamma_to_the(done)

    def _inv(self, done):
        return ops.exp(-self.power * ops.log1p(self.gamma * ops.cast(done, "float32")))

    def _multistep(self, done):
        return self._gamma_to_the(sum(ops.cast(done >= value, "int32") for value in self.stepvalue))

    def _poly(self, done):
        left = ops.cast(ops.maximum(self.max_iter - done, 0), "float32")
        return ops.power(left / self.max_iter, self.power)

    def _sigmoid(self, done):
        return ops.sigmoid(self.gamma * ops.cast(done - self.stepsize, "float32"))

    def _gamma_to_the(self, exponent):
        # gamma itself rounded to float32 would be off by a factor after a million updates
        return ops.exp(math.log(self.gamma) * ops.cast(exponent, "float32"))

    def _check(self):
        if self.lr_policy not in NEEDS:
            raise ValueError(
                f"lr_policy must be one of {', '.join(NEEDS)}. Received: {self.lr_policy!r}."
            )
        for name in NEEDS[self.lr_policy]:
            if getattr(self, name) in (None, []):
                raise ValueError(f"lr_policy {self.lr_policy!r} needs {name}, which is missing.")
        for name in ("base_lr", "gamma", "power"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a number of 0 or more. Received: {value}.")
        if self.gamma == 0 and self.lr_policy in ("step", "exp", "multistep"):
            raise ValueError(
                f"gamma must be above 0 for lr_policy {self.lr_policy!r}: with 0 the rate is 0 "
                "after the first step."
            )
        for name in ("stepsize", "max_iter", "iter_size"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= LARGEST:
                raise ValueError(f"{name} must be from 1 to {LARGEST}. Received: {value}.")
        values = self.stepvalue
        if any(value < 0 for value in values) or sorted(set(values)) != values:
            raise ValueError(f"stepvalue must ascend, from 0 or more. Received: {values}.")

    def get_config(self):
        return {
            "lr_policy": self.lr_policy,
            "base_lr": self.base_lr,
            "gamma": self.gamma,
            "power": self.power,
            "stepsize": self.stepsize,
            "stepvalue": self.stepvalue,
            "max_iter": self.max_iter,
            "iter_size": self.iter_size,
        }
