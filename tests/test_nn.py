import inspect
from collections import Counter

import keras
import numpy as np
import pytest
from keras import layers

from pyimagesearch.nn.conv import (
    AlexNet,
    DeeperGoogLeNet,
    FCHeadNet,
    LeNet,
    MiniGoogLeNet,
    MiniVGGNet,
    ResNet,
    ShallowNet,
)


def resnet(width, height, depth, classes, **options):
    """The shortest network that has every kind of module: two stages of 2 and 1."""
    return ResNet.build(width, height, depth, classes, (2, 1), (8, 8, 16), **options)


def tiny_resnet(width, height, depth, classes, **options):
    return resnet(width, height, depth, classes, dataset="tiny_imagenet", **options)


def head(width, height, depth, classes):
    inputs = keras.Input((height, width, depth))
    return keras.Model(inputs, FCHeadNet.build(keras.Model(inputs, inputs), classes, 16))


BUILDS = {  # and the smallest (width, height) worth a test
    "alexnet": (AlexNet.build, (57, 60)),
    "deepergooglenet": (DeeperGoogLeNet.build, (16, 12)),
    "fcheadnet": (head, (8, 6)),
    "lenet": (LeNet.build, (8, 6)),
    "minigooglenet": (MiniGoogLeNet.build, (9, 7)),
    "minivggnet": (MiniVGGNet.build, (8, 6)),
    "resnet": (resnet, (8, 6)),
    "resnet_tiny_imagenet": (tiny_resnet, (9, 8)),
    "shallownet": (ShallowNet.build, (5, 4)),
}
# Keras 3.15 reads its own TensorFlow variables in a way NumPy 2 warns of, when it saves a model
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
every_network = pytest.mark.parametrize("name", sorted(BUILDS))


def small(name, depth=3, classes=4, **options):
    build, (width, height) = BUILDS[name]
    return build(width, height, depth, classes, **options)


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(7)


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


# ---- what the networks are: parameters, layers, shapes --------------------------------------


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: AlexNet.build(227, 227, 3, 2), 58_327_810),
        (lambda: MiniVGGNet.build(32, 32, 3, 10), 2_171_178),
        (lambda: LeNet.build(28, 28, 1, 10), 1_256_080),
        (lambda: ShallowNet.build(32, 32, 3, 10), 896 + 32 * 32 * 32 * 10 + 10),
        (lambda: MiniGoogLeNet.build(32, 32, 3, 10), 1_656_250),
        (lambda: DeeperGoogLeNet.build(64, 64, 3, 200), 3_667_976),
        (lambda: ResNet.build(32, 32, 3, 10, (9, 9, 9), (64, 64, 128, 256)), 886_102),
        (
            lambda: ResNet.build(
                64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512), dataset="tiny_imagenet"
            ),
            2_265_748,
        ),
    ],
)
def test_at_the_chapters_sizes_a_network_has_the_parameters_of_its_table(build, count):
    assert build().count_params() == count


def described(model):
    """One word per layer after the input: what it is, and its numbers."""
    words = []
    for layer in model.layers[1:]:
        match layer:
            case layers.Conv2D():
                size = "x".join(map(str, layer.kernel_size))
                stride = "" if layer.strides == (1, 1) else f"/{layer.strides[0]}"
                bias = "" if layer.use_bias else "-nobias"
                words.append(f"conv{size}x{layer.filters}{stride}-{layer.padding}{bias}")
            case layers.MaxPooling2D() | layers.AveragePooling2D():
                kind = "max" if isinstance(layer, layers.MaxPooling2D) else "avg"
                size = "x".join(map(str, layer.pool_size))
                words.append(f"{kind}{size}/{layer.strides[0]}-{layer.padding}")
            case layers.Dropout():
                words.append(f"drop{layer.rate}")
            case layers.Dense():
                words.append(f"dense{layer.units}-{layer.activation.__name__}")
            case layers.Activation():
                words.append(layer.activation.__name__)
            case layers.BatchNormalization():
                words.append("bn")
            case _:
                words.append(type(layer).__name__.lower())
    return " ".join(words).replace("-linear", "")


