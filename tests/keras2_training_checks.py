# ruff: noqa: PLC0415  as scripts of 2017, without pytest
"""How models train, by the rules of Keras 2: losses, optimizers and layers.

Part of keras2_checks.py, which is `__main__`.
"""

import keras
import numpy as np
from keras import backend as K
from keras.engine.topology import Layer
from keras.layers import Input, SpatialDropout1D
from keras.layers.core import Dense, Dropout, Flatten, Lambda
from keras.layers.embeddings import Embedding
from keras.layers.normalization import BatchNormalization
from keras.losses import binary_crossentropy
from keras.models import Model, Sequential, load_model
from keras.optimizers import SGD, Adagrad, Nadam, RMSprop

from __main__ import X, Y, number_times_weight, one_weight, shown, small


def check_epsilon_and_clipping():
    """By the formulas of Keras 2: epsilon is beside the root, and all gradients have one norm."""
    for optimizer in (RMSprop(lr=0.1, epsilon=0.5), Adagrad(lr=0.1, epsilon=0.5)):
        model = one_weight(optimizer)
        w = a = 0.0
        for _ in range(3):
            g = 2 * (w - 1)
            a = 0.9 * a + 0.1 * g**2 if isinstance(optimizer, RMSprop) else a + g**2
            w -= 0.1 * g / (a**0.5 + 0.5)
            model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
        np.testing.assert_allclose(model.get_weights()[0].item(), w, rtol=1e-5)
    model = Sequential([Dense(1, input_dim=1, init="zero")])  # a bias, too
    model.compile(SGD(lr=1.0, clipnorm=0.5), "mse")
    model.train_on_batch(np.full((1, 1), 3.0), np.ones((1, 1)))
    expected = 0.5 * np.array([6.0, 2.0]) / np.hypot(6, 2)
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-5)


