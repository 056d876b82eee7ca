"""LeNet, with ReLU and max pooling."""

import keras
from keras import layers

from pyimagesearch.nn.conv._layout import image_input


class LeNet:
    """Two 5x5 convolutions and two dense layers, for digits.

    Reference: LeCun et al., 1998, "Gradient-Based Learning Applied to Document Recognition",
    section II.B.
    """

    @staticmethod
    def build(width, height, depth, classes):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        Args:
            width, height: image size in pixels, 4 or more; the book's is 28x28.
            depth: number of channels.
            classes: number of outputs.
        Raises:
            ValueError: if a size is not a positive integer or the images are too small.
        """
        inputs, _ = image_input(width, height, depth, classes, smallest=4)
        x = inputs
        for filters in (20, 50):  # 28 -> 14 -> 7 pixels
            x = layers.Conv2D(filters, 5, padding="same")(x)
            x = layers.Activation("relu")(x)
            x = layers.MaxPooling2D(2)(x)
        x = layers.Flatten()(x)
        x = layers.Dense(500)(x)
        x = layers.Activation("relu")(x)
        x = layers.Dense(classes)(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="lenet")
