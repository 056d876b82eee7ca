"""Feature extraction and fine-tuning from end to end, with a tiny network and drawn images."""

import json

import cv2
import h5py
import keras
import numpy as np
import pytest

EXTRACT, TRAIN, RANK = (
    f"feature_extraction/{name}.py" for name in ("extract_features", "train_model", "rank_accuracy")
)
INSPECT, FINETUNE = "fine_tuning/inspect_model.py", "fine_tuning/finetune_flowers17.py"


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    """A network of five layers from 16x16 images to a 4x4 map of 3 channels: 48 features."""
    path = tmp_path_factory.mktemp("body") / "body.keras"
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((16, 16, 3)),
        keras.layers.AveragePooling2D(2, name="pool1"),
        keras.layers.Dense(3, kernel_initializer="identity", name="mix1"),
        keras.layers.AveragePooling2D(2, name="pool2"),
        keras.layers.Dense(3, kernel_initializer="identity", name="mix2"),
    ]
    model = keras.Sequential(layers)
    keras.Model(model.inputs, model.outputs).save(path)
    return path


def draw(folder, names, count=12, size=(20, 30)):
    """Write `count` pictures for each name, whose brightest channel tells the class."""
    rng = np.random.default_rng(0)
    for channel, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(0, 100, (*size, 3), dtype=np.uint8)
            image[..., channel] += 150
            cv2.imwrite(str(folder / name / f"{number}.png"), image)
    return folder


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("data") / "flowers", ["aster", "rose", "tulip"])


def extract(run_script, dataset, body, output, *options):
    run_script(EXTRACT, "--dataset", dataset, "--backbone", body, "--output", output, *options)
    return output


# -- feature extraction ------------------------------------------------------------------------


def test_features_become_a_classifier_and_its_accuracy(run_script, flowers, body, tmp_path, capsys):
    db = extract(run_script, flowers, body, tmp_path / "features.hdf5", "--batch-size", 5)
    assert "[INFO] 36 images of 3 classes" in capsys.readouterr().out
    with h5py.File(db) as file:
        assert file["features"].shape == (36, 48)
        assert np.bincount(file["labels"]).tolist() == [12, 12, 12]
        assert len(set(file["labels"][:12])) == 3  # shuffled
        assert file["label_names"].asstr()[:].tolist() == ["aster", "rose", "tulip"]
        # RGB of -1 to 1: the brightest channel is the class's, blue being 0 in BGR
        colours = file["features"][:].reshape(36, 16, 3).mean(axis=1)
        assert (2 - colours.argmax(axis=1)).tolist() == file["labels"][:].tolist()

    run_script(TRAIN, "--db", db, "--model", tmp_path / "flowers.skops", "--jobs", 1)
    printed = capsys.readouterr().out
    assert "[INFO] best hyperparameters: {'logisticregression__C':" in printed
    assert all(f" {name} " in printed for name in ("aster", "rose", "tulip"))
    assert "[INFO] score: 1.0000" in printed

    run_script(RANK, "--db", db, "--model", tmp_path / "flowers.skops")
    printed = capsys.readouterr().out
    assert "[INFO] rank-1: 100.00%" in printed
    assert "[INFO] rank-5: 100.00%" in printed


def test_a_classifier_and_a_file_that_do_not_belong_together_are_refused(
    run_script, flowers, body, tmp_path
):
    db = extract(run_script, flowers, body, tmp_path / "flowers.hdf5")
    run_script(TRAIN, "--db", db, "--model", tmp_path / "flowers.skops", "--jobs", 1)
    pooled = extract(run_script, flowers, body, tmp_path / "pooled.hdf5", "--pooling", "avg")
    with pytest.raises(SystemExit, match="trained on 48 features .* The file holds 3 of"):
        run_script(RANK, "--db", pooled, "--model", tmp_path / "flowers.skops")
    pets = draw(tmp_path / "pets", ["cat", "dog"], count=4)
    others = extract(run_script, pets, body, tmp_path / "pets.hdf5")
    with pytest.raises(SystemExit, match=r"aster, rose, tulip\. .* 48 of cat, dog"):
        run_script(RANK, "--db", others, "--model", tmp_path / "flowers.skops")
    with pytest.raises(SystemExit, match=r"pets\.hdf5 is not a classifier"):
        run_script(RANK, "--db", db, "--model", others)
    with pytest.raises(SystemExit, match=r"flowers\.skops cannot be read as an HDF5 file"):
        run_script(RANK, "--db", tmp_path / "flowers.skops", "--model", tmp_path / "flowers.skops")


def test_too_few_images_to_tune_on_are_refused(run_script, body, tmp_path):
    pets = draw(tmp_path / "pets", ["cat", "dog"], count=3)
    db = extract(run_script, pets, body, tmp_path / "pets.hdf5")
    with pytest.raises(SystemExit, match="three training rows each"):
        run_script(TRAIN, "--db", db, "--model", tmp_path / "pets.skops", "--jobs", 1)
    assert not (tmp_path / "pets.skops").exists()


