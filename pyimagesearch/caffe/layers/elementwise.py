"""Functions of each number by itself that Keras has no layer for."""

import math

import keras
from keras import ops

from pyimagesearch.caffe.layers._order import register


class _Elementwise(keras.layers.Layer):
    def compute_output_shape(self, shape):
        return shape


@register
class AbsVal(_Elementwise):
    """|x|."""

    def call(self, x):
        return ops.abs(x)


@register
class Leaky(_Elementwise):
    """x above 0, and slope * x below, for a slope of either sign."""

    def __init__(self, slope=0.0, **kwargs):
        super().__init__(**kwargs)
        self.slope = slope

    def call(self, x):
        return ops.relu(x) - self.slope * ops.relu(-x)


@register
class Swish(_Elementwise):
    """x * sigmoid(beta * x)."""

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def call(self, x):
        return x * ops.sigmoid(self.beta * x)


@register
class Power(_Elementwise):
    """(shift + scale * x) ^ power."""

    def __init__(self, power=1.0, scale=1.0, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power
        self.scale = scale
        self.shift = shift

    def call(self, x):
        x = self.shift + self.scale * x
        if self.power == 1:
            return x
        return ops.ones_like(x) if self.power == 0 else ops.power(x, self.power)


@register
class Exp(_Elementwise):
    """base ^ (shift + scale * x); base -1 is e."""

    def __init__(self, base=-1.0, scale=1.0, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base
        self.scale = scale
        self.shift = shift

    def call(self, x):
        rate = 1.0 if self.base == -1 else math.log(self.base)
        return ops.exp(rate * (self.shift + self.scale * x))


@register
class Log(_Elementwise):
    """The logarithm to a base of (shift + scale * x); base -1 is e."""

    def __init__(self, base=-1.0, scale=1.0, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base
        self.scale = scale
        self.shift = shift

    def call(self, x):
        rate = 1.0 if self.base == -1 else math.log(self.base)
        return ops.log(self.shift + self.scale * x) / rate


@register
class Threshold(_Elementwise):
    """1 where x > threshold, else 0."""

    def __init__(self, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold

    def call(self, x):
        return ops.cast(ops.greater(x, self.threshold), x.dtype)


@register
class Clip(_Elementwise):
    """x, but at least `minimum` and at most `maximum`."""

    def __init__(self, minimum=0.0, maximum=0.0, **kwargs):
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum

    def call(self, x):
        return ops.clip(x, self.minimum, self.maximum)


@register
class StopGradient(_Elementwise):
    """x, through which no gradient goes back: `propagate_down: false`."""

    def call(self, x):
        return ops.stop_gradient(x)


@register
class WeightedSum(keras.layers.Layer):
    """The sum of tensors of one shape, each times its coefficient."""

    def __init__(self, coefficients=(), **kwargs):
        super().__init__(**kwargs)
        self.coefficients = tuple(coefficients)

    def compute_output_shape(self, shapes):
        return shapes[0]

    def call(self, inputs):
        parts = [c * x for c, x in zip(self.coefficients, inputs, strict=True)]
        return sum(parts[1:], parts[0])
