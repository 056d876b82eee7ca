"""Classifying pictures from the command line, with a network one can compute by hand."""

import json
import subprocess
import sys

import cv2
import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.classify import main
from pyimagesearch.utils.script import run

# the network is a softmax of the mean of each channel: [1, 0, 0] for blue in BGR of 0 to 1
FIRST = np.exp(1) / (np.exp(1) + 2)
BLUE, GREEN, RED = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def save_network(path, shape, *layers):
    """Write a model that averages each channel of (H, W, C), or of (C, H, W) if C is 3."""
    inputs = keras.Input(shape)
    order = "channels_first" if shape[0] == 3 else "channels_last"
    x = keras.layers.GlobalAveragePooling2D(data_format=order)(inputs)
    for layer in layers:
        x = layer(x)
    keras.Model(inputs, x).save(path)
    return str(path)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "colours.keras"
    return save_network(path, (8, 8, 3), keras.layers.Softmax())


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    """Blue is class 0 and green class 1."""
    path = tmp_path_factory.mktemp("network") / "two.keras"
    dense = keras.layers.Dense(2, kernel_initializer="identity", use_bias=False)
    return save_network(path, (8, 8, 3), dense, keras.layers.Softmax())


@pytest.fixture
def photos(tmp_path):
    """1.png is blue, 2.png green, 10.png red, in this order of ids."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, colour in [(1, BLUE), (2, GREEN), (10, RED)]:
        cv2.imwrite(str(folder / f"{number}.png"), np.full((20, 30, 3), colour, np.uint8))
    return folder


def table(capsys):
    """Return {file name: [(class, probability as printed)]} of the output, and its other lines."""
    answers, others = {}, []
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("["):
            others.append(line)
        elif line.startswith("    ") and answers and line.split(".")[0].strip().isdecimal():
            name, probability = line.split(". ", 1)[1].rsplit(maxsplit=1)
            answers[next(reversed(answers))].append((name.strip(), probability))
        elif not line.startswith("    "):
            answers[line.rsplit("/", 1)[-1]] = []
        else:
            others.append(line.strip())
    return answers, others


# -- what reaches the network ------------------------------------------------------------------


def test_every_image_is_printed_with_its_likeliest_classes(network, photos, capsys):
    main([network, str(photos / "2.png"), str(photos / "1.png"), "--rescale"])
    answers, others = table(capsys)
    assert list(answers) == ["2.png", "1.png"]
    assert answers["2.png"] == [
        ("class 1", f"{FIRST:.2%}"),
        ("class 0", f"{(1 - FIRST) / 2:.2%}"),
        ("class 2", f"{(1 - FIRST) / 2:.2%}"),
    ]
    assert others == ["[INFO] inputs: 8x8 BGR, 0 to 1"]


def test_only_the_best_are_printed(network, photos, capsys):
    main([network, str(photos / "1.png"), "--rescale", "--top", "1"])
    assert table(capsys)[0]["1.png"] == [("class 0", f"{FIRST:.2%}")]


@pytest.mark.parametrize(
    ("options", "best", "probability"),
    [
        (["--rescale", "--rgb"], "class 2", FIRST),
        (["--rgb"], "class 2", 1.0),
        ([], "class 0", 1.0),
        (["--preprocessing", "tf"], "class 2", np.exp(2) / (np.exp(2) + 2)),
        (["--preprocessing", "caffe"], "class 0", 1.0),
        (["--rescale", "--crops", "10"], "class 0", FIRST),
        (["--rescale", "--crops", "5", "--aspect-aware"], "class 0", FIRST),
    ],
)
def test_options_give_the_network_what_it_was_trained_on(
    network, photos, capsys, options, best, probability
):
    main([network, str(photos / "1.png"), *options])
    assert table(capsys)[0]["1.png"][0] == (best, f"{probability:.2%}")


def test_means_are_subtracted_from_their_channels(network, photos, capsys, tmp_path):
    (tmp_path / "mean.json").write_text('{"R": 0, "G": 0, "B": 254}')
    for options, best in [([], "class 0"), (["--rgb"], "class 2")]:
        main([network, str(photos / "1.png"), "--means", str(tmp_path / "mean.json"), *options])
        assert table(capsys)[0]["1.png"][0] == (best, f"{FIRST:.2%}")


def test_a_mean_image_is_subtracted_in_the_networks_channel_order(
    network, photos, capsys, tmp_path
):
    mean = np.zeros((8, 8, 3))
    mean[..., 2] = 254  # blue, in RGB
    np.save(tmp_path / "mean.npy", mean)
    main([network, str(photos / "1.png"), "--mean-image", str(tmp_path / "mean.npy"), "--rgb"])
    assert table(capsys)[0]["1.png"][0] == ("class 2", f"{FIRST:.2%}")


def test_the_mean_image_of_a_channels_first_network_has_the_channels_first(
    photos, capsys, tmp_path
):
    first = save_network(tmp_path / "first.keras", (3, 8, 6), keras.layers.Softmax())
    mean = np.zeros((3, 8, 6))
    mean[2] = 254  # blue, in RGB
    path = tmp_path / "mean.npy"
    np.save(path, mean)
    main([first, str(photos / "1.png"), "--mean-image", str(path), "--rgb"])
    assert table(capsys)[0]["1.png"][0] == ("class 2", f"{FIRST:.2%}")
    np.save(path, mean.transpose(1, 2, 0))
    with pytest.raises(ValueError, match=r"must be \(3, 8, 6\) numbers.*Received: \(8, 6, 3\)"):
        main([first, str(photos / "1.png"), "--mean-image", str(path), "--rgb"])


def test_crops_are_averaged_after_the_network(network, tmp_path, capsys):
    # blue but for a red last column, which 2 of 5 crops (of 8 out of 9 pixels) see as 1/8
    image = np.full((9, 9, 3), BLUE, np.uint8)
    image[:, -1] = RED
    cv2.imwrite(str(tmp_path / "1.png"), image)
    exps = np.exp([[7 / 8, 0, 1 / 8]])
    expected = (3 * FIRST + 2 * exps[0, 0] / exps.sum()) / 5
    for crops in ("5", "10"):
        main([network, str(tmp_path / "1.png"), "--rescale", "--crops", crops])
        assert table(capsys)[0]["1.png"][0] == ("class 0", f"{expected:.2%}")


def test_grey_and_channels_first_networks_get_what_they_take(photos, tmp_path, capsys):
    dense = keras.layers.Dense(2, kernel_initializer="ones", use_bias=False)
    grey = save_network(tmp_path / "grey.keras", (8, 8, 1), dense, keras.layers.Softmax())
    main([grey, str(photos), "--rescale"])
    answers, others = table(capsys)
    assert answers["1.png"][0] == ("class 0", "50.00%")
    assert others[0] == "[INFO] inputs: 8x8 grey, 0 to 1"
    first = save_network(tmp_path / "first.keras", (3, 8, 6), keras.layers.Softmax())
    main([first, str(photos / "2.png"), "--rescale"])
    answers, others = table(capsys)
    assert answers["2.png"][0] == ("class 1", f"{FIRST:.2%}")
    assert others[0] == "[INFO] inputs: 6x8 BGR, 0 to 1"


# -- names -------------------------------------------------------------------------------------


def write_names(path, names):
    if path.suffix == ".txt":
        path.write_text("\n".join(names) + "\n\n")
    elif path.suffix == ".json":
        path.write_text(json.dumps(names))
    else:
        with h5py.File(path, "w") as db:
            db["label_names"] = names
    return str(path)


@pytest.mark.parametrize("suffix", [".txt", ".json", ".hdf5"])
def test_names_come_from_text_json_or_hdf5(network, photos, capsys, tmp_path, suffix):
    labels = write_names(tmp_path / f"names{suffix}", ["sea", "hill side", "sky"])
    main([network, str(photos / "2.png"), "--labels", labels, "--top", "1"])
    assert table(capsys)[0]["2.png"] == [("hill side", "100.00%")]


@pytest.mark.parametrize(
    ("suffix", "text"), [(".txt", "sea\nhill\n"), (".json", '["sea", "hill"]')]
)
def test_the_mark_that_windows_puts_before_utf_8_is_no_part_of_a_name(
    two_classes, photos, capsys, tmp_path, suffix, text
):
    labels = tmp_path / f"names{suffix}"
    labels.write_text(text, encoding="utf-8-sig")
    main([two_classes, str(photos / "1.png"), "--rescale", "--labels", str(labels), "--top", "1"])
    assert table(capsys)[0]["1.png"][0][0] == "sea"


# -- submissions -------------------------------------------------------------------------------


def test_a_folder_becomes_a_submission_in_the_order_of_the_ids(network, photos, capsys, tmp_path):
    out = tmp_path / "new" / "submission.csv"
    main([network, str(photos), "--csv", str(out), "--batch-size", "2"])
    assert out.read_text() == "id,label\n1,0\n2,1\n10,2\n"
    assert f"[INFO] {out}: 3 images" in capsys.readouterr().out


def test_a_submission_can_hold_the_probability_of_the_second_of_two_classes(
    two_classes, photos, tmp_path
):
    out = tmp_path / "submission.csv"
    main([two_classes, str(photos), "--csv", str(out), "--csv-probability", "--rescale"])
    high, low = np.exp(1) / (1 + np.exp(1)), 1 / (1 + np.exp(1))
    assert out.read_text() == f"id,label\n1,{low:.6f}\n2,{high:.6f}\n10,0.500000\n"


def test_an_existing_submission_is_replaced_only_when_asked(network, photos, tmp_path):
    out = tmp_path / "submission.csv"
    out.write_text("mine")
    with pytest.raises(FileExistsError, match=r"submission\.csv exists.*--overwrite"):
        main([network, str(photos), "--csv", str(out)])
    assert out.read_text() == "mine"
    main([network, str(photos), "--csv", str(out), "--overwrite"])
    assert out.read_text().startswith("id,label\n1,0\n")


def test_ids_must_be_there_and_differ(network, photos, tmp_path):
    out = str(tmp_path / "submission.csv")
    (photos / "dog.1.jpg").write_bytes((photos / "1.png").read_bytes())
    with pytest.raises(ValueError, match=r"1\.png and .*dog\.1\.jpg would both have the id 1"):
        main([network, str(photos), "--csv", out])
    (photos / "dog.1.jpg").rename(photos / "dog.jpg")
    with pytest.raises(ValueError, match=r"dog\.jpg has no number"):
        main([network, str(photos), "--csv", out])


# -- bad input ---------------------------------------------------------------------------------


def test_unreadable_images_are_left_out_listed_and_shown_by_the_exit_status(
    network, photos, capsys, tmp_path
):
    (photos / "2.png").write_bytes(b"no image")
    out = tmp_path / "submission.csv"
    with pytest.raises(SystemExit) as stop:
        main([network, str(photos), str(tmp_path / "gone.3.jpg"), "--csv", str(out)])
    assert stop.value.code == 1
    assert out.read_text() == "id,label\n1,0\n10,2\n"
    others = table(capsys)[1]
    assert "[WARNING] 2 files could not be read and were left out:" in others
    assert any("2.png" in line for line in others)
    assert any("gone.3.jpg" in line for line in others)


def test_an_image_too_thin_for_aspect_aware_is_left_out(tmp_path, photos, capsys):
    large = save_network(tmp_path / "large.keras", (256, 256, 3), keras.layers.Softmax())
    cv2.imwrite(str(photos / "11.png"), np.zeros((15_000, 1, 3), np.uint8))
    with pytest.raises(SystemExit) as stopped:
        main([large, str(photos), "--aspect-aware"])
    assert stopped.value.code == 1
    answers, others = table(capsys)
    assert list(answers) == ["1.png", "10.png", "2.png"]
    assert "11.png: To fill 256x256 pixels" in others[-1]


def test_nothing_but_unreadable_images_is_an_error_and_writes_nothing(network, tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    out = tmp_path / "submission.csv"
    with pytest.raises(ValueError, match=r"None of the 1 images could be read.*1\.png is empty"):
        main([network, str(tmp_path / "1.png"), "--csv", str(out)])
    assert not out.exists()


def test_a_missing_model_is_one_sentence_and_exit_status_1(photos, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["classify", "no/such.keras", str(photos)])
    with pytest.raises(SystemExit, match=r"\[ERROR\] There is no model at no/such\.keras"):
        run(main)


def test_what_is_no_classifier_is_refused(photos, tmp_path):
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.keras is damaged or no Keras model"):
        main([str(tmp_path / "text.keras"), str(photos)])
    (tmp_path / "old.hdf5").write_text("hello")
    with pytest.raises(ValueError, match=r"old\.hdf5 is damaged or no Keras model"):
        main([str(tmp_path / "old.hdf5"), str(photos)])
    (tmp_path / "old.model").write_text("hello")
    with pytest.raises(ValueError, match=r"a \.keras or \.hdf5 file\. Received: .*old\.model"):
        main([str(tmp_path / "old.model"), str(photos)])
    flexible = save_network(tmp_path / "flexible.keras", (None, None, 3), keras.layers.Softmax())
    with pytest.raises(ValueError, match=r"fixed size.*\(None, None, None, 3\), \(None, 3\)"):
        main([flexible, str(photos)])
    one = save_network(tmp_path / "one.keras", (8, 8, 3), keras.layers.Dense(1))
    with pytest.raises(ValueError, match="two classes or more"):
        main([one, str(photos)])
    five = save_network(tmp_path / "five.keras", (5, 8, 3), keras.layers.Dense(2))
    with pytest.raises(ValueError, match="no probabilities"):
        main([five, str(photos)])


def test_a_model_that_would_run_code_is_refused(photos, tmp_path, capsys):
    evil = keras.layers.Lambda(lambda x: x)
    path = save_network(tmp_path / "evil.keras", (8, 8, 3), evil, keras.layers.Softmax())
    with pytest.raises(ValueError, match=r"evil\.keras needs code .* a Python lambda.* --unsafe"):
        main([path, str(photos)])
    main([path, str(photos), "--unsafe"])
    assert "class 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("labels.txt", "sea\nsky\n", r"names 2 classes\. The network tells 3 apart"),
        ("labels.json", '{"sea": 0}', r"labels\.json holds no class names: it is no list"),
        ("labels.json", "[", r"labels\.json holds no class names"),
        ("labels.txt", b"\xff\xfe", r"labels\.txt holds no class names"),
        ("labels.hdf5", "text", r"labels\.hdf5 holds no class names"),
        ("labels.txt", None, r"No class names at .*labels\.txt"),
    ],
)
def test_names_that_do_not_fit_are_refused(network, photos, tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        main([network, str(photos), "--labels", str(tmp_path / name)])


@pytest.mark.parametrize(
    "text", ["", "[1, 2, 3]", '{"R": 1, "G": 2}', '{"R": 1, "G": 2, "B": "x"}', '{"R": null}']
)
def test_malformed_means_are_refused(network, photos, tmp_path, text):
    (tmp_path / "mean.json").write_text(text)
    with pytest.raises(ValueError, match=r"mean\.json must hold the channel means"):
        main([network, str(photos), "--means", str(tmp_path / "mean.json")])


def test_a_mean_image_of_another_kind_is_refused(network, photos, tmp_path):
    path = tmp_path / "mean.npy"
    for content, message in [
        (np.zeros((32, 32, 3)), r"must be \(8, 8, 3\) numbers.*Received: \(32, 32, 3\)"),
        (np.full((8, 8, 3), "x"), r"must be \(8, 8, 3\) numbers"),
        (np.array([{}]), "is not an array that numpy.save wrote"),
    ]:
        np.save(path, content, allow_pickle=True)
        with pytest.raises(ValueError, match=message):
            main([network, str(photos), "--mean-image", str(path)])
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is not an array that numpy.save wrote"):
        main([network, str(photos), "--mean-image", str(path)])


def test_options_that_do_not_fit_the_network_are_refused(network, photos, tmp_path):
    with pytest.raises(ValueError, match=r"--csv-probability is for two classes.* has 3"):
        main([network, str(photos), "--csv", str(tmp_path / "s.csv"), "--csv-probability"])
    grey = save_network(tmp_path / "grey.keras", (8, 8, 1), keras.layers.Dense(2))
    with pytest.raises(ValueError, match="takes grey images"):
        main([grey, str(photos), "--rgb"])
    four = save_network(tmp_path / "four.keras", (8, 8, 4), keras.layers.Dense(2))
    with pytest.raises(ValueError, match="1 or 3 channels"):
        main([four, str(photos)])


@pytest.mark.parametrize(
    "options", [["--top", "0"], ["--batch-size", "x"], ["--crops", "3"], ["--rescale", "--means=m"]]
)
def test_options_out_of_range_end_with_the_usage(network, photos, options, capsys):
    with pytest.raises(SystemExit) as stop:
        main([network, str(photos), *options])
    assert stop.value.code == 2
    assert "usage: python -m pyimagesearch.classify" in capsys.readouterr().err


def test_the_module_runs_as_a_command_without_chatter(network, photos):
    command = [sys.executable, "-m", "pyimagesearch.classify", network, str(photos / "1.png")]
    done = subprocess.run([*command, "--top", "1"], text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == [
        "[INFO] inputs: 8x8 BGR, 0 to 255",
        str(photos / "1.png"),
        "    1. class 0 100.00%",
    ]
    assert done.stderr == ""
