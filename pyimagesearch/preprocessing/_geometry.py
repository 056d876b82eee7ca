"""The composed affine warp of ImageDataGenerator: turn, shift, shear and zoom in one step."""

import math

import cv2
import numpy as np

# "constant" and "wrap" mean other things in OpenCV, so `warp` sees to them itself
BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,  # aaa|abcd|ddd
    "reflect": cv2.BORDER_REFLECT,  # cba|abcd|dcb
    "constant": cv2.BORDER_REPLICATE,  # kkk|abcd|kkk
    "wrap": cv2.BORDER_REPLICATE,  # bcd|abcd|bcd: repeats every n - 1 pixels, as in SciPy
}
INTERPOLATIONS = {0: cv2.INTER_NEAREST, 1: cv2.INTER_LINEAR}
MOST_PADDING = 4  # times the image's own size
TINY = 1e-3  # pixels; what rounding puts this far outside an image still belongs to its edge
WARPED_TYPES = {np.dtype(name) for name in ("uint8", "uint16", "int16", "float32", "float64")}


def affine_matrix(height, width, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1):
    """Return the 2x3 matrix from a pixel (x, y) of the result to its place in the image.

    The order is that of the old class: zoom, shear, shift, turn, seen from the result. So is the
    pivot, x = height / 2 - 0.5 and y = width / 2 - 0.5, which is the image's centre only if it is
    square: `recentring_shift` makes up for it.

    Args:
        height, width: of the image, in pixels.
        theta, shear: angles in degrees; a number or an array (n,), as all that follow.
        tx, ty: shift in pixels, x to the right, y down; positive values move the content left
            and up.
        zx, zy: zoom; values below 1 enlarge.
    Returns:
        (2, 3), or (n, 2, 3) for arrays.
    """
    theta, tx, ty, shear, zx, zy = np.broadcast_arrays(theta, tx, ty, shear, zx, zy)
    linear = _turn(theta) @ _shear_zoom(shear, zx, zy)
    pivot = np.array([height, width]) / 2 - 0.5
    shift = pivot + _times(_turn(theta), np.stack([tx, ty], -1)) - _times(linear, pivot)
    return np.concatenate([linear, shift[..., np.newaxis]], axis=-1)


def recentring_shift(height, width, theta, shear, zx, zy):
    """Return the (tx, ty) that make `affine_matrix` pivot on the image's centre: (2,) or (n, 2)."""
    linear = _turn(theta) @ _shear_zoom(shear, zx, zy)
    to_centre = np.array([width - height, height - width]) / 2
    return _times(_turn(-theta), to_centre - _times(linear, to_centre))


def mirrored(matrices, height, width, horizontal, vertical):
    """Return (n, 2, 3) matrices whose results are mirrored where the (n,) flags say so.

    Either may be None, for no mirroring.
    """
    matrices = matrices.copy()
    for column, (flags, size) in enumerate([(horizontal, width), (vertical, height)]):
        if flags is not None:
            these = np.asarray(flags, bool)
            matrices[these, :, 2] += matrices[these, :, column] * (size - 1)
            matrices[these, :, column] *= -1
    return matrices


def _times(matrices, vectors):
    return (matrices @ vectors[..., np.newaxis])[..., 0]


def _turn(theta):
    cos, sin = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
    return _matrices(cos, -sin, sin, cos)


def _shear_zoom(shear, zx, zy):
    cos, sin = np.cos(np.deg2rad(shear)), np.sin(np.deg2rad(shear))
    return _matrices(zx, -sin * zy, np.zeros_like(cos), cos * zy)


def _matrices(*entries):
    """Return (..., 2, 2) matrices of their four entries, row by row."""
    matrices = np.stack(entries, axis=-1)
    return matrices.reshape(*matrices.shape[:-1], 2, 2)


