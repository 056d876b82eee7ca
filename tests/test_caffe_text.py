"""Caffe's text format, and how the layers of a net come out of it."""

import numpy as np
import pytest
from caffe_fixtures import FIXTURES, NETS, zoo

from pyimagesearch.caffe import CaffeError
from pyimagesearch.caffe._fields import MESSAGES, SIMPLE, V1_TYPES, fields_of
from pyimagesearch.caffe._net import keras_name, net_of, read_net
from pyimagesearch.caffe._text import parse_text, read_text

ZOO = {
    **{"bvlc_alexnet": 24, "bvlc_reference_caffenet": 24, "bvlc_googlenet": 143},
    **{"cifar10_full": 14, "cifar10_quick": 13, "lenet": 9, "squeezenet_v1.1": 67},
}


def parse(text, kind="NetParameter"):
    return parse_text(text, kind, "net.prototxt")


def layer(text):
    return parse(f"layer {{ {text} }}").layer[0]


def net(text, *args, **kwargs):
    return net_of(parse(text), *args, **kwargs)


def relu(name, bottom="data", top=None, more=""):
    return (
        f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top or name}" {more} }}\n'
    )


def test_every_type_of_a_field_is_known():
    kinds = {line.split()[0] for line in MESSAGES.splitlines() if line[:1].isupper()}
    for kind in kinds:
        for field in fields_of(kind).values():
            assert field.type in SIMPLE or field.type == "enum" or field.type in kinds, field


def test_values_defaults_and_lines():
    message = layer('name: "p"\n type: "Pooling"\n pooling_param { kernel_size: 3 pool: AVE }')
    assert (message.name, message.type, message.line) == ("p", "Pooling", 1)
    pooling = message.pooling_param
    assert (pooling.kernel_size, pooling.pool, pooling.stride, pooling.pad) == (3, "AVE", 1, 0)
    assert pooling.has("pool")
    assert not pooling.has("stride")
    assert pooling.where == "net.prototxt, line 3"
    assert message.where_of("type") == "net.prototxt, line 2"
    assert message.bottom == []
    assert message.lrn_param.local_size == 5
    assert message.lrn_param.norm_region == "ACROSS_CHANNELS"
    with pytest.raises(AttributeError, match="PoolingParameter has no field 'kernel'"):
        _ = pooling.kernel


@pytest.mark.parametrize(
    "text",
    [
        "convolution_param { pad: 1 pad: 2 }",
        "convolution_param: { pad: 1, pad: 2; }",
        "convolution_param < pad: [1, 2] >",
        "convolution_param { pad: [ 1 ]\n pad: 2 # two of them\n }",
        "convolution_param {pad:0x1 pad:002}",
    ],
)
def test_one_meaning_many_spellings(text):
    assert layer(text).convolution_param.pad == [1, 2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("1e-4", 1e-4), (".5", 0.5), ("2.f", 2), ("0xA", 10), ("-3", -3), ("1.5E+2", 150)],
        *[("- 4", -4), ("inf", np.inf), ("-inf", -np.inf), ("7", 7), ("1F", 1)],
    ],
)
def test_numbers(text, value):
    assert layer(f"lrn_param {{ alpha: {text} }}").lrn_param.alpha == value


@pytest.mark.parametrize("text", ["true", "True", "t", "1"])
def test_booleans(text):
    transform = layer(f"transform_param {{ mirror: {text} force_gray: false }}").transform_param
    assert transform.mirror is True
    assert transform.force_gray is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\"a # b\" 'c'", "a # bc"),
        (r'"\"\\\n\t\x41\101"', '"\\\n\tAA'),
        (r"'\303\251\u00e9'", "éé"),
        ('"Größe"\n  # joined to\n "n"', "Größen"),
    ],
)
def test_strings(text, value):
    assert parse(f"name: {text}").name == value


