"""Tiny ImageNet's layout: paths, labels, names, what can be wrong with it; and the drawings."""

import shutil

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder

from pyimagesearch.datasets.tinyimagenet import (
    class_ids,
    class_names,
    draw_tiny_imagenet,
    train_images,
    val_images,
)
from pyimagesearch.utils.images import read_image


@pytest.fixture
def tiny(tmp_path):
    """Two classes, cat n02 (label 1) before goldfish n01 (label 0), of two and one images."""
    folder = tmp_path / "tiny-imagenet-200"
    for name in (
        "train/n02/images/n02_0.JPEG",
        "train/n02/images/n02_1.JPEG",
        "train/n01/images/n01_0.JPEG",
        "val/images/val_0.JPEG",
        "val/images/val_1.JPEG",
        "val/images/val_2.JPEG",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "train" / "n02" / "n02_boxes.txt").write_text("n02_0.JPEG\t0\t0\t9\t9\n")
    (folder / "wnids.txt").write_text("n02\nn01\n")
    (folder / "words.txt").write_text("n00\tentity\nn01\tgoldfish, Carassius auratus\nn02\tcat\n")
    (folder / "val" / "val_annotations.txt").write_text(
        "val_1.JPEG\tn02\t0\t32\t44\t62\nval_0.JPEG\tn01\t1\t2\t3\t4\nval_2.JPEG\tn02\t0\t0\t9\t9\n"
    )
    return folder


def names(paths):
    return [path.name for path in paths]


def test_a_label_is_the_place_of_the_sorted_wordnet_id(tiny):
    assert class_ids(tiny) == ["n01", "n02"]
    assert class_names(str(tiny)) == ["goldfish, Carassius auratus", "cat"]
    paths, labels = train_images(tiny)
    assert names(paths) == ["n01_0.JPEG", "n02_0.JPEG", "n02_1.JPEG"]
    assert labels == [0, 1, 1]
    assert labels == LabelEncoder().fit_transform([path.parts[-3] for path in paths]).tolist()


def test_validation_images_get_the_labels_of_their_lines(tiny):
    paths, labels = val_images(tiny)
    assert names(paths) == ["val_1.JPEG", "val_0.JPEG", "val_2.JPEG"]
    assert labels == [1, 0, 1]
    assert all(path.is_file() for path in paths)


def test_files_saved_on_windows_are_read_alike(tiny):
    for path in tiny.rglob("*.txt"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert class_names(tiny) == ["goldfish, Carassius auratus", "cat"]
    assert val_images(tiny)[1] == [1, 0, 1]


@pytest.mark.parametrize("read", [class_ids, class_names, train_images, val_images])
def test_another_layout_is_refused_with_what_was_found(tiny, read):
    with pytest.raises(FileNotFoundError, match="There is no folder .*nowhere"):
        read(tiny / "nowhere")
    with pytest.raises(ValueError, match="lacks wnids.txt, .*Found in .*: tiny-imagenet-200/"):
        read(tiny.parent)
    (tiny / "val" / "images").rename(tiny / "val" / "n01")
    with pytest.raises(ValueError, match=r"lacks val/images\. .*/val: n01/, val_annotations\.txt"):
        read(tiny)


def append(path, line):
    path.write_text(path.read_text() + line + "\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("val_3.JPEG\tn02\t0\t0\t1\t1", r"Line 4 of .*val_annotations.txt names 'val_3.JPEG'"),
        ("val_2.JPEG\tn03\t0\t0\t1\t1", r"Line 4 of .* has the unknown WordNet id 'n03'"),
        ("val_2.JPEG\tn01\t0\t0\t1\t1", r"Line 4 of .* 'val_2.JPEG', as a line before"),
        ("val_2.JPEG n02 0 0 1 1", r"Line 4 of .* must hold file name and WordNet id"),
    ],
)
def test_a_wrong_annotation_is_named_with_its_line(tiny, line, message):
    append(tiny / "val" / "val_annotations.txt", line)
    with pytest.raises(ValueError, match=message):
        val_images(tiny)


def test_an_image_without_annotation_is_named(tiny):
    (tiny / "val" / "images" / "val_9.JPEG").touch()
    with pytest.raises(ValueError, match=r"no line for 1 of the 4 images in .* val_9.JPEG"):
        val_images(tiny)


