"""Measure the rank-1 and rank-5 accuracy of a classifier that train_model.py wrote.

    python examples/feature_extraction/rank_accuracy.py --db output/flowers17_features.hdf5 \\
        --model output/flowers17.skops
"""

import argparse

from pyimagesearch.training.classifier import (
    check_belongs,
    first_part,
    load_classifier,
    read_features,
)
from pyimagesearch.utils.ranked import rank5_accuracy
from pyimagesearch.utils.script import run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--db", required=True, help="HDF5 file of features")
    ap.add_argument("-m", "--model", required=True, help=".skops file of the classifier")
    args = vars(ap.parse_args())

    print("[INFO] loading pre-trained model...")
    model, model_names = load_classifier(args["model"])
    features, labels, names = read_features(args["db"])
    check_belongs(model, model_names, features, names)
    i = first_part(len(labels))

    print("[INFO] predicting...")
    rank1, rank5 = rank5_accuracy(model.predict_proba(features[i:]), labels[i:])
    print(f"[INFO] rank-1: {rank1:.2%}")
    print(f"[INFO] rank-5: {rank5:.2%}")


if __name__ == "__main__":
    run(main)
