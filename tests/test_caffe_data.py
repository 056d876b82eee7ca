"""Caffe's data into ours: means, preprocessors, image lists, Datums, and LMDB to HDF5."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import h5py
import lmdb
import numpy as np
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe import (
    CaffeError,
    lmdb_to_hdf5,
    read_image_list,
    read_mean,
    write_lmdb,
    write_mean,
)
from pyimagesearch.caffe._wire import Datum, blob_bytes, datum_bytes
from pyimagesearch.caffe.datums import decode_datum, read_datums
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.io._journal import describe
from pyimagesearch.preprocessing import (
    CropPreprocessor,
    HistogramEqualizePreprocessor,
    MeanImagePreprocessor,
)
from pyimagesearch.utils.images import ImageError

PETS = FIXTURES / "pets_lmdb"
MEAN = FIXTURES / "mean.binaryproto"
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def expected():
    return dict(np.load(FIXTURES / "pets_expected.npz"))


def picture(height, width, channels=3):
    """A smooth image, which JPEG keeps nearly."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 100 * np.sin(x / (9 + c) + y / 11) for c in range(channels)]
    return np.stack(planes, axis=2).astype(np.uint8)


# --- means -----------------------------------------------------------------------------------


def test_the_mean_of_compute_image_mean_is_read_and_written_byte_for_byte(tmp_path, expected):
    mean = read_mean(MEAN)
    assert mean.dtype == np.float32
    assert np.array_equal(mean, expected["mean"])
    write_mean(tmp_path / "deep" / "copy.binaryproto", mean)
    assert (tmp_path / "deep" / "copy.binaryproto").read_bytes() == MEAN.read_bytes()


def test_a_mean_survives_each_of_the_formats(tmp_path, expected):
    mean = expected["mean"].astype(np.float32)
    for name in ("a.binaryproto", "a.npy"):
        write_mean(tmp_path / name, mean)
        assert np.array_equal(read_mean(tmp_path / name), mean)
    write_mean(tmp_path / "a.json", mean)
    means = json.loads((tmp_path / "a.json").read_text())
    assert means == pytest.approx({"B": mean[0].mean(), "G": mean[1].mean(), "R": mean[2].mean()})
    assert read_mean(tmp_path / "a.json").shape == (3, 1, 1)
    assert read_mean(tmp_path / "a.json").ravel() == pytest.approx(mean.mean(axis=(1, 2)))


