"""Each layer and option against plain NumPy, and the gradient of each by central differences."""

import contextlib

import caffe_gradients
import keras
import numpy as np
import pytest
from caffe_gradients import DOUBLE, DTYPE
from caffe_layer_cases import CASES, X

from pyimagesearch.caffe import CaffeError, load_caffe
from pyimagesearch.caffe import layers as caffe_layers
from pyimagesearch.caffe._wire import write_layers


@contextlib.contextmanager
def precise():
    """Build models in double precision, where the backend has it."""
    keras.config.set_floatx(DTYPE.name)
    keras.config.set_dtype_policy(DTYPE.name)
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def close(made, expected):
    made = keras.ops.convert_to_numpy(made)
    assert made.dtype == DTYPE
    assert made.shape == expected.shape
    rtol, atol = (1e-7, 1e-10) if DOUBLE else (1e-4, 1e-5)
    np.testing.assert_allclose(made, expected, rtol=rtol, atol=atol)


def last(x):
    """Channels last, as Keras has it."""
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def as_in_caffe(x):
    """Channels first again."""
    return x.transpose(0, 3, 1, 2) if x.ndim == 4 else x


def net(text, bottoms, tops=("y",), name="layer"):
    """The text of a net of one layer."""
    header = "".join(
        f'input: "x{i}" input_shape {{ {" ".join(f"dim: {n}" for n in shape)} }}\n'
        for i, shape in enumerate(bottoms)
    )
    names = "".join(f' bottom: "x{i}"' for i in range(len(bottoms)))
    made = "".join(f' top: "{top}"' for top in tops)
    return f'name: "net"\n{header}layer {{ name: "{name}" {text}{names}{made} }}\n'


def load(folder, text, blobs=None, **options):
    path = folder / "net.prototxt"
    path.write_text(text)
    weights = None
    if blobs is not None:
        weights = folder / "net.caffemodel"
        write_layers(weights, blobs)
    return load_caffe(path, weights, **options)


def values(case):
    """Bottoms and blobs of a case, float64."""
    rng = np.random.default_rng(len(case.name))
    bottoms = [rng.normal(size=shape) for shape in case.bottoms]
    if case.positive:
        bottoms = [np.abs(x) + 0.1 for x in bottoms]
    # multiples of 1/64 are float32 too
    blobs = [np.round(rng.uniform(0.2, 1.5, shape) * 64) / 64 for shape in case.blobs]
    return bottoms, blobs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_layer_is_caffes(case, tmp_path):
    bottoms, blobs = values(case)
    expected = last(np.asarray(case.reference(*bottoms, *blobs)))
    stored = [b.reshape(s) for b, s in zip(blobs, case.stored or case.blobs, strict=True)]
    with precise():
        model = load(tmp_path, net(case.text, case.bottoms), {"layer": stored})
        inputs = [last(x).astype(DTYPE) for x in bottoms]
        made = caffe_gradients.call(model, inputs)
        close(made, expected)
        assert model.output_shape[1:] == expected.shape[1:]
        if DOUBLE:  # the same on each backend
            copy = keras.Model.from_config(model.get_config())
            copy.set_weights(model.get_weights())
            close(caffe_gradients.call(copy, inputs), keras.ops.convert_to_numpy(made))

        def function(*values):
            first = [as_in_caffe(x) for x in values[: len(bottoms)]]
            return last(np.asarray(case.reference(*first, *values[len(bottoms) :])))

        if case.gradient:
            caffe_gradients.check(model, inputs, function, np.random.default_rng(7))


def test_every_layer_of_ours_is_among_the_cases(tmp_path):
    made = set()
    for case in CASES:
        _, blobs = values(case)
        model = load(tmp_path, net(case.text, case.bottoms), {"layer": blobs})
        made |= {type(layer).__name__ for layer in model.layers}
    # these have tests of their own, the latter two in test_caffe_training
    assert set(caffe_layers.__all__) - made == {"Slice", "SoftmaxOfLoss", "StopGradient"}


