import inspect
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    CropPreprocessor,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)

SIZED = [SimplePreprocessor, AspectAwarePreprocessor, CropPreprocessor, PatchPreprocessor]


def numbered(height, width, channels=None, dtype=np.uint8):
    """An image whose pixel at row r and column c is 10 r + c."""
    image = (10 * np.arange(height)[:, None] + np.arange(width)).astype(dtype)
    return image if channels is None else np.repeat(image[:, :, None], channels, axis=2)


def test_simple_preprocessor_averages_areas():
    image = np.array([[0, 10, 20, 30], [40, 50, 60, 70]], np.uint8)
    assert SimplePreprocessor(2, 1).preprocess(image).tolist() == [[25, 45]]


def test_simple_preprocessor_takes_width_before_height():
    assert SimplePreprocessor(7, 5).preprocess(numbered(9, 9, 3)).shape == (5, 7, 3)


@pytest.mark.parametrize("preprocessor", SIZED)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_results_keep_dtype_and_channel_axis(preprocessor, dtype, channels):
    result = preprocessor(4, 3).preprocess(numbered(8, 9, channels, dtype))
    assert result.dtype == dtype
    tail = () if channels is None else (channels,)
    assert result.shape[-len(tail) - 2 :] == (3, 4, *tail)


def test_aspect_aware_cuts_the_middle_out_of_the_longer_side():
    wide = np.repeat(np.arange(8, dtype=np.uint8)[None], 4, axis=0)  # 4 rows of 0 to 7
    assert AspectAwarePreprocessor(4, 4).preprocess(wide).tolist() == [[2, 3, 4, 5]] * 4
    assert AspectAwarePreprocessor(4, 4).preprocess(wide.T).T.tolist() == [[2, 3, 4, 5]] * 4


def test_aspect_aware_does_not_distort():
    image = np.zeros((60, 90), np.uint8)
    image[20:40, 34:54] = 255  # a square of 20 pixels becomes one of 10
    result = AspectAwarePreprocessor(30, 30).preprocess(image)
    assert (result > 127).sum(axis=0).max() == (result > 127).sum(axis=1).max() == 10


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 5), (32, 32), (227, 227), (10, 301)])
def test_aspect_aware_gives_the_exact_size_for_every_input(width, height):
    preprocessor = AspectAwarePreprocessor(width, height)
    for h, w in [(1, 1), (2, 3), (33, 31), (375, 500), (499, 333), (3, 700), (301, 10)]:
        assert preprocessor.preprocess(np.zeros((h, w, 3), np.uint8)).shape == (height, width, 3)


@pytest.mark.parametrize("shape", [(15_000, 1), (1, 15_000)])
def test_aspect_aware_refuses_an_image_so_thin_that_it_would_fill_the_memory(shape):
    h, w = shape
    large = "256x3840000" if h > w else "3840000x256"
    message = rf"resized to {large}, .*Received: a {w}x{h} image, .* ratio of 15,000 to 1"
    with pytest.raises(ValueError, match=message):
        AspectAwarePreprocessor(256, 256).preprocess(np.zeros(shape, np.uint8))
    # 256x256,000 = 65,536,000 pixels are let through
    assert AspectAwarePreprocessor(256, 256).preprocess(np.zeros((1000, 1), np.uint8)).size == 65536


def test_crops_are_exact_and_in_the_books_order():
    crops = CropPreprocessor(2, 2).preprocess(numbered(5, 5))  # a margin of 3 is odd
    first_pixels = crops[:5, 0, 0].tolist()
    assert first_pixels == [0, 3, 33, 30, 11]
    assert crops.shape == (10, 2, 2)
    assert crops[4].tolist() == [[11, 12], [21, 22]]


def test_mirrored_crops_follow_in_the_same_order():
    image = numbered(6, 7, 3)
    crops = CropPreprocessor(4, 3).preprocess(image)
    plain = CropPreprocessor(4, 3, horiz=False).preprocess(image)
    assert crops.shape == (10, 3, 4, 3)
    assert plain.shape == (5, 3, 4, 3)
    assert np.array_equal(crops[:5], plain)
    assert np.array_equal(crops[5:], plain[:, :, ::-1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float16, np.float32, bool])
