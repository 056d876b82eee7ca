"""Train ResNet on the HDF5 files of examples/deepergooglenet/build_tiny_imagenet.py.

    python examples/resnet_tinyimagenet/train.py
    python examples/resnet_tinyimagenet/train.py --start-epoch 25 --lr 1e-2 \\
        --model output/resnet_tinyimagenet/checkpoints/epoch_25.keras

Writes to output/resnet_tinyimagenet/: resnet.keras, the learning curve resnet.png, its numbers
resnet.json, and checkpoints/epoch_N.keras.

The first command is the book's experiment with a rate of 0.1. Its ctrl+c method: look at the curve,
stop with ctrl+c when it flattens, and go on with a tenth of the rate (0.01, then 0.001). The script
prints the command that goes on; change the --lr in it. After a kill, --resume goes on.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
import sys
from pathlib import Path

import keras

from config import tiny_imagenet_config as config
from pyimagesearch.callbacks import DataWait, EpochCheckpoint, EpochSeed, StopOnNaN, TrainingMonitor
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import ResNet
from pyimagesearch.preprocessing import (
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.training.hdf5 import count_classes, read_means
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
    ap.add_argument("-c", "--checkpoints", help="their folder (default: OUTPUT/checkpoints)")
    ap.add_argument("-e", "--epochs", type=positive_int, default=75, help="epochs in all")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=64, help="images in a batch")
    ap.add_argument(
        "-l", "--lr", type=positive_float, help="learning rate (default: 0.1, or the checkpoint's)"
    )
    ap.add_argument("--reg", type=float, default=0.0005, help="L2 weight decay of a new network")
    ap.add_argument("--seed", type=int, default=config.SEED, help="seed of weights, order, images")
    ap.add_argument(
        "--every", type=positive_int, default=5, help="keep every N-th checkpoint, and the last"
    )
    add_resume_options(ap)
    add_speed_options(ap)
    ap.add_argument("--data-wait", action="store_true", help="say how long epochs wait for data")
    args = vars(ap.parse_args())
    set_precision(args)
    seed, dataset, output = args["seed"], Path(args["dataset"]), Path(args["output"])
    checkpoints = args["checkpoints"] or output / "checkpoints"
    previous, start = checkpoint_to_resume(args, checkpoints)

    means = read_means(dataset / "mean.json")
    sp = SimplePreprocessor(config.SIZE, config.SIZE)
    mp = MeanPreprocessor(means["R"], means["G"], means["B"])
    iap = ImageToArrayPreprocessor()
    aug = ImageDataGenerator(
        rotation_range=18,
        zoom_range=0.15,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=8.6,  # degrees: 0.15 radians in the book
        horizontal_flip=True,
        fill_mode="nearest",
    )

    classes = count_classes(dataset / "train.hdf5")
    print("[INFO] building model...")
    keras.utils.set_random_seed(seed)
    model = ResNet.build(
        width=config.SIZE,
        height=config.SIZE,
        depth=3,
        classes=classes,
        stages=config.STAGES,
        filters=config.FILTERS,
        reg=args["reg"],
        dataset="tiny_imagenet",
    )
    if previous:
        print(f"[INFO] loading {previous}...")
        model = load_checkpoint(
            previous, start, args["lr"], like=model, options=args, unsafe=args["unsafe"]
        )
    else:
        rate = 0.1 if args["lr"] is None else args["lr"]
        model.compile(
            loss="categorical_crossentropy",
            optimizer=keras.optimizers.SGD(learning_rate=rate, momentum=0.9),
            metrics=["accuracy"],
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
        TrainingMonitor(output / "resnet.png", output / "resnet.json", start),
        checkpoint,
    ]
    with (
        HDF5DatasetGenerator(
            dataset / "train.hdf5",
            args["batch_size"],
            [sp, mp, iap],
            aug,
            classes=classes,
            shuffle=True,
            seed=seed,
        ) as train,
        HDF5DatasetGenerator(
            dataset / "val.hdf5", args["batch_size"], [sp, mp, iap], classes=classes
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

    save_model(model, output / "resnet.keras")


if __name__ == "__main__":
    run(main)
