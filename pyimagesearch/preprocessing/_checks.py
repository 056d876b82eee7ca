"""What every preprocessor asks of its sizes and of the image it is handed."""

from numbers import Integral, Real

import cv2
import numpy as np


def positive_integer(name, value):
    """Return `value` as an int, or raise naming the argument."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number. Received: {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1. Received: {value}.")
    return int(value)


def finite_number(name, value):
    """Return `value` unchanged, or raise naming the argument."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number. Received: {value!r}.")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite. Received: {value}.")
    return value


def check_extent(name, value):
    """Raise unless `value` is a finite number of at least 0."""
    if finite_number(name, value) < 0:
        raise ValueError(f"{name} must be at least 0. Received: {value}.")


def check_choice(name, value, choices):
    """Raise unless `value` is one of `choices`."""
    if value not in choices:
        names = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {names}. Received: {value!r}.")


def check_image(image):
    """Raise unless `image` is a non-empty (H, W) or (H, W, C) array."""
    if image is None:
        raise ValueError("image is None: cv2.imread returns None for a file it cannot read.")
    if not isinstance(image, np.ndarray):
        raise TypeError(f"An image must be a NumPy array. Received: {type(image).__name__}.")
    if image.ndim not in {2, 3}:
        raise ValueError(
            f"An image has shape (H, W) or (H, W, C). Received: shape {image.shape}. "
            "preprocess takes one image at a time."
        )
    if image.size == 0:
        raise ValueError(f"The image has no pixels. Received: shape {image.shape}.")


def check_holds(image, width, height):
    """Raise unless a window of `width` x `height` pixels fits into `image`."""
    h, w = image.shape[:2]
    if w < width or h < height:
        raise ValueError(
            f"Cannot crop {width}x{height} pixels (width x height). Received: a {w}x{h} image. "
            "Enlarge it first with AspectAwarePreprocessor or SimplePreprocessor."
        )


def resize(image, width, height, inter):
    """Do cv2.resize, but keep the last axis of an (H, W, 1) image."""
    try:
        resized = cv2.resize(image, (width, height), interpolation=inter)
    except cv2.error as error:
        raise ValueError(
            f"OpenCV cannot resize this image with inter={inter}. Received: {image.dtype} of shape "
            f"{image.shape}. It takes uint8, uint16, int16, float32 or float64, and at most 4 "
            "channels with cv2.INTER_AREA."
        ) from error
    return resized.reshape(height, width, *image.shape[2:])
