"""HDF5DatasetWriter: what it stores, what it refuses, and what a broken run leaves behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter, _undo
from pyimagesearch.io.check import check_dataset


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made" / "on the way" / "data.hdf5"


def partial_of(path):
    return path.with_name(path.name + ".partial")


def numbered(first, last, size=4):
    """Rows of `size` numbers, each row holding its own number."""
    return np.repeat(np.arange(first, last)[:, None], size, axis=1)


def interrupt(path, dims, rows, **options):
    """Leave the partial file that an interrupted run leaves, labels counting from 0."""

    def build():
        with HDF5DatasetWriter(dims, path, **options) as writer:
            writer.add(rows, range(len(rows)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()


def run(code, *arguments, **options):
    """Start Python code with `path` as its first argument."""
    code = "import sys; path = sys.argv[1]\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


# what is stored


def test_rows_labels_and_names_are_read_back_by_plain_h5py(path):
    with HDF5DatasetWriter((3, 2, 2, 3), path) as writer:
        writer.storeClassLabels(["cat", "Hündchen"])
        writer.add([np.full((2, 2, 3), 7, np.uint8)], [1])
        writer.add(np.full((2, 2, 2, 3), 250, np.uint8), [0, 1])
        assert len(writer) == 3
    with h5py.File(path) as db:
        assert set(db) == {"images", "labels", "label_names", "checksums"}
        assert db["images"].shape == (3, 2, 2, 3)
        assert db["images"].dtype == np.uint8
        assert db["images"][:, 1, 1, 2].tolist() == [7, 250, 250]
        assert db["labels"].dtype == np.int64
        assert db["labels"][:].tolist() == [1, 0, 1]
        assert list(db["label_names"].asstr()) == ["cat", "Hündchen"]
        assert not db.attrs
    assert list(path.parent.iterdir()) == [path]


def test_arguments_and_the_books_attributes_can_be_read(path):
    with HDF5DatasetWriter((9, 4), path, dataKey="features", bufSize=3) as writer:
        assert (writer.dims, writer.outputPath, writer.dataKey, writer.bufSize) == (
            (9, 4),
            path,
            "features",
            3,
        )
        assert (writer.data, writer.labels, writer.dtype) == (None, None, None)
        writer.add(numbered(0, 2), [0, 1])
        assert (writer.idx, writer.buffer["labels"], len(writer.buffer["data"])) == (0, [0, 1], 2)
        writer.add(numbered(2, 3), [2])  # the third row fills the buffer
        assert (writer.idx, writer.buffer) == (3, {"data": [], "labels": []})
        assert isinstance(writer.db, h5py.File)
        assert writer.data[:3, 0].tolist() == [0, 1, 2]
        assert writer.labels[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("given", "stored"),
    [("u1", "u1"), ("f4", "f4"), ("f8", "f4"), ("f2", "f2"), ("i2", "i2"), (">i4", "i4")],
)
def test_the_first_rows_decide_the_type(path, given, stored):
    with HDF5DatasetWriter((2, 4), path) as writer:
        writer.add(numbered(1, 3).astype(given), [0, 0])
    with h5py.File(path) as db:
        assert db["images"].dtype == np.dtype(stored)
        assert db["images"][:].tolist() == numbered(1, 3).tolist()


def test_a_given_type_takes_rows_that_fit(path):
    with HDF5DatasetWriter((3, 4), path, dtype="uint8") as writer:
        assert writer.data.dtype == np.uint8
        writer.add([[255, 0, 1, 2]], [0])  # a list of Python's own integers
        with pytest.raises(ValueError, match="256"):
            writer.add([[256, 0, 1, 2]], [0])
        with pytest.raises(ValueError, match="-1"):
            writer.add([[-1, 0, 1, 2]], [0])
        with pytest.raises(ValueError, match="uint8 rows and cannot take float64"):
            writer.add([[0.5, 0, 1, 2]], [0])
        assert len(writer) == 1


def test_rows_are_copied_when_added(path):
    row = np.zeros((1, 4), np.uint8)
    with HDF5DatasetWriter((3, 4), path) as writer:
        for value in range(3):
            row[:] = value
            writer.add(row, [value])
    with h5py.File(path) as db:
        assert db["images"][:, 0].tolist() == [0, 1, 2]


def test_a_block_that_fills_the_buffer_is_written_from_the_callers_memory(path):
    rows = numbered(0, 4).astype(np.uint8)
    with HDF5DatasetWriter((11, 4), path, bufSize=4) as writer:
        writer.add(rows, range(4))
        assert (writer.idx, writer.buffer["labels"]) == (4, [])
        rows += 4
        writer.add(
            rows[:3], range(4, 7)
        )  # these are held, and so are the next before they are written
        rows += 3
        writer.add(rows, range(7, 11))
        assert (writer.idx, writer.buffer["labels"]) == (11, [])
    with h5py.File(path) as db:
        assert db["images"][:].tolist() == numbered(0, 11).tolist()
        assert db["labels"][:].tolist() == list(range(11))


def test_a_block_that_cannot_be_written_is_held(path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    rows = numbered(0, 4)
    with HDF5DatasetWriter((4, 4), path, bufSize=4) as writer:
        with monkeypatch.context() as patch:
            patch.setattr("pyimagesearch.io._storage.write", full)
            with pytest.raises(OSError, match="No space left"):
                writer.add(rows, range(4))
        rows[:] = 99
        assert (writer.idx, writer.buffer["labels"]) == (0, [0, 1, 2, 3])
    with h5py.File(path) as db:
        assert db["images"][:].tolist() == numbered(0, 4).tolist()


def test_more_rows_than_the_buffer_holds_come_in_one_piece(path):
    rows = np.random.default_rng(0).integers(0, 256, (50, 1024, 1024), np.uint8)  # 50 MB
    with HDF5DatasetWriter((60, 1024, 1024), path) as writer:
        writer.add(rows[:10], np.arange(10))
        assert len(writer.buffer["labels"]) == 10
        writer.add(rows[10:], np.arange(10, 50))  # above 16 MB, though bufSize is 1000
        assert writer.buffer["labels"] == []
    with h5py.File(path) as db:
        assert np.array_equal(db["images"][:], rows)
        assert db["labels"][:].tolist() == list(range(50))


@pytest.mark.parametrize(("announced", "came"), [(200, 200), (230, 200), (1000, 150), (25_000, 90)])
def test_photographs_take_their_own_bytes_and_less_than_one_percent(path, announced, came):
    photographs = np.random.default_rng(0).integers(0, 256, (10, 256, 256, 3), np.uint8)
    with HDF5DatasetWriter((announced, 256, 256, 3), path) as writer:
        writer.storeClassLabels(["cat", "dog"])
        for _ in range(came // 10):
            writer.add(photographs, np.zeros(10, int))
    waste = path.stat().st_size - came * 196_608
    # in proportion to the rows announced; and were they far too many, little all the same
    assert waste < 0.01 * announced * 196_608
    assert waste < 0.01 * came * 196_608 + 2 * 2**20
    with h5py.File(path) as db:
        assert db["images"].shape == (came, 256, 256, 3)
        assert np.array_equal(db["images"][came - 10 :], photographs)


def test_class_labels_may_come_last_and_from_numpy(path):
    with HDF5DatasetWriter((2, 4), path) as writer:
        writer.add(numbered(0, 2), np.array([0, 1], np.uint8))
        writer.storeClassLabels(np.array(["cat", "dog"]))
        writer.storeClassLabels(np.array(["cat", "dog", "fox"]))
    with h5py.File(path) as db:
        assert list(db["label_names"].asstr()) == ["cat", "dog", "fox"]


# what is refused


@pytest.mark.parametrize(
    ("rows", "labels", "error", "message"),
    [
        (np.zeros((1, 5)), [0], ValueError, r"shape \(n, 4\).*\(1, 5\)"),
        (np.zeros(4), [0] * 4, ValueError, r"shape \(n, 4\).*\(4,\)"),
        ([[1, 2, 3, 4], [1, 2]], [0, 0], ValueError, "differ in shape"),
        (np.zeros((2, 4)), [0], ValueError, "2 rows and 1 labels"),
        (np.zeros((1, 4)), [], ValueError, "1 rows and 0 labels"),
        (np.zeros((4, 4)), [0] * 4, ValueError, "3 rows, holds 1"),
        (np.full((1, 4), np.nan), [0], ValueError, "Row 0 .* nan"),
        (np.array([[0, 0, 0, 0], [0, 0, np.inf, 0]]), [0, 0], ValueError, "Row 1 .* inf"),
        (np.full((1, 4), 1e300), [0], ValueError, r"1e\+300.*float32"),
        (np.full((1, 4), "a"), [0], TypeError, "integers or floats"),
        ([[None] * 4], [0], TypeError, "integers or floats"),
        (np.zeros((1, 4)), [-1], ValueError, "0 or more.*-1"),
        (np.zeros((1, 4)), [2], ValueError, "Label 2 has no name.*given 2"),
        (np.zeros((1, 4)), [0.0], TypeError, "must be integers.*float64"),
        (np.zeros((1, 4)), ["cat"], TypeError, "must be integers"),
        (None, None, TypeError, "^rows must be an array or a list.*Received: None"),
        (np.zeros((1, 4)), 1, TypeError, "^labels must be an array or a list.*Received: 1"),
        (np.float32(2), [1], TypeError, "^rows must be an array or a list"),
        (np.zeros((1, 4)), [[0]], ValueError, r"one integer per row.*\(1, 1\)"),
    ],
)
def test_a_refused_add_leaves_the_writer_as_it_was(path, rows, labels, error, message):
    with HDF5DatasetWriter((3, 4), path, bufSize=1) as writer:
        writer.storeClassLabels(["cat", "dog"])
        writer.add(np.full((1, 4), 5.0), [1])
        with pytest.raises(error, match=message):
            writer.add(rows, labels)
        assert len(writer) == 1
        writer.add(np.full((1, 4), 6.0), [0])
    with h5py.File(path) as db:
        assert db["images"][:, 0].tolist() == [5, 6]
        assert db["labels"][:].tolist() == [1, 0]


def test_no_rows_are_nothing_to_add(path):
    with HDF5DatasetWriter((3, 4), path) as writer:
        writer.add([], [])
        writer.add(numbered(0, 1), [0])
    with h5py.File(path) as db:
        assert len(db["images"]) == 1


def test_class_labels_must_cover_the_labels_added(path):
    with HDF5DatasetWriter((3, 4), path) as writer:
        writer.add(numbered(0, 1), [2])
        with pytest.raises(ValueError, match="Label 2 has no name"):
            writer.storeClassLabels(["cat", "dog"])
        with pytest.raises(TypeError, match="list of strings"):
            writer.storeClassLabels("cat")
        with pytest.raises(TypeError, match="list of strings"):
            writer.storeClassLabels([0, 1, 2])


def test_a_closed_writer_takes_nothing_and_closes_again(path):
    writer = HDF5DatasetWriter((3, 4), path)
    writer.add(numbered(0, 1), [0])
    writer.close()
    writer.close()
    for late in (
        lambda: writer.add(numbered(0, 1), [0]),
        writer.flush,
        lambda: writer.storeClassLabels(["cat"]),
    ):
        with pytest.raises(ValueError, match=r"data\.hdf5 is closed"):
            late()


def test_closing_without_rows_is_an_error_and_leaves_no_file(path):
    writer = HDF5DatasetWriter((3, 4), path)
    with pytest.raises(ValueError, match="No row was added"):
        writer.close()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": (0, 4)}, "dims.*0"),
        ({"dims": ()}, "dims"),
        ({"dims": (2.5, 4)}, "dims.*2.5"),
        ({"bufSize": 0}, "bufSize"),
        ({"dataKey": "labels"}, "dataKey"),
        ({"dtype": "S4"}, "dtype"),
    ],
)
def test_impossible_arguments_are_refused(path, options, message):
    with pytest.raises(ValueError, match=message):
        HDF5DatasetWriter(**{"dims": (3, 4), "outputPath": path, **options})
    assert not path.parent.exists()


# the target


def test_an_existing_file_is_kept_unless_overwritten_by_a_complete_one(path):
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        HDF5DatasetWriter((3, 4), path)
    with HDF5DatasetWriter((3, 4), path, overwrite=True) as writer:
        writer.add(numbered(0, 1), [0])
        writer.flush()
        assert path.read_text() == "precious"
    with h5py.File(path) as db:
        assert len(db["images"]) == 1


def test_a_file_that_appears_meanwhile_is_not_replaced(path):
    writer = HDF5DatasetWriter((3, 4), path)
    writer.add(numbered(0, 1), [0])
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        writer.close()
    assert path.read_text() == "precious"
    path.unlink()
    with HDF5DatasetWriter((3, 4), path, resume=True) as writer:  # nothing is lost
        assert writer.idx == 1


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        HDF5DatasetWriter((3, 4), tmp_path, overwrite=True)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "data.hdf5", tmp_path / "file" / "deeper" / "data.hdf5"):
        with pytest.raises(NotADirectoryError, match=r"Cannot write .*data\.hdf5\.partial"):
            HDF5DatasetWriter((3, 4), place)


@pytest.mark.parametrize("limited", ["at the start", "in the middle"])
def test_a_full_disk_is_one_clear_error_and_no_finished_file(path, limited):
    code = """
        import resource, signal
        import numpy as np
        from pyimagesearch.io import HDF5DatasetWriter

        def limit():  # in place of a full disk: no file above 100 kB
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        with HDF5DatasetWriter((100, 10_000), path, bufSize=1) as writer:
            if sys.argv[2] == "at the start":
                limit()
            for i in range(100):
                writer.add(np.full((1, 10_000), i, np.uint8), [i])
                if i == 2:
                    limit()
        """
    child = run(code, path, limited)
    errors = child.communicate()[1]
    assert child.returncode == 1
    assert errors.splitlines()[-1] == (
        f"OSError: [Errno 27] Cannot write the data set: File too large: '{partial_of(path)}'"
    )
    assert not path.exists()
    if limited == "at the start":
        assert list(path.parent.iterdir()) == []
    else:
        with HDF5DatasetWriter((100, 10_000), path, resume=True) as writer:
            assert writer.idx >= 3
            assert writer.data[: writer.idx, 0].tolist() == list(range(writer.idx))


# broken runs


def test_an_exception_keeps_the_rows_for_resume_and_the_target_as_it_was(path):
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    interrupt(path, (5, 4), numbered(0, 3), overwrite=True)
    assert path.read_text() == "precious"
    with HDF5DatasetWriter((5, 4), path, overwrite=True, resume=True) as writer:
        assert (writer.idx, len(writer), writer.dtype) == (3, 3, np.int64)
        with pytest.raises(ValueError, match="Label 2 has no name"):  # of a row written before
            writer.storeClassLabels(["cat", "dog"])
        writer.add(numbered(3, 5), [3, 4])
    with h5py.File(path) as db:
        assert db["images"][:].tolist() == numbered(0, 5).tolist()
        assert db["labels"][:].tolist() == [0, 1, 2, 3, 4]


def test_an_exception_before_the_first_row_leaves_nothing(path):
    with pytest.raises(ZeroDivisionError), HDF5DatasetWriter((5, 4), path):
        _ = 1 / 0
    assert list(path.parent.iterdir()) == []


def test_a_partial_file_does_not_block_a_run_that_starts_afresh(path):
    for rows in (5, 3):
        interrupt(path, (9, 4), numbered(0, rows))
    partial_of(path).write_text("rubbish")
    with HDF5DatasetWriter((9, 4), path) as writer:
        writer.add(numbered(7, 8), [0])
    with h5py.File(path) as db:
        assert db["images"][:].tolist() == [[7, 7, 7, 7]]


def test_resume_without_a_partial_file_starts_afresh(path):
    with HDF5DatasetWriter((9, 4), path, resume=True) as writer:
        assert writer.idx == 0
        writer.add(numbered(0, 1), [0])
    assert path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": (6, 4)}, r"dims are \(5, 4\), not \(6, 4\)"),
        ({"dims": (5, 2)}, r"dims are \(5, 4\), not \(5, 2\)"),
        ({"dtype": "f4"}, "dtype is int64, not float32"),
        ({"dataKey": "features"}, r"\['checksums', 'images', 'labels'\], not 'features'"),
    ],
)
def test_resume_refuses_a_partial_file_of_something_else(path, options, message):
    interrupt(path, (5, 4), numbered(0, 3))
    with pytest.raises(ValueError, match=message):
        HDF5DatasetWriter(**{"dims": (5, 4), "outputPath": path, "resume": True, **options})
    with HDF5DatasetWriter((5, 4), path, resume=True) as writer:  # still there
        assert writer.idx == 3


def test_resume_refuses_a_partial_file_without_checksums(path):
    interrupt(path, (5, 4), numbered(0, 3))
    with h5py.File(partial_of(path), "r+") as db:
        del db["checksums"]
    with pytest.raises(ValueError, match="an earlier version of this package began it"):
        HDF5DatasetWriter((5, 4), path, resume=True)


@pytest.mark.parametrize("size", [100, 3000, 20_000])
def test_resume_refuses_a_damaged_partial_file(path, size):
    interrupt(path, (5000, 4), numbered(0, 3000))
    os.truncate(partial_of(path), size)
    with pytest.raises(OSError, match=r"partial cannot be resumed.*Delete it, or run without"):
        HDF5DatasetWriter((5000, 4), path, resume=True)
    assert partial_of(path).exists()


def test_a_run_killed_between_closing_and_moving_goes_on_before_its_closing(path, monkeypatch):
    def killed(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyimagesearch.utils.files.move_into_place", killed)
    writer = HDF5DatasetWriter((500, 4), path)
    writer.add(numbered(0, 300), range(300))
    writer.storeClassLabels([str(i) for i in range(300)])
    with pytest.raises(KeyboardInterrupt):
        writer.close()
    monkeypatch.undo()
    with HDF5DatasetWriter((500, 4), path, resume=True) as writer:
        assert writer.idx == 300
        with pytest.raises(ValueError, match="cannot take 201 more"):
            writer.add(numbered(0, 201), range(201))
        writer.add(numbered(300, 500), range(200))
        writer.storeClassLabels([str(i) for i in range(300)])
    with h5py.File(path) as db:
        assert db["images"][:].tolist() == numbered(0, 500).tolist()
        assert db["labels"][295:305].tolist() == [295, 296, 297, 298, 299, 0, 1, 2, 3, 4]
        assert len(db["label_names"]) == 300


def test_a_second_writer_of_the_same_file_is_refused(path):
    with HDF5DatasetWriter((5, 4), path) as writer:
        writer.add(numbered(0, 1), [0])
        writer.flush()
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(BlockingIOError, match="Another running process"):
                HDF5DatasetWriter((5, 4), path, **options)
        code = """
            from pyimagesearch.io import HDF5DatasetWriter
            HDF5DatasetWriter((5, 4), path)
            """
        assert "Another running process" in run(code, path).communicate()[1]
        writer.add(numbered(1, 2), [1])
    with h5py.File(path) as db:
        assert db["images"][:, 0].tolist() == [0, 1]


BUILD = """
    import os
    import numpy as np
    from pyimagesearch.io import HDF5DatasetWriter, hdf5datasetwriter

    hdf5datasetwriter.SAVE_BYTES = 5000
    with HDF5DatasetWriter((3000, 64), path, bufSize=7, resume=True) as writer:
        print(writer.idx, flush=True)
        for i in range(writer.idx, 2500):
            writer.add(np.full((1, 64), i, np.float32), [i])
        writer.storeClassLabels([str(i) for i in range(2500)])
    """


def test_a_killed_build_is_resumed_where_it_was(path):
    rng = np.random.default_rng()
    delays, found = sorted(rng.uniform(0, 0.1, 3)), []
    for delay in delays:
        child = run(BUILD, path)
        found.append(int(child.stdout.readline()))
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        if path.exists():  # a fast machine
            break
        if path.with_name(path.name + ".partial.undo").exists():  # in the moment of finishing
            continue
        with h5py.File(partial_of(path), locking=False) as db:
            rows = db.attrs["idx"]
            assert (db["images"][:rows, 0] == np.arange(rows)).all()
            assert (db["labels"][:rows] == np.arange(rows)).all()
    if not path.exists():
        child = run(BUILD, path)
        output, errors = child.communicate()
        assert child.returncode == 0, errors
        found.append(int(output))
    assert found == sorted(found)
    with h5py.File(path) as db:
        assert db["images"].shape == (2500, 64)
        assert (db["images"][:] == np.arange(2500)[:, None]).all()
        assert (db["labels"][:] == np.arange(2500)).all()
        assert db["label_names"].asstr()[2499] == "2499"


def test_a_forked_worker_that_survives_does_not_block_the_next_run(path):
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        writer = HDF5DatasetWriter((5, 4), path)
        writer.add(numbered(0, 1), [0])
        writer.flush()
        pool.submit(os.getpid).result()  # starts the worker, which inherits the open files
        writer._hold.close()  # as the kernel does when the writer is killed
        HDF5DatasetWriter((5, 4), path, resume=True).close()
    assert path.exists()


# what is safely on the disk


def test_every_row_has_a_checksum_of_its_bytes_and_its_label(path):
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    with HDF5DatasetWriter((9, 4), path) as writer:
        writer.add(rows, [4, 3, 2, 1, 0])
    with h5py.File(path) as db:
        assert db["checksums"].dtype == np.uint32
        assert db["checksums"].attrs["algorithm"].startswith("CRC-32 of the row's bytes")
        for row, label, stored in zip(db["images"], db["labels"], db["checksums"], strict=True):
            assert stored == zlib.crc32(row.tobytes() + label.tobytes())


@pytest.mark.parametrize("encode", [None, "png"])
def test_rows_are_saved_by_size_by_time_and_on_demand(path, monkeypatch, encode):
    rows = np.random.default_rng(0).integers(0, 256, (8, 50, 50, 1), np.uint8)
    with HDF5DatasetWriter((40, 50, 50, 1), path, bufSize=4, encode=encode) as writer:
        writer.add(rows, range(8))
        assert (writer.idx, writer.saved) == (8, 0)
        assert writer.db.attrs["idx"] == 0
        writer.flush()
        assert writer.saved == writer.db.attrs["idx"] == 8
        writer.add(rows[:1], [0])
        monkeypatch.setattr("pyimagesearch.io.hdf5datasetwriter.SAVE_BYTES", 10_000)
        writer.add(rows[:1], [0])
        assert (writer.idx, writer.saved) == (8, 8)
        writer.add(rows[:4], range(4))
        assert (writer.idx, writer.saved) == (14, 14)
        monkeypatch.setattr("pyimagesearch.io.hdf5datasetwriter.SAVE_SECONDS", 0)
        writer.add(rows[:1], [0])
        assert writer.saved == writer.db.attrs["idx"] == 15


@pytest.mark.parametrize("encode", [None, "jpeg"])
def test_rows_can_be_dropped_from_the_end(path, encode):
    rows = np.random.default_rng(0).integers(0, 256, (8, 20, 20, 3), np.uint8)
    with HDF5DatasetWriter((9, 20, 20, 3), path, bufSize=2, encode=encode) as writer:
        writer.add(rows[:3], [0, 1, 7])
        writer.add(rows[3:4], [8])
        with pytest.raises(ValueError, match="rows must be 0 to 4. Received: 5"):
            writer.truncate(5)
        writer.truncate(2)
        assert (len(writer), writer.idx, writer.saved) == (2, 2, 2)
        writer.storeClassLabels(["cat", "dog"])  # the labels dropped need no names
        writer.add(rows[4:], [0, 1, 0, 1])
    report = check_dataset(path)
    assert (report.status, report.rows, report.counts) == (0, 6, {0: 3, 1: 3})
    if encode is None:
        with h5py.File(path) as db:
            assert np.array_equal(db["images"][:], rows[[0, 1, 4, 5, 6, 7]])


@pytest.mark.parametrize("encode", [None, "png"])
def test_resume_refuses_rows_that_have_changed(path, encode):
    rows = np.random.default_rng(0).integers(0, 256, (8, 20, 20, 3), np.uint8)
    interrupt(path, (9, 20, 20, 3), rows, encode=encode)
    with h5py.File(partial_of(path)) as db:
        row = db["images"][5].tobytes()
    data = partial_of(path).read_bytes()
    partial_of(path).write_bytes(data.replace(row, row[:-1] + b"x"))
    with pytest.raises(OSError, match=r"partial cannot be resumed: it is damaged"):
        HDF5DatasetWriter((9, 20, 20, 3), path, encode=encode, resume=True)
    with HDF5DatasetWriter((9, 20, 20, 3), path, encode=encode) as writer:
        writer.add(rows, range(8))


def test_nothing_lies_behind_the_rows(path):
    """`finish` gives back the end of the file, and its record holds what comes before the rows."""
    for dims in ((3, 4), (1000, 32, 32, 3), (100_000, 8), (5000, 256, 256, 3)):
        with HDF5DatasetWriter(dims, path, dtype="uint8", overwrite=True) as writer:
            data = writer.data
            last = (dims[0] - 1) // data.chunks[0] * data.chunks[0]
            chunk = data.id.get_chunk_info_by_coord((last,) + (0,) * (len(dims) - 1))
            writer.flush()
            assert partial_of(path).stat().st_size == chunk.byte_offset + chunk.size
            writer.add(np.zeros((1, *dims[1:]), np.uint8), [0])


def test_a_stale_record_of_a_finished_file_harms_nothing(path):
    record = path.with_name(path.name + ".partial.undo")
    interrupt(path, (5, 4), numbered(0, 3))
    with HDF5DatasetWriter((5, 4), path, resume=True) as writer:
        _undo.record(partial_of(path), 10, b"stale")
    assert not record.exists()
    path.unlink()
    _undo.record(partial_of(path), 10, b"stale")
    with HDF5DatasetWriter((5, 4), path, resume=True) as writer:
        assert writer.idx == 0
        writer.add(numbered(0, 2), [0, 1])
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.timeout(20)  # HDF5 would never come back
def test_resume_refuses_heaps_of_zeros(path):
    rows = np.random.default_rng(0).integers(0, 256, (9, 20, 20, 3), np.uint8)
    interrupt(path, (9, 20, 20, 3), rows, encode="png")
    data = bytearray(partial_of(path).read_bytes())
    heap = data.rfind(b"GCOL")
    size = int.from_bytes(data[heap + 8 : heap + 16], "little")
    data[heap + 16 : heap + size] = bytes(size - 16)
    partial_of(path).write_bytes(data)
    with pytest.raises(OSError, match="cannot be resumed: it is damaged"):
        HDF5DatasetWriter((9, 20, 20, 3), path, encode="png", resume=True)
