"""The fused steps of HDF5DatasetGenerator against the steps one by one; the threads' manners."""

import copy
import gc
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io._feed import Feed, Work
from pyimagesearch.io._fused import fused_steps
from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    CropPreprocessor,
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.utils.images import ImageError
from pyimagesearch.utils.recycling import Recycler

MEANS = (124.3, 115.0, 105.7)
MOVES = {
    "rotation_range": 20,
    "zoom_range": 0.15,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 8.6,
    "horizontal_flip": True,
}


def store(path, images, labels=None, **options):
    labels = np.arange(len(images)) % 2 if labels is None else labels
    with HDF5DatasetWriter(np.shape(images), path, **options) as writer:
        writer.add(images, labels)
    return path


def smooth(count, height, width, channels=3):
    """Images with the contrast of photographs, but without their noise."""
    noise = np.random.default_rng(0).normal(size=(count, height, width, channels))
    images = [
        cv2.GaussianBlur(image, (0, 0), 4).reshape(height, width, channels) for image in noise
    ]
    return np.clip(127 + np.stack(images) * (60 / np.std(images)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images():
    return smooth(70, 64, 80)


@pytest.fixture(scope="module")
def stored(images, tmp_path_factory):
    return store(tmp_path_factory.mktemp("feed") / "images.hdf5", images)


def own(preprocessor):
    """The same preprocessor as an object of a user's class, which is never fused."""
    copied = copy.copy(preprocessor)
    copied.__class__ = type("Own", (type(preprocessor),), {})
    return copied


def two_passes(path, steps, aug=None, **options):
    options = {"shuffle": True, "seed": 4, "binarize": False, **options}
    with HDF5DatasetGenerator(path, 32, steps, aug, **options) as gen:
        return [(batch.copy(), labels) for batch, labels in gen.generator(passes=2)]


def is_fused(steps, aug, row_shape=(64, 80, 3), dtype=np.uint8):
    return fused_steps(steps, aug, row_shape, np.dtype(dtype)) is not None


STEPS = {
    "patch": [PatchPreprocessor(50, 60), MeanPreprocessor(*MEANS), ImageToArrayPreprocessor()],
    "patch of the whole": [PatchPreprocessor(80, 64), MeanPreprocessor(*MEANS)],
    "resize": [SimplePreprocessor(40, 50), MeanPreprocessor(*MEANS), ImageToArrayPreprocessor()],
    "aspect": [AspectAwarePreprocessor(50, 50), ImageToArrayPreprocessor("channels_last")],
    "mean": [MeanPreprocessor(*MEANS)],
    "to array": [ImageToArrayPreprocessor()],
}


# ---- the same images ------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2, 5])
@pytest.mark.parametrize("name", STEPS)
def test_fused_steps_give_the_same_bits_as_the_steps_one_by_one(stored, name, workers):
    steps = STEPS[name]
    assert is_fused(steps, None)
    assert not is_fused([own(steps[0]), *steps[1:]], None)
    fused = two_passes(stored, steps, workers=workers)
    plain = two_passes(stored, [own(steps[0]), *steps[1:]], workers=0)
    assert [len(batch) for batch, _ in fused] == [32, 32, 6] * 2
    for (batch, labels), (other, other_labels) in zip(fused, plain, strict=True):
        assert batch.dtype == other.dtype == np.float32
        assert np.array_equal(batch, other)
        assert np.array_equal(labels, other_labels)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "wrap"])
@pytest.mark.parametrize("workers", [0, 3])
def test_fused_augmentation_draws_the_same_and_rounds_to_grey_levels(stored, fill_mode, workers):
    aug = ImageDataGenerator(**MOVES, fill_mode=fill_mode)
    steps = STEPS["patch"]
    assert is_fused(steps, aug)
    fused = two_passes(stored, steps, aug, workers=workers)
    plain = two_passes(stored, [own(steps[0]), *steps[1:]], aug, workers=0)
    for (batch, _), (other, _) in zip(fused, plain, strict=True):
        # half a grey level of rounding, and a place in 1/32 pixels that is rounded otherwise
        assert np.abs(batch - other).mean() < 0.3
        assert np.abs(batch - other).max() < 3


def test_fused_augmentation_standardizes_as_the_augmenter_does(stored, images):
    options = {"featurewise_center": True, "samplewise_center": True, "rescale": 0.5}
    aug = ImageDataGenerator(**MOVES, **options)
    aug.fit(images.astype(np.float32))
    steps = [MeanPreprocessor(*MEANS)]
    assert is_fused(steps, aug)
    fused = two_passes(stored, steps, aug)
    plain = two_passes(stored, [own(steps[0])], aug)
    for (batch, _), (other, _) in zip(fused, plain, strict=True):
        assert np.abs(batch - other).mean() < 0.2  # grey levels, halved


