"""Turn a folder of class folders into the features of a trained network.

    python examples/feature_extraction/extract_features.py --dataset datasets/flowers17/images \\
        --output output/flowers17_features.hdf5

The book's backbone is VGG16 with its ImageNet weights: 512 maps of 7x7, 25,088 features.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse

from sklearn.utils import shuffle

from pyimagesearch.datasets import list_class_folders
from pyimagesearch.training.backbone import add_backbone_options, load_backbone
from pyimagesearch.training.features import extract_features
from pyimagesearch.utils.script import positive_int, progress, report_skipped, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", required=True, help="folder of class folders")
    ap.add_argument("-o", "--output", required=True, help="HDF5 file to write")
    ap.add_argument("-b", "--batch-size", type=positive_int, default=32, help="images in a batch")
    ap.add_argument(
        "-s", "--buffer-size", type=positive_int, default=1000, help="rows written at once"
    )
    ap.add_argument("--pooling", choices=["avg"], help="average each feature map")
    ap.add_argument("--seed", type=int, default=42, help="seed of the order")
    ap.add_argument("--strict", action="store_true", help="stop at the first unreadable image")
    ap.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    add_backbone_options(ap, "vgg16")
    args = vars(ap.parse_args())

    # shuffled, since train_model.py trains on the first rows and tests on the last ones
    paths, labels, names = list_class_folders(args["dataset"])
    paths, labels = shuffle(paths, labels, random_state=args["seed"])
    print(f"[INFO] {len(paths)} images of {len(names)} classes")

    print(f"[INFO] loading {args['backbone']}...")
    backbone = load_backbone(
        args["backbone"],
        args["weights"],
        pooling=args["pooling"],
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
        classLabels=names,
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
