"""Reading CIFAR-10, and learning rate schedules."""

import io
import os
import pickle
import resource
import struct
import subprocess
import sys

import keras
import numpy as np
import pytest

from pyimagesearch.datasets import load_cifar10
from pyimagesearch.training.schedules import polynomial_decay

FILES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


@pytest.fixture
def cifar10(tmp_path):
    """Six files of two images: of file f, red f, green 100 + f and blue 200 + f."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for f, name in enumerate(FILES):
        planes = np.repeat(np.array([f, 100 + f, 200 + f], "uint8"), 1024)
        batch = {b"data": np.stack([planes, planes]), b"labels": [f, 9 - f]}
        (folder / name).write_bytes(pickle.dumps(batch))
    return folder


def test_the_five_batches_are_joined_in_order_and_rgb(cifar10):
    (trainX, trainY), (testX, testY), names = load_cifar10(cifar10)
    assert (trainX.shape, trainX.dtype) == ((10, 32, 32, 3), np.uint8)
    assert (testX.shape, testX.dtype) == ((2, 32, 32, 3), np.uint8)
    assert trainX[:, 31, 0].tolist() == [[f, 100 + f, 200 + f] for f in range(5) for _ in range(2)]
    assert testX[0, 0, 31].tolist() == [5, 105, 205]
    assert trainY.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert testY.tolist() == [5, 4]
    assert trainY.dtype == testY.dtype == np.int64
    assert names == [
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ]


def test_a_plane_holds_the_rows_from_top_to_bottom(cifar10):
    data = np.zeros((1, 3072), "uint8")
    data[0, 1024 + 32 * 3 + 5] = 77  # green, fourth row, sixth column
    (cifar10 / "test_batch").write_bytes(pickle.dumps({b"data": data, b"labels": [0]}))
    _, (images, _), _ = load_cifar10(cifar10)
    assert np.argwhere(images).tolist() == [[0, 3, 5, 1]]
    assert images[0, 3, 5, 1] == 77


def test_the_folder_above_will_do(cifar10):
    assert len(load_cifar10(cifar10.parent)[0][0]) == 10
    assert len(load_cifar10(str(cifar10.parent))[0][0]) == 10


def test_a_limit_shortens_the_training_images_alone(cifar10):
    (trainX, trainY), (testX, _), _ = load_cifar10(cifar10, limit=3)
    assert len(trainX) == 3
    assert trainY.tolist() == [0, 9, 1]
    assert len(testX) == 2
    assert len(load_cifar10(cifar10, limit=99)[0][0]) == 10
    for limit in (0, -1):
        with pytest.raises(ValueError, match=f"1 training image or more. Received: {limit}"):
            load_cifar10(cifar10, limit=limit)


def test_the_channels_come_first_where_it_is_asked_for(cifar10):
    last = load_cifar10(cifar10, limit=3)
    first = load_cifar10(cifar10, limit=3, dataFormat="channels_first")
    for (expected, labels), (images, same_labels) in zip(last[:2], first[:2], strict=True):
        assert images.shape == (len(expected), 3, 32, 32)
        assert images.flags.c_contiguous
        assert np.array_equal(images.transpose(0, 2, 3, 1), expected)
        assert np.array_equal(labels, same_labels)
    with pytest.raises(ValueError, match="dataFormat must be one of .* Received: 'channels-first'"):
        load_cifar10(cifar10, dataFormat="channels-first")


def test_the_channels_come_first_where_keras_is_set_so(cifar10, monkeypatch, tmp_path):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    assert load_cifar10(cifar10)[1][0].shape == (2, 3, 32, 32)
    # where Keras is not loaded, by its configuration file
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    code = (
        "import sys; from pyimagesearch.datasets import load_cifar10;"
        "print(load_cifar10(sys.argv[1])[1][0].shape, 'keras' in sys.modules)"
    )
    output = subprocess.check_output(
        [sys.executable, "-c", code, cifar10], text=True, env={"KERAS_HOME": str(tmp_path)}
    )
    assert output == "(2, 3, 32, 32) False\n"


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2 did, which the official files were made with."""

    def save_string(self, value):
        raw = value if isinstance(value, bytes) else value.encode()
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)


Python2Pickler.dispatch = pickle._Pickler.dispatch | dict.fromkeys(
    (bytes, str), Python2Pickler.save_string
)


def test_files_of_python_2_are_read(cifar10):
    data = np.arange(2 * 3072, dtype="uint64").astype("uint8").reshape(2, 3072)
    official = {
        "batch_label": "testing batch 1 of 1",
        "labels": [3, 8],
        "data": data,
        "filenames": ["domestic_cat_s_000907.png", "hydrofoil_s_000078.png"],
    }
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(official)
    raw = file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray\n_reconstruct" in raw
    (cifar10 / "test_batch").write_bytes(raw)
    _, (images, labels), _ = load_cifar10(cifar10)
    assert np.array_equal(images.transpose(0, 3, 1, 2).reshape(2, 3072), data)
    assert labels.tolist() == [3, 8]


class Command:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_pickle_that_runs_code_does_not_run_it(cifar10, tmp_path):
    path = cifar10 / "data_batch_3"
    path.write_bytes(pickle.dumps({b"data": Command(tmp_path / "made"), b"labels": []}))
    with pytest.raises(ValueError, match=rf"data_batch_3 .*it asks for {os.mkdir.__module__}\.mkd"):
        load_cifar10(cifar10)
    assert not (tmp_path / "made").exists()


