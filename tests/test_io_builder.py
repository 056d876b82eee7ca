"""A folder of photographs into one HDF5 file."""

import threading

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io.imagedatasetbuilder import build_image_dataset, build_splits
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.images import ImageError

RESIZE = [SimplePreprocessor(4, 4)]


@pytest.fixture
def paths(tmp_path):
    """Six one-coloured pictures: picture i is blue 10 i, green 20 i, red 30 i."""
    files = [tmp_path / f"{i}.png" for i in range(6)]
    for i, path in enumerate(files):
        cv2.imwrite(str(path), np.full((5 + i, 9, 3), (10 * i, 20 * i, 30 * i), "uint8"))
    return files


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_images_are_stored_in_the_order_given_with_their_means(tmp_path, paths, workers):
    built = build_image_dataset(
        paths,
        [0, 1, 0, 1, 0, 1],
        tmp_path / "out" / "train.hdf5",
        RESIZE,
        classLabels=["cat", "dog"],
        workers=workers,
    )
    with h5py.File(tmp_path / "out" / "train.hdf5") as db:
        assert db["images"].shape == (6, 4, 4, 3)
        assert db["images"].dtype == np.uint8
        assert db["images"][:, 0, 0, 2].tolist() == [0, 30, 60, 90, 120, 150]
        assert db["labels"][:].tolist() == [0, 1, 0, 1, 0, 1]
        assert db["label_names"].asstr()[:].tolist() == ["cat", "dog"]
    assert built.means == {"R": 75.0, "G": 50.0, "B": 25.0}
    assert (built.rows, built.skipped) == (6, [])


def test_a_broken_image_is_left_out_with_its_label(tmp_path, paths):
    paths[0].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:40])
    done = []
    built = build_image_dataset(
        paths, range(6), tmp_path / "t.hdf5", RESIZE, workers=2, progress=done.append
    )
    with h5py.File(tmp_path / "t.hdf5") as db:
        assert db["labels"][:].tolist() == [1, 2, 4, 5]
        assert db["images"][:, 0, 0, 0].tolist() == [10, 20, 40, 50]
    assert built.rows == 4
    assert built.means["B"] == 30.0
    assert [path for path, _ in built.skipped] == [paths[0], paths[3]]
    assert str(paths[3]) in str(built.skipped[1][1])
    assert done == [1, 2, 3, 4, 5, 6]


def test_strict_stops_at_the_broken_image_and_leaves_no_file(tmp_path, paths):
    paths[3].write_bytes(b"no image")
    with pytest.raises(ImageError, match="3.png"):
        build_image_dataset(paths, [0] * 6, tmp_path / "t.hdf5", RESIZE, strict=True)
    assert not (tmp_path / "t.hdf5").exists()
    assert not [t for t in threading.enumerate() if "PoolExecutor" in t.name]


def test_a_file_that_vanished_since_it_was_listed_is_reported(tmp_path, paths):
    paths[5].unlink()
    built = build_image_dataset(paths, [0] * 6, tmp_path / "t.hdf5", RESIZE)
    assert built.rows == 5
    assert "5.png" in str(built.skipped[0][1])


def test_impossible_input_is_refused(tmp_path, paths):
    target = tmp_path / "t.hdf5"
    with pytest.raises(ValueError, match="6 paths and 5 labels"):
        build_image_dataset(paths, [0] * 5, target, RESIZE)
    with pytest.raises(ValueError, match="no images to write"):
        build_image_dataset([], [], target, RESIZE)
    for path in paths:
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="None of the 6 images"):
        build_image_dataset(paths, [0] * 6, target, RESIZE)
    assert not target.exists()


def test_an_existing_file_is_kept_unless_overwritten(tmp_path, paths):
    target = tmp_path / "t.hdf5"
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="t.hdf5"):
        build_image_dataset(paths, [0] * 6, target, RESIZE)
    assert target.read_bytes() == b"precious"
    assert build_image_dataset(paths, [0] * 6, target, RESIZE, overwrite=True).rows == 6
    with h5py.File(target) as db:
        assert len(db["images"]) == 6


def test_splits_appear_together_and_leave_nothing_of_a_killed_build(tmp_path, paths):
    left = tmp_path / "hdf5" / ".building" / ".mean.json.abc"
    left.mkdir(parents=True)
    (left.parent / "test.hdf5.partial").write_bytes(b"half")
    splits = {"train": (paths[:4], [0, 1, 0, 1]), "test": (paths[4:], [0, 1])}
    built = build_splits(splits, tmp_path / "hdf5", RESIZE)
    assert {name: part.rows for name, part in built.items()} == {"train": 4, "test": 2}
    files = sorted(path.name for path in (tmp_path / "hdf5").iterdir())
    assert files == ["mean.json", "test.hdf5", "train.hdf5"]
    with pytest.raises(FileExistsError, match=r"Built already: .*train\.hdf5"):
        build_splits(splits, tmp_path / "hdf5", RESIZE)
