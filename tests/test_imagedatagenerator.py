import subprocess
import sys
import threading
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from pyimagesearch.preprocessing import ImageDataGenerator

FILL_MODES = ["nearest", "constant", "reflect", "wrap"]
EVERYTHING = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 20,
    "zoom_range": 0.3,
    "channel_shift_range": 30,
    "horizontal_flip": True,
    "vertical_flip": True,
}


def photograph(height=120, width=120, channels=3, dtype=np.uint8):
    """Smooth random shapes with the contrast of a photograph."""
    noise = np.random.default_rng(3).normal(size=(height, width, channels))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3).reshape(height, width, channels)
    return np.clip(127 + smooth * (60 / smooth.std()), 0, 255).astype(dtype)


def old_class(**options):
    """The class this one replaces; it lives on among Keras' private modules."""
    from keras.src.legacy.preprocessing import image  # noqa: PLC0415

    return image.ImageDataGenerator(**options)


def old_transform(image, parameters, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses names that SciPy is about to drop
        return np.asarray(old_class(**options).apply_transform(image, parameters))


def difference(ours, olds):
    return np.abs(ours.astype(np.float64) - olds).mean()


# ---- geometry, against the old class --------------------------------------------------------


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize(
    "parameters",
    [
        {"theta": 33},
        {"theta": -89},
        {"tx": 7.3},
        {"tx": -5},
        {"ty": -11.6},
        {"shear": 25},
        {"zx": 0.6},
        {"zy": 1.7},
        {"flip_horizontal": True},
        {"flip_vertical": True},
        {"channel_shift_intensity": 25.0},
        {"theta": 200, "tx": 300, "ty": -400, "zx": 2, "zy": 3},  # far outside
    ],
    ids=str,
)
def test_each_parameter_does_what_it_did(fill_mode, parameters):
    image = photograph()
    ours = ImageDataGenerator(fill_mode=fill_mode, cval=40).apply_transform(image, parameters)
    assert ours.dtype == np.uint8
    olds = old_transform(image, parameters, fill_mode=fill_mode, cval=40)
    assert difference(ours, olds) < 0.5


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("height", "width", "channels"), [(120, 120, 3), (90, 150, 1), (150, 90, 4), (32, 32, 7)]
)
def test_random_mixtures_agree_with_the_old_class(fill_mode, dtype, height, width, channels):
    image = photograph(height, width, channels, dtype)
    ours = ImageDataGenerator(**EVERYTHING, fill_mode=fill_mode, cval=40)
    for seed in range(5):
        parameters = ours.get_random_transform(image.shape, seed)
        result = ours.apply_transform(image, parameters)
        assert result.dtype == dtype
        olds = old_transform(image, parameters, fill_mode=fill_mode, cval=40)
        assert difference(result, olds) < 0.6


def test_channels_first_is_the_same_transposed():
    image = photograph(40, 60)
    last = ImageDataGenerator(
        **EVERYTHING, brightness_range=(0.5, 1.5), data_format="channels_last"
    )
    first = ImageDataGenerator(
        **EVERYTHING, brightness_range=(0.5, 1.5), data_format="channels_first"
    )
    expected = last.random_transform(image, seed=5)
    result = first.random_transform(image.transpose(2, 0, 1), seed=5)
    assert np.array_equal(result.transpose(1, 2, 0), expected)


@pytest.mark.parametrize("brightness", [0.3, 1.0, 1.8])
@pytest.mark.parametrize(("dtype", "bound"), [(np.uint8, 0.01), (np.float32, 1.5)])
def test_brightness_agrees_with_the_old_class(brightness, dtype, bound):
    # on floats it cut every value down to a whole one, twice; ours does not
    image = photograph(dtype=dtype)
    parameters = {"brightness": brightness}
    ours = ImageDataGenerator().apply_transform(image, parameters)
    assert ours.dtype == dtype
    assert difference(ours, old_transform(image, parameters)) < bound


def test_brightness_leaves_alpha_alone():
    image = np.full((2, 2, 4), 100, np.uint8)
    result = ImageDataGenerator().apply_transform(image, {"brightness": 0.5})
    assert result[0, 0].tolist() == [50, 50, 50, 100]