def nested(levels):
    """Return a list whose length, were it an array, is 10 to the power of `levels`."""
    labels = [1] * 10
    for _ in range(levels - 1):
        labels = [labels] * 10
    return labels


class Array:
    """A pickle that asks NumPy for an array of any size."""

    def __init__(self, *shape):
        self.shape = shape

    def __reduce__(self):
        return np.ndarray, (self.shape, np.dtype("O"))


class Rebuilt(Array):
    def __reduce__(self):
        return np.empty(0).__reduce__()[0], (np.ndarray, self.shape, b"O")


@pytest.mark.parametrize(
    "raw",
    [
        pickle.dumps({b"data": np.zeros((1, 3072), "uint8"), b"labels": nested(12)}),
        pickle.dumps({b"data": Array(10**9), b"labels": [0]}),
        pickle.dumps({b"data": Rebuilt(10**9), b"labels": [0]}),
        b"\x80\x05\x96" + (3 * 10**9).to_bytes(8, "little") + b".",  # a bytearray of 3 GB
        b"\x80\x02K\x01r\xff\xff\xff\x0f.",  # the 268,435,455th thing to remember
    ],
)
def test_a_small_pickle_cannot_take_a_gigabyte(cifar10, raw):
    (cifar10 / "data_batch_1").write_bytes(raw)
    before = peak()
    with pytest.raises(ValueError, match="data_batch_1 is "):
        load_cifar10(cifar10)
    assert peak() - before < 200e6


def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_truncated_or_damaged_batch_is_named(cifar10):
    path = cifar10 / "data_batch_2"
    whole = path.read_bytes()
    for raw in (b"", whole[:100], whole[:-1], b"\x80" + whole, b"no pickle"):
        path.write_bytes(raw)
        with pytest.raises(ValueError, match="data_batch_2 is truncated, damaged or no CIFAR-10"):
            load_cifar10(cifar10)


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        ([1, 2], "a list"),
        ({}, "an empty dict"),
        (
            {b"data": np.zeros((1, 3072), "uint8"), b"fine_labels": [4]},  # CIFAR-100
            r"b'data' (array (1, 3072)), b'fine_labels' (list)",
        ),
        ({b"data": np.zeros((1, 3072)), b"labels": [4]}, "b'data' (array (1, 3072))"),
        ({b"data": np.zeros((1, 1024), "uint8"), b"labels": [4]}, "b'data' (array (1, 1024))"),
        ({b"data": np.zeros((2, 3072), "uint8"), b"labels": [4]}, "b'data' (array (2, 3072))"),
        ({b"data": np.zeros((1, 3072), "uint8"), b"labels": [10]}, "b'labels' (list)"),
        ({b"data": None, b"labels": [0]}, "b'data' (NoneType)"),
    ],
)
def test_a_batch_of_something_else_is_described(cifar10, batch, found):
    (cifar10 / "test_batch").write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match="test_batch is no CIFAR-10 batch. Expected") as error:
        load_cifar10(cifar10)
    assert found in str(error.value)


def test_a_wrong_folder_is_compared_with_the_right_layout(cifar10, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder .*nowhere"):
        load_cifar10(tmp_path / "nowhere")
    (cifar10 / "data_batch_4").unlink()
    with pytest.raises(FileNotFoundError) as error:
        load_cifar10(cifar10)
    assert "Missing: data_batch_4. Found: data_batch_1, data_batch_2" in str(error.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="Found: nothing"):
        load_cifar10(tmp_path / "empty")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_without_a_folder_keras_provides_the_same(monkeypatch, data_format):
    shape = (1, 3, 32, 32) if data_format == "channels_first" else (1, 32, 32, 3)
    part = np.zeros(shape, "uint8"), np.array([[7]], "uint8")
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: (part, part))
    monkeypatch.setattr(keras.config, "image_data_format", lambda: data_format)
    for images, labels in load_cifar10()[:2]:
        assert images.shape == shape
        assert labels.tolist() == [7]
    for images, _ in load_cifar10(dataFormat="channels_last")[:2]:
        assert images.shape == (1, 32, 32, 3)


def test_a_failed_download_says_what_to_do(monkeypatch):
    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    with pytest.raises(OSError, match="URL fetch failure. Download cifar-10-python.tar.gz"):
        load_cifar10()


# -- schedules ---------------------------------------------------------------------------------


def test_linear_decay_falls_by_the_same_step_to_zero():
    schedule = polynomial_decay(0.1, 5)
    assert [schedule(epoch) for epoch in range(6)] == pytest.approx(
        [0.1, 0.08, 0.06, 0.04, 0.02, 0]
    )


def test_a_power_of_two_falls_faster_at_first():
    schedule = polynomial_decay(0.8, 4, power=2)
    assert [schedule(epoch) for epoch in range(5)] == pytest.approx([0.8, 0.45, 0.2, 0.05, 0])


@pytest.mark.parametrize(
    ("args", "message"),
    [((0, 5), "lr .* 0"), ((0.1, -2), "epochs .* -2"), ((0.1, 5, -1), "power .* -1")],
)
def test_a_schedule_that_could_not_fall_is_refused(args, message):
    with pytest.raises(ValueError, match=f"{message}."):
        polynomial_decay(*args)


def test_a_schedule_has_no_rate_beyond_its_end():
    for epoch in (-1, 6):
        with pytest.raises(ValueError, match=f"has 5 epochs. Received: epoch {epoch}"):
            polynomial_decay(0.1, 5)(epoch)
