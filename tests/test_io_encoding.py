"""Images kept as JPEG or PNG bytes: what is stored, what is refused, what a killed run leaves."""

import signal
import subprocess
import sys
import textwrap
import time

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io._encoding import decode_row, encode_image
from pyimagesearch.utils.images import ImageError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.hdf5"


def partial_of(path):
    return path.with_name(path.name + ".partial")


def pictures(count, channels=3):
    """Smooth pictures of 8x12 pixels, no two alike."""
    ramp = np.arange(8 * 12).reshape(8, 12, 1) + 10 * np.arange(channels)
    return np.stack([ramp + i for i in range(count)]).astype(np.uint8)


# what is stored


@pytest.mark.parametrize(("encode", "start"), [("jpeg", b"\xff\xd8\xff"), ("png", b"\x89PNG")])
def test_each_row_is_an_image_file_that_opencv_reads(path, encode, start):
    with HDF5DatasetWriter((3, 8, 12, 3), path, encode=encode) as writer:
        writer.storeClassLabels(["cat", "dog"])
        writer.add(pictures(3), [0, 1, 0])
    with h5py.File(path) as db:
        rows = db["images"]
        assert (rows.attrs["encoding"], rows.attrs["shape"].tolist()) == (encode, [8, 12, 3])
        assert rows.shape == db["labels"].shape == (3,)
        assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
        for row, picture in zip(rows[:], pictures(3), strict=True):
            assert row.dtype == np.uint8
            assert row.tobytes().startswith(start)
            decoded = cv2.imdecode(row, cv2.IMREAD_COLOR).astype(int)
            assert np.abs(decoded - picture).max() <= (4 if encode == "jpeg" else 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_gives_every_pixel_back(channels):
    picture = pictures(1, channels)[0]
    data = encode_image(picture, "png")
    assert (data.dtype, data.ndim) == (np.uint8, 1)
    assert np.array_equal(decode_row(data, "png", (8, 12, channels), "row 0"), picture)


def test_grey_jpegs_keep_their_one_channel():
    data = encode_image(pictures(1, 1)[0], "jpeg")
    decoded = decode_row(data, "jpeg", (8, 12, 1), "row 0")
    assert decoded.shape == (8, 12, 1)
    assert np.abs(decoded.astype(int) - pictures(1, 1)[0]).max() <= 2


def test_a_lower_quality_takes_less_space(path):
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert len(encode_image(picture, "jpeg", 30)) < len(encode_image(picture, "jpeg", 95)) / 2
    with HDF5DatasetWriter((1, 64, 64, 3), path, encode="jpeg", quality=30) as writer:
        writer.add([picture], [0])
    with h5py.File(path) as db:
        assert db["images"][0].tolist() == encode_image(picture, "jpeg", 30).tolist()


def test_rows_that_are_encoded_already_are_kept_as_they_are(path):
    files = [encode_image(picture, "png") for picture in pictures(3)]
    with HDF5DatasetWriter((4, 8, 12, 3), path, encode="png") as writer:
        writer.add([files[0].tobytes(), files[1], pictures(3)[2]], [0, 1, 2])  # an image, too
    with h5py.File(path) as db:
        assert [row.tolist() for row in db["images"][:]] == [file.tolist() for file in files]
        assert db["labels"][:].tolist() == [0, 1, 2]


def test_rows_of_one_file_can_be_added_to_another(path, tmp_path):
    with HDF5DatasetWriter((20, 8, 12, 3), path, encode="jpeg") as writer:
        writer.add(pictures(20), range(20))  # enough of them to be encoded in threads
    with (
        h5py.File(path) as db,
        HDF5DatasetWriter((10, 8, 12, 3), tmp_path / "half.hdf5", encode="jpeg") as writer,
    ):
        writer.add(db["images"][10:], db["labels"][10:])
    with h5py.File(path) as db, h5py.File(tmp_path / "half.hdf5") as half:
        pairs = zip(db["images"][10:], half["images"][:], strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_the_callers_memory_may_change_after_add(path):
    row = encode_image(pictures(1)[0], "png")
    kept = row.tolist()
    with HDF5DatasetWriter((1, 8, 12, 3), path, encode="png") as writer:
        writer.add([row], [0])
        row[:] = 0
    with h5py.File(path) as db:
        assert db["images"][0].tolist() == kept


def test_the_file_is_little_larger_than_its_images(path):
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encode_image(picture, "jpeg")
    with HDF5DatasetWriter((2000, 64, 64, 3), path, encode="jpeg") as writer:
        for _ in range(10):
            writer.add([data] * 100, [0] * 100)
    assert path.stat().st_size < 1.02 * 1000 * len(data) + 100_000
    assert list(path.parent.iterdir()) == [path]


# what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encode": "webp"}, "encode must be .*'webp'"),
        ({"dims": (3, 4)}, r"dims must be \(rows, H, W, C\).*\(4,\)"),
        ({"dims": (3, 8, 8, 4)}, r"C 1 or 3.*\(8, 8, 4\)"),
        ({"quality": 0}, "quality.*0"),
        ({"quality": 101}, "quality must be 1 to 100.*101"),
        ({"encode": "png", "quality": 50}, "quality is of encode=\"jpeg\".*50.*'png'"),
        ({"encode": None, "quality": 50}, 'quality is of encode="jpeg"'),
        ({"dtype": "float32"}, "Encoded images are uint8.*float32"),
    ],
)
def test_impossible_arguments_are_refused(path, options, message):
    with pytest.raises(ValueError, match=message):
        HDF5DatasetWriter(**{"dims": (3, 8, 8, 3), "outputPath": path, "encode": "jpeg", **options})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (np.zeros((8, 12, 3)), TypeError, "must be uint8.*float64"),
        (np.zeros((8, 12), np.uint8), ValueError, r"\(8, 12, 3\).*Received: shape \(8, 12\)"),
        (np.zeros((12, 8, 3), np.uint8), ValueError, r"Received: shape \(12, 8, 3\)"),
        (b"", ImageError, "Row 0 of those added is no jpeg data"),
        (encode_image(pictures(1)[0], "png"), ImageError, "is no jpeg data"),
        (encode_image(pictures(1)[0][:4], "jpeg"), ImageError, r"\(4, 12, 3\), not \(8, 12, 3\)"),
        (encode_image(pictures(1, 1)[0], "jpeg"), ImageError, r"\(8, 12, 1\), not \(8, 12, 3\)"),
        (encode_image(pictures(1)[0], "jpeg")[:-9], ImageError, "truncated"),
    ],
)
def test_a_refused_row_leaves_the_writer_as_it_was(path, row, error, message):
    with HDF5DatasetWriter((3, 8, 12, 3), path, encode="jpeg") as writer:
        writer.add(pictures(1), [1])
        with pytest.raises(error, match=message):
            writer.add([row], [0])
        assert len(writer) == 1


