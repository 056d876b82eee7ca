"""Paths and numbers of the dogs vs. cats chapter."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

# train/cat.0.jpg ... train/dog.12499.jpg as Kaggle's train.zip unpacks
DATASET = PROJECT / "datasets" / "kaggle_dogs_vs_cats"
# build_dogs_vs_cats.py writes train.hdf5, val.hdf5, test.hdf5 and mean.json here
HDF5 = DATASET / "hdf5"
OUTPUT = PROJECT / "output" / "dogs_vs_cats"

CLASSES = ["cat", "dog"]  # in the order of their labels, 0 and 1
VAL_FRACTION = 0.1
TEST_FRACTION = 0.1
SEED = 42

STORED_SIZE = 256  # pixels a side in the HDF5 files
INPUT_SIZE = 227  # pixels a side that AlexNet sees
