"""Whole nets: their outputs, weights by name, and what is wrong with them."""

import os
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from caffe_fixtures import FIXTURES, NETS, zoo
from caffe_random_nets import RandomNet

from pyimagesearch.caffe import CaffeError, load_caffe, load_caffe_weights
from pyimagesearch.caffe._net import read_net
from pyimagesearch.caffe._weights import blob_shape
from pyimagesearch.caffe._wire import read_layers, write_layers
from pyimagesearch.caffe.build import build_net, multipliers
from pyimagesearch.caffe.load import convert

ROOT = Path(__file__).resolve().parents[1]
# Parameters, and rows, columns and channels that are pooled.
ZOO = {
    "lenet": (431_080, [(12, 12, 20), (4, 4, 50)]),
    "cifar10_quick": (145_578, [(16, 16, 32), (8, 8, 32), (4, 4, 64)]),
    "cifar10_full": (89_578, [(16, 16, 32), (8, 8, 32), (4, 4, 64)]),
    "squeezenet_v1.1": (
        1_235_496,
        [(56, 56, 64), (28, 28, 128), (14, 14, 256), (1, 1, 1000)],
    ),
    "bvlc_alexnet": (60_965_224, [(27, 27, 96), (13, 13, 256), (6, 6, 256)]),
    "bvlc_reference_caffenet": (60_965_224, [(27, 27, 96), (13, 13, 256), (6, 6, 256)]),
    "bvlc_googlenet": (
        6_998_552,
        [
            *((56, 56, 64), (28, 28, 192), (28, 28, 192), (28, 28, 256), (14, 14, 480)),
            *((14, 14, 480), *[(14, 14, 512)] * 3, (14, 14, 528)),
            *((7, 7, 832), (7, 7, 832), (7, 7, 832), (1, 1, 1024)),
        ],
    ),
}


def fixture(name, **options):
    folder = FIXTURES / name
    return load_caffe(folder / "deploy.prototxt", folder / NETS[name], **options)


def expected(name):
    """The input of a fixture, channels last, and its output."""
    stored = np.load(FIXTURES / name / "expected.npz")
    (output,) = set(stored) - {"data"}
    return stored["data"].transpose(0, 2, 3, 1), stored[output]


def write(folder, text, blobs=None):
    """Write a net and weights; return their paths."""
    net, weights = folder / "net.prototxt", folder / "net.caffemodel"
    net.write_text(text)
    write_layers(weights, blobs or {"none": []})
    return net, weights


@pytest.mark.parametrize("name", NETS)
def test_fixtures_give_what_caffe_gives(name):
    model = fixture(name)
    images, output = expected(name)
    np.testing.assert_allclose(model.predict(images, verbose=0), output, rtol=1e-4)


@pytest.mark.parametrize("name", ["petnet", "boxnet"])
def test_the_net_for_training_gives_the_same(name):
    images, output = expected(name)
    folder = FIXTURES / name
    model = load_caffe(
        folder / "train_val.prototxt", folder / NETS[name], input_shape=images.shape[1:]
    )
    np.testing.assert_allclose(model.predict(images, verbose=0), output, rtol=1e-4)


def test_a_data_layer_does_not_say_how_large_its_images_are():
    with pytest.raises(CaffeError, match=r"train_val.prototxt, line \d+.*input_shape"):
        load_caffe(FIXTURES / "petnet" / "train_val.prototxt")


def test_layers_keep_their_names_and_rates():
    model = fixture("petnet")
    assert [model.name, model.input.name] == ["PetNet", "data"]
    names = ["conv1", "relu1", "pool1", "norm1", "conv2_pad", "conv2", "relu2", "pool2"]
    assert [layer.name for layer in model.layers][1:9] == names
    rates = multipliers(model, model.caffe_net)
    assert rates[model.get_layer("conv1").kernel.path] == (1, 1)
    assert rates[model.get_layer("conv1").bias.path] == (2, 0)
    assert rates[model.get_layer("fc8-pets").bias.path] == (20, 0)
    reslet = fixture("reslet")
    assert reslet.get_layer("branch_a").kernel.shape == (3, 3, 8, 8)
    assert multipliers(reslet, reslet.caffe_net)[reslet.get_layer("fc").kernel.path] == (1, 1)