def warp(image, matrix, fill_mode="nearest", cval=0.0, order=1, *, into=None):
    """Look every pixel of the result up at its place in `image`.

    OpenCV rounds places to 1/32 pixel, for uint8 and float alike; that is all the difference to
    SciPy's interpolation, and its float32 coordinate maps (cv2.remap) are no finer.

    Args:
        image: (H, W, C), any real dtype; OpenCV's own (uint8 first) are the fast ones.
        matrix: (2, 3), from `affine_matrix`.
        fill_mode: what lies outside, a key of BORDERS.
        cval: value outside for "constant". As in SciPy it starts sharply where the image ends.
        order: 0 for the nearest pixel, 1 for linear interpolation.
        into: contiguous array of the same shape and type that may take the result.
    Returns:
        (H, W, C) of the same dtype.
    """
    if image.dtype not in WARPED_TYPES:
        # bool, float16 and the longer integers, through a type that holds their values
        wide = warp(image.astype(np.float64), matrix, fill_mode, cval, order)
        return cast(wide, image.dtype)
    h, w = image.shape[:2]
    flags, border = INTERPOLATIONS[order], BORDERS[fill_mode]
    if fill_mode == "wrap":
        x, y = _places(matrix, h, w)
        warped = cv2.remap(image, _wrap(x, w), _wrap(y, h), flags, borderMode=border)
    else:
        source = image, matrix, border
        if image.dtype == np.uint8:
            source = _padded(*source)
        flags |= cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(*source[:2], (w, h), into, flags=flags, borderMode=source[2])
    if warped.shape != image.shape:  # OpenCV drops the last axis of (H, W, 1)
        warped = warped.reshape(image.shape)
    if fill_mode != "constant":
        return warped
    x, y = _places(matrix, h, w)
    inside = cv2.inRange(x, -TINY, w - 1 + TINY) & cv2.inRange(y, -TINY, h - 1 + TINY)
    filled = np.full_like(warped, cast(np.float64(cval), image.dtype))
    return cv2.copyTo(warped, inside, filled).reshape(image.shape)


def _padded(image, matrix, border):
    """Return an image with all pixels that the warp asks for, and the matrix and border for it.

    OpenCV's quick way to warp uint8 knows no border that repeats pixels. Same result, 1.3 times
    as fast; not worth it where the matrix reaches so far out that much would be padded.
    """
    h, w = image.shape[:2]
    low, high = [], []
    for (a, b, c), size in zip(matrix.tolist(), (w, h), strict=True):
        across, down = a * (w - 1), b * (h - 1)
        low.append(max(0, 1 - math.floor(c + min(0, across) + min(0, down))))
        high.append(max(0, 2 - size + math.ceil(c + max(0, across) + max(0, down))))
    if (w + low[0] + high[0]) * (h + low[1] + high[1]) > MOST_PADDING * w * h:
        return image, matrix, border
    if low != [0, 0] or high != [0, 0]:
        image = cv2.copyMakeBorder(image, low[1], high[1], low[0], high[0], border)
        matrix = matrix + np.array([[0, 0, low[0]], [0, 0, low[1]]])
    return image, matrix, cv2.BORDER_CONSTANT


def _places(matrix, height, width):
    """Return x and y in the image, (H, W) float32 each, for every pixel of the result."""
    columns, rows = np.arange(width), np.arange(height)[:, np.newaxis]
    return (np.add(a * columns, b * rows + c, dtype=np.float32) for a, b, c in matrix)


def _wrap(places, length):
    """Bring places outside 0 to length - 1 back in, in steps of length - 1."""
    period = max(length - 1, 1)
    wrapped = places - period * np.floor(places / period)
    return np.where((places < -TINY) | (places > length - 1 + TINY), wrapped, places)


def flip(image, horizontal, vertical, *, into=None):
    """Mirror an image left to right, top to bottom, or both; `into` may take the result."""
    if not horizontal and not vertical:
        return image
    code = -1 if horizontal and vertical else int(bool(horizontal))
    if image.dtype not in WARPED_TYPES:
        return image[:: -1 if vertical else 1, :: -1 if horizontal else 1]
    return cv2.flip(image, code, into).reshape(image.shape)


def cast(values, dtype):
    """Convert floats to `dtype`, rounded and clipped to its range where it has one."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    elif dtype == np.bool_:
        values = values >= 0.5
    return values.astype(dtype)