def test_zca_whitening_and_a_grey_file_are_fused_too(tmp_path):
    grey = smooth(12, 6, 6, 1)
    path = store(tmp_path / "grey.hdf5", grey)
    aug = ImageDataGenerator(horizontal_flip=True, zca_whitening=True, featurewise_center=True)
    aug.fit(grey.astype(np.float32))
    assert is_fused([ImageToArrayPreprocessor()], aug, (6, 6, 1))
    fused = two_passes(path, [ImageToArrayPreprocessor()], aug)
    plain = two_passes(path, [own(ImageToArrayPreprocessor())], aug)
    assert all(np.allclose(a, b, atol=1e-4) for (a, _), (b, _) in zip(fused, plain, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"fill_mode": "constant"},
        {"brightness_range": (0.5, 1.5)},
        {"channel_shift_range": 20.0},
        {"preprocessing_function": lambda image: image * 2},
        {"dtype": "float64"},
        {"data_format": "channels_first"},
    ],
    ids=", ".join,
)
def test_what_does_not_commute_with_the_means_is_not_fused(options):
    assert not is_fused(STEPS["patch"], ImageDataGenerator(**MOVES, **options))


def test_what_a_user_wrote_or_ordered_otherwise_is_not_fused(monkeypatch):
    class Own(ImageDataGenerator):
        pass

    mean, patch = MeanPreprocessor(*MEANS), PatchPreprocessor(50, 60)
    assert not is_fused([mean, patch], None)
    assert not is_fused([mean, CropPreprocessor(8, 8)], None)
    assert not is_fused([patch], None)  # the images stay uint8
    assert not is_fused([], None)
    assert not is_fused([patch, mean], Own())
    assert not is_fused([patch, mean], None, dtype=np.float32)
    assert not is_fused([PatchPreprocessor(81, 2), mean], None)  # refused by the plain path
    assert not is_fused([mean], None, (64, 80, 1))
    assert not is_fused([ImageToArrayPreprocessor("channels_first")], None)


def test_a_users_preprocessor_between_ours_is_called_for_every_image(stored):
    class Darken:
        def preprocess(self, image):
            return image // 2

    [*steps] = STEPS["patch"]
    [(batch, _), *_] = two_passes(stored, [steps[0], Darken(), *steps[1:]], shuffle=False)
    [(other, _), *_] = two_passes(stored, [steps[0]], shuffle=False)
    assert np.array_equal(batch, other // 2 - np.float32(MEANS[::-1]))


def test_a_patch_larger_than_the_images_says_so(stored):
    with pytest.raises(ValueError, match="Cannot crop 90x90 pixels.*80x64 image"):
        two_passes(stored, [PatchPreprocessor(90, 90), MeanPreprocessor(*MEANS)])


# ---- encoded rows ---------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_png_rows_come_back_as_they_were(images, stored, tmp_path, workers):
    path = store(tmp_path / "png.hdf5", images, encode="png")
    for steps in (None, [own(SimplePreprocessor(20, 20))], STEPS["patch"]):
        raw = two_passes(stored, steps, shuffle=False, workers=workers)
        encoded = two_passes(path, steps, shuffle=False, workers=workers)
        for (batch, labels), (other, other_labels) in zip(raw, encoded, strict=True):
            assert batch.dtype == other.dtype
            assert np.array_equal(batch, other)
            assert np.array_equal(labels, other_labels)


def test_jpeg_rows_come_back_nearly_as_they_were_and_shuffled_once_each(images, tmp_path):
    path = store(tmp_path / "jpeg.hdf5", images, labels=np.arange(len(images)), encode="jpeg")
    with HDF5DatasetGenerator(path, 16, binarize=False, shuffle=True, seed=0) as gen:
        batches = [(batch.copy(), labels) for batch, labels in gen.generator(passes=1)]
    labels = np.concatenate([labels for _, labels in batches])
    assert sorted(labels.tolist()) == list(range(70))
    decoded = np.concatenate([batch for batch, _ in batches])
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - images[labels]).mean() < 3


