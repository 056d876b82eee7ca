"""Our reader of LMDB files, against files that the lmdb package wrote, and against damaged ones."""

import random
import shutil
import struct
import subprocess
import sys
from itertools import islice

import lmdb
import numpy as np
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe import CaffeError
from pyimagesearch.caffe._lmdb import Lmdb

PAGE = 4096
PETS = FIXTURES / "pets_lmdb"
META = 16 + 24  # where the trees of a start page are described
MAIN = META + 48  # the second of them


def records(path, start=0):
    with Lmdb(path) as db:
        return [(key, bytes(value)) for key, value in db.items(start)]


def write(path, items, **options):
    with lmdb.open(str(path), map_size=2**32, **options) as env, env.begin(write=True) as txn:
        for key, value in items:
            txn.put(key, value)


@pytest.fixture
def pets(tmp_path):
    """A copy of the fixture's bytes, and a function that writes them changed."""

    def write(change):
        data = bytearray((PETS / "data.mdb").read_bytes())
        change(data)
        path = tmp_path / "changed.mdb"
        path.write_bytes(data)
        return path

    return write


def refused(path, words):
    with pytest.raises(CaffeError, match=words) as caught:
        records(path)
    assert str(path) in str(caught.value)


def test_the_pets_come_in_the_order_of_their_keys_as_the_lmdb_package_reads_them():
    expected = np.load(FIXTURES / "pets_expected.npz")
    found = records(PETS)
    assert [key.decode() for key, _ in found] == expected["keys"].tolist()
    with (
        lmdb.open(str(PETS), readonly=True, lock=False) as env,
        env.begin() as txn,
        txn.cursor() as cursor,
    ):
        assert found == list(cursor)
    assert records(PETS / "data.mdb") == found


