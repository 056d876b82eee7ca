"""The chapters on CIFAR-10, on a handful of random images in its layout."""

import json
import pickle
import re
import shlex

import cv2
import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import EpochCheckpoint
from pyimagesearch.classify import main as classify

RESNET = "resnet_cifar10/resnet_cifar10.py"
DECAY = "resnet_cifar10/resnet_cifar10_decay.py"
SMALL = ("--stages", 1, "--filters", 4, 8, "--batch-size", 16)  # 40 images: 16, 16, 8


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory):
    """Five batches of eight random images, and eight test images."""
    folder = tmp_path_factory.mktemp("data") / "cifar-10-batches-py"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        batch = {
            b"data": rng.integers(256, size=(8, 3072), dtype="uint8"),
            b"labels": rng.integers(10, size=8).tolist(),
        }
        (folder / name).write_bytes(pickle.dumps(batch))
    return folder


def images_for_test(folder):
    batch = pickle.loads((folder / "test_batch").read_bytes())
    return batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.array(batch[b"labels"])


def train_mean(folder):
    parts = [pickle.loads(path.read_bytes())[b"data"] for path in folder.glob("data_batch_*")]
    return np.concatenate(parts).mean(axis=0).reshape(3, 32, 32).transpose(1, 2, 0)


def weights(path):
    return keras.models.load_model(path).get_weights()


# -- ensembles ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ensemble(cifar10, tmp_path_factory):
    """The folder of a script run that has not happened yet, and its options."""
    folder = tmp_path_factory.mktemp("ensemble")
    return folder, (
        *("--dataset", cifar10, "--output", folder, "--models", folder / "models"),
        *("--epochs", 1, "--batch-size", 20),
    )


def test_an_ensemble_is_trained_continued_and_averaged(run_script, cifar10, ensemble, capsys):
    folder, options = ensemble
    run_script("ensembles/train_models.py", *options, "--num-models", 1)
    models = folder / "models"
    first = models / "model_0.keras"
    assert sorted(path.name for path in models.iterdir()) == ["model_0.keras"]
    written = first.stat().st_mtime_ns

    run_script("ensembles/train_models.py", *options, "--num-models", 2)
    assert first.stat().st_mtime_ns == written
    assert f"[INFO] keeping model 1/2, {first}" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        *("model_0.json", "model_0.png", "model_0.txt"),
        *("model_1.json", "model_1.png", "model_1.txt"),
    ]
    assert "airplane" in (folder / "model_1.txt").read_text()
    history = json.loads((folder / "model_0.json").read_text())
    assert history["learning_rate"] == pytest.approx([0.01 / (1 + 0.01 * 2)])  # after two batches

    run_script("ensembles/test_ensemble.py", "--dataset", cifar10, "--models", models)
    images, labels = images_for_test(cifar10)
    preds = [
        keras.models.load_model(models / f"model_{i}.keras").predict(images / 255, verbose=0)
        for i in range(2)
    ]
    assert not np.allclose(preds[0], preds[1])  # the seeds differ
    accuracies = [np.mean(p.argmax(axis=1) == labels) for p in preds]
    average = np.mean(np.mean(preds, axis=0).argmax(axis=1) == labels)
    lines = capsys.readouterr().out.splitlines()
    assert f"[INFO] model_0.keras: {accuracies[0]:.2%}" in lines
    assert f"[INFO] model_1.keras: {accuracies[1]:.2%}" in lines
    assert lines[-2] == f"[INFO] mean of the networks: {np.mean(accuracies):.2%}"
    assert lines[-1] == f"[INFO] ensemble: {average:.2%}"

    run_script("ensembles/train_models.py", *options, "--num-models", 1, "--overwrite")
    assert first.stat().st_mtime_ns > written


def small_model(path, inputs=(32, 32, 3), outputs=10):
    """Save a network that takes each image for its class number 2."""
    path.parent.mkdir(exist_ok=True)
    model = keras.Sequential(
        [
            keras.Input(inputs),
            keras.layers.Flatten(),
            keras.layers.Dense(outputs, "softmax", kernel_initializer="zeros"),
        ]
    )
    model.layers[-1].bias.assign(np.arange(outputs) == 2)
    model.save(path)


def test_the_networks_of_an_ensemble_come_in_the_order_of_their_numbers(
    run_script, cifar10, tmp_path, capsys
):
    for number in (10, 2):
        small_model(tmp_path / f"model_{number}.keras")
    run_script("ensembles/test_ensemble.py", "--dataset", cifar10, "--models", tmp_path)
    accuracy = np.mean(images_for_test(cifar10)[1] == 2)
    out = capsys.readouterr().out
    assert out.index("model_2.keras") < out.index("model_10.keras")
    assert out.endswith(f"networks: {accuracy:.2%}\n[INFO] ensemble: {accuracy:.2%}\n")