def test_unreadable_images_are_left_out_of_the_features(run_script, body, tmp_path, capsys):
    pets = draw(tmp_path / "pets", ["cat", "dog"], count=4)
    (pets / "cat" / "1.png").write_bytes(b"no image")
    db = extract(run_script, pets, body, tmp_path / "pets.hdf5")
    with h5py.File(db) as file:
        assert np.bincount(file["labels"]).tolist() == [3, 4]
    printed = capsys.readouterr().out
    assert "[WARNING] 1 files could not be read" in printed
    assert "cat/1.png" in printed
    with pytest.raises(SystemExit, match=r"cat/1\.png"):
        extract(run_script, pets, body, tmp_path / "strict.hdf5", "--strict")
    assert not (tmp_path / "strict.hdf5").exists()


def test_extraction_refuses_another_layout_and_an_existing_file(
    run_script, flowers, body, tmp_path
):
    out = tmp_path / "f.hdf5"
    with pytest.raises(SystemExit, match="<class>/<image>.*in no class folder"):
        extract(run_script, flowers / "rose", body, out)
    with pytest.raises(SystemExit, match="There is no folder"):
        extract(run_script, flowers / "none", body, out)
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(SystemExit, match=r"f\.hdf5"):
        extract(run_script, flowers, body, out)
    assert out.read_text() == "mine"


# -- fine-tuning -------------------------------------------------------------------------------


def test_inspection_lists_the_layers_with_their_numbers(run_script, body, capsys):
    run_script(INSPECT, "--backbone", body)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(line[1], line[2]) for line in lines] == [
        ("0", "InputLayer"),
        ("1", "AveragePooling2D"),
        ("2", "Dense"),
        ("3", "AveragePooling2D"),
        ("4", "Dense"),
    ]
    assert lines[4][3:] == ["mix2", "(4,", "4,", "3)"]


def finetune(run_script, dataset, body, model, *options):
    options = ["--unfreeze", 4, "--warm-up-epochs", 1, "--epochs", 1, *options]
    run_script(FINETUNE, "--dataset", dataset, "--backbone", body, "--model", model, *options)


def test_the_head_is_warmed_up_and_the_last_layers_are_trained_with_it(
    run_script, flowers, body, tmp_path, capsys
):
    path = tmp_path / "flowers.keras"
    finetune(run_script, flowers, body, path, "--batch-size", 8, "--lr", 0.01)
    printed = capsys.readouterr().out
    assert printed.index("training head...") < printed.index("training last layers...")
    assert printed.count(" tulip ") == 2  # a report after each
    for name, rate in [("head", 0.001), ("last_layers", 0.01)]:
        assert (tmp_path / f"flowers_{name}.png").exists()
        history = json.loads((tmp_path / f"flowers_{name}.json").read_text())
        assert history["learning_rate"] == [pytest.approx(rate)]
        assert len(history["val_accuracy"]) == 1
    tuned, before = keras.models.load_model(path), keras.models.load_model(body)
    assert tuned.output_shape == (None, 3)
    for name, same in [("mix1", True), ("mix2", False)]:  # below and from --unfreeze on
        kernels = [model.get_layer(name).kernel.numpy() for model in (before, tuned)]
        assert np.array_equal(*kernels) == same


def test_under_mixed_precision_a_body_that_was_saved_without_it_has_it_too(
    run_script, flowers, body, tmp_path
):
    path = tmp_path / "flowers.keras"
    finetune(run_script, flowers, body, path, "--mixed-precision", "bfloat16")
    tuned = keras.models.load_model(path)
    assert tuned.get_layer("mix1").compute_dtype == "bfloat16"
    assert tuned.get_layer("mix1").kernel.dtype == "float32"
    assert tuned.layers[-1].compute_dtype == "float32"


def test_fine_tuning_refuses_what_it_cannot_do(run_script, flowers, body, tmp_path, capsys):
    path = tmp_path / "flowers.keras"
    with pytest.raises(SystemExit, match=r"one of the 5 layers .* Received: 15"):
        finetune(run_script, flowers, body, path, "--unfreeze", 15)
    with pytest.raises(SystemExit, match="<class>/<image>.*in no class folder"):
        finetune(run_script, flowers / "rose", body, path)
    with pytest.raises(SystemExit, match="There is no model at"):
        finetune(run_script, flowers, tmp_path / "none.keras", path)
    with pytest.raises(SystemExit):
        finetune(run_script, flowers, body, tmp_path / "flowers.model")
    assert "Keras 3 writes .keras files" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_fine_tuning_leaves_unreadable_images_out(run_script, body, tmp_path, capsys):
    pets = draw(tmp_path / "pets", ["cat", "dog"], count=4)
    (pets / "cat" / "1.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"1 of 8 images could not be read.*cat/1\.png"):
        finetune(run_script, pets, body, tmp_path / "pets.keras", "--pooling", "avg")
    pooled = keras.models.load_model(tmp_path / "pets.keras")
    assert any(type(layer).__name__ == "GlobalAveragePooling2D" for layer in pooled.layers)