@pytest.mark.parametrize("seed", range(3))
def test_any_lmdb_is_read_as_the_package_wrote_it(tmp_path, seed):
    rng, expected = random.Random(seed), {}
    with lmdb.open(str(tmp_path / "db"), map_size=2**32) as env:
        for _ in range(8):
            with env.begin(write=True) as txn:
                for _ in range(rng.randrange(200)):
                    key = rng.randbytes(rng.choice((1, 3, 8, 20, 100, 511)))
                    value = rng.randbytes(rng.choice((0, 1, 10, 700, 2000, 4096, 50_000)))
                    txn.put(key, value)
                    expected[key] = value
                for _ in range(rng.randrange(min(len(expected), 80))):
                    key = rng.choice(sorted(expected))
                    txn.delete(key)
                    del expected[key]
    whole = sorted(expected.items())
    assert records(tmp_path / "db") == whole
    for start in (1, 2, len(whole) // 2, len(whole) - 1, len(whole), len(whole) + 3):
        assert records(tmp_path / "db", start) == whole[start:]


def test_a_transaction_that_did_not_end_does_not_count(tmp_path):
    write(tmp_path, [(b"a", b"1")])
    with lmdb.open(str(tmp_path)) as env:
        txn = env.begin(write=True)
        txn.put(b"b", b"2")
        assert records(tmp_path) == [(b"a", b"1")]
        txn.commit()
        assert records(tmp_path) == [(b"a", b"1"), (b"b", b"2")]


def test_a_folder_that_cannot_be_written_is_read_and_left_as_it_is(tmp_path):
    folder = tmp_path / "db"
    folder.mkdir()
    shutil.copy(PETS / "data.mdb", folder)
    folder.chmod(0o500)
    try:
        assert len(records(folder)) == 20
        assert [path.name for path in folder.iterdir()] == ["data.mdb"]
    finally:
        folder.chmod(0o700)


def test_an_lmdb_that_is_written_to_while_it_is_read_is_no_mixture_of_both(tmp_path):
    def values(version):
        return [(f"{n:04d}".encode(), f"{n:04d} {version}".encode() * 700) for n in range(400)]

    write(tmp_path, values(0))
    with Lmdb(tmp_path) as db:
        items = db.items()
        found = [(key, bytes(value)) for key, value in islice(items, 3)]
        assert found == values(0)[:3]
        for version in (1, 2, 3):  # the third is written where the first values lay
            write(tmp_path, values(version))
        with pytest.raises(CaffeError, match="was written to while it was read"):
            list(items)
    assert records(tmp_path) == values(3)

    with Lmdb(tmp_path) as db:  # though the values that are left are whole
        items = db.items(390)
        next(items)
        write(tmp_path, [(b"0000", b"new")])
        with pytest.raises(CaffeError, match="was written to while it was read"):
            list(items)


def test_an_empty_lmdb_has_no_records(tmp_path):
    write(tmp_path, [])
    assert records(tmp_path) == []


@pytest.mark.parametrize(
    ("flag", "words"), [(2, "MDB_REVERSEKEY"), (4, "MDB_DUPSORT"), (8, "MDB_INTEGERKEY")]
)
def test_other_kinds_of_database_are_refused(pets, flag, words):
    def mark(data):
        for start in (0, PAGE):
            data[start + MAIN + 4] = flag

    refused(pets(mark), words)


def test_named_databases_are_refused(tmp_path):
    with lmdb.open(str(tmp_path), max_dbs=1) as env:
        env.open_db(b"other")
    with pytest.raises(CaffeError, match="named databases"):
        records(tmp_path)


def test_a_newer_lmdb_is_named(pets):
    def newer(data):
        data[20:24] = data[PAGE + 20 : PAGE + 24] = struct.pack("<I", 2)

    refused(pets(newer), r"newer LMDB \(data format 2, not 1\).*Write it again with LMDB 0.9")
    # a page's head of LMDB 1.0 is longer, as it has the transaction's number
    refused(pets(lambda data: data.__setitem__(slice(16, 16), bytes(8))), "newer LMDB")


def test_other_machines_files_are_named(pets):
    refused(pets(lambda data: data.__delitem__(slice(12, 16))), "a 32-bit machine")

    def swapped(data):
        data[16:20] = data[16:20][::-1]

    refused(pets(swapped), "a big-endian machine")


def test_what_is_there_in_place_of_an_lmdb_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no LMDB .*/absent"):
        Lmdb(tmp_path / "absent")
    with pytest.raises(CaffeError, match=r"no file data\.mdb"):
        Lmdb(tmp_path)
    for name in ("CURRENT", "MANIFEST-000002", "000005.ldb", "000005.sst"):
        folder = tmp_path / name.replace(".", "_")
        folder.mkdir()
        (folder / name).write_bytes(b"MANIFEST-000002\n")
        with pytest.raises(CaffeError, match=r"is a LevelDB.*convert_imageset --backend=lmdb"):
            Lmdb(folder)
        if not name.startswith("MANIFEST"):
            with pytest.raises(CaffeError, match="is a LevelDB"):
                Lmdb(folder / name)
    (tmp_path / "data.mdb").write_bytes(b"")
    refused(tmp_path / "data.mdb", r"is empty \(0 bytes\)")
    (tmp_path / "data.mdb").write_bytes(b"name: 'net'" * 400)
    refused(tmp_path / "data.mdb", "is no LMDB data file")


def refusal(path):
    """Return what opening says, None if the file is accepted."""
    try:
        Lmdb(path).close()
    except CaffeError as error:
        return str(error)
    return None


def test_a_truncated_file_is_named_before_it_is_read(tmp_path):
    whole = (PETS / "data.mdb").read_bytes()
    path, found = tmp_path / "data.mdb", 0
    for size in (*range(0, 300, 13), *range(PAGE, len(whole), 1024), len(whole) - 1):
        path.write_bytes(whole[:size])
        message = refusal(path)
        if message is None:  # what is cut off may be pages that no record needs
            assert records(path) == records(PETS)
        else:
            assert str(path) in message
            found += 1
    assert found > 40


def test_pages_that_a_copy_left_out_are_named(pets):
    named = []
    for number in range(2, 19):
        page = slice(number * PAGE, (number + 1) * PAGE)
        path = pets(lambda data, page=page: data.__setitem__(page, bytes(PAGE)))
        try:
            assert len(records(path)) == 20  # a page that no record needs
        except CaffeError as error:
            named.append(f"page {number} is all zeros" in str(error))
    assert len(named) > 10
    assert all(named)


def root_of(data):
    """Where the page of the root of the newer start page begins, and where that is written."""
    metas = [0, PAGE]
    newest = max(metas, key=lambda m: struct.unpack_from("<Q", data, m + META + 96 + 8)[0])
    place = newest + MAIN + 40
    return struct.unpack_from("<Q", data, place)[0], place


def node_of(data, page, number):
    return page * PAGE + struct.unpack_from("<H", data, page * PAGE + 16 + 2 * number)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data, page, place: struct.pack_into("<Q", data, place, 2**40), "no such page"),
        (lambda data, page, place: struct.pack_into("<Q", data, place, 0), "no such page"),
        (lambda data, page, place: struct.pack_into("<H", data, page + 12, 9), "list of entries"),
        (
            lambda data, page, place: struct.pack_into("<H", data, page + 12, 4095),
            "list of entries",
        ),
        (lambda data, page, place: struct.pack_into("<H", data, page + 16, 4093), "entry lies out"),
        (lambda data, page, place: struct.pack_into("<H", data, page + 10, 4), "not a "),
        (lambda data, page, place: struct.pack_into("<Q", data, place - 8, 2**62), "announces"),
        (lambda data, page, place: struct.pack_into("<H", data, place - 34, 33), "levels deep"),
        (lambda data, page, place: struct.pack_into("<Q", data, place - 8, 19), "more records"),
        (lambda data, page, place: struct.pack_into("<Q", data, place - 8, 21), "announces 21 rec"),
    ],
)
def test_a_damaged_page_is_named(pets, change, words):
    def damage(data):
        root, place = root_of(data)
        change(data, root * PAGE, place)

    refused(pets(damage), words)


