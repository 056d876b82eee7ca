"""AlexNet, with batch normalization in place of local response normalization."""

import keras
from keras import layers
from keras.regularizers import l2

from pyimagesearch.nn.conv._layout import image_input


class AlexNet:
    """Eight-layer classifier of 227x227 images.

    Reference: Krizhevsky et al., 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks", section 3.5.
    """

    @staticmethod
    def build(width, height, depth, classes, reg=0.0002):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        Batch normalization follows the activation, as the book prints it. Every convolution and
        dense kernel has the L2 penalty `reg`.

        Args:
            width, height: image size in pixels, 57 or more; the book's is 227x227.
            depth: number of channels.
            classes: number of outputs.
            reg: weight of the L2 penalty.
        Raises:
            ValueError: if a size is not a positive integer or the images are too small.
        """

        def conv(x, filters, size, strides=1):
            x = layers.Conv2D(
                filters, size, strides=strides, padding="same", kernel_regularizer=l2(reg)
            )(x)
            x = layers.Activation("relu")(x)
            return layers.BatchNormalization(axis=chanDim)(x)

        def pool(x):
            x = layers.MaxPooling2D(3, strides=2)(x)
            return layers.Dropout(0.25)(x)

        def dense(x, units):
            x = layers.Dense(units, kernel_regularizer=l2(reg))(x)
            x = layers.Activation("relu")(x)
            x = layers.BatchNormalization()(x)
            return layers.Dropout(0.5)(x)

        inputs, chanDim = image_input(width, height, depth, classes, smallest=57)
        x = pool(conv(inputs, 96, 11, strides=4))  # 227 -> 57 -> 28 pixels
        x = pool(conv(x, 256, 5))  # 28 -> 13
        x = conv(x, 384, 3)
        x = conv(x, 384, 3)
        x = pool(conv(x, 256, 3))  # 13 -> 6
        x = layers.Flatten()(x)  # 6 * 6 * 256 = 9216
        x = dense(x, 4096)
        x = dense(x, 4096)
        x = layers.Dense(classes, kernel_regularizer=l2(reg))(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="alexnet")
