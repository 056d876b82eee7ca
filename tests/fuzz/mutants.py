"""Damaged files, each a function of a seed and a number alone.

    python tests/fuzz/mutants.py --seed 7 --number 123 --write file

writes one again, with the suffix of its kind, and prints how it was made.
"""

import argparse
import io
import random
import re
import struct
import zipfile
import zlib
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
CAFFE_SEEDS = (SEEDS.with_name("caffe_seeds"), SEEDS.parents[1] / "caffe" / "fixtures")
CAFFE = {".caffemodel", ".binaryproto", ".datum", ".mdb", ".prototxt", ".imagelist"}
PAGE = 4096  # bytes of a page of an LMDB
ARCHIVES = {".keras", ".skops"}
TEXTS = {".json", ".txt"}
ABSURD = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 2**40)
ABSURD_TEXTS = (
    *(b"1e999", b"NaN", b"-Infinity", b"9" * 5000, b"-1", b"null", b"true", b'""', b"{}", b"[]"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"\x00", b"../../etc/passwd", b"\t", b"\n"),
)
# archives are read slowest: half as often as the others
WEIGHTS = {".keras": 6, ".h5": 3, ".skops": 4, ".hdf5": 4}
WEIGHTS |= {
    ".mdb": 10,
    ".binaryproto": 8,
    ".caffemodel": 4,
    ".datum": 4,
    ".prototxt": 1,
}  # and for Caffe


def seed_files(caffe=False):
    """Return the paths of all seed files, in an order of their own, or of those of Caffe."""
    if caffe:
        found = [path for folder in CAFFE_SEEDS for path in folder.rglob("*")]
        return sorted(path for path in found if path.suffix in CAFFE)
    return sorted(SEEDS.iterdir(), key=lambda path: path.name)


def mutant(seed, number, caffe=False):
    """Return (name of the seed file, bytes, words on what was done to it)."""
    rng = random.Random(f"{seed} {number}")
    paths = seed_files(caffe)
    source = rng.choices(paths, [WEIGHTS.get(path.suffix, 2) for path in paths])[0]
    data, words = source.read_bytes(), []
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data, done = change(data, source, rng)
        words.append(done)
    return source.name, data, ", ".join(words)


def change(data, source, rng):
    """Return the data with one change, and words on it."""
    if source.suffix in ARCHIVES and rng.random() < 0.7:
        return _inside_archive(data, rng)
    if source.suffix == ".png" and rng.random() < 0.7:
        changed, words = _change_bytes(data, source, rng)
        return with_checksums(changed), f"{words} with checksums"
    if source.suffix in TEXTS and rng.random() < 0.5:
        return _absurd_text(data, rng)
    if source.suffix in CAFFE and rng.random() < 0.5:
        changes = {".mdb": (_page_field,), ".prototxt": (_absurd_text, _swap_words)}
        changes = changes.get(source.suffix, (_varint,)) * 8
        return rng.choice((*changes, _noise))(data, rng)
    return _change_bytes(data, source, rng)


def _change_bytes(data, source, rng):
    return rng.choice((_truncate, _flip, _scatter, _integer, _integer, _splice, _repeat, _remove))(
        data, source, rng
    )


def _truncate(data, _, rng):
    end = rng.randrange(len(data) + 1)
    return data[:end], f"cut to {end} bytes"


def _flip(data, _, rng):
    changed, places = bytearray(data), []
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = _place(data, rng)
        if data:
            changed[place] ^= 1 << rng.randrange(8)
        places.append(place)
    return bytes(changed), f"bits flipped at {places}"


def _scatter(data, _, rng):
    changed, count = bytearray(data), rng.choice((1, 4, 32))
    for _ in range(count if data else 0):
        changed[_place(data, rng)] = rng.randrange(256)
    return bytes(changed), f"{count} bytes replaced"


def _integer(data, _, rng):
    size, value = rng.choice((1, 2, 4, 8)), rng.choice((*ABSURD, len(data), rng.getrandbits(32)))
    packed = (value % (1 << 8 * size)).to_bytes(size, rng.choice(("little", "big")))
    place = _place(data, rng)
    return data[:place] + packed + data[place + size :], f"{packed.hex()} at {place}"


def _splice(data, source, rng):
    seeds = seed_files(source.suffix in CAFFE)
    relatives = [path for path in seeds if path.suffix == source.suffix]
    other = rng.choice(relatives)
    tail = other.read_bytes()
    ours, theirs = _place(data, rng), _place(tail, rng)
    return data[:ours] + tail[theirs:], f"{ours} bytes, then {other.name} from {theirs}"