@pytest.mark.parametrize(
    ("fields", "axis", "points"),
    [("", 1, (2,)), ("axis: 2 slice_point: 1 slice_point: 4", 2, (1, 4)), ("axis: -3", 1, (2,))],
)
def test_slice_cuts_an_axis(fields, axis, points, tmp_path):
    x = np.random.default_rng(0).normal(size=X).astype(DTYPE)
    tops = [f"y{i}" for i in range(len(points) + 1)]
    with precise():
        model = load(tmp_path, net(f'type: "Slice" slice_param {{ {fields} }}', [X], tops))
        made = model(last(x))
        for i, top in enumerate(tops):
            close(made[top], last(np.split(x, points, axis)[i]))
            single = keras.Model(model.inputs[0], model.output[top])
            caffe_gradients.check(
                single,
                [last(x)],
                lambda x, i=i: last(np.split(as_in_caffe(x), points, axis)[i]),
                np.random.default_rng(7),
            )


def test_of_equal_numbers_argmax_takes_the_last(tmp_path):
    model = load(tmp_path, net('type: "ArgMax" argmax_param { top_k: 2 }', [(1, 5)]))
    assert keras.ops.convert_to_numpy(model(np.float32([[1, 3, 3, 3, 0]]))).tolist() == [[[3, 2]]]


@pytest.mark.parametrize(("operation", "empty"), [("MAX", float(np.finfo("f").min)), ("AVE", 0)])
def test_a_window_behind_the_map_holds_nothing(operation, empty, tmp_path):
    text = f'type: "Pooling" pooling_param {{ pool: {operation} kernel_size: 1 stride: 3 }}'
    model = load(tmp_path, net(text, [(1, 1, 5, 4)]))  # windows begin at rows 0, 3 and 6
    made = keras.ops.convert_to_numpy(model(np.ones((1, 5, 4, 1), np.float32)))
    assert made[0, :, :, 0].tolist() == [[1, 1], [1, 1], [empty, empty]]


def test_a_pixel_without_variance_has_a_gradient_in_mvn(tmp_path):
    with precise():
        model = load(tmp_path, net('type: "MVN" mvn_param { eps: 0.5 }', [(1, 1, 2, 2)]))
        x = np.full((1, 2, 2, 1), 3, DTYPE)
        share = np.array([[[[1], [2]], [[3], [4]]]], DTYPE)
        (gradient,) = caffe_gradients.gradients(model, [x], share)
    # the mean goes, the rest is divided by eps
    np.testing.assert_allclose(gradient.ravel(), [-3, -1, 1, 3])


def test_batch_norm_of_no_data_is_that_of_mean_and_variance_0(tmp_path):
    model = load(tmp_path, net('type: "BatchNorm" batch_norm_param { eps: 0.25 }', [(1, 2)]))
    assert keras.ops.convert_to_numpy(model(np.float32([[1, -2]]))).tolist() == [[2, -4]]