def test_a_damaged_row_is_named(images, tmp_path):
    path = store(tmp_path / "bad.hdf5", images[:10], encode="jpeg")
    with h5py.File(path, "r+") as db:
        db["images"][7] = db["images"][7][:50]
    with pytest.raises(ImageError, match=r"Row 7 of .*bad\.hdf5") as caught:
        two_passes(path, None)
    assert "While preparing batch 0" in caught.value.__notes__[0]


def test_bytes_that_do_not_say_what_they_are_are_refused(tmp_path):
    with h5py.File(tmp_path / "odd.hdf5", "w") as db:
        db.create_dataset("images", (3,), h5py.vlen_dtype(np.uint8))
        db["labels"] = [0, 1, 0]
    with pytest.raises(ValueError, match=r"images of .*odd\.hdf5 holds bytes.*Found: None"):
        HDF5DatasetGenerator(tmp_path / "odd.hdf5", 2)


# ---- memory ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """120 images of 256x256: batches of 8 take 4.7 MB and are recycled."""
    images = np.repeat(np.arange(120, dtype=np.uint8), 256 * 256 * 3).reshape(120, 256, 256, 3)
    return store(tmp_path_factory.mktemp("large") / "large.hdf5", images, np.arange(120))


def large_feed(path, workers=2):
    steps = [PatchPreprocessor(224, 224), ImageToArrayPreprocessor()]
    return HDF5DatasetGenerator(path, 8, steps, binarize=False, workers=workers)


def test_a_batch_stays_as_it_is_for_as_long_as_anybody_holds_it(large):
    with large_feed(large) as gen:
        kept = list(gen.generator(passes=1))
    views = [batch[3:5, ::2, :, 1] for batch, _ in kept]
    labels = [numbers for _, numbers in kept]
    del kept
    gc.collect()
    with large_feed(large) as gen:  # other batches in the meantime
        assert sum(len(batch) for batch, _ in gen.generator(passes=2)) == 240
    for view, numbers in zip(views, labels, strict=True):
        assert (view == numbers[3:5, None, None]).all()


def test_a_consumer_who_lets_go_gets_the_same_memory_again(large):
    with large_feed(large) as gen:
        addresses = []
        for batch, _ in gen.generator(passes=2):
            addresses.append(batch.ctypes.data)
    assert len(addresses) == 30
    assert len(set(addresses)) == 2


def test_a_pass_leaves_no_memory_to_the_garbage_collector(large):
    def alive():
        # not isinstance: it asks every object for its class, and some warn
        return {id(o) for o in gc.get_objects() if type(o) in (Recycler, Work)}

    gc.collect()
    gc.disable()
    before = alive()
    try:
        with large_feed(large) as gen:
            for steps in (gen.preprocessors, [own(PatchPreprocessor(224, 224))]):
                gen.preprocessors = steps  # fused, and not
                assert sum(len(batch) for batch, _ in gen.generator(passes=1)) == 120
        for _ in range(50):  # a thread that has nothing to do any more may take a moment to end
            if not (left := alive() - before):
                break
            time.sleep(0.1)
        assert not left
    finally:
        gc.enable()


def test_the_next_batch_is_made_while_the_consumer_works_on_one(large):
    made = []

    class Noting(ImageToArrayPreprocessor):
        def preprocess(self, image):
            made.append(int(image[0, 0, 0]))
            return super().preprocess(image)

    for steps in ([ImageToArrayPreprocessor()], [Noting()]):  # fused, and not
        with HDF5DatasetGenerator(large, 8, steps, binarize=False, workers=2) as gen:
            batches = gen.generator()
            next(batches)
            waited = batches.waited
            time.sleep(0.3)
            assert next(batches)[1].tolist() == list(range(8, 16))
            assert batches.waited - waited < 0.1  # it was ready
    assert 16 <= len(made) <= 32


# ---- the threads' manners -------------------------------------------------------------------


def works(count, seconds=0.0, fail=None, made=None):
    """`count` works of three jobs each; result i is [i, i, i]."""

    def job(values, number, place):
        time.sleep(seconds)
        if (number, place) == fail:
            raise ZeroDivisionError("job")
        values[place] = number

    for number in range(count):
        values = [None] * 3
        jobs = (lambda v=values, n=number, p=place: job(v, n, p) for place in range(3))
        yield Work(jobs, lambda v=values: v)
        if made is not None:
            made.append(number)


def room(count):
    return lambda ahead, waiting: ahead < count