def _repeat(data, _, rng):
    start, size = _place(data, rng), rng.randrange(1, 513)
    times = rng.choice((1, 1, 2, 200))
    block = data[start : start + size]
    return data[:start] + block * times + data[start:], f"{size} bytes at {start} {times} times"


def _remove(data, _, rng):
    start, size = _place(data, rng), rng.randrange(1, 513)
    return data[:start] + data[start + size :], f"{size} bytes at {start} removed"


def _absurd_text(data, rng):
    place, text = _place(data, rng), rng.choice(ABSURD_TEXTS)
    rest = data[place + rng.choice((0, 1, 5)) :]
    return data[:place] + text + rest, f"{len(text)} bytes {text[:16]} at {place}"


def _noise(data, rng):
    return rng.randbytes(rng.randrange(1, 5000)), "random bytes"


def _swap_words(data, rng):
    """Put a number or a word of a text in the place of another."""
    words = list(re.finditer(rb"[\w.-]+", data))
    if not words:
        return data, "nothing"
    old, new = rng.choice(words), rng.choice(words)
    return data[: old.start()] + new[0] + data[old.end() :], f"{new[0][:20]} at {old.start()}"


def _varint(data, rng):
    """Put an absurd number, as protocol buffers write it, in the place of some bytes."""
    value, packed = rng.choice((*ABSURD, 2**31, 2**63, 2**64 - 1, len(data))), bytearray()
    while value > 127:
        packed.append(value & 127 | 128)
        value >>= 7
    packed.append(value)
    place, removed = rng.randrange(min(len(data), 64) or 1), rng.choice((1, 1, 2, len(packed)))
    if rng.random() < 0.5:
        place = _place(data, rng)
    return data[:place] + packed + data[place + removed :], f"{packed.hex()} at {place}"


def _page_field(data, rng):
    """Put an absurd number, or the number of a page, into the head of a page of an LMDB."""
    page = rng.randrange(max(1, len(data) // PAGE))
    place = page * PAGE + rng.choice((0, 8, 10, 12, 14, rng.randrange(16, 160, 2)))
    value = rng.choice((*ABSURD, rng.randrange(len(data) // PAGE + 2), rng.randrange(PAGE)))
    packed = (value % 2**64).to_bytes(8, "little")[: rng.choice((1, 2, 2, 4, 8))]
    return data[:place] + packed + data[place + len(packed) :], f"{packed.hex()} at {place}"


def _inside_archive(data, rng):
    """Change a member, its name or its size, and give the archive right checksums again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # it was damaged before
        members = {}
    if not members:
        return _flip(data, None, rng)
    name = rng.choice(sorted(members))
    fake = Path(name)
    how = rng.choice(("change", "change", "change", "rename", "drop", "bomb"))
    words = how
    if how == "change":
        changer = _absurd_text if fake.suffix == ".json" and rng.random() < 0.5 else None
        if changer:
            members[name], words = _absurd_text(members[name], rng)
        else:
            members[name], words = _member_bytes(members[name], rng)
    elif how == "rename":
        members[rng.choice(("../" + name, "/tmp/" + name, name + "x", (name * 90)[:2000]))] = (
            members.pop(name)
        )
    elif how == "drop":
        members.pop(name)
    else:
        members[name] = bytes(2_000_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue(), f"{name}: {words}"


def _member_bytes(data, rng):
    return rng.choice((_truncate, _flip, _scatter, _integer, _integer, _repeat, _remove))(
        data, None, rng
    )


def _place(data, rng):
    """Return a place in the data: headers, which lie in front, are twice as likely."""
    size = len(data) if rng.random() < 0.5 else min(len(data), 1024)
    return rng.randrange(size) if size else 0


def with_checksums(png):
    """Return a PNG whose chunks have right checksums, as far as chunks are to be found."""
    out, position = png[:8], 8
    while position + 12 <= len(png):
        (size,) = struct.unpack(">I", png[position : position + 4])
        if position + 12 + size > len(png):
            break
        chunk = png[position + 4 : position + 8 + size]
        out += struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
        position += 12 + size
    return out + png[position:]


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("--seed", type=int, required=True, help="of the test or the run that failed")
    ap.add_argument("--number", type=int, required=True, help="of the mutant")
    ap.add_argument("--caffe", action="store_true", help="of Caffe's files")
    ap.add_argument("--write", required=True, help="file to write, without suffix")
    args = ap.parse_args()
    name, data, words = mutant(args.seed, args.number, args.caffe)
    path = Path(args.write + Path(name).suffix)
    path.write_bytes(data)
    print(f"{path}: {name}, {words}")


if __name__ == "__main__":
    main()