def test_batch_norm_in_training_sums_up_as_caffe_does(tmp_path):
    rng = np.random.default_rng(0)
    fields = "batch_norm_param { moving_average_fraction: 0.5 eps: 0.001 }"
    with precise():
        model = load(tmp_path, net(f'type: "BatchNorm" {fields}', [X]))
        layer = model.get_layer("layer")
        mean, variance, factor = np.zeros(4), np.zeros(4), 0.0
        for _ in range(3):
            x = rng.normal(3, 2, X).astype(DTYPE)
            centred = x - x.mean((0, 2, 3), keepdims=True)
            spread = centred.var((0, 2, 3), keepdims=True)
            close(model(last(x), training=True), last(centred / np.sqrt(spread + 0.001)))
            count = 2 * 6 * 7
            mean = mean * 0.5 + x.mean((0, 2, 3))
            variance = variance * 0.5 + x.var((0, 2, 3)) * count / (count - 1)
            factor = factor * 0.5 + 1
        for weight, expected in zip(layer.weights, (mean, variance, [factor]), strict=True):
            close(weight, np.asarray(expected))
        mean, variance = mean / factor, variance / factor
        expected = (x - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 0.001)
        close(model(last(x)), last(expected))
        before = layer.get_weights()
        layer.trainable = False  # frozen: as when predicting
        close(model(last(x), training=True), last(expected))
        np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_batch_norm_of_global_statistics_stays_as_it_is_in_training(tmp_path):
    text = 'type: "BatchNorm" batch_norm_param { use_global_stats: true }'
    model = load(tmp_path, net(text, [X]), {"layer": [np.ones(4), np.ones(4), np.ones(1)]})
    x = np.random.default_rng(0).normal(size=X).transpose(0, 2, 3, 1).astype(np.float32)
    before = [w.copy() for w in model.get_weights()]
    made = model(x, training=True)
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (made, model(x))))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_dropout_drops_in_training_only(tmp_path):
    fields = 'type: "Dropout" dropout_param { dropout_ratio: 0.75 }'
    model = load(tmp_path, net(fields, [(1, 1000)]))
    x = np.ones((1, 1000), np.float32)
    assert np.all(keras.ops.convert_to_numpy(model(x)) == 1)
    dropped = keras.ops.convert_to_numpy(model(x, training=True))
    assert set(np.unique(dropped)) == {0, 4}
    assert 650 < np.sum(dropped == 0) < 850


FILLERS = [
    ("", lambda w: np.all(w == 0)),
    ('weight_filler { type: "constant" value: 1.5 }', lambda w: np.all(w == 1.5)),
    (
        'weight_filler { type: "uniform" min: 2 max: 3 }',
        lambda w: w.min() >= 2 and w.max() < 3 and abs(w.mean() - 2.5) < 0.05,
    ),
    (
        'weight_filler { type: "gaussian" mean: 1 std: 0.1 }',
        lambda w: abs(w.mean() - 1) < 0.01 and abs(w.std() - 0.1) < 0.01,
    ),
    # 20 outputs, 10 / 2 inputs a group, 4 x 4: fan_in 80, fan_out 320
    ('weight_filler { type: "xavier" }', lambda w: within(w, np.sqrt(3 / 80))),
    (
        'weight_filler { type: "xavier" variance_norm: FAN_OUT }',
        lambda w: within(w, np.sqrt(3 / 320)),
    ),
    (
        'weight_filler { type: "xavier" variance_norm: AVERAGE }',
        lambda w: within(w, np.sqrt(3 / 200)),
    ),
    (
        'weight_filler { type: "msra" }',
        lambda w: (
            abs(w.std() / np.sqrt(2 / 80) - 1) < 0.1 and w.max() > 2.5 * np.sqrt(2 / 80)
        ),  # not truncated
    ),
    (
        'weight_filler { type: "positive_unitball" }',
        lambda w: w.min() >= 0 and np.allclose(w.sum((0, 1, 2)), 1),
    ),
    (
        'weight_filler { type: "bilinear" }',
        lambda w: np.allclose(w[:, :, 3, 5], np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 16),
    ),
]


def within(w, limit):
    return 0.98 * limit < np.abs(w).max() <= limit and abs(w.mean()) < 0.1 * limit


@pytest.mark.parametrize(("fields", "holds"), FILLERS, ids=lambda p: p if p is str else None)
def test_fillers(fields, holds, tmp_path):
    keras.utils.set_random_seed(0)
    sizes = "num_output: 20 kernel_size: 4 group: 2 bias_filler { value: 0.5 }"
    text = f'type: "Convolution" convolution_param {{ {sizes} {fields} }}'
    kernel, bias = load(tmp_path, net(text, [(1, 10, 8, 8)])).get_weights()
    assert kernel.shape == (4, 4, 5, 20)
    assert holds(kernel)
    assert np.all(bias == 0.5)