def test_an_ensemble_that_is_none_is_explained(run_script, cifar10, tmp_path):
    script = ("ensembles/test_ensemble.py", "--dataset", cifar10, "--models")
    with pytest.raises(SystemExit, match="There is no folder .*none. Train networks"):
        run_script(*script, tmp_path / "none")
    (tmp_path / "model_0.txt").touch()
    with pytest.raises(SystemExit, match=r"no \.keras files in .*Found: model_0\.txt"):
        run_script(*script, tmp_path)
    (tmp_path / "model_0.keras").write_text("no network")
    with pytest.raises(SystemExit, match=r"model_0\.keras is damaged or no Keras model"):
        run_script(*script, tmp_path)


@pytest.mark.parametrize("other", [{"outputs": 17}, {"inputs": (64, 64, 3)}])
def test_a_network_of_another_shape_is_named(run_script, cifar10, tmp_path, other):
    small_model(tmp_path / "model_0.keras")
    small_model(tmp_path / "stranger.keras", **other)
    message = re.escape("must map (32, 32, 3) images to 10 probabilities") + r".*stranger\.keras"
    with pytest.raises(SystemExit, match=message):
        run_script("ensembles/test_ensemble.py", "--dataset", cifar10, "--models", tmp_path)


# -- MiniGoogLeNet and ResNet ------------------------------------------------------------------


def test_minigooglenet_is_written_with_its_mean_image(run_script, cifar10, tmp_path):
    run_script(
        "minigooglenet_cifar10/googlenet_cifar10.py",
        *("--dataset", cifar10, "--output", tmp_path / "out", "--model", tmp_path / "net.keras"),
        *("--epochs", 1),
    )
    assert keras.models.load_model(tmp_path / "net.keras").name == "googlenet"
    mean = np.load(tmp_path / "net_mean.npy")
    assert mean.dtype == np.float32
    assert np.allclose(mean, train_mean(cifar10), atol=1e-4)
    history = json.loads((tmp_path / "out" / "minigooglenet.json").read_text())
    assert history["learning_rate"] == pytest.approx([5e-3])
    assert (tmp_path / "out" / "minigooglenet.png").stat().st_size > 0


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


def test_resnet_is_trained_and_used_where_keras_has_the_channels_first(
    run_script, cifar10, tmp_path, channels_first, capsys
):
    run_script(RESNET, "--dataset", cifar10, "--output", tmp_path, "--epochs", 1, *SMALL)
    assert keras.models.load_model(tmp_path / "resnet.keras").input_shape == (None, 3, 32, 32)
    mean = np.load(tmp_path / "resnet_mean.npy")
    assert np.allclose(mean.transpose(1, 2, 0), train_mean(cifar10), atol=1e-4)
    cv2.imwrite(str(tmp_path / "1.png"), images_for_test(cifar10)[0][0])
    files = [str(tmp_path / name) for name in ("resnet.keras", "1.png", "resnet_mean.npy")]
    classify([*files[:2], "--rgb", "--mean-image", files[2]])
    assert "class " in capsys.readouterr().out


def interrupt_after(monkeypatch, epochs):
    """Press ctrl+c in the first batch after so many epochs."""
    save = EpochCheckpoint.on_epoch_end

    def save_and_stop(self, epoch, logs=None):
        save(self, epoch, logs)
        if epoch + 1 == epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochCheckpoint, "on_epoch_end", save_and_stop)