def test_wordnet_ids_must_be_known_and_named_once(tiny):
    append(tiny / "wnids.txt", "n03")
    with pytest.raises(ValueError, match=r"Line 3 of .*wnids.txt has the unknown .* 'n03'"):
        class_names(tiny)
    with pytest.raises(ValueError, match=r"class n03, line 3 of .* has no training images"):
        train_images(tiny)
    append(tiny / "wnids.txt", "n01")
    with pytest.raises(ValueError, match=r"Line 4 of .*wnids.txt names n01, as line 2 does"):
        class_ids(tiny)
    (tiny / "wnids.txt").write_text("\n")
    with pytest.raises(ValueError, match="wnids.txt is empty"):
        class_ids(tiny)
    (tiny / "wnids.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"wnids\.txt is no text in UTF-8"):
        class_ids(tiny)


def test_a_training_folder_that_is_no_class_is_named(tiny):
    shutil.copytree(tiny / "train" / "n01", tiny / "train" / "n04")
    with pytest.raises(ValueError, match=r"n04 is the folder of an unknown WordNet id"):
        train_images(tiny)


def test_a_class_without_images_is_named(tiny):
    (tiny / "train" / "n01" / "images" / "n01_0.JPEG").unlink()
    with pytest.raises(ValueError, match=r"class n01, line 2 of .*Expected .*n01/images/\*.JPEG"):
        train_images(tiny)


# -- drawings ----------------------------------------------------------------------------------


def test_a_drawn_miniature_has_the_layout_and_classes_one_can_see(tmp_path):
    folder = draw_tiny_imagenet(tmp_path / "drawn", classes=5, images=20)
    paths, labels = train_images(folder)
    assert np.bincount(labels).tolist() == [20] * 5
    assert len(val_images(folder)[0]) == 5 * 2
    assert len(list((folder / "test" / "images").iterdir())) == 5 * 2
    seen = class_names(folder)
    assert sorted(seen) == sorted(
        ["red triangle", "orange square", "yellow star", "green disc", "cyan triangle"]
    )
    images = np.array([read_image(path) for path in paths])
    assert images.shape[1:] == (64, 64, 3)
    red = images[np.array(labels) == seen.index("red triangle")].astype(float)
    blue, green, red = red.mean(axis=(0, 1, 2))
    assert red > max(blue, green) + 10


def test_boxes_of_the_drawings_hold_their_shapes(tmp_path):
    folder = draw_tiny_imagenet(tmp_path / "drawn", classes=1, images=5)  # red on grey
    (boxes,) = folder.glob("train/*/*_boxes.txt")
    for line in boxes.read_text().splitlines():
        name, *box = line.split("\t")
        image = read_image(boxes.parent / "images" / name).astype(int)
        y, x = np.nonzero(image[..., 2] - image[..., 0] > 100)
        found = [x.min(), y.min(), x.max(), y.max()]
        assert np.abs(np.array(box, int) - found).max() <= 3


def test_drawings_depend_on_the_seed_alone(tmp_path):
    def files(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    drawn = [
        files(draw_tiny_imagenet(tmp_path / str(number), classes=2, images=2, seed=seed))
        for number, seed in enumerate([1, 1, 2])
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_drawings_do_not_mix_with_what_is_there(tmp_path):
    (tmp_path / "empty").mkdir()
    draw_tiny_imagenet(tmp_path / "empty", classes=1, images=1)
    with pytest.raises(FileExistsError, match="empty is not empty"):
        draw_tiny_imagenet(tmp_path / "empty")
    for classes, images in ((0, 1), (29, 1), (1, 0)):
        with pytest.raises(ValueError, match=f"Received: classes={classes}, images={images}"):
            draw_tiny_imagenet(tmp_path / "new", classes, images)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize(
    "wnid", ["..", ".", "../../outside", "/etc", "n01/images", "a\\b", "-", "\0"]
)
def test_ids_that_are_paths_are_refused(tiny, wnid):
    (tiny.parent / "outside" / "images").mkdir(parents=True)
    shutil.copy(tiny / "train/n01/images/n01_0.JPEG", tiny.parent / "outside" / "images")
    (tiny / "wnids.txt").write_text(f"n02\nn01\n{wnid}\n")
    for read in (class_ids, class_names, train_images, val_images):
        with pytest.raises(ValueError, match=r"Line 3 of .*wnids.txt is no WordNet id"):
            read(tiny)


@pytest.mark.parametrize("name", ["../val_annotations.txt", "/etc/passwd", "../../train/n01.JPEG"])
def test_annotations_of_files_elsewhere_are_refused(tiny, name):
    with (tiny / "val/val_annotations.txt").open("a") as file:
        file.write(f"{name}\tn01\t0\t0\t1\t1\n")
    with pytest.raises(ValueError, match="there is no such image"):
        val_images(tiny)


@pytest.mark.parametrize(
    "part", ["train", "val/images", "train/n01", "train/n01/images", "wnids.txt"]
)
def test_links_out_of_the_data_set_are_refused(tiny, part):
    outside = tiny.parent / "outside"
    (tiny / part).rename(outside)
    (tiny / part).symlink_to(outside)
    with pytest.raises(ValueError, match=rf"{part} is a link that leaves .*not followed"):
        train_images(tiny)


def test_links_inside_the_data_set_are_followed(tiny):
    (tiny / "train" / "n01" / "images").rename(tiny / "pictures")
    (tiny / "train" / "n01" / "images").symlink_to(tiny / "pictures")
    assert len(train_images(tiny)[0]) == 3
