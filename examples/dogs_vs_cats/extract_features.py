"""Turn the dogs vs. cats photographs into the features of a trained network.

    python examples/dogs_vs_cats/extract_features.py --output output/features.hdf5

The book's backbone is ResNet50 with its ImageNet weights: 2,048 features after average pooling.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse

from sklearn.utils import shuffle

from config import dogs_vs_cats_config as config
from photographs import find_photographs
from pyimagesearch.training.backbone import add_backbone_options, load_backbone
from pyimagesearch.training.features import extract_features
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", default=config.DATASET, help="folder that holds train/")
    ap.add_argument("-o", "--output", required=True, help="HDF5 file to write")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=16, help="images in a batch")
    ap.add_argument(
        "-s", "--buffer-size", type=positive_int, default=1000, help="rows written at once"
    )
    ap.add_argument(
        "-n", "--limit", type=positive_int, help="use only so many images of each class"
    )
    ap.add_argument("--seed", type=int, default=config.SEED, help="seed of the order")
    ap.add_argument("--strict", action="store_true", help="stop at the first unreadable image")
    ap.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    add_backbone_options(ap, "resnet50")
    args = vars(ap.parse_args())

    # shuffled, since train_model.py trains on the first rows and tests on the last ones
    paths, labels = find_photographs(args["dataset"], args["limit"])
    paths, labels = shuffle(paths, labels, random_state=args["seed"])

    print(f"[INFO] loading {args['backbone']}...")
    backbone = load_backbone(
        args["backbone"],
        args["weights"],
        pooling="avg",
        preprocessing=args["preprocessing"],
        unsafe=args["unsafe"],
    )
    print(f"[INFO] extracting {backbone.features} features of each image...")
    bar = progress("images", len(paths))
    skipped = extract_features(
        paths,
        labels,
        backbone,
        args["output"],
        classLabels=config.CLASSES,
        batchSize=args["batch_size"],
        bufSize=args["buffer_size"],
        strict=args["strict"],
        overwrite=args["overwrite"],
        progress=bar.update,
    )
    bar.finish()
    report_skipped(skipped)


if __name__ == "__main__":
    run(main)