@pytest.mark.parametrize("workers", [0, 1, 2, 7])
def test_results_come_in_order_and_complete(workers):
    feed = Feed(works(50, 0.0002), workers, room(3))
    assert list(feed) == [[i] * 3 for i in range(50)]
    assert next(feed, "end") == "end"
    feed.close()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_job_that_fails_is_raised_when_its_turn_comes(workers):
    feed = Feed(works(9, fail=(4, 1)), workers, room(3))
    assert [next(feed) for _ in range(4)] == [[i] * 3 for i in range(4)]
    with pytest.raises(ZeroDivisionError):
        next(feed)
    feed.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_finding_work_is_raised_too(workers):
    def failing():
        yield from works(1)
        raise OSError("disk")

    feed = Feed(failing(), workers, room(3))
    assert next(feed) == [0, 0, 0]
    with pytest.raises(OSError, match="disk"):
        next(feed)
    feed.close()


def feed_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("Feed-")]


@pytest.mark.parametrize("end", ["close", "gc", "error", "exhausted"])
def test_no_thread_is_left(end):
    feed = Feed(works(5, 0.001, fail=(2, 0) if end == "error" else None), 3, room(2))
    next(feed)
    if end == "error":
        with pytest.raises(ZeroDivisionError):
            list(feed)
    elif end == "exhausted":
        list(feed)
    elif end == "close":
        feed.close()
        feed.close()
        assert next(feed, "closed") == "closed"
    del feed
    gc.collect()
    assert feed_threads() == []


def test_no_more_is_begun_than_there_is_room_for():
    made = []
    feed = Feed(works(50, made=made), 2, room(3))
    next(feed)
    time.sleep(0.1)
    assert len(made) <= 4
    feed.close()


def run_python(code, *arguments, **options):
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_an_interpreter_ends_with_a_feed_still_at_work(large):
    code = """
        import sys
        from pyimagesearch.io import HDF5DatasetGenerator
        from pyimagesearch.preprocessing import ImageToArrayPreprocessor
        gen = HDF5DatasetGenerator(sys.argv[1], 8, [ImageToArrayPreprocessor()], classes=120)
        batches = gen.generator()
        print(len(next(batches)[0]))
        """
    out, err = run_python(code, large).communicate(timeout=60)
    assert (out, err) == (b"8\n", b"")


def test_ctrl_c_ends_a_consumer_that_waits_at_once(large):
    code = """
        import sys, time
        from pyimagesearch.io import HDF5DatasetGenerator

        class Slow:
            def preprocess(self, image):
                time.sleep(0.05)
                return image

        with HDF5DatasetGenerator(sys.argv[1], 60, [Slow()], classes=120, workers=2) as gen:
            print("waiting", flush=True)
            next(gen.generator())
        """
    child = run_python(code, large, start_new_session=True)
    assert child.stdout.readline() == b"waiting\n"
    time.sleep(0.5)
    started = time.perf_counter()
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert b"KeyboardInterrupt" in err
    assert time.perf_counter() - started < 2.5  # the batches begun would take 3 s each


def test_a_forked_child_may_end_with_a_feed_of_its_parents(large):
    code = """
        import os, sys
        from pyimagesearch.io import HDF5DatasetGenerator
        from pyimagesearch.preprocessing import ImageToArrayPreprocessor
        gen = HDF5DatasetGenerator(sys.argv[1], 8, [ImageToArrayPreprocessor()], classes=120)
        batches = gen.generator()
        next(batches)
        child = os.fork()
        if child == 0:
            batches.close()
            sys.exit(3)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(next(batches)[0]))
        """
    out, _ = run_python(code, large).communicate(timeout=60)
    assert out == b"3 8\n"


def test_consumers_in_several_threads_share_one_iterator(large):
    with large_feed(large) as gen:
        batches, seen = gen.generator(passes=3), []

        def consume():
            for batch, numbers in batches:
                assert (batch[:, 0, 0, 0] == numbers).all()
                seen.extend(numbers.tolist())

        consumers = [threading.Thread(target=consume) for _ in range(4)]
        for consumer in consumers:
            consumer.start()
        for consumer in consumers:
            consumer.join()
    assert sorted(seen) == sorted(itertools.chain.from_iterable([range(120)] * 3))


def test_closing_from_another_thread_does_not_wait_for_the_batch(large):
    class Slow:
        def preprocess(self, image):
            time.sleep(0.2)
            return image

    gen = HDF5DatasetGenerator(large, 20, [Slow()], binarize=False, workers=2)
    batches, seen = gen.generator(), []
    consumer = threading.Thread(target=lambda: seen.append(next(batches, "closed")))
    consumer.start()
    time.sleep(0.3)
    started = time.perf_counter()
    gen.close()
    consumer.join()
    assert time.perf_counter() - started < 2  # the batch would take 4 s
    assert seen == ["closed"]