def test_enumerations_by_number():
    assert layer("pooling_param { pool: 1 }").pooling_param.pool == "AVE"
    assert layer("reduction_param { operation: 4 }").reduction_param.operation == "MEAN"
    assert layer("reduction_param { operation: MEAN }").reduction_param.operation == "MEAN"
    assert net("layers { name: 'r' type: 18 top: 'x' }").layers[0].type == "ReLU"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('layer { name: "a" tipe: "b" }', "column 19: .*no field 'tipe'. Did you mean 'type'"),
        ("layer {\n  zzz: 3\n}", "line 2, column 3: LayerParameter has no field 'zzz'.$"),
        ('layer {\n name: "a\n"', "line 2, column 8: a string that does not end"),
        ('layer {\n name: "a"\n', "line 3, column 1: .*begins in line 1: '}' is missing"),
        ("name: 3", "column 7: name needs a string in quotes. Received: '3'"),
        ("name 'a'", "':' belongs after name. Received: \"'a'\""),
        ("layer { pooling_param { stride: -1 } }", "integer from 0 to 4294967295. Received: '-1'"),
        ("layer { pooling_param { stride: 1.5 } }", "an integer from .* Received: '1.5'"),
        ("layer { pooling_param { pool: MOX } }", "one of MAX, AVE, STOCHASTIC. Received: 'MOX'"),
        ("layer { transform_param { mirror: yes } }", "true or false. Received: 'yes'"),
        ("layer { lrn_param { beta: high } }", "beta needs a number. Received: 'high'"),
        ("layer { lrn_param { beta: 1e99 } }", "beta needs a number. Received: '1e99'"),
        ("layer: 3", "layer is a message, in { }. Received: '3'"),
        ("layer { convolution_param { pad: [1 2] } }", "',' or ']' belongs here. Received: '2'"),
        ("name: 'a'\nname: 'b'", "line 2, column 1: name stands here and in line 1"),
        ("}", "a field's name belongs here. Received: '}'"),
        ("name: 'a' $", r"column 11: '\$' cannot be read"),
        (r"name: '\q'", r"\\q is no escape"),
        (r"name: '\xff'", "no UTF-8 text"),
        ("layer { name: 'a' >", "a field's name belongs here. Received: '>'"),
    ],
)
def test_text_that_does_not_parse(text, message):
    with pytest.raises(CaffeError, match=message):
        parse(text)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(CaffeError, match="is no text. Give the .prototxt here"):
        read_text(FIXTURES / "petnet" / NETS["petnet"], "NetParameter")
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "none.prototxt", "NetParameter")
    (tmp_path / "empty.prototxt").write_text("# nothing\n")
    with pytest.raises(CaffeError, match="has no layer in phase TEST"):
        read_net(tmp_path / "empty.prototxt")


