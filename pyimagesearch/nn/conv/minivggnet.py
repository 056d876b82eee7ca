"""MiniVGGNet: two blocks of VGG's 3x3 convolutions for small images."""

import keras
from keras import layers

from pyimagesearch.nn.conv._layout import image_input


class MiniVGGNet:
    """Four 3x3 convolutions and two dense layers.

    Reference: after Simonyan and Zisserman, 2014, arXiv:1409.1556, section 2.
    """

    @staticmethod
    def build(width, height, depth, classes):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        Args:
            width, height: image size in pixels, 4 or more; the book's are 32x32 and 64x64.
            depth: number of channels.
            classes: number of outputs.
        Raises:
            ValueError: if a size is not a positive integer or the images are too small.
        """
        inputs, chanDim = image_input(width, height, depth, classes, smallest=4)
        x = inputs
        for filters in (32, 64):  # 32 -> 16 -> 8 pixels
            for _ in range(2):  # CONV => RELU => BN
                x = layers.Conv2D(filters, 3, padding="same")(x)
                x = layers.Activation("relu")(x)
                x = layers.BatchNormalization(axis=chanDim)(x)
            x = layers.MaxPooling2D(2)(x)
            x = layers.Dropout(0.25)(x)
        x = layers.Flatten()(x)
        x = layers.Dense(512)(x)
        x = layers.Activation("relu")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Dropout(0.5)(x)
        x = layers.Dense(classes)(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="minivggnet")
