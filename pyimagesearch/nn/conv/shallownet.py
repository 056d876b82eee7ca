"""ShallowNet: one convolution and a classifier."""

import keras
from keras import layers

from pyimagesearch.nn.conv._layout import image_input


class ShallowNet:
    """The smallest network worth the name; flattens every pixel, so give it small images."""

    @staticmethod
    def build(width, height, depth, classes):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        Args:
            width, height: image size in pixels.
            depth: number of channels.
            classes: number of outputs.
        Raises:
            ValueError: if a size is not a positive integer.
        """
        inputs, _ = image_input(width, height, depth, classes)
        x = layers.Conv2D(32, 3, padding="same")(inputs)
        x = layers.Activation("relu")(x)
        x = layers.Flatten()(x)
        x = layers.Dense(classes)(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="shallownet")
