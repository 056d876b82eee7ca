"""Caffe's binary files."""

import numpy as np
import pytest
from caffe_fixtures import FIXTURES, NETS

from pyimagesearch.caffe import CaffeError
from pyimagesearch.caffe._wire import (
    Datum,
    blob_bytes,
    datum_bytes,
    fields,
    read_blob,
    read_datum,
    read_layers,
    write_layers,
)


def message(*parts):
    """A message of bytes fields (number, bytes) and number fields (number, int)."""
    out = b""
    for number, value in parts:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def floats(*numbers, dtype="<f4"):
    return np.array(numbers, dtype).tobytes()


def test_fields_of_every_way():
    data = varint(1 << 3) + varint(-2) + varint(2 << 3 | 5) + floats(1.5) + message((300, b"ab"))
    found = [(number, value if isinstance(value, int) else bytes(value)) for number, value in
             fields(data, "file")]  # fmt: skip
    assert found == [(1, 2**64 - 2), (2, int.from_bytes(floats(1.5), "little")), (300, b"ab")]


@pytest.mark.parametrize(
    ("blob", "shape", "numbers"),
    [
        (message((7, message((1, varint(2) + varint(3)))), (5, floats(*range(6)))), (2, 3), 6),
        (message((7, message((1, 2), (1, 3))), (5, floats(*range(6)))), (2, 3), 6),  # not packed
        (message((7, b""), (5, floats(0))), (), 1),
        (message((1, 1), (2, 1), (3, 2), (4, 3), (5, floats(*range(6)))), (1, 1, 2, 3), 6),
        (message((4, 3), (5, floats(*range(3)))), (1, 1, 1, 3), 3),
        (message((7, message((1, 3))), (8, floats(*range(3), dtype="<f8"))), (3,), 3),
        (message((7, message((1, 3))), (5, floats(0)), (5, floats(1, 2))), (3,), 3),
        (message((7, message((1, 1))), (5, floats(0)), (6, floats(9)), (99, b"?")), (1,), 1),
        (message((7, message((1, 0)))), (0,), 0),
    ],
)
def test_blobs(blob, shape, numbers):
    array = read_blob(blob, "file")
    assert array.shape == shape
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array.ravel(), np.arange(numbers))


def test_single_floats_are_joined():
    blob = message((7, message((1, 2))))
    blob += varint(5 << 3 | 5) + floats(3) + varint(5 << 3 | 5) + floats(4)
    np.testing.assert_array_equal(read_blob(blob, "file"), [3, 4])


@pytest.mark.parametrize(
    ("blob", "text"),
    [
        (message((7, message((1, 4))), (5, floats(1, 2))), r"shape \(4\) needs 4 .*Received: 2"),
        (message((7, message((1, -4))), (5, floats(1))), r"a blob of shape \(-4\)"),
        (message((7, message((1, 2**40))), (5, floats(1))), "a blob of shape"),
        (message((7, message((1, varint(2**30) * 4))), (5, floats(1))), "Received: 1"),
        (message((7, message((1, b"\1" * 33))), (5, floats(1))), "a blob of shape"),
        (message((7, message((1, 1))), (5, b"abc")), "3 bytes, no multiple of 4"),
        (message((7, message((1, 1))), (5, floats(1)))[:-1], "announces 4 bytes, 3 follow"),
        (message((7, 3)), "a shape is a number"),
        (message((1, b"x")), "a size is no number"),
        (b"\xff" * 20, "more than 10 bytes"),
        (b"\x0b", "is written in way 3"),
        (b"\x00\x01", "byte 0 is no field"),
        (b"\x08\x80", "ends inside of a number"),
        (b"\x0d\x01", "field 1 has no value"),
    ],
)
def test_damaged_blobs(blob, text):
    with pytest.raises(CaffeError, match=text) as caught:
        read_blob(blob, "some.file")
    assert "some.file" in str(caught.value)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 3), (2, 3, 4, 5)])
