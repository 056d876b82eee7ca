# ruff: noqa: PLC0415, PT017  as scripts of 2017, without pytest
"""Models taken apart, wrapped, fed from files and described: what Keras 2 let scripts do.

Part of keras2_checks.py, which is `__main__`.
"""

import json
import warnings

import h5py
import numpy as np
from keras import backend as K
from keras.callbacks import Callback, ProgbarLogger, TensorBoard
from keras.engine.topology import Layer
from keras.layers import LSTM, Embedding, Input, merge
from keras.layers.core import Activation, Dense, Flatten
from keras.models import Model, Sequential, load_model
from keras.optimizers import SGD
from keras.utils import Sequence, multi_gpu_model

from __main__ import X, Y, one_weight, shown, small


def check_layers_pop():
    model = small()
    model.layers.pop()
    assert [layer.name for layer in model.layers] == ["first"]
    model.outputs = [model.layers[-1].output]
    model.layers[-1].outbound_nodes = []
    model.add(Dense(2, name="new"))
    assert model.predict(X).shape == (20, 2)
    assert [layer.name for layer in model.layers] == ["first", "new"]
    x = Input(shape=(4,))
    base = Model(x, Dense(3, name="top")(Dense(5, activation="relu", name="body")(x)))
    base.layers.pop()
    top = Dense(2)(base.layers[-1].output)
    model = Model(inputs=base.input, outputs=top)
    assert [layer.name for layer in model.layers[1:-1]] == ["body"]
    assert base.predict(X).shape == (20, 3)  # until its outputs are set
    base.save("base.hdf5")
    assert (load_model("base.hdf5").predict(X) == base.predict(X)).all()
    base.outputs = [base.layers[-1].output]
    assert base.output_shape == (None, 5)
    assert base.predict(X).shape == (20, 5)
    assert base.count_params() == 25
    base.compile("sgd", "mse")
    base.fit(X, np.zeros((20, 5)), verbose=0)
    assert base.layers[-1].inbound_nodes[0].inbound_layers[0] is base.layers[0]


def check_shapes_of_tensors():
    x = Input(shape=(4, 6))
    assert x.get_shape().as_list() == [None, 4, 6]
    assert int(x.get_shape()[1]) == x._keras_shape[1] == 4
    model = small()
    assert model.updates == model.state_updates == []
    try:
        model.to_yaml()
    except NotImplementedError as error:
        assert "model.to_json()" in str(error)
    else:
        raise AssertionError


