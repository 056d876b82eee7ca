"""utils.hdf5safety: what an HDF5 file may not do, and how several processes read one."""

import errno
import os
import pickle
import re
import struct
import subprocess
import sys
import time

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.training.classifier import read_features
from pyimagesearch.utils.hdf5safety import HDF5Error, check_hdf5, open_hdf5

TEXT = h5py.string_dtype()


def sound(db):
    db["images"] = np.arange(10 * 4 * 4 * 3, dtype=np.uint8).reshape(10, 4, 4, 3)
    db["labels"] = np.arange(10) % 2
    db.create_dataset("label_names", data=["cat", "dog"], dtype=TEXT)


@pytest.fixture
def make(tmp_path):
    """Return a function that makes a sound file and more in it, and returns its path."""

    def make(*changes, **options):
        path = tmp_path / "file.hdf5"
        with h5py.File(path, "w", **options) as db:
            sound(db)
            for change in changes:
                change(db)
        return path

    return make


def overwrite(path, find, replace):
    """Replace bytes that stand in the file once."""
    raw = path.read_bytes()
    assert raw.count(find) == 1
    path.write_bytes(raw.replace(find, replace))


# -- what passes -------------------------------------------------------------------------------


def other_things(db):
    db["empty"] = h5py.Empty("f4")
    db["scalar"], db["text"], db["bytes"] = 3, "text", np.array([b"abc"])
    db["none"] = np.zeros((0, 3))
    db.create_dataset("no_names", data=[], dtype=TEXT)
    db["complex"], db["bool"], db["half"] = np.zeros(3, complex), np.zeros(3, bool), np.float16(1)
    db["reference"] = db["images"].ref
    db["a/b/c/d"] = [1]
    db["second_name"] = db["images"]
    db["alias"] = h5py.SoftLink("/a/b/c/d")
    db.attrs["config"] = "{}" * 500


def packed(db):
    rows = np.zeros((100, 100, 100), np.uint8)  # about 1,000 times what they take
    db.create_dataset("zeros", data=rows, chunks=(10, 100, 100), compression="gzip", shuffle=True)
    db.create_dataset("lzf", data=rows, chunks=(10, 100, 100), compression="lzf", fletcher32=True)


def unfinished(db):
    db.create_dataset("a", (1000,), "i8")  # never written, as h5py allows
    db.create_dataset("b", (1000,), "i8", chunks=(10,), maxshape=(None,))
    db.create_dataset("c", (1000,), TEXT)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("change", [other_things, packed, unfinished])
def test_ordinary_files_pass(make, change, libver):
    path = make(change, libver=libver)
    with open_hdf5(path) as db:
        assert "images" in db
    with HDF5DatasetGenerator(path, 4) as gen:
        assert sum(len(images) for images, _ in gen.generator(passes=1)) == 10


def test_a_file_in_memory_can_be_checked(make):
    with open(make(), "rb") as file, h5py.File(file) as db:  # noqa: PTH123 (as Keras opens it)
        check_hdf5(db)


# -- what is refused ---------------------------------------------------------------------------


def external_link(db):
    db["out"] = h5py.ExternalLink("/etc/passwd", "/a")


def external_link_below(db):
    db["a/b/out"] = h5py.ExternalLink("other.hdf5", "/a")


def soft_link_to_nothing(db):
    db["link"] = h5py.SoftLink("/nowhere")


def soft_link_to_itself(db):
    db["link"] = h5py.SoftLink("/link")


def soft_link_through_external(db):
    db["a/link"] = h5py.SoftLink("/out/images")
    db["out"] = h5py.ExternalLink("other.hdf5", "/")


def cycle(db):
    db.create_group("a/b")
    db["a/b/up"] = db["a"]


def cycle_to_root(db):
    db.create_group("a")["root"] = db["/"]


def virtual(db):
    layout = h5py.VirtualLayout((10,), "i8")
    layout[:] = h5py.VirtualSource("other.hdf5", "labels", (10,))
    db.create_virtual_dataset("virtual", layout)


def external_storage(db):
    db.create_dataset("passwd", (80,), "u1", external=[("/etc/passwd", 0, 80)])


def terabyte(db):
    db.create_dataset("large", (10**12,), "u1")


def terabyte_in_chunks(db):
    db.create_dataset("large", (10**6, 10**6), "u1", chunks=(10, 10))


def terabyte_packed(db):
    db.create_dataset("large", (10**12,), "u1", chunks=(10**6,), compression="gzip")


def large_chunks(db):
    db.create_dataset("large", (10**9,), "u1", chunks=(10**9,), compression="gzip")


