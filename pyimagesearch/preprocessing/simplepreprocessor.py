"""Resize to a fixed size."""

import cv2

from pyimagesearch.preprocessing._checks import check_image, positive_integer, resize


class SimplePreprocessor:
    """Resize an image to `width` x `height` pixels; its aspect ratio is ignored.

    Args:
        width, height: size of the result in pixels.
        inter: OpenCV interpolation. The default averages areas, right for making images smaller;
            cv2.INTER_LINEAR or cv2.INTER_CUBIC enlarge more smoothly.
    """

    def __init__(self, width, height, inter=cv2.INTER_AREA):
        self.width = positive_integer("width", width)
        self.height = positive_integer("height", height)
        self.inter = inter

    def preprocess(self, image):
        """Return the resized image.

        Args:
            image: (H, W) or (H, W, C), uint8 or float, any channel order.
        Returns:
            (height, width) or (height, width, C) of the same dtype.
        Raises:
            ValueError, TypeError: if `image` is None or no image.
        """
        check_image(image)
        return resize(image, self.width, self.height, self.inter)
