"""MiniGoogLeNet: inception modules of two branches, for 32x32 images."""

import keras
from keras import layers

from pyimagesearch.nn.conv._layout import image_input, map_size

# filters of the (1x1, 3x3) branches of each inception module, and of the downsampling after them
STAGES = [
    ([(32, 32), (32, 48)], 80),
    ([(112, 48), (96, 64), (80, 80), (48, 96)], 96),
    ([(176, 160), (176, 160)], None),
]


class MiniGoogLeNet:
    """Inception network for small images.

    Reference: Zhang et al., 2017, arXiv:1611.03530, appendix A.
    """

    @staticmethod
    def conv_module(x, K, kX, kY, stride, chanDim, padding="same"):
        """CONV => BN => RELU: K filters of kX x kY, (N, H, W, C) to (N, H', W', K)."""
        x = layers.Conv2D(K, (kX, kY), strides=stride, padding=padding)(x)
        x = layers.BatchNormalization(axis=chanDim)(x)
        return layers.Activation("relu")(x)

    @staticmethod
    def inception_module(x, numK1x1, numK3x3, chanDim):
        """Map (N, H, W, C) to (N, H, W, numK1x1 + numK3x3)."""
        conv_1x1 = MiniGoogLeNet.conv_module(x, numK1x1, 1, 1, (1, 1), chanDim)
        conv_3x3 = MiniGoogLeNet.conv_module(x, numK3x3, 3, 3, (1, 1), chanDim)
        return layers.Concatenate(axis=chanDim)([conv_1x1, conv_3x3])

    @staticmethod
    def downsample_module(x, K, chanDim):
        """Map (N, H, W, C) to (N, (H - 1) // 2, (W - 1) // 2, K + C)."""
        conv_3x3 = MiniGoogLeNet.conv_module(x, K, 3, 3, (2, 2), chanDim, padding="valid")
        pool = layers.MaxPooling2D(3, strides=2)(x)
        return layers.Concatenate(axis=chanDim)([conv_3x3, pool])

    @staticmethod
    def build(width, height, depth, classes):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        The average pooling covers the whole last map: 7x7 as printed for 32x32 images, and all
        of it for images of other sizes.

        Args:
            width, height: image size in pixels, 7 or more; the book's is 32x32.
            depth: number of channels.
            classes: number of outputs.
        Raises:
            ValueError: if a size is not a positive integer or the images are too small.
        """
        inputs, chanDim = image_input(width, height, depth, classes, smallest=7)
        x = MiniGoogLeNet.conv_module(inputs, 96, 3, 3, (1, 1), chanDim)
        for modules, downsample in STAGES:  # 32 -> 15 -> 7 pixels
            for filters in modules:
                x = MiniGoogLeNet.inception_module(x, *filters, chanDim)
            if downsample:
                x = MiniGoogLeNet.downsample_module(x, downsample, chanDim)
        x = layers.AveragePooling2D(map_size(x, chanDim))(x)
        x = layers.Dropout(0.5)(x)
        x = layers.Flatten()(x)  # 336
        x = layers.Dense(classes)(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="googlenet")
