"""The chapter on data augmentation from end to end, on drawn images."""

import json

import cv2
import numpy as np
import pytest

DEMO = "data_augmentation/augmentation_demo.py"
TRAIN = [
    "data_augmentation/minivggnet_flowers17.py",
    "data_augmentation/minivggnet_flowers17_data_aug.py",
]


# -- the demo ----------------------------------------------------------------------------------


@pytest.fixture
def photo(tmp_path):
    """A blue picture with a red disc."""
    image = np.full((120, 160, 3), (200, 40, 20), np.uint8)
    cv2.circle(image, (80, 60), 30, (20, 40, 200), -1)
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    return tmp_path / "photo.png"


def test_the_demo_writes_ten_images_and_a_montage_in_the_pictures_colours(
    run_script, photo, tmp_path, capsys
):
    run_script(DEMO, "--image", photo, "--output", tmp_path / "out", "--prefix", "disc")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [*(f"disc_{i:02}.jpg" for i in range(10)), "disc_montage.png"]
    assert "10 images and" in capsys.readouterr().out

    images = [cv2.imread(str(tmp_path / "out" / name)) for name in names[:10]]
    assert all(image.shape == (120, 160, 3) for image in images)
    assert len({image.tobytes() for image in images}) == 10
    for image in images:
        blue, green, red = image[0, 0].astype(int)  # the edge, continued
        assert blue > 180
        assert max(green, red) < 60
        assert (image[..., 2] > 150).any()  # the disc
    # three rows of four: the original and ten others; the first cell is 240x180, centred
    sheet = cv2.imread(str(tmp_path / "out" / "disc_montage.png"))
    assert sheet.shape == (720, 960, 3)
    assert sheet[40, 10].tolist() == [200, 40, 20]
    assert sheet[120, 120].tolist() == [20, 40, 200]
    assert not sheet[480:, 720:].any()


def test_the_demo_repeats_itself_and_takes_a_count_and_a_seed(run_script, photo, tmp_path):
    for out, seed in [("a", 1), ("b", 1), ("c", 2)]:
        options = ["--image", photo, "--output", tmp_path / out, "--count", 2, "--seed", seed]
        run_script(DEMO, *options)
    a, b, c = ((tmp_path / out / "image_01.jpg").read_bytes() for out in "abc")
    assert a == b
    assert a != c
    assert len(list((tmp_path / "a").iterdir())) == 3


def test_the_demo_replaces_files_only_when_asked(run_script, photo, tmp_path):
    options = ["--image", photo, "--output", tmp_path, "--count", 1]
    (tmp_path / "image_00.jpg").write_text("mine")
    with pytest.raises(SystemExit, match=r"image_00\.jpg exists.*--overwrite"):
        run_script(DEMO, *options)
    assert (tmp_path / "image_00.jpg").read_text() == "mine"
    run_script(DEMO, *options, "--overwrite")
    assert cv2.imread(str(tmp_path / "image_00.jpg")).shape == (120, 160, 3)


def test_the_demo_says_what_is_wrong(run_script, photo, tmp_path):
    with pytest.raises(SystemExit, match=r"No such file.*gone\.png"):
        run_script(DEMO, "--image", tmp_path / "gone.png", "--output", tmp_path)
    photo.write_bytes(photo.read_bytes()[:50])
    with pytest.raises(SystemExit, match=r"photo\.png is truncated"):
        run_script(DEMO, "--image", photo, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# -- the two trainings -------------------------------------------------------------------------


@pytest.fixture
def flowers(tmp_path):
    """Ten noisy pictures each of aster (blue), rose (red) and tulip (green)."""
    rng = np.random.default_rng(0)
    for channel, name in enumerate(["aster", "tulip", "rose"]):
        (tmp_path / "flowers" / name).mkdir(parents=True)
        for number in range(10):
            image = rng.integers(0, 100, (40, 50, 3), dtype=np.uint8)
            image[..., channel] += 150
            cv2.imwrite(str(tmp_path / "flowers" / name / f"{number}.png"), image)
    return tmp_path / "flowers"


@pytest.mark.parametrize("script", TRAIN)
def test_a_training_writes_its_curve_and_prints_its_report(
    run_script, flowers, tmp_path, capsys, script
):
    out = tmp_path / "out"
    run_script(script, "--dataset", flowers, "--output", out, "--epochs", 1, "--batch-size", 8)
    printed = capsys.readouterr().out
    assert "[INFO] training on 22 images, validating on 8..." in printed
    assert all(f" {name} " in printed for name in ("aster", "rose", "tulip", "accuracy"))
    name = script.split("/")[1].removesuffix(".py")
    assert (out / f"{name}.png").stat().st_size > 10_000
    history = json.loads((out / f"{name}.json").read_text())
    assert {key: len(values) for key, values in history.items()} == dict.fromkeys(
        ("accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"), 1
    )


@pytest.mark.parametrize("script", TRAIN)
def test_a_training_leaves_unreadable_images_out_and_says_so(
    run_script, flowers, tmp_path, capsys, script
):
    for path in (flowers / "rose").iterdir():  # a whole class of them
        path.write_bytes(b"no image")
    options = ["--output", tmp_path / "out", "--epochs", 1]
    with pytest.warns(UserWarning, match=r"10 of 30 images could not be read.*rose/0\.png"):
        run_script(script, "--dataset", flowers, *options)
    printed = capsys.readouterr().out
    assert "[INFO] training on 15 images, validating on 5..." in printed
    assert " rose " in printed


@pytest.mark.parametrize("script", TRAIN)
def test_a_training_refuses_another_layout(run_script, flowers, script):
    with pytest.raises(SystemExit, match="There is no folder .*none"):
        run_script(script, "--dataset", flowers / "none")
    with pytest.raises(SystemExit, match=r"<class>/<image>.*0\.png, which lies in no class folder"):
        run_script(script, "--dataset", flowers / "rose")
    with pytest.raises(SystemExit, match=r"<class>/<image>.*which lies deeper"):
        run_script(script, "--dataset", flowers.parent)
    (flowers / "aster").rename(flowers.parent / "aster")
    (flowers / "tulip").rename(flowers.parent / "tulip")
    with pytest.raises(SystemExit, match=r"<class>/<image>.*only 'rose'"):
        run_script(script, "--dataset", flowers)