def test_layers_of_rate_0_are_frozen(tmp_path):
    text = """input: "data" input_dim: 1 input_dim: 3
        layer { name: "a" type: "InnerProduct" bottom: "data" top: "a"
            param { lr_mult: 0 } param { lr_mult: 0 } inner_product_param { num_output: 2 } }
        layer { name: "b" type: "InnerProduct" bottom: "a" top: "b"
            param { lr_mult: 0 } inner_product_param { num_output: 2 } }"""
    text = text.replace("input_dim: 1 input_dim: 3", "input_shape { dim: 1 dim: 3 }")
    model = load_caffe(write(tmp_path, text)[0])
    assert [model.get_layer(name).trainable for name in "ab"] == [False, True]


def test_a_net_in_groups_trains():
    model = fixture("petnet")
    images, _ = expected("petnet")
    before = model.get_layer("conv2").get_weights()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(images, np.array([0, 1]), verbose=0)
    for old, new in zip(before, model.get_layer("conv2").get_weights(), strict=True):
        assert np.any(old != new)
        assert np.all(np.isfinite(new))


@pytest.mark.parametrize("name", ZOO)
def test_public_nets_have_their_sizes(name):
    path = zoo(name)
    count, sizes = ZOO[name]
    # sizes alone: no memory for weights
    with keras.StatelessScope(initialize_variables=False):
        built = build_net(read_net(path))
    layers = [layer for layer in built.layers.values() if layer.weights]
    assert sum(layer.count_params() for layer in layers) == count
    pooled = [layer for layer in built.layers.values() if "Pool" in type(layer).__name__]
    assert [layer.output.shape[1:] for layer in pooled] == sizes


MEASURE = """
import os, re, sys, time
import keras
from pyimagesearch.caffe import load_caffe
import pyimagesearch.caffe.load

def memory(key):
    return 1024 * int(re.search(key + r":\\s+(\\d+)", open("/proc/self/status").read())[1])

keras.ops.ones(1)
open("/proc/self/clear_refs", "w").write("5")  # the peak counts from here
before, start = memory("VmRSS"), time.perf_counter()
load_caffe(*sys.argv[1:])
print(time.perf_counter() - start, memory("VmHWM") - before)
"""


def python(code, *words, backend=None):
    """Run code in a new process; return what it prints."""
    settings = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    settings |= {"KERAS_BACKEND": backend} if backend else {}
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def random_weights(net, target):
    """Write random weights for a net."""
    model = load_caffe(net)
    rng = np.random.default_rng(0)
    names = {layer.keras_name: layer.name for layer in model.caffe_net.layers}
    blobs = {
        names[layer.name]: [
            0.02 * rng.standard_normal(blob_shape(layer, i), np.float32)
            for i in range(len(layer.weights))
        ]
        for layer in model.layers
        if layer.weights
    }
    write_layers(target, blobs)
    return target


def loads_fast_and_small(name, folder):
    weights = random_weights(zoo(name), folder / "net.caffemodel")
    seconds, memory = map(float, python(MEASURE, zoo(name), weights).split())
    share = memory / weights.stat().st_size
    print(f"\n[FIGURE] {name}: loaded in {seconds:.1f} s, {share:.2f} times its file in memory")
    assert seconds < 10
    assert share < 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_googlenet_loads_fast_and_small(tmp_path):
    loads_fast_and_small("bvlc_googlenet", tmp_path)


@pytest.mark.torture
def test_alexnet_loads_fast_and_small(tmp_path):
    loads_fast_and_small("bvlc_alexnet", tmp_path)


