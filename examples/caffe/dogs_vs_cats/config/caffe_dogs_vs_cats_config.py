"""Paths and numbers of Caffe's dogs vs. cats tutorial.

The prototxt files beside this folder name the same places: change both.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[4]

# train/cat.0.jpg ... train/dog.12499.jpg and test1/1.jpg ... as Kaggle's zip files unpack
DATASET = PROJECT / "datasets" / "kaggle_dogs_vs_cats"
UNLABELLED = DATASET / "test1"

OUTPUT = PROJECT / "output" / "caffe" / "dogs_vs_cats"
TRAIN_LMDB = OUTPUT / "train_lmdb"
VALIDATION_LMDB = OUTPUT / "validation_lmdb"
MEAN = OUTPUT / "mean.binaryproto"
SUBMISSION = OUTPUT / "submission.csv"

CLASSES = ["cat", "dog"]  # in the order of their labels, 0 and 1
EVERY = 6  # every sixth image is for validation
SIZE = 227  # pixels a side that CaffeNet sees
SEED = 42
