"""HDF5DatasetGenerator: what a pass yields, in which order, and how it ends."""

import contextlib
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time

import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter, _order, _reading
from pyimagesearch.preprocessing import (
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
)


def store(path, images, labels, **options):
    with HDF5DatasetWriter(np.shape(images), path, **options) as writer:
        writer.add(images, labels)
    return path


@pytest.fixture
def ten(tmp_path):
    """Ten 1x1 images, image i holding i; the odd ones are of class 1."""
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    return store(tmp_path / "ten.hdf5", images, np.arange(10) % 2)


@pytest.fixture
def photographs(tmp_path):
    """50 noise images of 40x40 pixels, in blocks of one row each."""
    images = np.random.default_rng(0).integers(0, 256, (50, 40, 40, 3), np.uint8)
    return store(tmp_path / "photographs.hdf5", images, np.arange(50) % 2)


def threads():
    """The threads that prepare batches. (TensorFlow leaves some of its own.)"""
    names = "PoolExecutor", "Feed"
    return {t for t in threading.enumerate() if any(name in t.name for name in names)}


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threads()
    yield
    gc.collect()
    assert threads() == before


@pytest.fixture
def small_windows(monkeypatch):
    """Windows of 4 blocks of 3 rows of one byte, to have several of them."""
    monkeypatch.setattr(_order, "BLOCK_BYTES", 3)
    monkeypatch.setattr(_order, "WINDOW_BLOCKS", 4)


def one_pass(path, batch_size, *arguments, number=0, **options):
    with HDF5DatasetGenerator(path, batch_size, *arguments, **options) as gen:
        return list(gen.generator(passes=1, startPass=number))


def values(batches):
    return np.concatenate([images.ravel() for images, _ in batches]).tolist()


class Scale:
    def preprocess(self, image):
        return image * np.float32(2)


class Noise:
    """Adds one random number; its draws take a random time."""

    def preprocess(self, image, *, rng):
        time.sleep(rng.random() / 1000)
        return image + np.float32(rng.random())


class Failing:
    def preprocess(self, image):
        if image.max() == 5:
            raise ZeroDivisionError("image 5")
        return image


# what a pass yields


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_one_pass_yields_every_image_once_with_its_label(ten, workers, shuffle, small_windows):
    with HDF5DatasetGenerator(ten, 4, shuffle=shuffle, workers=workers) as gen:
        assert (gen.numImages, len(gen)) == (10, 3)
        batches = list(gen.generator(passes=1))
    assert [len(images) for images, _ in batches] == [4, 4, 2]
    assert sorted(values(batches)) == list(range(10))
    for images, labels in batches:
        assert images.dtype == np.uint8
        assert labels.dtype == np.float32
        assert labels.tolist() == [[1 - image % 2, image % 2] for image in images.ravel().tolist()]


def test_the_order_is_that_of_the_file_unless_shuffled(ten):
    assert values(one_pass(ten, 3)) == list(range(10))


def test_passes_follow_one_another_without_end(ten):
    with HDF5DatasetGenerator(ten, 4) as gen:
        batches = gen.generator()
        assert iter(batches) is batches
        assert values(next(batches) for _ in range(7)) == [*range(10), *range(10), *range(4)]
        assert values(gen.generator(passes=2)) == [*range(10), *range(10)]


def test_a_batch_may_be_larger_than_the_file(ten):
    [(images, labels)] = one_pass(ten, 64, shuffle=True)
    assert sorted(images.ravel().tolist()) == list(range(10))
    assert labels.shape == (10, 2)


def test_labels_are_numbers_without_binarize(tmp_path):
    path = store(tmp_path / "x.hdf5", np.zeros((3, 2), np.uint8), [7, 0, 3])
    [(_, labels)] = one_pass(path, 8, binarize=False)
    assert labels.dtype == np.int64
    assert labels.tolist() == [7, 0, 3]
    [(_, labels)] = one_pass(path, 8, classes=8)
    assert labels.tolist() == np.eye(8)[[7, 0, 3]].tolist()


