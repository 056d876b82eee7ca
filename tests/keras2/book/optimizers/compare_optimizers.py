# usage: python compare_optimizers.py --optimizer sgd
from keras.datasets import cifar10
from keras.optimizers import SGD, RMSprop, Adagrad, Adadelta, Adam, Nadam
from keras.callbacks import LearningRateScheduler, ModelCheckpoint
from keras.utils import np_utils
from pyimagesearch.nn.conv import LeNet
import argparse

ap = argparse.ArgumentParser()
ap.add_argument("-o", "--optimizer", required=True, help="sgd, rmsprop, adagrad, ...")
ap.add_argument("-e", "--epochs", type=int, default=20, help="how long to train")
ap.add_argument("-b", "--best", required=True, help="file of the best epoch")
args = vars(ap.parse_args())

((trainX, trainY), (testX, testY)) = cifar10.load_data()
trainX = trainX.astype("float") / 255.0
testX = testX.astype("float") / 255.0
trainY = np_utils.to_categorical(trainY, 10)
testY = np_utils.to_categorical(testY, 10)

# the rates that the papers start with
epochs = args["epochs"]
optimizers = {
    "sgd": SGD(lr=0.01),
    "momentum": SGD(lr=0.01, decay=0.01 / epochs, momentum=0.9),
    "nesterov": SGD(lr=0.01, decay=0.01 / epochs, momentum=0.9, nesterov=True),
    "rmsprop": RMSprop(lr=0.001, rho=0.9, decay=0.0),
    "adagrad": Adagrad(lr=0.01),
    "adadelta": Adadelta(lr=1.0, rho=0.95),
    "adam": Adam(lr=0.001, beta_1=0.9, beta_2=0.999, decay=1e-6),
    "nadam": Nadam(lr=0.002),
}

# half the rate every five epochs
def step_decay(epoch):
    return 0.001 * (0.5 ** (epoch // 5))

model = LeNet.build(width=32, height=32, depth=3, classes=10)
model.compile(loss="categorical_crossentropy", optimizer=optimizers[args["optimizer"]],
    metrics=["accuracy"])

callbacks = [ModelCheckpoint(args["best"], monitor="val_acc", mode="max",
    save_best_only=True, period=1, verbose=1)]
if args["optimizer"] == "adam":
    callbacks.append(LearningRateScheduler(step_decay))

H = model.fit(trainX, trainY, validation_data=(testX, testY), batch_size=64,
    epochs=epochs, callbacks=callbacks, verbose=2)
(loss, acc) = model.evaluate(testX, testY, batch_size=64, verbose=0)
print("[INFO] {}: loss {:.4f}, accuracy {:.2f}%".format(args["optimizer"], loss, acc * 100))
print("[INFO] best epoch: {:.2f}%".format(max(H.history["val_acc"]) * 100))
classes = model.predict_classes(testX, batch_size=64)
print("[INFO] correct: {} of {}".format((classes == testY.argmax(axis=1)).sum(), len(classes)))
