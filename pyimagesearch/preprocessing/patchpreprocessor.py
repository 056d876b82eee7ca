"""Random crops, for training."""

import numpy as np

from pyimagesearch.preprocessing._checks import check_holds, check_image, positive_integer


class PatchPreprocessor:
    """Cut `width` x `height` pixels out of an image at a random place.

    Every place is equally likely. At test time CropPreprocessor takes its part.

    Args:
        width, height: size of the crop in pixels.
    """

    def __init__(self, width, height):
        self.width = positive_integer("width", width)
        self.height = positive_integer("height", height)
        self._rng = np.random.default_rng()

    def preprocess(self, image, *, rng=None):
        """Return one crop, as a view on `image`.

        Args:
            image: (H, W) or (H, W, C), any dtype and channel order.
            rng: numpy.random.Generator to draw the place from, for results that can be repeated;
                by default the object's own, which differs from run to run.
        Returns:
            (height, width) or (height, width, C) of the same dtype.
        Raises:
            ValueError: if the image is smaller than the crop, or None.
            TypeError: if it is no array.
        """
        check_image(image)
        check_holds(image, self.width, self.height)
        rng = self._rng if rng is None else rng
        room = image.shape[0] - self.height + 1, image.shape[1] - self.width + 1
        # by plain uniform numbers, since those of many images can be drawn at once (io/_fused.py)
        top, left = (rng.random(2) * room).astype(int).tolist()
        return image[top : top + self.height, left : left + self.width]
