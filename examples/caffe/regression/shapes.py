"""Pictures of one ellipse each, and the box around it."""

import cv2
import numpy as np

SIZE = 32  # pixels a side


def draw_shapes(count, seed):
    """Draw ellipses of any colour, size and angle on backgrounds of another.

    Returns:
        images: (count, 3, SIZE, SIZE) float32 of 0 to 1, BGR.
        boxes: (count, 4) float32: left, top, right, bottom of the ellipse in parts of the side,
            0 at the left or the top, 1 at the right or the bottom.
    """
    rng = np.random.default_rng(seed)
    images = np.empty((count, 3, SIZE, SIZE), np.float32)
    boxes = np.empty((count, 4), np.float32)
    for image, box in zip(images, boxes, strict=True):
        ground, colour = rng.integers(0, 90, 3), rng.integers(150, 256, 3)
        if rng.random() < 0.5:
            ground, colour = colour, ground
        picture = np.full((SIZE, SIZE, 3), ground, np.uint8)
        mask = np.zeros((SIZE, SIZE), np.uint8)
        axes, centre = rng.integers(4, 10, 2), rng.integers(10, SIZE - 10, 2)
        cv2.ellipse(mask, centre.tolist(), axes.tolist(), rng.uniform(0, 180), 0, 360, 255, -1)
        picture[mask > 0] = colour
        noisy = picture + rng.normal(0, 8, picture.shape)
        image[:] = np.clip(noisy, 0, 255).transpose(2, 0, 1) / 255
        left, top, width, height = cv2.boundingRect(mask)
        box[:] = np.array([left, top, left + width, top + height]) / SIZE
    return images, boxes