def test_damaged_rows_are_named_and_not_decoded():
    data = encode_image(pictures(1)[0], "png")
    damaged = data.copy()
    damaged[-20] ^= 1
    with pytest.raises(ImageError, match=r"row 7 of x\.hdf5.*checksum"):
        decode_row(damaged, "png", (8, 12, 3), "row 7 of x.hdf5")
    with pytest.raises(ImageError, match=r"row 7 is an image of the shape \(8, 12, 3\), not"):
        decode_row(data, "png", (8, 8, 3), "row 7")
    with pytest.raises(ImageError, match="row 7 is no jpeg data"):
        decode_row(data, "jpeg", (8, 12, 3), "row 7")
    with pytest.raises(ImageError, match="row 7 is no png data"):  # a row that never came
        decode_row(data[:0], "png", (8, 12, 3), "row 7")


def test_a_turned_photograph_is_an_image_of_another_shape():
    data = encode_image(pictures(1)[0], "jpeg").tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    turned = np.frombuffer(data[:2] + segment + data[2:], np.uint8)
    with pytest.raises(ImageError, match=r"row 0 decodes to the shape \(12, 8, 3\)"):
        decode_row(turned, "jpeg", (8, 12, 3), "row 0")


# broken runs


def interrupt(path, **options):
    def build():
        with HDF5DatasetWriter((9, 8, 12, 3), path, **options) as writer:
            writer.add(pictures(3), range(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encode": "png"}, "it holds jpeg rows of quality 90, not png rows"),
        ({"encode": "jpeg"}, "of quality 90, not jpeg rows of quality 95"),
        ({}, "it holds jpeg rows of quality 90, not plain rows"),
        ({"encode": "jpeg", "quality": 90, "dims": (9, 12, 8, 3)}, r"not \(9, 12, 8, 3\)"),
    ],
)
def test_resume_refuses_a_file_of_another_encoding(path, options, message):
    interrupt(path, encode="jpeg", quality=90)
    with pytest.raises(ValueError, match=message):
        HDF5DatasetWriter(**{"dims": (9, 8, 12, 3), "outputPath": path, "resume": True, **options})
    with HDF5DatasetWriter((9, 8, 12, 3), path, resume=True, encode="jpeg", quality=90) as writer:
        assert writer.idx == 3