RELOAD = """
import sys
import keras, numpy as np
print(keras.saving.load_model(f"{sys.argv[1]}/plain.keras").count_params())
from pyimagesearch.training.saving import read_model
read_model(f"{sys.argv[1]}/{sys.argv[2]}.keras")
import pyimagesearch.caffe.registered  # what one needs without it
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    images = np.load(f"{sys.argv[1]}/{name}.npy")
    np.save(f"{sys.argv[1]}/{name}_made.npy", model.predict(images, verbose=0))
"""
PLAIN = """input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
        pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc"
        inner_product_param { num_output: 2 weight_filler { type: "msra" } } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""


def test_a_saved_model_is_the_same_in_a_new_process(tmp_path):
    made = {}
    for name in NETS:
        model = fixture(name)
        images, _ = expected(name)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", images)
        made[name] = model.predict(images, verbose=0)
    # of Keras's own layers alone, and so loaded without an import of ours
    load_caffe(write(tmp_path, PLAIN)[0]).save(tmp_path / "plain.keras")
    assert int(python(RELOAD, tmp_path, *NETS)) == 3 * 9 * 4 + 4 + 4 * 16 * 2 + 2
    for name in NETS:
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}_made.npy"), made[name])


def renamed(folder, old="fc8-pets", new="fc8-birds", outputs=2):
    """PetNet with another last layer."""
    text = (FIXTURES / "petnet" / "deploy.prototxt").read_text()
    text = text.replace(f'"{old}"', f'"{new}"').replace("num_output: 2 ", f"num_output: {outputs} ")
    path = folder / "birds.prototxt"
    path.write_text(text)
    return path


def test_a_renamed_last_layer_starts_anew(tmp_path):
    weights = FIXTURES / "petnet" / NETS["petnet"]
    stored = read_layers(weights)
    model = load_caffe(renamed(tmp_path, outputs=20))
    start = model.get_layer("fc8-birds").get_weights()
    done = load_caffe_weights(model, weights)
    assert done.copied == ["conv1", "conv2", "fc6"]
    assert done.unused == ["fc8-pets"]
    assert done.kept == ["fc8-birds"]
    np.testing.assert_array_equal(model.get_layer("fc6").get_weights()[0], stored["fc6"][0].T)
    kernel = stored["conv2"][0].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("conv2").get_weights()[0], kernel)
    for old, new in zip(start, model.get_layer("fc8-birds").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    direct = load_caffe(renamed(tmp_path, outputs=20), weights)
    for layer in ("conv1", "conv2", "fc6"):
        for a, b in zip(
            model.get_layer(layer).weights, direct.get_layer(layer).weights, strict=True
        ):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


def test_weights_go_into_a_model_that_was_saved(tmp_path):
    text = (FIXTURES / "reslet" / "deploy.prototxt").read_text()
    model = load_caffe(write(tmp_path, text)[0])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    done = load_caffe_weights(again, FIXTURES / "reslet" / NETS["reslet"])
    assert [done.unused, done.kept] == [[], []]
    assert "branch/a" in done.copied
    images, output = expected("reslet")
    np.testing.assert_allclose(again.predict(images, verbose=0), output, rtol=1e-4)


def test_weights_go_into_a_model_made_by_hand(tmp_path):
    weights = write(tmp_path, PLAIN, {"fc": [np.arange(24.0).reshape(2, 12), np.zeros(2)]})[1]

    def model(*layers):
        dense = keras.layers.Dense(2, name="fc")
        return keras.Sequential([keras.Input((2, 2, 3)), *layers, keras.layers.Flatten(), dense])

    ordered = model(keras.layers.Permute((3, 1, 2)))
    assert load_caffe_weights(ordered, weights) == (["fc"], [], [])
    x = np.random.default_rng(0).standard_normal((1, 3, 2, 2), np.float32)
    made = keras.ops.convert_to_numpy(ordered(x.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(made, x.reshape(1, 12) @ np.arange(24).reshape(2, 12).T, rtol=1e-4)
    with pytest.raises(CaffeError, match="'fc'.*channels last"):
        load_caffe_weights(model(), weights)


def direct(net, weights):
    load_caffe(net, weights)


def later(net, weights):
    model = load_caffe(net)
    before = model.get_weights()
    try:
        load_caffe_weights(model, weights)
    finally:
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("load", [direct, later])
def test_another_shape_is_an_error_that_says_what_to_do(load, tmp_path):
    path = renamed(tmp_path, new="fc8-pets", outputs=3)
    with pytest.raises(CaffeError, match="Rename the layer") as error:
        load(path, FIXTURES / "petnet" / NETS["petnet"])
    for words in ("'fc8-pets'", "(2, 24)", "(3, 24)", NETS["petnet"]):
        assert words in str(error.value)


def test_another_number_of_blobs_is_an_error(tmp_path):
    text = """input: "data" input_shape { dim: 1 dim: 3 }
        layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
            inner_product_param { num_output: 2 bias_term: false } }"""
    net, weights = write(tmp_path, text, {"fc": [np.ones((2, 3)), np.ones(2)]})
    with pytest.raises(CaffeError, match=r"'fc' has 2 blobs .* and 1 "):
        load_caffe(net, weights)


@pytest.mark.parametrize(("name", "blobs"), [("fc", []), ("relu", [np.ones(4)])])
def test_blobs_that_only_one_of_both_has_are_an_error(name, blobs, tmp_path):
    net, weights = write(tmp_path, PLAIN, {name: blobs})
    with pytest.raises(CaffeError, match=f"{name!r} has {len(blobs)} blobs"):
        load_caffe(net, weights)
    with pytest.raises(CaffeError, match=f"{name!r} has {len(blobs)} blobs"):
        load_caffe_weights(load_caffe(net), weights)


def wild(count, folder):
    """Give copies of the fixtures' nets with numbers, now and then words, replaced."""
    texts = [(FIXTURES / name / "deploy.prototxt").read_text() for name in NETS]
    numbers = ["0", "-1", "1", "2", "7", "1000", "65536", "2147483647", "4294967295", "0.5", "nan"]
    path = folder / "wild.prototxt"
    for seed in range(count):
        rng = np.random.default_rng(seed)
        text = texts[seed % 3]
        pattern = r"-?\b\d+(\.\d+)?\b" if seed % 4 else r'"[^"]*"|\b[A-Za-z_]\w*\b'
        for _ in range(1 + seed % 2):
            tokens = list(re.finditer(pattern, text))
            token = rng.choice(tokens)
            words = numbers if seed % 4 else [t.group() for t in tokens]
            text = text[: token.start()] + str(rng.choice(words)) + text[token.end() :]
        path.write_text(text)
        yield path


