# usage: python silent_traps.py --output traps.json
# nothing in here raises on Keras 3, and all of it means something else there
from sklearn import datasets
from keras.callbacks import Callback
from keras.layers import Conv2D, Dense, Flatten
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import to_categorical
import keras.backend as K
import argparse
import json

ap = argparse.ArgumentParser()
ap.add_argument("-o", "--output", required=True, help="file of what was found")
args = vars(ap.parse_args())
found = {}

digits = datasets.load_digits()
X = digits.images[:50].reshape((50, 8, 8, 1)) / 16.0
Y = to_categorical(digits.target[:50], 10)
bs = 16

# a 3x3 kernel in the spelling of Keras 1
model = Sequential()
model.add(Conv2D(4, 3, 3, activation="relu", input_shape=(8, 8, 1)))
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
found["kernel"] = list(K.int_shape(model.layers[0].weights[0]))
found["map"] = list(K.int_shape(model.layers[0].output))[1:]

# a rate that falls with every batch: 0.1 / (1 + 0.5 * batches)
opt = SGD(lr=0.1, decay=0.5)
model.compile(loss="categorical_crossentropy", optimizer=opt, metrics=["accuracy"])
start = model.get_weights()
model.train_on_batch(X[:bs], Y[:bs])
first = model.get_weights()[-1]; model.set_weights(start)
model.train_on_batch(X[:bs], Y[:bs])
second = model.get_weights()[-1]
found["steps"] = [float(abs(first - start[-1]).sum()), float(abs(second - start[-1]).sum())]

# from here on at a tenth of the rate, set by hand and by a callback
model.optimizer.lr = 0.01
found["rate"] = float(K.get_value(model.optimizer.lr))

class Halve(Callback):
    def on_epoch_end(self, epoch, logs={}):
        self.model.optimizer.lr = 0.5 * float(K.get_value(self.model.optimizer.lr))

def batches():
    while True:
        for i in range(0, len(X), bs):
            yield (X[i:i + bs], Y[i:i + bs])

model.fit_generator(batches(), steps_per_epoch=len(X) // bs, epochs=2,
    callbacks=[Halve()], verbose=0)
found["halved"] = float(K.get_value(model.optimizer.lr))

# 50 images in batches of 16: the last two are left out
predictions = model.predict_generator(batches(), steps=len(X) // bs)
found["predictions"] = len(predictions)

f = open(args["output"], "w")
f.write(json.dumps(found))
f.close()
