"""The batches of a net's own data layers, against Caffe's rules worked out by hand."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import h5py
import lmdb
import numpy as np
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe import CaffeError, write_lmdb, write_mean
from pyimagesearch.caffe._net import read_net
from pyimagesearch.caffe._paths import resolve
from pyimagesearch.caffe._wire import Datum, datum_bytes
from pyimagesearch.caffe.feed import data_feed
from pyimagesearch.utils.images import ImageError

PETNET = FIXTURES / "petnet" / "train_val.prototxt"


@pytest.fixture(scope="module")
def pets():
    return dict(np.load(FIXTURES / "pets_expected.npz"))


@pytest.fixture
def feed(tmp_path, monkeypatch):
    """A function that opens the feed of one layer, the text of which stands in a file.

    The net's other files may lie beside it, or among the fixtures, which are the current folder.
    """
    monkeypatch.chdir(FIXTURES)
    opened = []

    def open_feed(text, phase="TRAIN", seed=7):
        (tmp_path / "net.prototxt").write_text(
            f"name: 'net'\nlayer {{\n  name: 'data'\n{text}\n}}\n"
        )
        layer = read_net(tmp_path / "net.prototxt", phase).layers[0]
        opened.append(data_feed(layer, phase, seed))
        return opened[-1]

    yield open_feed
    for one in opened:
        one.close()


def data(source, transform="", more="", tops="top: 'data' top: 'label'"):
    return (
        f"type: 'Data' {tops}\ntransform_param {{ {transform} }}\n"
        f"data_param {{ source: '{source}' batch_size: 6 backend: LMDB {more} }}"
    )


def pets_lmdb(transform="", more="", **options):
    return data("pets_lmdb", transform, more, **options)


def numbered(count, height=6, width=7, channels=3):
    """Images of which each pixel tells number, row and column."""
    n, y, x = np.mgrid[:count, :height, :width]
    planes = (n, y, x, n + y, n + x, y + x, n + y + x)[:channels]
    return np.stack(planes, axis=-1).astype(np.uint8)


# --- Data ------------------------------------------------------------------------------------


def test_the_test_phase_crops_the_centre_and_subtracts_a_mean_of_each_channel(pets):
    layer = read_net(PETNET, "TEST").layers[0]
    with data_feed(layer, "TEST", seed=1) as one:
        assert one.shapes == {"data": (28, 28, 3), "label": ()}
        assert (one.batch_size, one.size) == (5, 20)
        for number in (0, 3, 1, 6):  # 20 images are four batches
            batch, start = one.batch(number), number % 4 * 5
            images = pets["images"][start : start + 5, 2:30, 2:30].astype(np.float32)
            assert batch["data"].dtype == np.float32
            assert batch["label"].dtype == np.int32
            assert np.array_equal(batch["data"], images - np.float32([104, 117, 123]))
            assert np.array_equal(batch["label"], pets["labels"][start : start + 5])


def test_the_train_phase_crops_at_random_minus_the_mean_image_there(pets):
    layer = read_net(PETNET, "TRAIN").layers[0]
    mean = pets["mean"].astype(np.float32).transpose(1, 2, 0)
    places, mirrored = set(), 0
    with data_feed(layer, "TRAIN", seed=1) as one:
        for number in range(8):
            batch = one.batch(number)
            for place, image in enumerate(batch["data"]):
                index = (number * 10 + place) % 20
                whole = pets["images"][index].astype(np.float32) - mean
                top, left, flip = position(whole, image)
                places.add((top, left))
                mirrored += flip
                assert batch["label"][place] == pets["labels"][index]
    assert {top for top, _ in places} == {left for _, left in places} == set(range(5))
    assert 20 < mirrored < 60


def position(whole, part):
    """Return (top, left, mirrored) of the one place where `part` lies in `whole`."""
    height, width = part.shape[:2]
    found = [
        (top, left, flip)
        for top in range(len(whole) - height + 1)
        for left in range(whole.shape[1] - width + 1)
        for flip in (False, True)
        if np.array_equal(
            part[:, ::-1] if flip else part, whole[top : top + height, left : left + width]
        )
    ]
    assert len(found) == 1
    return found[0]


def test_a_batch_crosses_the_end_of_the_data(feed, pets):
    one = feed(pets_lmdb())
    order = [n % 20 for n in range(60)]
    for number in range(10):
        wanted = order[number * 6 : number * 6 + 6]
        assert np.array_equal(one.batch(number)["data"], pets["images"][wanted])


def test_a_batch_is_a_function_of_seed_and_number_alone(feed):
    text = pets_lmdb("crop_size: 20 mirror: true scale: 0.5")
    first = feed(text)
    batches = [first.batch(number) for number in range(7)]
    again = feed(text)
    for number in (6, 2, 0, 5, 5, 1, 3, 4):
        for blob, values in again.batch(number).items():
            assert np.array_equal(values, batches[number][blob])
    with ThreadPoolExecutor(4) as pool:
        for number, batch in enumerate(pool.map(feed(text).batch, range(7))):
            assert np.array_equal(batch["data"], batches[number]["data"])
    assert not np.array_equal(feed(text, seed=8).batch(0)["data"], batches[0]["data"])
    assert feed(text, seed=None).seed != feed(text, seed=None).seed


def test_the_arithmetic_is_caffes_in_float32(feed, pets):
    found = feed(pets_lmdb("scale: 0.00390625 mean_value: 127.5")).batch(0)["data"]
    wanted = (pets["images"][:6].astype(np.float32) - np.float32(127.5)) * np.float32(0.00390625)
    assert np.array_equal(found, wanted)
    found = feed(pets_lmdb("scale: 0.1")).batch(0)["data"]
    assert np.array_equal(found, pets["images"][:6].astype(np.float32) * np.float32(0.1))


def test_mirroring_is_for_either_phase_and_any_number_of_channels(feed, tmp_path):
    for channels in (1, 3, 7):
        images = numbered(6, channels=7)[..., -channels:]
        source = tmp_path / f"{channels}"
        floats = images if channels < 5 else images.astype(np.float32)
        write_lmdb(source, ((f"{n}", image, n) for n, image in enumerate(floats)))
        one, flips = feed(data(source, "mirror: true"), "TEST"), []
        for number in range(20):
            for found, image in zip(one.batch(number)["data"], images, strict=True):
                flips.append(not np.array_equal(found, image))
                assert np.array_equal(found[:, ::-1] if flips[-1] else found, image)
        assert 30 < sum(flips) < 90


def test_images_of_different_sizes_can_be_cropped_but_not_taken_whole(feed, tmp_path):
    sizes = [(6, 7), (8, 5), (5, 9), (6, 6), (7, 7), (9, 9)]
    images = [numbered(1, *size)[0] for size in sizes]
    write_lmdb(tmp_path / "db", ((f"{n}", image, 0) for n, image in enumerate(images)))
    batch = feed(data(tmp_path / "db", "crop_size: 5"), "TEST").batch(0)["data"]
    for found, (height, width) in zip(batch, sizes, strict=True):
        assert found[0, 0, 1:].tolist() == [(height - 5) // 2, (width - 5) // 2]
    with pytest.raises(CaffeError, match=r"line 5.*'data': images differ: \(8, 5, 3\) comes after"):
        feed(data(tmp_path / "db")).batch(0)


def test_a_data_layer_may_have_no_label(feed):
    one = feed(pets_lmdb(tops="top: 'pixels'"))
    assert list(one.batch(0)) == list(one.shapes) == ["pixels"]
    with pytest.raises(CaffeError, match="it has 3 tops"):
        feed(pets_lmdb(tops="top: 'a' top: 'b' top: 'c'"))


def test_rand_skip_begins_somewhere_and_wraps(feed, pets):
    starts = set()
    for seed in range(12):
        one = feed(pets_lmdb(more="rand_skip: 4"), seed=seed)
        assert 0 <= one.skip < 4
        starts.add(one.skip)
        wanted = pets["images"][(np.arange(24, 30) + one.skip) % 20]
        assert np.array_equal(one.batch(4)["data"], wanted)
    assert len(starts) > 1


def test_force_gray_and_force_color_decode_so(feed, tmp_path):
    images = numbered(6, 16, 16) * 9
    files = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    write_lmdb(tmp_path / "db", ((f"{n}", file, n) for n, file in enumerate(files)))
    grey = feed(data(tmp_path / "db", "force_gray: true")).batch(0)["data"]
    assert np.array_equal(grey[0, ..., 0], cv2.imdecode(np.frombuffer(files[0], np.uint8), 0))
    files = [cv2.imencode(".png", image[..., :1])[1].tobytes() for image in images]
    write_lmdb(tmp_path / "grey", ((f"{n}", file, n) for n, file in enumerate(files)))
    assert feed(data(tmp_path / "grey")).shapes["data"] == (16, 16, 1)
    for text in (
        data(tmp_path / "grey", "force_color: true"),
        data(tmp_path / "grey", more="force_encoded_color: true"),
    ):
        assert feed(text).shapes["data"] == (16, 16, 3)
    with pytest.raises(CaffeError, match="force_gray is for encoded images"):
        feed(pets_lmdb("force_gray: true"))
    with pytest.raises(CaffeError, match="line 5.*keep one"):
        feed(pets_lmdb("force_gray: true force_color: true"))


def test_the_old_spelling_of_the_transform_counts(feed, pets):
    found = feed(pets_lmdb(more="scale: 2 crop_size: 30"), "TEST").batch(0)["data"]
    assert np.array_equal(found, 2 * pets["images"][:6, 1:31, 1:31].astype(np.float32))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (pets_lmdb("mean_file: 'absent.binaryproto'"), FileNotFoundError, "line 5.*its mean_file"),
        (
            pets_lmdb("mean_file: 'mean.binaryproto' mean_value: 1"),
            *(CaffeError, "mean_file and mean_value are both given"),
        ),
        (pets_lmdb("mean_value: 1 mean_value: 2"), CaffeError, "2 numbers mean_value and 3 chan"),
        (pets_lmdb("mean_value: inf"), CaffeError, "line 5.*mean_value is not a finite number"),
        (pets_lmdb("scale: nan"), CaffeError, "line 5.*scale is not a finite number"),
        (pets_lmdb("crop_size: 33"), CaffeError, "crop_size 33 is larger than an image of 32x32"),
        (data("absent"), FileNotFoundError, r"line 6: layer 'data' \(Data\) needs its source.*abs"),
        (data(""), CaffeError, "it has no source"),
        (data("."), CaffeError, r"line 6: layer 'data' \(Data\): .* is no LMDB"),
        (
            pets_lmdb().replace("LMDB }", "LEVELDB }").replace("backend: LMDB", "backend: LEVELDB"),
            *(NotImplementedError, "line 6.*LevelDB.*convert_imageset --backend=lmdb"),
        ),
        (pets_lmdb().replace("size: 6", "size: 0"), CaffeError, "batch_size must be 1 or more"),
        (pets_lmdb().replace("size: 6", "size: 4000000000"), CaffeError, "GB of memory"),
        ("type: 'MemoryData' top: 'data'", NotImplementedError, r"line 2.*\(MemoryData\)"),
        ("type: 'DummyData' top: 'data'", NotImplementedError, r"line 2.*\(DummyData\)"),
        ("type: 'WindowData' top: 'data'", NotImplementedError, r"line 2.*\(WindowData\)"),
        (
            "type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 1 } }",
            *(NotImplementedError, r"line 2.*\(Input\)"),
        ),
    ],
)
def test_what_cannot_be_fed_is_named_by_layer_and_line(feed, text, error, words):
    with pytest.raises(error, match=words) as caught:
        feed(text)
    assert "net.prototxt" in str(caught.value)
    assert "'data'" in str(caught.value)


def test_a_mean_image_must_have_the_size_of_the_images(feed, tmp_path):
    write_mean(tmp_path / "m.binaryproto", np.zeros((3, 28, 28)))
    with pytest.raises(CaffeError, match="of 28x28x3, an image of 32x32x3"):
        feed(pets_lmdb("crop_size: 28 mean_file: 'm.binaryproto'"))


def test_a_mean_of_one_number_for_each_channel_fits_images_of_any_size(feed, pets, tmp_path):
    write_mean(tmp_path / "m.json", np.float32([104, 117, 123]).reshape(3, 1, 1))
    one = feed(pets_lmdb("crop_size: 28 mean_file: 'm.json'"), "TEST")
    images = pets["images"][:6, 2:30, 2:30].astype(np.float32)
    assert np.array_equal(one.batch(0)["data"], images - np.float32([104, 117, 123]))
    write_mean(tmp_path / "m.npy", np.zeros((1, 1, 1)))
    with pytest.raises(CaffeError, match=r"m\.npy has numbers for 1 channels, an image has 3"):
        feed(pets_lmdb("mean_file: 'm.npy'"))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_floats_that_are_no_numbers_are_named(feed, tmp_path, number):
    floats = np.full((4, 4, 3), number, np.float32)
    write_lmdb(tmp_path / "db", [("0", floats, 0)])
    with pytest.raises(CaffeError, match="line 2: layer 'data' .*record 0 of .*NaN or infinite"):
        feed(data(tmp_path / "db"))


def test_a_damaged_image_is_named_when_its_turn_comes(feed, tmp_path):
    sound = cv2.imencode(".jpg", numbered(1, 16, 16)[0])[1].tobytes()
    with lmdb.open(str(tmp_path / "db")) as env, env.begin(write=True) as txn:
        for key, image in ((b"0", sound), (b"1", sound[:60])):
            txn.put(key, datum_bytes(Datum(data=image, encoded=True)))
    with pytest.raises(ImageError, match=r"the record 1 of .*db/data\.mdb"):
        feed(data(tmp_path / "db")).batch(0)


def test_an_empty_lmdb_is_named(feed, tmp_path):
    lmdb.open(str(tmp_path / "db")).close()
    with pytest.raises(CaffeError, match="line 6.*is empty: it holds no images"):
        feed(data(tmp_path / "db"))


# --- paths -----------------------------------------------------------------------------------


def test_files_are_looked_for_here_beside_the_net_and_above(tmp_path, monkeypatch):
    net = tmp_path / "a" / "b" / "c" / "d" / "net.prototxt"
    net.parent.mkdir(parents=True)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    places = [here, net.parent, *list(net.parent.parents)[:3]]
    with pytest.raises(FileNotFoundError) as caught:
        resolve("x/data", net)
    assert all(f"{place / 'x' / 'data'}" in str(caught.value) for place in places[1:])
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "data").mkdir()
    with pytest.raises(FileNotFoundError):  # four above
        resolve("x/data", net)
    for place in reversed(places):
        (place / "x" / "data").mkdir(parents=True)
        assert resolve("x/data", net).resolve() == place / "x" / "data"
    assert resolve(tmp_path / "x", net) == tmp_path / "x"


# --- ImageData -------------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path):
    """Five PNG files in a folder with a space in its name, and their list."""
    images = numbered(5) * 20
    (tmp_path / "the images").mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / "the images" / f"{number}.png"), image)
    lines = [f"images/{number}.png {number * 10}" for number in range(5)]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    return images


def image_data(more="", transform="", batch=3):
    return (
        f"type: 'ImageData' top: 'data' top: 'label'\ntransform_param {{ {transform} }}\n"
        f"image_data_param {{ source: 'list.txt' batch_size: {batch} root_folder: 'the ' {more} }}"
    )


def test_an_image_list_is_fed_in_its_order(feed, photographs):
    one = feed(image_data(transform="mean_value: 4"))
    assert one.shapes == {"data": (6, 7, 3), "label": ()}
    for number in range(5):
        wanted = np.arange(3 * number, 3 * number + 3) % 5
        batch = one.batch(number)
        assert np.array_equal(batch["data"], photographs[wanted].astype(np.float32) - 4)
        assert batch["label"].tolist() == (wanted * 10).tolist()
        assert batch["label"].dtype == np.int32


def test_images_are_made_grey_and_resized_as_caffe_does(feed, photographs):
    one = feed(image_data("is_color: false new_height: 12 new_width: 9"))
    grey = cv2.resize(to_grey(photographs[1]), (9, 12))
    assert np.array_equal(one.batch(0)["data"][1, ..., 0], grey)
    assert one.shapes["data"] == (12, 9, 1)


def to_grey(image):
    return cv2.imdecode(cv2.imencode(".png", image)[1], cv2.IMREAD_GRAYSCALE)


def test_a_shuffled_list_comes_in_a_new_order_each_pass(feed, photographs):
    text = image_data("shuffle: true")
    one = feed(text)
    labels = np.concatenate([one.batch(number)["label"] for number in range(20)]).reshape(12, 5)
    assert all(sorted(turn) == [0, 10, 20, 30, 40] for turn in labels.tolist())
    assert len({tuple(turn) for turn in labels.tolist()}) > 6
    again = feed(text)
    for number in (19, 3, 4, 0):
        wanted = labels.ravel()[3 * number : 3 * number + 3]
        assert again.batch(number)["label"].tolist() == wanted.tolist()
    batch = one.batch(2)
    assert np.array_equal(batch["data"], photographs[batch["label"] // 10])


def test_rand_skip_of_a_list(feed, photographs):
    skips = {feed(image_data("rand_skip: 4"), seed=seed).skip for seed in range(12)}
    assert skips <= set(range(4))
    assert len(skips) > 1
    one = next(o for o in (feed(image_data("rand_skip: 4"), seed=s) for s in range(12)) if o.skip)
    assert one.batch(0)["label"][0] == one.skip * 10
    with pytest.raises(CaffeError, match="rand_skip leaves out"):
        feed(image_data("rand_skip: 4000000000"))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (image_data("new_height: 4"), CaffeError, "new_height and new_width come together"),
        (image_data("new_height: 4000000000 new_width: 3"), CaffeError, "new_height and new_width"),
        (
            image_data().replace("list.txt", "no.txt"),
            FileNotFoundError,
            "line 6.*its source.*no.txt",
        ),
        (image_data().replace("top: 'label'", ""), CaffeError, "1 tops, and needs two"),
    ],
)
def test_what_cannot_be_fed_of_a_list_is_named(feed, photographs, text, error, words):
    with pytest.raises(error, match=words):
        feed(text)


def test_a_missing_or_damaged_photograph_is_named(feed, photographs, tmp_path):
    one = feed(image_data())
    (tmp_path / "the images" / "4.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"the images/4\.png"):
        one.batch(1)
    (tmp_path / "the images" / "4.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"line 2: layer 'data' .*images/4\.png"):
        one.batch(1)
    (tmp_path / "list.txt").write_text("a.png\n")
    with pytest.raises(CaffeError, match=r"line 6: layer 'data' .*list\.txt, line 1"):
        feed(image_data())


# --- HDF5Data --------------------------------------------------------------------------------


@pytest.fixture
def tables(tmp_path):
    """Two files, of 5 and 8 rows; labels number the rows. Return all rows."""
    rng, start, images, vectors = np.random.default_rng(2), 0, [], []
    for name, count in (("a.h5", 5), ("b.h5", 8)):
        images.append(rng.random((count, 3, 4, 5)).astype(np.float32))
        numbers = np.arange(start, start + count)
        vectors.append(np.stack([numbers, -numbers], axis=1).astype(np.float64))
        with h5py.File(tmp_path / name, "w") as db:
            db["data"], db["box"], db["label"] = images[-1], vectors[-1], numbers
        start += count
    (tmp_path / "files.txt").write_text("a.h5\n\nb.h5\n")
    return np.concatenate(images), np.concatenate(vectors)


def hdf5_data(more="", tops="top: 'data' top: 'box' top: 'label'"):
    return (
        f"type: 'HDF5Data' {tops}\nhdf5_data_param {{ source: 'files.txt' batch_size: 4 {more} }}"
    )


@pytest.mark.parametrize("held", [2**28, 0])
def test_hdf5_rows_come_as_they_are_stored(feed, tables, monkeypatch, held):
    monkeypatch.setattr("pyimagesearch.caffe._hdf5rows.HELD_BYTES", held)
    images, vectors = tables
    one = feed(hdf5_data())
    assert one.shapes == {"data": (4, 5, 3), "box": (2,), "label": ()}
    assert one.size == 13
    for number in (0, 1, 2, 3, 9, 1):
        wanted = np.arange(4 * number, 4 * number + 4) % 13
        batch = one.batch(number)
        assert {values.dtype for values in batch.values()} == {np.dtype(np.float32)}
        assert np.array_equal(batch["data"], images[wanted].transpose(0, 2, 3, 1))
        assert np.array_equal(batch["box"], vectors[wanted].astype(np.float32))
        assert batch["label"].tolist() == wanted.tolist()


@pytest.mark.parametrize("held", [2**28, 0])
def test_shuffled_hdf5_rows_stay_together_by_file(feed, tables, monkeypatch, held):
    monkeypatch.setattr("pyimagesearch.caffe._hdf5rows.HELD_BYTES", held)
    images, _ = tables
    one = feed(hdf5_data("shuffle: true"))
    batches = [one.batch(number) for number in range(13)]
    passes = np.concatenate([batch["label"] for batch in batches]).astype(int).reshape(4, 13)
    firsts = set()
    for turn in passes.tolist():
        assert sorted(turn) == list(range(13))
        first, second = (turn[:5], turn[5:]) if turn[0] < 5 else (turn[8:], turn[:8])
        assert sorted(first) == list(range(5))
        assert sorted(second) == list(range(5, 13))
        firsts.add(turn[0] < 5)
    assert len({tuple(turn) for turn in passes.tolist()}) == 4
    for batch in batches:
        assert np.array_equal(
            batch["data"], images[batch["label"].astype(int)].transpose(0, 2, 3, 1)
        )
    again = feed(hdf5_data("shuffle: true"))
    assert again.batch(12)["label"].tolist() == batches[12]["label"].tolist()


def test_what_cannot_be_fed_of_hdf5_files_is_named(feed, tables, tmp_path):
    with pytest.raises(CaffeError, match=r"a\.h5 has no data set 'x'.*\['box', 'data', 'label'\]"):
        feed(hdf5_data(tops="top: 'x'"))
    with pytest.raises(CaffeError, match="takes no transform_param"):
        feed(hdf5_data() + " transform_param { scale: 2 }")
    with h5py.File(tmp_path / "b.h5", "r+") as db:
        db["box"][3] = np.nan
    with pytest.raises(CaffeError, match=r"box of .*b\.h5 holds NaN"):
        feed(hdf5_data()).batch(2)
    with h5py.File(tmp_path / "b.h5", "r+") as db:
        del db["box"]
        db["box"] = np.zeros((8, 3))
    with pytest.raises(CaffeError, match=r"b\.h5 has rows of the shapes .*must be alike"):
        feed(hdf5_data())
    with h5py.File(tmp_path / "b.h5", "r+") as db:
        del db["box"]
        db["box"] = np.zeros((7, 2))
    with pytest.raises(CaffeError, match=r"b\.h5 has rows .*as many of each"):
        feed(hdf5_data())
    (tmp_path / "b.h5").write_bytes(b"no HDF5")
    with pytest.raises(OSError, match=r"b\.h5 is no HDF5 file"):
        feed(hdf5_data())
    (tmp_path / "b.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"line 2: layer 'data' \(HDF5Data\).*b\.h5"):
        feed(hdf5_data())
    (tmp_path / "files.txt").write_text("\n")
    with pytest.raises(CaffeError, match="lists no files"):
        feed(hdf5_data())
    with pytest.raises(CaffeError, match=r"line 5: .*a\.h5 is an HDF5 file.*into a text file"):
        feed(hdf5_data().replace("files.txt", "a.h5"))
    (tmp_path / "files.txt").write_bytes(b"\xef\xbb\xbfa.h5\n")  # the mark of some editors
    assert feed(hdf5_data()).size == 5