def test_files_of_2017_give_float32_batches(tmp_path):
    images = np.arange(24.0).reshape(6, 2, 2, 1)
    with h5py.File(tmp_path / "old.hdf5", "w") as db:  # as the book's writer made it
        db.create_dataset("images", images.shape, dtype="float")[:] = images
        db.create_dataset("labels", (6,), dtype="int")[:] = [0, 1, 0, 1, 1, 0]
        db.create_dataset("label_names", (2,), dtype=h5py.string_dtype())[:] = ["cat", "dog"]
    for options in ({}, {"shuffle": True}):
        batches = one_pass(tmp_path / "old.hdf5", 4, **options)
        assert batches[0][0].dtype == np.float32
        assert sorted(values(batches)) == list(range(24))
    with HDF5DatasetGenerator(tmp_path / "old.hdf5", 4) as gen:
        assert gen.db["images"].dtype == np.float64
        assert list(gen.db["label_names"].asstr()) == ["cat", "dog"]


@pytest.mark.parametrize("kind", ["u1", "i2", ">i4", "u8"])
def test_labels_may_be_of_any_integer_type(tmp_path, kind):
    with h5py.File(tmp_path / "x.hdf5", "w") as db:
        db["features"] = np.ones((3, 5), ">f4")
        db["labels"] = np.array([0, 1, 1], kind)
    [(rows, labels)] = one_pass(tmp_path / "x.hdf5", 3, dataKey="features")
    assert rows.dtype == np.float32
    assert labels.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_arguments_can_be_read(ten):
    aug, preprocessors = ImageDataGenerator(), [Scale()]
    with HDF5DatasetGenerator(ten, 4, preprocessors, aug, False, 3, workers=1, seed=5) as gen:
        assert (gen.dbPath, gen.batchSize, gen.preprocessors, gen.aug) == (
            ten,
            4,
            preprocessors,
            aug,
        )
        assert (gen.binarize, gen.classes, gen.shuffle, gen.seed) == (False, 3, False, 5)
        assert (gen.dataKey, gen.workers) == ("images", 1)


# the order of shuffled passes


def test_shuffled_passes_differ_and_depend_on_seed_and_pass_alone(ten, small_windows):
    with HDF5DatasetGenerator(ten, 4, shuffle=True, seed=1) as gen:
        batches = gen.generator()
        passes = [values(next(batches) for _ in range(3)) for _ in range(4)]
    assert len({tuple(order) for order in passes}) == 4
    assert list(range(10)) not in passes
    for number, order in enumerate(passes):
        assert values(one_pass(ten, 4, shuffle=True, seed=1, workers=0, number=number)) == order
        assert values(one_pass(ten, 3, shuffle=True, seed=1, number=number)) == order
    assert values(one_pass(ten, 4, shuffle=True, seed=2)) != passes[0]


def test_the_seed_that_was_drawn_can_be_recorded(ten):
    with HDF5DatasetGenerator(ten, 4, shuffle=True) as gen:
        first = values(gen.generator(passes=1))
        assert isinstance(gen.seed, int)
    assert values(one_pass(ten, 4, shuffle=True, seed=gen.seed)) == first
    with HDF5DatasetGenerator(ten, 4, shuffle=True) as other:
        assert other.seed != gen.seed


def test_a_file_sorted_by_class_gives_mixed_batches():
    # 4,000 photographs of 196,608 bytes, cats first
    numbers = []
    for blocks, order in _order.shuffled(4000, 196_608, 0, 0):
        assert sum(stop - start for start, stop in blocks) * 196_608 <= 24 * 2**20
        rows = np.concatenate([np.arange(start, stop) for start, stop in blocks])
        numbers += rows[order].tolist()
    assert sorted(numbers) == list(range(4000))
    dogs = (np.array(numbers).reshape(-1, 125) >= 2000).mean(axis=1)
    assert len(dogs) == 32
    assert dogs.min() > 0.2
    assert dogs.max() < 0.8


