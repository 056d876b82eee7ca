"""The ranges that ImageDataGenerator takes: checked once, drawn from for every image."""

from numbers import Integral, Real

import numpy as np

from pyimagesearch.preprocessing._checks import check_extent, finite_number


def check_shift(name, value):
    """Raise unless `value` is what `draw_shift` takes."""
    if isinstance(value, Real):
        check_extent(name, value)
        return
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(
            f"{name} must be a fraction of the size (float below 1), a number of pixels, or a list "
            f"of shifts to choose from. Received: {value!r}."
        )


def check_pair(name, value):
    """Return `value` as (low, high), finite and in this order, or raise."""
    try:
        low, high = (finite_number(name, number) for number in value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a pair (low, high). Received: {value!r}.") from error
    if low > high:
        raise ValueError(f"{name} must have its lower number first. Received: {value!r}.")
    return low, high


def brightness_limits(brightness_range):
    """Return (low, high), or None for None; raise if it is no range of factors from 0."""
    if brightness_range is None:
        return None
    low, high = check_pair("brightness_range", brightness_range)
    if low < 0:
        raise ValueError(f"brightness_range cannot be below 0. Received: {brightness_range!r}.")
    return low, high


def zoom_limits(zoom_range):
    """Return (low, high) for a float z, meaning 1 - z to 1 + z, or a pair; raise for others."""
    if isinstance(zoom_range, Real):
        check_extent("zoom_range", zoom_range)
        if zoom_range >= 1:
            raise ValueError(
                "zoom_range must be below 1, since it draws zooms from 1 - zoom_range to "
                f"1 + zoom_range, or a pair (low, high). Received: {zoom_range}."
            )
        return 1 - zoom_range, 1 + zoom_range
    low, high = check_pair("zoom_range", zoom_range)
    if low <= 0:
        raise ValueError(f"zoom_range must be above 0. Received: {zoom_range!r}.")
    return low, high


def spread(uniform, extent):
    """Return numbers of 0 to 1 as numbers of -extent to extent."""
    return (2 * uniform - 1) * extent


def spread_shift(uniform, shift_range, size):
    """Turn numbers of 0 to 1 into shifts in pixels.

    Args:
        uniform: (n,) array.
        shift_range: float r, for any shift from -r to r; int n, for a whole number of pixels from
            1 - n to n - 1; or a list of shifts to choose from, each with either sign. Below 1
            (the largest, of a list) they are fractions of `size`.
        size: of the image in that direction, in pixels.
    """
    if isinstance(shift_range, Real) and not isinstance(shift_range, Integral):
        shift = spread(uniform, shift_range)
    else:
        choices = np.arange(shift_range or 1) if np.isscalar(shift_range) else np.array(shift_range)
        choices = np.concatenate([choices, -choices])
        shift = choices[(uniform * len(choices)).astype(int)]
    return shift * (float(size) if np.max(shift_range) < 1 else 1.0)