def test_alexnet_has_the_books_layers():
    assert described(AlexNet.build(227, 227, 3, 2)) == (
        "conv11x11x96/4-same relu bn max3x3/2-valid drop0.25 "
        "conv5x5x256-same relu bn max3x3/2-valid drop0.25 "
        "conv3x3x384-same relu bn conv3x3x384-same relu bn "
        "conv3x3x256-same relu bn max3x3/2-valid drop0.25 "
        "flatten dense4096 relu bn drop0.5 dense4096 relu bn drop0.5 dense2 softmax"
    )


def test_minivggnet_has_the_books_layers():
    assert described(MiniVGGNet.build(32, 32, 3, 10)) == (
        "conv3x3x32-same relu bn conv3x3x32-same relu bn max2x2/2-valid drop0.25 "
        "conv3x3x64-same relu bn conv3x3x64-same relu bn max2x2/2-valid drop0.25 "
        "flatten dense512 relu bn drop0.5 dense10 softmax"
    )


def test_lenet_has_the_books_layers():
    assert described(LeNet.build(28, 28, 1, 10)) == (
        "conv5x5x20-same relu max2x2/2-valid conv5x5x50-same relu max2x2/2-valid "
        "flatten dense500 relu dense10 softmax"
    )


def test_shallownet_has_the_books_layers():
    assert described(ShallowNet.build(32, 32, 3, 10)) == (
        "conv3x3x32-same relu flatten dense10 softmax"
    )


def test_fcheadnet_has_the_books_layers():
    model = head(4, 4, 8, classes=17)
    assert described(model) == "flatten dense16-relu drop0.5 dense17-softmax"
    assert model.layers[1].name == "flatten"
    assert model.output_shape == (None, 17)


@pytest.mark.parametrize("name", ["lenet", "deepergooglenet"])
def test_fcheadnet_names_its_layers_apart_from_those_of_the_body(name):
    keras.utils.clear_session()  # names count from the start, as in a new process
    network = small(name)
    body = keras.Model(network.input, network.layers[-2].output)
    model = keras.Model(body.input, FCHeadNet.build(body, 5, 16))
    assert model.output_shape == (None, 5)
    assert layers_of(model, layers.Flatten)[-1].name.startswith("flatten_")


def test_fcheadnet_goes_on_a_body_that_was_loaded(tmp_path):
    keras.utils.clear_session()
    network = small("minivggnet")  # which has all kinds of layers of the head
    network.save(tmp_path / "body.keras")
    keras.utils.clear_session()
    network = keras.models.load_model(tmp_path / "body.keras", compile=False)
    body = keras.Model(network.input, network.layers[-2].output)
    model = keras.Model(body.input, FCHeadNet.build(body, 5, 16))
    assert described(model).endswith("dense4 flatten dense16-relu drop0.5 dense5-softmax")


def test_a_residual_stage_is_one_reducing_module_and_then_plain_ones():
    model = resnet(16, 16, 3, 10)
    inner = "bn relu conv1x1x{0}-same-nobias bn relu conv3x3x{0}{1}-same-nobias bn relu "
    reduced = inner + "conv1x1x{2}-same-nobias conv1x1x{2}{1}-same-nobias add "
    plain = inner + "conv1x1x{2}-same-nobias add "
    assert described(model) == (
        "bn conv3x3x8-same-nobias "
        + reduced.format(2, "", 8)
        + plain.format(2, "", 8)
        + reduced.format(4, "/2", 16)
        + "bn relu avg8x8/8-valid flatten dense10 softmax"
    )
    assert model.name == "resnet"


def test_a_bottleneck_has_a_quarter_of_the_filters_rounded_down():
    model = ResNet.build(16, 16, 3, 10, [1], [5, np.int64(11)])
    filters = [layer.filters for layer in layers_of(model, layers.Conv2D)]
    assert sorted(filters) == [2, 2, 5, 11, 11]
    assert model.output_shape == (None, 10)


def test_the_tiny_imagenet_stem_halves_the_map():
    model = tiny_resnet(64, 64, 3, 10)
    assert described(model).startswith(
        "bn conv5x5x8-same-nobias bn relu zeropadding2d max3x3/2-valid bn relu conv1x1x2-"
    )
    assert model.layers[6].output.shape == (None, 32, 32, 8)