class Linear(Layer):
    """As the guide to Keras 1 wrote its own layers."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = K.random_normal_variable((input_shape[1], self.output_dim), 0, 0.1)
        self.fixed = K.zeros((self.output_dim,))
        self.scale = self.add_weight("scale", (1,), initializer="one", trainable=False)
        self.trainable_weights = [self.W]

    def call(self, x, mask=None):
        return K.dot(x, self.W) + self.fixed

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


def check_own_layers():
    model = Sequential([Linear(3, input_shape=(4,)), Activation("softmax")])
    model.compile("sgd", "categorical_crossentropy")
    layer = model.layers[0]
    assert [w is layer.W for w in layer.trainable_weights] == [True]
    before = K.get_value(layer.W)
    model.fit(X, Y, verbose=0)
    assert (K.get_value(layer.W) != before).any()
    assert (K.get_value(layer.fixed) == 0).all()
    assert (K.get_value(layer.scale) == 1).all()


def check_layers_of_keras_1():
    x = Input(shape=(4,))
    difference = merge([x, Activation("relu")(x)], mode=lambda both: both[0] - both[1])
    assert (Model(x, difference).predict(-X) == -X).all()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        matrix = np.random.RandomState(0).rand(9, 2)
        vectors = Embedding(9, 2, input_length=5, dropout=0.2, weights=[matrix], trainable=False)
    assert any("SpatialDropout1D" in str(warning.message) for warning in found)
    model = Sequential([vectors, Flatten(), Dense(1)])
    model.compile("rmsprop", "mse")
    model.fit(np.ones((4, 5)), np.zeros((4, 1)), verbose=0)
    np.testing.assert_allclose(vectors.get_weights()[0], matrix, rtol=1e-6)
    bar = ProgbarLogger("samples", [])
    assert isinstance(bar, Callback)
    board = TensorBoard("logs", 0, 32, False, False, True)
    assert (board.write_graph, board.write_images) == (False, True)


def check_hdf5_matrix():
    from keras.utils.io_utils import HDF5Matrix

    with h5py.File("data.hdf5", "w") as f:
        f["x"], f["y"] = X, Y
    x = HDF5Matrix("data.hdf5", "x", start=0, end=15, normalizer=lambda rows: rows * 2)
    y, later = HDF5Matrix("data.hdf5", "y", 0, 15), HDF5Matrix("data.hdf5", "x", 15)
    assert (x.shape, len(x), x.dtype, x.ndim) == ((15, 4), 15, np.float32, 2)
    assert (x[3] == 2 * X[3]).all()
    assert (x[-3:] == 2 * X[12:15]).all()
    assert (later[[3, 1, 1]] == X[[18, 16, 16]]).all()
    assert (np.array(later) == X[15:]).all()
    assert later[4:2].shape == (0, 4)
    model = multi_gpu_model(small(optimizer=SGD(lr=0.0)), gpus=4)
    validation = (later, HDF5Matrix("data.hdf5", "y", 15))
    H = model.fit(x, y, batch_size=4, shuffle="batch", validation_data=validation, verbose=0)
    expected = model.evaluate(2 * X[:15], Y[:15], verbose=0)
    np.testing.assert_allclose([H.history["loss"][0], H.history["acc"][0]], expected, rtol=1e-5)
    expected = model.evaluate(X[15:], Y[15:], verbose=0)
    found = [H.history["val_loss"][0], H.history["val_acc"][0]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert model.fit(x, y, validation_split=0.2, verbose=0).params["samples"] == 12
    np.testing.assert_allclose(model.predict(x, batch_size=4), model.predict(2 * X[:15]), rtol=1e-5)


def create_model(optimizer="adam", init="glorot_uniform"):
    model = Sequential()
    model.add(Dense(3, input_dim=4, init=init, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def check_grid_search():
    from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
    from sklearn.grid_search import GridSearchCV

    labels = np.array(["cat", "dog", "panda"])[Y.argmax(1)]
    model = KerasClassifier(build_fn=create_model, nb_epoch=1, batch_size=8, verbose=0)
    folds = [(np.arange(10), np.arange(10, 20))]
    grid = GridSearchCV(estimator=model, param_grid={"optimizer": ["sgd", "adam"]}, cv=folds)
    found = grid.fit(X, labels)
    assert set(found.best_params_) == {"optimizer"}
    best = found.best_estimator_
    assert set(best.predict(X)) <= set(labels)
    right = (best.predict(X) == labels).mean()
    assert abs(best.score(X, labels) - right) < 1e-6
    assert best.predict_proba(X).shape == (20, 3)
    assert "acc" in KerasClassifier(create_model, verbose=0).fit(X, Y, epochs=1).history
    try:
        KerasClassifier(create_model, epoch=1)
    except ValueError as error:
        assert "epoch is no argument" in str(error)
    else:
        raise AssertionError
    model = KerasRegressor(lambda: one_weight("sgd"), epochs=1, verbose=0)
    model.fit(X[:, :1], X[:, 0])
    assert model.predict(X[:, :1]).shape == (20,)
    assert model.score(X[:, :1], X[:, 0]) < 0


def check_private_roots():
    scope = {"__file__": __file__}
    for line in [
        "from tensorflow.python.keras.layers import Dense as a",
        "from tensorflow.contrib.keras.api.keras.layers import Dense as b",
        "from tensorflow.contrib.keras import layers",
        "from tensorflow.python import keras",
        "from keras.applications.mobilenet import relu6, DepthwiseConv2D",
    ]:
        exec(line, scope)
    assert scope["a"] is scope["b"] is scope["layers"].Dense is scope["keras"].layers.Dense is Dense
    text = shown("import tensorflow.contrib.slim")
    assert "Dropped in TensorFlow 2" in text, text
    import tensorflow as tf
    from tensorflow.keras import backend

    tf.logging.set_verbosity(tf.logging.ERROR)
    with tf.get_default_graph().as_default():
        model = small()
        assert model.predict(X).shape == (20, 3)
    backend.set_value(model.optimizer.lr, 0.5)
    assert backend.get_value(model.optimizer.lr) == 0.5


def check_architectures_of_keras_2():
    from keras.models import model_from_json

    dense = {
        "name": "dense_1",
        "batch_input_shape": [None, 4],
        "units": 2,
        "activation": "linear",
        "trainable": True,
        "dtype": "float32",
        "use_bias": True,
        "kernel_initializer": {
            "class_name": "VarianceScaling",
            "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
        },
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}},
    }
    layers = [{"class_name": "Dense", "config": dense}]
    old = {"class_name": "Sequential", "config": layers, "keras_version": "2.0.8"}
    model = model_from_json(json.dumps(old))
    assert model.input_shape == (None, 4)
    assert model.layers[0].kernel_regularizer.l2 == 0.5
    code = {"name": "code", "function": ["4wEAAAA=", None, None], "function_type": "lambda"}
    layers.append({"class_name": "Lambda", "config": code})
    try:
        model_from_json(json.dumps(old))
    except Exception as error:
        assert "allowed" in str(error) or "unsafe" in str(error), error
    else:
        raise AssertionError


def check_the_input_of_an_input_layer():
    tensor = Input((2,))
    model = Model(tensor, Dense(1)(tensor))
    assert model.layers[0].input is tensor
    found = K.function([model.layers[0].input, K.learning_phase()], [model.layers[1].output])
    assert found([np.ones((3, 2)), 0])[0].shape == (3, 1)


def check_stateful_layers_begin_anew():
    model = Sequential([LSTM(2, stateful=True, batch_input_shape=(1, 1, 1))])
    state = model.layers[0].states[0]
    K.set_value(state, np.ones((1, 2)))
    model.reset_states()
    assert not K.get_value(state).any()


def check_np_utils_through_a_star():
    space = {}
    exec("from keras.utils import *", space)
    assert space["np_utils"].to_categorical([1], 2).tolist() == [[0, 1]]


def check_batches_of_several_inputs():
    a, b = Input((2,)), Input((3,))
    model = Model([a, b], [Dense(1)(a), Dense(1)(b)])
    model.compile("sgd", "mse")

    def generate():
        while True:
            yield [[np.ones((4, 2)), np.ones((4, 3))], [np.ones((4, 1)), np.ones((4, 1))]]

    class Batches(Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return next(generate())

    for feed in (generate(), Batches()):
        history = model.fit_generator(feed, 2, validation_data=feed, validation_steps=2, verbose=0)
        assert len(history.history["val_loss"]) == 1
        assert [len(found) for found in model.predict_generator(feed, 2)] == [8, 8]
