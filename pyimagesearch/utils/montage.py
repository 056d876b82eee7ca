"""Many pictures as one."""

import cv2
import numpy as np


def montage(images, columns, size):
    """Arrange images row by row on a grid, each scaled to fit its cell and centred on black.

    Args:
        images: sequence of (H, W) grey or (H, W, 3) BGR uint8 images of any size.
        columns: pictures per row.
        size: (width, height) of a cell in pixels.
    Returns:
        (rows * height, columns * width, 3) uint8, BGR; unused cells are black.
    Raises:
        ValueError: if there are no images or no columns.
    """
    images, (width, height) = list(images), size
    if not images or columns < 1:
        raise ValueError(
            f"A montage needs an image and a column. Received: {len(images)} images, "
            f"{columns} columns."
        )
    rows = -(-len(images) // columns)  # rounded up
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, image in enumerate(images):
        h, w = image.shape[:2]
        scale = min(width / w, height / h)
        w, h = max(1, round(w * scale)), max(1, round(h * scale))
        small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
        if small.ndim == 2:
            small = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        row, column = divmod(number, columns)
        top, left = row * height + (height - h) // 2, column * width + (width - w) // 2
        sheet[top : top + h, left : left + w] = small
    return sheet
