"""A folder of photographs into one HDF5 file."""

import errno
import os
import signal
import threading
import time

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io._encoding import decode_row
from pyimagesearch.io._imageblocks import block_size
from pyimagesearch.io.imagedatasetbuilder import build_image_dataset, build_splits
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.images import ImageError

RESIZE = [SimplePreprocessor(4, 4)]


@pytest.fixture
def paths(tmp_path):
    """Six one-coloured pictures: picture i is blue 10 i, green 20 i, red 30 i."""
    files = [tmp_path / f"{i}.png" for i in range(6)]
    for i, path in enumerate(files):
        cv2.imwrite(str(path), np.full((5 + i, 9, 3), (10 * i, 20 * i, 30 * i), "uint8"))
    return files


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_images_are_stored_in_the_order_given_with_their_means(tmp_path, paths, workers):
    built = build_image_dataset(
        paths,
        [0, 1, 0, 1, 0, 1],
        tmp_path / "out" / "train.hdf5",
        RESIZE,
        classLabels=["cat", "dog"],
        workers=workers,
    )
    with h5py.File(tmp_path / "out" / "train.hdf5") as db:
        assert db["images"].shape == (6, 4, 4, 3)
        assert db["images"].dtype == np.uint8
        assert db["images"][:, 0, 0, 2].tolist() == [0, 30, 60, 90, 120, 150]
        assert db["labels"][:].tolist() == [0, 1, 0, 1, 0, 1]
        assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
    assert built.means == {"R": 75.0, "G": 50.0, "B": 25.0}
    assert (built.rows, built.skipped) == (6, [])


def test_a_broken_image_is_left_out_with_its_label(tmp_path, paths):
    paths[0].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:40])
    done = []
    built = build_image_dataset(
        paths, range(6), tmp_path / "t.hdf5", RESIZE, workers=2, progress=done.append
    )
    with h5py.File(tmp_path / "t.hdf5") as db:
        assert db["labels"][:].tolist() == [1, 2, 4, 5]
        assert db["images"][:, 0, 0, 0].tolist() == [10, 20, 40, 50]
    assert built.rows == 4
    assert built.means["B"] == 30.0
    assert [path for path, _ in built.skipped] == [paths[0], paths[3]]
    assert str(paths[3]) in str(built.skipped[1][1])
    assert done == [1, 2, 3, 4, 5, 6]


def test_strict_stops_at_the_broken_image_and_leaves_no_file(tmp_path, paths):
    paths[3].write_bytes(b"no image")
    with pytest.raises(ImageError, match="3.png"):
        build_image_dataset(paths, [0] * 6, tmp_path / "t.hdf5", RESIZE, strict=True)
    assert not (tmp_path / "t.hdf5").exists()
    assert not [t for t in threading.enumerate() if "PoolExecutor" in t.name]


def test_a_file_that_vanished_since_it_was_listed_ends_the_build(tmp_path, paths):
    data = paths[5].read_bytes()
    paths[5].unlink()
    target = tmp_path / "t.hdf5"
    with pytest.raises(FileNotFoundError, match="Cannot read an image: No such file.*5.png"):
        build_image_dataset(paths, [0] * 6, target, RESIZE)
    assert not target.exists()
    paths[5].write_bytes(data)
    assert build_image_dataset(paths, [0] * 6, target, RESIZE, resume=True).rows == 6


def test_impossible_input_is_refused(tmp_path, paths):
    target = tmp_path / "t.hdf5"
    with pytest.raises(ValueError, match="6 paths and 5 labels"):
        build_image_dataset(paths, [0] * 5, target, RESIZE)
    with pytest.raises(ValueError, match="no images to write"):
        build_image_dataset([], [], target, RESIZE)
    for path in paths:
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="None of the 6 images"):
        build_image_dataset(paths, [0] * 6, target, RESIZE)
    assert not target.exists()


def test_an_existing_file_is_kept_unless_overwritten(tmp_path, paths):
    target = tmp_path / "t.hdf5"
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="t.hdf5"):
        build_image_dataset(paths, [0] * 6, target, RESIZE)
    assert target.read_bytes() == b"precious"
    assert build_image_dataset(paths, [0] * 6, target, RESIZE, overwrite=True).rows == 6
    with h5py.File(target) as db:
        assert len(db["images"]) == 6