def test_brightness_of_signed_values_scales_between_their_extremes():
    image = np.array([-10, 0, 10], np.float32).reshape(1, 3, 1)
    result = ImageDataGenerator().apply_transform(image, {"brightness": 0.5})
    assert result.ravel().tolist() == [-10, -5, 0]


# ---- geometry, by hand ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill_mode", "expected"),
    [
        ("nearest", [3, 4, 5, 5, 5, 5, 5]),
        ("constant", [3, 4, 5, 9, 9, 9, 9]),
        ("reflect", [3, 4, 5, 5, 4, 3, 2]),
        ("wrap", [3, 4, 5, 2, 3, 4, 1]),  # period n - 1, as in SciPy
    ],
)
def test_what_fill_modes_put_in_place_of_the_missing(fill_mode, expected):
    image = np.array([[1, 2, 3, 4, 5]], np.uint8).reshape(1, 5, 1)
    generator = ImageDataGenerator(fill_mode=fill_mode, cval=9)
    shifted = [generator.apply_transform(image, {"tx": tx})[0, 0, 0] for tx in range(2, 9)]
    assert shifted == expected


@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_a_quarter_turn_loses_no_pixel(fill_mode):
    # the old class filled a row with cval here, because of the last digit of cos 90
    image = photograph(32, 32)
    generator = ImageDataGenerator(fill_mode=fill_mode)
    for theta, quarters in [(90, 1), (180, 2), (-90, 3)]:
        turned = generator.apply_transform(image, {"theta": theta})
        assert np.array_equal(turned, np.rot90(image, quarters))


def test_width_shift_moves_columns_and_height_shift_moves_rows():
    image = np.zeros((9, 15, 1), np.uint8)
    image[4, 7] = 255
    seen = {"width_shift_range": set(), "height_shift_range": set()}
    for name, places in seen.items():
        generator = ImageDataGenerator(**{name: [3]}, fill_mode="constant")
        for seed in range(20):
            moved = generator.random_transform(image, seed)
            places.update(map(tuple, np.argwhere(moved[..., 0] == 255).tolist()))
    assert seen == {"width_shift_range": {(4, 4), (4, 10)}, "height_shift_range": {(1, 7), (7, 7)}}


@pytest.mark.parametrize("shape", [(31, 31, 1), (31, 61, 1), (61, 31, 1)])
def test_random_turns_and_zooms_keep_the_centre_of_any_image_in_place(shape):
    image = np.zeros(shape, np.float32)
    row, column = shape[0] // 2, shape[1] // 2
    image[row - 2 : row + 3, column - 2 : column + 3] = 1
    generator = ImageDataGenerator(
        rotation_range=90, shear_range=20, zoom_range=0.2, fill_mode="constant"
    )
    for seed in range(10):
        result = generator.random_transform(image, seed)[..., 0]
        rows, columns = np.indices(result.shape)
        centre = (rows * result).sum() / result.sum(), (columns * result).sum() / result.sum()
        assert centre == pytest.approx((row, column), abs=0.1)


def test_zoom_below_one_enlarges():
    image = np.zeros((21, 21, 1), np.uint8)
    image[8:13, 8:13] = 1
    generator = ImageDataGenerator(interpolation_order=0)
    assert generator.apply_transform(image, {"zx": 0.5, "zy": 0.5}).sum() > 80


def test_nothing_to_do_gives_the_image_itself():
    image = photograph()
    assert ImageDataGenerator().random_transform(image) is image


def test_interpolation_order_zero_makes_no_new_values():
    image = np.zeros((30, 30, 1), np.uint8)
    image[10:20, 10:20] = 200
    generator = ImageDataGenerator(rotation_range=40, interpolation_order=0)
    assert set(np.unique(generator.random_transform(image, seed=1))) == {0, 200}


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float16", "float64", "uint16"])
def test_other_types_come_back_as_they_were(dtype):
    image = (photograph() > 127).astype(dtype)
    generator = ImageDataGenerator(rotation_range=30, horizontal_flip=True, fill_mode="wrap")
    for seed in range(4):
        result = generator.random_transform(image, seed)
        assert result.dtype == image.dtype
        assert 0 <= result.min() < result.max() <= 1


# ---- what is drawn --------------------------------------------------------------------------


