"""Subtract a mean image, as Caffe does with its mean_file."""

import os

import numpy as np

from pyimagesearch.preprocessing._checks import check_image


class MeanImagePreprocessor:
    """Subtract from each pixel the mean of the training images at that place.

    The mean is of the size that the training images had before they were cropped. A smaller image
    is taken for a crop of that size, and the same part of the mean is subtracted: subtracting
    before and after a crop gives the same numbers.

    Args:
        mean: (C, H, W) array, or the path of a file that `pyimagesearch.caffe.read_mean` reads:
            .binaryproto, .npy or .json. Channels in the images' own order, BGR for Caffe's. With H
            and W of 1 it is one number for each channel and fits images of any size.

    Attributes:
        mean: (H, W, C) float32.

    Raises:
        OSError: if there is no such file. ValueError: if it holds no mean, or the array is not one.
    """

    def __init__(self, mean):
        name = "mean"
        if isinstance(mean, (str, os.PathLike)):
            # here: the reader of Caffe's files is for those who have such a file
            from pyimagesearch.caffe.mean import read_mean  # noqa: PLC0415

            name, mean = mean, read_mean(mean)
        mean = np.asarray(mean)
        if mean.ndim != 3 or not mean.size or mean.dtype.kind not in "uif":
            raise ValueError(
                f"{name} must be numbers of the shape (channels, height, width). "
                f"Received: {mean.dtype} of the shape {mean.shape}."
            )
        self.mean = np.ascontiguousarray(mean.transpose(1, 2, 0), np.float32)
        if not np.isfinite(self.mean).all():
            raise ValueError(f"{name} holds NaN or infinite numbers.")

    def preprocess(self, image, *, crop=None):
        """Return the image minus the mean; `image` itself stays as it is.

        Args:
            image: (H, W, C), or (H, W) where the mean has one channel; uint8 or float.
            crop: (top, left), where in the full picture the image was cut out. Default: the
                centre, `(mean's size - image's size) // 2`, as Caffe crops in its TEST phase.
        Returns:
            float32 array of the image's shape.
        Raises:
            ValueError: if the image is None, larger than the mean, of other channels, or `crop`
                lies outside the mean.
            TypeError: if it is no array.
        """
        check_image(image)
        height, width, channels = self.mean.shape
        h, w = image.shape[:2]
        if (1 if image.ndim == 2 else image.shape[2]) != channels:
            raise ValueError(
                f"The mean image has {channels} channels. Received: an image of the shape "
                f"{image.shape}. Turn images into grey or colour first, with cv2.cvtColor."
            )
        part = self.mean
        if (height, width) != (1, 1):
            if h > height or w > width:
                raise ValueError(
                    f"The mean is an image of {width}x{height} pixels (width x height). Received: "
                    f"a {w}x{h} image. Resize it to the mean's size first, with SimplePreprocessor."
                )
            top, left = ((height - h) // 2, (width - w) // 2) if crop is None else crop
            if not (0 <= top <= height - h and 0 <= left <= width - w):
                raise ValueError(
                    f"A {w}x{h} crop at (top, left) = {(top, left)} does not lie in the mean image "
                    f"of {width}x{height} pixels (width x height)."
                )
            part = part[top : top + h, left : left + w]
        # float64 images are made float32 before, not after, as all others are
        image = image.astype(np.float32, copy=False)
        return image - (part if image.ndim == 3 else part[:, :, 0])
