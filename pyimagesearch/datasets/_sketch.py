"""Smooth shapes as point lists, and a pen that draws them anti-aliased through an affine map."""

import contextlib

import cv2
import numpy as np

SUBPIXEL_BITS = 4  # OpenCV takes coordinates in 1/16 pixel


class Sketch:
    """A pen on `image` (BGR uint8, drawn in place); shapes are (N, 2) points x, y of its own units.

    Args:
        matrix: (2, 3), maps points to pixels.
        ink: BGR colour of the outlines.
        weight: width of an outline in the units of the points; 0 draws none.
    """

    def __init__(self, image, matrix, ink, weight):
        self.image = image
        self.matrix = np.asarray(matrix, np.float64)
        self.ink = ink
        self.weight = weight
        self.scale = float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))  # pixels per unit
        self.mask = np.zeros(image.shape[:2], np.uint8)  # 255 where fur was filled

    def pixels(self, points):
        mapped = np.asarray(points, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.round(mapped * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def fill(self, points, colour, *, outline=True, fur=False, within=None):
        """Fill a closed shape; `within` (H, W) uint8 limits it to where that is not 0."""
        pixels = [self.pixels(points)]
        with self._limited(within) as image:
            cv2.fillPoly(image, pixels, colour, cv2.LINE_AA, SUBPIXEL_BITS)
        if fur:
            cv2.fillPoly(self.mask, pixels, 255, cv2.LINE_AA, SUBPIXEL_BITS)
        if outline and self.weight > 0:
            self.stroke(points, self.ink, self.weight, closed=True)

    def stroke(self, points, colour, width, *, closed=False, within=None):
        """Draw a line of this width, in the units of the points, but at least one pixel wide."""
        thickness = max(1, round(width * self.scale))
        lines = [self.pixels(points)]
        with self._limited(within) as image:
            cv2.polylines(image, lines, closed, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    @contextlib.contextmanager
    def _limited(self, within):
        """Give the image to draw on; keep of what was drawn the part `within`."""
        if within is None:
            yield self.image
        else:
            copy = self.image.copy()
            yield copy
            cv2.copyTo(copy, within, self.image)

    def area(self, points):
        """Return (H, W) uint8, 255 inside the shape: a `within` for `fill`."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self.pixels(points)], 255, cv2.LINE_8, SUBPIXEL_BITS)
        return mask


def ellipse(x, y, rx, ry, tilt=0.0, start=0.0, stop=360.0):
    """Points of an ellipse or, from `start` to `stop`, of an arc; degrees, clockwise from +x."""
    angles = np.deg2rad(np.linspace(start, stop, 40, endpoint=stop - start < 360))
    points = np.stack([rx * np.cos(angles), ry * np.sin(angles)], axis=1)
    return rotated(points, tilt) + np.array((x, y))


def rotated(points, degrees):
    """Turn points clockwise about the origin."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.asarray(points, np.float64) @ np.array([[cos, sin], [-sin, cos]])


def curve(knots, *, closed=False, steps=10):
    """A smooth line through the knots (Catmull-Rom spline)."""
    knots = np.asarray(knots, np.float64)
    ends = knots[[-1, 0, 1]] if closed else knots[[0, -1, -1]]
    a = np.concatenate([ends[:1], knots, ends[1:]])
    p0, p1, p2, p3 = a[:-3], a[1:-2], a[2:-1], a[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    points = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )  # (steps, segments, 2)
    points = points.transpose(1, 0, 2).reshape(-1, 2)
    return points if closed else np.concatenate([points, knots[-1:]])


def mirrored(right):
    """Close a shape, given its right half from top to bottom, with the left half."""
    right = np.asarray(right, np.float64)
    left = right[::-1] * (-1, 1)
    return np.concatenate([right, left[np.abs(left[:, 0]) > 1e-9]])


def mix(first, second, share):
    """Return the BGR colour `share` (0 to 1) of the way from `first` to `second`."""
    return tuple(float(a + (b - a) * share) for a, b in zip(first, second, strict=True))