def survives_wild_nets(count, folder):
    outcomes = {"loaded": 0, "refused": 0}
    for path in wild(count, folder):
        try:
            # sizes may be large, so no memory for weights
            with keras.StatelessScope(initialize_variables=False):
                build_net(read_net(path))
        except (CaffeError, NotImplementedError) as refusal:
            error = refusal
        else:
            outcomes["loaded"] += 1
            continue
        assert str(path) in str(error)
        outcomes["refused"] += 1
    assert min(outcomes.values()) > count // 20
    return outcomes


def test_a_net_of_wild_numbers_is_refused_or_built(tmp_path):
    survives_wild_nets(90, tmp_path)


@pytest.mark.torture
def test_many_nets_of_wild_numbers_are_refused_or_built(tmp_path):
    outcomes = survives_wild_nets(2_000, tmp_path)
    print(f"\n[FIGURE] 2,000 nets of wild numbers, {outcomes}, no other finding")


DATA = [
    (
        'type: "MemoryData" memory_data_param { batch_size: 2 channels: 1 height: 5 width: 6 }',
        (5, 6, 1),
    ),
    ('type: "ImageData" transform_param { crop_size: 7 }', (7, 7, 3)),
    (
        'type: "ImageData" image_data_param { new_height: 4 new_width: 5 is_color: false }',
        (4, 5, 1),
    ),
    ('type: "Data" transform_param { crop_size: 6 force_gray: true }', (6, 6, 1)),
    ('type: "DummyData" dummy_data_param { shape { dim: 9 dim: 3 dim: 4 dim: 5 } }', (4, 5, 3)),
    ('type: "DummyData" dummy_data_param { num: 9 channels: 3 height: 4 width: 5 }', (4, 5, 3)),
    ('type: "DummyData" dummy_data_param { shape { dim: 9 dim: 3 } }', (3,)),
]


@pytest.mark.parametrize(("text", "shape"), DATA, ids=range(len(DATA)))
def test_data_layers_that_say_how_large_they_are(text, shape, tmp_path):
    text = f"""layer {{ name: "data" top: "data" {text} }}
        layer {{ name: "relu" type: "ReLU" bottom: "data" top: "y" }}"""
    assert load_caffe(write(tmp_path, text)[0]).input_shape == (None, *shape)


