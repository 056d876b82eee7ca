"""Look an HDF5 file over before anything is read from it: it may come from anybody.

An HDF5 file can refer to other files on this machine, announce sizes that no memory holds, and
contain itself. `check_hdf5` refuses what no file of rows, features or weights has a use for.
"""

import contextlib
import os
import struct
from math import prod
from pathlib import Path

import h5py
import numpy as np

LINKS = 50_000  # names of objects in a file; a model of 2,000 layers has about 20,000
EXPANSION = 1000  # times its bytes in the file may compressed data grow: gzip reaches 1,032
CHUNK_BYTES = 2**28  # of a compressed chunk, which is unpacked as a whole
SLACK = 2**20  # bytes that a data set may announce and never have written

# how a row of variable length, a heap of such rows, and a part of one begin; see the HDF5 File
# Format Specification, "Global Heap"
PLACE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
HEAP = struct.Struct("<4sIQ")  # sign, version, size
PART = struct.Struct("<HxxxxxxQ")  # number, size
LEAST_HEAP = 4096  # bytes
ATTRIBUTE, CONTINUATION, VARIABLE = 0x0C, 0x10, 9  # messages in a header, and a class of types

COMPRESSIONS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF, h5py.h5z.FILTER_SZIP}
FILTERS = COMPRESSIONS | {
    *(h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32),
    *(h5py.h5z.FILTER_SCALEOFFSET, h5py.h5z.FILTER_NBIT),
}


class HDF5Error(ValueError):
    """A file that is not read further. The message names the file, the object and the reason."""


