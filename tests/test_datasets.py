"""datasets: lists of files, labels, the loader and the drawn pets."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyimagesearch.datasets import (
    SimpleDatasetLoader,
    draw_dogs_vs_cats,
    draw_pet,
    label_from_folder,
    label_from_name,
    list_class_folders,
    list_images,
)
from pyimagesearch.utils.images import ImageError

KIND = 240  # pets of each kind that the tests of the drawings share


class Shrink:
    def preprocess(self, image):
        return cv2.resize(image, (4, 3))


@pytest.fixture
def animals(tmp_path):
    """cat/0.png, cat/1.png and dog/0.png, of 8x6 pixels: grey levels 0, 50 and 100."""
    folder = tmp_path / "animals"
    for number, name in enumerate(["cat/0.png", "cat/1.png", "dog/0.png"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((6, 8, 3), number * 50, np.uint8))
    return folder


def names(folder):
    return [path.relative_to(folder).as_posix() for path in list_images(folder)]


def test_list_images_finds_every_format_below_a_folder_in_order(tmp_path):
    wanted = ["a.JPG", "b/c.tiff", "b/d/e.webp", "f.jpeg", "g.png", "h.bmp", "i.tif", "j.Gif"]
    for name in [*wanted, "notes.txt", ".hidden.jpg", "b/._c.jpg", ".cache/k.jpg", "jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    assert names(tmp_path) == wanted
    assert all(isinstance(path, Path) for path in list_images(str(tmp_path)))


def test_list_images_stays_in_its_folder(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "own.jpg").touch()
    (outside / "other.jpg").touch()
    (inside / "link.jpg").symlink_to(inside / "own.jpg")
    (inside / "leaving.jpg").symlink_to(outside / "other.jpg")
    (inside / "folder").symlink_to(outside)
    (inside / "dangling.jpg").symlink_to(inside / "nowhere.jpg")
    (inside / "again").symlink_to(inside)
    (inside / "notes.txt").symlink_to(outside / "other.jpg")
    with pytest.warns(UserWarning, match=r"3 links .* not followed.*dangling\.jpg") as seen:
        assert names(inside) == ["link.jpg", "own.jpg"]
    assert len(seen) == 1


def test_a_folder_of_nothing_but_links_that_leave_it_is_explained(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "train").mkdir()
    for number in range(3):
        (tmp_path / "disk" / f"cat.{number}.jpg").touch()
        (tmp_path / "train" / f"cat.{number}.jpg").symlink_to(tmp_path / "disk/cat.0.jpg")
    (tmp_path / "train" / "loop.jpg").symlink_to(tmp_path / "train" / "loop.jpg")
    with pytest.raises(ValueError, match="No images in .*train") as error:
        list_images(tmp_path / "train")
    assert "4 links that leave the folder or lead nowhere were not followed" in str(error.value)
    assert "give the folder they point to" in str(error.value)


def test_list_images_says_what_is_wrong_with_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="photos"):
        list_images(tmp_path / "photos")
    (tmp_path / "file.jpg").touch()
    with pytest.raises(NotADirectoryError, match=r"file\.jpg"):
        list_images(tmp_path / "file.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"No images in .*empty.*\.jpg"):
        list_images(tmp_path / "empty")


def test_label_from_folder_is_the_last_folder_whatever_the_depth(monkeypatch, tmp_path):
    assert label_from_folder("/data/animals/cat/1.jpg") == "cat"
    assert label_from_folder("cat/1.jpg") == "cat"
    assert label_from_folder("a/cat/dog/../1.jpg") == "cat"
    (tmp_path / "dog").mkdir()
    monkeypatch.chdir(tmp_path / "dog")
    assert label_from_folder("1.jpg") == "dog"
    with pytest.raises(ValueError, match="no folder"):
        label_from_folder("/1.jpg")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.123.jpg", "cat"),
        ("a.b/dog.0.JPEG", "dog"),
        ("golden.retriever.7.png", "golden.retriever"),
    ],
)
def test_label_from_name_is_what_stands_before_the_number(name, label):
    assert label_from_name(name) == label


@pytest.mark.parametrize("name", ["IMG_123.jpg", ".jpg", ".1.jpg", "cat.jpg", "cat.x.jpg", "1.jpg"])
def test_label_from_name_refuses_names_without_one(name):
    with pytest.raises(ValueError, match=re.escape(name) + ".*<label>.<number>.<ext>"):
        label_from_name(Path("train", name))


def test_class_folders_give_paths_labels_and_names(animals):
    paths, labels, names = list_class_folders(str(animals))
    assert paths == list_images(animals)
    assert labels.tolist() == [0, 0, 1]
    assert names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["1.jpg", "2.jpg"], r"1\.jpg, which lies in no class folder"),
        (["cat/1.jpg", "dog/2.jpg", "view.png"], r"view\.png, which lies in no class folder"),
        (["train/cat/1.jpg", "val/cat/2.jpg"], r"train/cat/1\.jpg, which lies deeper"),
        (["cat/1.jpg", "cat/2.jpg"], "only 'cat'"),
        (["cat/1.jpg", "dog/2.jpg", "cow/notes.txt", "elk/x"], "no images in cow, elk"),
    ],
)
def test_another_layout_is_refused_saying_what_was_expected_and_found(tmp_path, files, found):
    for file in files:
        (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / file).touch()
    with pytest.raises(ValueError, match=rf"Expected .*data/<class>/<image>.* Found: .*{found}"):
        list_class_folders(tmp_path / "data")


def test_a_missing_folder_of_class_folders_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*flowers"):
        list_class_folders(tmp_path / "flowers")


def test_loader_returns_images_and_the_names_of_their_folders(animals, capsys):
    loader = SimpleDatasetLoader()
    data, labels = loader.load(list_images(animals))
    assert data.shape == (3, 6, 8, 3)
    assert data.dtype == np.uint8
    assert data[:, 0, 0, 0].tolist() == [0, 50, 100]
    assert labels.tolist() == ["cat", "cat", "dog"]
    assert loader.skipped == []
    assert capsys.readouterr().out == ""


def test_loader_applies_preprocessors_in_order(animals):
    class Halve:
        def preprocess(self, image):
            assert image.shape == (3, 4, 3)  # Shrink came first
            return image.astype(np.float32) / 2

    data, _ = SimpleDatasetLoader([Shrink(), Halve()]).load(list_images(animals))
    assert data.shape == (3, 3, 4, 3)
    assert data.dtype == np.float32
    assert data[:, 0, 0, 0].tolist() == [0, 25, 50]


@pytest.mark.parametrize(("verbose", "printed"), [(1, [1, 2, 3]), (2, [2]), (0, []), (-1, [])])
def test_loader_prints_progress_every_verbose_images(animals, capsys, verbose, printed):
    SimpleDatasetLoader().load([str(path) for path in list_images(animals)], verbose)
    expected = [f"[INFO] processed {number}/3" for number in printed]
    assert capsys.readouterr().out.splitlines() == expected


def test_loader_leaves_out_unreadable_images_and_says_so_once(animals):
    paths = list_images(animals)
    paths[0].write_bytes(b"")
    missing = animals / "cat" / "gone.png"
    loader = SimpleDatasetLoader()
    with pytest.warns(
        UserWarning, match=r"2 of 4 images could not be read.*0\.png is empty"
    ) as seen:
        data, labels = loader.load([*paths, missing])
    assert len(seen) == 1
    assert data[:, 0, 0, 0].tolist() == [50, 100]
    assert labels.tolist() == ["cat", "dog"]
    assert [path for path, _ in loader.skipped] == [paths[0], missing]
    assert "0 bytes" in loader.skipped[0][1]


def test_strict_loader_stops_at_the_first_unreadable_image(animals):
    paths = list_images(animals)
    paths[1].write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"1\.png"):
        SimpleDatasetLoader().load(paths, strict=True)


def test_loader_refuses_images_of_different_shapes(animals):
    odd = animals / "dog" / "odd.png"
    cv2.imwrite(str(odd), np.zeros((5, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(5, 8, 3\) for .*odd\.png.*SimplePreprocessor"):
        SimpleDatasetLoader().load(list_images(animals))


def test_loader_names_the_file_a_preprocessor_refuses(animals):
    class Refuse:
        def preprocess(self, image):
            raise ValueError("too small")

    with pytest.raises(ValueError, match=r"0\.png: too small"):
        SimpleDatasetLoader([Refuse()]).load(list_images(animals))


def test_loader_refuses_to_load_nothing(animals):
    with pytest.raises(ValueError, match="empty"):
        SimpleDatasetLoader().load([])
    with pytest.raises(TypeError, match="list of image paths"):
        SimpleDatasetLoader().load(str(animals))
    unreadable = animals / "cat" / "0.png"
    unreadable.write_bytes(b"")
    with pytest.raises(ValueError, match="1 of 1 images could not be read"):
        SimpleDatasetLoader().load([unreadable])


@pytest.fixture(scope="module")
def pets():
    """KIND cats, then as many dogs."""
    return [
        draw_pet(label, np.random.default_rng([7, number]))
        for number, label in enumerate(["cat"] * KIND + ["dog"] * KIND)
    ]


def accuracy(features):
    """Train on two thirds of the pets, test on the others."""
    features, labels = np.array(features), np.repeat([0, 1], KIND)
    train = np.arange(2 * KIND) % 3 > 0
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    model.fit(features[train], labels[train])
    return model.score(features[~train], labels[~train])


def test_pets_differ_in_size_and_are_colour_images(pets):
    assert all(image.dtype == np.uint8 and image.ndim == 3 for image in pets)
    sides = [side for image in pets for side in image.shape[:2]]
    assert min(sides) >= 200
    assert max(sides) <= 500
    assert len({image.shape for image in pets}) > KIND


def test_shapes_tell_the_pets_apart(pets):
    hog = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
    small = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in pets]
    assert accuracy([hog.compute(image).ravel() for image in small]) > 0.95


def test_colours_do_not_tell_the_pets_apart(pets):
    ranges = [0, 256, 0, 256, 0, 256]
    colours = [cv2.calcHist([image], [0, 1, 2], None, [6, 6, 6], ranges) for image in pets]
    assert accuracy([np.sqrt(colour / colour.sum()).ravel() for colour in colours]) < 0.65


def test_only_cats_and_dogs_can_be_drawn():
    with pytest.raises(ValueError, match="'horse'"):
        draw_pet("horse", np.random.default_rng(0))


def contents(folder):
    return {path.name: path.read_bytes() for path in list_images(folder)}


def test_drawings_come_in_kaggles_layout(tmp_path):
    done = []
    paths = draw_dogs_vs_cats(tmp_path, 5, progress=done.append)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "train/cat.0.jpg", "train/dog.0.jpg", "train/cat.1.jpg", "train/dog.1.jpg",
        "train/cat.2.jpg",
    ]  # fmt: skip
    assert sorted(paths) == list_images(tmp_path)
    assert done == [1, 2, 3, 4, 5]
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_a_drawing_depends_on_seed_and_number_alone(tmp_path):
    few, many, other = tmp_path / "few", tmp_path / "many", tmp_path / "other"
    draw_dogs_vs_cats(few, 2, seed=1)
    draw_dogs_vs_cats(many, 5, seed=1)
    draw_dogs_vs_cats(other, 2, seed=2)
    few, many, other = contents(few), contents(many), contents(other)
    assert few == {name: many[name] for name in few}
    assert len(set(many.values()) | set(other.values())) == 7


def test_drawings_are_replaced_only_when_asked(tmp_path):
    draw_dogs_vs_cats(tmp_path, 4)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match="4 drawn images already"):
        draw_dogs_vs_cats(tmp_path, 2, seed=1)
    assert contents(tmp_path) == before
    draw_dogs_vs_cats(tmp_path, 2, seed=1, overwrite=True)
    assert sorted(contents(tmp_path)) == ["cat.0.jpg", "dog.0.jpg"]
    assert contents(tmp_path)["cat.0.jpg"] != before["cat.0.jpg"]


@pytest.mark.parametrize("place", ["train/cat.0.jpg", "cat/holiday.jpg"])
def test_photographs_are_never_replaced_nor_mixed_with_drawings(tmp_path, place):
    photograph = tmp_path / place
    photograph.parent.mkdir()
    photograph.write_bytes(b"a photograph")
    with pytest.raises(FileExistsError, match="were not drawn"):
        draw_dogs_vs_cats(tmp_path, 2, overwrite=True)
    assert contents(tmp_path) == {photograph.name: b"a photograph"}


def test_a_photograph_among_the_drawings_saves_them_all(tmp_path):
    paths = draw_dogs_vs_cats(tmp_path, 2)
    shutil.copy(paths[0], tmp_path / "train" / "my_cat.jpg")
    with pytest.raises(FileExistsError, match=r"my_cat\.jpg"):
        draw_dogs_vs_cats(tmp_path, 2, overwrite=True)
    assert len(list_images(tmp_path)) == 3


def test_an_interrupted_drawing_leaves_the_old_ones_and_nothing_else(tmp_path):
    draw_dogs_vs_cats(tmp_path, 2)
    before = contents(tmp_path)

    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_dogs_vs_cats(tmp_path, 4, seed=9, overwrite=True, progress=interrupt)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


@pytest.mark.parametrize("count", [1, 0, -5])
def test_at_least_one_of_each_is_drawn(tmp_path, count):
    with pytest.raises(ValueError, match=f"count={count}"):
        draw_dogs_vs_cats(tmp_path / "new", count)
    assert not (tmp_path / "new").exists()