def packed_twice(db):
    twice = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    twice.set_chunk((100,))
    twice.set_deflate(9)
    twice.set_deflate(9)
    space, kind = h5py.h5s.create_simple((100,)), h5py.h5t.NATIVE_UINT8
    h5py.h5d.create(db.id, b"twice", kind, space, twice)


def many_texts(db):
    db.create_dataset("texts", (10**9,), TEXT, chunks=(1000,))


def packed_texts(db):
    db.create_dataset("texts", data=["cat"] * 10, dtype=TEXT, compression="gzip")


def text_in_numbers(db):
    db.create_dataset("mixed", (3,), [("number", "i4"), ("text", TEXT)])


def many_groups(db):
    for number in range(60_000):
        db.create_group(str(number))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external_link, "/out of .* is a link to another file"),
        (external_link_below, "/a/b/out of .* is a link to another file"),
        (soft_link_to_nothing, "/link of .* is a soft link that leads nowhere"),
        (soft_link_to_itself, "/link of .* is a soft link that leads nowhere"),
        (soft_link_through_external, "/out of .* is a link to another file"),
        (cycle, "/a/b/up of .* is a second name of a group"),
        (cycle_to_root, "/a/root of .* is a second name of a group"),
        (virtual, "/virtual of .* is a virtual data set"),
        (external_storage, "/passwd of .* keeps its rows in another file"),
        (terabyte, "/large of .* announces 1,000,000,000,000 bytes, more than the file"),
        (terabyte_in_chunks, "/large of .* announces 1,000,000,000,000 bytes, more than the file"),
        (terabyte_packed, "/large of .* more than 1,000 times what it takes in the file"),
        (large_chunks, "/large of .* chunks of 1,000,000,000 bytes"),
        (packed_twice, "/twice of .* is compressed twice"),
        (many_texts, "/texts of .* announces 1,000,000,000 rows"),
        (packed_texts, "/texts of .* compresses where its rows lie"),
        (text_in_numbers, "/mixed of .* mixes numbers with texts"),
        (many_groups, "more than 50,000 objects"),
    ],
)
def test_what_no_data_set_needs_is_refused(make, change, message):
    path = make(change)
    for reader in (open_hdf5, lambda path: HDF5DatasetGenerator(path, 4), read_features):
        with pytest.raises(ValueError, match=message) as error:
            reader(path)
        assert str(path) in str(error.value)
    with h5py.File(path, "a"):  # nobody holds it
        pass


@pytest.mark.parametrize("chunks", [None, (2,)])
@pytest.mark.parametrize("length", [5, 10**6, 2**32 - 1])
def test_the_length_of_a_name_is_checked_before_memory_is_taken(make, chunks, length):
    path = make()
    with h5py.File(path, "a") as db:
        del db["label_names"]
        db.create_dataset("label_names", data=["cat" * 9, "dog"], dtype=TEXT, chunks=chunks)
    first = struct.pack("<I", 27)
    with h5py.File(path) as db:
        data = db["label_names"].id
        place = data.get_offset() if chunks is None else data.get_chunk_info(0).byte_offset
    raw = bytearray(path.read_bytes())
    assert raw[place : place + 4] == first
    raw[place : place + 4] = struct.pack("<I", length)
    path.write_bytes(raw)
    message = (
        "/label_names of .* announces rows of" if length > 10**4 else "label_names|damaged|read"
    )
    with pytest.raises((ValueError, OSError), match=message):
        read_names_of(path)


def read_names_of(path):
    with h5py.File(path, "a") as db:
        db["features"], db["labels"][:] = np.ones((10, 2)), 0
    return read_features(path)


