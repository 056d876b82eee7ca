# usage: python resnet_cifar10.py --checkpoints output/checkpoints
#        python resnet_cifar10.py --checkpoints output/checkpoints --model output/checkpoints/epoch_50.hdf5 --start-epoch 50
import matplotlib
matplotlib.use("Agg")

from sklearn.preprocessing import LabelBinarizer
from pyimagesearch.nn.conv import ResNet
from pyimagesearch.callbacks import EpochCheckpoint
from pyimagesearch.callbacks import TrainingMonitor
from keras.preprocessing.image import ImageDataGenerator
from keras.optimizers import SGD
from keras.datasets import cifar10
from keras.models import load_model
import keras.backend as K
import argparse
import os
import sys

# room for the deep graph
sys.setrecursionlimit(5000)

ap = argparse.ArgumentParser()
ap.add_argument("-c", "--checkpoints", required=True, help="folder of the checkpoints")
ap.add_argument("-m", "--model", type=str, help="checkpoint to go on from")
ap.add_argument("-s", "--start-epoch", type=int, default=0, help="its epoch")
args = vars(ap.parse_args())
epochs = int(os.environ.get("EPOCHS", 100))
stages = tuple(int(n) for n in os.environ.get("STAGES", "9,9,9").split(","))

print("[INFO] loading CIFAR-10 data...")
((trainX, trainY), (testX, testY)) = cifar10.load_data()
trainX = trainX.astype("float")
testX = testX.astype("float")
mean = trainX.mean(axis=0)
trainX -= mean
testX -= mean

lb = LabelBinarizer()
trainY = lb.fit_transform(trainY)
testY = lb.transform(testY)

aug = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1,
    horizontal_flip=True, fill_mode="nearest")

if args["model"] is None:
    print("[INFO] compiling model...")
    opt = SGD(lr=1e-1)
    model = ResNet.build(32, 32, 3, 10, stages, (64, 64, 128, 256),
        reg=0.0005)
    model.compile(loss="categorical_crossentropy", optimizer=opt,
        metrics=["accuracy"])
else:
    print("[INFO] loading {}...".format(args["model"]))
    model = load_model(args["model"])
    print("[INFO] old learning rate: {}".format(
        K.get_value(model.optimizer.lr)))
    K.set_value(model.optimizer.lr, 1e-2)
    print("[INFO] new learning rate: {}".format(
        K.get_value(model.optimizer.lr)))

callbacks = [
    EpochCheckpoint(args["checkpoints"], every=5,
        startAt=args["start_epoch"]),
    TrainingMonitor("output/resnet56_cifar10.png",
        jsonPath="output/resnet56_cifar10.json",
        startAt=args["start_epoch"])]

print("[INFO] training network...")
model.fit_generator(
    aug.flow(trainX, trainY, batch_size=128),
    validation_data=(testX, testY),
    steps_per_epoch=len(trainX) // 128,
    epochs=epochs - args["start_epoch"],
    callbacks=callbacks, verbose=1)
