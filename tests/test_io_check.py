"""`python -m pyimagesearch.io check`: what it says of sound, damaged and suspicious files."""

import contextlib
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.check import check_dataset

SHAPE = (12, 10, 3)


def pictures(count, seed=0):
    """Noise, every picture another."""
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


def write(path, rows, labels=None, names=("cat", "dog"), **options):
    labels = [number % 2 for number in range(len(rows))] if labels is None else labels
    with HDF5DatasetWriter((len(rows) + 3, *rows.shape[1:]), path, **options) as writer:
        writer.storeClassLabels(list(names))
        writer.add(rows, labels)
    return path


def check(*arguments):
    """Return exit status, output and errors of the command."""
    command = [sys.executable, "-W", "error", "-m", "pyimagesearch.io", "check"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def flip(path, place, bit=1):
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


def find(path, content):
    place = path.read_bytes().find(content)
    assert place > 0
    return place


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "a.hdf5", pictures(40))


# what is said


def test_a_sound_file_is_described(file):
    assert check(file) == (
        0,
        f"{file}: 40 rows of 12x10x3 uint8 in 'images'\n"
        "labels: int64, 0 to 1\n"
        "    0 cat: 20, 1 dog: 20\n"
        "label_names: 2\n"
        "checksums: all rows match\n"
        "[INFO] sound\n",
        "",
    )


@pytest.mark.parametrize("encode", ["jpeg", "png"])
def test_encoded_files_are_checked_like_others(tmp_path, encode):
    report = check_dataset(write(tmp_path / "a.hdf5", pictures(300), encode=encode))
    assert (report.status, report.rows, report.shape) == (0, 300, SHAPE)
    assert (report.encoding, report.checksums) == (encode, "all rows match")


def test_features_are_found_without_their_key(tmp_path):
    features = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    path = write(tmp_path / "a.hdf5", features, dataKey="features")
    report = check_dataset(path)
    assert (report.status, report.data_key, report.dtype) == (0, "features", np.float32)
    with h5py.File(path, "r+") as db:
        db["features"][7, 3] = np.nan
        db["features"][9, 0] = -np.inf
    report = check_dataset(path, dataKey="features")
    assert (report.status, report.not_finite, report.changed) == (1, [7, 9], [7, 9])


def test_constant_and_duplicate_images_are_suspicious(tmp_path):
    rows = pictures(50)
    rows[7] = (10, 200, 30)
    rows[8] = 0
    rows[8, 11, 9, 2] = 1  # one number of one pixel differs
    rows[[20, 49]] = rows[3]
    rows[30] = rows[29]
    path = write(tmp_path / "a.hdf5", rows)
    report = check_dataset(path)
    assert (report.status, report.constant) == (3, [7])
    assert report.duplicates == [(20, 3), (30, 29), (49, 3)]
    status, output, errors = check(path)
    assert (status, errors) == (3, "")
    assert "[SUSPICIOUS] 1 rows constant: every pixel is the same: 7\n" in output
    assert "[SUSPICIOUS] 3 rows duplicates of an earlier row: 20 (as 3), 30 (as 29), " in output
    report = check_dataset(write(tmp_path / "b.hdf5", rows, encode="png"))
    assert (report.status, report.constant) == (3, [7])
    assert report.duplicates == [(20, 3), (30, 29), (49, 3)]


def test_the_progress_reaches_the_number_of_rows(file):
    done = []
    bar = SimpleNamespace(update=done.append, finish=lambda: done.append("finished"))
    check_dataset(file, progress=lambda rows: bar)
    assert done == [40, "finished"]


# the book's files, and others


def test_files_of_2017_have_no_checksums_and_are_sound(tmp_path):
    path = tmp_path / "old.hdf5"
    with h5py.File(path, "w") as db:
        db["images"] = pictures(40).astype("float")
        db["labels"] = np.arange(40) % 3
        db.create_dataset("label_names", data=["a", "b", "c"], dtype=h5py.special_dtype(vlen=str))
    report = check_dataset(path)
    assert (report.status, report.dtype, report.checksums) == (0, "float64", "the file has none")
    assert report.names == ["a", "b", "c"]


