"""Builds that are killed, starved of disk or disturbed: nothing is lost, nothing is half done.

The torture versions take the photographs of PYIMAGESEARCH_PHOTOGRAPHS, else those of
datasets/kaggle_dogs_vs_cats/train, else drawn ones.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.datasets.drawn import draw_dogs_vs_cats
from pyimagesearch.datasets.listing import list_images
from pyimagesearch.io import HDF5DatasetGenerator, _storage
from pyimagesearch.io.imagedatasetbuilder import build_image_dataset, build_splits
from pyimagesearch.preprocessing import SimplePreprocessor

ROOT = Path(__file__).resolve().parents[1]
SPLITS = ("train", "val", "test")

RESIZE = [SimplePreprocessor(4, 4)]

SERVER = Path(__file__).with_name("build_server.py")


class Builder:
    """Starts builds in processes of their own."""

    def __init__(self, splits, size, save_bytes, **options):
        self.job = {"splits": splits, "size": size, "save_bytes": save_bytes}
        self.options = options
        self.server = subprocess.Popen(
            [sys.executable, SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, folder, step=0, power=None, **options):
        """Start a build; return the id of its process. With `step` it kills itself there.

        In the folder `power` it keeps what it flushed to the disk.
        """
        job = self.job | {
            "folder": str(folder),
            "report": f"{folder}.json",
            "options": self.options | options,
            "step": step,
            "power": power and str(power),
        }
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def wait(self):
        """Return how the build ended: "killed", "done" or "failed"."""
        status = int(self.server.stdout.readline())
        return {signal.SIGKILL: "killed", 0: "done"}.get(status, "failed")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        _, errors = self.server.communicate()
        if error == (None, None, None):
            expected = "FileExistsError: Built already" in errors
            assert errors == "" or expected, errors


def snapshot(folder):
    """Return all that a build left in its folder, as comparable values."""
    found = {"report": json.loads(Path(f"{folder}.json").read_text())}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".hdf5":
            found[path.name] = path.read_bytes()
            continue
        with h5py.File(path) as db:
            assert "idx" not in db.attrs
            found[path.name] = {
                "rows": [row.tobytes() for row in db["images"]],
                "labels": db["labels"][:].tolist(),
                "names": db["label_names"].asstr()[:].tolist(),
                "checksums": db["checksums"][:].tolist(),
                "attributes": [str(sorted(db[key].attrs.items())) for key in sorted(db)],
            }
    return found


def require_sound(folder, whole):
    """What a kill leaves: finished files hold everything; unfinished ones are refused."""
    for path in folder.glob("*.hdf5"):
        with HDF5DatasetGenerator(path, 4) as gen:
            assert gen.numImages == len(whole[path.name]["labels"])
    for path in folder.glob(".building/*.partial"):
        with pytest.raises((ValueError, OSError)):
            HDF5DatasetGenerator(path, 4)


def survive_kills(folder, builder, rng, kills, lives):
    """Kill builds at random moments, resume until they are done, compare. Return kills, lives."""
    whole_folder = folder / "whole"
    start = time.perf_counter()
    builder.start(whole_folder)
    assert builder.wait() == "done"
    duration = time.perf_counter() - start
    whole = snapshot(whole_folder)
    killed = 0
    for life in range(lives):
        target = folder / f"life{life}"
        for _ in range(kills):
            pid = builder.start(target, resume=True)
            time.sleep(rng.uniform(0, duration * 1.3 / kills))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if builder.wait() == "done":
                break
            killed += 1
            require_sound(target, whole)
        else:
            builder.start(target, resume=True)
            assert builder.wait() == "done"
        assert snapshot(target) == whole
    return killed


def survive_steps(folder, builder, stride):
    """Kill a build at each of its steps, or a part of them, resume it, compare. Return the kills.

    The run that resumes it is killed at another step, and resumed again.
    """
    builder.start(folder / "whole")
    assert builder.wait() == "done"
    whole = snapshot(folder / "whole")
    step, target, killed = 1, folder / "target", 0
    while True:
        builder.start(target, step)
        if builder.wait() == "done":
            return killed
        require_sound(target, whole)
        second = 1 + step * 7 % 90
        builder.start(target, second, resume=True)
        ended = builder.wait()
        killed += 1
        if ended == "killed":
            killed += 1
            require_sound(target, whole)
            builder.start(target, resume=True)
            ended = builder.wait()
        if ended == "failed":  # it was killed when all was done: "Built already"
            assert not (target / ".building").exists(), (step, second)
            Path(f"{target}.json").write_bytes(Path(f"{folder / 'whole'}.json").read_bytes())
        assert snapshot(target) == whole, (step, second)
        for path in target.iterdir():
            path.unlink()
        step += stride


def small_splits(folder, count, seed=0):
    """Write small pictures of all kinds, some broken; return paths and labels of each split."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        height, width = rng.integers(20, 90, 2)
        coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
        picture = cv2.resize(coarse, (int(width), int(height)), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), picture)
        if number % 11 == 3:
            path.write_bytes(path.read_bytes()[: int(rng.integers(0, 400))])
        paths.append(str(path))
    return cut(paths)