@pytest.mark.parametrize(("rows", "row_bytes"), [(1, 1), (7, 10**9), (33, 2**20), (100_000, 3072)])
def test_any_number_of_rows_of_any_size_is_visited_once(rows, row_bytes):
    windows = list(_order.shuffled(rows, row_bytes, 0, 0))
    numbers = [np.concatenate([np.arange(*block) for block in blocks])[o] for blocks, o in windows]
    assert sorted(np.concatenate(numbers).tolist()) == list(range(rows))
    sizes = [len(part) for part in numbers]
    assert max(sizes) <= 2 * min(sizes)  # no last window with too few rows to mix


def compressed(source, target):
    with h5py.File(source) as db, h5py.File(target, "w") as copy:
        copy.create_dataset("images", data=db["images"][:], compression="gzip")
        copy["labels"] = db["labels"][:]
    return target


def test_rows_are_read_in_contiguous_blocks(ten, tmp_path, small_windows, monkeypatch):
    reads = []
    read_direct, preadv = h5py.Dataset.read_direct, os.preadv

    def spy(self, dest, source_sel=None, dest_sel=None):
        reads.append((source_sel.start, source_sel.stop))
        read_direct(self, dest, source_sel, dest_sel)

    def system_spy(file, buffers, position):
        reads.append((position, position + len(buffers[0])))
        return preadv(file, buffers, position)

    monkeypatch.setattr(h5py.Dataset, "read_direct", spy)
    monkeypatch.setattr(os, "preadv", system_spy)
    batches = one_pass(ten, 4, shuffle=True, seed=1)
    first = min(reads)[0]
    assert sorted((a - first, b - first) for a, b in reads) == [(0, 3), (3, 6), (6, 9), (9, 10)]
    reads.clear()
    path = compressed(ten, tmp_path / "gzip.hdf5")
    assert values(one_pass(path, 4, shuffle=True, seed=1)) == values(batches)
    assert sorted(reads) == [(0, 3), (3, 6), (6, 9), (9, 10)]


def test_rows_lie_where_they_are_read_from(tmp_path):
    rows = np.arange(60, dtype=np.int16).reshape(20, 3)
    written = store(tmp_path / "written.hdf5", rows, [0] * 20)
    with h5py.File(tmp_path / "all.hdf5", "w") as db:
        db["contiguous"] = rows
        db.create_dataset("chunks", data=rows, chunks=(3, 3))
        db["between"] = rows
        db.create_dataset("columns", data=rows, chunks=(4, 1))
        db.create_dataset("gzip", data=rows, chunks=(4, 3), compression="gzip")
        db.create_dataset("never_written", (20, 3), np.int16)
        offsets = {name: _reading.rows_offset(db[name]) for name in db}
    with h5py.File(written) as db:
        offsets["written"] = _reading.rows_offset(db["images"])
    assert [name for name, offset in offsets.items() if offset is None] == [
        *("columns", "gzip", "never_written")
    ]
    for name, offset in offsets.items():
        if offset is not None:
            data = (written if name == "written" else tmp_path / "all.hdf5").read_bytes()
            assert np.array_equal(np.frombuffer(data, np.int16, 60, offset).reshape(20, 3), rows)


@pytest.mark.parametrize("options", [{"userblock_size": 512}, {}])
def test_files_of_any_layout_give_the_same_rows(tmp_path, options):
    rows = np.arange(60, dtype=np.int16).reshape(20, 3)
    layouts = [{}, {"chunks": (7, 3)}, {"chunks": (7, 2)}, {"compression": "lzf"}]
    for number, layout in enumerate([*layouts, {"fletcher32": True}, {"dtype": ">i2"}]):
        with h5py.File(tmp_path / f"{number}.hdf5", "w", **options) as db:
            db.create_dataset("images", data=rows, **layout)
            db["labels"] = [0] * 20
        for shuffle in (False, True):
            batches = one_pass(tmp_path / f"{number}.hdf5", 6, shuffle=shuffle)
            assert sorted(values(batches)) == list(range(60))


