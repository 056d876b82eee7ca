"""Subtract the data set's mean colour."""

import numpy as np

from pyimagesearch.preprocessing._checks import check_image, finite_number


class MeanPreprocessor:
    """Subtract one number from each colour channel.

    Args:
        rMean, gMean, bMean: mean red, green and blue over the training images, in the images' own
            units (0 to 255 for uint8).
    """

    def __init__(self, rMean, gMean, bMean):
        self.rMean = finite_number("rMean", rMean)
        self.gMean = finite_number("gMean", gMean)
        self.bMean = finite_number("bMean", bMean)

    def preprocess(self, image):
        """Return the image with the means subtracted; `image` itself stays as it is.

        Args:
            image: (H, W, 3), uint8 or float, BGR as cv2.imread gives it.
        Returns:
            (H, W, 3) float32, BGR.
        Raises:
            ValueError: if the image is None or has no three channels.
            TypeError: if it is no array.
        """
        check_image(image)
        if image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                "MeanPreprocessor needs a BGR image of shape (H, W, 3). "
                f"Received: shape {image.shape}. Put ImageToArrayPreprocessor after it, and turn "
                "grey images into colour with cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)."
            )
        height, width = image.shape[:2]
        means = np.array([self.bMean, self.gMean, self.rMean], np.float32)
        # as rows of numbers: NumPy spends its time between runs of only three
        rows = image.reshape(height, -1).astype(np.float32, casting="same_kind")
        rows -= np.tile(means, width)
        return rows.reshape(image.shape)