@pytest.mark.parametrize("channels", [None, 1, 3, 600])
def test_crops_hold_the_images_own_pixels(dtype, channels):
    whole = numbered(9, 12, channels, dtype)
    for image in (whole, whole[::2, ::-1], whole.swapaxes(0, 1)):
        crops = CropPreprocessor(3, 4).preprocess(image)
        bottom, right = image.shape[0] - 4, image.shape[1] - 3
        corners = [(0, 0), (0, right), (bottom, right), (bottom, 0), (bottom // 2, right // 2)]
        for i, (top, left) in enumerate(corners):
            window = image[top : top + 4, left : left + 3]
            assert np.array_equal(crops[i], window)
            assert np.array_equal(crops[i + 5], window[:, ::-1])


def test_crop_of_the_images_own_size_is_the_image():
    image = numbered(3, 4, 3)
    assert all(np.array_equal(c, image) for c in CropPreprocessor(4, 3, False).preprocess(image))


def test_patch_is_a_window_of_the_image_and_reaches_every_place():
    image = numbered(4, 5)
    preprocessor = PatchPreprocessor(3, 2)
    corners = set()
    for _ in range(400):
        patch = preprocessor.preprocess(image)
        row, column = divmod(int(patch[0, 0]), 10)
        assert np.array_equal(patch, image[row : row + 2, column : column + 3])
        corners.add((row, column))
    assert corners == {(row, column) for row in range(3) for column in range(3)}


def test_patch_repeats_with_the_generator_it_is_given():
    image = numbered(40, 50)
    patches = [
        PatchPreprocessor(3, 2).preprocess(image, rng=np.random.default_rng(7)).tolist()
        for _ in range(2)
    ]
    assert patches[0] == patches[1]


def test_rng_is_a_keyword_of_the_random_preprocessor_alone():
    kind = inspect.signature(PatchPreprocessor.preprocess).parameters["rng"].kind
    assert kind is inspect.Parameter.KEYWORD_ONLY
    assert "rng" not in inspect.signature(CropPreprocessor.preprocess).parameters


@pytest.mark.parametrize("preprocessor", [CropPreprocessor, PatchPreprocessor])
def test_crops_larger_than_the_image_are_refused_with_both_sizes(preprocessor):
    with pytest.raises(ValueError, match=r"8x3 pixels \(width x height\).*a 7x5 image"):
        preprocessor(8, 3).preprocess(numbered(5, 7))


def test_mean_preprocessor_subtracts_red_from_the_last_channel():
    image = np.full((1, 2, 3), [10, 20, 30], np.uint8)  # blue, green, red
    result = MeanPreprocessor(rMean=1.5, gMean=2, bMean=30).preprocess(image)
    assert result.dtype == np.float32
    assert result.tolist() == [[[-20, 18, 28.5]] * 2]
    assert image[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, np.float64, bool])
def test_mean_preprocessor_rounds_to_float32_before_it_subtracts(dtype):
    whole = (np.random.default_rng(0).random((6, 9, 3)) * 200).astype(dtype)
    means = np.float32([105.7, 115.1, 124.3])
    views = whole[1:5, 2:8], whole[:, ::-1], whole[..., ::-1], whole.swapaxes(0, 1)
    for image in (whole, *views):
        image.flags.writeable = False
        result = MeanPreprocessor(124.3, 115.1, 105.7).preprocess(image)
        assert np.array_equal(result, image.astype(np.float32) - means)
        assert result.dtype == np.float32


def test_means_may_be_changed_between_images():
    preprocessor = MeanPreprocessor(1, 2, 3)
    preprocessor.rMean = 5
    assert preprocessor.preprocess(np.zeros((1, 1, 3))).tolist() == [[[-3, -2, -5]]]


def test_mean_preprocessor_refuses_complex_numbers():
    with pytest.raises(TypeError, match="complex"):
        MeanPreprocessor(1, 2, 3).preprocess(np.zeros((2, 2, 3), complex))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4), (2, 4, 4, 3)])
def test_mean_preprocessor_refuses_what_has_no_three_channels(shape):
    with pytest.raises(ValueError, match=r"Received: shape"):
        MeanPreprocessor(1, 2, 3).preprocess(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("means", "error"), [((1, 2, np.nan), ValueError), (("1", 2, 3), TypeError)]
)
def test_mean_preprocessor_refuses_means_that_are_no_numbers(means, error):
    with pytest.raises(error, match="Mean must be"):
        MeanPreprocessor(*means)