# preprocessing


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_seeded_batches_are_the_same_whatever_the_number_of_workers(photographs, workers):
    def batches(workers, seed):
        aug = ImageDataGenerator(rotation_range=30, horizontal_flip=True, rescale=1 / 255)
        steps = [PatchPreprocessor(32, 32), Noise(), MeanPreprocessor(1, 2, 3)]
        options = {"shuffle": True, "seed": seed, "workers": workers}
        return one_pass(photographs, 8, [*steps, ImageToArrayPreprocessor()], aug, **options)

    for (images, labels), (others, other_labels) in zip(
        batches(workers, 3), batches(0, 3), strict=True
    ):
        assert images.dtype == np.float32
        assert np.array_equal(images, others)
        assert np.array_equal(labels, other_labels)
    assert not np.array_equal(batches(workers, 3)[0][0], batches(workers, 4)[0][0])


def test_random_choices_change_from_pass_to_pass_and_batch_to_batch(ten):
    images = [images.ravel() for images, _ in one_pass(ten, 5, [Noise()], seed=1)]
    images += [images.ravel() for images, _ in one_pass(ten, 5, [Noise()], seed=1, number=1)]
    noise = np.concatenate(images) - np.tile(np.arange(10), 2)
    assert len(set(noise.round(5).tolist())) == 20


def test_preprocessors_come_first_and_then_the_augmenter(photographs):
    aug = ImageDataGenerator(rescale=0.5, preprocessing_function=lambda image: image + 1)
    [(images, _)] = one_pass(photographs, 50, [MeanPreprocessor(1, 2, 3)], aug)
    with h5py.File(photographs) as db:
        expected = (db["images"][:].astype(np.float32) - [3, 2, 1] + 1) * 0.5
    assert np.array_equal(images, expected)


def test_the_augmenter_does_what_its_flow_does(photographs):
    with h5py.File(photographs) as db:
        stored = db["images"][:]
    options = {"featurewise_center": True, "rescale": 0.5}
    aug, plain = ImageDataGenerator(horizontal_flip=True, **options), ImageDataGenerator(**options)
    aug.fit(stored)
    plain.fit(stored)
    [(images, _)] = one_pass(photographs, 50, None, aug)
    both = [next(plain.flow(x, batch_size=50, shuffle=False)) for x in (stored, stored[:, :, ::-1])]
    same = [(images == version).all(axis=(1, 2, 3)) for version in both]
    assert (same[0] ^ same[1]).all()  # each image is one of the two ...
    assert 5 < same[1].sum() < 45  # ... about half of them mirrored


def test_another_augmenter_is_given_whole_batches(ten):
    class Doubling:
        def flow(self, images, labels, batch_size, shuffle):
            assert (len(images), shuffle) == (batch_size, False)
            yield images * 2.0, labels * 3

    [first, *_] = one_pass(ten, 4, [Scale()], Doubling())
    assert first[0].ravel().tolist() == [0, 4, 8, 12]
    assert first[1].tolist() == [[3, 0], [0, 3]] * 2


