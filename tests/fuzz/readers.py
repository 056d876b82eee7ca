"""Feed mutants to the package's readers, in a process of its own that may crash.

    python tests/fuzz/readers.py --seed 7 --first 0 --last 2000 --group light

prints the number of each mutant before it is read, and at the end "done" and the figures as JSON.
Findings are exceptions that are not documented; a mutant that takes more than 5 seconds, or more
than 1 GB of memory, ends the process, with the traceback of where it hangs.
"""

# ruff: noqa: PLC0415  each process imports what its formats need: a framework takes seconds

import argparse
import contextlib
import faulthandler
import functools
import io
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from mutants import CAFFE_SEEDS, mutant, seed_files

# ImageError, HDF5Error and CaffeError are ValueErrors; what Caffe has and we have not is said, too
DOCUMENTED = (ValueError, OSError, NotImplementedError)
CAFFE, CAFFE_KERAS = "caffe", "caffe-keras"  # the groups of files that have seeds of their own
SECONDS = 5
GIGABYTE = 10**9
ADDRESSES = 4 * GIGABYTE  # more than is allowed, so that a refused allocation is not mistaken


def one_of(path, *reads):
    """Read a file with each of the functions; raise what the last one raised if all refused it."""
    refused = []
    for read in reads:
        try:
            read(path)
        except DOCUMENTED as error:
            refused.append(error)
    if len(refused) == len(reads):
        raise refused[-1]


def read_images(path):
    from pyimagesearch.preprocessing._directory import _load
    from pyimagesearch.utils.images import read_image

    one_of(path, lambda path: _load(path, "RGB", (8, 8), "nearest", False), read_image)


def read_rows(path):
    from pyimagesearch.io import HDF5DatasetGenerator

    with HDF5DatasetGenerator(path, 4, classes=2, shuffle=True, seed=1, workers=0) as gen:
        count = sum(len(images) for images, _ in gen.generator(passes=1))
    assert count == gen.numImages


def read_hdf5(path):
    from pyimagesearch.training.classifier import read_features
    from pyimagesearch.training.hdf5 import count_classes

    one_of(path, read_rows, count_classes, read_features)


def read_json(path):
    from pyimagesearch.training.hdf5 import read_means
    from pyimagesearch.utils import advice

    with contextlib.redirect_stdout(io.StringIO()):
        one_of(path, read_means, lambda path: advice.main([str(path)]))


def read_history(path):
    from pyimagesearch.callbacks import TrainingMonitor
    from pyimagesearch.classify import class_names

    def resume(path):
        TrainingMonitor(path.with_suffix(".png"), jsonPath=path, startAt=1).on_train_begin()

    one_of(path, lambda path: class_names(path, 2), resume)


def read_tables(path):
    from pyimagesearch.datasets import tinyimagenet

    sound, folder = path.parent / "sound", path.parent / "tiny"
    if not sound.exists():
        tinyimagenet.draw_tiny_imagenet(sound, classes=2, images=2)
        shutil.copytree(sound, folder)

    def as_annotations(path):
        shutil.copy(path, folder / "val" / "val_annotations.txt")
        shutil.copy(sound / "wnids.txt", folder)
        tinyimagenet.val_images(folder)

    def as_ids(path):
        shutil.copy(path, folder / "wnids.txt")
        tinyimagenet.train_images(folder)

    one_of(path, as_annotations, as_ids)


def read_cifar(path):
    from pyimagesearch.datasets.cifar10 import TEST_FILE, TRAIN_FILES, load_cifar10

    folder = path.parent / "cifar"
    folder.mkdir(exist_ok=True)
    for name in (*TRAIN_FILES, TEST_FILE):
        (folder / name).unlink(missing_ok=True)
        os.link(path, folder / name)
    load_cifar10(folder, dataFormat="channels_last")


def read_classifier(path):
    from pyimagesearch.training.classifier import load_classifier

    load_classifier(path)


def read_network(path):
    from pyimagesearch.training.saving import read_model

    read_model(path)


def read_mean_image(path):
    from pyimagesearch.training.inputs import _read_mean_image

    _read_mean_image(path, (4, 4, 3))


def read_caffemodel(path):
    from pyimagesearch.caffe._wire import read_layers

    for arrays in read_layers(path).values():
        for array in arrays:
            array.sum()


def read_mean_file(path):
    from pyimagesearch.caffe import read_mean

    read_mean(path)


def read_one_datum(path):
    from pyimagesearch.caffe._wire import read_datum
    from pyimagesearch.caffe.datums import decode_datum

    decode_datum(read_datum(path.read_bytes(), path), path)


def read_lmdb(path):
    from pyimagesearch.caffe import lmdb_to_hdf5
    from pyimagesearch.caffe.datums import decode_datum, read_datums

    for key, datum in read_datums(path):  # first, since converting waits for the disk
        decode_datum(datum, key)
    target = path.with_name("converted.hdf5")
    try:
        lmdb_to_hdf5(path, target, size=(8, 8), workers=0, overwrite=True)
    finally:
        for left in path.parent.glob("converted.hdf5*"):
            left.unlink()


