"""Random transforms of several images: drawn together, applied one by one."""

import numpy as np

from pyimagesearch.preprocessing import _geometry, _intensity

AFFINE_DEFAULTS = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}
OTHER_PARAMETERS = {
    "flip_horizontal",
    "flip_vertical",
    "channel_shift_intensity",
    "brightness",
}
DRAWS = 10  # numbers drawn for an image, whatever its transform needs: the next has its own


class Transforms:
    """One transform for each of n images of one size.

    Args:
        parameters: name to (n,) array, of AFFINE_DEFAULTS and OTHER_PARAMETERS; a missing one
            changes nothing.
        height, width: of the images, in pixels.
        fill_mode, cval, order: as `_geometry.warp` takes them.
    """

    def __init__(self, parameters, height, width, fill_mode, cval, order):
        self._flips = [parameters.get(f"flip_{way}") for way in ("horizontal", "vertical")]
        self._intensities = parameters.get("channel_shift_intensity")
        self._factors = parameters.get("brightness")
        self._warp = {"fill_mode": fill_mode, "cval": cval, "order": order}
        affine = {name: parameters[name] for name in AFFINE_DEFAULTS if name in parameters}
        self._matrices = None
        if any(
            np.not_equal(values, AFFINE_DEFAULTS[name]).any() for name, values in affine.items()
        ):
            matrices = _geometry.affine_matrix(height, width, **affine)
            # a mirrored result takes its pixels from mirrored places: no step of its own
            self._matrices = _geometry.mirrored(matrices, height, width, *self._flips)

    def apply(self, number, image, into=None):
        """Return image `number`, an (H, W, C) array of any real dtype, transformed.

        Args:
            into: array of the same shape and type that may be used for the result, or not.
        Returns:
            Array of the same shape and type: `into`, another, or `image` if nothing changes it.
        """
        if self._matrices is not None:
            image = _geometry.warp(image, self._matrices[number], **self._warp, into=into)
        else:
            flips = [values is not None and values[number] for values in self._flips]
            image = _geometry.flip(image, *flips, into=into)
        if self._intensities is not None:
            image = _intensity.shift_channels(image, self._intensities[number])
        if self._factors is not None:
            image = _intensity.brighten(image, self._factors[number])
        return image