def drawn(name, shape=(200, 100, 3), count=300, **options):
    generator = ImageDataGenerator(**options)
    rng = np.random.default_rng(0)
    return np.array([generator.get_random_transform(shape, rng)[name] for _ in range(count)])


@pytest.mark.parametrize(
    ("options", "name", "low", "high"),
    [
        ({"rotation_range": 30}, "theta", -30, 30),
        ({"shear_range": 11.5}, "shear", -11.5, 11.5),
        ({"zoom_range": 0.25}, "zx", 0.75, 1.25),
        ({"zoom_range": 0.25}, "zy", 0.75, 1.25),
        ({"width_shift_range": 0.1}, "tx", -10, 10),
        ({"height_shift_range": 0.1}, "ty", -20, 20),
        ({"width_shift_range": 3.5}, "tx", -3.5, 3.5),
        ({"channel_shift_range": 20.0}, "channel_shift_intensity", -20, 20),
        ({"brightness_range": (0.5, 0.9)}, "brightness", 0.5, 0.9),
    ],
)
def test_draws_fill_their_range(options, name, low, high):
    shape = (200, 100, 3) if "shift_range" in str(options) else (100, 100, 3)
    values = drawn(name, shape, **options)
    margin = (high - low) / 20
    assert low <= values.min() < low + margin
    assert high - margin < values.max() <= high


@pytest.mark.parametrize(
    ("shift", "expected"),
    [(3, {-2, -1, 0, 1, 2}), ([5, 8], {-8, -5, 5, 8}), ([0.1, 0.25], {-25, -10, 10, 25})],
)
def test_shifts_by_whole_pixels_and_from_lists(shift, expected):
    assert set(drawn("tx", width_shift_range=shift).tolist()) == expected


def test_zoom_takes_a_pair():
    values = drawn("zy", (50, 50, 3), zoom_range=(1.2, 1.5))
    assert 1.2 <= values.min() < values.max() <= 1.5


def test_flips_happen_half_of_the_time_and_only_when_asked_for():
    assert 0.4 < drawn("flip_horizontal", horizontal_flip=True).mean() < 0.6
    assert not drawn("flip_vertical", horizontal_flip=True).any()


def test_an_int_a_generator_and_nothing_are_seeds():
    generator = ImageDataGenerator(**EVERYTHING)
    image = photograph()
    first = generator.random_transform(image, seed=4)
    assert np.array_equal(first, generator.random_transform(image, np.random.default_rng(4)))
    assert not np.array_equal(generator.random_transform(image), generator.random_transform(image))


def test_threads_with_generators_of_their_own_get_the_same_as_one_after_the_other():
    generator = ImageDataGenerator(**EVERYTHING, brightness_range=(0.5, 1.5))
    image = photograph()
    expected = [generator.random_transform(image, np.random.default_rng(i)) for i in range(16)]
    results = [None] * 16

    def work(numbers):
        for number in numbers:
            results[number] = generator.random_transform(image, np.random.default_rng(number))

    threads = [threading.Thread(target=work, args=[range(i, 16, 4)]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(np.array_equal, results, expected))


# ---- standardization ------------------------------------------------------------------------


def test_standardize_applies_the_function_before_the_scale():
    generator = ImageDataGenerator(preprocessing_function=lambda x: x + 1, rescale=0.5)
    image = np.full((2, 2, 3), 9, np.uint8)
    result = generator.standardize(image)
    assert result.dtype == np.float32
    assert result.tolist() == np.full((2, 2, 3), 5.0).tolist()
    assert image.max() == 9


def test_samplewise_options_use_each_image_of_a_batch():
    batch = np.array([[1, 3], [10, 30]], np.float32).reshape(2, 1, 2, 1)
    generator = ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True)
    assert generator.standardize(batch).ravel() == pytest.approx([-1, 1, -1, 1], abs=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "options",
    [
        {"featurewise_center": True, "featurewise_std_normalization": True},
        {"featurewise_center": True, "rescale": 1 / 255},
        {"featurewise_center": True, "zca_whitening": True, "rescale": 1 / 255, "zca_epsilon": 0.1},
    ],
    ids=["std", "center", "zca"],
)
def test_fitted_statistics_agree_with_the_old_class(options, data_format):
    images = np.random.default_rng(1).integers(0, 256, (12, 4, 4, 3)).astype(np.float32)
    if data_format == "channels_first":
        images = images.transpose(0, 3, 1, 2).copy()
    ours = ImageDataGenerator(**options, data_format=data_format)
    olds = old_class(**options, data_format=data_format)
    ours.fit(images)
    olds.fit(images)
    assert ours.standardize(images[0]) == pytest.approx(
        olds.standardize(images[0].copy()[None])[0], abs=1e-3
    )