def test_a_mean_of_today_and_one_without_a_suffix_are_read(tmp_path):
    mean = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    (tmp_path / "imagenet_mean").write_bytes(blob_bytes(mean))
    assert np.array_equal(read_mean(tmp_path / "imagenet_mean"), mean)
    np.save(tmp_path / "channels.npy", np.float64([1, 2, 3]))
    assert read_mean(tmp_path / "channels.npy").tolist() == [[[1]], [[2]], [[3]]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.binaryproto", b"", "is no mean image"),
        ("a.binaryproto", blob_bytes(np.zeros((2, 3, 4, 4))), r"Received: \(2, 3, 4, 4\)"),
        ("a.binaryproto", blob_bytes(np.full((1, 2, 2), np.nan)), "NaN"),
        ("a.binaryproto", blob_bytes(np.zeros((3, 4, 4)))[:-4], "truncated"),
        ("a.npy", b"\x93NUMPY", "not an array"),
        ("a.json", b'{"R": 1, "G": 2}', "channel means"),
        ("a.json", b'{"R": 1, "G": 2, "B": NaN}', "channel means"),
        ("a.json", b"\xff\xfe", "channel means"),
    ],
)
def test_what_is_no_mean_is_refused_by_name(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaffeError, match=words) as caught:
        read_mean(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_mean_and_a_mean_that_cannot_be_written(tmp_path):
    for name in ("a.binaryproto", "a.npy", "a.json"):
        with pytest.raises(FileNotFoundError):
            read_mean(tmp_path / name)
    with pytest.raises(ValueError, match=r"\.binaryproto, \.npy or \.json"):
        write_mean(tmp_path / "a.png", np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        write_mean(tmp_path / "a.npy", np.zeros((3, 2)))
    with pytest.raises(ValueError, match="NaN"):
        write_mean(tmp_path / "a.npy", np.full((1, 1, 1), np.inf))
    with pytest.raises(ValueError, match="1 channels"):
        write_mean(tmp_path / "a.json", np.zeros((1, 2, 2)))
    assert not list(tmp_path.iterdir())


# --- preprocessors ---------------------------------------------------------------------------


def test_the_mean_image_is_subtracted_where_the_picture_lies(expected):
    preprocessor = MeanImagePreprocessor(MEAN)
    image, mean = expected["images"][0], expected["mean"].transpose(1, 2, 0)
    whole = preprocessor.preprocess(image)
    assert whole.dtype == np.float32
    assert np.array_equal(whole, image - mean.astype(np.float32))
    # before a crop and after it, for the centre and for any place
    for height, width in ((28, 28), (27, 30), (1, 1)):
        crop = CropPreprocessor(width, height, horiz=False)
        assert np.array_equal(
            preprocessor.preprocess(crop.preprocess(image)[4]), crop.preprocess(whole)[4]
        )
    for top, left in ((0, 0), (4, 1), (3, 4)):
        window = slice(top, top + 28), slice(left, left + 28)
        found = preprocessor.preprocess(image[window], crop=(top, left))
        assert np.array_equal(found, whole[window])


def test_a_mean_image_takes_arrays_grey_images_and_single_numbers():
    grey = MeanImagePreprocessor(np.full((1, 4, 4), 3.0))
    assert grey.preprocess(np.full((4, 4), 5, np.uint8)).tolist() == [[2.0] * 4] * 4
    assert grey.preprocess(np.full((2, 2, 1), 5.0)).shape == (2, 2, 1)
    numbers = MeanImagePreprocessor(np.float32([1, 2, 3]).reshape(3, 1, 1))
    assert numbers.preprocess(np.zeros((7, 5, 3), np.uint8))[6, 4].tolist() == [-1, -2, -3]


def test_a_build_goes_on_only_with_the_same_mean_image():
    """The journal of a build describes its preprocessors, and a mean image is a large one."""
    mean = np.zeros((3, 64, 64))
    same, other = describe_with(mean), mean.copy()
    other[1, 30, 30] = 1
    assert describe_with(mean) == same
    assert describe_with(other) != same


def describe_with(mean):
    return describe(["a.jpg"], [0], [MeanImagePreprocessor(mean)])


def test_a_mean_image_refuses_what_does_not_fit():
    preprocessor = MeanImagePreprocessor(np.zeros((3, 4, 6)))
    with pytest.raises(ValueError, match=r"6x4 pixels.*a 6x5 image.*SimplePreprocessor"):
        preprocessor.preprocess(np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(ValueError, match="has 3 channels"):
        preprocessor.preprocess(np.zeros((4, 6), np.uint8))
    with pytest.raises(ValueError, match=r"at \(top, left\) = \(1, 0\) does not lie"):
        preprocessor.preprocess(np.zeros((4, 6, 3), np.uint8), crop=(1, 0))
    with pytest.raises(ValueError, match="image is None"):
        preprocessor.preprocess(None)
    for mean in (np.zeros((3, 4)), np.zeros((0, 4, 4)), np.full((1, 2, 2), np.nan)):
        with pytest.raises(ValueError, match="mean"):
            MeanImagePreprocessor(mean)


def test_each_channel_is_equalized_by_itself():
    image = (picture(20, 30) // 4 + 60).astype(np.uint8)
    before = image.copy()
    found = HistogramEqualizePreprocessor().preprocess(image)
    assert found.shape == image.shape
    assert np.array_equal(image, before)
    for channel in range(3):
        assert np.array_equal(found[..., channel], cv2.equalizeHist(image[..., channel].copy()))
    assert found.min() == 0
    assert found.max() == 255
    grey = image[..., 0]
    assert np.array_equal(HistogramEqualizePreprocessor().preprocess(grey), found[..., 0])
    assert HistogramEqualizePreprocessor().preprocess(image[:, :, :1]).shape == (20, 30, 1)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "Received: float32"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (None, "image is None"),
    ],
)
def test_what_cannot_be_equalized_is_refused(image, words):
    with pytest.raises(ValueError, match=words):
        HistogramEqualizePreprocessor().preprocess(image)


# --- image lists -----------------------------------------------------------------------------


def test_an_image_list_is_split_at_the_last_space_and_the_root_put_before(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes("cats/a 1.jpg 0\r\n\ndogs/ü.jpg 17\n  x.png -1 \n".encode())
    names = ["cats/a 1.jpg", "dogs/ü.jpg", "x.png"]
    assert read_image_list(path) == (names, [0, 17, -1])
    assert read_image_list(path, "root/")[0] == [f"root/{name}" for name in names]
    assert read_image_list(path, "root_")[0][0] == "root_cats/a 1.jpg"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # the mark that some editors write
    assert read_image_list(path) == (names, [0, 17, -1])


def test_a_file_name_that_is_no_unicode_is_kept(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg 1\n")
    (paths, _) = read_image_list(tmp_path / "list.txt")
    assert paths == [name]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a.jpg 1\nb.jpg\n", "line 2"),
        ("a.jpg 1\nb.jpg two", "line 2.*'b.jpg two'"),
        ("a.jpg 1.5", "whole number"),
        ("a.jpg 99999999999", "line 1"),
        ("a.jpg\t3", "a space"),
        (" 5", "line 1"),
        ("a\0b 5", "line 1"),
        ("", "lists no images"),
        ("\n \n", "lists no images"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path, content, words):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(CaffeError, match=words) as caught:
        read_image_list(tmp_path / "list.txt")
    assert str(tmp_path / "list.txt") in str(caught.value)


def test_a_missing_list_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image_list(tmp_path / "list.txt")


# --- Datums ----------------------------------------------------------------------------------


def test_raw_and_encoded_datums_are_the_images_that_caffe_sees(expected):
    found = list(read_datums(PETS))
    assert [key for key, _ in found] == expected["keys"].tolist()
    assert [datum.label for _, datum in found] == expected["labels"].tolist()
    for (key, datum), image in zip(found, expected["images"], strict=True):
        assert np.array_equal(decode_datum(datum, key), image)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_floats_and_bytes_come_channels_last(channels):
    values = RNG.random((channels, 3, 5)).astype(np.float32)
    floats = Datum(channels, 3, 5, float_data=values.ravel())
    assert np.array_equal(decode_datum(floats, "x"), values.transpose(1, 2, 0))
    data = (values * 255).astype(np.uint8)
    raw = decode_datum(Datum(channels, 3, 5, data.tobytes()), "x")
    assert raw.dtype == np.uint8
    assert np.array_equal(raw, data.transpose(1, 2, 0))


def test_a_grey_file_stays_grey_unless_colour_is_asked_for():
    grey, colour = picture(8, 9, 1), picture(8, 9)
    as_png = {n: cv2.imencode(".png", i)[1].tobytes() for n, i in (("g", grey), ("c", colour))}
    stored = {name: Datum(data=data, encoded=True) for name, data in as_png.items()}
    assert np.array_equal(decode_datum(stored["g"], "x"), grey)
    assert decode_datum(stored["g"], "x", colour="color").shape == (8, 9, 3)
    assert np.array_equal(
        decode_datum(stored["c"], "x", colour="gray")[..., 0],
        cv2.imdecode(np.frombuffer(as_png["c"], np.uint8), cv2.IMREAD_GRAYSCALE),
    )


@pytest.mark.parametrize(
    ("datum", "words"),
    [
        (Datum(3, 4, 4, bytes(47)), "record.*3 channels, height 4, width 4, and holds 47 numbers"),
        (Datum(3, -4, 4, bytes(48)), "height -4"),
        (Datum(3, 2**40, 4, bytes(48)), "height 1099511627776"),
        (Datum(data=b"\xff\xd8\xff\xe0"), "Is it an encoded image without the mark"),
        (Datum(3, 4, 4, float_data=np.zeros(3, np.float32)), "holds 3 numbers"),
        (Datum(data=b"\xff\xd8\xff\xe0", encoded=True), "record is truncated"),
        (Datum(encoded=True), "record is empty"),
    ],
)
def test_a_datum_that_is_no_image_is_named(datum, words):
    with pytest.raises((CaffeError, ImageError), match=words):
        decode_datum(datum, "record")


def test_an_lmdb_is_written_as_convert_imageset_does(tmp_path):
    colour, grey, floats = picture(6, 8), picture(6, 8, 1)[..., 0], RNG.random((2, 3, 5))
    file = cv2.imencode(".jpg", colour)[1].tobytes()
    images = [colour, grey, floats, file]
    items = ((f"{n:08d}_{n}.jpg", image, n) for n, image in enumerate(images))
    assert write_lmdb(tmp_path / "new" / "db", items) == 4
    assert [path.name for path in (tmp_path / "new" / "db").iterdir()] == ["data.mdb"]
    found = [datum for _, datum in read_datums(tmp_path / "new" / "db")]
    assert [datum.label for datum in found] == [0, 1, 2, 3]
    assert np.array_equal(decode_datum(found[0], "x"), colour)
    assert bytes(found[0].data) == colour.transpose(2, 0, 1).tobytes()
    assert decode_datum(found[1], "x").shape == (6, 8, 1)
    assert np.array_equal(decode_datum(found[2], "x"), floats.astype(np.float32))
    assert found[3].encoded
    assert bytes(found[3].data) == file


def test_writing_an_lmdb_harms_nothing(tmp_path):
    image = picture(4, 4)
    target = tmp_path / "db"
    write_lmdb(target, [("a", image, 0)])
    before = (target / "data.mdb").read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write_lmdb(target, [("b", image, 1)])

    def failing():
        yield "b", image, 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_lmdb(target, failing(), overwrite=True)
    assert (target / "data.mdb").read_bytes() == before
    assert len(list(target.iterdir())) == 1
    write_lmdb(target, [("b", image, 1)], overwrite=True)
    assert [key for key, _ in read_datums(target)] == ["b"]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "no images to write"),
        ([("a", picture(4, 4), 0), ("a", picture(4, 4), 0)], "Two images have the key 'a'"),
        ([("", picture(4, 4), 0)], "1 to 511 bytes"),
        ([("k" * 512, picture(4, 4), 0)], "1 to 511 bytes"),
        ([("a", b"\xff\xd8\xff", 0)], "the image 'a' is truncated"),
        ([("a", None, 0)], "the image 'a' must be numbers"),
        ([("a", picture(4, 4), 2**31)], "label has 32 bits"),
    ],
)
def test_what_no_lmdb_holds_is_refused(tmp_path, items, words):
    with pytest.raises(ValueError, match=words):
        write_lmdb(tmp_path / "db", items)
    assert not list(tmp_path.iterdir())


def test_without_the_package_writing_says_how_to_get_it(tmp_path):
    code = (
        "import sys; sys.modules['lmdb'] = None\n"
        "from pyimagesearch.caffe import lmdb_to_hdf5, write_lmdb\n"
        f"print(lmdb_to_hdf5({str(PETS)!r}, {str(tmp_path / 'a.hdf5')!r}))\n"
        f"try: write_lmdb({str(tmp_path / 'db')!r}, [])\n"
        "except ModuleNotFoundError as error: print(error)\n"
        "print({'keras', 'tensorflow', 'torch', 'jax'} & {*sys.modules})"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
    assert found == [
        "20",
        'Writing an LMDB needs the package lmdb: pip install "pyimagesearch[caffe]".',
        "set()",
    ]


# --- LMDB to HDF5 ----------------------------------------------------------------------------


def rows(path):
    with HDF5DatasetGenerator(path, 7, binarize=False) as gen:
        images, labels = zip(*gen.generator(passes=1), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def datums(path, *records):
    """Write Datums as they are, keys in order."""
    with lmdb.open(str(path), map_size=2**30) as env, env.begin(write=True) as txn:
        for number, datum in enumerate(records):
            txn.put(f"{number:05d}".encode(), datum_bytes(datum))
    return path


def raw(height=4, width=4, label=0):
    return Datum(3, height, width, picture(height, width).transpose(2, 0, 1).tobytes(), label)


@pytest.mark.parametrize("workers", [None, 0, 3])
def test_an_lmdb_becomes_an_hdf5_file_of_ours(tmp_path, expected, workers):
    target, done = tmp_path / "pets.hdf5", []
    names = ["cat", "dog"]
    count = lmdb_to_hdf5(PETS, target, classLabels=names, workers=workers, progress=done.append)
    assert count == 20
    assert done[-1] == 20
    images, labels = rows(target)
    assert images.dtype == np.uint8
    assert np.array_equal(images, expected["images"])
    assert np.array_equal(labels, expected["labels"])
    with h5py.File(target) as db:
        assert db["label_names"].asstr()[:].tolist() == names
    assert [path.name for path in tmp_path.iterdir()] == ["pets.hdf5"]


def test_floats_become_float32_rows(tmp_path):
    values = RNG.random((3, 5, 1, 1)).astype(np.float32)
    features = [Datum(5, 1, 1, float_data=row.ravel(), label=n) for n, row in enumerate(values)]
    lmdb_to_hdf5(datums(tmp_path / "db", *features), tmp_path / "f.hdf5", dataKey="features")
    with h5py.File(tmp_path / "f.hdf5") as db:
        assert db["features"].dtype == np.float32
        assert np.array_equal(db["features"][:], values.transpose(0, 2, 3, 1))
        assert db["labels"][:].tolist() == [0, 1, 2]


def test_images_are_resized_as_convert_imageset_does(tmp_path):
    source = datums(tmp_path / "db", raw(8, 10), raw(20, 6), raw(5, 7))
    lmdb_to_hdf5(source, tmp_path / "a.hdf5", size=(5, 7))
    images, _ = rows(tmp_path / "a.hdf5")
    assert np.array_equal(images[0], cv2.resize(picture(8, 10), (7, 5)))
    assert np.array_equal(images[2], picture(5, 7))
    lmdb_to_hdf5(source, tmp_path / "b.hdf5", size=(5, 7), inter=cv2.INTER_AREA)
    assert np.array_equal(
        rows(tmp_path / "b.hdf5")[0][1], cv2.resize(picture(20, 6), (7, 5), interpolation=3)
    )


def test_jpegs_of_the_right_size_are_kept_as_they_are(tmp_path):
    files = [cv2.imencode(".jpg", picture(8, w))[1].tobytes() for w in (8, 9)]
    source = datums(tmp_path / "db", *(Datum(data=data, encoded=True) for data in files))
    lmdb_to_hdf5(source, tmp_path / "a.hdf5", size=(8, 8), encode="jpeg")
    with h5py.File(tmp_path / "a.hdf5") as db:
        assert db["images"][0].tobytes() == files[0]
        assert db["images"][1].tobytes() != files[1]
    assert rows(tmp_path / "a.hdf5")[0].shape == (2, 8, 8, 3)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([raw(4, 4), raw(4, 5)], "00001.*5x4 pixels.*00000.*4x4 pixels.*Pass size="),
        ([raw(), Datum(1, 4, 4, bytes(16))], "00001.*1 channels.*make the LMDB again"),
        ([raw(), Datum(3, 4, 4, float_data=np.zeros(48))], "00001.*float32.*uint8"),
        ([raw(), raw(label=-1)], "00001 .* the label -1"),
        ([raw(), raw(label=10**6)], "00001 .* the label 1000000"),
        ([raw(), raw(label=2)], "00001 .* the label 2, and classLabels has names for 0 to 1"),
        ([raw(), Datum(3, 4, 4, bytes(5))], "00001 .*holds 5 numbers"),
        ([raw(), Datum(data=b"\xff\xd8\xff", encoded=True)], "00001 .*truncated"),
        ([Datum(1, 1, 1, float_data=np.float32([np.nan]))], "00000 .*NaN"),
        ([], "is empty: it holds no images"),
    ],
)
def test_a_record_that_does_not_fit_is_named(tmp_path, records, words):
    source = datums(tmp_path / "db", *records)
    with pytest.raises((CaffeError, ImageError), match=words) as caught:
        lmdb_to_hdf5(source, tmp_path / "a.hdf5", classLabels=["cat", "dog"])
    assert str(source) in str(caught.value)
    assert not (tmp_path / "a.hdf5").exists()


def test_a_record_that_is_no_datum_is_named(tmp_path):
    with lmdb.open(str(tmp_path / "db")) as env, env.begin(write=True) as txn:
        txn.put(b"a\xff\n", b"\x07")
    with pytest.raises(CaffeError, match=r"the record 'a\\\\xff\\n' of .*data\.mdb is "):
        lmdb_to_hdf5(tmp_path / "db", tmp_path / "a.hdf5")


def test_what_stands_there_is_not_replaced_without_being_asked(tmp_path):
    target = tmp_path / "a.hdf5"
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="overwrite"):
        lmdb_to_hdf5(PETS, target)
    with pytest.raises(CaffeError):
        lmdb_to_hdf5(datums(tmp_path / "db"), target, overwrite=True)
    assert target.read_bytes() == b"precious"
    for size in ((0, 4), 32, (32,), (32.5, 32)):
        with pytest.raises(ValueError, match=r"size must be \(height, width\)"):
            lmdb_to_hdf5(PETS, target, size=size, overwrite=True)
    database = datums(tmp_path / "itself", raw(4, 4, 0)) / "data.mdb"
    content = database.read_bytes()
    with pytest.raises(ValueError, match="is the LMDB itself"):
        lmdb_to_hdf5(database.parent, database, overwrite=True)
    assert database.read_bytes() == content
    lmdb_to_hdf5(PETS, target, overwrite=True)
    assert len(rows(target)[0]) == 20


