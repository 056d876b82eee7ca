"""Average the probabilities of several networks, and compare them with their average.

    python examples/ensembles/test_ensemble.py --dataset datasets/cifar10

--models is the folder that train_models.py wrote; every .keras file in it takes part.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import numpy as np
from sklearn.metrics import classification_report

from pyimagesearch.datasets import load_cifar10
from pyimagesearch.training.saving import add_unsafe_option, read_model
from pyimagesearch.utils.script import positive_int, run

OUTPUT = Path(__file__).resolve().parents[2] / "output" / "ensembles"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", help="folder of cifar-10-batches-py (default: download)")
    ap.add_argument("-m", "--models", default=OUTPUT / "models", help="folder of the networks")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    add_unsafe_option(ap)
    args = vars(ap.parse_args())

    print("[INFO] loading models...")
    models = load_models(Path(args["models"]), args["unsafe"])
    print("[INFO] loading CIFAR-10...")
    _, (testX, testY), names = load_cifar10(args["dataset"])
    testX = testX.astype("float32") / 255
    check_shapes(models, (None, *testX.shape[1:]), (None, len(names)))

    print(f"[INFO] evaluating {len(models)} networks on {len(testX)} images...")
    predictions, accuracies = [], []
    for path, model in models.items():
        preds = model.predict(testX, batch_size=args["batch_size"], verbose=0)
        predictions.append(preds)
        accuracies.append(np.mean(preds.argmax(axis=1) == testY))
        print(f"[INFO] {path.name}: {accuracies[-1]:.2%}")

    average = np.mean(predictions, axis=0).argmax(axis=1)
    print(
        classification_report(
            testY, average, labels=range(len(names)), target_names=names, zero_division=0
        )
    )
    print(f"[INFO] mean of the networks: {np.mean(accuracies):.2%}")
    print(f"[INFO] ensemble: {np.mean(average == testY):.2%}")


def load_models(folder, unsafe):
    """Return path -> model for the .keras files of a folder, model_2 before model_10."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Train networks: train_models.py.")
    paths = sorted(folder.glob("*.keras"), key=lambda path: (len(path.name), path.name))
    models = {path: read_model(path, compile=False, unsafe=unsafe) for path in paths}
    if not models:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise FileNotFoundError(
            f"There are no .keras files in {folder}. Found: {found}. "
            "Give the folder that train_models.py wrote."
        )
    return models


def check_shapes(models, inputs, outputs):
    """Raise a ValueError unless all networks map `inputs` to `outputs`."""
    for path, model in models.items():
        if (model.input_shape, model.output_shape) != (inputs, outputs):
            raise ValueError(
                f"The networks of an ensemble must map {inputs[1:]} images to {outputs[1]} "
                f"probabilities. {path} maps {model.input_shape} to {model.output_shape}. "
                "Move it out of the folder."
            )


if __name__ == "__main__":
    run(main)
