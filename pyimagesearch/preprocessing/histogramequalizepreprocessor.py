"""Spread the grey levels of an image over the whole range."""

import cv2
import numpy as np

from pyimagesearch.preprocessing._checks import check_image


class HistogramEqualizePreprocessor:
    """Equalize the histogram of each channel by itself.

    As tutorials of Caffe's time did before training, on the images of training and testing alike.
    Colours shift, since each channel is stretched by its own amount.
    """

    def preprocess(self, image):
        """Return the equalized image; `image` itself stays as it is.

        Args:
            image: (H, W), (H, W, 1) or (H, W, 3), uint8, any channel order.
        Returns:
            uint8 array of the same shape: cv2.equalizeHist of each channel.
        Raises:
            ValueError: if the image is None, not uint8, or has another number of channels.
            TypeError: if it is no array.
        """
        check_image(image)
        if image.dtype != np.uint8:
            raise ValueError(
                "HistogramEqualizePreprocessor needs grey levels of 0 to 255 as uint8. Received: "
                f"{image.dtype}. Put it before steps that make floats, such as MeanPreprocessor."
            )
        if image.ndim == 3 and image.shape[2] not in {1, 3}:
            raise ValueError(
                "HistogramEqualizePreprocessor needs a grey image or one of three colours. "
                f"Received: shape {image.shape}."
            )
        if image.ndim == 2 or image.shape[2] == 1:
            return cv2.equalizeHist(image).reshape(image.shape)
        return cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)])