def test_fit_sees_what_the_function_returns():
    generator = ImageDataGenerator(featurewise_center=True, preprocessing_function=lambda x: x * 2)
    generator.fit(np.full((3, 2, 2, 1), 7, np.uint8))
    assert generator.mean.tolist() == [[[14]]]


def test_fit_on_augmented_images_repeats_with_its_seed():
    images = np.stack([photograph(16, 16)] * 2)
    means = []
    for seed in (1, 1, 2):
        generator = ImageDataGenerator(featurewise_center=True, width_shift_range=0.5)
        generator.fit(images, augment=True, rounds=2, seed=seed)
        means.append(generator.mean.tolist())
    assert means[0] == means[1] != means[2]


def test_standardizing_before_fit_warns():
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match="featurewise_center has no effect before"):
        result = generator.standardize(np.ones((2, 2, 3)))
    assert result.max() == 1


@pytest.mark.parametrize(
    ("option", "other"),
    [
        ("zca_whitening", "featurewise_center"),
        ("featurewise_std_normalization", "featurewise_center"),
        ("samplewise_std_normalization", "samplewise_center"),
    ],
)
def test_options_that_need_another_switch_it_on_and_say_so(option, other):
    with pytest.warns(UserWarning, match=f"{option} sets {other}=True"):
        generator = ImageDataGenerator(**{option: True})
    assert getattr(generator, other) is True


# ---- flow -----------------------------------------------------------------------------------


def ten_images(dtype=np.uint8):
    """Image i is filled with i, so that batches show what they hold."""
    return np.arange(10, dtype=dtype)[:, None, None, None] * np.ones((1, 4, 5, 3), dtype)


def numbers_in(batch):
    return batch[:, 0, 0, 0].astype(int).tolist()


def test_one_pass_gives_every_image_once_with_its_label():
    flow = ImageDataGenerator().flow(ten_images(), np.arange(10), batch_size=4)
    assert (len(flow), flow.n, flow.batch_size) == (3, 10, 4)
    batches = [next(flow) for _ in range(3)]
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    assert all(numbers_in(x) == y.tolist() for x, y in batches)
    assert sorted(np.concatenate([y for _, y in batches])) == list(range(10))
    assert batches[0][0].dtype == np.float32


def test_the_order_differs_from_pass_to_pass_and_never_ends():
    flow = ImageDataGenerator().flow(ten_images(), batch_size=10, seed=1)
    orders = [numbers_in(batch) for batch, _ in zip(flow, range(3), strict=False)]
    assert len(set(map(tuple, orders))) == 3


def test_without_shuffling_the_order_is_that_of_the_images():
    flow = ImageDataGenerator().flow(ten_images(), batch_size=4, shuffle=False)
    assert [numbers_in(flow.next()) for _ in range(4)][2:] == [[8, 9], [0, 1, 2, 3]]


def test_the_same_seed_gives_the_same_batches():
    images = np.stack([photograph(24, 24)] * 6)
    flows = [ImageDataGenerator(**EVERYTHING).flow(images, batch_size=4, seed=s) for s in (3, 3, 4)]
    runs = [[next(flow) for _ in range(5)] for flow in flows]
    assert all(map(np.array_equal, runs[0], runs[1]))
    assert not np.array_equal(runs[0][0], runs[2][0])


def test_batches_by_index_are_those_of_the_pass_however_often_asked():
    images = np.stack([photograph(24, 24)] * 6)
    flow = ImageDataGenerator(**EVERYTHING).flow(images, batch_size=4, seed=3)
    by_index = [flow[1], flow[0], flow[-1]]
    first, second = next(flow), next(flow)
    assert np.array_equal(by_index[1], first)
    assert np.array_equal(by_index[0], second)
    assert np.array_equal(by_index[2], second)
    with pytest.raises(IndexError, match="There are 2 batches"):
        flow[2]


