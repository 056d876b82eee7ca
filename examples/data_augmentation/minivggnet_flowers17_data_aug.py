"""Train MiniVGGNet on Flowers-17 with data augmentation.

    python examples/data_augmentation/minivggnet_flowers17_data_aug.py \\
        --dataset datasets/flowers17/images

The data set has one folder for each species. Compare minivggnet_flowers17.py.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import keras
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

from pyimagesearch.callbacks import StopOnNaN, TrainingMonitor
from pyimagesearch.datasets import SimpleDatasetLoader, list_class_folders
from pyimagesearch.nn.conv import MiniVGGNet
from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    ImageDataGenerator,
    ImageToArrayPreprocessor,
)
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.script import positive_float, positive_int, run

OUTPUT = Path(__file__).resolve().parents[2] / "output" / "data_augmentation"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", required=True, help="folder of class folders")
    ap.add_argument("-o", "--output", default=OUTPUT, help="folder of the plot and history")
    ap.add_argument("-e", "--epochs", type=positive_int, default=100, help="number of epochs")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=32, help="images in a batch")
    ap.add_argument("-l", "--lr", type=positive_float, default=0.05, help="learning rate of SGD")
    ap.add_argument("--seed", type=int, default=42, help="seed of the split and the weights")
    add_speed_options(ap)
    args = vars(ap.parse_args())
    set_precision(args)
    keras.utils.set_random_seed(args["seed"])

    print("[INFO] loading images...")
    paths, _, names = list_class_folders(args["dataset"])
    loader = SimpleDatasetLoader([AspectAwarePreprocessor(64, 64), ImageToArrayPreprocessor()])
    data, labels = loader.load(paths, verbose=500)
    trainX, testX, trainY, testY = train_test_split(
        data / 255.0,
        keras.utils.to_categorical([names.index(label) for label in labels], len(names)),
        test_size=0.25,
        random_state=args["seed"],
    )

    aug = ImageDataGenerator(
        rotation_range=30,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=11.5,  # degrees: 0.2 radians in the book
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
    )

    print("[INFO] compiling model...")
    model = MiniVGGNet.build(width=64, height=64, depth=3, classes=len(names))
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=args["lr"]),
        metrics=["accuracy"],
    )
    speed_up(model, args)

    print(f"[INFO] training on {len(trainX)} images, validating on {len(testX)}...")
    figure = Path(args["output"]) / "minivggnet_flowers17_data_aug.png"
    model.fit(
        aug.flow(trainX, trainY, batch_size=args["batch_size"], seed=args["seed"]),
        shuffle=False,  # the flow does it
        validation_data=(testX, testY),
        epochs=args["epochs"],
        callbacks=[StopOnNaN(), TrainingMonitor(figure, figure.with_suffix(".json"))],
    )

    print("[INFO] evaluating network...")
    preds = model.predict(testX, batch_size=args["batch_size"], verbose=0)
    print(
        classification_report(
            testY.argmax(axis=1),
            preds.argmax(axis=1),
            labels=range(len(names)),
            target_names=names,
            zero_division=0,
        )
    )
    print(f"[INFO] learning curve: {figure}")


if __name__ == "__main__":
    run(main)
