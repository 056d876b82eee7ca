"""From an OpenCV image to what a Keras model takes."""

import numpy as np

from pyimagesearch.preprocessing._checks import check_image
from pyimagesearch.preprocessing._dataformat import resolve_data_format


class ImageToArrayPreprocessor:
    """Turn an image into a float32 array with its channels where Keras expects them.

    Args:
        dataFormat: "channels_last", "channels_first", or None for the Keras setting at the time
            of each call.
    """

    def __init__(self, dataFormat=None):
        if dataFormat is not None:
            resolve_data_format("dataFormat", dataFormat)
        self.dataFormat = dataFormat

    def preprocess(self, image):
        """Return the image as an array; values and channel order (BGR) stay as they are.

        Args:
            image: (H, W) or (H, W, C), uint8 or float. A grey (H, W) image gets one channel.
        Returns:
            float32 (H, W, C), or (C, H, W) for "channels_first". Not a copy if it is float32
            already.
        Raises:
            ValueError, TypeError: if `image` is None or no image.
        """
        check_image(image)
        array = image.astype(np.float32, copy=False)
        if array.ndim == 2:
            array = array[:, :, np.newaxis]
        if resolve_data_format("dataFormat", self.dataFormat) == "channels_first":
            array = array.transpose(2, 0, 1)
        return array