def test_resnet_hands_on_epsilon_and_momentum_to_every_batch_normalization():
    bns = layers_of(resnet(8, 8, 3, 10), layers.BatchNormalization)
    assert {(bn.epsilon, bn.momentum) for bn in bns} == {(2e-5, 0.9)}
    bns = layers_of(tiny_resnet(8, 8, 3, 10, bnEps=0.5, bnMom=0.25), layers.BatchNormalization)
    assert {(bn.epsilon, bn.momentum) for bn in bns} == {(0.5, 0.25)}


def test_resnet_ends_each_stage_with_the_books_shape():
    model = ResNet.build(32, 32, 3, 10, (9, 9, 9), (64, 64, 128, 256))
    adds = [layer.output.shape[1:] for layer in layers_of(model, layers.Add)]
    assert adds == [(32, 32, 64)] * 9 + [(16, 16, 128)] * 9 + [(8, 8, 256)] * 9


def test_minigooglenet_ends_each_module_with_the_books_shape():
    model = MiniGoogLeNet.build(32, 32, 3, 10)
    modules = [layer.output.shape[2:] for layer in layers_of(model, layers.Concatenate)]
    assert modules == [
        *[(32, 64), (32, 80), (15, 160)],
        *[(15, 160), (15, 160), (15, 160), (15, 144), (7, 240)],
        *[(7, 336), (7, 336)],
    ]
    assert model.name == "googlenet"


def test_minigooglenet_has_the_books_layers():
    model = MiniGoogLeNet.build(32, 32, 3, 10)
    words = described(model).split()
    assert words[:3] == ["conv3x3x96-same", "bn", "relu"]
    assert words[-5:] == ["avg7x7/7-valid", "drop0.5", "flatten", "dense10", "softmax"]
    assert Counter(words) == {
        **{"conv3x3x96-same": 2, "conv1x1x32-same": 2, "conv3x3x32-same": 1},
        **{"conv3x3x48-same": 2, "conv3x3x80/2-valid": 1, "conv1x1x112-same": 1},
        **{"conv1x1x96-same": 1, "conv3x3x64-same": 1, "conv1x1x80-same": 1},
        **{"conv3x3x80-same": 1, "conv1x1x48-same": 1, "conv3x3x96/2-valid": 1},
        **{"conv1x1x176-same": 2, "conv3x3x160-same": 2, "max3x3/2-valid": 2},
        **{"bn": 19, "relu": 19, "concatenate": 10},
        **{"avg7x7/7-valid": 1, "drop0.5": 1, "flatten": 1, "dense10": 1, "softmax": 1},
    }


def test_deepergooglenet_ends_each_stage_with_the_books_shape():
    model = DeeperGoogLeNet.build(64, 64, 3, 200)
    stages = "block1_act pool1 block2_act block3_act pool2 3a_mixed 3b_mixed pool3 4a_mixed"
    stages += " 4b_mixed 4c_mixed 4d_mixed 4e_mixed pool4 pool5 flatten labels softmax"
    assert [model.get_layer(stage).output.shape[2:] for stage in stages.split()] == [
        *[(64, 64), (32, 64), (32, 64), (32, 192), (16, 192)],
        *[(16, 256), (16, 480), (8, 480)],
        *[(8, 512), (8, 512), (8, 512), (8, 528), (8, 832), (4, 832)],
        *[(1, 832), (), (), ()],
    ]
    assert model.get_layer("pool5").pool_size == (4, 4)
    assert model.get_layer("do").rate == 0.4


def test_deepergooglenet_names_every_layer_as_the_book():
    parts = ("conv", "bn", "act")
    branches = ("first", "second1", "second2", "third1", "third2", "fourth")
    names = {f"block{i}_{part}" for i in (1, 2, 3) for part in parts}
    for stage in ("3a", "3b", "4a", "4b", "4c", "4d", "4e"):
        names |= {f"{stage}_{branch}_{part}" for branch in branches for part in parts}
        names |= {f"{stage}_pool", f"{stage}_mixed"}
    names |= {"pool1", "pool2", "pool3", "pool4", "pool5"}
    names |= {"do", "flatten", "labels", "softmax"}
    model = DeeperGoogLeNet.build(64, 64, 3, 200)
    assert {layer.name for layer in model.layers[1:]} == names


