# usage: python train_decay.py --model output/resnet_tinyimagenet.hdf5 --output output
import matplotlib
matplotlib.use("Agg")

from config import tiny_imagenet_config as config
from pyimagesearch.preprocessing import ImageToArrayPreprocessor
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.preprocessing import MeanPreprocessor
from pyimagesearch.callbacks import TrainingMonitor
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.conv import ResNet
from keras.preprocessing.image import ImageDataGenerator
from keras.callbacks import LearningRateScheduler
from keras.optimizers import SGD
import argparse
import json
import os
import sys

# room for the deep graph
sys.setrecursionlimit(5000)

NUM_EPOCHS = config.EPOCHS
INIT_LR = 1e-1

def poly_decay(epoch):
    maxEpochs = NUM_EPOCHS
    baseLR = INIT_LR
    power = 1.0
    return baseLR * (1 - (epoch / float(maxEpochs))) ** power

ap = argparse.ArgumentParser()
ap.add_argument("-m", "--model", required=True, help="where the network goes")
ap.add_argument("-o", "--output", required=True, help="folder of plot and history")
args = vars(ap.parse_args())
bs = config.BATCH_SIZE

aug = ImageDataGenerator(rotation_range=18, zoom_range=0.15,
    width_shift_range=0.2, height_shift_range=0.2, shear_range=0.15,
    horizontal_flip=True, fill_mode="nearest")

means = json.loads(open(config.DATASET_MEAN).read())
sp = SimplePreprocessor(64, 64)
mp = MeanPreprocessor(means["R"], means["G"], means["B"])
iap = ImageToArrayPreprocessor()

trainGen = HDF5DatasetGenerator(config.TRAIN_HDF5, bs, aug=aug,
    preprocessors=[sp, mp, iap], classes=config.NUM_CLASSES)
valGen = HDF5DatasetGenerator(config.VAL_HDF5, bs,
    preprocessors=[sp, mp, iap], classes=config.NUM_CLASSES)

figPath = os.path.sep.join([args["output"], "{}.png".format(os.getpid())])
jsonPath = os.path.sep.join([args["output"], "{}.json".format(os.getpid())])
callbacks = [TrainingMonitor(figPath, jsonPath=jsonPath),
    LearningRateScheduler(poly_decay)]

print("[INFO] compiling model...")
model = ResNet.build(64, 64, 3, config.NUM_CLASSES, config.STAGES,
    config.FILTERS, reg=0.0005, dataset="tiny_imagenet")
opt = SGD(lr=INIT_LR, momentum=0.9)
model.compile(loss="categorical_crossentropy", optimizer=opt,
    metrics=["accuracy"])

print("[INFO] training network...")
model.fit_generator(
    trainGen.generator(),
    steps_per_epoch=trainGen.numImages // bs,
    validation_data=valGen.generator(),
    validation_steps=valGen.numImages // bs,
    epochs=NUM_EPOCHS,
    max_queue_size=bs * 2,
    callbacks=callbacks, verbose=1)

print("[INFO] serializing network...")
model.save(args["model"])

trainGen.close()
valGen.close()
