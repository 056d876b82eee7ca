import numpy as np
import pytest

from pyimagesearch.utils.captchahelper import preprocess


def test_a_wide_image_is_padded_above_and_below_with_its_border():
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8)
    rows = [[1, 2, 3, 4]] * 2 + [[5, 6, 7, 8]] * 2
    assert preprocess(image, 4, 4).tolist() == rows
    assert preprocess(image.T, 4, 4).T.tolist() == rows


def test_an_odd_pixel_of_padding_goes_below():
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8)
    assert preprocess(image, 4, 5)[:, 0].tolist() == [1, 1, 5, 5, 5]


def test_the_aspect_ratio_is_kept():
    image = np.zeros((28, 56), np.uint8)
    image[8:20, 10:22] = 255  # a square of 12 pixels becomes one of 6
    result = preprocess(image, 28, 28)
    assert (result > 127).sum(axis=0).max() == (result > 127).sum(axis=1).max() == 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (33, 17, 1), (17, 33, 3), (28, 28), (5, 4, 3)])
@pytest.mark.parametrize(("width", "height"), [(28, 28), (1, 1), (30, 7), (7, 30)])
def test_the_size_is_always_exact(shape, width, height):
    image = np.zeros(shape, np.uint8)
    assert preprocess(image, width, height).shape == (height, width, *shape[2:])


def test_a_failed_imread_is_named():
    with pytest.raises(ValueError, match="cv2.imread returns None"):
        preprocess(None, 28, 28)


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="Received: 28x0"):
        preprocess(np.zeros((4, 4), np.uint8), 28, 0)