def test_chunks_that_cannot_be_read_are_told_by_their_rows(tmp_path):
    path = tmp_path / "packed.hdf5"
    with h5py.File(path, "w") as db:
        data = db.create_dataset(
            "images",
            data=pictures(64).astype("float"),
            chunks=(8, *SHAPE),
            compression="gzip",
            fletcher32=True,
        )
        db["labels"] = np.zeros(64, int)
        chunks = [data.id.get_chunk_info_by_coord((row, 0, 0, 0)) for row in (16, 40)]
    assert check_dataset(path).status == 0
    for chunk in chunks:
        flip(path, chunk.byte_offset + chunk.size // 2)
    report = check_dataset(path)
    assert (report.status, report.unreadable) == (1, [*range(16, 24), *range(40, 48)])
    status, output, _ = check(path)
    assert status == 1
    assert "[DAMAGED] 16 rows cannot be read: 16, 17, 18, 19, 20 and 11 more\n" in output


# bit rot


def test_a_flipped_bit_in_a_row_or_a_label_is_told_by_its_row(file):
    with h5py.File(file) as db:
        row, label = db["images"][17].tobytes(), db["labels"].id.get_chunk_info(0).byte_offset
    flip(file, find(file, row) + 100)
    flip(file, label + 8 * 30)
    report = check_dataset(file)
    assert (report.status, report.changed, report.problems) == (1, [17, 30], [])
    status, output, _ = check(file)
    assert status == 1
    assert "they do not match their checksums: 17, 30\n[INFO] damaged: build it again" in output


@pytest.mark.parametrize("encode", ["jpeg", "png"])
def test_a_flipped_bit_in_an_encoded_row_is_told(tmp_path, encode):
    path = write(tmp_path / "a.hdf5", pictures(40), encode=encode)
    with h5py.File(path) as db:
        rows = [db["images"][number].tobytes() for number in (5, 6)]
    flip(path, find(path, rows[0]) + len(rows[0]) // 2)
    flip(path, find(path, rows[1]))
    report = check_dataset(path)
    assert (report.status, report.changed) == (1, [5, 6])
    assert report.undecodable == ([5, 6] if encode == "png" else [6])


def test_damaged_names_and_labels_out_of_range_are_told(file):
    flip(file, find(file, b"dog"))
    assert check_dataset(file).problems == ["The label_names do not match their checksum."]
    with h5py.File(file, "r+") as db:
        db["labels"][3] = 2
        db["labels"][4] = -1
    report = check_dataset(file)
    assert report.changed == [3, 4]
    assert "The labels must be 0 or more. Found: -1." in report.problems
    assert "The label 2 has no name: there are 2." in report.problems
    assert report.status == 1


@pytest.mark.parametrize("name", ["label_names", "checksums"])
def test_a_lost_name_of_a_data_set_is_told(file, name):
    data = file.read_bytes()
    places = [n for n in range(len(data)) if data.startswith(name.encode() + b"\0", n)]
    seen = 0
    for place in places:
        flip(file, place)
        with contextlib.suppress(ValueError, OSError), h5py.File(file) as db:
            if name not in db:
                seen += 1
                assert name in " ".join(check_dataset(file).problems)
        file.write_bytes(data)
    assert seen


def test_names_cannot_write_to_the_terminal(tmp_path):
    path = write(tmp_path / "a.hdf5", pictures(4), names=["cat\n[INFO] sound", "\x1b[31mdog"])
    status, out, _ = check(path)
    assert status == 0
    assert "\x1b" not in out
    assert r"'cat\n[INFO] sound'" in out


@pytest.mark.parametrize("encode", [None, "png"])
def test_any_flipped_byte_is_told_or_harms_nothing(tmp_path, encode):
    """Header, chunk index, rows: one sentence, or the file reads as it was."""
    path = write(tmp_path / "a.hdf5", pictures(20), encode=encode)
    data, rng = path.read_bytes(), random.Random(0)
    with HDF5DatasetGenerator(path, 20) as gen:
        images, labels = next(gen.generator())
    places = [rng.randrange(6000) for _ in range(70)] + [
        rng.randrange(len(data)) for _ in range(30)
    ]
    told = 0
    for place in places:
        if encode and 5900 < place < 5940:
            continue  # the type of the rows, on which HDF5 itself crashes
        path.write_bytes(data)
        flip(path, place, 1 << rng.randrange(8))
        report = None
        with contextlib.suppress(ValueError, OSError):
            report = check_dataset(path)
        told += report is None or report.status == 1
        if report and report.status != 1 and report.checksums == "all rows match":
            with HDF5DatasetGenerator(path, 20) as gen:
                found, found_labels = next(gen.generator())
            assert np.array_equal(found, images)
            assert np.array_equal(found_labels, labels)
    assert told >= 7


def test_a_file_on_which_hdf5_crashes_is_told(tmp_path, monkeypatch):
    path = write(tmp_path / "a.hdf5", pictures(40), encode="png")
    vlen = bytes.fromhex("190000001000000010000000")  # its type: a list of bytes
    flip(path, find(path, vlen) + 1, 4)
    status, output, errors = check(path)
    assert (status, output) == (1, "")
    assert errors.startswith(f"[ERROR] /images of {path} has rows of an unknown kind")
    # a crash that nobody has found yet
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nif 'PYIMAGESEARCH_CHECK_CHILD' in os.environ: os.abort()"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    status, output, errors = check(path)
    assert (status, output) == (1, "")
    assert errors.startswith(f"[ERROR] {path} is so damaged that the HDF5 library crashed on it")
    assert errors.count("\n") == 1


# wrong input


def test_wrong_input_is_one_sentence(tmp_path, file):
    folder = tmp_path / "folder"
    folder.mkdir()
    text = tmp_path / "text.hdf5"
    text.write_text("no HDF5")
    short = tmp_path / "short.hdf5"
    short.write_bytes(file.read_bytes()[:8000])
    partial = tmp_path / "b.hdf5.partial"
    writer = HDF5DatasetWriter((9, 4), tmp_path / "b.hdf5")
    writer.add(np.zeros((3, 4)), [0, 1, 2])
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    picture = tmp_path / "c.png"
    cv2.imwrite(str(picture), pictures(1)[0])
    for path, message in (
        (folder, "is a directory"),
        (text, "is no HDF5 file, or it is truncated"),
        (short, "is no HDF5 file, or it is truncated"),
        (partial, "was not finished"),
        (tmp_path / "b.hdf5", "There is no file"),
        (picture, "is no HDF5 file"),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            check_dataset(path)
    status, output, errors = check(partial)
    assert (status, output) == (1, "")
    assert errors.startswith("[ERROR] ")
    assert errors.count("\n") == 1
    with pytest.raises(ValueError, match="no data set 'pixels'"):
        check_dataset(file, dataKey="pixels")


def test_help_tells_the_exit_status():
    status, output, _ = check("--help")
    assert status == 0
    assert "Exit status: 0 all is sound; 1 damaged" in " ".join(output.split())