def open_hdf5(path):
    """Return the h5py.File of a path, open for reading and looked over by `check_hdf5`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        OSError: if it is no HDF5 file, is truncated, is being written, or cannot be locked.
        HDF5Error: if `check_hdf5` refuses it.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory. Give the path of an HDF5 file.")
    if not path.is_file():  # a pipe would be waited for
        raise OSError(f"{path} is no file but a device or pipe. Give the path of an HDF5 file.")
    try:
        db = h5py.File(path, "r")
    except BlockingIOError as error:
        raise OSError(f"{path} is being written by a running process.") from error
    except Exception as error:  # which one depends on the damage
        if "unable to lock file" in str(error):
            raise OSError(
                f"{path} cannot be locked, as on some network file systems: {error}. Set the "
                "environment variable HDF5_USE_FILE_LOCKING=FALSE before Python starts; then "
                "nothing keeps you from reading a file while a program writes it."
            ) from error
        if isinstance(error, PermissionError):
            raise
        raise OSError(f"{path} is no HDF5 file, or it is truncated. Build it again.") from error
    try:
        check_hdf5(db, path)
    except BaseException:
        db.close()
        raise
    return db


def check_hdf5(db, name=None):
    """Raise HDF5Error unless everything in an open HDF5 file lies in the file and fits its size.

    Refused are external links, soft links that lead nowhere, second names of a group (it could
    contain itself), data sets that lie in other files (external or virtual ones), data sets larger
    than the file (1,000 times as large where they are compressed), and more than 50,000 objects.
    Looking costs some 50 microseconds for each object; nothing is read but the places of rows of
    variable length. References are not looked at: nothing in this package follows one.

    Args:
        db: h5py.File, open for reading.
        name: what to call it in messages. Default: its file name.
    Raises:
        HDF5Error: a ValueError of one sentence that names the file and the object in it.
    """
    name = db.filename if name is None else name
    with damage_named(name):
        _Check(db, name).everything()


def check_rows(data, start, stop, name):
    """Raise HDF5Error unless HDF5 can read data[start:stop], rows of variable length.

    Args:
        data: (n,) h5py.Dataset in a file that `check_hdf5` has passed.
        name: of the file, for messages.
    """
    file = _File(data.file, name)
    if data.chunks is None:
        offset = data.id.get_offset()
        tables = [] if offset is None else [file.at(offset + start * 16, (stop - start) * 16)]
    else:
        (size,) = data.chunks
        tables = []
        for first in range(start // size * size, stop, size):
            table = data.id.read_direct_chunk((first,))[1]
            tables.append(table[16 * max(0, start - first) : 16 * (stop - first)])
    file.check_places(b"".join(tables), data.name)


@contextlib.contextmanager
def damage_named(name):
    """Turn what h5py raises in the block into a HDF5Error that names the file.

    Which exception it raises depends on the damage. An OSError stays one, with a note.
    """
    try:
        yield
    except (HDF5Error, MemoryError):
        raise
    except OSError as error:
        error.add_note(f"While reading {name}.")
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(name) in str(error):  # says it all
            raise
        raise HDF5Error(f"{name} is damaged: {error}. Get or build it again.") from error


def read_names(db):
    """Return the names of the classes in an open file, a list of str.

    Raises:
        HDF5Error: if "label_names" is no list of texts.
    """
    names, path = db.get("label_names"), db.filename
    with damage_named(path):
        if not isinstance(names, h5py.Dataset):
            raise HDF5Error(f"{path} has no label_names.")
        if names.ndim != 1 or h5py.check_string_dtype(names.dtype) is None:
            raise HDF5Error(f"label_names of {path} must be strings. Found: {names}.")
        return list(names.asstr()[:])


class _File:
    """The bytes of an open HDF5 file, for what HDF5 would read too trustingly.

    A row or text of variable length is a length, the address of a heap, and a number in it. HDF5
    1.14 takes as much memory as the length says, and never comes back from a heap of zeros.
    """

    def __init__(self, db, name):
        self.db = db
        self.name = name
        self.size = db.id.get_filesize()
        self.base = db.userblock_size
        self.on_disk = db.driver == "sec2"
        self.handle = db.id.get_vfd_handle() if self.on_disk and hasattr(os, "pread") else None
        self.image = None
        address, length = db.id.get_create_plist().get_sizes()
        if (address, length) != (8, 8):
            raise HDF5Error(
                f"{name} has addresses of {8 * address} bits, not of 64. It is not read."
            )
        self.heaps = set()

    def at(self, offset, size):
        """Return the bytes from an offset on: fewer, where the file ends."""
        if self.handle is not None:
            return os.pread(self.handle, min(size, self.size), offset)
        if self.on_disk:  # on Windows
            with Path(self.db.filename).open("rb") as file:
                file.seek(offset)
                return file.read(min(size, self.size))
        if self.image is None:
            self.image = self.db.id.get_file_image()
        return self.image[offset : offset + size]

    def check_places(self, table, place):
        """Refuse lengths that the file cannot hold, and heaps that are none."""
        table = np.frombuffer(table, PLACE, len(table) // PLACE.itemsize)
        table = table[(table["length"] > 0) & (table["heap"] > 0)]
        total = int(table["length"].sum(dtype=np.uint64))
        if total > self.size:
            self.refuse(place, f"announces rows of {total:,} bytes, more than the file has")
        for heap in set(table["heap"].tolist()) - self.heaps:
            self.check_heap(self.base + heap, place)
            self.heaps.add(heap)

    def check_heap(self, start, place):
        """Refuse a heap whose parts do not follow each other up to its end."""
        if start > self.size:
            self.refuse(place, "has rows where there are none")
        sign, _, size = HEAP.unpack(self.at(start, HEAP.size).ljust(HEAP.size, b"\0"))
        if sign != b"GCOL" or size < LEAST_HEAP or start + size > self.size:
            self.refuse(place, "has rows where there are none")
        offset = HEAP.size
        while offset + PART.size <= size:
            number, length = PART.unpack(self.at(start + offset, PART.size))
            # number 0 is the free space at the end, whose length counts itself
            step = PART.size + -(-length // 8) * 8 if number else length
            if step < PART.size or offset + step > size:
                self.refuse(place, "has rows that overlap or have no end")
            offset += step

    def refuse(self, place, what):
        place = place if place.isprintable() else ascii(place)
        raise HDF5Error(f"{place} of {self.name} {what}. Files like that are not read.")


class _Check(_File):
    def everything(self):
        """Look at every object once, whatever the depth and the number of its names."""
        seen = {_address(self.db.id)}
        self.attributes(self.db.id, "/")
        groups, soft, links = [("", self.db.id)], [], 0
        while groups:
            path, group = groups.pop()
            for link in self.links(group, LINKS - links):
                links += 1
                place = _short(f"{path}/{link.decode(errors='backslashreplace')}")
                kind = group.links.get_info(link).type
                if kind == h5py.h5l.TYPE_SOFT:
                    soft.append((place, group, link))
                    continue
                if kind != h5py.h5l.TYPE_HARD:
                    self.refuse(place, "is a link to another file, which is not followed")
                found = h5py.h5o.open(group, link)
                known = _address(found) in seen
                seen.add(_address(found))
                if isinstance(found, h5py.h5g.GroupID):
                    if known:
                        self.refuse(place, "is a second name of a group, which may contain itself")
                    groups.append((place, found))
                elif isinstance(found, h5py.h5d.DatasetID) and not known:
                    self.dataset(found, place)
                if not known:
                    self.attributes(found, place)
        for place, group, link in soft:  # only now: a link out of the file could be on its way
            try:
                h5py.h5o.open(group, link)
            except (KeyError, RuntimeError, OSError):
                self.refuse(place, "is a soft link that leads nowhere")

    def links(self, group, most):
        """Return the names of a group's links, as bytes."""
        names = []
        # the names are collected until something else than None is returned
        group.links.iterate(lambda link: names.append(link) or (len(names) > most or None))
        if len(names) > most:
            raise HDF5Error(f"{self.name} holds more than {LINKS:,} objects. It is not read.")
        return names

    def dataset(self, data, place):
        plan = data.get_create_plist()
        if plan.get_layout() == h5py.h5d.VIRTUAL:
            self.refuse(place, "is a virtual data set: its rows lie in other files")
        if plan.get_external_count():
            self.refuse(place, "keeps its rows in another file")
        kind, space = data.get_type(), data.get_space()
        if space.get_simple_extent_type() == h5py.h5s.NULL:
            return
        count = prod(space.get_simple_extent_dims())
        self.kind(kind, place)
        if _variable(kind):
            self.variable(data, plan, place, count)
        elif kind.get_class() != h5py.h5t.REFERENCE and kind.dtype.hasobject:
            self.refuse(place, "mixes numbers with texts or rows of variable length")
        else:
            self.fixed(data, plan, place, count * kind.get_size())

    def kind(self, kind, place):
        """Refuse a variable length of neither rows nor texts, at which HDF5 1.14 crashes."""
        if kind.get_class() == h5py.h5t.VLEN and kind.encode()[3] & 0x0F:
            self.refuse(place, "has rows of an unknown kind")

    def fixed(self, data, plan, place, announced):
        """Look at a data set of numbers or of texts of fixed length."""
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        unknown = [number for number in filters if number not in FILTERS]
        if unknown:
            self.refuse(place, f"is packed by a filter that is not known here, number {unknown[0]}")
        if sum(number in COMPRESSIONS for number in filters) > 1:
            self.refuse(place, "is compressed twice")
        limit, kept = self.size, "the file"
        if filters:
            chunk = prod(plan.get_chunk()) * data.get_type().get_size()
            if chunk > CHUNK_BYTES:
                self.refuse(place, f"is compressed in chunks of {chunk:,} bytes, more than 256 MiB")
            stored = min(data.get_storage_size(), self.size)
            limit, kept = EXPANSION * stored, f"{EXPANSION:,} times what it takes in the file"
        if announced > limit + SLACK:
            self.refuse(place, f"announces {announced:,} bytes, more than {kept} ({limit:,})")

    def variable(self, data, plan, place, count):
        """Look at a data set of rows or texts of variable length: each says how long it is."""
        if count * PLACE.itemsize > self.size + SLACK:
            self.refuse(place, f"announces {count:,} rows, more than the file has room for")
        if plan.get_nfilters():
            self.refuse(place, "compresses where its rows lie, not the rows. Write it without")
        tables = list(self.tables(data, plan, place, count))
        if _is_text(data.get_type()):
            self.check_places(b"".join(tables), place)
        else:  # images; RowReader looks at their places when it reads them
            total = sum(_total(table) for table in tables)
            if total > self.size:
                self.refuse(place, f"announces rows of {total:,} bytes, more than the file has")

    def tables(self, data, plan, place, count):
        """Yield the bytes that say how long the rows are and where they lie."""
        layout = plan.get_layout()
        if layout == h5py.h5d.CONTIGUOUS:
            if data.get_offset() is not None:
                yield self.at(data.get_offset(), count * PLACE.itemsize)
        elif layout == h5py.h5d.CHUNKED:
            if prod(plan.get_chunk()) * PLACE.itemsize > self.size + SLACK:
                self.refuse(place, "has chunks larger than the file")
            starts = []
            data.chunk_iter(lambda chunk: starts.append(chunk.chunk_offset))
            for start in starts:
                yield data.read_direct_chunk(start)[1]
        else:
            self.refuse(place, "keeps rows of variable length in the object's header")

    def attributes(self, found, place):
        """Look at the attributes of variable length."""
        count = h5py.h5a.get_num_attrs(found)
        kinds = [h5py.h5a.open(found, index=number).get_type() for number in range(count)]
        if not any(map(_variable, kinds)):
            return
        for kind in kinds:
            self.kind(kind, place)
        start = self.base + _address(found)
        header = self.at(start, 16)
        if header[:4] == b"OHDR":  # has checksums
            return
        values = list(self.attribute_values(header, start, place))
        if sorted(variable for variable, _ in values) != sorted(map(_variable, kinds)):
            self.refuse(place, "has attributes that are stored in an unknown way")
        for variable, value in values:
            if variable:
                self.check_places(value, place)

    def attribute_values(self, header, start, place):
        """Yield (of variable length?, bytes) of each attribute in an object's header, version 1."""
        size = int.from_bytes(header[8:12], "little")
        blocks, read = [(start + 16, size)], 0
        while blocks:
            offset, size = blocks.pop(0)
            read += size
            if read > self.size:
                self.refuse(place, "has a header larger than the file")
            block, at = self.at(offset, size), 0
            while at + 8 <= len(block):
                kind, size = struct.unpack_from("<HH", block, at)
                message = block[at + 8 : at + 8 + size]
                at += 8 + size
                if kind == CONTINUATION and len(message) >= 16:
                    address, length = struct.unpack_from("<QQ", message)
                    blocks.append((self.base + address, length))
                elif kind == ATTRIBUTE and len(message) >= 8:
                    yield _attribute_value(message)


def _attribute_value(message):
    """Return (of variable length?, bytes) of an attribute; its parts are padded in version 1."""
    version, *sizes = struct.unpack_from("<BxHHH", message)
    if version == 1:
        sizes = [-(-size // 8) * 8 for size in sizes]
    kind = 8 + (version == 3) + sizes[0]
    of_class = message[kind] & 0x0F if kind < len(message) else None  # the rest is a version
    return of_class == VARIABLE, message[8 + (version == 3) + sum(sizes) :]


def _short(place):
    return place if len(place) <= 80 else f"...{place[-77:]}"


def _variable(kind):
    return kind.get_class() == h5py.h5t.VLEN or _is_text(kind)


def _is_text(kind):
    return isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()


def _total(table):
    lengths = np.frombuffer(table, PLACE, len(table) // PLACE.itemsize)["length"]
    return int(lengths.sum(dtype=np.uint64))


def _address(found):
    return h5py.h5o.get_info(found).addr
