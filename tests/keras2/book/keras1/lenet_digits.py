# usage: python lenet_digits.py --weights lenet.hdf5
# written for Keras 1.2
from sklearn.cross_validation import train_test_split
from sklearn import datasets
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers.core import Activation, Dense, Dropout, Flatten
from keras.layers.normalization import BatchNormalization
from keras.layers import Input, merge
from keras.models import Model
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils
from keras import backend as K
import numpy as np
import argparse

ap = argparse.ArgumentParser()
ap.add_argument("-w", "--weights", required=True, help="file of the weights")
args = vars(ap.parse_args())

K.set_image_dim_ordering("tf")

# 8x8 pixels, 0 ... 16
digits = datasets.load_digits()
data = digits.images[:200].astype(np.float) / 16.0
data = data[:, :, :, np.newaxis]
(trainX, testX, trainY, testY) = train_test_split(data,
    digits.target[:200], test_size=0.33, random_state=42)
trainY = np_utils.to_categorical(trainY, nb_classes=10)
testY = np_utils.to_categorical(testY, nb_classes=10)

# two paths of different kernels
inputs = Input(shape=(8, 8, 1))
a = Convolution2D(8, 3, 3, border_mode="same", init="he_normal",
    W_regularizer=l2(0.0005))(inputs)
b = Convolution2D(nb_filter=8, nb_row=5, nb_col=5, border_mode="same",
    dim_ordering="tf", bias=False)(inputs)
x = merge([a, b], mode="concat", concat_axis=-1)
x = BatchNormalization(mode=0, axis=-1)(x)
x = Activation("relu")(x)
x = MaxPooling2D(pool_size=(2, 2), border_mode="valid")(x)
x = Convolution2D(16, 3, 3, subsample=(2, 2), activation="relu")(x)
x = Flatten()(x)
x = Dense(output_dim=32, activation="relu")(x)
x = Dropout(p=0.25)(x)
x = Dense(10, activation="softmax")(x)
model = Model(input=inputs, output=x)

model.compile(loss="categorical_crossentropy", metrics=["accuracy"],
    optimizer=SGD(lr=0.05, decay=0.001, momentum=0.9))
H = model.fit(trainX, trainY, batch_size=32, nb_epoch=3, verbose=2,
    validation_data=(testX, testY))
model.save_weights(args["weights"], overwrite=True)

print("[INFO] accuracy: {:.4f}".format(H.history["val_acc"][-1]))
print("[INFO] output: {}".format(K.int_shape(model.output)))