def test_a_row_that_all_rows_point_to_is_refused(tmp_path):
    # the file stays small, and every row read is a copy: 1,000 rows of 4 kB out of 20 kB
    path = tmp_path / "file.hdf5"
    jpeg = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (32, 32, 3)))[1]
    with h5py.File(path, "w") as db:
        rows = db.create_dataset("images", (1000,), h5py.vlen_dtype(np.uint8), chunks=(1000,))
        rows[0] = jpeg
        rows.attrs.update({"encoding": "png", "shape": (32, 32, 3)})
        db["labels"] = np.zeros(1000, int)
        places = rows.id.read_direct_chunk((0,))[1]
        rows.id.write_direct_chunk((0,), places[:16] * 1000)
    with pytest.raises(HDF5Error, match=r"/images of .* announces rows of [\d,]+ bytes, more than"):
        HDF5DatasetGenerator(path, 4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 4), r"encoding and shape do not say which"),
        ((4, 4, 2), r"encoding and shape do not say which"),
        ((0, 4, 3), r"encoding and shape do not say which"),
        ((-4, 4, 3), r"encoding and shape do not say which"),
        ((4.0, 4.0, 3.0), r"encoding and shape do not say which"),
        ("444", r"encoding and shape do not say which"),
        (None, r"encoding and shape do not say which"),
        ((8, 4, 3), r"Row 0 of .* is an image of the shape \(4, 4, 3\), not \(8, 4, 3\)"),
        ((40_000, 40_000, 3), r"announces 10 images of the shape .* too large"),
        ((4000, 4000, 3), r"announces 10 images of the shape .* too large"),
    ],
)
def test_the_shape_of_encoded_rows_is_checked_before_memory_is_taken(tmp_path, shape, message):
    path = tmp_path / "rows.hdf5"
    with HDF5DatasetWriter((10, 4, 4, 3), path, encode="png") as writer:
        writer.add(np.zeros((10, 4, 4, 3), np.uint8), [0] * 10)
    with h5py.File(path, "a") as db:
        del db["images"].attrs["shape"]
        if shape is not None:
            db["images"].attrs["shape"] = shape
    with pytest.raises(ValueError, match=message) as error:
        HDF5DatasetGenerator(path, 4)
    assert str(path) in str(error.value)


def test_a_row_of_another_size_is_refused_by_number_and_file(tmp_path):
    path = tmp_path / "rows.hdf5"
    with HDF5DatasetWriter((10, 4, 4, 3), path, encode="png") as writer:
        writer.add(np.zeros((10, 4, 4, 3), np.uint8), [0] * 10)
    huge = cv2.imencode(".png", np.zeros((500, 500, 3), np.uint8))[1]
    with h5py.File(path, "a") as db:
        db["images"][7] = huge
    with (
        HDF5DatasetGenerator(path, 4) as gen,
        pytest.raises(ValueError, match=r"Row 7 of .*rows.hdf5 is an image of the shape \(500, 50"),
    ):
        list(gen.generator(passes=1))


def test_looking_takes_no_time_on_a_data_set(make):
    with h5py.File(make()) as db:
        start = time.perf_counter()
        for _ in range(100):
            check_hdf5(db)
        assert time.perf_counter() - start < 1  # 0.03 s where it was measured


def rows_of(path, libver="earliest"):
    """Write a file of two rows of variable length; return where the table of their places is."""
    with h5py.File(path, "w", libver=libver) as db:
        rows = db.create_dataset("images", (2,), h5py.vlen_dtype(np.uint8), chunks=(2,))
        for number in range(2):
            rows[number] = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1]
        rows.attrs.update({"encoding": "png", "shape": (4, 4, 3)})
        db["labels"] = [0, 1]
        return rows.id.get_chunk_info(0).byte_offset


def one_pass(path):
    with HDF5DatasetGenerator(path, 4) as gen:
        return list(gen.generator(passes=1))


def test_rows_of_no_known_kind_are_refused(tmp_path):
    path = tmp_path / "file.hdf5"
    rows_of(path)
    kind = bytes.fromhex("19000000100000001000000001000000")  # variable length, of uint8
    overwrite(path, kind, b"\x19\x0f" + kind[2:])  # libhdf5 crashes on it
    with pytest.raises(HDF5Error, match="/images of .* has rows of an unknown kind"):
        HDF5DatasetGenerator(path, 4)


@pytest.mark.parametrize(
    ("offset", "change", "message"),
    [
        (0, b"GCOX", "has rows where there are none"),
        (8, bytes(8), "has rows where there are none"),
        (8, b"\xff" * 8, "has rows where there are none"),
        (16, bytes(200), "has rows that overlap or have no end"),  # HDF5 loops for ever in it
        (24, b"\xff" * 8, "has rows that overlap or have no end"),
        (24, b"\x01", "read"),
    ],
)
def test_damaged_heaps_are_found_before_hdf5_reads_them(tmp_path, offset, change, message):
    path = tmp_path / "file.hdf5"
    rows_of(path)
    raw = bytearray(path.read_bytes())
    place = raw.index(b"GCOL") + offset
    raw[place : place + len(change)] = change
    path.write_bytes(raw)
    with pytest.raises((ValueError, OSError), match=message):
        HDF5DatasetGenerator(path, 4)


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("place", [b"\xff" * 8, (2**40).to_bytes(8, "little"), b"\1" + bytes(7)])
def test_a_row_that_lies_nowhere_is_refused(tmp_path, row, place):
    path = tmp_path / "file.hdf5"
    start = rows_of(path) + 16 * row + 4
    raw = bytearray(path.read_bytes())
    raw[start : start + 8] = place
    path.write_bytes(raw)
    with pytest.raises(HDF5Error, match="/images of .* has rows where there are none"):
        one_pass(path)  # row 0 is looked at once, the others when it is their turn