def mutants(count, folder):
    """Give damaged copies of a .caffemodel: cut short, bytes changed, taken out, put in."""
    content = (FIXTURES / "reslet" / NETS["reslet"]).read_bytes()
    path = folder / "mutant.caffemodel"
    for seed in range(count):
        rng = np.random.default_rng(seed)
        data = bytearray(content)
        if seed % 4 == 0:
            del data[rng.integers(len(data)) :]
        for _ in range(rng.integers(1, 9) if seed % 4 else 0):
            place = int(rng.integers(len(data)))
            if seed % 4 == 1:
                data[place] = rng.integers(256)
            elif seed % 4 == 2:
                del data[place : place + int(rng.integers(1, 40))]
            else:
                data[place:place] = rng.bytes(int(rng.integers(1, 40)))
        path.write_bytes(bytes(data))
        yield path


def survives_mutants(count, folder):
    model = load_caffe(FIXTURES / "reslet" / "deploy.prototxt")
    outcomes = {"loaded": 0, "refused": 0}
    for path in mutants(count, folder):
        before = model.get_weights()
        try:
            load_caffe_weights(model, path)
        except (CaffeError, NotImplementedError) as refusal:
            error = refusal
        else:
            outcomes["loaded"] += 1
            continue
        assert str(path) in str(error)
        outcomes["refused"] += 1
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
    assert min(outcomes.values()) > count // 20
    return outcomes


def test_a_damaged_caffemodel_is_a_caffe_error(tmp_path):
    survives_mutants(120, tmp_path)


@pytest.mark.torture
def test_no_damaged_caffemodel_of_many_does_harm(tmp_path):
    start = time.perf_counter()
    outcomes = survives_mutants(2_000, tmp_path)
    print(f"\n[FIGURE] 2,000 mutants of a .caffemodel, {outcomes}, no other finding, ", end="")
    print(f"{time.perf_counter() - start:.0f} s")


def test_files_that_are_not_there_or_empty(tmp_path):
    net, weights = write(tmp_path, (FIXTURES / "reslet" / "deploy.prototxt").read_text())
    with pytest.raises(FileNotFoundError):
        load_caffe(tmp_path / "none.prototxt")
    with pytest.raises(FileNotFoundError):
        load_caffe(net, tmp_path / "none.caffemodel")
    with pytest.raises(IsADirectoryError):
        load_caffe(net, tmp_path)
    weights.write_bytes(b"")
    with pytest.raises(CaffeError, match="empty"):
        load_caffe(net, weights)
    with pytest.raises(CaffeError):
        load_caffe(net, net)
    with pytest.raises(CaffeError):
        load_caffe(FIXTURES / "reslet" / NETS["reslet"])


def agree_with_opencv(seeds, folder):
    for seed in seeds:
        net = RandomNet(seed)
        paths = write(folder, net.text, net.blobs)
        images = np.random.default_rng(seed).standard_normal(net.shape, np.float32)
        reader = cv2.dnn.readNetFromCaffe(*map(str, paths))
        reader.setInput(images)
        made = load_caffe(*paths)(images.transpose(0, 2, 3, 1))
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(made),
            reader.forward(),
            rtol=1e-4,
            atol=1e-6,
            err_msg=f"seed {seed}",
        )


def test_random_nets_give_what_opencv_gives(tmp_path):
    agree_with_opencv(range(12), tmp_path)


@pytest.mark.torture
def test_many_random_nets_give_what_opencv_gives(tmp_path):
    agree_with_opencv(range(1_000), tmp_path)
    print("\n[FIGURE] 1,000 random nets: the outputs of OpenCV within rtol 1e-4")