def test_splits_appear_together_and_leave_nothing_of_a_killed_build(tmp_path, paths):
    left = tmp_path / "hdf5" / ".building" / ".mean.json.abc"
    left.mkdir(parents=True)
    (left.parent / "test.hdf5.partial").write_bytes(b"half")
    splits = {"train": (paths[:4], [0, 1, 0, 1]), "test": (paths[4:], [0, 1])}
    built = build_splits(splits, tmp_path / "hdf5", RESIZE)
    assert {name: part.rows for name, part in built.items()} == {"train": 4, "test": 2}
    files = sorted(path.name for path in (tmp_path / "hdf5").iterdir())
    assert files == ["mean.json", "test.hdf5", "train.hdf5"]
    with pytest.raises(FileExistsError, match=r"Built already: .*train\.hdf5"):
        build_splits(splits, tmp_path / "hdf5", RESIZE)


@pytest.mark.parametrize("workers", [1, 3])
def test_many_images_stay_in_order_around_the_broken_ones(tmp_path, workers):
    paths = [tmp_path / f"{i}.png" for i in range(200)]
    for i, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((5, 5, 3), i, "uint8"))
    broken = [0, 31, 32, 33, *range(64, 90), 199]
    for i in broken:
        paths[i].write_bytes(b"no image")
    whole = [i for i in range(200) if i not in broken]
    built = build_image_dataset(paths, range(200), tmp_path / "t.hdf5", RESIZE, workers=workers)
    with h5py.File(tmp_path / "t.hdf5") as db:
        assert db["labels"][:].tolist() == whole
        assert db["images"][:, 3, 3, 1].tolist() == whole
    assert [path for path, _ in built.skipped] == [paths[i] for i in broken]
    assert built.means["G"] == pytest.approx(np.mean(whole))


@pytest.mark.parametrize("encode", ["jpeg", "png"])
def test_an_encoded_build_holds_the_same_images_and_means(tmp_path, paths, encode):
    paths[2].write_bytes(b"")
    built = build_image_dataset(
        paths, range(6), tmp_path / "t.hdf5", RESIZE, encode=encode, quality=95
    )
    with h5py.File(tmp_path / "t.hdf5") as db:
        rows = [decode_row(row, encode, (4, 4, 3), "row") for row in db["images"][:]]
        assert db["labels"][:].tolist() == [0, 1, 3, 4, 5]
    for row, i in zip(rows, [0, 1, 3, 4, 5], strict=True):
        error = np.abs(row.astype(int) - (10 * i, 20 * i, 30 * i)).max()
        assert error <= (2 if encode == "jpeg" else 0)
    assert built.means["B"] == 26.0  # of the images as they were before
    splits = {"train": (paths, range(6))}
    build_splits(splits, tmp_path / "hdf5", RESIZE, encode=encode)
    with h5py.File(tmp_path / "hdf5" / "train.hdf5") as db:
        assert db["images"].attrs["encoding"] == encode


class Preprocessor:
    """Calls a function."""

    def __init__(self, function):
        self.preprocess = function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda image: image,
            r"images alike, uint8 .*\(5, 9, 3\).*Received: uint8 .*\(6, 9, 3\).*1",
        ),
        (lambda image: image[:, :, 0], r"shape \(H, W, 3\).*Received: \(5, 9\)"),
    ],
)
def test_images_that_do_not_fit_are_refused(tmp_path, paths, function, message):
    with pytest.raises(ValueError, match=message):
        build_image_dataset(paths, [0] * 6, tmp_path / "t.hdf5", [Preprocessor(function)])
    assert not (tmp_path / "t.hdf5").exists()


def test_an_exception_of_a_preprocessor_reaches_the_caller(tmp_path, paths):
    def fail(image):
        if image.shape[0] == 9:  # the fifth picture
            raise ZeroDivisionError("mine")
        return image[:4, :4]

    with pytest.raises(ZeroDivisionError, match="mine"):
        build_image_dataset(paths, [0] * 6, tmp_path / "t.hdf5", [Preprocessor(fail)])
    assert not [t for t in threading.enumerate() if "PoolExecutor" in t.name]


