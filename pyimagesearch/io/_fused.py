"""The usual steps of a training feed on uint8 rows, in one go over each image.

Cut, warp the bytes, convert them into the batch and subtract the means there: nothing of the size
of an image is made on the way but one scratch image for each thread. The images are those of the
steps done one by one (_steps.py): the same bits, or with an augmenter the same transforms, whose
interpolated pixels are rounded to whole grey levels.
"""

import numpy as np

from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.preprocessing._dataformat import resolve_data_format
from pyimagesearch.preprocessing._transforms import DRAWS

RESIZING = (SimplePreprocessor, AspectAwarePreprocessor)


def fused_steps(preprocessors, aug, row_shape, dtype):
    """Return FusedSteps that do the same, or None where something else is asked for."""
    rest = list(preprocessors or [])

    def take(*types):
        # the very class and its own method: a user's may do something else
        ours = rest and type(rest[0]) in types and "preprocess" not in vars(rest[0])
        return rest.pop(0) if ours else None

    cut = take(PatchPreprocessor, *RESIZING)
    mean = take(MeanPreprocessor)
    to_array = take(ImageToArrayPreprocessor)
    channels_last = (
        to_array is None
        or resolve_data_format("dataFormat", to_array.dataFormat) == "channels_last"
    )
    fits = (
        not rest
        and channels_last
        and (mean, to_array, aug) != (None, None, None)  # the images would stay uint8
        and dtype == np.uint8
        and len(row_shape) == 3
        and (mean is None or row_shape[2] == 3)
        and (type(cut) is not PatchPreprocessor or _holds(row_shape, cut))
        and (aug is None or _moves_only(aug, mean))
    )
    return FusedSteps(cut, mean, aug, row_shape) if fits else None


def _holds(row_shape, patch):
    return row_shape[0] >= patch.height and row_shape[1] >= patch.width


def _moves_only(aug, mean):
    """Whether the augmenter commutes with subtracting the means and gives float32."""
    return (
        type(aug) is ImageDataGenerator
        and aug.is_plain
        and aug.data_format == "channels_last"
        and aug.dtype == "float32"
        and not aug.channel_shift_range
        and aug.brightness_range is None
        and (aug.fill_mode != "constant" or (mean is None and aug.fills_bytes))
    )


class FusedSteps:
    """Steps from uint8 rows to a float32 batch.

    Attributes:
        shape: (H, W, C) of an image in the batch.
    """

    def __init__(self, cut, mean, aug, row_shape):
        height, width = (cut.height, cut.width) if cut is not None else row_shape[:2]
        self.shape = height, width, row_shape[2]
        self._patch = type(cut) is PatchPreprocessor
        self._resize = cut if isinstance(cut, RESIZING) else None
        self._mean = mean
        self._aug = aug
        self._room = np.subtract(row_shape[:2], (height, width)) + 1

    def draw(self, rng, count):
        """Return what `fill` needs for `count` images: what the steps one by one would draw."""
        patch = 2 * self._patch
        drawn = rng.random((count, patch + DRAWS * (self._aug is not None)))
        corners = (drawn[:, :patch] * self._room).astype(int).tolist() if patch else None
        transforms = self._aug and self._aug.draw_transforms(drawn[:, patch:], self.shape)
        mean, means = self._mean, None
        if mean is not None:  # of one row of pixels
            means = np.array([mean.bMean, mean.gMean, mean.rMean], np.float32)
            means = np.tile(means, self.shape[1])
        return corners, transforms, means

    def fill(self, images, start, rows, places, choices):
        """Put the images of rows[places] into the batch `images`, from number `start` on."""
        corners, transforms, means = choices
        height, width, channels = self.shape
        scratch = np.empty(self.shape, np.uint8)
        for number, place in enumerate(places, start):
            image = rows[place]
            if self._patch:
                top, left = corners[number]
                image = image[top : top + height, left : left + width]
            elif self._resize is not None:
                image = self._resize.preprocess(image)
            if transforms is not None:
                image = transforms.apply(number, image, scratch)
            # one long row for every row of pixels: NumPy is slow on rows of three
            target = images[number]
            into = target.reshape(height, width * channels)
            into[...] = image.reshape(height, width * channels)
            if means is not None:
                into -= means
            if self._aug is not None:
                standardized = self._aug.standardize_in_place(target)
                if standardized is not target:
                    target[...] = standardized