def test_an_inception_stage_has_the_filters_and_sizes_of_its_row():
    model = DeeperGoogLeNet.build(64, 64, 3, 200)
    convs = {
        layer.name.removeprefix("4e_"): (layer.kernel_size[0], layer.filters, layer.padding)
        for layer in layers_of(model, layers.Conv2D)
        if layer.name.startswith("4e_")
    }
    assert convs == {
        "first_conv": (1, 256, "same"),
        "second1_conv": (1, 160, "same"),
        "second2_conv": (3, 320, "same"),
        "third1_conv": (1, 32, "same"),
        "third2_conv": (5, 128, "same"),
        "fourth_conv": (1, 128, "same"),
    }
    for name, strides in (("4e_pool", (1, 1)), ("pool4", (2, 2))):
        pool = model.get_layer(name)
        assert (pool.pool_size, pool.strides, pool.padding) == ((3, 3), strides, "same")


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


# ---- the blocks as static methods -----------------------------------------------------------


def test_the_signatures_are_the_books():
    sizes = "(width, height, depth, classes"
    for network in (ShallowNet, LeNet, MiniVGGNet, MiniGoogLeNet):
        assert str(inspect.signature(network.build)) == sizes + ")"
    for function, signature in {
        AlexNet.build: sizes + ", reg=0.0002)",
        DeeperGoogLeNet.build: sizes + ", reg=0.0005)",
        ResNet.build: sizes
        + ", stages, filters, reg=0.0001, bnEps=2e-05, bnMom=0.9, dataset='cifar')",
        FCHeadNet.build: "(baseModel, classes, D)",
        MiniGoogLeNet.conv_module: "(x, K, kX, kY, stride, chanDim, padding='same')",
        MiniGoogLeNet.inception_module: "(x, numK1x1, numK3x3, chanDim)",
        MiniGoogLeNet.downsample_module: "(x, K, chanDim)",
        DeeperGoogLeNet.conv_module: (
            "(x, K, kX, kY, stride, chanDim, padding='same', reg=0.0005, name=None)"
        ),
        DeeperGoogLeNet.inception_module: (
            "(x, num1x1, num3x3Reduce, num3x3, num5x5Reduce, num5x5, num1x1Proj, chanDim, "
            "stage, reg=0.0005)"
        ),
        ResNet.residual_module: (
            "(data, K, stride, chanDim, red=False, reg=0.0001, bnEps=2e-05, bnMom=0.9)"
        ),
    }.items():
        assert str(inspect.signature(function)) == signature


def first_pixel(model, bias_of):
    """Set every kernel to 0 and every bias by its layer; return the output of a black image."""
    for conv in layers_of(model, layers.Conv2D):
        kernel, bias = conv.get_weights()
        conv.set_weights([kernel * 0, bias + bias_of(conv)])
    for bn in layers_of(model, layers.BatchNormalization):
        bn.epsilon = 0.0  # not yet trained, it changes nothing then
    output = keras.ops.convert_to_numpy(model(np.zeros((1, *model.input_shape[1:]))))
    return output[0, 0, 0].round(3).tolist()


def test_minigooglenets_modules_join_their_branches_in_the_books_order():
    inputs = keras.Input((5, 5, 2))
    model = keras.Model(inputs, MiniGoogLeNet.inception_module(inputs, 3, 1, -1))
    assert model.output_shape == (None, 5, 5, 4)
    assert first_pixel(model, lambda conv: conv.kernel_size[0]) == [1, 1, 1, 3]
    model = keras.Model(inputs, MiniGoogLeNet.downsample_module(inputs, 3, -1))
    assert model.output_shape == (None, 2, 2, 5)
    assert first_pixel(model, lambda conv: conv.kernel_size[0]) == [3, 3, 3, 0, 0]