def read_prototxt(path):
    from pyimagesearch.caffe._net import read_net
    from pyimagesearch.caffe._text import read_text

    one_of(path, read_net, lambda path: read_text(path, "SolverParameter"))


def read_list(path):
    from pyimagesearch.caffe import read_image_list

    read_image_list(path)


def read_weights(path):
    from pyimagesearch.caffe import load_caffe_weights

    nets = _fixture_nets()
    before = [[weight.numpy().tobytes() for weight in net.weights] for net in nets]
    for net, weights in zip(nets, before, strict=True):
        try:
            load_caffe_weights(net, path)
        except DOCUMENTED:
            after = [weight.numpy().tobytes() for weight in net.weights]
            assert after == weights, "half of a file was loaded"
            raise


@functools.cache
def _fixture_nets():
    from pyimagesearch.caffe import load_caffe

    return [load_caffe(path) for path in sorted(CAFFE_SEEDS[1].glob("*/deploy.prototxt"))]


def read_net_as_model(path):
    from pyimagesearch.caffe import load_caffe

    load_caffe(path)


IMAGES = dict.fromkeys((".jpg", ".png", ".tif", ".bmp", ".webp", ".gif"), read_images)
GROUPS = {
    # without a framework, which takes seconds to start
    "light": IMAGES
    | {
        ".hdf5": read_hdf5,
        ".json": read_json,
        ".txt": read_tables,
        ".pickle": read_cifar,
        ".skops": read_classifier,
    },
    "keras": {
        ".keras": read_network,
        ".h5": read_network,
        ".npy": read_mean_image,
        ".json": read_history,
    },
    CAFFE: {
        ".caffemodel": read_caffemodel,
        ".binaryproto": read_mean_file,
        ".datum": read_one_datum,
        ".mdb": read_lmdb,
        ".prototxt": read_prototxt,
        ".imagelist": read_list,
    },
    CAFFE_KERAS: {".caffemodel": read_weights, ".prototxt": read_net_as_model},
}


def peak():
    """Return the most memory that this process has had, in bytes."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def addresses():
    return resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[0])


def feed(path, name, group):
    """Read one file; return whether it was accepted, False if it was refused as documented."""
    read = GROUPS[group].get(Path(name).suffix)
    if read is None:
        return None
    try:
        read(path)
    except DOCUMENTED as error:
        if not str(error):
            raise RuntimeError("an exception without a message") from error
        return False
    return True


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, required=True)
    ap.add_argument("--first", type=int, default=0)
    ap.add_argument("--last", type=int, required=True)
    ap.add_argument("--group", choices=GROUPS, required=True)
    ap.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    args = ap.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    began, slowest, tried, accepted, findings = time.monotonic(), 0.0, 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        # before memory is measured: the libraries are loaded then, and sound files are accepted
        sound = [feed(path, path.name, args.group) for path in copies(args.group, Path(folder))]
        base = peak()
        limit = addresses() + ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        number = args.first
        while number < args.last and time.monotonic() - began < args.seconds:
            name, data, _ = mutant(args.seed, number, args.group in (CAFFE, CAFFE_KERAS))
            if Path(name).suffix in GROUPS[args.group]:
                path = Path(folder, f"{number}{Path(name).suffix}")
                path.write_bytes(data)
                print(number, name, flush=True)
                faulthandler.dump_traceback_later(SECONDS, exit=True)
                start = time.monotonic()
                try:
                    accepted += bool(feed(path, name, args.group))
                except Exception:
                    print(f"{number} {name}", file=sys.stderr)
                    traceback.print_exc()
                    findings.append(number)
                slowest = max(slowest, time.monotonic() - start)
                faulthandler.cancel_dump_traceback_later()
                path.unlink()
                tried += 1
                if peak() - base > GIGABYTE:
                    sys.exit(f"more than 1 GB: {(peak() - base) / 1e6:.0f} MB")
            number += 1
    figures = {
        "refused_sound": sound.count(False),
        "tried": tried,
        "accepted": accepted,
        "findings": findings,
        "next": number,
        "slowest_seconds": round(slowest, 2),
        "megabytes": round((peak() - base) / 1e6),
    }
    print("done", json.dumps(figures), flush=True)


def copies(group, folder):
    """Return the paths of copies of the sound files that mutants are made of."""
    paths = seed_files(group in (CAFFE, CAFFE_KERAS))
    paths = [path for path in paths if path.suffix in GROUPS[group]]
    return [
        Path(shutil.copy(path, folder / f"{number}-{path.name}"))
        for number, path in enumerate(paths)
    ]


if __name__ == "__main__":
    main()
