"""Read LMDB 0.9 data files, the form in which Caffe keeps images, without LMDB's own library.

The library follows the page numbers and offsets in a file without a look at them: a damaged file
takes the process down. Here each is checked against the file first. Nothing is ever written, no
lock is taken, and the file may lie in a folder that cannot be written.

A data file is an array of pages. Pages 0 and 1 say where the root of a B-tree of keys is, for the
last transaction and the one before it. A leaf of the tree holds keys and small values; larger
values have runs of pages of their own.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from pyimagesearch.caffe._errors import CaffeError

MAGIC, VERSION = 0xBEEFC0DE, 1
PAGE_HEADER = struct.Struct("<QHHHH")  # number, padding, flags, lower, upper
BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
KIND = BRANCH | LEAF | OVERFLOW | META
KIND_NAMES = {BRANCH: "a branch", LEAF: "a leaf", OVERFLOW: "a long value", META: "the start"}
META_HEADER = struct.Struct("<IIQQ")  # magic, version, address, size of the map
TREE = struct.Struct("<IHHQQQQQ")  # padding, flags, depth, pages of each kind (3), entries, root
META_END = struct.Struct("<QQ")  # last page, transaction
META_SIZE = PAGE_HEADER.size + META_HEADER.size + 2 * TREE.size + META_END.size
NODE = struct.Struct("<HHHH")  # low, high, flags, size of the key
BIG, SUBTREE, DUPLICATES = 1, 2, 4
NONE = 2**64 - 1
DEEPEST = 32  # LMDB's own limit
PAGE_SIZES = {2**n for n in range(9, 17)}
TREE_FLAGS = {
    0x02: "keys in reverse order (MDB_REVERSEKEY)",
    0x04: "several values for a key (MDB_DUPSORT)",
    0x08: "integers as keys (MDB_INTEGERKEY)",
}


@dataclass
class _Tree:
    depth: int
    pages: int
    entries: int
    root: int
    flags: int


class Lmdb:
    """The records of an LMDB, in the order of their keys; for one thread at a time.

    Args:
        path: the folder with `data.mdb`, or that file.

    Attributes:
        path: of the data file.
        status: its os.stat_result when it was opened.

    Raises:
        FileNotFoundError, PermissionError: as `open`.
        CaffeError: if it is no LMDB, is truncated or damaged, or of a kind that is not read: a
            LevelDB, a file by a newer LMDB or of another kind of machine.

    Example:
        with Lmdb("train_lmdb") as db:
            for key, value in db.items():
                datum = read_datum(value, key)
    """

    def __init__(self, path):
        self.path = data_file(path)
        self._file = self.path.open("rb", buffering=0)
        try:
            self.status = os.fstat(self._file.fileno())
            self._size = self.status.st_size
            self._open()
        except BaseException:
            self._file.close()
            raise

    def __len__(self):
        return self._tree.entries

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Close the file. Closing twice does nothing."""
        self._file.close()

    def items(self, start=0):
        """Iterate over (key, value), bytes and a memoryview; reads one value at a time.

        Args:
            start: number of records to leave out; their values are not read.
        Raises:
            CaffeError: where the file turns out to be damaged, or was written to meanwhile.
        """
        try:
            yield from self._items(start)
        except CaffeError:
            self._require_unchanged()  # says better what the matter is
            raise

    def _items(self, start):
        count, last = 0, None
        for page, number in self._leaves():
            nodes = self._nodes(page, number)
            if last is not None and nodes and self._key(page, nodes[0], number) <= last:
                self._refuse(number, "its keys are not in order")
            if count + len(nodes) > len(self):
                self._refuse(number, f"there are more records than the {len(self)} announced")
            for node in nodes[max(0, start - count) :]:
                key = self._key(page, node, number)
                if last is not None and key <= last:
                    self._refuse(number, "its keys are not in order")
                yield key, self._value(page, node, number)
                last = key
            last = self._key(page, nodes[-1], number)
            count += len(nodes)
            self._require_unchanged()
        if count != len(self):
            raise CaffeError(
                f"{self.path} is damaged: it announces {len(self)} records and holds {count}. "
                "Make the LMDB again."
            )

    def _require_unchanged(self):
        """Raise CaffeError if a writer was at work: it uses pages again that readers may be at.

        LMDB's own readers ask writers to spare those, by a lock file. This one takes no lock.
        """
        ends = [self._at(number * self._page_size, META_SIZE) for number in (0, 1)]
        if max(map(_transaction, ends)) != self._transaction:
            raise CaffeError(
                f"{self.path} was written to while it was read. Wait for the other program, and "
                "begin again; or copy the LMDB, and read the copy."
            )

    def _leaves(self):
        """Yield (bytes, number) of each leaf page, from left to right."""
        if self._tree.root == NONE:
            return
        stack, read = [iter([self._tree.root])], 0
        while stack:
            number = next(stack[-1], None)
            if number is None:
                stack.pop()
                continue
            read += 1
            if read > self._tree.pages:
                self._refuse(number, "its tree has more pages than announced")
            leaf = len(stack) == self._tree.depth
            page = self._page(number, LEAF if leaf else BRANCH)
            if leaf:
                yield page, number
            else:
                stack.append(self._children(page, number))

    def _children(self, page, number):
        for node in self._nodes(page, number):
            low, high, flags, _ = NODE.unpack_from(page, node)
            yield low | high << 16 | flags << 32

    def _nodes(self, page, number):
        """Return where the nodes of a page begin."""
        _, _, _, lower, upper = PAGE_HEADER.unpack_from(page)
        count, odd = divmod(lower - PAGE_HEADER.size, 2)
        if count < 1 or odd or not lower <= upper <= len(page):
            self._refuse(number, "its list of entries does not fit the page")
        nodes = struct.unpack_from(f"<{count}H", page, PAGE_HEADER.size)
        if min(nodes) < upper or max(nodes) > len(page) - NODE.size:
            self._refuse(number, "an entry lies outside of the page")
        return nodes

    def _key(self, page, node, number):
        start = node + NODE.size
        end = start + NODE.unpack_from(page, node)[3]
        if end > len(page) or end == start:
            self._refuse(number, "a key lies outside of the page")
        return page[start:end]

    def _value(self, page, node, number):
        low, high, flags, key = NODE.unpack_from(page, node)
        start, size = node + NODE.size + key, low | high << 16
        if flags & (SUBTREE | DUPLICATES):
            raise CaffeError(
                f"{self.path} holds named databases or several values for a key. Caffe's LMDBs "
                "have one database, of one value for each key."
            )
        stored = 8 if flags & BIG else size
        if start + stored > len(page):
            self._refuse(number, "a value lies outside of the page")
        if flags & BIG:
            return self._long_value(int.from_bytes(page[start : start + 8], "little"), size)
        return memoryview(page)[start : start + size]

    def _long_value(self, number, size):
        length = PAGE_HEADER.size + size
        self._require_within(number, -(-length // self._page_size))
        data = self._read(number, length)
        self._check_kind(data, number, OVERFLOW)
        if int.from_bytes(data[12:16], "little") * self._page_size < length:
            self._refuse(number, f"a value of {size:,} bytes is longer than its pages")
        return memoryview(data)[PAGE_HEADER.size :]

    def _page(self, number, kind):
        self._require_within(number, 1)
        page = self._read(number, self._page_size)
        self._check_kind(page, number, kind)
        return page

    def _require_within(self, number, count):
        if not 2 <= number <= self._last_page + 1 - count:
            self._refuse(number, "there is no such page")
        if (number + count) * self._page_size > self._size:
            raise CaffeError(
                f"{self.path} is truncated: page {number} would end at byte "
                f"{(number + count) * self._page_size:,}, the file has {self._size:,}. "
                "Copy it again, or make the LMDB again."
            )

    def _check_kind(self, page, number, kind):
        found, _, flags, _, _ = PAGE_HEADER.unpack_from(page)
        if not any(page[: PAGE_HEADER.size]):
            raise CaffeError(
                f"{self.path} is damaged: page {number} is all zeros, as in a copy that was not "
                "finished. Copy it again, or make the LMDB again."
            )
        if found != number or flags & KIND != kind:
            self._refuse(number, f"it is not {KIND_NAMES[kind]}")

    def _read(self, number, length):
        data = self._at(number * self._page_size, length)
        if len(data) < length:
            raise CaffeError(f"{self.path} was cut short while it was read.")
        return data

    def _at(self, place, length):
        self._file.seek(place)
        data = self._file.read(length)
        while len(data) < length and (more := self._file.read(length - len(data))):
            data += more  # Linux reads 2 GB at once at most
        return data

    def _refuse(self, number, what):
        raise CaffeError(f"{self.path} is damaged at page {number}: {what}. Make the LMDB again.")

    def _open(self):
        start = self._at(0, 4096)
        if not start:
            raise CaffeError(f"{self.path} is empty (0 bytes).")
        self._refuse_other_kinds(start)
        if len(start) < META_SIZE:
            raise CaffeError(f"{self.path} is truncated: it has {len(start)} bytes.")
        self._page_size = TREE.unpack_from(start, PAGE_HEADER.size + META_HEADER.size)[0]
        if self._page_size not in PAGE_SIZES:
            raise CaffeError(f"{self.path} is damaged: its pages are {self._page_size} bytes.")
        metas = []
        for number in (0, 1):
            page = self._at(number * self._page_size, META_SIZE)
            if len(page) < META_SIZE:
                raise CaffeError(f"{self.path} is truncated: it has {self._size:,} bytes.")
            found, _, flags, _, _ = PAGE_HEADER.unpack_from(page)
            magic, version, _, _ = META_HEADER.unpack_from(page, PAGE_HEADER.size)
            if (found, flags & KIND, magic, version) != (number, META, MAGIC, VERSION):
                self._refuse(number, "it is not the start of an LMDB")
            metas.append((_transaction(page), -number, page))
        self._transaction, _, page = max(metas)
        self._last_page, _ = META_END.unpack_from(page, META_SIZE - META_END.size)
        free = self._tree_at(page, 0)
        self._tree = self._tree_at(page, 1)
        self._check(free)

    def _tree_at(self, page, number):
        place = PAGE_HEADER.size + META_HEADER.size + number * TREE.size
        _, flags, depth, *pages, entries, root = TREE.unpack_from(page, place)
        return _Tree(depth, sum(pages), entries, root, flags)

    def _check(self, free):
        """Look at what the file says of itself, before the hours in which it is read."""
        tree = self._tree
        for flag, words in TREE_FLAGS.items():
            if tree.flags & flag:
                raise CaffeError(f"{self.path} has {words}. Caffe's LMDBs do not; it is not read.")
        if tree.depth > DEEPEST or (tree.root == NONE) != (tree.depth == 0):
            raise CaffeError(f"{self.path} is damaged: its tree is {tree.depth} levels deep.")
        if (tree.root == NONE) != (tree.entries == 0) or tree.entries > self._size:
            raise CaffeError(f"{self.path} is damaged: it announces {tree.entries} records.")
        needed = (2 + free.pages + tree.pages) * self._page_size
        if needed > self._size:
            raise CaffeError(
                f"{self.path} is truncated: it needs at least {needed:,} bytes and has "
                f"{self._size:,}. Copy it again, or make the LMDB again."
            )

    def _refuse_other_kinds(self, start):
        """Say what a file is that has LMDB's sign, but not where LMDB 0.9 puts it here."""
        little, big = MAGIC.to_bytes(4, "little"), MAGIC.to_bytes(4, "big")
        version = int.from_bytes(start[20:24], "little")
        if start[16:20] == little and version == VERSION:
            return
        if start[16:20] == little or start[24:28] == little:
            said = f"data format {version}, not {VERSION}" if start[16:20] == little else "1.0"
            raise CaffeError(
                f"{self.path} was written by a newer LMDB ({said}). LMDB 0.9 and Caffe do not "
                "read it. Write it again with LMDB 0.9."
            )
        if start[12:16] == little or big in (start[12:16], start[16:20]):
            machine = "a big-endian" if big in (start[12:16], start[16:20]) else "a 32-bit"
            raise CaffeError(
                f"{self.path} was written on {machine} machine. Write it again on one of 64 bits, "
                "little-endian: mdb_dump there, mdb_load here."
            )
        raise CaffeError(f"{self.path} is no LMDB data file.")


def _transaction(meta):
    """Return the number of the transaction that wrote a page 0 or 1."""
    if len(meta) < META_SIZE:
        return -1  # of a file that was cut short meanwhile
    return META_END.unpack_from(meta, META_SIZE - META_END.size)[1]


def data_file(path):
    """Return the path of the data file of an LMDB, or raise an exception that says what is there.

    Raises:
        FileNotFoundError: if there is nothing.
        CaffeError: if it is a LevelDB, or a folder without `data.mdb`.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(f"There is no LMDB {path}.")
        if not path.is_file():
            raise CaffeError(f"{path} is neither a folder nor a file, so no LMDB.")
        if path.name == "CURRENT" or path.suffix in LEVELDB_SUFFIXES:
            _refuse_leveldb(path.parent)
        return path
    data = path / "data.mdb"
    if data.is_file():
        return data
    if any(
        other.name == "CURRENT"
        or other.name.startswith("MANIFEST-")
        or other.suffix in LEVELDB_SUFFIXES
        for other in path.iterdir()
    ):
        _refuse_leveldb(path)
    raise CaffeError(f"{path} is no LMDB: it has no file data.mdb.")


LEVELDB_SUFFIXES = {".ldb", ".sst"}


def _refuse_leveldb(path):
    raise CaffeError(
        f"{path} is a LevelDB, another format than LMDB. Make it again with convert_imageset "
        "--backend=lmdb."
    )
