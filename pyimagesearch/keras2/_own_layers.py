"""Layers that scripts define themselves, in the ways of Keras 1 and 2."""

import functools

import keras

_ORDER = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")


def install():
    """Patch the base class of layers."""
    layer = keras.layers.Layer
    layer.add_weight = _add_weight(layer.add_weight)
    for which in ("trainable_weights", "non_trainable_weights"):
        setter = _setter(trainable=which == "trainable_weights")
        setattr(layer, which, property(getattr(layer, which).fget, setter))


def _add_weight(original):
    """Take the name by position, as in `add_weight("kernel", (3, 4))`."""

    @functools.wraps(original)
    def add_weight(self, *args, **kwargs):
        if args and isinstance(args[0], str):
            kwargs |= dict(zip(_ORDER, args, strict=False))
            args = ()
        return original(self, *args, **kwargs)

    return add_weight


def _setter(trainable):
    """Return what `self.trainable_weights = [self.W, self.b]` does in `build`."""

    def set_weights(self, weights):
        for weight in weights:
            if not isinstance(weight, keras.Variable):
                raise TypeError(
                    "The weights of a layer must be variables, from K.variable(...) or "
                    f"self.add_weight(...). Received: {type(weight).__name__}."
                )
            if not any(weight is known for known in self.weights):
                self._track_variable(weight)
        if not trainable:
            for weight in weights:
                weight.trainable = False
            return
        for known in self._trainable_variables + self._non_trainable_variables:
            known.trainable = any(known is weight for weight in weights)

    return set_weights