def test_images_of_different_shapes_are_refused(ten):
    class Growing:
        def preprocess(self, image):
            return np.zeros((int(image.max()) // 3, 1))

    with (
        HDF5DatasetGenerator(ten, 4, [Growing()]) as gen,
        pytest.raises(ValueError, match=r"\(0, 1\) float64, number 3 is \(1, 1\) float64"),
    ):
        next(gen.generator())


def test_objects_that_cannot_preprocess_or_augment_are_refused(ten):
    with pytest.raises(TypeError, match="needs a preprocess method"):
        HDF5DatasetGenerator(ten, 4, [np.mean])
    with pytest.raises(TypeError, match="needs a flow method"):
        HDF5DatasetGenerator(ten, 4, aug=np.mean)


# background work and its end


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_an_error_reaches_the_consumer_with_its_traceback_and_place(ten, workers):
    with HDF5DatasetGenerator(ten, 2, [Failing()], workers=workers) as gen:
        batches = gen.generator()
        assert [next(batches)[0].ravel().tolist() for _ in range(2)] == [[0, 1], [2, 3]]
        with pytest.raises(ZeroDivisionError, match="image 5") as caught:
            next(batches)
        assert caught.traceback[-1].name == "preprocess"
        assert caught.value.__notes__ == [f"While preparing batch 2 of pass 0 of {ten}."]


@pytest.mark.parametrize("end", ["close", "break", "gc", "gen.close"])
def test_no_thread_outlives_its_generator(ten, end):
    before = threads()
    gen = HDF5DatasetGenerator(ten, 2, shuffle=True, workers=3)
    batches = gen.generator()
    next(batches)
    assert len(threads() - before) > 1
    if end == "close":
        batches.close()
    elif end == "break":
        for _ in batches:
            break
        del batches
    elif end == "gc":
        del batches
    else:
        gen.close()
        assert next(batches, None) is None
    assert threads() == before
    gen.close()


def test_only_a_few_batches_are_prepared_ahead(ten):
    prepared = []

    class Counting:
        def preprocess(self, image):
            prepared.append(int(image.max()))
            return image

    with HDF5DatasetGenerator(ten, 1, [Counting()], workers=2) as gen:
        batches = gen.generator()
        next(batches)
        time.sleep(0.1)
        assert len(prepared) == 3  # the one handed out, and one for each worker
        batches.close()


def test_several_generators_of_one_object_run_side_by_side(ten):
    with HDF5DatasetGenerator(ten, 3, shuffle=True, seed=1) as gen:
        pairs = zip(gen.generator(passes=2), gen.generator(passes=2), strict=True)
        for (images, _), (others, _) in pairs:
            assert np.array_equal(images, others)
        results = []
        consumers = [
            threading.Thread(target=lambda: results.append(values(gen.generator(passes=20))))
            for _ in range(4)
        ]
        for consumer in consumers:
            consumer.start()
        for consumer in consumers:
            consumer.join()
        assert len(results) == 4
        assert all(result == results[0] for result in results)


def test_closing_ends_a_generator_that_another_thread_consumes(ten):
    gen = HDF5DatasetGenerator(ten, 1, [Scale()])
    errors, started = [], threading.Event()

    def consume():
        try:
            for _ in gen.generator():
                started.set()
        except ValueError as error:
            errors.append(str(error))

    consumer = threading.Thread(target=consume)
    consumer.start()
    started.wait()
    gen.close()
    consumer.join(timeout=10)
    assert not consumer.is_alive()
    assert all("closed" in error for error in errors)


def test_a_closed_generator_says_so(ten):
    gen = HDF5DatasetGenerator(ten, 4)
    gen.close()
    gen.close()
    with pytest.raises(ValueError, match=r"ten\.hdf5 is closed"):
        gen.generator()
    with pytest.raises(ValueError, match=r"ten\.hdf5 is closed"):
        _ = gen.db


def test_it_can_be_pickled_and_opens_the_file_anew(ten):
    with HDF5DatasetGenerator(ten, 4, [Scale()], shuffle=True, seed=1) as gen:
        expected = values(gen.generator(passes=1))
        with pickle.loads(pickle.dumps(gen)) as copy:
            assert copy.db is not gen.db
            assert values(copy.generator(passes=1)) == expected


def test_a_forked_process_opens_the_file_anew(ten):
    # in a process of its own: forking one that has loaded a framework may hang
    code = """
        import sys
        from multiprocessing import get_context
        from pyimagesearch.io import HDF5DatasetGenerator

        def values(gen):
            return [images.ravel().tolist() for images, _ in gen.generator(passes=1)]

        def consume():
            queue.put((gen.db is parents, values(gen)))

        context = get_context("fork")
        with HDF5DatasetGenerator(sys.argv[1], 4, shuffle=True, seed=1) as gen:
            expected, parents, queue = values(gen), gen.db, context.SimpleQueue()
            child = context.Process(target=consume)
            child.start()
            assert queue.get() == (False, expected)
            child.join()
            print(child.exitcode, sum(map(len, expected)))
        """
    command = [sys.executable, "-c", textwrap.dedent(code), ten]
    assert subprocess.check_output(command, text=True) == "0 10\n"


def test_peak_memory_does_not_grow_with_the_file(tmp_path):
    code = """
        import pathlib, re, sys
        import numpy as np
        from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
        rows, shape = int(sys.argv[2]), (256, 256, 3)
        with HDF5DatasetWriter((rows, *shape), sys.argv[1]) as writer:
            for i in range(0, rows, 50):
                writer.add(np.zeros((50, *shape), np.uint8), np.zeros(50, int))
        options = {"shuffle": True, "workers": 2}
        with HDF5DatasetGenerator(sys.argv[1], 32, **options) as gen:
            assert sum(len(images) for images, _ in gen.generator(passes=1)) == rows
        status = pathlib.Path("/proc/self/status").read_text()  # unlike getrusage, since exec
        print(int(re.search(r"VmHWM:\\s*([0-9]+)", status)[1]) // 1024)
        """
    peaks = [
        int(
            subprocess.check_output(
                [sys.executable, "-c", textwrap.dedent(code), tmp_path / f"{rows}.hdf5", str(rows)]
            )
        )
        for rows in (500, 1500)
    ]
    assert peaks[1] < peaks[0] + 40  # MB; the larger file has 200 MB more
    assert peaks[1] < 300


# bad files and arguments


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*x\.hdf5\.$"):
        HDF5DatasetGenerator(tmp_path / "x.hdf5", 4)


def test_an_unfinished_build_is_called_that(tmp_path):
    path, partial = tmp_path / "x.hdf5", tmp_path / "x.hdf5.partial"
    with contextlib.suppress(KeyboardInterrupt), HDF5DatasetWriter((10, 2), path) as writer:
        writer.add(np.zeros((3, 2), np.uint8), [0, 0, 0])
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match=r"x\.hdf5\.partial was not finished.*resume=True"):
        HDF5DatasetGenerator(partial, 4)
    with pytest.raises(FileNotFoundError, match=r"x\.hdf5\.partial was not finished.*resume=True"):
        HDF5DatasetGenerator(path, 4)
    partial.rename(path)  # looks finished, and is not
    with pytest.raises(ValueError, match=r"x\.hdf5 was not finished"):
        HDF5DatasetGenerator(path, 4)


def test_a_file_that_another_process_writes_is_called_that(ten):
    code = "import h5py, sys; db = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    command = [sys.executable, "-c", code, ten]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        with pytest.raises(OSError, match=r"ten\.hdf5 is being written by a running process"):
            HDF5DatasetGenerator(ten, 4)
        child.communicate(b"\n")


def test_files_that_are_no_hdf5_or_truncated_are_named(ten, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 no HDF5")
    (tmp_path / "empty.hdf5").touch()
    (tmp_path / "short.hdf5").write_bytes(ten.read_bytes()[:-100])
    for name in ("photo.jpg", "empty.hdf5", "short.hdf5"):
        with pytest.raises(OSError, match=rf"{name} is no HDF5 file, or it is truncated"):
            HDF5DatasetGenerator(tmp_path / name, 4)
    with pytest.raises(OSError, match="directory"):
        HDF5DatasetGenerator(tmp_path, 4)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (
            {"features": [[1]], "labels": [0]},
            r"no data set 'images', only \['features', 'labels'\]",
        ),
        ({"images": [[1]]}, r"no data set 'labels', only \['images'\]"),
        ({"images": [[1], [2]], "labels": [0]}, "2 rows but 1 labels"),
        ({"images": np.zeros((0, 4)), "labels": np.zeros(0, int)}, "is empty"),
        ({"images": [[1]], "labels": [0.0]}, "one integer per row.*f8"),
        ({"images": [[1]], "labels": [[0]]}, r"one integer per row.*\(1, 1\)"),
        ({"images": ["a"], "labels": [0]}, "must hold rows of numbers"),
        ({"images": [[1], [2]], "labels": [0, 2]}, "label 2, which is not in 0 to 1.*classes="),
        ({"images": [[1], [2]], "labels": [0, -1]}, "label -1, which is not in 0 to 1"),
    ],
)
def test_files_with_other_contents_are_refused(tmp_path, contents, message):
    with h5py.File(tmp_path / "odd.hdf5", "w") as db:
        for name, data in contents.items():
            db[name] = data
    with pytest.raises(ValueError, match=rf"odd\.hdf5.*{message}"):
        HDF5DatasetGenerator(tmp_path / "odd.hdf5", 4)
    with h5py.File(tmp_path / "odd.hdf5", "a"):  # nothing holds it
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batchSize": 0}, "batchSize.*0"),
        ({"batchSize": 2.5}, "batchSize.*2.5"),
        ({"classes": 0}, "classes"),
        ({"seed": -1}, "seed"),
        ({"workers": -1}, "workers"),
    ],
)
def test_impossible_arguments_are_refused(ten, options, message):
    with pytest.raises(ValueError, match=message):
        HDF5DatasetGenerator(**{"dbPath": ten, "batchSize": 4, **options})