def stopped(source, target, at, **options):
    """Convert until `at` images are done, and then stop as on ctrl+c."""

    def progress(done):
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lmdb_to_hdf5(source, target, progress=progress, **options)


def test_a_stopped_conversion_goes_on_but_only_with_its_own_lmdb(tmp_path):
    source = datums(tmp_path / "db", *(raw(16, 16, n % 7) for n in range(4000)))
    other = datums(tmp_path / "other", *(raw(16, 16, n % 5) for n in range(4000)))
    target = tmp_path / "a.hdf5"
    stopped(source, target, 1)
    for wrong in ({"source": other}, {"source": source, "classLabels": list("abcdefg")}):
        with pytest.raises(ValueError, match="begun with another LMDB or other options"):
            lmdb_to_hdf5(**wrong, target=target, resume=True)
    done = []
    lmdb_to_hdf5(source, target, resume=True, progress=done.append)
    assert len(done) == 2  # of three blocks
    assert rows(target)[1].tolist() == [n % 7 for n in range(4000)]
    assert not list(tmp_path.glob("a.hdf5.*"))
    stopped(source, target, 1, overwrite=True)
    lmdb_to_hdf5(other, target, overwrite=True)  # starts afresh
    assert rows(target)[1].tolist() == [n % 5 for n in range(4000)]
    assert not list(tmp_path.glob("a.hdf5.*"))


