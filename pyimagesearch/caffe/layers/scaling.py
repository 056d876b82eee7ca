"""Multiply and add along some axes: Scale and Bias."""

import keras

from pyimagesearch.caffe.layers._order import caffe_shape, register, spread, to_caffe


class _Along(keras.layers.Layer):
    """What Scale and Bias share: weights as wide as axes `axis` to `axis + num_axes` of Caffe's.

    Weights are in Caffe's order of axes. With two inputs the second one, as wide as its own axes,
    is used in the place of a weight.
    """

    def __init__(self, axis, num_axes, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.num_axes = num_axes

    def _width(self, shape):
        """Return the weights' shape for an input's, or for the inputs' if there are two."""
        if isinstance(shape[0], (tuple, list)):
            factor = caffe_shape(shape[1])
            # its first axis is Keras's batch, whose size is known from the other input
            first = caffe_shape(shape[0])[self.axis]
            return (first, *factor[1:])
        shape = caffe_shape(shape)
        end = len(shape) if self.num_axes == -1 else self.axis + self.num_axes
        return shape[self.axis : end]

    def _spread(self, weight, x):
        return spread(weight, self.axis, len(x.shape))

    def compute_output_shape(self, shape):
        return shape[0] if isinstance(shape[0], (tuple, list)) else shape


@register
class Scale(_Along):
    """gain * x + bias.

    Args:
        axis: the first axis of a Caffe blob (N, C, H, W) that the gain covers.
        num_axes: how many it covers; 0 is one number for all, -1 all from `axis` on.
        use_bias: whether there is a bias, as wide as the gain.
        gain_initializer, bias_initializer: of the weights.
    """

    def __init__(
        self,
        axis=1,
        num_axes=1,
        use_bias=False,
        gain_initializer="ones",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(axis, num_axes, **kwargs)
        self.use_bias = use_bias
        self.gain_initializer = keras.initializers.get(gain_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, shape):
        width = self._width(shape)
        self.gain = self.bias = None
        if not isinstance(shape[0], (tuple, list)):
            self.gain = self.add_weight(shape=width, initializer=self.gain_initializer, name="gain")
        if self.use_bias:
            self.bias = self.add_weight(shape=width, initializer=self.bias_initializer, name="bias")

    def call(self, inputs):
        x, gain = inputs if self.gain is None else (inputs, self.gain)
        gain = to_caffe(gain) if self.gain is None else gain
        x = x * self._spread(gain, x)
        return x if self.bias is None else x + self._spread(self.bias, x)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "num_axes": self.num_axes,
            "use_bias": self.use_bias,
            "gain_initializer": keras.initializers.serialize(self.gain_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class Bias(_Along):
    """x + bias.

    Args:
        axis, num_axes: as of Scale.
        bias_initializer: of the weight.
    """

    def __init__(self, axis=1, num_axes=1, bias_initializer="zeros", **kwargs):
        super().__init__(axis, num_axes, **kwargs)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, shape):
        self.bias = None
        if not isinstance(shape[0], (tuple, list)):
            self.bias = self.add_weight(
                shape=self._width(shape), initializer=self.bias_initializer, name="bias"
            )

    def call(self, inputs):
        if self.bias is not None:
            return inputs + self._spread(self.bias, inputs)
        x, bias = inputs
        return x + self._spread(to_caffe(bias), x)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "num_axes": self.num_axes,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