@pytest.mark.parametrize("on_group", [True, False])
@pytest.mark.parametrize("length", [10**8, 2**32 - 1])
def test_the_length_of_an_attribute_is_checked_before_memory_is_taken(make, on_group, length):
    def describe(db):
        owner = db if on_group else db["images"]
        owner.attrs["numbers"] = [1, 2, 3]
        owner.attrs["config"] = "x" * 777
        for number in range(20):  # some of them in a second block of the header
            owner.attrs[f"text{number}"] = "y" * 20

    path = make(describe)
    open_hdf5(path).close()
    # in the attribute, where an address follows; in the heap eight bytes give the length
    text = re.compile(rb"\x09\x03\0\0(?!\0\0\0\0)")
    raw, count = text.subn(struct.pack("<I", length), path.read_bytes())
    assert count == 1
    path.write_bytes(raw)
    with pytest.raises(HDF5Error, match="announces rows of"):
        open_hdf5(path)


# -- several processes -------------------------------------------------------------------------


READERS = """
import sys
from multiprocessing import get_context

import h5py

from pyimagesearch.io import HDF5DatasetGenerator


def total(gen):
    return sum(int(images.sum()) for images, _ in gen.generator(passes=1))


def child(gen, path, queue):
    with HDF5DatasetGenerator(path, 4) as own:
        queue.put((total(gen), total(own)))


if __name__ == "__main__":
    path, context = sys.argv[1], get_context(sys.argv[2])
    with HDF5DatasetGenerator(path, 4, workers=2) as gen:
        next(gen.generator())  # its threads are at work while the process forks
        queue = context.Queue()
        children = [context.Process(target=child, args=(gen, path, queue)) for _ in range(3)]
        for process in children:
            process.start()
        sums = [queue.get(timeout=60) for _ in children]
        for process in children:
            process.join()
        print([process.exitcode for process in children], len({*sums, (total(gen), total(gen))}))
        try:  # the children's leaving has not let a writer in
            h5py.File(path, "r+", locking=True)
        except OSError:
            print("held")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_read_beside_their_parent(make, method):
    # in a process of its own: forking one that has loaded a framework may hang
    path = make()
    script = path.with_name("readers.py")
    script.write_text(READERS)
    done = subprocess.run(
        [sys.executable, script, path, method], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[0, 0, 0] 1\nheld\n", done.stderr


NO_LOCKS = """
import ctypes, struct, sys

# a filter of the kernel (seccomp) that answers every flock with an error
import platform
code, numbers = int(sys.argv[2]), {"x86_64": 73, "aarch64": 32}
load, equal, end = 0x20, 0x15, 0x06
program = b"".join(
    struct.pack("HBBI", *line)
    for line in [
        (load, 0, 0, 0),
        (equal, 0, 1, numbers[platform.machine()]),
        (end, 0, 0, 0x00050000 | code),
        (end, 0, 0, 0x7FFF0000),
    ]
)
lines = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(lines)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0, ctypes.get_errno()

from pyimagesearch.io import HDF5DatasetGenerator
try:
    with HDF5DatasetGenerator(sys.argv[1], 4) as gen:
        print("read", gen.numImages)
except OSError as error:
    print(error)
"""


def open_without_locks(path, code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", NO_LOCKS, path, str(code)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EACCES])
def test_a_file_system_without_locks_is_called_that(make, code):
    path = make()
    message = open_without_locks(path, code)
    assert f"{path} cannot be locked, as on some network file systems" in message
    assert "HDF5_USE_FILE_LOCKING=FALSE" in message
    assert "nothing keeps" in message
    assert open_without_locks(path, code, HDF5_USE_FILE_LOCKING="FALSE") == "read 10\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")
def test_where_locks_do_not_exist_hdf5_goes_on(make):
    assert open_without_locks(make(), errno.ENOSYS) == "read 10\n"


def test_a_pickled_generator_is_small_and_reads_the_same(make):
    with HDF5DatasetGenerator(make(), 4) as gen:
        data = pickle.dumps(gen)
        assert len(data) < 5000  # no rows in it
        with pickle.loads(data) as copy:
            for (images, _), (others, _) in zip(
                gen.generator(passes=1), copy.generator(passes=1), strict=True
            ):
                np.testing.assert_array_equal(images, others)