def test_impossible_passes_are_refused_at_once(ten):
    with HDF5DatasetGenerator(ten, 4) as gen:
        with pytest.raises(ValueError, match="passes must be above 0"):
            gen.generator(passes=0)
        with pytest.raises(ValueError, match="startPass"):
            gen.generator(startPass=-1)


# with Keras


def test_keras_trains_evaluates_and_predicts(tmp_path):
    import keras  # noqa: PLC0415 - only here

    images = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 3), np.uint8)
    path = store(tmp_path / "x.hdf5", images, np.arange(10) % 2)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    scale = [ImageToArrayPreprocessor()]
    with (
        HDF5DatasetGenerator(path, 4, scale, shuffle=True) as train,
        HDF5DatasetGenerator(path, 4, scale) as val,
    ):
        history = model.fit(
            train.generator(),
            steps_per_epoch=len(train),
            validation_data=val.generator(),
            validation_steps=len(val),
            epochs=2,
            shuffle=False,
            verbose=0,
        )
        assert len(history.history["val_loss"]) == 2
        scores = model.predict(val.generator(passes=1), steps=len(val), verbose=0)
        assert np.allclose(scores, model.predict_on_batch(images.astype(np.float32)), atol=1e-5)


class Slow:
    """Stands in for a preprocessor: the row's own number, slowly."""

    def preprocess(self, image):
        time.sleep(0.001)
        return image.reshape(1).astype(np.float32)


