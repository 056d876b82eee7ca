"""Corner and centre crops, for averaging predictions."""

import cv2
import numpy as np

from pyimagesearch.preprocessing._checks import check_holds, check_image, positive_integer


class CropPreprocessor:
    """Cut the four corners and the centre out of an image, and mirror them.

    Averaging a network's predictions over these ten crops is the test-time augmentation of
    Krizhevsky et al., 2012, section 4.1.

    Args:
        width, height: size of each crop in pixels.
        horiz: add the crops' left-right mirrors.
        inter: not used, since every crop has its exact size without resizing. It is kept because
            the book's class takes it.
    """

    def __init__(self, width, height, horiz=True, inter=cv2.INTER_AREA):
        self.width = positive_integer("width", width)
        self.height = positive_integer("height", height)
        self.horiz = horiz
        self.inter = inter

    def preprocess(self, image):
        """Return the crops: top-left, top-right, bottom-right, bottom-left, centre, then mirrors.

        Args:
            image: (H, W) or (H, W, C), any dtype and channel order.
        Returns:
            (10, height, width[, C]), or (5, ...) without `horiz`, of the same dtype.
        Raises:
            ValueError: if the image is smaller than a crop, or None.
            TypeError: if it is no array.
        """
        check_image(image)
        check_holds(image, self.width, self.height)
        bottom, right = image.shape[0] - self.height, image.shape[1] - self.width
        corners = [(0, 0), (0, right), (bottom, right), (bottom, 0), (bottom // 2, right // 2)]
        crops = np.empty(
            (10 if self.horiz else 5, self.height, self.width, *image.shape[2:]), image.dtype
        )
        # OpenCV mirrors many times as fast as NumPy, but not all types, nor many channels
        by_opencv = image.dtype in (np.uint8, np.float32) and image[0, 0].size <= 4
        for i, (top, left) in enumerate(corners):
            crop = image[top : top + self.height, left : left + self.width]
            crops[i] = crop
            if self.horiz and by_opencv:
                cv2.flip(crop, 1, dst=crops[i + 5])
            elif self.horiz:
                crops[i + 5] = crop[:, ::-1]
        return crops