TWO = """name: "two/heads"
input: "a" input: "b" input_shape { dim: 1 dim: 3 dim: 4 dim: 4 } input_shape { dim: 9 dim: 5 }
layer { name: "labels" type: "HDF5Data" top: "label" top: "boxes" }
layer { name: "late" type: "Flatten" bottom: "b" top: "flat" }
layer { name: "fc/1" type: "InnerProduct" bottom: "a" top: "z"
        inner_product_param { num_output: 2 } }
layer { name: "fc_1" type: "InnerProduct" bottom: "flat" top: "y"
        inner_product_param { num_output: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "y" bottom: "z" top: "x" }
layer { name: "copies" type: "Split" bottom: "x" top: "one" top: "two" top: "three" }
layer { name: "power" type: "Power" bottom: "one" top: "one" power_param { scale: 0.01 } }
layer { name: "quiet" type: "Silence" bottom: "three" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "one" bottom: "label" top: "loss"
        loss_weight: 0.5 }
layer { name: "hits" type: "Accuracy" bottom: "one" bottom: "label" top: "hits"
        accuracy_param { top_k: 2 ignore_label: 7 } }
layer { name: "box" type: "EuclideanLoss" bottom: "z" bottom: "boxes" }
layer { name: "size" type: "Reduction" bottom: "z" top: "size" loss_weight: 2 }
"""


def test_several_inputs_and_outputs(tmp_path):
    blobs = {
        "fc/1": [np.arange(96.0).reshape(2, 48) / 100, np.zeros(2)],
        "fc_1": [np.ones((2, 5)), np.zeros(2)],
    }
    model = load_caffe(*write(tmp_path, TWO, blobs))
    assert model.name == "two_heads"
    assert [x.name for x in model.inputs] == ["a", "b"]
    a, b = np.ones((1, 4, 4, 3), np.float32), np.ones((1, 5), np.float32)
    made = {key: keras.ops.convert_to_numpy(y) for key, y in model([a, b]).items()}
    assert list(made) == ["loss", "size", "two"]
    z = blobs["fc/1"][0].sum(1)
    np.testing.assert_allclose(made["two"][0], z + 5, rtol=1e-5)
    np.testing.assert_allclose(made["size"], z.sum(), rtol=1e-5)
    score = np.exp((z + 5) / 100)
    np.testing.assert_allclose(made["loss"][0], score / score.sum(), rtol=1e-5)


def test_a_built_net_tells_its_losses(tmp_path):
    net = read_net(write(tmp_path, TWO)[0])
    built = build_net(net, {"label": (), "b": (5,)})
    assert {blob: x.shape for blob, x in built.inputs.items()} == {
        "a": (None, 4, 4, 3),
        "b": (None, 5),
        "label": (None,),
    }
    assert [(loss.layer, loss.type, loss.weight, loss.label) for loss in built.losses] == [
        ("loss", "SoftmaxWithLoss", 0.5, "label"),
        ("box", "EuclideanLoss", 1.0, "boxes"),
        ("size", "Reduction", 2.0, None),
    ]
    assert built.losses[0].prediction is built.blobs["one"]  # before the softmax
    assert built.blobs["loss"] is not built.blobs["one"]
    (hits,) = built.accuracies
    assert (hits.prediction, hits.label, hits.top_k) == (built.blobs["one"], "label", 2)
    assert (hits.axis, hits.ignore_label) == (1, 7)
    assert built.after["copies"] == [built.blobs["x"]] * 3
    with pytest.raises(ValueError, match="no input 'nonsense'"):
        build_net(net, {"nonsense": (3,)})


def test_a_dict_of_shapes_for_several_inputs(tmp_path):
    net = write(tmp_path, TWO)[0]
    model = load_caffe(net, input_shape={"a": (8, 8, 1)})
    assert [x.shape for x in model.inputs] == [(None, 8, 8, 1), (None, 5)]
    with pytest.raises(ValueError, match="dict"):
        load_caffe(net, input_shape=(8, 8, 1))
    with pytest.raises(ValueError, match="whole numbers"):
        load_caffe(net, input_shape={"a": (8, 8, 0)})


def test_names_that_keras_cannot_tell_apart(tmp_path):
    blobs = {
        "fc/1": [np.full((2, 48), 3.0), np.zeros(2)],
        "fc_1": [np.full((2, 5), 4.0), np.zeros(2)],
    }
    net, weights = write(tmp_path, TWO, blobs)
    model = load_caffe(net)
    done = load_caffe_weights(model, weights)
    assert done.copied == ["fc/1", "fc_1"]
    names = {layer.name: layer.keras_name for layer in model.caffe_net.layers}
    assert model.get_layer(names["fc/1"]).get_weights()[0][0, 0] == 3
    assert model.get_layer(names["fc_1"]).get_weights()[0][0, 0] == 4
    del model.caffe_net  # as in a model that was saved and loaded
    with pytest.raises(CaffeError, match="several layers"):
        load_caffe_weights(model, weights)