def test_deepergooglenets_module_joins_its_branches_in_the_books_order():
    inputs = keras.Input((5, 5, 2))
    module = DeeperGoogLeNet.inception_module(inputs, 1, 2, 3, 2, 2, 1, -1, "3a")
    model = keras.Model(inputs, module)
    last = ["3a_first_conv", "3a_second2_conv", "3a_third2_conv", "3a_fourth_conv"]
    order = first_pixel(model, lambda conv: last.index(conv.name) + 1 if conv.name in last else 9)
    assert order == [1, 2, 2, 2, 3, 3, 4]


def test_a_residual_module_with_zero_kernels_is_its_shortcut():
    inputs = keras.Input((4, 4, 8))
    plain = keras.Model(inputs, ResNet.residual_module(inputs, 8, 1, -1))
    reduced = keras.Model(inputs, ResNet.residual_module(inputs, 12, (2, 2), -1, red=True))
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 8)).astype("float32")
    for model in (plain, reduced):
        for conv in layers_of(model, layers.Conv2D):
            conv.set_weights([conv.get_weights()[0] * 0])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(plain(images)), images)

    # the shortcut convolution of the reducing one reads the first activation, not the input
    shortcut = next(c for c in layers_of(reduced, layers.Conv2D) if c.strides == (2, 2)
                    and c.kernel_size == (1, 1))  # fmt: skip
    shortcut.set_weights([np.eye(8, 12)[None, None]])
    expected = np.maximum(images, 0)[:, ::2, ::2] / np.sqrt(1 + 2e-5)
    output = keras.ops.convert_to_numpy(reduced(images))
    np.testing.assert_allclose(output[..., :8], expected, rtol=1e-5)
    assert not output[..., 8:].any()


# ---- every network --------------------------------------------------------------------------


@every_network
def test_the_channels_may_come_first(name, channels_first):
    first = small(name)
    keras.config.set_image_data_format("channels_last")
    if name != "fcheadnet":  # its input is the body's
        width, height = BUILDS[name][1]
        assert first.input_shape == (None, 3, height, width)
    assert first.output_shape == (None, 4)
    assert first.count_params() == small(name).count_params()
    maps = [bn for bn in layers_of(first, layers.BatchNormalization) if len(bn.output.shape) == 4]
    assert all(bn.axis == 1 for bn in maps)


def one_batch(model, n=8):
    rng = np.random.default_rng(3)
    images = rng.normal(size=(n, *model.input_shape[1:])).astype("float32")
    return images, np.eye(4, dtype="float32")[np.arange(n) % 4]


@every_network
def test_every_weight_gets_a_gradient(name):
    model = small(name)
    # plain SGD moves a weight if and only if its gradient is not zero
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy", run_eagerly=True)
    before = model.get_weights()
    model.train_on_batch(*one_batch(model))
    for weight, old in zip(model.weights, before, strict=True):
        new = keras.ops.convert_to_numpy(weight)
        assert np.isfinite(new).all(), weight.path
        assert (new != old).any(), weight.path


@every_network
def test_a_batch_is_learned(name):
    model = small(name)
    optimizer = keras.optimizers.Adam(2e-3)
    model.compile(optimizer, "categorical_crossentropy", run_eagerly=True)
    batch = one_batch(model)
    losses = [float(model.train_on_batch(*batch)) for _ in range(12)]
    assert min(losses[6:]) < losses[0] - 0.1  # dropout makes single steps noisy


@every_network
def test_a_saved_network_predicts_the_same(name, tmp_path):
    model = small(name)
    images, _ = one_batch(model)
    expected = keras.ops.convert_to_numpy(model(images))
    assert expected.shape == (8, 4)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(loaded(images)), expected)


@every_network
def test_the_penalty_is_on_every_kernel_where_the_book_has_one_and_nowhere_else(name):
    penalised = name.startswith(("alexnet", "deeper", "resnet"))
    model = small(name, reg=0.25) if penalised else small(name)
    found = Counter()
    for layer in model.layers:
        for argument, regularizer in vars(layer).items():
            if argument.endswith("_regularizer") and regularizer is not None:
                found[type(layer), argument] += 1
                assert regularizer.l2 == 0.25
    kernels = Counter(
        (type(layer), "kernel_regularizer")
        for layer in model.layers
        if isinstance(layer, (layers.Conv2D, layers.Dense))
    )
    assert found == (kernels if penalised else Counter())