def kill_at_steps(folder, stride):
    words = [str(Path(__file__).with_name("killed_conversion.py")), str(PETS), str(folder)]
    return int(
        subprocess.run(
            [sys.executable, *words, str(stride)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    )


def test_a_conversion_killed_at_any_step_goes_on_to_the_same_file(tmp_path):
    assert kill_at_steps(tmp_path, 9) > 10


@pytest.mark.torture
def test_a_conversion_killed_at_every_step_goes_on_to_the_same_file(tmp_path):
    kills = kill_at_steps(tmp_path, 1)
    print(f"[FIGURE] LMDB to HDF5 killed {kills} times, at every step: the same file after each")
    assert kills > 100


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_conversions_killed_at_random_moments_go_on_to_the_same_file(tmp_path):
    images = (picture(64, 64) + np.uint8(n % 100) for n in range(20_000))
    write_lmdb(tmp_path / "db", ((f"{n:08d}", image, n % 9) for n, image in enumerate(images)))
    lmdb_to_hdf5(tmp_path / "db", tmp_path / "whole.hdf5")
    code = (
        "import sys\nfrom pyimagesearch.caffe import lmdb_to_hdf5\n"
        "lmdb_to_hdf5(sys.argv[1], sys.argv[2], resume=True)"
    )
    rng, kills = np.random.default_rng(5), 0
    for life in range(8):
        target = tmp_path / f"{life}.hdf5"
        while not target.exists():
            child = subprocess.Popen([sys.executable, "-c", code, tmp_path / "db", target])
            time.sleep(rng.uniform(0.3, 1.5))
            child.send_signal(signal.SIGKILL)
            kills += child.wait() == -signal.SIGKILL
        with h5py.File(target) as found, h5py.File(tmp_path / "whole.hdf5") as whole:
            for name in ("images", "labels", "checksums"):
                assert np.array_equal(found[name][:], whole[name][:])
        target.unlink()
    print(f"[FIGURE] LMDB to HDF5 killed {kills} times at random moments: the same file each time")
    assert kills > 8
