"""ResNet: residual networks of pre-activation bottleneck modules."""

from numbers import Integral

import keras
from keras import layers
from keras.regularizers import l2

from pyimagesearch.nn.conv._layout import image_input, map_size


class ResNet:
    """Residual network, for CIFAR-10 or Tiny ImageNet by its stem.

    Reference: He et al., 2016, arXiv:1603.05027, section 4.
    """

    @staticmethod
    def residual_module(data, K, stride, chanDim, red=False, reg=0.0001, bnEps=2e-5, bnMom=0.9):
        """Add a bottleneck (1x1, 3x3, 1x1) to its input: (N, H, W, C) to (N, H', W', K).

        Args:
            data: the input; it needs K channels, and stride 1, unless `red`.
            K: number of output channels; the inner convolutions have a quarter of it,
                rounded down.
            stride: of the 3x3 convolution, a number or a pair.
            chanDim: axis of the channels.
            red: reduce the map: the shortcut is a 1x1 convolution with the stride.
            reg: weight of the L2 penalty on every kernel.
            bnEps, bnMom: epsilon and momentum of the batch normalizations.
        """

        def bn_relu(x):
            x = layers.BatchNormalization(axis=chanDim, epsilon=bnEps, momentum=bnMom)(x)
            return layers.Activation("relu")(x)

        def conv(x, filters, size, stride=1):
            return layers.Conv2D(
                filters,
                size,
                strides=stride,
                padding="same",
                use_bias=False,
                kernel_regularizer=l2(reg),
            )(x)

        first = bn_relu(data)
        x = conv(first, K // 4, 1)
        x = conv(bn_relu(x), K // 4, 3, stride)
        x = conv(bn_relu(x), K, 1)
        shortcut = conv(first, K, 1, stride) if red else data
        return layers.Add()([x, shortcut])

    @staticmethod
    def build(
        width,
        height,
        depth,
        classes,
        stages,
        filters,
        reg=0.0001,
        bnEps=2e-5,
        bnMom=0.9,
        dataset="cifar",
    ):
        """Return an uncompiled model from (height, width, depth) images to class probabilities.

        The average pooling covers the whole last map: 8x8 as printed for the sizes below, and
        all of it for others. Other than in the book, `reg` reaches the residual modules.

        | images | stages | filters | dataset |
        |---|---|---|---|
        | CIFAR-10, 32x32 | (9, 9, 9) | (64, 64, 128, 256) | "cifar" |
        | Tiny ImageNet, 64x64 | (3, 4, 6) | (64, 128, 256, 512) | "tiny_imagenet" |

        Args:
            width, height: image size in pixels.
            depth: number of channels.
            classes: number of outputs.
            stages: number of residual modules of each stage.
            filters: channels of the stem, then of each stage: one more than `stages`. They need
                not be multiples of four.
            reg: weight of the L2 penalty on every convolution and dense kernel.
            bnEps, bnMom: epsilon and momentum of the batch normalizations.
            dataset: "cifar" for a 3x3 stem, "tiny_imagenet" for a 5x5 one that halves the map.
        Raises:
            ValueError: if a size is not a positive integer, `stages` or `filters` are no lists of
                integers or do not fit together, or `dataset` is unknown.
        """
        stages, filters = _integers("stages", stages), _integers("filters", filters)
        _check(stages, filters, dataset)

        def conv(x, size):
            return layers.Conv2D(
                filters[0], size, padding="same", use_bias=False, kernel_regularizer=l2(reg)
            )(x)

        def bn(x):
            return layers.BatchNormalization(axis=chanDim, epsilon=bnEps, momentum=bnMom)(x)

        inputs, chanDim = image_input(width, height, depth, classes)
        x = bn(inputs)  # learns the mean and scale of the images
        if dataset == "cifar":
            x = conv(x, 3)
        else:
            x = layers.Activation("relu")(bn(conv(x, 5)))
            x = layers.ZeroPadding2D(1)(x)
            x = layers.MaxPooling2D(3, strides=2)(x)  # 64 -> 32 pixels

        for i, (modules, K) in enumerate(zip(stages, filters[1:], strict=True)):
            for j in range(modules):  # the first module of each stage changes the map's shape
                x = ResNet.residual_module(
                    x,
                    K,
                    (2, 2) if i > 0 and j == 0 else (1, 1),
                    chanDim,
                    red=j == 0,
                    reg=reg,
                    bnEps=bnEps,
                    bnMom=bnMom,
                )
        x = layers.Activation("relu")(bn(x))
        x = layers.AveragePooling2D(map_size(x, chanDim))(x)  # 8x8
        x = layers.Flatten()(x)
        x = layers.Dense(classes, kernel_regularizer=l2(reg))(x)
        x = layers.Activation("softmax", dtype="float32")(x)
        return keras.Model(inputs, x, name="resnet")


def _integers(name, numbers):
    """Return a tuple of ints, or raise naming the argument."""
    try:
        values = tuple(numbers)
    except TypeError:  # one number, or None
        values = (None,)
    if not all(isinstance(n, Integral) and not isinstance(n, bool) for n in values):
        raise ValueError(
            f"{name} must be a list of whole numbers, such as (3, 4, 6). Received: {numbers!r}."
        )
    return tuple(map(int, values))


def _check(stages, filters, dataset):
    if len(stages) == 0 or min(stages) < 1:
        raise ValueError(f"stages must have one module each, or more. Received: {stages!r}.")
    if len(filters) != len(stages) + 1:
        raise ValueError(
            f"filters must have one number for the stem and one per stage: {len(stages) + 1}. "
            f"Received: {len(filters)} filters {filters!r} for {len(stages)} stages {stages!r}."
        )
    if filters[0] < 1 or min(filters[1:]) < 4:  # a bottleneck has a quarter of its stage's
        raise ValueError(
            f"filters must be 1 or more for the stem and 4 or more for the stages. "
            f"Received: {filters!r}."
        )
    if dataset not in ("cifar", "tiny_imagenet"):
        raise ValueError(f"dataset must be 'cifar' or 'tiny_imagenet'. Received: {dataset!r}.")
