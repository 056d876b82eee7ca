"""Paths and numbers of the chapter on ResNet and Tiny ImageNet."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

# train.hdf5, val.hdf5, test.hdf5 and mean.json, as ../deepergooglenet/build_tiny_imagenet.py
# writes them: both chapters share these files
HDF5 = PROJECT / "datasets" / "tiny-imagenet-200" / "hdf5"
OUTPUT = PROJECT / "output" / "resnet_tinyimagenet"

SEED = 42
SIZE = 64  # pixels a side at the network's input

STAGES = (3, 4, 6)  # residual modules of each stage
FILTERS = (64, 128, 256, 512)  # channels of the stem, then of each stage