def test_both_phases_share_their_weights():
    text = (FIXTURES / "petnet" / "train_val.prototxt").read_text()
    assert "phase: TRAIN" in text
    path = FIXTURES / "petnet" / "train_val.prototxt"
    shapes = {"data": (28, 28, 3), "label": ()}
    train = build_net(read_net(path, "TRAIN"), shapes)
    test = build_net(read_net(path, "TEST"), shapes, layers=train.layers)
    for name in ("conv1", "conv2", "fc6", "fc8-pets"):
        assert test.layers[name] is train.layers[name]
    assert test.layers["drop6"] is not train.layers["drop6"]


def test_batch_norm_of_both_phases(tmp_path):
    text = """input: "data" input_shape { dim: 1 dim: 3 dim: 4 dim: 4 }
        layer { name: "bn" type: "BatchNorm" bottom: "data" top: "y" include { phase: TRAIN }
            batch_norm_param { use_global_stats: false } }
        layer { name: "bn" type: "BatchNorm" bottom: "data" top: "y" include { phase: TEST }
            batch_norm_param { use_global_stats: true } }"""
    path = write(tmp_path, text)[0]
    train = build_net(read_net(path, "TRAIN"))
    test = build_net(read_net(path, "TEST"), layers=train.layers)
    x = np.random.default_rng(0).normal(3, 2, (8, 4, 4, 3)).astype(np.float32)
    training = keras.Model(train.inputs["data"], train.blobs["y"])
    testing = keras.Model(test.inputs["data"], test.blobs["y"])
    made = keras.ops.convert_to_numpy(training(x, training=True))
    np.testing.assert_allclose(made.mean((0, 1, 2)), 0, atol=1e-5)
    again = keras.ops.convert_to_numpy(testing(x))  # one batch's sums over a factor of 1
    np.testing.assert_allclose(again, made * np.sqrt(127 / 128), rtol=1e-3, atol=1e-4)


SHARED = """input: "a" input: "b" input_shape { dim: 1 dim: 3 }
layer { name: "fc" type: "InnerProduct" bottom: "a" top: "one"
        param { name: "w" lr_mult: 2 } param { name: "b" } inner_product_param { num_output: 2 } }
layer { name: "fc_p" type: "InnerProduct" bottom: "b" top: "two"
        param { name: "w" } param { name: "b" } inner_product_param { num_output: 2 } }
"""


def test_layers_share_their_weights(tmp_path):
    blobs = [np.arange(6.0).reshape(2, 3), np.ones(2)]
    model = load_caffe(*write(tmp_path, SHARED, {"fc": blobs, "fc_p": blobs}))
    assert len(model.weights) == 2
    x = np.float32([[1, 2, 3]])
    made = model([x, x])
    for key in ("one", "two"):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(made[key])[0], [9, 27])
    done = load_caffe_weights(model, tmp_path / "net.caffemodel")
    assert done.copied == ["fc", "fc_p"]
    assert done.kept == []
    assert multipliers(model, model.caffe_net)[model.weights[0].path] == (2, 1)


@pytest.mark.parametrize(
    ("params", "rest"),
    [
        ('param { name: "w" }', "num_output: 2"),
        ('param { name: "w" } param { }', "num_output: 2"),
        ('param { } param { name: "w" }', "num_output: 2"),
        ('param { name: "w" } param { name: "b" }', "num_output: 3"),
        ('param { name: "w" } param { name: "b" }', "num_output: 2 bias_term: false"),
    ],
)
def test_blobs_that_cannot_be_shared(params, rest, tmp_path):
    first, _, _ = SHARED.partition('layer { name: "fc_p"')
    text = (
        f'{first}layer {{ name: "fc_p" type: "InnerProduct" bottom: "b" top: "two" {params} '
        f"inner_product_param {{ {rest} }} }}"
    )
    with pytest.raises((NotImplementedError, CaffeError), match="line 4.*'fc_p'"):
        load_caffe(write(tmp_path, text)[0])


