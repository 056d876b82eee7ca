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
EPOCHS = int(os.environ.get("EPOCHS", 75))

TRAIN_HDF5 = "../datasets/tiny-imagenet-200/hdf5/train.hdf5"
VAL_HDF5 = "../datasets/tiny-imagenet-200/hdf5/val.hdf5"
TEST_HDF5 = "../datasets/tiny-imagenet-200/hdf5/test.hdf5"
DATASET_MEAN = "output/tiny-image-net-200-mean.json"

OUTPUT_PATH = "output"
MODEL_PATH = path.sep.join([OUTPUT_PATH, "resnet_tinyimagenet.hdf5"])
FIG_PATH = path.sep.join([OUTPUT_PATH, "resnet56_tinyimagenet.png"])
JSON_PATH = path.sep.join([OUTPUT_PATH, "resnet56_tinyimagenet.json"])

# modules per stage
STAGES = tuple(int(n) for n in os.environ.get("STAGES", "3,4,6").split(","))
FILTERS = tuple(int(n) for n in os.environ.get("FILTERS", "64,128,256,512").split(","))
