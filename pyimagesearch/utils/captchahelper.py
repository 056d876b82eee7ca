"""Bring the digits of a captcha to one size."""

import cv2
import numpy as np


def preprocess(image, width, height):
    """Fit an image into `width` x `height` pixels without distorting it.

    The side that is longer relative to the target is resized to it, and the other is filled up
    by repeating the border, the same on both sides but for an odd pixel (right or bottom).

    Args:
        image: (H, W) or (H, W, C), uint8 or float, any channel order.
        width, height: size of the result in pixels.
    Returns:
        (height, width) or (height, width, C) of the same dtype.
    Raises:
        ValueError: if the image is None or no image, or a size is below 1.
    """
    if not isinstance(image, np.ndarray) or image.ndim not in {2, 3} or image.size == 0:
        raise ValueError(
            "image must be an array of shape (H, W) or (H, W, C). Received: "
            f"{getattr(image, 'shape', image)}. cv2.imread returns None for a file it cannot read."
        )
    if width < 1 or height < 1:
        raise ValueError(f"width and height must be at least 1 pixel. Received: {width}x{height}.")
    h, w = image.shape[:2]
    if width * h <= height * w:
        new_w, new_h = width, max(1, round(width * h / w))
    else:
        new_w, new_h = max(1, round(height * w / h)), height
    resized = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA)
    top, left = (height - new_h) // 2, (width - new_w) // 2
    padded = cv2.copyMakeBorder(
        resized, top, height - new_h - top, left, width - new_w - left, cv2.BORDER_REPLICATE
    )
    return padded.reshape(height, width, *image.shape[2:])