def test_a_flow_can_start_with_a_later_pass():
    images = np.stack([photograph(24, 24)] * 6)
    generator = ImageDataGenerator(**EVERYTHING)
    whole = generator.flow(images, np.arange(6), batch_size=4, seed=3)
    batches = [next(whole) for _ in range(6)]  # three passes
    late = generator.flow(images, np.arange(6), batch_size=4, seed=3, start_pass=2)
    for expected in batches[4:]:
        assert all(map(np.array_equal, next(late), expected))
    with pytest.raises(ValueError, match="start_pass must be 0 or more. Received: -1"):
        generator.flow(images, start_pass=-1)


def test_reset_starts_over_and_batch_index_tells_the_place():
    flow = ImageDataGenerator().flow(ten_images(), batch_size=4, shuffle=False)
    next(flow)
    assert flow.batch_index == 1
    flow.reset()
    assert flow.batch_index == 0
    assert numbers_in(next(flow)) == [0, 1, 2, 3]


def test_flow_augments_standardizes_and_leaves_the_images_alone():
    images = np.stack([photograph(24, 24)] * 3)
    before = images.copy()
    generator = ImageDataGenerator(rotation_range=40, rescale=1 / 255)
    batch = next(generator.flow(images, batch_size=3, seed=0))
    assert batch.max() <= 1
    assert not np.allclose(batch[0], batch[1], atol=0.05)
    assert np.array_equal(images, before)


def test_uint8_images_give_nearly_what_float_images_give():
    images = np.stack([photograph(48, 48)] * 3)
    generator = ImageDataGenerator(rotation_range=40, zoom_range=0.2)
    batches = [
        next(generator.flow(x, batch_size=3, seed=0)) for x in (images, images.astype(float))
    ]
    assert np.abs(batches[0] - batches[1]).max() <= 0.51