def test_keras_sees_every_image_once_in_every_training_and_validation_pass(tmp_path):
    import keras  # noqa: PLC0415 - only here

    path = store(
        tmp_path / "x.hdf5", np.arange(100, dtype=np.uint8)[:, None, None, None], [0] * 100
    )
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.layers[-1].set_weights([np.ones((1, 1)), np.zeros(1)])
    # the mean of the outputs is 49.5 only if each number of 0 to 99 was there once
    mean = keras.metrics.MeanMetricWrapper(lambda y_true, y_pred: y_pred[:, 0], name="mean")
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[mean])
    with (
        HDF5DatasetGenerator(path, 32, [Slow()], shuffle=True, seed=0) as train,
        HDF5DatasetGenerator(path, 32, [Slow()]) as val,
    ):
        history = model.fit(
            train.generator(),
            steps_per_epoch=len(train),
            validation_data=val.generator(),
            validation_steps=len(val),
            epochs=6,
            shuffle=False,
            verbose=0,
        ).history
        assert history["mean"] == [49.5] * 6
        assert history["val_mean"] == [49.5] * 6
        assert model.evaluate(val.generator(), steps=4, verbose=0)[1] == 49.5


def test_a_batch_asked_for_by_number_is_the_one_that_iterating_gives(ten):
    with HDF5DatasetGenerator(ten, 4, shuffle=True, seed=3) as gen:
        batches = [images.ravel().tolist() for images, _ in gen.generator(passes=3, startPass=2)]
        numbered = gen.generator(passes=3, startPass=2)
        for index in (0, 1, 0, 1, 2, 3, 8, 4, 0, 5, 1):  # as Keras does, and worse
            assert numbered[index][0].ravel().tolist() == batches[index]
        assert len(threads()) <= 4 * (gen.workers + 1)
        with pytest.raises(IndexError, match="no batch 9"):
            numbered[9]
        assert [images.ravel().tolist() for images, _ in numbered] == batches