def test_resume_refuses_plain_rows_where_encoded_ones_come(path):
    interrupt(path)
    with pytest.raises(ValueError, match="it holds plain rows, not png rows"):
        HDF5DatasetWriter((9, 8, 12, 3), path, resume=True, encode="png")


@pytest.mark.parametrize("killed", ["rows", "number"])
def test_rows_after_the_last_complete_write_are_written_anew(path, monkeypatch, killed):
    interrupt(path, encode="png")
    code = """
        import os, sys
        import h5py
        import numpy as np
        from pyimagesearch.io import HDF5DatasetWriter

        def die(*args):
            os.kill(os.getpid(), 9)

        writer = HDF5DatasetWriter((9, 8, 12, 3), sys.argv[1], encode="png", resume=True)
        writer.add(np.full((4, 8, 12, 3), 200, np.uint8), [9] * 4)
        if sys.argv[2] == "rows":  # they are there, their number and the file's end are not
            h5py.File.flush = die
        else:
            h5py.AttributeManager.modify = die
        writer.flush()
        """
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(code), path, killed], check=False)
    assert child.returncode == -signal.SIGKILL
    with HDF5DatasetWriter((9, 8, 12, 3), path, encode="png", resume=True) as writer:
        assert writer.idx == 3
        writer.add(pictures(9)[3:], range(3, 9))
    with h5py.File(path) as db:
        decoded = [decode_row(row, "png", (8, 12, 3), "row") for row in db["images"][:]]
        assert np.array_equal(decoded, pictures(9))
        assert db["labels"][:].tolist() == list(range(9))


BUILD = """
    import sys
    import numpy as np
    from pyimagesearch.io import HDF5DatasetWriter

    encode, rows = sys.argv[2], int(sys.argv[3])
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    with HDF5DatasetWriter(
        (rows + 9, 32, 32, 3), sys.argv[1], bufSize=7, encode=encode, resume=True
    ) as writer:
        print(writer.idx, flush=True)
        for i in range(writer.idx, rows):
            writer.add([noise // (1 + i % 9)], [i])
    """


@pytest.mark.parametrize("encode", ["jpeg", "png"])
def test_a_killed_build_resumes_to_the_bytes_of_an_uninterrupted_one(path, tmp_path, encode):
    def build(target):
        code = [sys.executable, "-c", textwrap.dedent(BUILD), target, encode, "1000"]
        return subprocess.Popen(code, stdout=subprocess.PIPE, text=True)

    whole = tmp_path / "whole.hdf5"
    assert "0" in build(whole).communicate()[0]
    with h5py.File(whole) as db:
        rows, labels = db["images"][:], db["labels"][:]
    assert len(rows) == 1000

    def same(target, count):
        with h5py.File(target, locking=False) as db:
            pairs = zip(db["images"][:count], rows[:count], strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)
            assert np.array_equal(db["labels"][:count], labels[:count])

    for delay in np.random.default_rng().uniform(0, 0.1, 4):
        with build(path) as child:
            child.stdout.readline()
            time.sleep(delay)
            child.kill()
        if path.exists() or not partial_of(path).exists():  # a fast machine
            break
        with h5py.File(partial_of(path), locking=False) as db:
            count = int(db.attrs.get("idx", 1000))
        same(partial_of(path), max(count, 0))
    if not path.exists():
        build(path).communicate()
    same(path, 1000)
    with h5py.File(path) as db:
        assert len(db["images"]) == len(db["labels"]) == 1000