def cut(paths):
    labels = [number % 2 for number in range(len(paths))]
    ends = [0, len(paths) * 7 // 10, len(paths) * 17 // 20, len(paths)]
    return {
        name: [paths[start:end], labels[start:end]]
        for name, start, end in zip(SPLITS, ends[:-1], ends[1:], strict=True)
    }


@pytest.fixture
def quick_folder(tmp_path):
    """A folder in memory where the system has such: flushing to the disk costs no time there."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("encode", [None, "jpeg"])
def test_a_killed_build_resumes_to_the_same_files(tmp_path, encode):
    splits = small_splits(tmp_path / "photos", 600)
    with Builder(splits, 32, 20_000, encode=encode) as builder:
        assert survive_kills(tmp_path, builder, random.Random(5), kills=3, lives=2) >= 1


@pytest.mark.parametrize(("encode", "stride"), [(None, 29), ("jpeg", 43)])
def test_a_build_survives_a_kill_at_some_of_its_steps(quick_folder, encode, stride):
    splits = small_splits(quick_folder / "photos", 12)
    with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
        assert survive_steps(quick_folder, builder, stride) >= 10


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_build_survives_a_kill_at_each_of_its_steps(quick_folder):
    killed = 0
    for encode in (None, "jpeg"):
        folder = quick_folder / str(encode)
        folder.mkdir()
        splits = small_splits(folder / "photos", 12)
        with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
            killed += survive_steps(folder, builder, 1)
    print(f"\n[FIGURE] {killed} kills survived, at each step that a small build takes")


def photographs(folder):
    """Return the paths of many photographs and what they are."""
    for place in (
        os.environ.get("PYIMAGESEARCH_PHOTOGRAPHS"),
        ROOT / "datasets" / "kaggle_dogs_vs_cats" / "train",
    ):
        if place and Path(place).is_dir():
            return [str(path) for path in list_images(place)], "photographs"
    draw_dogs_vs_cats(folder, 1000)
    return [str(path) for path in list_images(folder / "train")], "drawings"


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("encode", [None, "jpeg", "png"])
def test_builds_of_photographs_survive_20_kills(tmp_path, encode):
    paths, kind = photographs(tmp_path / "drawn")
    random.Random(0).shuffle(paths)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(Path(paths[0]).read_bytes()[:1000])
    paths[10:10] = [str(broken)]
    with Builder(cut(paths), 256, 4 * 2**20, encode=encode) as builder:
        killed = 0
        while killed < 20:
            folder = tmp_path / str(killed)
            folder.mkdir()
            killed += survive_kills(folder, builder, random.Random(killed), kills=7, lives=3)
    print(f"\n[FIGURE] {killed} kills survived, {len(paths):,} {kind}, encode={encode}")


# what is on the disk when the power fails


def after_power_cut(folder, power, rng):
    """Make the folder what the disk may hold: of all that was not flushed, any part may be lost.

    `power` holds what was flushed: the contents of files by inode, and the lists of folders.
    """
    flushed_names = rng.random() < 0.5
    found = {}
    for place in (folder, folder / ".building"):
        if not place.is_dir():
            continue
        names = {path.name: path.stat().st_ino for path in place.iterdir() if path.is_file()}
        contents = {inode: (place / name).read_bytes() for name, inode in names.items()}
        listing = power / f"{place.name}.names"
        if flushed_names:
            names = json.loads(listing.read_text()) if listing.exists() else {}
        found[place] = names, contents
    contents = {inode: data for _, part in found.values() for inode, data in part.items()}
    for place, (names, _) in found.items():
        for path in place.iterdir():
            if path.is_dir() and path.name != ".building":
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()
        for name, inode in names.items():
            flushed = power / str(inode)
            flushed = flushed.read_bytes() if flushed.exists() else b""
            (place / name).write_bytes(mixed(flushed, contents.get(inode, flushed), rng))


def mixed(flushed, written, rng):
    """Return contents of which each page is as flushed, or as written after."""
    size = rng.choice([len(flushed), len(written)])
    pages = [
        rng.choice([flushed, written])[place : place + 512].ljust(512, b"\0")
        for place in range(0, size, 512)
    ]
    return b"".join(pages)[:size]


def survive_power_cuts(folder, builder, rng, cuts):
    """Cut the power at random steps of builds, resume, compare. Return the rows found saved."""
    builder.start(folder / "whole")
    assert builder.wait() == "done"
    whole = snapshot(folder / "whole")
    saved = 0
    for number in range(cuts):
        target, power = folder / f"cut{number}", folder / f"power{number}"
        power.mkdir()
        builder.start(target, rng.randrange(30, 360), power=power)
        assert builder.wait() == "killed"
        after_power_cut(target, power, rng)
        require_sound(target, whole)
        for partial in target.glob(".building/*.partial"):
            if not Path(f"{partial}.undo").exists():
                _storage.lengthen(partial)
                with contextlib.suppress(OSError, KeyError), h5py.File(partial) as db:
                    saved += int(db.attrs["idx"])
        builder.start(target, resume=True)
        assert builder.wait() == "done", number
        assert snapshot(target) == whole, number
    return saved


@pytest.mark.parametrize("encode", [None, "png"])
def test_a_build_survives_power_cuts(quick_folder, encode):
    splits = small_splits(quick_folder / "photos", 12)
    with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
        assert survive_power_cuts(quick_folder, builder, random.Random(1), 15) > 0


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_build_survives_many_power_cuts(quick_folder):
    for encode in (None, "jpeg", "png"):
        folder = quick_folder / str(encode)
        folder.mkdir()
        splits = small_splits(folder / "photos", 12)
        with Builder(splits, 8, 700, encode=encode, workers=0) as builder:
            survive_power_cuts(folder, builder, random.Random(2), 400)
    print("\n[FIGURE] 1,200 simulated power failures survived")


# a disk that is full, a folder that is read-only, sources that are lost or change


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def earlier(tmp_path):
    """An earlier build, and what it is made of: (folder, splits, contents of the folder)."""
    folder, splits = tmp_path / "hdf5", small_splits(tmp_path / "photos", 60)
    build_splits(splits, folder, RESIZE)
    return folder, splits, contents(folder)


def rows(folder):
    """Return the rows and labels of all splits, and the means."""
    found = [(folder / "mean.json").read_text()]
    for name in SPLITS:
        with h5py.File(folder / f"{name}.hdf5") as db:
            found += [[row.tobytes() for row in db["images"]], db["labels"][:].tolist()]
    return found


SCRIPT = """
import json, os, resource, sys
from pyimagesearch.io import hdf5datasetwriter
from pyimagesearch.io.imagedatasetbuilder import build_splits
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.script import run

hdf5datasetwriter.SAVE_BYTES = 5000
splits, folder, size, encode, limit, user = json.load(sys.stdin)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if user:
    os.chdir(folder)
    os.setuid(user)
    folder = "out"
run(lambda: build_splits(
    splits, folder, [SimplePreprocessor(size, size)], overwrite=True, resume=True, encode=encode
))
"""


def script(splits, folder, size, encode=None, limit=0, user=0):
    """Build as a script does; return its exit status and its errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        input=json.dumps([splits, str(folder), size, encode, limit, user]),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_full_disk_ends_a_build_that_goes_on_when_there_is_room(earlier, tmp_path):
    folder, splits, before = earlier
    assert script(splits, tmp_path / "whole", 32) == (0, "")
    whole = contents(tmp_path / "whole")
    most = max(map(len, whole.values()))
    for limit in (10, most // 2, most - 2000):
        status, errors = script(splits, folder, 32, limit=limit)
        assert status == 1
        assert re.fullmatch(r"\[ERROR\] \[Errno 2[78]\] Cannot write the .*\n", errors)
        assert contents(folder) == before
    assert script(splits, folder, 32) == (0, "")
    assert contents(folder) == whole


@contextlib.contextmanager
def small_disk(folder):
    """Mount a disk in memory there; yield a function that sets its size in bytes."""
    mount = ["mount", "-t", "tmpfs", "-o"]
    subprocess.run([*mount, "size=64m", "tmpfs", folder], check=True)

    def resize(size):
        subprocess.run([*mount, f"remount,size={size}", "tmpfs", folder], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.torture
def test_small_disks_that_fill_up(tmp_path):
    """Needs the right to mount one: run it as root."""
    splits = small_splits(tmp_path / "photos", 200)
    failed = 0
    for encode in (None, "jpeg", "png"):
        assert script(splits, tmp_path / str(encode), 32, encode) == (0, "")
        whole = contents(tmp_path / str(encode))
        folder = tmp_path / f"disk {encode}"
        folder.mkdir()
        with small_disk(folder) as resize:
            build_splits(splits, folder, RESIZE)
            before = contents(folder)
            used = sum(-(-len(data) // 4096) * 4096 for data in before.values())
            needed = sum(map(len, whole.values()))
            for room in range(0, needed, needed // 25):
                resize(used + room // 4096 * 4096 + 4096)
                status, errors = script(splits, folder, 32, encode)
                if status == 0:
                    break
                assert (status, errors.count("\n")) == (1, 1), errors
                assert "No space left on device" in errors
                assert contents(folder) == before
                failed += 1
            assert failed >= 10
            resize(64 * 2**20)
            assert script(splits, folder, 32, encode) == (0, "")
            assert rows(folder) == rows(tmp_path / str(encode))
    print(f"\n[FIGURE] {failed} full disks survived")


def test_a_read_only_folder_is_named(tmp_path):
    splits = small_splits(tmp_path / "photos", 20)
    for name, (paths, labels) in splits.items():
        splits[name] = [["../" + str(Path(path).relative_to(tmp_path)) for path in paths], labels]
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    user = 0 if os.getuid() else 65534  # what is forbidden does not concern root
    status, errors = script(splits, folder if user else folder / "out", 32, user=user)
    folder.chmod(0o755)
    assert status == 1
    assert errors.startswith("[ERROR] [Errno 13] Permission denied: ")
    assert errors.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_file_that_vanishes_ends_a_build_that_goes_on_with_it(earlier, tmp_path):
    folder, splits, before = earlier
    lost = Path(splits["val"][0][2])
    data = lost.read_bytes()
    lost.unlink()
    for _ in range(2):
        status, errors = script(splits, folder, 8)
        assert status == 1
        assert errors == (
            f"[ERROR] [Errno 2] Cannot read an image: No such file or directory: {str(lost)!r}\n"
        )
        assert contents(folder) == before
    assert (folder / ".building" / "train.hdf5").exists()
    lost.write_bytes(data)
    assert script(splits, folder, 8) == (0, "")
    assert not (folder / ".building").exists()


def test_a_file_that_changes_while_it_is_read_ends_the_build(earlier, tmp_path):
    folder, splits, before = earlier
    changing = Path(splits["train"][0][1])
    data = changing.read_bytes()
    splits["train"] = [splits["train"][0] + [str(changing)] * 3000, [0] * (3000 + 42)]
    done = threading.Event()

    def change():
        while not done.is_set():
            with changing.open("ab") as file:
                file.write(b"more")

    thread = threading.Thread(target=change)
    thread.start()
    try:
        with pytest.raises(OSError, match=f"{changing} changed while it was read"):
            build_splits(splits, folder, RESIZE, overwrite=True)
    finally:
        done.set()
        thread.join()
    assert contents(folder) == before
    changing.write_bytes(data)
    build_splits(splits, folder, RESIZE, overwrite=True, resume=True)


# two builds at once


def test_a_second_build_into_the_same_folder_is_refused(earlier, tmp_path):
    folder, splits, before = earlier
    state = {"refused": 0}

    class Watch:
        """Tries to build the same while a build is under way, at each of its images."""

        def preprocess(self, image):
            with pytest.raises(BlockingIOError, match="Another running process builds into"):
                build_splits(splits, folder, RESIZE, overwrite=True)
            with pytest.raises(BlockingIOError, match="Another running process builds into"):
                build_splits(splits, folder, RESIZE, overwrite=True, resume=True)
            state["refused"] += 1
            assert contents(folder) == before
            return image[:4, :4]

    build_splits(splits, folder, [Watch()], overwrite=True, workers=0)
    assert state["refused"] >= 50
    target = tmp_path / "one.hdf5"
    paths, labels = splits["train"]

    class WatchOne(Watch):
        def preprocess(self, image):
            if target.with_name("one.hdf5.partial").exists():
                with pytest.raises(BlockingIOError, match="Another running process"):
                    build_image_dataset(paths, labels, target, RESIZE, overwrite=True)
                state["refused"] += 1
            return image[:4, :4]

    state["refused"] = 0
    build_image_dataset(paths, labels, target, [WatchOne()], workers=0)
    assert state["refused"] >= 30


# the scripts


def test_the_script_resumes_and_knows_a_pixel_limit(run_script, tmp_path, capsys):
    script = "dogs_vs_cats/build_dogs_vs_cats.py", "--dataset", tmp_path, "--workers", 1
    small_splits(tmp_path / "train", 40)
    for number, path in enumerate(sorted((tmp_path / "train").iterdir())):
        path.rename(path.with_name(f"{('cat', 'dog')[number % 2]}.{number}.jpg"))
    with pytest.raises(SystemExit, match="None of the .* images could be read.*too large"):
        run_script(*script, "--max-pixels", 100)
    with pytest.raises(SystemExit, match="truncated or damaged"):
        run_script(*script, "--strict")
    run_script(*script, "--resume")
    assert "[WARNING] 4 files could not be read" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="Built already"):
        run_script(*script, "--resume")
    run_script(*script, "--output", tmp_path / "whole")
    assert rows(tmp_path / "hdf5") == rows(tmp_path / "whole")
