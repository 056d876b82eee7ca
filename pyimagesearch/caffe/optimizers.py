"""Caffe's six solver types as Keras optimizers, with a rate and a decay for each variable."""

import math

import keras
from keras import ops

registered = keras.saving.register_keras_serializable("pyimagesearch.caffe")


class CaffeOptimizer(keras.optimizers.Optimizer):
    """What the six types share: one update of Caffe's, in its order.

    The gradients of `gradient_accumulation_steps` batches (Caffe's iter_size) are averaged, then
    clipped to `global_clipnorm` (Caffe clips their sum: give clip_gradients / iter_size); then the
    decay is added to the gradient; then the rule of the type runs at the rate times the
    variable's own factor.

    Args:
        learning_rate: float or `CaffeSchedule`. With `gradient_accumulation_steps` the schedule
            must have the same `iter_size`.
        multipliers: dict from a variable's path to (lr_mult, decay_mult); (1, 1) for a variable
            that is not in it. One with lr_mult 0 stays as it is, and its gradient does not count
            when the others are clipped.
        l2_decay: what times the weight is added to its gradient. (An L2 regularizer of half this
            number has that gradient; `weight_decay` of Keras is something else.)
        l1_decay: what times the weight's sign is added to its gradient.
        **kwargs: more arguments of `keras.optimizers.Optimizer`.

    The state of a variable, `histories` by name, is Caffe's, in its signs: the velocity of SGD is
    what is taken off the weight.
    """

    histories = ("history",)

    def __init__(
        self, learning_rate=0.01, *, multipliers=None, l2_decay=0.0, l1_decay=0.0, **kwargs
    ):
        super().__init__(learning_rate, **kwargs)
        if self.weight_decay is not None:
            raise ValueError("Caffe's decay is l2_decay or l1_decay, not weight_decay.")
        self.multipliers = {path: tuple(pair) for path, pair in (multipliers or {}).items()}
        self.l2_decay = l2_decay
        self.l1_decay = l1_decay

    def build(self, variables):
        """Make the state for these model variables.

        Raises:
            ValueError: if there are multipliers, and for none of these variables.
        """
        if self.built:
            return
        paths = {variable.path for variable in variables}
        if self.multipliers and paths.isdisjoint(self.multipliers):
            raise ValueError(
                f"This optimizer was made for the variables {', '.join(self.multipliers)}. "
                f"Received: {', '.join(sorted(paths))}. "
                "Make one for this model."
            )
        super().build(variables)
        self._pairs = [self.multipliers.get(variable.path, (1.0, 1.0)) for variable in variables]
        self._states = [self.add_optimizer_variables(variables, name) for name in self.histories]

    def states(self, variable):
        """Return the optimizer's variables for a model variable, in the order of `histories`."""
        index = self._get_variable_index(variable)
        return [state[index] for state in self._states]

    def apply(self, grads, trainable_variables=None):
        if trainable_variables is None:
            variables = self._trainable_variables
        else:
            variables = trainable_variables = list(trainable_variables)
        if len(grads) == len(variables):  # otherwise Keras has a message for it
            grads = [
                ops.zeros(
                    variable.shape, variable.dtype
                )  # no loss behind it: Caffe lets it decay all the same
                if gradient is None or self.multipliers.get(variable.path, (1,))[0] == 0
                else gradient
                for gradient, variable in zip(grads, variables, strict=True)
            ]
        super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        lr_mult, decay_mult = self._pairs[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype) * lr_mult
        if self.l2_decay * decay_mult:
            gradient = gradient + self.l2_decay * decay_mult * variable
        if self.l1_decay * decay_mult:
            gradient = gradient + self.l1_decay * decay_mult * ops.sign(variable)
        self.assign_sub(variable, self.rule(gradient, rate, *self.states(variable)))

    def rule(self, gradient, rate, *states):
        """Renew the states of a variable; return what is to be taken off it."""
        raise NotImplementedError

    def get_config(self):
        own = {
            "multipliers": {path: list(pair) for path, pair in self.multipliers.items()},
            "l2_decay": self.l2_decay,
            "l1_decay": self.l1_decay,
        }
        return super().get_config() | own


class _WithMomentum(CaffeOptimizer):
    def __init__(self, learning_rate=0.01, *, momentum=0.0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = _below_one("momentum", momentum)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}