def test_written_blobs_are_read_again(shape):
    array = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(read_blob(blob_bytes(array), "x"), array, strict=True)


def test_mean_file_is_written_as_caffe_does():
    content = (FIXTURES / "mean.binaryproto").read_bytes()
    array = read_blob(content, "mean")
    expected = np.load(FIXTURES / "pets_expected.npz")["mean"]
    np.testing.assert_array_equal(array[0], expected)
    assert blob_bytes(expected, legacy=True) == content


@pytest.mark.parametrize("name", sorted(NETS))
def test_weights_of_the_fixtures(name, tmp_path):
    layers = read_layers(FIXTURES / name / NETS[name])
    assert layers["data"] == []
    assert "label_data_1_split" in layers
    assert all(blob.dtype == np.float32 for blobs in layers.values() for blob in blobs)
    path = tmp_path / "again.caffemodel"
    write_layers(path, layers, name)
    again = read_layers(path)
    assert list(again) == list(layers)
    for layer, blobs in layers.items():
        for one, other in zip(blobs, again[layer], strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


def test_older_format_of_weights(tmp_path):
    blob = message((1, 1), (2, 1), (3, 2), (4, 3), (5, floats(*range(6))))
    layer = message((2, b"data"), (3, b"ip"), (4, b"ip"), (5, 14), (6, blob))
    path = tmp_path / "v1.caffemodel"
    path.write_bytes(message((1, b"net"), (2, layer)))
    assert read_layers(path)["ip"][0].shape == (1, 1, 2, 3)


def test_formats_that_are_not_read(tmp_path):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(message((2, message((1, message((1, b"conv"), (2, b"conv")))))))
    with pytest.raises(NotImplementedError, match=r"first format \(V0"):
        read_layers(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(NotImplementedError, match=r"caffemodel\.h5"):
        read_layers(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"name: 'a text'\nlayer {}", "x.caffemodel"),
        (message((1, b"net")), "holds no layer"),
        (message((100, message((1, b"a"), (7, message((7, message((1, 2)))))))), "'a'.*needs 2"),
        (message((100, message((1, b"\xff")))), "a layer's name is no text"),
        (message((100, 5)), "a layer is a number"),
        (
            message((100, message((1, b"a"), (7, blob_bytes([1]))))) * 2,
            "two layers of the name 'a'",
        ),
    ],
)
def test_damaged_weights(content, text, tmp_path):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(content)
    with pytest.raises(CaffeError, match=text) as caught:
        read_layers(path)
    assert "x.caffemodel" in str(caught.value)


def test_every_truncation_of_a_file_is_an_error_or_a_shorter_file(tmp_path):
    content = (FIXTURES / "reslet" / NETS["reslet"]).read_bytes()
    whole = read_layers(FIXTURES / "reslet" / NETS["reslet"])
    path = tmp_path / "cut.caffemodel"
    errors = 0
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        try:
            found = read_layers(path)
        except CaffeError:
            errors += 1
        else:  # cut between two layers
            assert len(found) < len(whole)
    assert errors > 0.9 * len(content) / 7


@pytest.mark.parametrize(
    "datum",
    [
        Datum(3, 2, 1, b"\0\1\2\3\4\5", 7),
        Datum(data=b"\xff\xd8", label=1, encoded=True),
        Datum(2, 1, 1, label=-1, float_data=np.array([0.5, -2], np.float32)),
    ],
    ids=["raw", "encoded", "float"],
)
def test_datums(datum):
    again = read_datum(datum_bytes(datum), "x")
    assert bytes(again.data) == datum.data
    assert (again.channels, again.height, again.width, again.label, again.encoded) == (
        *(datum.channels, datum.height, datum.width, datum.label, datum.encoded),
    )
    if datum.float_data is None:
        assert again.float_data is None
    else:
        np.testing.assert_array_equal(again.float_data, datum.float_data, strict=True)
