"""Paths and numbers of the DeeperGoogLeNet chapter."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

# wnids.txt, words.txt, train/ and val/ as tiny-imagenet-200.zip unpacks
DATASET = PROJECT / "datasets" / "tiny-imagenet-200"
# build_tiny_imagenet.py writes train.hdf5, val.hdf5, test.hdf5 and mean.json here
HDF5 = DATASET / "hdf5"
OUTPUT = PROJECT / "output" / "deepergooglenet"

TEST_PER_CLASS = 50  # of the 500 training images; the labels of the real test images are secret
SEED = 42

SIZE = 64  # pixels a side, in the HDF5 files and at the network's input