class _WithDelta(CaffeOptimizer):
    def __init__(self, learning_rate=0.01, *, delta=1e-8, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 < delta < math.inf:
            raise ValueError(f"delta must be a number above 0. Received: {delta}.")
        self.delta = delta

    def get_config(self):
        return super().get_config() | {"delta": self.delta}


@registered
class CaffeSGD(_WithMomentum):
    """Stochastic gradient descent; the rate is inside the velocity.

    v = momentum * v + rate * g; w -= v
    """

    def rule(self, gradient, rate, velocity):
        self.assign(velocity, self.momentum * velocity + rate * gradient)
        return velocity


@registered
class CaffeNesterov(_WithMomentum):
    """Nesterov's accelerated gradient.

    v' = momentum * v + rate * g; w -= (1 + momentum) * v' - momentum * v
    """

    def rule(self, gradient, rate, velocity):
        before = self.momentum * velocity
        now = before + rate * gradient
        self.assign(velocity, now)
        return (1 + self.momentum) * now - before


@registered
class CaffeAdaGrad(_WithDelta):
    """AdaGrad, whose history begins at 0.

    h += g^2; w -= rate * g / (sqrt(h) + delta)
    """

    def rule(self, gradient, rate, history):
        self.assign_add(history, ops.square(gradient))
        return rate * gradient / (ops.sqrt(history) + self.delta)


@registered
class CaffeRMSProp(_WithDelta):
    """RMSProp.

    h = rms_decay * h + (1 - rms_decay) * g^2; w -= rate * g / (sqrt(h) + delta)
    """

    def __init__(self, learning_rate=0.01, *, rms_decay=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rms_decay = _below_one("rms_decay", rms_decay)

    def rule(self, gradient, rate, history):
        _average(self, history, self.rms_decay, ops.square(gradient))
        return rate * gradient / (ops.sqrt(history) + self.delta)

    def get_config(self):
        return super().get_config() | {"rms_decay": self.rms_decay}


@registered
class CaffeAdaDelta(_WithMomentum, _WithDelta):
    """AdaDelta, whose momentum is what others call rho.

    h = momentum * h + (1 - momentum) * g^2; u = g * sqrt((d + delta) / (h + delta));
    d = momentum * d + (1 - momentum) * u^2; w -= rate * u
    """

    histories = ("history", "update_history")

    def rule(self, gradient, rate, history, update_history):
        _average(self, history, self.momentum, ops.square(gradient))
        update = gradient * ops.sqrt((update_history + self.delta) / (history + self.delta))
        _average(self, update_history, self.momentum, ops.square(update))
        return rate * update


@registered
class CaffeAdam(_WithMomentum, _WithDelta):
    """Adam, t being the number of this update, from 1.

    m = momentum * m + (1 - momentum) * g; v = momentum2 * v + (1 - momentum2) * g^2;
    w -= rate * sqrt(1 - momentum2^t) / (1 - momentum^t) * m / (sqrt(v) + delta)
    """

    histories = ("history", "square_history")

    def __init__(self, learning_rate=0.01, *, momentum2=0.999, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum2 = _below_one("momentum2", momentum2)

    def rule(self, gradient, rate, mean, square):
        _average(self, mean, self.momentum, gradient)
        _average(self, square, self.momentum2, ops.square(gradient))
        number = ops.cast(self.iterations + 1, gradient.dtype)
        bias = _bias(self.momentum, number)
        rate = rate * ops.sqrt(_bias(self.momentum2, number)) / bias
        return rate * mean / (ops.sqrt(square) + self.delta)

    def get_config(self):
        return super().get_config() | {"momentum2": self.momentum2}


TYPES = {  # as Caffe calls them
    "SGD": CaffeSGD,
    "Nesterov": CaffeNesterov,
    "AdaGrad": CaffeAdaGrad,
    "RMSProp": CaffeRMSProp,
    "AdaDelta": CaffeAdaDelta,
    "Adam": CaffeAdam,
}


def _below_one(name, value):
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be from 0 to below 1. Received: {value}.")
    return value


def _average(optimizer, state, share, value):
    """Keep this share of a state and take the rest from the value."""
    optimizer.assign(state, share * state + (1 - share) * value)


def _bias(share, number):
    """1 - share^number, exact where that is small."""
    return -ops.expm1(number * math.log(share)) if share else 1.0
