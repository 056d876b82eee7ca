"""DeeperGoogLeNet: GoogLeNet's inception modules up to stage 4e, for 64x64 images."""

import keras
from keras import layers
from keras.regularizers import l2

from pyimagesearch.nn.conv._layout import image_input, map_size

# filters per module: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection
STAGES = {
    "3": {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
    },
    "4": {
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
    },
}


class DeeperGoogLeNet:
    """Inception network for Tiny ImageNet.

    Reference: Szegedy et al., 2015, arXiv:1409.4842, section 5 and table 1.
    """

    @staticmethod
    def conv_module(x, K, kX, kY, stride, chanDim, padding="same", reg=0.0005, name=None):
        """CONV => BN => RELU: K filters of kX x kY, (N, H, W, C) to (N, H', W', K).

        With a `name` the layers are called `name_conv`, `name_bn` and `name_act`.
        """
        conv, bn, act = (f"{name}_{part}" if name else None for part in ("conv", "bn", "act"))
        x = layers.Conv2D(
            K, (kX, kY), strides=stride, padding=padding, kernel_regularizer=l2(reg), name=conv
        )(x)
        x = layers.BatchNormalization(axis=chanDim, name=bn)(x)
        return layers.Activation("relu", name=act)(x)

    @staticmethod
    def inception_module(
        x,
        num1x1,
        num3x3Reduce,
        num3x3,
        num5x5Reduce,
        num5x5,
        num1x1Proj,
        chanDim,
        stage,
        reg=0.0005,
    ):
        """Map (N, H, W, C) to (N, H, W, num1x1 + num3x3 + num5x5 + num1x1Proj).

        `stage` begins the layers' names: `stage_first_conv` ... `stage_mixed`.
        """

        def conv(x, filters, size, branch):
            return DeeperGoogLeNet.conv_module(
                x, filters, size, size, (1, 1), chanDim, reg=reg, name=f"{stage}_{branch}"
            )

        first = conv(x, num1x1, 1, "first")
        second = conv(x, num3x3Reduce, 1, "second1")
        second = conv(second, num3x3, 3, "second2")
        third = conv(x, num5x5Reduce, 1, "third1")
        third = conv(third, num5x5, 5, "third2")
        fourth = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{stage}_pool")(x)
        fourth = conv(fourth, num1x1Proj, 1, "fourth")
        return layers.Concatenate(axis=chanDim, name=f"{stage}_mixed")(
            [first, second, third, fourth]
        )

    @staticmethod
    def build(width, height, depth, classes, reg=0.0005):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        Every convolution and dense kernel has the L2 penalty `reg`. The average pooling "pool5"
        covers the whole last map: 4x4 as printed for 64x64 images, and all of it for others.

        Args:
            width, height: image size in pixels; the book's is 64x64.
            depth: number of channels.
            classes: number of outputs.
            reg: weight of the L2 penalty.
        Raises:
            ValueError: if a size is not a positive integer.
        """

        def conv(x, filters, size, name):
            return DeeperGoogLeNet.conv_module(
                x, filters, size, size, (1, 1), chanDim, reg=reg, name=name
            )

        def pool(x, name):
            return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)

        inputs, chanDim = image_input(width, height, depth, classes)
        x = conv(inputs, 64, 5, "block1")
        x = pool(x, "pool1")  # 64 -> 32 pixels
        x = conv(x, 64, 1, "block2")
        x = conv(x, 192, 3, "block3")
        x = pool(x, "pool2")  # 32 -> 16
        for number, modules in STAGES.items():  # 16 -> 8 -> 4
            for stage, filters in modules.items():
                x = DeeperGoogLeNet.inception_module(x, *filters, chanDim, stage, reg=reg)
            x = pool(x, f"pool{number}")
        x = layers.AveragePooling2D(map_size(x, chanDim), name="pool5")(x)
        x = layers.Dropout(0.4, name="do")(x)
        x = layers.Flatten(name="flatten")(x)  # 832
        x = layers.Dense(classes, kernel_regularizer=l2(reg), name="labels")(x)
        x = layers.Activation("softmax", dtype="float32", name="softmax")(x)
        return keras.Model(inputs, x, name="googlenet")
