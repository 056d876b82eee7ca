"""Train a logistic regression on the features that extract_features.py wrote.

    python examples/feature_extraction/train_model.py --db output/flowers17_features.hdf5 \\
        --model output/flowers17.skops
"""

import argparse

from sklearn.metrics import accuracy_score, classification_report

from pyimagesearch.training.classifier import (
    first_part,
    read_features,
    save_classifier,
    train_classifier,
)
from pyimagesearch.utils.script import run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--db", required=True, help="HDF5 file of features")
    ap.add_argument("-m", "--model", required=True, help=".skops file to write")
    ap.add_argument("-j", "--jobs", type=int, default=-1, help="processes at work, -1: every core")
    args = vars(ap.parse_args())

    # the rows are shuffled: the first three quarters are for training, the rest for testing
    features, labels, names = read_features(args["db"])
    i = first_part(len(labels))

    print("[INFO] tuning hyperparameters...")
    search = train_classifier(
        features[:i], labels[:i], names, [0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0], jobs=args["jobs"]
    )
    print(f"[INFO] best hyperparameters: {search.best_params_}")

    print("[INFO] evaluating...")
    preds = search.predict(features[i:])
    print(
        classification_report(
            labels[i:], preds, labels=range(len(names)), target_names=names, zero_division=0
        )
    )
    print(f"[INFO] score: {accuracy_score(labels[i:], preds):.4f}")

    print(f"[INFO] saving {args['model']}...")
    save_classifier(args["model"], search.best_estimator_, names)


if __name__ == "__main__":
    run(main)
