"""Train several MiniVGGNets on CIFAR-10 that differ only in their random seed.

    python examples/ensembles/train_models.py --dataset datasets/cifar10

Network i gets the seed --seed + i. Writes model_i.keras to the folder --models, and to --output
its classification report model_i.txt, learning curve model_i.png and history model_i.json. A
network that is there already is kept, so that the same command goes on after an interruption;
after a change of the options give --overwrite, or other folders. test_ensemble.py comes next.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import keras
from sklearn.metrics import classification_report

from pyimagesearch.callbacks import StopOnNaN, TrainingMonitor
from pyimagesearch.datasets import load_cifar10
from pyimagesearch.nn.conv import MiniVGGNet
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import positive_float, positive_int, run

OUTPUT = Path(__file__).resolve().parents[2] / "output" / "ensembles"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", help="folder of cifar-10-batches-py (default: download)")
    ap.add_argument("-o", "--output", default=OUTPUT, help="folder of reports and curves")
    ap.add_argument("-m", "--models", default=OUTPUT / "models", help="folder of the networks")
    ap.add_argument("-n", "--num-models", type=positive_int, default=5, help="number of networks")
    ap.add_argument("-e", "--epochs", type=positive_int, default=40, help="epochs of each network")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    ap.add_argument(
        "-l", "--lr", type=positive_float, default=0.01, help="learning rate at the start"
    )
    ap.add_argument("--seed", type=int, default=42, help="seed of the first network")
    ap.add_argument("--limit", type=positive_int, help="train on the first N images only")
    ap.add_argument("--overwrite", action="store_true", help="train existing networks anew")
    add_speed_options(ap)
    args = vars(ap.parse_args())
    set_precision(args)
    output, models = Path(args["output"]), Path(args["models"])

    print("[INFO] loading CIFAR-10...")
    (trainX, trainY), (testX, testY), names = load_cifar10(args["dataset"], limit=args["limit"])
    trainX, testX = trainX.astype("float32") / 255, testX.astype("float32") / 255
    trainY = keras.utils.to_categorical(trainY, len(names))
    testY = keras.utils.to_categorical(testY, len(names))
    aug = ImageDataGenerator(
        rotation_range=10,
        width_shift_range=0.1,
        height_shift_range=0.1,
        horizontal_flip=True,
        fill_mode="nearest",
    )

    for i in range(args["num_models"]):
        path, seed = models / f"model_{i}.keras", args["seed"] + i
        if path.exists() and not args["overwrite"]:
            print(f"[INFO] keeping model {i + 1}/{args['num_models']}, {path}")
            continue
        print(f"[INFO] training model {i + 1}/{args['num_models']} with seed {seed}...")
        keras.utils.set_random_seed(seed)
        model = MiniVGGNet.build(width=32, height=32, depth=3, classes=len(names))
        decay = keras.optimizers.schedules.InverseTimeDecay(  # every batch a little
            args["lr"], decay_steps=1, decay_rate=args["lr"] / args["epochs"]
        )
        model.compile(
            loss="categorical_crossentropy",
            optimizer=keras.optimizers.SGD(learning_rate=decay, momentum=0.9, nesterov=True),
            metrics=["accuracy"],
        )
        speed_up(model, args)
        figure = output / f"model_{i}.png"
        model.fit(
            aug.flow(trainX, trainY, batch_size=args["batch_size"], seed=seed),
            shuffle=False,  # the flow does it
            validation_data=(testX, testY),
            epochs=args["epochs"],
            callbacks=[StopOnNaN(), TrainingMonitor(figure, figure.with_suffix(".json"))],
        )
        preds = model.predict(testX, batch_size=args["batch_size"], verbose=0)
        report = classification_report(
            testY.argmax(axis=1),
            preds.argmax(axis=1),
            labels=range(len(names)),
            target_names=names,
            zero_division=0,
        )
        print(report)
        with replacing(figure.with_suffix(".txt")) as temporary:
            temporary.write_text(report)
        with replacing(path) as temporary:  # last: where it exists, all the others do
            model.save(temporary)

    print(f"[INFO] networks: {models}")


if __name__ == "__main__":
    run(main)
