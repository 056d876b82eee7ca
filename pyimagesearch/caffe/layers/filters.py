"""Filters that Keras has not, or not like that: Deconvolution, and InnerProduct's other order.

And convolutions in a few groups, which Keras has, but slow.
"""

import keras
from keras import ops

from pyimagesearch.caffe.layers._order import register


def stretched(size, kernel, stride, pad, dilation):
    """Return the length along an axis that a deconvolution makes of `size`."""
    return stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad


@register
class GroupedConv2D(keras.layers.Conv2D):
    """keras.layers.Conv2D in a few groups, each a convolution of its own.

    The same numbers; on the CPU a training step of AlexNet's second layer takes a tenth of the time
    that TensorFlow takes for the groups at once, and a sixth of JAX's.
    """

    def convolution_op(self, inputs, kernel):
        parts = zip(
            ops.split(inputs, self.groups, axis=-1),
            ops.split(kernel, self.groups, axis=-1),
            strict=True,
        )
        return ops.concatenate([super(GroupedConv2D, self).convolution_op(*p) for p in parts], -1)


@register
class Deconvolution(keras.layers.Layer):
    """The transpose of a convolution, in groups.

    Args:
        filters: channels of the output.
        kernel_size, stride, pad, dilation: (height, width) in pixels.
        groups: group g of the outputs sees group g of the inputs.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: of the weights.

    Input (N, H, W, C); the kernel is (kh, kw, filters / groups, C).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        stride=(1, 1),
        pad=(0, 0),
        dilation=(1, 1),
        groups=1,
        use_bias=True,
        kernel_initializer="zeros",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = tuple(kernel_size)
        self.stride = tuple(stride)
        self.pad = tuple(pad)
        self.dilation = tuple(dilation)
        self.groups = groups
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, shape):
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters // self.groups, shape[-1]),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,), initializer=self.bias_initializer, name="bias"
            )

    def _size(self, shape):
        settings = zip(
            shape[1:3], self.kernel_size, self.stride, self.pad, self.dilation, strict=True
        )
        return [stretched(*axis) for axis in settings]

    def compute_output_shape(self, shape):
        return (shape[0], *self._size(shape), self.filters)

    def call(self, x):
        kernel = self._dilated(self.kernel)
        images = ops.split(x, self.groups, -1) if self.groups > 1 else [x]
        kernels = ops.split(kernel, self.groups, -1) if self.groups > 1 else [kernel]
        parts = [
            ops.conv_transpose(image, part, self.stride, "valid", data_format="channels_last")
            for image, part in zip(images, kernels, strict=True)
        ]
        y = ops.concatenate(parts, -1) if self.groups > 1 else parts[0]
        (top, left), (rows, columns) = self.pad, self._size(x.shape)
        y = y[:, top : top + rows, left : left + columns]
        return y if self.bias is None else y + self.bias

    def _dilated(self, kernel):
        """Return the kernel with zeros in between: Keras refuses dilation with a stride."""
        for axis, step in enumerate(self.dilation):
            if step == 1:
                continue
            shape = list(kernel.shape)
            margins = [(0, step - 1) if i == axis + 1 else (0, 0) for i in range(5)]
            kernel = ops.pad(ops.expand_dims(kernel, axis + 1), margins)
            shape[axis] *= step
            kernel = ops.reshape(kernel, shape)
            length = shape[axis] - step + 1
            kernel = kernel[:length] if axis == 0 else kernel[:, :length]
        return kernel

    def get_config(self):
        names = ("filters", "kernel_size", "stride", "pad", "dilation", "groups", "use_bias")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class TransposedInnerProduct(keras.layers.Dense):
    """Dense whose weights a .caffemodel has as (in, out): InnerProduct with `transpose: true`."""
