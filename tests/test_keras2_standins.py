"""What stands in for imutils where it is not installed."""

import numpy as np
import pytest

from pyimagesearch.keras2.standins import imutils
from pyimagesearch.keras2.standins.imutils import paths


def test_images_are_listed_in_order_from_all_folders(tmp_path):
    for name in ("b/2.JPG", "b/1.png", "a/x.jpeg", "a/notes.txt", "c.tif"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    listed = [path.removeprefix(f"{tmp_path}/") for path in paths.list_images(str(tmp_path))]
    assert listed == ["c.tif", "a/x.jpeg", "b/1.png", "b/2.JPG"]
    assert [*paths.list_images(tmp_path, contains="x.")] == [str(tmp_path / "a" / "x.jpeg")]
    assert len([*paths.list_files(tmp_path)]) == 5


def test_a_folder_that_is_not_there_has_no_images(tmp_path):
    assert [*paths.list_images(tmp_path / "nowhere")] == []  # as in the package


def test_images_keep_their_aspect_ratio():
    image = np.zeros((40, 80, 3), "uint8")
    assert imutils.resize(image, width=20).shape == (10, 20, 3)
    assert imutils.resize(image, height=20).shape == (20, 40, 3)
    assert imutils.resize(image) is image


def test_what_it_lacks_is_named_with_the_package_that_has_it():
    with pytest.raises(AttributeError, match=r"imutils\.skeletonize .*pip install imutils"):
        _ = imutils.skeletonize