@pytest.mark.parametrize(
    ("script", "figure", "rates"),
    [(DECAY, "resnet_decay", [0.1, 0.1 * 2 / 3, 0.1 / 3]), (RESNET, "resnet", [0.1, 0.1, 0.1])],
)
def test_the_command_of_an_interrupted_resnet_ends_where_an_uninterrupted_one_does(
    run_script, cifar10, tmp_path, monkeypatch, capsys, script, figure, rates
):
    def options(folder):
        written = "--model" if script == DECAY else "--checkpoints"
        path = folder / ("resnet_decay.keras" if script == DECAY else "checkpoints")
        return (
            *("--dataset", cifar10, "--output", folder, written, path),
            *("--epochs", 3, *SMALL),
        )

    whole, parts = tmp_path / "whole", tmp_path / "in parts"
    run_script(script, *options(whole))
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(SystemExit) as stopped:
            run_script(script, *options(parts))
    assert stopped.value.code == 130
    assert not (parts / f"{figure}.keras").exists()

    command = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert command[1].endswith(script)
    assert command[command.index("--start-epoch") + 1] == "1"
    if script == DECAY:
        command[2:] = [*options(parts), "--resume", "--keep", 1]
    run_script(script, *command[2:])
    histories = [json.loads((f / f"{figure}.json").read_text()) for f in (whole, parts)]
    assert histories[0]["learning_rate"] == pytest.approx(rates)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        assert histories[1][name] == pytest.approx(values, rel=1e-4), name
    for a, b in zip(
        weights(whole / f"{figure}.keras"), weights(parts / f"{figure}.keras"), strict=True
    ):
        assert np.allclose(a, b, atol=1e-5)
    assert np.allclose(np.load(parts / f"{figure}_mean.npy"), train_mean(cifar10), atol=1e-4)

    if script == DECAY:  # killed between the last checkpoint and the end: nothing is left to train
        assert "[INFO] resuming after epoch 1" in capsys.readouterr().out
        checkpoints = list((parts / "checkpoints_decay").iterdir())
        assert [path.name for path in checkpoints] == ["epoch_3.keras"]
        (parts / f"{figure}.keras").unlink()
        run_script(script, *command[2:])
        assert (parts / f"{figure}.keras").exists()
        assert len(json.loads((parts / f"{figure}.json").read_text())["loss"]) == 3


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint after five epochs of something that is no ResNet."""
    path = tmp_path_factory.mktemp("checkpoints") / "epoch_5.keras"
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()], name="flat")
    model.compile("sgd", "mse")
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "no/folder"], "There is no folder no/folder"),
        (["--start-epoch", 5], "--start-epoch 5 needs the checkpoint"),
        (["--start-epoch", 100, "--model", "CHECKPOINT"], "below --epochs. Received: 100 of 100"),
        (["--start-epoch", -1], "--start-epoch must be 0 or more"),
        (["--start-epoch", 4, "--model", "CHECKPOINT"], "saved after epoch 5"),
        (["--model", "CHECKPOINT"], "--start-epoch must say how many epochs"),
        (["--start-epoch", 5, "--model", "no.keras"], "There is no model at no.keras"),
        (
            ["--start-epoch", 5, "--model", "CHECKPOINT"],
            r"flat from \(32, 32, 3\) to \(3072,\) with 0 parameters.*resnet from",
        ),
        (["--filters", 4, 8, 16], "one number for the stem and one per stage"),
    ],
)
def test_wrong_options_of_resnet_are_explained(
    run_script, cifar10, checkpoint, tmp_path, options, message
):
    options = [checkpoint if word == "CHECKPOINT" else word for word in options]
    with pytest.raises(SystemExit, match=message):
        run_script(RESNET, "--dataset", cifar10, "--output", tmp_path, *SMALL, *options)


def test_a_decay_goes_on_from_a_checkpoint_that_is_there(run_script, cifar10, tmp_path):
    with pytest.raises(SystemExit, match=r"There is no model at .*epoch_7\.keras"):
        run_script(DECAY, "--dataset", cifar10, "--output", tmp_path, *SMALL, "--start-epoch", 7)


@pytest.mark.parametrize("options", [("--epochs", 0), ("--lr", 0), ("--lr", "nan"), ("--limit", 0)])
def test_impossible_numbers_are_refused_at_once(run_script, cifar10, capsys, options):
    with pytest.raises(SystemExit):
        run_script(DECAY, "--dataset", cifar10, *options)
    assert f"Received: {options[1]}" in capsys.readouterr().err


def test_a_model_that_could_not_be_written_is_refused_at_once(run_script, cifar10, capsys):
    with pytest.raises(SystemExit):
        run_script(DECAY, "--dataset", cifar10, "--model", "resnet.model")
    assert "Keras 3 writes .keras files. Received: resnet.model" in capsys.readouterr().err


# -- optimizers --------------------------------------------------------------------------------

OPTIMIZERS = ["SGD", "momentum", "Nesterov", "Adagrad", "Adadelta", "RMSprop", "Adam", "Nadam"]


def test_every_optimizer_gets_a_line_in_table_plot_and_file(run_script, cifar10, tmp_path, capsys):
    run_script(
        *("optimizers/compare_optimizers.py", "--dataset", cifar10, "--output", tmp_path),
        *("--epochs", 2, "--limit", 24, "--batch-size", 8),
    )
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[-9:-1]]
    assert sorted(row[0] for row in rows) == sorted(OPTIMIZERS)
    results = json.loads((tmp_path / "optimizers.json").read_text())
    for name, rate, final, best, *_ in rows:
        accuracies = results[name]["val_accuracy"]
        assert float(rate) == results[name]["lr"]
        assert (final, best) == (f"{accuracies[-1]:.2%}", f"{max(accuracies):.2%}")
        assert len(accuracies) == len(results[name]["seconds"]) == 2
    assert cv2.imread(str(tmp_path / "optimizers.png")).shape == (660, 1440, 3)


def test_only_the_optimizer_differs_and_a_diverging_one_does_no_harm(run_script, cifar10, tmp_path):
    def train(lr):
        options = ("--dataset", cifar10, "--output", tmp_path, "--epochs", 3, "--lr", lr)
        run_script("optimizers/compare_optimizers.py", *options, "--optimizers", "SGD", "Adam")
        return json.loads((tmp_path / "optimizers.json").read_text())

    results = train(1e-30)  # nothing is learned: what is left are the weights and the batches
    for key in ("loss", "val_loss", "accuracy"):
        assert results["SGD"][key] == results["Adam"][key]
    results = train(1e38)
    assert results["SGD"]["loss"][-1] is None
    assert (tmp_path / "optimizers.png").exists()