def test_a_deconvolutions_fan_in_is_what_an_input_reaches(tmp_path):
    keras.utils.set_random_seed(0)
    sizes = "num_output: 6 kernel_size: 4"
    text = (
        f'type: "Deconvolution" convolution_param {{ {sizes} weight_filler {{ type: "xavier" }} }}'
    )
    kernel, _ = load(tmp_path, net(text, [(1, 30, 8, 8)])).get_weights()
    assert within(kernel, np.sqrt(3 / (6 * 16)))


def test_scale_starts_at_1_and_prelu_at_a_quarter(tmp_path):
    text = 'type: "Scale" scale_param { bias_term: true }'
    gain, bias = load(tmp_path, net(text, [X])).get_weights()
    assert gain.tolist() == [1] * 4
    assert bias.tolist() == [0] * 4
    (slope,) = load(tmp_path, net('type: "PReLU"', [X])).get_weights()
    assert np.all(slope == 0.25)


CONV = 'type: "Convolution" convolution_param {{ num_output: 4 kernel_size: 3 {} }}'
POOL = 'type: "Pooling" pooling_param {{ {} }}'
WRONG = [
    ('type: "Convolution" convolution_param { kernel_size: 3 }', "num_output"),
    ('type: "Convolution" convolution_param { num_output: 3 }', "no kernel_size"),
    (CONV.format("kernel_h: 2 kernel_w: 2"), "keep to one spelling"),
    (CONV.format("stride: 0"), "stride"),
    (CONV.format("dilation: 0"), "dilation"),
    (CONV.format("group: 3"), "3 groups"),
    (CONV.format("group: 0"), "0 groups"),
    (CONV.format("dilation: 9"), "output of shape"),
    (CONV.format("pad: 4000000000"), "padded map"),
    ('type: "Convolution" convolution_param { num_output: 4000000000 kernel_size: 3 }', "shape"),
    ('type: "Convolution" convolution_param { num_output: 4 kernel_size: 99 }', "output of shape"),
    (
        'type: "Deconvolution" convolution_param { num_output: 4 kernel_size: 3 stride: 99999 }',
        "output",
    ),
    ('type: "Deconvolution" convolution_param { num_output: 4 kernel_size: 1 pad: 5 }', "output"),
    (
        'type: "Deconvolution" convolution_param { num_output: 4 kernel_size: 1 dilation: 99999 }',
        "kernel",
    ),
    (
        CONV.format("param { }").replace("param { }", "") + " param { } param { } param { }",
        "3 `param`",
    ),
    ('type: "InnerProduct"', "num_output"),
    ('type: "InnerProduct" inner_product_param { num_output: 4000000000 }', "shape"),
    ('type: "InnerProduct" inner_product_param { num_output: 3 axis: 4 }', "axis 4"),
    (POOL.format("kernel_size: 2 pad: 2"), "less than the kernel"),
    (POOL.format("stride: 2"), "no kernel_size"),
    (POOL.format("kernel_size: 2 stride: 0"), "1 is the least"),
    (POOL.format("kernel_size: 0"), "1 is the least"),
    (POOL.format("kernel_size: 2 kernel_h: 2"), "one spelling"),
    (POOL.format("kernel_h: 2"), "go together"),
    (POOL.format("kernel_size: 9 round_mode: FLOOR"), "output of shape"),
    (POOL.format("kernel_size: 4000000000"), "output of shape"),
    (POOL.format("global_pooling: true kernel_size: 2"), "global_pooling"),
    ('type: "LRN" lrn_param { local_size: 4 }', "odd"),
    ('type: "Slice" slice_param { axis: 2 slice_point: 9 }', "slice_point"),
    ('type: "Tile" tile_param { tiles: 0 }', "tiles 0"),
    ('type: "Tile" tile_param { tiles: -3 }', "tiles -3"),
    ('type: "Tile" tile_param { tiles: 2000000000 }', "shape"),
    ('type: "Reshape" reshape_param { shape { dim: 0 dim: 5 } }', "cannot make"),
    ('type: "Reshape" reshape_param { shape { dim: 0 dim: -1 dim: -1 } }', "-1 once"),
    ('type: "Reshape" reshape_param { shape { dim: 0 dim: -2 } }', "-1 once"),
    ('type: "Reshape" reshape_param { axis: 7 }', "axis 7"),
    ('type: "Flatten" flatten_param { axis: 2 end_axis: 1 }', "in front of"),
    ('type: "Softmax" softmax_param { axis: 5 }', "axis 5"),
    ('type: "ArgMax" argmax_param { top_k: 0 }', "top_k 0"),
    ('type: "ArgMax" argmax_param { top_k: 9 axis: 1 }', "top_k 9"),
    ('type: "Scale" scale_param { num_axes: 4 }', "num_axes 4"),
    ('type: "Exp" exp_param { base: -2 }', "base -2"),
    ('type: "Log" log_param { base: 1 }', "base 1"),
    ('type: "Clip" clip_param { min: 1 }', "min and max"),
    ('type: "Clip" clip_param { min: 1 max: 0 }', "above max"),
    ('type: "Dropout" dropout_param { dropout_ratio: 1.5 }', "dropout_ratio"),
    ('type: "Eltwise"', "bottoms"),
    (CONV.format('weight_filler { type: "nonsense" }'), "nonsense"),
    (CONV.format('weight_filler { type: "gaussian" std: -1 }'), "std -1"),
    (
        CONV.replace("kernel_size: 3", "kernel_h: 2 kernel_w: 3").format(
            'weight_filler { type: "bilinear" }'
        ),
        "square",
    ),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_sizes_that_cannot_be_name_layer_and_line(text, words, tmp_path):
    with pytest.raises(CaffeError, match=r"net\.prototxt, line 3.*'conv/a'") as error:
        load(tmp_path, net(text, [X], name="conv/a"))
    assert words in str(error.value)


MISSING = [
    ('type: "LSTM"', "LSTM"),
    ('type: "Python"', "Python"),
    ('type: "relu"', "spelt"),
    (POOL.format("pool: STOCHASTIC kernel_size: 2"), "STOCHASTIC"),
    (CONV.format("axis: 2"), "axis: 2"),
    (CONV.format("kernel_size: 3 kernel_size: 3"), "3 sizes"),
    (CONV.format('weight_filler { type: "gaussian" sparse: 3 }'), "sparse"),
    ('type: "Concat" concat_param { axis: 0 }', "axis: 0"),
    ('type: "Slice" slice_param { axis: 0 }', "axis: 0"),
    ('type: "Reshape" reshape_param { axis: 1 num_axes: 0 shape { dim: 1 } axis: 0 }', "once"),
    ('type: "InnerProduct" inner_product_param { num_output: 2 axis: 0 }', "axis: 0"),
    ('type: "Flatten" flatten_param { axis: 0 }', "axis: 0"),
    ('type: "ContrastiveLoss"', "ContrastiveLoss"),
]


@pytest.mark.parametrize(("text", "words"), MISSING, ids=[f"{i}" for i in range(len(MISSING))])
def test_what_is_not_supported_names_layer_type_and_line(text, words, tmp_path):
    errors = (CaffeError if words == "once" else NotImplementedError,)
    with pytest.raises(errors) as error:
        load(tmp_path, net(text, [X], name="conv/a"))
    assert "net.prototxt, line 3" in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_padding_is_never_the_maximum_in_half_precision(dtype, tmp_path):
    keras.config.set_dtype_policy(f"mixed_{dtype}")
    try:
        text = 'type: "Pooling" pooling_param { kernel_size: 3 stride: 2 pad: 1 }'
        model = load(tmp_path, net(text, [(1, 1, 4, 4)]))
        made = model(np.full((1, 4, 4, 1), -2, np.float32))
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.all(keras.ops.convert_to_numpy(keras.ops.cast(made, "float32")) == -2)
