"""The changes of ImageDataGenerator to pixel values: channel shift and brightness."""

import cv2
import numpy as np

from pyimagesearch.preprocessing._geometry import cast


def shift_channels(image, intensity):
    """Add `intensity` to every value, within the image's own minimum and maximum.

    Args:
        image: (H, W, C), any real dtype.
        intensity: float, in the image's units.
    Returns:
        (H, W, C) of the same dtype.
    """
    low, high = image.min(), image.max()
    return _map_values(image, lambda values: np.clip(values + intensity, low, high))


def brighten(image, factor):
    """Multiply values by `factor`, within 0 to 255. The last of four channels is alpha and stays.

    An image with values outside 0 to 255 is brightened on a scale from its minimum (black) to
    its maximum (white) instead.

    Args:
        image: (H, W, C), any real dtype.
        factor: 0 is black, 1 changes nothing.
    Returns:
        (H, W, C) of the same dtype.
    """
    low, high = float(image.min()), float(image.max())
    black, white = (low, high) if low < 0 or high > 255 else (0.0, 255.0)

    def scale(values):
        scaled = np.clip((values - black) * factor, 0, white - black) + black
        # Pillow, which the old class used, drops the fraction
        return np.floor(scaled) if image.dtype.kind in "ui" else scaled

    bright = _map_values(image, scale)
    if image.shape[2] == 4:
        bright[:, :, 3] = image[:, :, 3]
    return bright


def _map_values(image, function):
    """Apply a function of single values; to uint8 by way of a table of its 256 values."""
    if image.dtype == np.uint8:
        table = cast(function(np.arange(256.0)), np.uint8)
        return cv2.LUT(image, table).reshape(image.shape)
    if np.issubdtype(image.dtype, np.floating):
        return function(image).astype(image.dtype, copy=False)
    return cast(function(image.astype(np.float64)), image.dtype)