def test_a_tree_that_contains_itself_ends(tmp_path):
    """Each page of the branch leads to the first leaf, or to the branch itself."""
    write(tmp_path / "db", ((f"{n:08d}".encode(), bytes(300)) for n in range(400)))
    original = bytearray((tmp_path / "db" / "data.mdb").read_bytes())
    root, _ = root_of(original)
    count = (struct.unpack_from("<H", original, root * PAGE + 12)[0] - 16) // 2
    assert count > 10  # a branch
    first = struct.unpack_from("<HH", original, node_of(original, root, 0))
    for target in (first, (root, 0)):
        data = bytearray(original)
        for number in range(count):
            struct.pack_into("<HH", data, node_of(data, root, number), *target)
        path = tmp_path / "changed.mdb"
        path.write_bytes(data)
        refused(path, "damaged at page")


def test_a_long_value_beyond_its_pages_is_refused(tmp_path):
    write(tmp_path / "db", [(b"a", bytes(5000)), (b"b", bytes(5000))])
    original = (tmp_path / "db" / "data.mdb").read_bytes()
    root, _ = root_of(original)
    node = node_of(original, root, 0)
    path = tmp_path / "changed.mdb"
    for place, value, words in (
        (node, struct.pack("<HH", 0xFFFF, 0xFFFF), "no such page"),
        (node, struct.pack("<HH", 9000, 0), "longer than its pages"),
        (node + 9, struct.pack("<Q", 2**63), "no such page"),
        (node + 9, struct.pack("<Q", root), "not a long value"),
        (node + 6, struct.pack("<H", 4000), "key lies outside"),
        (node + 4, struct.pack("<H", 0), "value lies outside"),
    ):
        data = bytearray(original)
        data[place : place + len(value)] = value
        path.write_bytes(data)
        refused(path, words)


def measured(path):
    """Return the memory in MB that reading every record adds."""
    code = f"""
from pathlib import Path
from pyimagesearch.caffe._lmdb import Lmdb
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
with Lmdb({str(path)!r}) as db:
    next(db.items())
    before, size = peak(), sum(len(value) for _, value in db.items())
print((peak() - before) / 1024, size)
"""
    return map(float, subprocess.check_output([sys.executable, "-c", code], text=True).split())


def write_large(path, count):
    rows = (f"{n:08d}".encode() for n in range(count))
    write(path, ((key, key * 25_000) for key in rows), sync=False, readahead=False)


def test_reading_takes_the_memory_of_a_record(tmp_path):
    write_large(tmp_path, 300)  # of 200 KB
    megabytes, size = measured(tmp_path)
    assert size == 300 * 200_000
    assert megabytes < 5


@pytest.mark.torture
def test_reading_four_gigabytes_takes_the_memory_of_a_record(tmp_path):
    with lmdb.open(str(tmp_path), map_size=2**34, sync=False) as env:
        for part in range(20):
            with env.begin(write=True) as txn:
                for n in range(1000):
                    txn.put(f"{part * 1000 + n:08d}".encode(), bytes([n % 251]) * 200_000)
    megabytes, size = measured(tmp_path)
    print(f"[FIGURE] {size / 1e9:.1f} GB of an LMDB read: {megabytes:.1f} MB more memory at most")
    assert megabytes < 5