def check_metrics_end_with_the_next_compile():
    model = Sequential([Dense(1, input_dim=3)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert len(model.evaluate(X[:, :3], Y[:, :1], verbose=0)) == 2
    model.compile("sgd", "mse")
    assert isinstance(model.evaluate(X[:, :3], Y[:, :1], verbose=0), float)
    assert model.metrics_names == ["loss"]


def check_configurations_of_optimizers():
    for optimizer, expected in [
        (
            SGD(lr=0.25, momentum=0.5, decay=0.125, clipnorm=2.0),
            {"lr": 0.25, "momentum": 0.5, "decay": 0.125, "nesterov": False, "clipnorm": 2.0},
        ),
        (RMSprop(lr=0.25), {"lr": 0.25, "rho": 0.9, "epsilon": 1e-7, "decay": 0.0}),
    ]:
        config = optimizer.get_config()
        assert config == expected
        again = type(optimizer).from_config(config)
        assert again.get_config() == type(optimizer)(**config).get_config() == expected
        assert again.global_clipnorm == expected.get("clipnorm")


def check_one_optimizer_for_several_models():
    shared = SGD(lr=0.1, momentum=0.9)
    first, second, alone = one_weight(shared), one_weight(shared), one_weight(SGD(0.1, 0.9))
    x, y = np.ones((4, 1)), np.ones((4, 1))
    for _ in range(2):
        for model in (first, second, alone):
            model.fit(x, y, verbose=0)
    assert first.get_weights() == second.get_weights() == alone.get_weights()  # own momenta
    assert K.get_value(shared.iterations) == K.get_value(second.optimizer.iterations) == 4
    K.set_value(shared.lr, 0.5)
    assert K.get_value(second.optimizer.lr) == 0.5
    model = small(optimizer=shared)  # and one model, with more to train each time
    for trainable in (False, True):
        model.layers[0].trainable = trainable
        model.compile(shared, "categorical_crossentropy")
        model.fit(X, Y, batch_size=20, verbose=0)
    assert K.get_value(shared.iterations) == 6
    model.save("shared.hdf5")
    assert K.get_value(load_model("shared.hdf5").optimizer.iterations) == 6


def check_weighted_losses():
    model = one_weight(SGD(lr=0.1))
    x, y, weights = np.ones((4, 1)), np.array([1.0, 2, 3, 4]), np.array([0, 1.0, 0, 2])
    expected = (1 * 2**2 + 2 * 4**2) / 2  # over the two rows whose weight is not 0
    assert abs(model.evaluate(x, y, sample_weight=weights, verbose=0) - expected) < 1e-5
    assert abs(model.train_on_batch(x, y, sample_weight=weights) - expected) < 1e-5
    np.testing.assert_allclose(model.get_weights()[0].item(), 0.1 * (1 * 4 + 2 * 8) / 2, rtol=1e-6)
    before = model.get_weights()
    assert model.train_on_batch(x, y, sample_weight=np.zeros(4)) == 0
    assert model.get_weights() == before  # and no NaN
    model = small(optimizer=SGD(lr=0.0))
    model.set_weights([np.zeros(w.shape) for w in model.get_weights()])
    classes = {0: 1.0, 1: 2.0, 2: 3.0}
    H = model.fit(X, Y, class_weight=classes, sample_weight=np.full(20, 2.0), verbose=0)
    mean = np.mean([2 * classes[label] for label in Y.argmax(1)])
    np.testing.assert_allclose(H.history["loss"], [mean * np.log(3)], rtol=1e-5)


def check_accuracy_of_several_labels():
    labels = (X[:, :3] > 0.5).astype("int32")
    model = Sequential([Dense(3, input_dim=4, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    assert model.metrics_names == ["loss", "acc"]
    H = model.fit(X, labels, validation_data=(X, labels), verbose=0)
    right = ((model.predict(X) > 0.5) == labels).mean()
    assert abs(H.history["val_acc"][0] - right) < 1e-6
    model.save("labels.hdf5")
    assert abs(load_model("labels.hdf5").evaluate(X, labels, verbose=0)[1] - right) < 1e-6


def moving(layer):
    return layer.get_weights()[-2:]


def check_frozen_normalization_goes_by_the_batch():
    frozen = BatchNormalization(momentum=0.5, name="frozen")
    frozen.trainable = False
    model = Sequential([Dense(1, input_dim=4, trainable=False), frozen])
    model.compile(SGD(lr=0.1), number_times_weight)
    before = frozen.get_weights()
    out = model.layers[0]
    hidden = Model(model.input, out.output).predict(X)
    model.fit(X, np.ones((20, 1)), batch_size=20, verbose=0)
    after = frozen.get_weights()
    assert (before[0], before[1]) == (after[0], after[1])  # gamma and beta stand still
    np.testing.assert_allclose(after[2], 0.5 * hidden.mean(0), rtol=1e-4)
    loss = model.evaluate(X, np.ones((20, 1)), verbose=0)  # by the averages
    assert abs(loss) > 1e-3
    assert abs(model.train_on_batch(X, np.ones((20, 1)))) < 1e-5  # the mean of the batch is 0


def check_learning_phase():
    rows = np.ones((50, 4))
    K.set_learning_phase(0)
    model = Sequential([BatchNormalization(input_shape=(4,)), Dropout(0.5)])
    K.set_learning_phase(1)
    model.add(Dropout(0.5, name="always"))
    model.compile("sgd", "mse")
    before = moving(model.layers[0])
    model.fit(rows, rows, verbose=0)
    for a, b in zip(before, moving(model.layers[0]), strict=True):
        assert (a == b).all()
    assert K.learning_phase() == 1
    zeros = (model.predict(rows) == 0).mean()  # of one dropout that is never off
    assert 0.3 < zeros < 0.7
    K.clear_session()
    assert K.learning_phase() == 0
    assert (Sequential([Dropout(0.5, input_shape=(4,))]).predict(rows) == 1).all()
    K.set_learning_phase(1)
    noisy = Sequential([Lambda(K.abs, input_shape=(4, 50)), SpatialDropout1D(0.5)])
    K.clear_session()
    assert 0 < (noisy.predict(np.ones((1, 4, 50))) == 0).mean() < 1


CLOSURE = """
import numpy as np
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model

x = Input(shape=(4,))
z = Dense(2)(x)
model = Model(x, Dense(4)(z))
model.compile("sgd", loss=lambda true, predicted: K.mean(true - predicted) + K.mean(K.square(z)))
model.fit(np.ones((2, 4)), np.ones((2, 4)), verbose=0)
"""


class Squared(Layer):
    """A layer whose output is a loss, as the custom layers of variational autoencoders."""

    def __init__(self, **kwargs):
        self.is_placeholder = True
        super().__init__(**kwargs)

    def call(self, inputs):
        loss = K.mean(K.square(inputs[0] - inputs[1]))
        self.add_loss(loss, inputs=inputs)
        return inputs[0]


def check_losses_of_tensors():
    x = Input(shape=(4,))
    mean, log_var = Dense(2, init="zero", name="z_mean")(x), Dense(2, init="zero")(x)
    z = Lambda(lambda args: args[0] + K.exp(args[1] / 2), output_shape=(2,))([mean, log_var])
    y = Dense(4, activation="sigmoid", init="zero")(z)
    vae = Model(x, y)
    reconstruction = 4 * binary_crossentropy(x, y)
    kl = -0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)
    vae.add_loss(K.mean(reconstruction + kl))
    vae.compile(optimizer="rmsprop", loss=None)
    assert [layer.name for layer in vae.layers].count("z_mean") == 1
    assert abs(vae.evaluate(X, None, verbose=0) - 4 * np.log(2)) < 1e-5
    H = vae.fit(X, shuffle=True, epochs=3, batch_size=10, validation_data=(X, None), verbose=0)
    assert H.history["loss"][0] > H.history["loss"][2]
    assert set(H.history) == {"loss", "val_loss"}
    vae.save("vae.hdf5")
    assert (load_model("vae.hdf5").predict(X) == vae.predict(X)).all()
    assert "model.add_loss(...), and compile with loss=None" in shown(CLOSURE)
    x = Input(shape=(4,))
    model = Model(x, Squared()([x, Dense(4, init="zero")(x)]))
    model.compile(optimizer=SGD(lr=0.0), loss=None)
    H = model.fit(X, batch_size=20, verbose=0)
    np.testing.assert_allclose(H.history["loss"], [np.mean(X**2)], rtol=1e-5)


def check_recurrent_layers():
    """By the hard sigmoid of Keras 2."""
    from keras.layers import GRU, LSTM
    from keras.models import model_from_json

    found = K.eval(K.hard_sigmoid(K.variable([-3.0, 1.0, 3.0])))
    np.testing.assert_allclose(found, [0, 0.7, 1], rtol=1e-6)
    model = Sequential([LSTM(1, input_shape=(1, 1), init="one")])
    assert GRU(1).reset_after is False
    gate, forgotten = 0.2 * 0.5 + 0.5, np.tanh(0.5)
    expected = gate * np.tanh(gate * forgotten)
    np.testing.assert_allclose(model.predict(np.full((1, 1, 1), 0.5))[0, 0], expected, rtol=1e-5)
    text = model.to_json()
    assert '"hard_sigmoid"' in text
    other = model_from_json(text)
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(other.predict(np.full((1, 1, 1), 0.5))[0, 0], expected, rtol=1e-5)


def check_nadam():
    """By the formula of Keras 2."""
    for optimizer, schedule_decay in ((Nadam(), 0.004), (Nadam(0.002, schedule_decay=0.1), 0.1)):
        model = Sequential([Dense(1, input_dim=1, use_bias=False)])
        model.compile(optimizer, number_times_weight)
        p = model.get_weights()[0].item()
        m = v = 0.0
        product = 1.0
        for t in range(1, 6):
            g = float(t)
            now, later = (0.9 * (1 - 0.5 * 0.96 ** (s * schedule_decay)) for s in (t, t + 1))
            product *= now
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            bar = (1 - now) * g / (1 - product) + later * m / (1 - product * later)
            p -= 0.002 * bar / ((v / (1 - 0.999**t)) ** 0.5 + 1e-7)
            model.train_on_batch(np.ones((1, 1)), np.full((1, 1), g))
            np.testing.assert_allclose(model.get_weights()[0].item(), p, rtol=1e-5, atol=1e-6)


def check_own_metrics_and_losses_get_columns_of_numbers():
    """Labels (N,), of any type, are (N, 1) and float: else they are broadcast to (N, N)."""

    def near(y_true, y_pred):
        return K.mean(y_true * y_pred)

    def squares(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1)

    model = Sequential([Dense(1, input_dim=1, bias=False, weights=[np.ones((1, 1))])])
    model.compile("sgd", squares, metrics=[near, "accuracy"])
    x, y = np.array([[0.2], [1.7], [0.6]]), np.array([0, 2, 0])
    loss = (0.2**2 + 0.3**2 + 0.6**2) / 3
    expected = [loss, 1.7 * 2 / 3, 2 / 3]  # 1.7 is rounded to 2
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
    weighted = model.evaluate(x, y, sample_weight=np.array([1.0, 2, 3]), verbose=0)[0]
    np.testing.assert_allclose(weighted, (0.04 + 2 * 0.09 + 3 * 0.36) / 3, rtol=1e-5)
    assert len(model.evaluate(x, y > 0, verbose=0)) == 3  # truth values, too
    for loss, power in (("hinge", 1), ("squared_hinge", 2)):  # 0 is no other name of -1
        model = Sequential(model.layers)
        model.compile("sgd", loss)
        expected = (np.maximum(1 - y * x[:, 0], 0) ** power).mean()
        np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)


def check_activity_regularizers_add_up_over_the_batch():
    model = Sequential([Dense(2, input_dim=3, activity_regularizer="l1", init="one")])
    model.compile("sgd", lambda y_true, y_pred: 0 * K.mean(y_pred))
    loss = model.evaluate(np.ones((5, 3)), np.zeros((5, 2)), verbose=0)
    np.testing.assert_allclose(loss, 0.01 * 5 * 2 * 3, rtol=1e-5)


def check_sparse_gradients_and_sizes_of_numpy():
    for optimizer in ("rmsprop", "adagrad"):
        model = Sequential([Embedding(5, 2, input_length=3), Flatten(), Dense(np.prod((1, 2)))])
        model.compile(optimizer, "mse")
        before = model.get_weights()[0]
        model.train_on_batch(np.array([[0, 1, 1]]), np.ones((1, 2)))
        moved = (model.get_weights()[0] != before).any(axis=1)
        assert moved.tolist() == [True, True, False, False, False]
    assert keras.optimizers.rmsprop is RMSprop
    assert isinstance(keras.optimizers.adam(lr=0.1), keras.optimizers.Adam)


def check_validation_split_is_seen_by_callbacks():
    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.shapes = [part.shape for part in self.validation_data]

    seen = Seen()
    small().fit(X, Y, validation_split=0.25, callbacks=[seen], verbose=0)
    assert seen.shapes == [(5, 4), (5, 3), (5,)]
