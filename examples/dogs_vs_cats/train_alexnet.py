"""Train AlexNet on the HDF5 files that build_dogs_vs_cats.py wrote.

    python examples/dogs_vs_cats/train_alexnet.py

Writes to output/dogs_vs_cats/: alexnet.keras, the learning curve alexnet.png, its numbers
alexnet.json, and checkpoints/epoch_N.keras. The first ctrl+c stops and prints the command that
goes on from the last finished epoch; add another --lr to it for the book's ctrl+c method. After a
kill, --resume goes on by itself.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import sys
from pathlib import Path

import keras

from config import dogs_vs_cats_config as config
from pyimagesearch.callbacks import DataWait, EpochCheckpoint, EpochSeed, StopOnNaN, TrainingMonitor
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import AlexNet
from pyimagesearch.preprocessing import (
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.training.hdf5 import read_means
from pyimagesearch.training.resume import (
    add_resume_options,
    checkpoint_to_resume,
    explain_interrupt,
    load_checkpoint,
)
from pyimagesearch.training.saving import save_model
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.script import positive_float, positive_int, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.HDF5, help="folder of train.hdf5, val.hdf5")
    ap.add_argument("-o", "--output", default=config.OUTPUT, help="folder to write")
    ap.add_argument("-e", "--epochs", type=positive_int, default=75, help="epochs in all")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=128, help="images in a batch")
    ap.add_argument(
        "-l", "--lr", type=positive_float, help="learning rate (default: 1e-3, or the checkpoint's)"
    )
    ap.add_argument("--reg", type=float, default=0.0002, help="L2 weight decay of a new network")
    ap.add_argument("--seed", type=int, default=config.SEED, help="seed of weights, order, crops")
    ap.add_argument(
        "--every", type=positive_int, default=5, help="keep every N-th checkpoint, and the last"
    )
    add_resume_options(ap)
    add_speed_options(ap)
    ap.add_argument("--data-wait", action="store_true", help="say how long epochs wait for data")
    args = vars(ap.parse_args())
    set_precision(args)
    seed, dataset, output = args["seed"], Path(args["dataset"]), Path(args["output"])
    checkpoints = output / "checkpoints"
    previous, start = checkpoint_to_resume(args, checkpoints)

    # training sees a random 227x227 patch of each 256x256 image, validation the whole image
    means = read_means(dataset / "mean.json")
    pp = PatchPreprocessor(config.INPUT_SIZE, config.INPUT_SIZE)
    sp = SimplePreprocessor(config.INPUT_SIZE, config.INPUT_SIZE)
    mp = MeanPreprocessor(means["R"], means["G"], means["B"])
    iap = ImageToArrayPreprocessor()
    aug = ImageDataGenerator(
        rotation_range=20,
        zoom_range=0.15,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=8.6,  # degrees: 0.15 radians in the book
        horizontal_flip=True,
        fill_mode="nearest",
    )

    print("[INFO] building model...")
    keras.utils.set_random_seed(seed)
    model = AlexNet.build(
        width=config.INPUT_SIZE,
        height=config.INPUT_SIZE,
        depth=3,
        classes=len(config.CLASSES),
        reg=args["reg"],
    )
    if previous:
        print(f"[INFO] loading {previous}...")
        model = load_checkpoint(
            previous, start, args["lr"], like=model, options=args, unsafe=args["unsafe"]
        )
    else:
        model.compile(
            loss="binary_crossentropy",
            metrics=["accuracy"],
            optimizer=keras.optimizers.Adam(
                learning_rate=1e-3 if args["lr"] is None else args["lr"]
            ),
        )

    checkpoint = EpochCheckpoint(
        checkpoints,
        args["every"],
        start,
        latest=True,
        keep=args["keep"],
        resumeFrom=previous,
        options=args,
    )
    callbacks = [
        EpochSeed(seed),
        StopOnNaN(checkpoint),
        TrainingMonitor(output / "alexnet.png", output / "alexnet.json", start),
        checkpoint,
    ]
    with (
        HDF5DatasetGenerator(
            dataset / "train.hdf5",
            args["batch_size"],
            [pp, mp, iap],
            aug,
            classes=len(config.CLASSES),
            shuffle=True,
            seed=seed,
        ) as train,
        HDF5DatasetGenerator(
            dataset / "val.hdf5", args["batch_size"], [sp, mp, iap], classes=len(config.CLASSES)
        ) as val,
    ):
        speed_up(model, args, steps=len(train))
        batches = train.generator(startPass=start)
        if args["data_wait"]:
            callbacks.append(DataWait(batches))
        print(f"[INFO] training on {train.numImages} images, validating on {val.numImages}...")
        try:
            model.fit(
                batches,
                shuffle=False,  # the generator does it
                steps_per_epoch=len(train),
                validation_data=val.generator(passes=1),
                validation_steps=len(val),
                epochs=args["epochs"],
                initial_epoch=start,
                callbacks=callbacks,
            )
        except KeyboardInterrupt:
            explain_interrupt(checkpoint, args)
            sys.exit(130)

    save_model(model, output / "alexnet.keras")


if __name__ == "__main__":
    run(main)