def test_ctrl_c_ends_the_threads_after_the_image_they_are_at(tmp_path, paths):
    calls = []

    def slow(image):
        calls.append(image)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        return image[:4, :4]

    with pytest.raises(KeyboardInterrupt):
        build_image_dataset(
            paths * 30, [0] * 180, tmp_path / "t.hdf5", [Preprocessor(slow)], workers=2
        )
    assert len(calls) <= 10  # of the 32 in the blocks under way
    assert not [t for t in threading.enumerate() if "PoolExecutor" in t.name]


def test_float_images_are_stored_with_their_means(tmp_path, paths):
    halves = Preprocessor(lambda image: np.float32(image[:4, :4]) / 2)
    built = build_image_dataset(paths, range(6), tmp_path / "t.hdf5", [halves])
    with h5py.File(tmp_path / "t.hdf5") as db:
        assert db["images"][:, 0, 0, 0].tolist() == [0, 5, 10, 15, 20, 25]
    assert built.means == {"R": 37.5, "G": 25.0, "B": 12.5}


def test_blocks_are_small_where_images_are_few_large_or_shared_by_many_workers():
    assert block_size(5, 2, 196_608) == 1
    assert block_size(100, 2, 196_608) == 13
    assert block_size(100_000, 2, 196_608) == 16
    assert block_size(100_000, 16, 196_608) == 8  # 48 MB for 32 blocks
    assert block_size(100_000, 2, 10**9) == 1


# going on with a build


class Stop(Exception):
    """Ends a build in the middle."""


def stop_after(count):
    def progress(done, *_):
        if count is None or done == count:
            raise Stop

    return progress


@pytest.fixture
def saving(monkeypatch):
    """Rows are saved whenever there are some."""
    monkeypatch.setattr("pyimagesearch.io.hdf5datasetwriter.SAVE_BYTES", 1)


@pytest.mark.usefixtures("saving")
def test_a_resumed_build_reads_no_image_twice_and_reports_all(tmp_path, paths):
    paths[1].write_bytes(b"no image")
    target = tmp_path / "t.hdf5"
    counted = Counting()
    with pytest.raises(Stop):
        build_image_dataset(paths, range(6), target, [counted], workers=0, progress=stop_after(4))
    assert not target.exists()
    before = counted.calls
    done = []
    built = build_image_dataset(
        *(paths, range(6), target, [counted]), workers=0, resume=True, progress=done.append
    )
    assert counted.calls - before <= 4  # the first one, whose shape tells, and the rest
    assert done[-1] == 6
    assert done[0] > 1
    assert (built.rows, built.means["B"]) == (5, 28.0)
    assert [(path, str(error)) for path, error in built.skipped] == [
        (paths[1], str(built.skipped[0][1]))
    ]
    assert "1.png" in str(built.skipped[0][1])
    with h5py.File(target) as db:
        assert db["images"][:, 0, 0, 0].tolist() == [0, 20, 30, 40, 50]
        assert db["labels"][:].tolist() == [0, 2, 3, 4, 5]
    assert not list(tmp_path.glob("t.hdf5.*"))


class Counting:
    """Cuts (4, 4, 3) out and counts the calls."""

    def __init__(self):
        self._calls = []

    @property
    def calls(self):
        return len(self._calls)

    def preprocess(self, image):
        self._calls.append(1)
        return image[:4, :4]

    def __getattribute__(self, name):
        # its state is none of the settings
        return {} if name == "__dict__" else super().__getattribute__(name)


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [1, 1, 1, 1, 1, 0]}, "begun with other labels. Give the same again"),
        (
            {"preprocessors": [SimplePreprocessor(4, 4, inter=0)]},
            "preprocessors .*inter=3.*inter=0",
        ),
        ({"classLabels": ["cat", "fox"]}, r"the classes \['cat', 'dog'\], not \['cat', 'fox'\]"),
        ({"encode": "png"}, "encode None, not png"),
        ({"maxPixels": 50_000}, "maxPixels 100000000, not 50000"),
        ({"preprocessors": [SimplePreprocessor(5, 4)]}, "width=4.*width=5"),
    ],
)
def test_another_build_is_not_resumed(tmp_path, paths, change, message):
    target = tmp_path / "t.hdf5"
    options = {"labels": [1] * 6, "preprocessors": RESIZE, "classLabels": ["cat", "dog"]}
    with pytest.raises(Stop):
        build_image_dataset(paths, outputPath=target, workers=0, progress=stop_after(4), **options)
    with pytest.raises(ValueError, match=message):
        build_image_dataset(paths, outputPath=target, resume=True, **options | change)
    with pytest.raises(ValueError, match="number of images 6, not 5"):
        build_image_dataset(
            paths[:5], outputPath=target, resume=True, **options | {"labels": [1] * 5}
        )
    with pytest.raises(ValueError, match="begun with other image files"):
        build_image_dataset(paths[::-1], outputPath=target, resume=True, **options)
    assert build_image_dataset(paths, outputPath=target, resume=True, **options).rows == 6