def test_weights_and_further_inputs_go_along():
    extra = np.arange(10) * 100
    flow = ImageDataGenerator().flow(
        (ten_images(), [extra]), np.arange(10), batch_size=4, sample_weight=np.arange(10) / 10
    )
    (images, others), labels, weights = next(flow)
    assert numbers_in(images) == labels.tolist() == (others // 100).tolist()
    assert weights == pytest.approx(labels / 10)


def test_subsets_split_the_images():
    generator = ImageDataGenerator(validation_split=0.2)
    labels = np.zeros(10)
    parts = {
        subset: numbers_in(
            next(generator.flow(ten_images(), labels, 10, shuffle=False, subset=subset))[0]
        )
        for subset in ("validation", "training")
    }
    assert parts == {"validation": [0, 1], "training": [2, 3, 4, 5, 6, 7, 8, 9]}


def test_subsets_with_different_labels_are_refused_unless_allowed():
    generator = ImageDataGenerator(validation_split=0.2)
    with pytest.raises(ValueError, match="do not have the same labels"):
        generator.flow(ten_images(), np.arange(10), subset="training")
    flow = generator.flow(ten_images(), np.arange(10), subset="training", ignore_class_split=True)
    assert flow.n == 8


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_save_to_dir_writes_each_image_as_rgb(tmp_path, channels):
    colour = np.array([250, 100, 20, 200][:channels], np.uint8)
    images = np.ones((2, 6, 7, 1), np.uint8) * colour
    folder = tmp_path / "seen"
    flow = ImageDataGenerator().flow(
        images, batch_size=2, shuffle=False, save_to_dir=folder, save_prefix="aug"
    )
    next(flow)
    paths = sorted(folder.iterdir())
    assert [path.name.split("_")[:2] for path in paths] == [["aug", "0"], ["aug", "1"]]
    assert paths[0].suffix == ".png"
    with Image.open(paths[0]) as picture:
        assert picture.size == (7, 6)
        assert np.ravel(picture.getpixel((0, 0))).tolist() == colour.tolist()


@pytest.mark.parametrize(
    ("options", "brightest"), [({"rescale": 1 / 255}, 200), ({"samplewise_center": True}, 255)]
)
def test_saved_pictures_are_brought_to_a_visible_range(tmp_path, options, brightest):
    image = np.array([100, 200], np.uint8).reshape(1, 1, 2, 1)
    next(ImageDataGenerator(**options).flow(image, save_to_dir=tmp_path))
    assert cv2.imread(str(next(tmp_path.iterdir())), cv2.IMREAD_GRAYSCALE).max() == brightest


def test_keras_fits_evaluates_and_predicts():
    import keras  # noqa: PLC0415

    images, labels = ten_images(), np.eye(2)[np.arange(10) % 2]
    generator = ImageDataGenerator(rotation_range=10, rescale=1 / 10)

    def fitted(**options):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((4, 5, 3)),
                keras.layers.Flatten(),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        model.compile("sgd", "categorical_crossentropy")
        flow = generator.flow(images, labels, batch_size=4, seed=1)
        history = model.fit(flow, epochs=2, verbose=0, shuffle=False, **options)
        return model, history.history["loss"]

    model, losses = fitted()
    _, again = fitted(steps_per_epoch=3, class_weight={0: 1.0, 1: 1.0})
    assert losses == pytest.approx(again)

    plain = ImageDataGenerator(rescale=1 / 10)
    flow = plain.flow(images, labels, batch_size=4, shuffle=False)
    expected = model.evaluate(images / 10, labels, batch_size=4, verbose=0)
    assert model.evaluate(flow, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(flow, steps=3, verbose=0) == pytest.approx(expected, rel=1e-5)
    predictions = model.predict(plain.flow(images, batch_size=4, shuffle=False), verbose=0)
    assert predictions == pytest.approx(model.predict(images / 10, verbose=0), rel=1e-4)


def test_keras_takes_further_inputs():
    import keras  # noqa: PLC0415

    images, extra = ten_images(), np.ones((10, 2), np.float32)
    inputs = [keras.Input((4, 5, 3)), keras.Input((2,))]
    features = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    model = keras.Model(inputs, keras.layers.Dense(1)(features))
    model.compile("sgd", "mse")
    generator = ImageDataGenerator(rescale=1 / 10)
    model.fit(generator.flow((images, extra), np.ones(10), batch_size=4), verbose=0)
    assert model.predict(generator.flow((images, [extra])), verbose=0).shape == (10, 1)


def test_flow_works_where_keras_is_not_loaded():
    code = (
        "import sys, numpy as np; from pyimagesearch.preprocessing import ImageDataGenerator;"
        "print(next(ImageDataGenerator(zoom_range=.1).flow(np.ones((2, 4, 4, 3)))).shape,"
        " 'keras' in sys.modules)"
    )
    assert (
        subprocess.check_output([sys.executable, "-c", code], text=True) == "(2, 4, 4, 3) False\n"
    )


# ---- flow_from_directory --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Five red pictures of class a, three blue ones of class b, and a file that is no picture."""
    for name, colour, count in [("b", (0, 0, 255), 3), ("a", (255, 0, 0), 5)]:
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.new("RGB", (8, 6), colour).save(tmp_path / name / f"{i}.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    return tmp_path


def test_flow_from_directory_finds_classes_and_files(folder):
    flow = ImageDataGenerator().flow_from_directory(folder, batch_size=3, target_size=(5, 7))
    assert flow.class_indices == {"a": 0, "b": 1}
    assert flow.classes.tolist() == [0] * 5 + [1] * 3
    assert (flow.samples, flow.n, len(flow), flow.num_classes) == (8, 8, 3, 2)
    assert flow.filenames[:2] == ["a/0.png", "a/1.png"]
    assert flow.image_shape == (5, 7, 3)
    images, labels = next(flow)
    assert images.dtype == np.float32
    assert images.shape == (3, 5, 7, 3)
    for image, label in zip(images, labels, strict=True):
        assert image[0, 0].tolist() == ([255, 0, 0] if label[0] else [0, 0, 255])  # RGB


@pytest.mark.parametrize(
    ("class_mode", "expected"),
    [("binary", [0.0] * 5 + [1.0] * 3), ("sparse", [0.0] * 5 + [1.0] * 3)],
)
def test_directory_labels_as_numbers(folder, class_mode, expected):
    flow = ImageDataGenerator().flow_from_directory(folder, class_mode=class_mode, shuffle=False)
    assert next(flow)[1].tolist() == expected


def test_directory_labels_as_the_images_or_not_at_all(folder):
    generator = ImageDataGenerator()
    images, same = next(generator.flow_from_directory(folder, class_mode="input"))
    assert np.array_equal(images, same)
    assert next(generator.flow_from_directory(folder, class_mode=None)).shape == (8, 256, 256, 3)


@pytest.mark.parametrize(("mode", "channels"), [("grayscale", 1), ("rgba", 4)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_directory_colour_modes(folder, mode, channels, data_format):
    generator = ImageDataGenerator(data_format=data_format)
    flow = generator.flow_from_directory(folder, (6, 8), mode, class_mode=None)
    shape = (6, 8, channels) if data_format == "channels_last" else (channels, 6, 8)
    assert next(flow).shape[1:] == flow.image_shape == shape


def test_directory_subsets_split_each_class(folder):
    generator = ImageDataGenerator(validation_split=0.4)
    parts = [generator.flow_from_directory(folder, subset=s) for s in ("validation", "training")]
    assert parts[0].filenames == ["a/0.png", "a/1.png", "b/0.png"]
    assert parts[1].filenames == ["a/2.png", "a/3.png", "a/4.png", "b/1.png", "b/2.png"]


def test_directory_classes_choose_and_order_the_folders(folder):
    flow = ImageDataGenerator().flow_from_directory(folder, classes=["b"])
    assert flow.class_indices == {"b": 0}
    assert flow.samples == 3


def test_directory_reads_16_bit_and_rotated_pictures(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.full((6, 8), 200 * 256, np.uint16)).save(tmp_path / "a" / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees to look at it
    lying = np.zeros((6, 8, 3), np.uint8)
    lying[:3] = 255
    Image.fromarray(lying).save(tmp_path / "a" / "rotated.jpg", exif=exif, quality=100)
    flow = ImageDataGenerator().flow_from_directory(
        tmp_path, (8, 6), class_mode=None, shuffle=False
    )
    deep, rotated = next(flow)
    assert np.unique(deep).tolist() == [200]
    assert rotated[:, :2].max() < 20
    assert rotated[:, -2:].min() > 235


def test_keep_aspect_ratio_cuts_instead_of_distorting(tmp_path):
    (tmp_path / "a").mkdir()
    image = np.zeros((10, 30), np.uint8)
    image[:, 10:20] = 255
    Image.fromarray(image).save(tmp_path / "a" / "wide.png")
    flow = ImageDataGenerator().flow_from_directory(
        tmp_path, (10, 10), "grayscale", class_mode=None, keep_aspect_ratio=True
    )
    assert next(flow).min() == 255


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"directory": "missing"}, FileNotFoundError, "There is no folder missing"),
        ({"directory": "a"}, ValueError, "has no class folders"),
        ({"classes": ["a", "z"]}, ValueError, r"without a folder: \['z'\]"),
        ({"color_mode": "bgr"}, ValueError, "color_mode must be one of 'rgb'"),
        ({"class_mode": "raw"}, ValueError, "class_mode must be one of"),
        ({"class_mode": "binary", "classes": ["a"]}, ValueError, "needs two class folders"),
        ({"interpolation": "area"}, ValueError, "interpolation must be one of"),
        ({"target_size": (0, 5)}, ValueError, "target_size must be at least 1"),
        ({"subset": "training"}, ValueError, "needs ImageDataGenerator"),
        ({"directory": "empty"}, ValueError, "No pictures in the class folders"),
    ],
)
def test_directories_that_cannot_be_read_are_refused(
    folder, monkeypatch, arguments, error, message
):
    monkeypatch.chdir(folder)
    (folder / "empty" / "c").mkdir(parents=True)
    with pytest.raises(error, match=message):
        ImageDataGenerator().flow_from_directory(**{"directory": ".", **arguments})


def test_an_unreadable_picture_is_named(folder):
    (folder / "a" / "0.png").write_bytes(b"not a picture")
    flow = ImageDataGenerator().flow_from_directory(folder, shuffle=False)
    with pytest.raises(OSError, match=r"Cannot read the picture .*0\.png"):
        next(flow)


# ---- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rotation_range": -5}, ValueError, "rotation_range must be at least 0"),
        ({"rotation_range": "90"}, TypeError, "rotation_range must be a number"),
        ({"shear_range": np.nan}, ValueError, "shear_range must be finite"),
        ({"width_shift_range": -0.1}, ValueError, "width_shift_range must be at least 0"),
        ({"height_shift_range": []}, ValueError, "height_shift_range must be a fraction"),
        ({"height_shift_range": "big"}, ValueError, "height_shift_range must be a fraction"),
        ({"zoom_range": 1.0}, ValueError, "zoom_range must be below 1"),
        ({"zoom_range": (1.2, 0.8)}, ValueError, "lower number first"),
        ({"zoom_range": (0, 1)}, ValueError, "zoom_range must be above 0"),
        ({"zoom_range": (1, 2, 3)}, ValueError, r"zoom_range must be a pair"),
        ({"channel_shift_range": -1}, ValueError, "channel_shift_range must be at least 0"),
        ({"brightness_range": 0.2}, ValueError, "brightness_range must be a pair"),
        ({"brightness_range": (-1, 1)}, ValueError, "brightness_range cannot be below 0"),
        ({"fill_mode": "mirror"}, ValueError, "fill_mode must be one of 'nearest', 'reflect'"),
        ({"cval": None}, TypeError, "cval must be a number"),
        ({"rescale": "1/255"}, TypeError, "rescale must be a number"),
        ({"preprocessing_function": 3}, TypeError, "must be a function of one image"),
        ({"data_format": "last"}, ValueError, "data_format must be one of"),
        ({"dtype": "uint8"}, TypeError, "dtype must be float16"),
        ({"validation_split": 1}, ValueError, "validation_split must be at least 0 and below 1"),
        ({"interpolation_order": 3}, ValueError, "interpolation_order must be one of 0, 1"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        ImageDataGenerator(**options)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.zeros((4, 5, 3))}, ValueError, r"rank 4.*Received: shape \(4, 5, 3\)"),
        ({"x": np.zeros((0, 4, 5, 3))}, ValueError, "at least one image"),
        ({"x": np.full((2, 4, 5, 3), "a")}, TypeError, "images of numbers"),
        ({"y": np.zeros(9)}, ValueError, "x and y must have the same length"),
        ({"sample_weight": np.zeros(9)}, ValueError, "x and sample_weight must have the same"),
        ({"x": (ten_images(), [np.zeros(3)])}, ValueError, "an array that goes with x"),
        ({"batch_size": 0}, ValueError, r"batch_size must be at least 1\. Received: 0"),
        ({"seed": -1}, ValueError, "seed must be None"),
        ({"seed": "one"}, ValueError, "seed must be None"),
        ({"subset": "test"}, ValueError, "subset must be 'training'"),
        ({"subset": "training"}, ValueError, "needs ImageDataGenerator"),
        ({"save_to_dir": ".", "save_format": "docx"}, ValueError, "cannot write save_format"),
    ],
    ids=str,
)
def test_flow_refuses_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        ImageDataGenerator().flow(**{"x": ten_images(), "y": np.zeros(10), **arguments})


def test_unlikely_channel_counts_warn():
    with pytest.warns(UserWarning, match="7 channels for data_format 'channels_last'"):
        ImageDataGenerator().flow(np.zeros((2, 4, 5, 7)))


@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5, 3), (0, 5, 3)])
def test_random_transform_refuses_what_is_no_single_image(shape):
    with pytest.raises(ValueError, match=r"rank 3|three numbers"):
        ImageDataGenerator(rotation_range=5).random_transform(np.zeros(shape, np.uint8))


def test_misspelt_parameters_are_refused():
    with pytest.raises(ValueError, match="Unknown transform parameters: rotation"):
        ImageDataGenerator().apply_transform(photograph(), {"rotation": 5})


def test_a_function_that_changes_the_shape_is_refused():
    generator = ImageDataGenerator(preprocessing_function=lambda x: x[:2])
    with pytest.raises(ValueError, match="must keep an image's shape"):
        next(generator.flow(ten_images()))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((4, 5, 3)), "fit takes images of rank 4"),
        (np.zeros((0, 4, 5, 3)), "at least one image"),
        (np.full((2, 4, 5, 3), np.nan), "NaN or infinity"),
    ],
)
def test_fit_refuses_bad_input(x, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(featurewise_center=True).fit(x)
