"""Pooling with Caffe's windows."""

import keras
import numpy as np
from keras import ops

from pyimagesearch.caffe.layers._order import register


def windows(size, kernel, stride, pad, ceil=True, padded=False):
    """Return how many windows Caffe pools along an axis.

    Args:
        size: of the map along this axis, in pixels; kernel, stride and pad likewise.
        ceil: count a last window that the map does not fill.
        padded: whether there is padding on this axis or the other one: then a last window that
            starts in the padding behind the map is dropped.
    """
    reach = size + 2 * pad - kernel
    count = (-(-reach // stride) if ceil else reach // stride) + 1
    if padded and (count - 1) * stride >= size + pad:
        count -= 1
    return count


def _lowest(dtype):
    """Return the number that Caffe's maximum starts from, as float."""
    dtype = keras.backend.standardize_dtype(dtype)
    return -3.3895313892515355e38 if dtype == "bfloat16" else float(np.finfo(dtype).min)


@register
class Pooling(keras.layers.Layer):
    """Maximum or mean over windows, the last of which may reach out of the map.

    Args:
        operation: "MAX", or "AVE". The mean is over the part of the window that is in the padded
            map: padding counts, what is beyond it does not.
        kernel, stride, pad: (height, width) in pixels. Padding is never the maximum.
        ceil: also pool a last window that the map does not fill.

    Input (N, H, W, C), output (N, H', W', C). A window that holds nothing, which a stride larger
    than the kernel can make, gives the lowest number as maximum, as in Caffe, and 0 as mean.
    """

    def __init__(
        self, operation="MAX", kernel=(2, 2), stride=(1, 1), pad=(0, 0), ceil=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.operation = operation
        self.kernel = tuple(kernel)
        self.stride = tuple(stride)
        self.pad = tuple(pad)
        self.ceil = ceil

    def _windows(self, shape):
        axes = zip(shape[1:3], self.kernel, self.stride, self.pad, strict=True)
        return [windows(*axis, self.ceil, any(self.pad)) for axis in axes]

    def compute_output_shape(self, shape):
        return (shape[0], *self._windows(shape), shape[3])

    def call(self, x):
        counts = self._windows(x.shape)
        margins, shares = [(0, 0)], []
        for size, count, kernel, stride, pad in zip(
            x.shape[1:3], counts, self.kernel, self.stride, self.pad, strict=True
        ):
            margins.append((pad, max(0, (count - 1) * stride + kernel - pad - size)))
            start = np.arange(count) * stride - pad
            inside = np.minimum(start + kernel, size + pad) - start
            shares.append(kernel / np.maximum(inside, 1))
        margins.append((0, 0))
        maximum = self.operation == "MAX"
        if np.any(margins):
            x = ops.pad(x, margins, constant_values=_lowest(x.dtype) if maximum else 0)
        pool = ops.max_pool if maximum else ops.average_pool
        x = pool(x, self.kernel, self.stride, "valid", "channels_last")
        if maximum:
            return x
        share = np.multiply.outer(*shares)[None, :, :, None]  # of the kernel to the part inside
        return x if np.all(share == 1) else x * ops.cast(share, x.dtype)


@register
class Subsample(keras.layers.Layer):
    """Every `stride`-th row and column of (N, H, W, C), from the first on."""

    def __init__(self, stride=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.stride = tuple(stride)

    def compute_output_shape(self, shape):
        rows, columns = (-(-n // s) for n, s in zip(shape[1:3], self.stride, strict=True))
        return (shape[0], rows, columns, shape[3])

    def call(self, x):
        return x[:, :: self.stride[0], :: self.stride[1]]