@pytest.mark.parametrize(
    "name", ["alexnet", "deepergooglenet", "resnet", "minigooglenet", "minivggnet"]
)
def test_other_sizes_than_the_chapters_work(name):
    build = BUILDS[name][0]
    assert build(80, 64, 1, 5).output_shape == (None, 5)


@every_network
def test_under_mixed_precision_the_probabilities_are_float32_also_once_saved(name, tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small(name)
    finally:
        keras.config.set_dtype_policy(before)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for network in (model, loaded):
        assert [layer.compute_dtype for layer in network.layers[1:]][:2] == ["bfloat16"] * 2
        assert {weight.dtype for weight in network.weights if "seed" not in weight.path} == {
            "float32"
        }
    for weights in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(*weights)
    images = np.random.default_rng(3).random((2, *model.input_shape[1:]), "float32")
    outputs = keras.ops.convert_to_numpy(loaded(images))
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)  # 16 bits miss it by 1e-3


# ---- bad sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "smallest"),
    [
        (AlexNet.build, 57),
        (DeeperGoogLeNet.build, 1),
        (LeNet.build, 4),
        (MiniGoogLeNet.build, 7),
        (MiniVGGNet.build, 4),
        (ShallowNet.build, 1),
        (resnet, 1),
        (tiny_resnet, 1),
    ],
)
def test_an_image_that_is_too_small_is_refused_and_one_pixel_more_is_not(build, smallest):
    model = build(smallest, smallest, 3, 2)
    assert 0 not in {size for layer in model.layers for size in layer.output.shape}
    for width, height in ((smallest - 1, smallest), (smallest, smallest - 1)):
        if smallest > 1:
            message = f"at least {smallest}x{smallest} pixels. Received: {width}x{height} "
        else:
            message = "must be a positive integer. Received: 0"
        with pytest.raises(ValueError, match=message):
            build(width, height, 3, 2)


@pytest.mark.parametrize("name", sorted(set(BUILDS) - {"fcheadnet"}))
@pytest.mark.parametrize("argument", ["width", "height", "depth", "classes"])
@pytest.mark.parametrize("value", [0, -3, 2.5, None, True])
def test_a_size_that_is_no_positive_integer_is_refused_by_name(name, argument, value):
    sizes = {"width": 64, "height": 64, "depth": 3, "classes": 4, argument: value}
    with pytest.raises(ValueError, match=f"{argument} must be a positive integer. Received: "):
        BUILDS[name][0](**sizes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": (8, 8)}, r"3\. Received: 2 filters \(8, 8\) for 2 stages \(1, 1\)"),
        ({"filters": (8, 8, 8, 8)}, "Received: 4 filters"),
        ({"stages": (1, 0)}, r"stages must have one module each.*\(1, 0\)"),
        ({"stages": (), "filters": (8,)}, r"stages must have one module each.*\(\)"),
        ({"filters": (8, 8, 3)}, r"filters must be.*\(8, 8, 3\)"),
        ({"filters": (0, 8, 8)}, r"filters must be.*\(0, 8, 8\)"),
        ({"stages": 3}, r"stages must be a list of whole numbers.*Received: 3\."),
        ({"stages": None}, "stages must be a list of whole numbers.*Received: None"),
        ({"stages": (1.5,)}, r"stages must be a list of whole numbers.*\(1\.5,\)"),
        ({"stages": (True, 1)}, r"stages must be a list of whole numbers.*\(True, 1\)"),
        ({"filters": (8, 8.0, 8)}, r"filters must be a list of whole numbers.*\(8, 8\.0, 8\)"),
        ({"filters": "888"}, "filters must be a list of whole numbers.*'888'"),
        ({"dataset": "imagenet"}, "'cifar' or 'tiny_imagenet'. Received: 'imagenet'"),
    ],
)
def test_resnet_refuses_a_table_that_does_not_fit(options, message):
    arguments = {"stages": (1, 1), "filters": (8, 8, 8), **options}
    with pytest.raises(ValueError, match=message):
        ResNet.build(16, 16, 3, 10, **arguments)
