"""Train ResNet on CIFAR-10 with a learning rate that falls on a straight line to 0.

    python examples/resnet_cifar10/resnet_cifar10_decay.py --dataset datasets/cifar10

The line is as long as the training: --epochs. Writes the network to --model with its mean image
beside it (resnet_decay_mean.npy: subtract it from an RGB image before you predict), and to
--output the learning curve, its numbers and checkpoints_decay/. The first ctrl+c stops and prints
the command that goes on; after a kill, --resume does it. Compare resnet_cifar10.py.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import sys
from pathlib import Path

import keras
import numpy as np

from pyimagesearch.callbacks import EpochCheckpoint, EpochSeed, StopOnNaN, TrainingMonitor
from pyimagesearch.datasets import load_cifar10
from pyimagesearch.nn.conv import ResNet
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training.resume import (
    add_resume_options,
    checkpoint_to_resume,
    explain_interrupt,
    load_checkpoint,
)
from pyimagesearch.training.saving import model_path, save_model
from pyimagesearch.training.schedules import polynomial_decay
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import positive_float, positive_int, run

OUTPUT = Path(__file__).resolve().parents[2] / "output" / "resnet_cifar10"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", help="folder of cifar-10-batches-py (default: download)")
    ap.add_argument(
        "-m",
        "--model",
        type=model_path,
        default=OUTPUT / "resnet_decay.keras",
        help=".keras file to write",
    )
    ap.add_argument("-o", "--output", default=OUTPUT, help="folder of the curve and checkpoints")
    ap.add_argument("-e", "--epochs", type=positive_int, default=100, help="epochs in all")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=128, help="images in a batch")
    ap.add_argument(
        "-l", "--lr", type=positive_float, default=1e-1, help="learning rate at the start"
    )
    ap.add_argument(
        "-p", "--power", type=positive_float, default=1.0, help="of the polynomial decay"
    )
    ap.add_argument("--reg", type=float, default=0.0005, help="L2 weight decay of a new network")
    ap.add_argument("--stages", type=int, nargs="+", default=[9, 9, 9], help="modules per stage")
    ap.add_argument(
        "--filters",
        type=int,
        nargs="+",
        default=[64, 64, 128, 256],
        help="channels of the stem and of each stage",
    )
    ap.add_argument("--seed", type=int, default=42, help="seed of weights, order, augmentation")
    ap.add_argument("--limit", type=positive_int, help="train on the first N images only")
    add_resume_options(ap, decay=True)
    add_speed_options(ap)
    args = vars(ap.parse_args())
    set_precision(args)
    seed, output = args["seed"], Path(args["output"])
    checkpoints = output / "checkpoints_decay"
    previous, start = checkpoint_to_resume(args, checkpoints, decay=True)
    schedule = polynomial_decay(args["lr"], args["epochs"], args["power"])

    print("[INFO] loading CIFAR-10...")
    (trainX, trainY), (testX, testY), names = load_cifar10(args["dataset"], limit=args["limit"])
    mean = trainX.mean(axis=0, dtype="float64").astype("float32")
    trainX, testX = trainX - mean, testX - mean
    trainY = keras.utils.to_categorical(trainY, len(names))
    testY = keras.utils.to_categorical(testY, len(names))
    aug = ImageDataGenerator(
        width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True, fill_mode="nearest"
    )

    print("[INFO] building model...")
    keras.utils.set_random_seed(seed)
    model = ResNet.build(
        width=32,
        height=32,
        depth=3,
        classes=len(names),
        stages=args["stages"],
        filters=args["filters"],
        reg=args["reg"],
    )
    if previous:
        print(f"[INFO] loading {previous}...")
        model = load_checkpoint(previous, start, like=model, options=args)
    else:
        model.compile(
            loss="categorical_crossentropy",
            optimizer=keras.optimizers.SGD(learning_rate=args["lr"], momentum=0.9),
            metrics=["accuracy"],
        )
    speed_up(model, args)

    checkpoint = EpochCheckpoint(
        checkpoints,
        5,
        start,
        latest=True,
        keep=args["keep"],
        resumeFrom=previous,
        options=args,
    )
    figure = output / "resnet_decay.png"
    print(f"[INFO] training on {len(trainX)} images, validating on {len(testX)}...")
    try:
        model.fit(
            aug.flow(trainX, trainY, batch_size=args["batch_size"], seed=seed, start_pass=start),
            shuffle=False,  # the flow does it
            validation_data=(testX, testY),
            epochs=args["epochs"],
            initial_epoch=start,
            callbacks=[
                EpochSeed(seed),
                keras.callbacks.LearningRateScheduler(schedule),
                StopOnNaN(checkpoint),
                TrainingMonitor(figure, figure.with_suffix(".json"), start),
                checkpoint,
            ],
        )
    except KeyboardInterrupt:
        explain_interrupt(checkpoint, args, decay=True)
        sys.exit(130)

    save_model(model, args["model"])
    with replacing(args["model"].with_name(args["model"].stem + "_mean.npy")) as temporary:
        np.save(temporary, mean)


if __name__ == "__main__":
    run(main)
