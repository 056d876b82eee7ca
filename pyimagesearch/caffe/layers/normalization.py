"""LRN, MVN, BatchNorm, and the softmax of a loss."""

import contextlib

import keras
import numpy as np
from keras import ops

from pyimagesearch.caffe.layers._order import register

LEAST_LOG = -87.336  # of the least normal float32


@register
class LRN(keras.layers.Layer):
    """Local response normalization of (N, H, W, C).

    Args:
        local_size: n, odd: of the channels centred here, or of the square's side in pixels.
        alpha, beta, k: across channels x / (k + alpha / n * sum of x^2) ^ beta, within a channel
            x / (1 + alpha / n^2 * sum of x^2) ^ beta. Beyond the edges is 0.
        within_channel: sum over a square of n x n pixels, not over n channels.
    """

    def __init__(self, local_size=5, alpha=1.0, beta=0.75, k=1.0, within_channel=False, **kwargs):
        super().__init__(**kwargs)
        self.local_size = local_size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.within_channel = within_channel

    def compute_output_shape(self, shape):
        return shape

    def call(self, x):
        squares, half = ops.square(x), self.local_size // 2
        if self.within_channel:
            # no farther than to the other edge
            rows, columns = (min(half, size - 1) for size in x.shape[1:3])
            squares = ops.pad(squares, [(0, 0), (rows, rows), (columns, columns), (0, 0)])
            square = (2 * rows + 1, 2 * columns + 1)
            mean = ops.average_pool(squares, square, 1, "valid", "channels_last")
            share = square[0] * square[1] / self.local_size**2
            return x * ops.power(1 + self.alpha * share * mean, -self.beta)
        # As a product with a band of ones, and by the logarithm, a training step takes a seventh of
        # the time that shifted sums and a power take on the CPU with TensorFlow and JAX.
        places = np.arange(x.shape[-1])
        band = np.abs(places[:, None] - places) <= half
        total = ops.matmul(squares, ops.convert_to_tensor(band, x.dtype))
        return x * ops.exp(-self.beta * ops.log(self.k + self.alpha / self.local_size * total))


@register
class MVN(keras.layers.Layer):
    """Minus the mean, divided by (standard deviation + eps), of each image's channels.

    Args:
        normalize_variance: False only subtracts the mean.
        across_channels: over the whole image (C, H, W), not over each channel's (H, W).
        eps: added to the standard deviation.
    """

    def __init__(self, normalize_variance=True, across_channels=False, eps=1e-9, **kwargs):
        super().__init__(**kwargs)
        self.normalize_variance = normalize_variance
        self.across_channels = across_channels
        self.eps = eps

    def compute_output_shape(self, shape):
        return shape

    def call(self, x):
        axes = (1, 2, 3) if self.across_channels else (1, 2)
        x = x - ops.mean(x, axes, keepdims=True)
        if not self.normalize_variance:
            return x
        variance = ops.mean(ops.square(x), axes, keepdims=True)
        # the root has no gradient at 0, where x is 0 as well
        flat = ops.equal(variance, 0)
        deviation = ops.where(flat, 0.0, ops.sqrt(ops.where(flat, 1.0, variance)))
        return x / (deviation + self.eps)


@register
class BatchNorm(keras.layers.Layer):
    """(x - mean) / sqrt(variance + eps) for each channel, without gain or offset.

    The weights are Caffe's: sums of means and of variances, both (C,), and the factor, (1,), that
    they are divided by; 0 counts as no data: mean and variance 0.

    Args:
        eps: added to the variance.
        moving_average_fraction: what the sums are multiplied by before a batch is added to them.
        use_global_stats: True uses the sums, False the batch at hand, also when predicting. None
            uses the batch in training, and the sums else, and when the layer is not trainable.

    `use_global_stats` can also be given in a call, which counts there.
    """

    def __init__(self, eps=1e-5, moving_average_fraction=0.999, use_global_stats=None, **kwargs):
        super().__init__(**kwargs)
        self.eps = eps
        self.moving_average_fraction = moving_average_fraction
        self.use_global_stats = use_global_stats

    def build(self, shape):
        channels = shape[-1] if len(shape) == 4 else shape[1]
        for name, sizes in (("mean", (channels,)), ("variance", (channels,)), ("factor", (1,))):
            weight = self.add_weight(
                shape=sizes, initializer="zeros", trainable=False, name=name, autocast=False
            )
            setattr(self, name, weight)

    def compute_output_shape(self, shape):
        return shape

    def call(self, x, training=False, use_global_stats=None):
        if use_global_stats is None:
            use_global_stats = self.use_global_stats
        if use_global_stats is None:
            use_global_stats = not training or not self.trainable
        channel = 3 if len(x.shape) == 4 else 1
        dtype = keras.backend.result_type(self.variable_dtype, x.dtype)
        given, x = x.dtype, ops.cast(x, dtype)
        if use_global_stats:
            factor = ops.cast(self.factor, dtype)
            none = ops.equal(factor, 0)
            factor = ops.where(none, 0.0, 1.0 / ops.where(none, 1.0, factor))
            mean, variance = self.mean * factor, self.variance * factor
        else:
            axes = [axis for axis in range(len(x.shape)) if axis != channel]
            mean = ops.mean(x, axes)
            centred = x - self._along(mean, channel, x)
            variance = ops.mean(ops.square(centred), axes)
            if training:
                self._add(mean, variance, x, channel)
        x = x - self._along(mean, channel, x)
        return ops.cast(x / ops.sqrt(self._along(variance, channel, x) + self.eps), given)

    @staticmethod
    def _along(values, channel, x):
        return ops.reshape(values, [-1 if i == channel else 1 for i in range(len(x.shape))])

    def _add(self, mean, variance, x, channel):
        """Add a batch to the sums; its variance as that of a sample."""
        count = 1
        for axis, size in enumerate(ops.shape(x)):
            count = count if axis == channel else count * size
        count = ops.cast(count, variance.dtype)
        variance = variance * count / ops.maximum(count - 1, 1)
        kept = self.moving_average_fraction
        self.mean.assign(kept * self.mean + ops.cast(mean, self.mean.dtype))
        self.variance.assign(kept * self.variance + ops.cast(variance, self.variance.dtype))
        self.factor.assign(kept * self.factor + 1)


@register
class SoftmaxOfLoss(keras.layers.Softmax):
    """A softmax to train on: no probability is 0, so that each has a gradient.

    A plain softmax comes to 0 where a score is some 90 below the largest one. The gradient of the
    logarithm of that is lost then, and with it the images that are most wrong. Here the least
    probability is the least normal float32, and its gradient that of the logarithm.
    """

    def call(self, x):
        logs = ops.log_softmax(x, axis=self.axis)
        least = LEAST_LOG + (logs - ops.stop_gradient(logs))
        y = ops.exp(ops.where(logs < LEAST_LOG, least, logs))
        with contextlib.suppress(AttributeError):  # of jax's tensors
            y._keras_logits = x  # Keras's own losses look for them
        return y