def test_a_consumer_who_lets_a_whole_pass_go_gets_no_more_ahead_than_before(tmp_path):
    rows = np.zeros((14 * 8 + 6, 128, 128, 3), np.uint8)  # the last batch of 6 is large as well
    path = store(tmp_path / "x.hdf5", rows)
    with HDF5DatasetGenerator(path, 8, [ImageToArrayPreprocessor()], workers=2) as gen:
        batches = gen.generator()
        kept = [next(batches) for _ in range(15)]
        assert [len(batch) for batch, _ in kept[-2:]] == [8, 6]
        while kept:
            kept.pop(0)
        for _ in range(3):
            next(batches)
            time.sleep(0.1)
            assert len(batches._lines[0][1]._line._begun) <= 2


def test_batches_nobody_asks_for_any_more_give_up_their_threads_and_lose_nothing(stored):
    def threads():
        return sum(thread.name.startswith("Feed") for thread in threading.enumerate())

    steps = [ImageToArrayPreprocessor()]
    with HDF5DatasetGenerator(stored, 8, steps, binarize=False, workers=2, shuffle=True) as gen:
        before = threads()
        expected = [(batch.copy(), labels) for batch, labels in gen.generator(passes=2)]
        forgotten = [gen.generator() for _ in range(5)]  # TensorFlow would keep them for ever
        for batches in forgotten:
            next(batches)
        assert threads() == before + 10
        busy = gen.generator()
        for _ in range(40):
            next(busy)
        assert threads() == before + 2
        for batch, labels in expected[1:]:  # whoever comes back goes on where it was
            again, numbers = next(forgotten[3])
            np.testing.assert_array_equal(again, batch)
            np.testing.assert_array_equal(numbers, labels)


def test_batches_that_take_turns_keep_their_threads(stored):
    with HDF5DatasetGenerator(stored, 8, binarize=False, workers=2) as gen:
        pair = gen.generator(), gen.generator()
        lines = None
        for _ in range(50):
            for batches in pair:
                next(batches)
            lines = lines or [batches._lines[0][1] for batches in pair]
        assert lines == [batches._lines[0][1] for batches in pair]


def test_means_changed_between_passes_have_effect(stored):
    mean = MeanPreprocessor(0, 0, 0)
    with HDF5DatasetGenerator(stored, 70, [mean], binarize=False, workers=0) as gen:
        batches = gen.generator()
        first = next(batches)[0].copy()
        mean.rMean = mean.gMean = mean.bMean = 50
        assert np.array_equal(next(batches)[0], first - 50)


def test_a_method_that_a_user_replaced_is_called(stored):
    mean, aug = MeanPreprocessor(*MEANS), ImageDataGenerator(**MOVES)
    mean.preprocess = lambda image: image * np.float32(0)
    assert not is_fused([mean], None)
    [(batch, _), *_] = two_passes(stored, [mean])
    assert not batch.any()
    aug.random_transform = lambda image, seed=None: image * np.float32(0)
    assert not is_fused(STEPS["patch"], aug)
    assert not next(aug.flow(np.ones((4, 8, 8, 3), np.uint8), batch_size=4)).any()


def test_a_fill_value_that_is_no_grey_level_is_kept(images, stored):
    aug = ImageDataGenerator(fill_mode="constant", cval=-5.5, width_shift_range=[30])
    for step in (ImageToArrayPreprocessor(), own(ImageToArrayPreprocessor())):
        [(batch, _), *_] = two_passes(stored, [step], aug)
        assert batch.min() == -5.5
    assert next(aug.flow(images, batch_size=8)).min() == -5.5
    [(batch, _), *_] = two_passes(stored, None, aug)
    assert batch.min() == -5.5


def test_batches_of_the_parent_process_are_refused(large):
    code = """
        import os, sys
        from pyimagesearch.io import HDF5DatasetGenerator
        gen = HDF5DatasetGenerator(sys.argv[1], 8, classes=120, workers=2)
        batches = gen.generator()
        next(batches)
        if os.fork() == 0:
            try:
                next(batches)
            except RuntimeError as error:
                print(error, len(next(gen.generator())[0]), flush=True)
            os._exit(0)
        os.wait()
        """
    out, _ = run_python(code, large).communicate(timeout=60)
    assert out.endswith(b"Call generator() again in this process. 8\n")