@pytest.mark.usefixtures("saving")
def test_strict_holds_for_what_was_skipped_before(tmp_path, paths):
    paths[0].write_bytes(b"no image")
    target = tmp_path / "t.hdf5"
    with pytest.raises(Stop):
        build_image_dataset(paths, [0] * 6, target, RESIZE, workers=0, progress=stop_after(4))
    with pytest.raises(ImageError, match="0.png"):
        build_image_dataset(paths, [0] * 6, target, RESIZE, strict=True, resume=True)
    assert build_image_dataset(paths, [0] * 6, target, RESIZE, resume=True).rows == 5


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize("tail", [b"", b'{"paths": 5, "ro', b"\0" * 700, None])
def test_a_journal_whose_last_line_is_torn_is_read_up_to_it(tmp_path, paths, tail):
    target = tmp_path / "t.hdf5"
    for stop in (7, 13):
        with pytest.raises(Stop):
            build_image_dataset(
                *(paths * 4, list(range(24)), target, RESIZE),
                workers=0,
                resume=True,
                progress=stop_after(stop),
            )
        journal = tmp_path / "t.hdf5.partial.journal"
        data = journal.read_bytes()
        assert data.count(b"\n") >= 2
        journal.write_bytes(data[:-1] if tail is None else data + tail)
    done = []
    built = build_image_dataset(
        *(paths * 4, range(24), target, RESIZE), resume=True, progress=done.append
    )
    assert done[0] > (6 if tail is None else 13)
    assert (built.rows, built.means["R"]) == (24, 75.0)
    with h5py.File(target) as db:
        assert db["labels"][:].tolist() == list(range(24))


@pytest.mark.usefixtures("saving")
def test_resume_without_a_journal_or_a_partial_file_starts_afresh(tmp_path, paths):
    target = tmp_path / "t.hdf5"
    for lost in ("t.hdf5.partial", "t.hdf5.partial.journal"):
        target.unlink(missing_ok=True)
        with pytest.raises(Stop):
            build_image_dataset(paths, range(6), target, RESIZE, workers=0, progress=stop_after(4))
        (tmp_path / lost).unlink()
        built = build_image_dataset(paths, range(6), target, RESIZE, resume=True, overwrite=True)
        assert (built.rows, built.means["R"]) == (6, 75.0)
        assert not list(tmp_path.glob("t.hdf5.*"))


def test_an_old_file_is_not_taken_for_what_a_killed_build_had_finished(
    tmp_path, paths, monkeypatch
):
    build_image_dataset(paths, range(6), tmp_path / "t.hdf5", RESIZE)
    monkeypatch.setattr("pyimagesearch.io._storage.finish", stop_after(None))
    with pytest.raises(Stop):
        build_image_dataset(paths[:4], range(4), tmp_path / "t.hdf5", RESIZE, overwrite=True)
    monkeypatch.undo()
    (tmp_path / "t.hdf5.partial").unlink()
    built = build_image_dataset(
        paths[:4], range(4), tmp_path / "t.hdf5", RESIZE, overwrite=True, resume=True
    )
    with h5py.File(tmp_path / "t.hdf5") as db:
        assert built.rows == len(db["images"]) == 4


