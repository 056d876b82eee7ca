"""Resize to a fixed size without distortion."""

import cv2

from pyimagesearch.preprocessing._checks import check_image, positive_integer, resize

# A thin image grows to this many pixels on its way at most: 300 MB in colour.
MOST_PIXELS = 100_000_000


class AspectAwarePreprocessor:
    """Resize the shorter side to the target and cut the centre out of the longer one.

    "Shorter" is relative to the target: a 60x50 image becomes 100x83 on its way to 100x50.

    Args:
        width, height: size of the result in pixels. Smaller images are enlarged.
        inter: OpenCV interpolation. The default averages areas, right for making images smaller;
            cv2.INTER_LINEAR or cv2.INTER_CUBIC enlarge more smoothly.
    """

    def __init__(self, width, height, inter=cv2.INTER_AREA):
        self.width = positive_integer("width", width)
        self.height = positive_integer("height", height)
        self.inter = inter

    def preprocess(self, image):
        """Return exactly `width` x `height` pixels, as a view on the resized image.

        Args:
            image: (H, W) or (H, W, C), uint8 or float, any channel order.
        Returns:
            (height, width) or (height, width, C) of the same dtype.
        Raises:
            ValueError, TypeError: if `image` is None or no image.
            ValueError: if it is so thin that it would be resized to over 100,000,000 pixels.
        """
        check_image(image)
        h, w = image.shape[:2]
        # The side that needs the larger factor is met exactly; the other comes out at or above its
        # target, so rounding cannot leave it a pixel short.
        if self.width * h >= self.height * w:
            width, height = self.width, round(self.width * h / w)
        else:
            width, height = round(self.height * w / h), self.height
        if width * height > MOST_PIXELS:
            raise ValueError(
                f"To fill {self.width}x{self.height} pixels (width x height) this image would "
                f"first be resized to {width}x{height}, more than {MOST_PIXELS:,} pixels. "
                f"Received: a {w}x{h} image, whose sides have a ratio of "
                f"{max(w, h) / min(w, h):,.0f} to 1. Cut it, or leave it out."
            )
        resized = resize(image, width, height, self.inter)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return resized[top : top + self.height, left : left + self.width]