def test_image_to_array_moves_channels_where_they_are_wanted():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    last = ImageToArrayPreprocessor("channels_last").preprocess(image)
    first = ImageToArrayPreprocessor("channels_first").preprocess(image)
    assert last.dtype == first.dtype == np.float32
    assert np.array_equal(last, image)
    assert first.shape == (3, 2, 4)
    assert first[1, 0].tolist() == [1, 4, 7, 10]


@pytest.mark.parametrize(
    ("order", "shape"), [("channels_last", (2, 3, 1)), ("channels_first", (1, 2, 3))]
)
def test_image_to_array_gives_a_grey_image_its_channel(order, shape):
    assert ImageToArrayPreprocessor(order).preprocess(numbered(2, 3)).shape == shape


def test_image_to_array_follows_keras_where_it_is_loaded():
    import keras  # noqa: PLC0415

    preprocessor = ImageToArrayPreprocessor()
    assert preprocessor.dataFormat is None
    before = keras.config.image_data_format()
    try:
        for order, shape in [("channels_first", (3, 2, 5)), ("channels_last", (2, 5, 3))]:
            keras.config.set_image_data_format(order)
            assert preprocessor.preprocess(numbered(2, 5, 3)).shape == shape
    finally:
        keras.config.set_image_data_format(before)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (json.dumps({"image_data_format": "channels_first"}), (3, 2, 5)),
        (json.dumps({"backend": "tensorflow"}), (2, 5, 3)),
        ("{ broken", (2, 5, 3)),
        (None, (2, 5, 3)),
    ],
)
def test_image_to_array_reads_the_keras_setting_without_loading_keras(tmp_path, text, shape):
    if text is not None:
        (tmp_path / "keras.json").write_text(text)
    code = (
        "import sys, numpy as np; from pyimagesearch.preprocessing import ImageToArrayPreprocessor;"
        "print(ImageToArrayPreprocessor().preprocess(np.zeros((2, 5, 3), 'uint8')).shape,"
        " 'keras' in sys.modules)"
    )
    environment = {"KERAS_HOME": str(tmp_path)}
    output = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert output == f"{shape} False\n"


def test_image_to_array_refuses_an_unknown_order():
    with pytest.raises(ValueError, match="dataFormat must be one of 'channels_last'"):
        ImageToArrayPreprocessor("channels-last")


@pytest.mark.parametrize("preprocessor", SIZED)
@pytest.mark.parametrize(
    ("size", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), ("9", TypeError)]
)
def test_sizes_must_be_positive_whole_numbers(preprocessor, size, error):
    with pytest.raises(error, match="height must be"):
        preprocessor(5, size)
    with pytest.raises(error, match="width must be (at least 1|a whole number). Received"):
        preprocessor(size, 5)


ALL = [
    *(preprocessor(2, 2) for preprocessor in SIZED),
    MeanPreprocessor(1, 2, 3),
    ImageToArrayPreprocessor(),
]


@pytest.mark.parametrize("preprocessor", ALL, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (None, ValueError, "cv2.imread returns None for a file it cannot read"),
        ([[1, 2]], TypeError, "must be a NumPy array"),
        (np.zeros((2, 4, 4, 3), np.uint8), ValueError, "one image at a time"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, "no pixels"),
    ],
)
def test_what_is_no_image_is_refused(preprocessor, image, error, message):
    with pytest.raises(error, match=message):
        preprocessor.preprocess(image)


def test_a_type_that_opencv_cannot_resize_is_named():
    with pytest.raises(ValueError, match="Received: int64 of shape"):
        SimplePreprocessor(2, 2).preprocess(np.zeros((4, 4, 3), np.int64))


def test_arguments_stay_readable_under_their_names():
    preprocessor = CropPreprocessor(4, 3, False, cv2.INTER_CUBIC)
    values = preprocessor.width, preprocessor.height, preprocessor.horiz, preprocessor.inter
    assert values == (4, 3, False, cv2.INTER_CUBIC)
    assert AspectAwarePreprocessor(4, 3).inter == SimplePreprocessor(4, 3).inter == cv2.INTER_AREA
    assert MeanPreprocessor(1, 2, 3).bMean == 3


def test_the_room_loads_opencv_and_nothing_heavier():
    heavy = {
        "PIL",
        "scipy",
        "h5py",
        "matplotlib",
        "keras",
        "tensorflow",
        "sklearn",
        "json",
        "logging",
    }
    code = f"import sys, pyimagesearch.preprocessing; print({heavy} & {{*sys.modules}})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