@pytest.mark.usefixtures("saving")
def test_images_replaced_between_two_runs_are_noticed(tmp_path, paths):
    splits = {"train": (paths[:3], range(3)), "val": (paths[3:], range(3))}
    options = {"workers": 0, "progress": lambda name, count: Bar(name)}

    class Bar:
        def __init__(self, name):
            self.update = stop_after(2) if name == "val" else lambda done: None

        def finish(self):
            pass

    with pytest.raises(Stop):
        build_splits(splits, tmp_path / "hdf5", RESIZE, **options)
    for path in (paths[0], paths[3]):  # of the part that is done, and of the other
        before = path.stat()
        data = path.read_bytes()
        path.write_bytes(paths[5].read_bytes())
        with pytest.raises(ValueError, match="image files that were read already have changed"):
            build_splits(splits, tmp_path / "hdf5", RESIZE, resume=True)
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    built = build_splits(splits, tmp_path / "hdf5", RESIZE, resume=True)
    assert [part.rows for part in built.values()] == [3, 3]


def test_a_file_that_cannot_be_replaced_leaves_all_old_ones(tmp_path, paths, monkeypatch):
    folder, splits = tmp_path / "hdf5", {"train": (paths, range(6)), "val": (paths, range(6))}
    build_splits(splits, folder, RESIZE)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rename = type(folder).rename

    def refuse(path, target):
        if path == folder / "val.hdf5":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", refuse)
    with pytest.raises(PermissionError, match=r"complete in .*\.building: run again with resume"):
        build_splits(splits, folder, [SimplePreprocessor(2, 2)], overwrite=True)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    built = build_splits(splits, folder, [SimplePreprocessor(2, 2)], overwrite=True, resume=True)
    assert built["val"].rows == 6
    with h5py.File(folder / "val.hdf5") as db:
        assert db["images"].shape == (6, 2, 2, 3)
    assert not (folder / ".building").exists()


def test_a_folder_in_the_place_of_a_file_is_found_before_the_build(tmp_path, paths):
    (tmp_path / "mean.json").mkdir()
    with pytest.raises(IsADirectoryError, match=r"mean\.json is a folder"):
        build_splits({"train": (paths, range(6))}, tmp_path, RESIZE, overwrite=True)


def test_a_file_that_no_image_fills_is_not_read(tmp_path, paths):
    with paths[1].open("r+b") as file:
        file.truncate(10**12)  # takes no room on the disk
    built = build_image_dataset(paths, range(6), tmp_path / "t.hdf5", RESIZE)
    assert built.rows == 5
    assert "1,000,000,000,000 bytes, more than an image" in str(built.skipped[0][1])


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize("line", [0, 1, -1])
def test_a_journal_that_was_changed_counts_up_to_there(tmp_path, paths, line):
    target, journal = tmp_path / "t.hdf5", tmp_path / "t.hdf5.partial.journal"
    with pytest.raises(Stop):
        build_image_dataset(paths, range(6), target, RESIZE, workers=0, progress=stop_after(5))
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) > 3
    lines[line] = lines[line].replace(b"0", b"1")
    journal.write_bytes(b"".join(lines))
    built = build_image_dataset(paths, range(6), target, RESIZE, resume=True)
    assert (built.rows, built.means["B"]) == (6, 25.0)


def test_resume_does_not_replace_finished_files(tmp_path, paths):
    splits = {"train": (paths, range(6))}
    build_splits(splits, tmp_path / "hdf5", RESIZE, resume=True)
    with pytest.raises(FileExistsError, match="Built already"):
        build_splits(splits, tmp_path / "hdf5", RESIZE, resume=True)
    files = sorted(path.name for path in (tmp_path / "hdf5").iterdir())
    assert files == ["mean.json", "train.hdf5"]


def test_large_images_are_left_out_where_the_limit_says_so(tmp_path, paths):
    built = build_image_dataset(paths, range(6), tmp_path / "t.hdf5", RESIZE, maxPixels=8 * 9)
    assert built.rows == 4  # 5x9 to 8x9 pixels
    assert "10x9" in str(built.skipped[1][1]) or "9x10" in str(built.skipped[1][1])
    built = build_splits({"train": (paths, range(6))}, tmp_path / "hdf5", RESIZE, maxPixels=5 * 9)
    assert built["train"].rows == 1


def test_float_means_do_not_depend_on_the_workers(tmp_path, paths):
    tenths = Preprocessor(lambda image: np.float32(image[:4, :4]) * np.float32(0.1))
    means = [
        build_image_dataset(
            paths * 20, [0] * 120, tmp_path / "t.hdf5", [tenths], overwrite=True, workers=workers
        ).means
        for workers in (0, 1, 3)
    ]
    assert means[0] == means[1] == means[2]
