"""Search for files that break the readers, guided by the lines of code that they reach (atheris).

    pip install -e ".[fuzz]"
    mkdir corpus
    cp tests/fuzz/seeds/* corpus
    python tests/fuzz/fuzz_readers.py -max_total_time=600 -timeout=5 -rss_limit_mb=1500 corpus

The first bytes decide which reader gets a file, so that the seeds are the corpus as they are. What
breaks one is left as crash-*, timeout-* or oom-* in the current folder; with that file as the only
argument it is read again. Readers that need a framework are tried by test_fuzz.py alone.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["pyimagesearch"]):
    from pyimagesearch import datasets, io, preprocessing  # noqa: F401 (all that is tried)
    from pyimagesearch.training import classifier, hdf5  # noqa: F401
    from pyimagesearch.utils import advice, images  # noqa: F401

import readers

KINDS = {
    b"\x89HDF": [".hdf5"],
    b"PK\x03\x04": [".skops"],
    b"\xff\xd8": [".jpg"],
    b"\x89PNG": [".png"],
    b"II": [".tif"],
    b"MM": [".tif"],
    b"RIFF": [".webp"],
    b"GIF": [".gif"],
    b"BM": [".bmp"],
    b"\x80": [".pickle"],
}
FOLDER = tempfile.TemporaryDirectory()


def read(data):
    found = [suffixes for start, suffixes in KINDS.items() if data.startswith(start)]
    for suffix in found[0] if found else (".json", ".txt"):
        path = Path(FOLDER.name, f"file{suffix}")
        path.write_bytes(data)
        readers.feed(path, path.name, "light")


def main():
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
