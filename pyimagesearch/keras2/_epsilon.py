"""RMSprop and Adagrad with epsilon beside the root: Keras 3 has it under the root.

Keras 2 divided by sqrt(a) + epsilon, Keras 3 divides by sqrt(a + epsilon).
"""

import importlib

import keras
from keras import ops


def install():
    """Patch the steps of the two."""
    rmsprop, adagrad = keras.optimizers.RMSprop, keras.optimizers.Adagrad
    rmsprop.update_step = _rmsprop(rmsprop.update_step)
    adagrad.update_step = _adagrad
    if keras.backend.backend() == "torch":  # Keras takes all variables at once there
        for name in ("rmsprop", "adagrad"):
            module = importlib.import_module(f"keras.src.backend.torch.optimizers.torch_{name}")
            cls = next(cls for key, cls in vars(module).items() if key.lower() == name)
            cls._parallel_update_step = _step_by_step


def _step_by_step(self, grads, variables, learning_rate):
    for gradient, variable in zip(grads, variables, strict=True):
        self.update_step(gradient, variable, learning_rate)


def _rmsprop(original):
    def update_step(self, gradient, variable, learning_rate):
        if self.momentum > 0 or self.centered:  # Keras 2 had neither
            original(self, gradient, variable, learning_rate)
            return
        rate, gradient = _dense(learning_rate, variable), _dense(gradient, variable)
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        self.assign_sub(variable, rate * gradient / (ops.sqrt(velocity) + self.epsilon))

    return update_step


def _dense(value, variable):
    """Return a rate or a gradient as a tensor; that of an Embedding is sparse on TensorFlow."""
    if hasattr(value, "dense_shape"):
        value = ops.add(ops.zeros_like(variable), value)
    return ops.cast(value, variable.dtype)


def _adagrad(self, gradient, variable, learning_rate):
    rate, gradient = _dense(learning_rate, variable), _dense(gradient, variable)
    accumulator = self._accumulators[self._get_variable_index(variable)]
    self.assign(accumulator, accumulator + ops.square(gradient))
    self.assign_sub(variable, rate * gradient / (ops.sqrt(accumulator) + self.epsilon))
