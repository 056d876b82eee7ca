"""The channel order and the checks of sizes, in one place for all networks."""

from numbers import Integral

import keras


def image_input(width, height, depth, classes, smallest=1):
    """Return the input tensor of a classifier and the axis of its channels.

    Args:
        width, height, depth: size of the images in pixels, and their number of channels.
        classes: number of classes, only checked here.
        smallest: width and height below which the network's pooling leaves nothing.
    Returns:
        (inputs, chanDim): (N, height, width, depth) and -1, or (N, depth, height, width) and 1,
        as `keras.config.image_data_format()` says.
    Raises:
        ValueError: if a number is not a positive integer, or the images are too small.
    """
    sizes = {"width": width, "height": height, "depth": depth, "classes": classes}
    for name, value in sizes.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a positive integer. Received: {value!r}.")
    if min(width, height) < smallest:
        raise ValueError(
            f"This network shrinks its input step by step and needs images of at least "
            f"{smallest}x{smallest} pixels. Received: {width}x{height} (width x height). "
            f"Enlarge the images, or choose a network with fewer pooling layers."
        )
    if keras.config.image_data_format() == "channels_first":
        return keras.Input((depth, height, width)), 1
    return keras.Input((height, width, depth)), -1


def map_size(x, chanDim):
    """Return (height, width) of the feature maps in `x`, whose channels are at axis `chanDim`."""
    return x.shape[2:4] if chanDim == 1 else x.shape[1:3]
