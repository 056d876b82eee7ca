"""What the book's scripts use of imutils, where it is not installed."""

import cv2


def resize(image, width=None, height=None, inter=cv2.INTER_AREA):
    """Return the image with a new width or height, its aspect ratio kept; the width goes first."""
    (h, w) = image.shape[:2]
    if width is None and height is None:
        return image
    if width is None:
        width = int(w * height / h)
    else:
        height = int(h * width / w)
    return cv2.resize(image, (width, height), interpolation=inter)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"imutils.{name} is not in the stand-in for imutils, which has imutils.paths and "
        "imutils.resize. Install the package itself: pip install imutils"
    )
