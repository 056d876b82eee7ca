"""Give a trained network a new head, warm the head up, then train the last layers with it.

    python examples/fine_tuning/finetune_flowers17.py --dataset datasets/flowers17/images \\
        --model output/flowers17.keras

The book's network is VGG16 with its ImageNet weights; layers from index 15 on are its last block.
inspect_model.py shows the indices of another network, for --unfreeze.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse

import keras
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

from pyimagesearch.callbacks import StopOnNaN, TrainingMonitor
from pyimagesearch.datasets import SimpleDatasetLoader, list_class_folders
from pyimagesearch.nn.conv import FCHeadNet
from pyimagesearch.preprocessing import AspectAwarePreprocessor, ImageDataGenerator
from pyimagesearch.training.backbone import add_backbone_options, load_backbone
from pyimagesearch.training.saving import model_path, save_model
from pyimagesearch.training.speed import add_speed_options, set_precision, speed_up
from pyimagesearch.utils.script import positive_float, positive_int, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", required=True, help="folder of class folders")
    ap.add_argument("-m", "--model", required=True, type=model_path, help=".keras file to write")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=32, help="images in a batch")
    ap.add_argument(
        "--warm-up-epochs", type=positive_int, default=25, help="epochs of the head alone"
    )
    ap.add_argument("-e", "--epochs", type=positive_int, default=100, help="epochs of fine-tuning")
    ap.add_argument(
        "--warm-up-lr", type=positive_float, default=0.001, help="learning rate of RMSprop"
    )
    ap.add_argument("-l", "--lr", type=positive_float, default=0.001, help="learning rate of SGD")
    ap.add_argument("--pooling", choices=["avg"], help="average the body's maps before the head")
    ap.add_argument("--unfreeze", type=int, default=15, help="first layer to fine-tune")
    ap.add_argument("--seed", type=int, default=42, help="seed of split, weights, augmentation")
    add_backbone_options(ap, "vgg16")
    add_speed_options(ap)
    args = vars(ap.parse_args())
    set_precision(args)
    keras.utils.set_random_seed(args["seed"])
    seed, batch_size, path = args["seed"], args["batch_size"], args["model"]

    paths, _, names = list_class_folders(args["dataset"])
    print(f"[INFO] loading {args['backbone']}...")
    backbone = load_backbone(
        args["backbone"],
        args["weights"],
        pooling=args["pooling"],
        preprocessing=args["preprocessing"],
        unsafe=args["unsafe"],
    )
    body = backbone.model
    if args["mixed_precision"]:
        for layer in body.layers:  # those of a file have the precision that they were saved with
            layer.dtype_policy = keras.config.dtype_policy()
    if not 0 < args["unfreeze"] < len(body.layers):
        raise ValueError(
            f"--unfreeze must be the index of one of the {len(body.layers)} layers that "
            f"inspect_model.py lists. Received: {args['unfreeze']}."
        )

    print("[INFO] loading images...")
    aap = AspectAwarePreprocessor(backbone.width, backbone.height)
    data, labels = SimpleDatasetLoader([aap]).load(paths, verbose=500)
    trainX, testX, trainY, testY = train_test_split(
        data[..., ::-1],  # RGB, as the network was trained
        keras.utils.to_categorical([names.index(label) for label in labels], len(names)),
        test_size=0.25,
        random_state=seed,
    )
    aug = ImageDataGenerator(
        rotation_range=30,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=11.5,  # degrees: 0.2 radians in the book
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
        preprocessing_function=backbone.preprocess,
    )
    plain = ImageDataGenerator(preprocessing_function=backbone.preprocess)
    test = plain.flow(testX, testY, batch_size=batch_size, shuffle=False)

    # the random head would send large gradients into the body: the body stands still at first
    head = FCHeadNet.build(body, len(names), 256)
    model = keras.Model(body.input, head)
    for layer in body.layers:
        layer.trainable = False

    phases = {
        "head": (
            keras.optimizers.RMSprop(learning_rate=args["warm_up_lr"]),
            args["warm_up_epochs"],
        ),
        "last layers": (keras.optimizers.SGD(learning_rate=args["lr"]), args["epochs"]),
    }
    for phase, (optimizer, epochs) in phases.items():
        if phase == "last layers":
            for layer in body.layers[args["unfreeze"] :]:
                layer.trainable = True
        print(f"[INFO] training {phase}...")
        model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
        speed_up(model, args)
        figure = path.with_name(f"{path.stem}_{phase.replace(' ', '_')}.png")
        model.fit(
            aug.flow(trainX, trainY, batch_size=batch_size, seed=seed),
            shuffle=False,  # the flow does it
            validation_data=test,
            epochs=epochs,
            callbacks=[StopOnNaN(), TrainingMonitor(figure, figure.with_suffix(".json"))],
        )
        print(f"[INFO] evaluating after training {phase}...")
        preds = model.predict(test, verbose=0)
        print(
            classification_report(
                testY.argmax(axis=1),
                preds.argmax(axis=1),
                labels=range(len(names)),
                target_names=names,
                zero_division=0,
            )
        )

    save_model(model, path)


if __name__ == "__main__":
    run(main)
