"""Nadam by Keras 2's schedule of the momentum, which rises with 0.96 ** (0.004 * t).

In Keras 3 it rises with 0.96 ** t, 250 times as fast.
"""

import importlib

import keras
from keras import ops


def install():
    """Patch the steps of Nadam."""
    nadam = keras.optimizers.Nadam
    nadam._backend_update_step = _backend_update_step
    nadam.update_step = _update_step
    if keras.backend.backend() == "torch":  # Keras takes all variables at once there
        torch_nadam = importlib.import_module("keras.src.backend.torch.optimizers.torch_nadam")
        torch_nadam.Nadam._parallel_update_step = _step_by_step


def _momentum(optimizer, ahead):
    dtype = optimizer._u_product.dtype
    exponent = ops.cast(optimizer.iterations + ahead, dtype) * optimizer._keras2_schedule_decay
    return optimizer.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, dtype), exponent))


def _backend_update_step(self, grads, trainable_variables, learning_rate):
    self.assign(self._u_product, self._u_product * _momentum(self, 1))
    super(keras.optimizers.Nadam, self)._backend_update_step(
        grads, trainable_variables, learning_rate
    )


def _step_by_step(self, grads, variables, learning_rate):
    self.assign(self._u_product, self._u_product * _momentum(self, 1))
    for gradient, variable in zip(grads, variables, strict=True):
        self.update_step(gradient, variable, learning_rate)


def _update_step(self, gradient, variable, learning_rate):
    """Change a variable; the product of the momenta counts this step already."""
    index = self._get_variable_index(variable)
    m, v = self._momentums[index], self._velocities[index]
    rate, gradient, now, later, product, step = (
        ops.cast(value, variable.dtype)
        for value in (
            *(learning_rate, gradient, _momentum(self, 1), _momentum(self, 2)),
            *(self._u_product, self.iterations + 1),
        )
    )
    self.assign_add(m, (gradient - m) * (1 - self.beta_1))
    self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
    m_hat = later * m / (1 - product * later) + (1 - now) * gradient / (1 - product)
    v_hat = v / (1 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
    self.assign_sub(variable, rate * m_hat / (ops.sqrt(v_hat) + self.epsilon))
