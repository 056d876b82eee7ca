"""What a data layer's transform_param does to images: (x - mean) * scale, crop and mirror."""

import cv2
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe.mean import read_mean


class Transform:
    """The transform_param of a data layer.

    Args:
        layer: of a Net.
        phase: "TRAIN" crops at random places, "TEST" in the centre.
        mean_file: path of the mean image, or of one number for each channel; or None.

    Raises:
        CaffeError: if options contradict each other or are not finite, or the mean image is none.
    """

    def __init__(self, layer, phase, mean_file=None):
        self._layer = layer
        options = layer.message.transform_param
        self._random_crop = phase == "TRAIN"
        self._crop = options.crop_size
        self._mirror = options.mirror
        self._scale = np.float32(options.scale)
        self._values = np.float32(options.mean_value)
        self._mean = None if mean_file is None else read_mean(mean_file).transpose(1, 2, 0)
        self._mean_file = mean_file
        self.colour = _colour(layer, options)
        if self._mean is not None and len(self._values):
            raise self._error("mean_file and mean_value are both given; keep one")
        if self._mean is not None and self._mean.shape[:2] == (1, 1):  # of a .json, say
            self._mean, self._values = None, self._mean.ravel()
        for name, numbers in (("scale", self._scale), ("mean_value", self._values)):
            if not np.isfinite(numbers).all():
                raise self._error(f"{name} is not a finite number")

    def shape(self, image):
        """Return the (H, W, C) of what comes of an image, or raise CaffeError if it cannot be."""
        height, width, channels = image.shape
        if self._mean is not None and self._mean.shape != image.shape:
            mean = "x".join(map(str, self._mean.shape))
            raise self._error(
                f"the mean image {self._mean_file} is of {mean}, an image of {height}x{width}x"
                f"{channels} (height x width x channels). It is subtracted before the crop: "
                "give the mean of the images as they are stored"
            )
        if self._mean_file and len(self._values) not in {0, channels}:
            raise self._error(
                f"the mean {self._mean_file} has numbers for {len(self._values)} channels, an "
                f"image has {channels}"
            )
        if len(self._values) not in {0, 1, channels}:
            raise self._error(
                f"there are {len(self._values)} numbers mean_value and {channels} channels. Give "
                "one for all, or one for each"
            )
        if not self._crop:
            return image.shape
        if self._crop > min(height, width):
            raise self._error(
                f"crop_size {self._crop} is larger than an image of {width}x{height} pixels "
                "(width x height)"
            )
        return self._crop, self._crop, channels

    def draw(self, rng, count):
        """Return what chance decides on `count` images, a row of three numbers for each."""
        return rng.random((count, 3))

    def apply(self, image, draw, out):
        """Write the transformed image to `out`, (H, W, C) float32, which is contiguous."""
        shape = self.shape(image)
        if shape != out.shape:
            raise self._error(
                f"images differ: {shape} comes after {out.shape} (height, width, channels). Resize "
                "them when the data set is made, or crop them with crop_size"
            )
        top, left = self._place(image.shape, shape, draw)
        rows = _window(image, top, left, shape)
        result = out.reshape(rows.shape)
        result[...] = rows
        if self._mean is not None:
            result -= _window(self._mean, top, left, shape)
        elif len(self._values):
            result -= np.resize(self._values, shape[1] * shape[2])  # repeats them along a row
        if self._scale != 1:
            result *= self._scale
        if self._mirror and draw[2] < 0.5:
            if shape[2] <= 4:
                cv2.flip(out, 1, dst=out)
            else:
                out[...] = out[:, ::-1].copy()

    def _place(self, full, part, draw):
        room = full[0] - part[0], full[1] - part[1]
        if self._random_crop:
            return int(draw[0] * (room[0] + 1)), int(draw[1] * (room[1] + 1))
        return room[0] // 2, room[1] // 2

    def _error(self, what):
        return CaffeError(
            f"{self._layer.message.where_of('transform_param')}: layer {self._layer.name!r}: "
            f"{what}."
        )


def _window(image, top, left, shape):
    """Return a part of an image as rows of numbers: NumPy is slow on runs of only three."""
    height, width, channels = shape
    rows = np.ascontiguousarray(image).reshape(len(image), -1)
    return rows[top : top + height, left * channels : (left + width) * channels]


def _colour(layer, options):
    """Return "color", "gray" or None: how encoded images are decoded."""
    color = options.force_color or layer.message.data_param.force_encoded_color
    if color and options.force_gray:
        raise CaffeError(
            f"{options.where_of('force_gray')}: layer {layer.name!r}: force_gray and force_color "
            "are both given; keep one."
        )
    return "color" if color else "gray" if options.force_gray else None