V1 = """name: "old" input: "data" input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 5
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 blobs_lr: 2
         weight_decay: 1 weight_decay: 0 convolution_param { num_output: 2 kernel_size: 3 } }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
layers { name: "fc" type: INNER_PRODUCT bottom: "conv" top: "fc"
         inner_product_param { num_output: 4 } }
layers { name: "data" type: DATA top: "label" }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "fc" bottom: "label" }
"""


def test_an_older_net_whose_loss_has_no_top(tmp_path):
    model = load_caffe(write(tmp_path, V1)[0])
    assert model.output.shape == (None, 4)
    assert model.layers[-1].name == "loss"
    rates = multipliers(model, model.caffe_net)
    assert rates[model.get_layer("conv").bias.path] == (2, 0)


def test_other_seeds_other_fillers():
    def start(seed):
        keras.utils.set_random_seed(seed)
        return load_caffe(FIXTURES / "petnet" / "deploy.prototxt").get_weights()

    for first, same, other in zip(start(1), start(1), start(2), strict=True):
        np.testing.assert_array_equal(first, same)
        assert np.any(first != other) or np.ptp(first) == 0


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (
            'layer { name: "a" type: "ReLU" bottom: "x" bottom: "x" top: "y" }',
            CaffeError,
            "2 bottoms",
        ),
        ('layer { name: "a" type: "ReLU" bottom: "x" top: "y" top: "z" }', CaffeError, "2 tops"),
        ('layer { name: "a" type: "ReLU" bottom: "x" }', CaffeError, "0 tops"),
        (
            'layer { name: "a" type: "Flatten" bottom: "x" top: "y" }'
            'layer { name: "b" type: "Concat" bottom: "x" bottom: "y" top: "z" }',
            CaffeError,
            "(None, 75)",
        ),
        (
            'layer { name: "a" type: "Flatten" bottom: "x" top: "y" }'
            'layer { name: "b" type: "Eltwise" bottom: "x" bottom: "y" top: "z" }',
            CaffeError,
            "different shapes",
        ),
        (
            'layer { name: "a" type: "Flatten" bottom: "x" top: "y" }'
            'layer { name: "b" type: "Convolution" bottom: "y" top: "z" '
            "convolution_param { num_output: 1 kernel_size: 1 } }",
            NotImplementedError,
            "2 axes",
        ),
        ('layer { name: "a" type: "Silence" bottom: "x" }', CaffeError, "no output"),
    ],
    ids=range(7),
)
def test_layers_that_do_not_fit_together(text, error, words, tmp_path):
    text = f'input: "x" input_shape {{ dim: 1 dim: 3 dim: 5 dim: 5 }}\n{text}'
    with pytest.raises(error, match="net.prototxt") as raised:
        load_caffe(write(tmp_path, text)[0])
    assert words in str(raised.value)


def test_a_net_that_is_converted(tmp_path):
    target = tmp_path / "made" / "petnet.keras"
    paths = (FIXTURES / "petnet" / "deploy.prototxt", FIXTURES / "petnet" / NETS["petnet"])
    convert(*paths, target)
    images, output = expected("petnet")
    made = keras.saving.load_model(target).predict(images, verbose=0)
    np.testing.assert_allclose(made, output, rtol=1e-4)
    content = target.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite"):
        convert(*paths, target)
    with pytest.raises(CaffeError):
        convert(paths[0], FIXTURES / "reslet" / "deploy.prototxt", target, overwrite=True)
    assert target.read_bytes() == content
    convert(*paths, target, overwrite=True)
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(ValueError, match="keras files"):
        convert(*paths, tmp_path / "petnet.h5")


def test_a_net_that_is_too_deep_for_keras(tmp_path):
    names = ["data", *(f"r{i}" for i in range(1200))]
    lines = ["input: 'data' input_shape { dim: 1 dim: 3 }"]
    for bottom, top in pairwise(names):
        lines.append(f"layer {{ name: '{top}' type: 'ReLU' bottom: '{bottom}' top: '{top}' }}")
    path = tmp_path / "net.prototxt"
    path.write_text("\n".join(lines))
    with pytest.raises(CaffeError, match="more layers in a row than Keras takes, 1200 in all"):
        load_caffe(path)