def test_windows_line_ends(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_bytes(b'name: "a"\r\n# x\r\nlayer {\r\n name: 3 }')
    with pytest.raises(CaffeError, match="line 4, column 8"):
        read_text(path, "NetParameter")


def test_comments_in_any_encoding(tmp_path):
    """Notepad's mark at the start, and comments in the encodings of 2015."""
    path = tmp_path / "net.prototxt"
    text = "name: 'a' # 修改类别数\n"
    for content in (text.encode("gbk"), text.encode("utf-8-sig"), b"name: 'a' # gr\xf6\xdfer"):
        path.write_bytes(content)
        assert read_text(path, "NetParameter").name == "a"


@pytest.mark.parametrize("name", sorted(NETS))
def test_nets_of_the_fixtures(name):
    deployed = read_net(FIXTURES / name / "deploy.prototxt")
    assert [source.blob for source in deployed.inputs] == ["data"]
    assert deployed.outputs == ["box" if name == "boxnet" else "prob"]


@pytest.mark.parametrize("name", sorted(ZOO))
def test_public_nets(name):
    deployed = read_net(zoo(name))
    assert len(deployed.layers) == ZOO[name]
    assert deployed.outputs == ["prob"]


def test_phases():
    path = FIXTURES / "petnet" / "train_val.prototxt"
    train, test = read_net(path, "TRAIN"), read_net(path, "TEST")
    assert train.layers[0].message.data_param.batch_size == 10
    assert test.layers[0].message.data_param.batch_size == 5
    assert "Accuracy" not in [layer.type for layer in train.layers]
    assert [layer.type for layer in test.layers][-2:] == ["Accuracy", "SoftmaxWithLoss"]
    assert train.outputs == test.outputs == ["loss"]
    assert [spec.lr_mult for spec in train.layers[1].params] == [1, 2]
    with pytest.raises(ValueError, match='"TRAIN" or "TEST". Received: \'train\''):
        read_net(path, "train")


@pytest.mark.parametrize(
    ("rules", "stays"),
    [
        *[("", True), ("include { phase: TEST }", True), ("include { phase: TRAIN }", False)],
        ("exclude { phase: TEST }", False),
        ("include { phase: TRAIN } include { stage: 'a' }", True),
        ("include { stage: 'a' stage: 'b' }", False),
        ("include { stage: 'a' not_stage: 'b' }", True),
        ("exclude { not_stage: 'a' } exclude { phase: TRAIN }", True),
        *[("include { min_level: 2 }", True), ("include { min_level: 3 }", False)],
        *[("include { max_level: 1 }", False), ("exclude { min_level: 1 max_level: 1 }", True)],
    ],
)
def test_rules(rules, stays):
    text = "input: 'data'" + relu("kept") + relu("asked", more=rules)
    names = [layer.name for layer in net(text, "TEST", level=2, stages=["a"]).layers]
    assert names == (["kept", "asked"] if stays else ["kept"])


def test_include_and_exclude_together_are_refused():
    text = "input: 'data'" + relu("a", more="include { phase: TEST } exclude { phase: TRAIN }")
    with pytest.raises(CaffeError, match="line 1: layer 'a' has include and exclude"):
        net(text)


def test_older_spelling_equals_todays():
    old = net("""
        input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 8
        layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 blobs_lr: 2
            weight_decay: 1 weight_decay: 0 convolution_param { num_output: 4 kernel_size: 3 } }
        layers { name: "d" type: CONCAT bottom: "c" bottom: "c" top: "d"
            concat_param { concat_dim: 1 } }
        layers { name: "s" type: SLICE bottom: "d" top: "s" top: "t" slice_param { slice_dim: 2 } }
        layers { name: "shared" type: INNER_PRODUCT bottom: "s" top: "i" param: "w" param: "b" }
        layers { name: "data2" type: DATA top: "x" data_param { source: "x" scale: 0.5 mirror: 1 } }
    """)
    assert old.inputs[0].shape == [1, 3, 9, 8]
    convolution, concat, slice_, shared, data = old.layers
    assert [(spec.lr_mult, spec.decay_mult) for spec in convolution.params] == [(1, 1), (2, 0)]
    assert [layer.type for layer in old.layers] == [
        *("Convolution", "Concat", "Slice", "InnerProduct", "Data"),
    ]
    assert (concat.message.concat_param.axis, slice_.message.slice_param.axis) == (1, 2)
    assert [spec.name for spec in shared.params] == ["w", "b"]
    assert data.message.transform_param.scale == 0.5
    assert data.message.transform_param.mirror
    assert old.outputs == ["i", "t"]
    assert {new for _, new in V1_TYPES.values()} > {"Softmax", "SoftmaxWithLoss", "MVN"}


def test_in_place_layers_and_replaced_blobs():
    found = net("input: 'data'" + relu("a") + relu("b", "a", "a") + relu("c", "data", "a"))
    assert found.outputs == ["a"]
    assert [(layer.bottoms, layer.tops) for layer in found.layers] == [
        *((["data"], ["a"]), (["a"], ["a"]), (["data"], ["a"])),
    ]


def test_losses_and_silence_are_outside():
    found = net(
        "layer { name: 'd' type: 'Data' top: 'data' top: 'label' }"
        + relu("a")
        + relu("quiet")
        + "layer { name: 's' type: 'Silence' bottom: 'quiet' }"
        + "layer { name: 'l' type: 'EuclideanLoss' bottom: 'a' bottom: 'label' top: 'loss' }"
    )
    assert found.outputs == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (relu("a", "nowhere"), "layer 'a' reads the blob 'nowhere', which no layer and no input"),
        ("input: 'data'" + relu("a", "x", "x"), "which it makes itself: a cycle"),
        (
            "input: 'data'\n" + relu("a", "b", "a") + relu("b", "a", "b"),
            "line 2: layer 'a' reads .* layer 'b' makes further down \\(net.prototxt, line 3\\)",
        ),
        ("layer { name: 'a' bottom: 'x' }", "layer 'a' has no type"),
        ("layer { type: 'ReLU' }", "this layer of type ReLU has no name"),
        ("layer { name: 'a' type: 'Split' top: 'x' top: 'x' }", "two tops of one name"),
        ("input: 'a' input_dim: 1", "four numbers for each input. Received: 1 for 1"),
        ("input: 'a' input_shape { dim: 1 dim: -3 }", r"shape \[1, -3\]. Sizes are 1"),
        ("input: 'a' input_shape { dim: 9000000000 }", r"shape \[9000000000\]"),
        ("input: 'a' input: 'b' input: 'c' input_shape {} input_shape {}", "3 inputs have 2 shap"),
        ("layer { name: 'a' type: 'X' } layers { name: 'b' }", "both `layer` and `layers`"),
        (
            "layer { name: 'a' type: 'Concat' concat_param { axis: 1 concat_dim: 1 } }",
            "concat_dim and axis are both given",
        ),
        (
            "layer { name: 'a' type: 'Data' transform_param { scale: 2 } data_param { scale: 2 } }",
            "scale stands here and in transform_param",
        ),
    ],
)
def test_nets_that_do_not_fit_together(text, message):
    if "layer" not in text:
        text += "\n" + relu("r", "a")
    with pytest.raises(CaffeError, match=message):
        net(text)


def test_formats_that_are_not_read():
    for fields in ("", "num_output: 2 kernelsize: 3"):
        with pytest.raises(NotImplementedError, match=r"line 1: .*first format \(V0, 2013"):
            net(f"layers {{ layer {{ name: 'a' type: 'conv' {fields} }} bottom: 'x' }}")
    with pytest.raises(NotImplementedError, match=r"layer 'a' \(ReLU\) has its weights"):
        net("layer { name: 'a' type: 'ReLU' blobs { data: 1 } }")


def test_names_for_keras():
    assert keras_name("inception_3a/1x1 (b)") == "inception_3a_1x1__b_"
    assert keras_name("fc8-pets") == "fc8-pets"
    assert keras_name("_x") == "layer_x"
    found = net("input: 'data'" + relu("a/b") + relu("a b") + relu("A_b"))
    assert [layer.keras_name for layer in found.layers] == ["a_b", "a_b_1", "A_b_2"]
