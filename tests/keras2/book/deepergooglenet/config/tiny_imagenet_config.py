import os
from os import path

TRAIN_IMAGES = "../datasets/tiny-imagenet-200/train"
VAL_IMAGES = "../datasets/tiny-imagenet-200/val/images"
VAL_MAPPINGS = "../datasets/tiny-imagenet-200/val/val_annotations.txt"
WORDNET_IDS = "../datasets/tiny-imagenet-200/wnids.txt"
WORD_LABELS = "../datasets/tiny-imagenet-200/words.txt"

# smaller numbers for a dry run
NUM_CLASSES = int(os.environ.get("CLASSES", 200))
NUM_TEST_IMAGES = int(os.environ.get("TEST_PER_CLASS", 50)) * NUM_CLASSES
EVERY = int(os.environ.get("EVERY", 5))
BATCH_SIZE = int(os.environ.get("BATCH_SIZE", 64))
EPOCHS = int(os.environ.get("EPOCHS", 10))

TRAIN_HDF5 = "../datasets/tiny-imagenet-200/hdf5/train.hdf5"
VAL_HDF5 = "../datasets/tiny-imagenet-200/hdf5/val.hdf5"
TEST_HDF5 = "../datasets/tiny-imagenet-200/hdf5/test.hdf5"
DATASET_MEAN = "output/tiny-image-net-200-mean.json"

OUTPUT_PATH = "output"
MODEL_PATH = path.sep.join([OUTPUT_PATH, "checkpoints/epoch_{}.hdf5".format(EPOCHS)])
FIG_PATH = path.sep.join([OUTPUT_PATH, "deepergooglenet_tinyimagenet.png"])
JSON_PATH = path.sep.join([OUTPUT_PATH, "deepergooglenet_tinyimagenet.json"])
