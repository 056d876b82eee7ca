"""Old names at work, as a script of 2017: run by the tests under the runner, one process for all.

Every function whose name begins with `check_` is called in a folder of its own; what it raises is
written to the JSON file that is named on the command line.
"""

import contextlib
import io
import json
import os
import pickle
import resource
import shutil
import sys
import traceback

import h5py
import numpy as np
from keras import backend as K
from keras.callbacks import (
    BaseLogger,
    Callback,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
)
from keras.layers import Input, merge
from keras.layers.advanced_activations import ELU, LeakyReLU
from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.layers.core import Activation, Dense, Dropout, Flatten, Lambda
from keras.layers.normalization import BatchNormalization
from keras.models import Model, Sequential, load_model
from keras.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop
from keras.utils import Sequence, np_utils
from keras.utils.np_utils import to_categorical

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = np_utils.to_categorical(np.arange(20) % 3, nb_classes=3)


def small(optimizer=None, metrics=("accuracy",)):
    model = Sequential()
    model.add(Dense(5, input_dim=4, activation="relu", init="uniform", name="first"))
    model.add(Dense(3, activation="softmax", name="second"))
    model.compile(
        loss="categorical_crossentropy", optimizer=optimizer or SGD(lr=0.1), metrics=list(metrics)
    )
    return model


def number(y_true, y_pred):
    """The loss is the number of the batch: its labels."""
    return K.mean(y_true) + 0 * K.mean(y_pred)


def numbered(start=0):
    while True:
        yield [np.zeros((2, 1)), np.full((2, 1), float(start))]
        start += 1


def counting_model():
    model = Sequential([Dense(1, input_dim=1)])
    model.compile(loss=number, optimizer=SGD(lr=0.0))
    return model


def check_keras_1_arguments():
    inputs = Input(shape=(12, 12, 3))
    x = ZeroPadding2D((1, 1), dim_ordering="tf")(inputs)
    conv = Convolution2D(
        6, 3, 2, border_mode="valid", subsample=(2, 2), init="he_normal", bias=False
    )
    x = conv(x)
    assert conv.kernel_size == (3, 2)
    assert conv.strides == (2, 2)
    assert conv.padding == "valid"
    assert not conv.use_bias
    named = Convolution2D(nb_filter=2, nb_row=1, nb_col=3)
    assert named.kernel_size == (1, 3)
    x = BatchNormalization(axis=-1, mode=0)(x)
    x = MaxPooling2D((2, 2), border_mode="same")(x)
    assert Dropout(p=0.3).rate == 0.3
    a = Flatten()(x)
    x = merge([Dense(output_dim=4)(a), Dense(4)(a)], mode="concat", concat_axis=1)
    assert K.int_shape(x) == (None, 8)
    model = Model(input=inputs, output=Activation("softmax")(x))
    assert model.output_shape == (None, 8)
    assert model.layers[1].output_shape == (None, 14, 14, 3)
    assert conv.get_output_at(0).shape == (None, 6, 7, 6)
    assert LeakyReLU(alpha=0.1).negative_slope == 0.1
    assert ELU(alpha=0.5).alpha == 0.5
    weights = [np.ones((4, 2)), np.zeros(2)]
    dense = Sequential([Dense(2, input_dim=4, weights=weights)]).layers[0]
    np.testing.assert_array_equal(dense.get_weights()[0], weights[0])
    # the same numbers once more, as Keras 2 wrote them
    assert Convolution2D(6, (3, 3), strides=1).strides == (1, 1)
    assert Convolution2D(6, 3, strides=2).kernel_size == (3, 3)
    try:
        Dense(4, init="zero", kernel_initializer="ones")
    except TypeError as error:
        assert "kernel_initializer is given twice" in str(error)
    else:
        raise AssertionError


def check_optimizers():
    assert SGD(1).lr == 1.0
    opt = SGD(0.1, 0.9, 0.01, True)
    assert (opt.momentum, opt.nesterov, opt.decay) == (0.9, True, 0.01)
    assert SGD(0.1, 0.9, True).nesterov
    opt = Adam(0.1, 0.8, 0.9, None, 0.5)
    assert (opt.beta_1, opt.beta_2, opt.epsilon, opt.decay) == (0.8, 0.9, 1e-7, 0.5)
    assert RMSprop(0.1, 0.8, 1e-6).epsilon == 1e-6
    assert float(K.get_value(Adagrad().lr)) == np.float32(0.01)
    assert float(K.get_value(Adadelta().lr)) == 1.0
    for adagrad in (Adagrad(), Adagrad(lr=0.05), Adagrad(0.05)):
        assert adagrad.initial_accumulator_value == 0.0
    model = small(optimizer=Adam(lr=0.25))
    model.optimizer.lr = 0.125
    assert K.get_value(model.optimizer.lr) == 0.125
    K.set_value(model.optimizer.lr, K.get_value(model.optimizer.lr) / 10)
    assert abs(float(model.optimizer.learning_rate) - 0.0125) < 1e-8


def check_history_and_names_of_metrics():
    model = small(metrics=["accuracy", "mse"])
    assert model.metrics_names == ["loss", "acc", "mean_squared_error"]
    H = model.fit(X, Y, validation_data=(X, Y), nb_epoch=2, batch_size=8, verbose=0)
    assert set(H.history) == {
        *("loss", "acc", "mean_squared_error"),
        *("val_loss", "val_acc", "val_mean_squared_error"),
    }
    assert H.history["acc"] == H.history["accuracy"]
    assert len(H.history["val_acc"]) == 2
    assert H.history["val_mse"] == H.history["val_mean_squared_error"]
    assert "nothing" not in H.history
    assert type(pickle.loads(pickle.dumps(H.history))) is dict
    assert model.metrics_names == ["loss", "acc", "mean_squared_error"]
    (loss, acc, mse) = model.evaluate(X, Y, batch_size=8, verbose=0)
    assert abs(acc - H.history["val_acc"][-1]) < 1e-6
    assert abs(loss - H.history["val_loss"][-1]) < 1e-5
    assert (model.predict_classes(X) == model.predict(X).argmax(axis=1)).all()
    assert model.predict_proba(X).shape == (20, 3)
    # the figures of each batch, not of all batches so far
    values = [model.test_on_batch(X[i : i + 10], Y[i : i + 10])[0] for i in (0, 10, 0)]
    assert abs(values[0] - values[2]) < 1e-6
    assert values[0] != values[1]


class Monitor(BaseLogger):
    """The book's kind of monitor."""

    def __init__(self, path):
        super(Monitor, self).__init__()
        self.path = path

    def on_train_begin(self, logs={}):
        self.H = {}
        self.seen = dict(self.params)

    def on_epoch_end(self, epoch, logs={}):
        for name, value in logs.items():
            self.H.setdefault(name, []).append(float(value))
        with open(self.path, "w") as f:
            f.write(json.dumps(self.H))


def check_callbacks():
    model = small()
    monitor = Monitor("history.json")
    rates = LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    best = ModelCheckpoint(
        "weights-{epoch:03d}-{val_acc:.2f}.hdf5", monitor="val_acc", save_best_only=True, period=2
    )
    weights = ModelCheckpoint("only.hdf5", save_weights_only=True)
    stop = EarlyStopping(monitor="val_acc", patience=9)
    assert TensorBoard(log_dir="logs", write_grads=True, batch_size=8).log_dir == "logs"
    H = model.fit(
        X,
        Y,
        validation_data=(X, Y),
        epochs=4,
        batch_size=8,
        verbose=0,
        callbacks=[rates, monitor, best, weights, stop],
    )
    assert monitor.seen["metrics"] == ["loss", "acc", "val_loss", "val_acc"]
    assert (monitor.seen["samples"], monitor.seen["batch_size"]) == (20, 8)
    assert monitor.seen["do_validation"]
    assert len(monitor.validation_data) == 3
    with open("history.json") as f:
        saved = json.load(f)
    assert set(saved) == {"loss", "acc", "val_loss", "val_acc", "lr"}
    np.testing.assert_allclose(H.history["lr"], [0.1, 0.05, 0.1 / 3, 0.025], rtol=1e-6)
    files = sorted(name for name in os.listdir(".") if name.startswith("weights-"))
    assert files[0] == "weights-002-%.2f.hdf5" % H.history["val_acc"][1]
    assert len(files) == 1 + (H.history["val_acc"][3] > H.history["val_acc"][1])
    assert load_model(files[0]).count_params() == model.count_params()
    other = small()
    other.load_weights("only.hdf5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])

    class Probe(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_acc"] = 0.5  # never better

    plateau = ReduceLROnPlateau(monitor="val_acc", patience=1, factor=0.5, epsilon=0.01)
    model = small(optimizer=SGD(lr=0.4, decay=0.1))
    H = model.fit(X, Y, epochs=3, verbose=0, callbacks=[Probe(), plateau])
    # the rate that is read and halved is the one that was set, not what decay has made of it
    np.testing.assert_allclose(H.history["lr"], [0.4, 0.4, 0.2], rtol=1e-6)


def check_generators_are_read_once_and_in_order():
    model = counting_model()
    training, validation = numbered(), numbered(100)
    H = model.fit_generator(
        training, 3, 3, verbose=0, validation_data=validation, validation_steps=2, max_q_size=4
    )
    assert H.history["loss"] == [1.0, 4.0, 7.0]
    assert H.history["val_loss"] == [100.5, 102.5, 104.5]
    H = model.fit_generator(training, steps_per_epoch=2, nb_epoch=1, verbose=0)
    assert H.history["loss"] == [9.5]
    assert model.evaluate_generator(validation, 2, workers=2) == 106.5
    assert next(validation)[1][0] == 108  # nothing was taken too early
    shared = numbered()
    H = model.fit_generator(
        shared, 3, 2, verbose=0, validation_data=shared, validation_steps=2, initial_epoch=0
    )
    assert (H.history["loss"], H.history["val_loss"]) == ([1.0, 6.0], [3.5, 8.5])
    keras1 = model.fit_generator(numbered(), samples_per_epoch=6, nb_epoch=2, verbose=0)
    assert keras1.history["loss"] == [1.0, 4.0]


class Numbers(Sequence):
    """Three batches, and the number of those that were asked for."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.asked.append(index)
        return np.zeros((2, 1)), np.full((2, 1), float(index))


def check_sequences():
    H = counting_model().fit_generator(Numbers(), epochs=2, workers=2, verbose=0, shuffle=False)
    assert H.history["loss"] == [1.0, 1.0]
    # an epoch of two steps goes on where the last one stopped
    H = counting_model().fit_generator(
        Numbers(), steps_per_epoch=2, epochs=3, verbose=0, shuffle=False, use_multiprocessing=True
    )
    assert H.history["loss"] == [0.5, 1.0, 1.5]
    assert counting_model().evaluate_generator(Numbers()) == 1.0
    H = counting_model().fit_generator(numbered(), 5 / 2, verbose=0)  # as in 2017, three steps
    assert H.history["loss"] == [1.0]


def check_generators_that_end():
    def four():
        for i in range(4):
            yield np.zeros((2, 1)), np.full((2, 1), float(i))

    try:
        counting_model().fit_generator(four(), 3, 3, verbose=0)
    except ValueError as error:
        assert "The generator ended after 4 batches" in str(error)
    else:
        raise AssertionError
    try:
        counting_model().fit_generator(four(), verbose=0)
    except ValueError as error:
        assert "Give steps_per_epoch" in str(error)
    else:
        raise AssertionError
    try:
        counting_model().fit_generator(numbered(), 5 // 32, verbose=0)
    except ValueError as error:
        assert "steps_per_epoch must be 1 or more" in str(error)
    else:
        raise AssertionError


def check_predictions_of_generators():
    model = small()

    def images():
        while True:
            for i in range(0, 20, 8):  # 8, 8, 4
                yield X[i : i + 8]

    found = model.predict_generator(images(), steps=20 // 8, max_queue_size=16)
    np.testing.assert_allclose(found, model.predict(X[:16]), rtol=1e-5)
    labelled = ((X[i : i + 10], Y[i : i + 10]) for i in (0, 10))
    np.testing.assert_allclose(model.predict_generator(labelled, 2), model.predict(X), rtol=1e-5)


def check_class_weights():
    model = small(optimizer=SGD(lr=0.0))
    model.set_weights([np.zeros(w.shape) for w in model.get_weights()])

    def loss_with(weights, fit=model.fit, data=(X, Y)):
        return fit(*data, class_weight=weights, verbose=0).history["loss"][0]

    np.testing.assert_allclose(loss_with(np.array([2.0, 2.0, 2.0])), 2 * np.log(3), rtol=1e-5)
    np.testing.assert_allclose(loss_with({0: 3.0, 1: 3.0, 2: 3.0}), 3 * np.log(3), rtol=1e-5)
    np.testing.assert_allclose(loss_with("auto"), np.log(3), rtol=1e-5)
    once = (iter([[X, Y]]), 1)
    found = loss_with([4.0, 4.0, 4.0], fit=model.fit_generator, data=once)
    np.testing.assert_allclose(found, 4 * np.log(3), rtol=1e-5)


def check_an_augmented_epoch_of_fewer_steps_goes_on_where_it_stopped():
    from keras.preprocessing.image import ImageDataGenerator, img_to_array

    assert img_to_array(np.zeros((4, 6, 3)), dim_ordering="tf").shape == (4, 6, 3)
    images = np.arange(5, dtype="float32").reshape(5, 1, 1, 1)
    model = Sequential([Flatten(input_shape=(1, 1, 1)), Dense(1)])
    model.compile(loss=number, optimizer=SGD(lr=0.0))
    flow = ImageDataGenerator().flow(images, np.arange(5), batch_size=2, shuffle=False)
    H = model.fit_generator(flow, steps_per_epoch=5 // 2, epochs=3, verbose=0)
    # 0 1, 2 3 | 4, 0 1 | 2 3, 4; the mean is over rows
    np.testing.assert_allclose(H.history["loss"], [1.5, 5 / 3, 3.0], rtol=1e-6)


def check_files():
    model = small(optimizer=Adam(lr=0.01, decay=0.1))
    model.fit(X, Y, epochs=2, verbose=0)
    for name in ("a.model", "a.hdf5", "a.h5", "a", "a.keras"):
        model.save(name)
        with open(name, "rb") as f:
            assert f.read(4) == (b"PK\x03\x04" if name == "a.keras" else b"\x89HDF"), name
    for name in ("a.model", "a.hdf5", "a.h5", "a", "a.keras"):
        loaded = load_model(name)
        for mine, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
            np.testing.assert_array_equal(K.get_value(other), K.get_value(mine))
    expected = train_on(loaded)
    np.testing.assert_allclose(train_on(load_model("a.model")), expected, rtol=1e-6)
    np.testing.assert_allclose(train_on(model), expected, rtol=1e-6)  # unharmed
    assert sorted(os.listdir(".")) == ["a", "a.h5", "a.hdf5", "a.keras", "a.model"]
    try:
        load_model("none.hdf5")
    except OSError as error:
        assert str(error) == "There is no model at none.hdf5."
    else:
        raise AssertionError
    with open("bad.model", "wb") as f:
        f.write(b"nothing of the kind")
    try:
        load_model("bad.model")
    except ValueError:
        pass
    else:
        raise AssertionError


def train_on(model):
    model.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    return np.concatenate([w.ravel() for w in model.get_weights()])


def check_a_save_that_fails_leaves_what_was_there():
    small().save("a.model")
    with open("a.model", "rb") as f:
        before = f.read()
    large = Sequential([Dense(400, input_dim=400)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for save in (large.save, large.save_weights):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, hard))  # a disk that is full
        try:
            save("a.model")
        except OSError as error:
            assert "a.model" in str(error)
        else:
            raise AssertionError
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with open("a.model", "rb") as f:
            assert f.read() == before
        assert os.listdir(".") == ["a.model"]


def check_files_of_weights():
    model = small()
    model.save("full.model")
    for name in ("w.hdf5", "w.h5", "w"):
        model.save_weights(name)
        other = small()
        other.load_weights(name)
        np.testing.assert_array_equal(other.get_weights()[2], model.get_weights()[2])
    other = Sequential([Dense(5, input_dim=4, name="first"), Dense(7, name="another")])
    other.load_weights("w.hdf5", by_name=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    other = small()
    other.load_weights("full.model")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def check_files_of_keras_2():
    model = small(optimizer=SGD(lr=0.1, decay=0.01, momentum=0.9))
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model.save("new.hdf5")
    shutil.copy("new.hdf5", "old.model")
    with h5py.File("old.model", "r+") as f:  # as Keras 2.1 described the same optimizer
        training = json.loads(f.attrs["training_config"])
        training["metrics"] = ["accuracy"]
        training["optimizer_config"] = {
            "class_name": "SGD",
            "config": {"lr": 0.1, "momentum": 0.9, "decay": 0.01, "nesterov": False},
        }
        f.attrs["training_config"] = json.dumps(training)
    loaded = load_model("old.model")
    assert K.get_value(loaded.optimizer.lr) == np.float32(0.1)
    assert loaded.optimizer.decay == 0.01
    np.testing.assert_allclose(train_on(loaded), train_on(model), rtol=1e-6)
    K.set_value(loaded.optimizer.lr, 0.0)
    H = loaded.fit(X, Y, epochs=1, verbose=0)
    assert "acc" in H.history


def check_code_in_files():
    scale = Lambda(lambda x: K.abs(2 * x))
    model = Sequential([Dense(1, input_dim=4), scale])
    for name in ("code.model", "code.keras"):
        model.save(name)
        assert (load_model(name).predict(X) == model.predict(X)).all()  # this run wrote it
    shutil.copy("code.model", "foreign.model")
    with open("code.model", "ab") as f:
        f.write(b" ")
    for name in ("foreign.model", "code.model"):
        try:
            load_model(name)
        except ValueError as error:
            assert "load it with --unsafe" in str(error)
        else:
            raise AssertionError(name)


FAILING = """
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense

def batches():
    yield np.zeros((2, 1)), np.zeros((2, 1))
    raise KeyError("a.jpg")

model = Sequential([Dense(1, input_dim=1)])
model.compile("sgd", "mse")
model.fit_generator(batches(), 3, verbose=0)
"""


def shown(source):
    """Return what the user sees of an exception in a script."""
    try:
        exec(compile(source, os.path.abspath("train.py"), "exec"), {"__name__": "__main__"})
    except Exception as error:
        with contextlib.redirect_stderr(io.StringIO()) as stream:
            sys.excepthook(type(error), error, error.__traceback__)
        return stream.getvalue()


def check_tracebacks():
    text = shown("from keras.layers import Merge\n")
    assert 'train.py", line 1, in <module>' in text
    assert "ImportError: keras.layers.Merge is not in Keras 3" in text
    assert "Concatenate" in text
    text = shown("\nimport keras.preprocessing.text as t\n")
    assert 'train.py", line 2, in <module>' in text
    assert "TextVectorization" in text
    assert "has no attribute 'nothing'" in shown("import keras\nkeras.layers.nothing\n")
    assert "cannot import name 'Nothing'" in shown("from keras.layers.core import Nothing\n")
    text = shown("from keras.layers.core import Dense\n\nDense(3, no_such='x')\n")
    assert 'train.py", line 3, in <module>' in text
    assert "no_such" in text
    text = shown(FAILING)
    assert text.endswith("KeyError: 'a.jpg'\n"), text
    assert 'train.py", line 12, in <module>' in text
    assert 'train.py", line 8, in batches' in text
    for source in ("from keras.layers import Highway", "import keras\nkeras.backend.gradients"):
        assert "has no stand-in here" in shown(source)
    for line in text.splitlines():
        assert "pyimagesearch" not in line, text


def check_own_classes_in_files():
    model = Sequential([Dense(1, input_dim=4)])
    model.compile(loss=number, optimizer="sgd", metrics=[number])
    model.save("own.hdf5")
    loaded = load_model("own.hdf5", custom_objects={"number": number})
    assert loaded.evaluate(X, np.ones((20, 1)), verbose=0) == [1.0, 1.0]


def check_epoch_checkpoint_of_this_package():
    from pyimagesearch.callbacks import EpochCheckpoint, TrainingMonitor

    model = small()
    callbacks = [
        EpochCheckpoint("checkpoints", every=1),
        TrainingMonitor("a.png", jsonPath="a.json"),
    ]
    os.mkdir("checkpoints")
    model.fit(X, Y, validation_data=(X, Y), epochs=2, verbose=0, callbacks=callbacks)
    assert sorted(os.listdir("checkpoints")) == ["epoch_1.hdf5", "epoch_2.hdf5"]
    model = load_model("checkpoints/epoch_2.hdf5")
    assert K.get_value(model.optimizer.lr) == np.float32(0.1)
    with open("a.json") as f:
        history = json.load(f)
    assert {"loss", "acc", "val_loss", "val_acc"} <= set(history)
    assert [len(values) for values in history.values()] == [2] * len(history)


def check_resnet_without_a_top():
    from keras.applications import ResNet50, imagenet_utils
    from keras.applications.vgg16 import VGG16

    model = ResNet50(weights=None, include_top=False)
    assert model.output_shape[-1] == 2048
    assert model.compute_output_shape((2, 224, 224, 3)) == (2, 1, 1, 2048)
    assert VGG16(
        weights=None, include_top=False, input_tensor=Input(shape=(32, 32, 3))
    ).output_shape == (None, 1, 1, 512)
    batch = imagenet_utils.preprocess_input(np.zeros((1, 4, 4, 3)))
    np.testing.assert_allclose(batch[0, 0, 0], [-103.939, -116.779, -123.68], rtol=1e-6)


def check_backend():
    low = K.eval(K.random_uniform((2, 3), low=-2.0, high=-1.0))
    assert low.shape == (2, 3)
    assert low.max() < -1
    assert abs(K.eval(K.random_normal((9,), mean=5.0, std=0.001)).mean() - 5) < 0.01
    x = K.variable(np.array([[1.0, 4.0], [3.0, 2.0]]))
    assert K.eval(K.argmax(x)).tolist() == [1, 0]
    assert K.get_value(K.mean(K.equal([1, 2], [1, 3]))) == 0.5
    assert K.eval(K.expand_dims(x)).shape == (2, 2, 1)
    assert K.eval(K.concatenate([x, x])).shape == (2, 4)
    assert K.eval(K.permute_dimensions(x, (1, 0))).tolist() == [[1, 3], [4, 2]]
    assert K.eval(K.clip(x, 2, 3)).max() == 3
    assert (K.ndim(x), K.int_shape(x), K.count_params(x)) == (2, (2, 2), 4)
    assert K.image_dim_ordering() == "tf"
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first"
    K.set_image_dim_ordering("tf")
    K.set_learning_phase(0)
    model = small()
    inner = K.function([model.layers[0].input, K.learning_phase()], [model.layers[0].output])
    assert inner([X, 0])[0].shape == (20, 5)
    import tensorflow as tf

    config = tf.ConfigProto()
    config.gpu_options.allow_growth = True
    K.set_session(tf.Session(config=config))
    tf.set_random_seed(3)
    assert K.tf is tf
    optimizer = Adam(lr=0.1, decay=0.5)
    assert K.get_value(K.cast(optimizer.decay, K.dtype(optimizer.decay))) == 0.5
    assert K.dtype(x) == "float32"
    try:
        K.no_such(x)
    except AttributeError as error:
        assert "keras.ops" in str(error)
    else:
        raise AssertionError


def check_every_name_in_the_table():
    import importlib

    from pyimagesearch.keras2 import names

    for row in names.MODULES:
        try:
            importlib.import_module(row.old)
        except ImportError as error:
            assert not row.provided, (row.old, error)
            assert str(error).startswith(row.old), error
        else:
            assert row.provided, row.old
    for row in names.NAMES + tuple(row for row in names.OTHERS if not row.owner):
        module, _, name = row.old.rpartition(".")
        if module.startswith("scipy"):
            continue
        try:
            scope = {}
            exec("from %s import %s" % (module, name), scope)
        except ImportError as error:
            assert not row.provided, (row.old, error)
            assert "has no stand-in" in str(error), (row.old, error)
            assert row.new in str(error)
            assert not hasattr(importlib.import_module(module), name)
        else:
            assert row.provided, row.old


def check_old_defaults_of_layers():
    from keras.layers import LSTM, AveragePooling1D, AveragePooling2D, AveragePooling3D

    assert AveragePooling2D().pool_size == MaxPooling2D().pool_size == (2, 2)
    assert AveragePooling2D((3, 3)).pool_size == MaxPooling2D(pool_size=3).pool_size == (3, 3)
    assert AveragePooling1D(pool_length=4).pool_size == (4,)
    assert AveragePooling3D().pool_size == (2, 2, 2)
    model = Sequential([LSTM(4, batch_input_shape=(2, 3, 1), stateful=True), Dense(1)])
    assert model.input_shape == (2, 3, 1)
    rows = np.ones((2, 3, 1))
    first, second = (model.predict(rows, batch_size=2) for _ in range(2))
    if K.backend() != "jax":  # where Keras itself forgets the state between two calls
        assert (first != second).all()  # it went on from its state


def one_weight(optimizer):
    model = Sequential([Dense(1, input_dim=1, use_bias=False, init="zero")])
    model.compile(optimizer, "mse")
    return model


def number_times_weight(y_true, y_pred):
    return K.mean(y_true * y_pred)


def check_tensors_of_sequential():
    model = small()
    assert (model.input.shape, model.output.shape) == ((None, 4), (None, 3))
    inner = Model(inputs=model.input, outputs=model.get_layer("first").output)
    expected = np.maximum(X @ model.get_weights()[0], 0)
    np.testing.assert_allclose(inner.predict(X), expected, rtol=1e-4, atol=1e-6)
    assert Model(model.inputs, model.outputs).predict(X).shape == (20, 3)
    function = K.function([model.input], [model.output])
    np.testing.assert_allclose(function([X])[0], model.predict(X), rtol=1e-5)
    assert not hasattr(Sequential([Dense(1)]), "input")  # not built yet


def check_star_imports():
    for module, wanted in [
        ("keras.preprocessing.image", "ImageDataGenerator img_to_array load_img"),
        ("keras.layers", "Dense Convolution2D MaxPooling2D"),
        ("keras.layers.convolutional", "Conv2D Convolution2D"),
        ("keras.layers.normalization", "BatchNormalization"),
        ("keras.callbacks", "BaseLogger EarlyStopping"),
        ("keras.backend", "get_value mean image_dim_ordering epsilon"),
        ("keras.losses", "mse categorical_crossentropy"),
        ("keras.metrics", "categorical_accuracy"),
        ("keras.regularizers", "l2"),
        ("keras.models", "Model Sequential load_model"),
        ("keras.initializers", "glorot_uniform"),
        ("keras.constraints", "maxnorm"),
        ("keras.optimizers", "SGD Adam"),
        ("keras.utils", "to_categorical Sequence"),
    ]:
        scope = {}
        exec("from %s import *" % module, scope)
        missing = [name for name in wanted.split() if name not in scope]
        assert not missing, (module, missing)


def two_outputs(**settings):
    inputs = Input(shape=(4,))
    hidden = Dense(5, activation="relu")(inputs)
    outputs = [Dense(3, activation="softmax", name=name)(hidden) for name in ("main", "aux")]
    model = Model(input=inputs, output=outputs)
    model.compile("sgd", "categorical_crossentropy", **settings)
    return model


def check_metrics_of_several_outputs():
    names = ["loss", "main_loss", "aux_loss", "main_acc", "aux_acc"]
    model = two_outputs(metrics=["accuracy"])
    assert model.metrics_names == names
    H = model.fit(X, [Y, np.roll(Y, 1, 0)], epochs=1, verbose=0)
    assert set(H.history) == set(names)
    assert model.metrics_names == names
    values = dict(zip(names, model.evaluate(X, [Y, np.roll(Y, 1, 0)], verbose=0), strict=True))
    predictions = model.predict(X)
    for name, labels, predicted in zip(
        ("main", "aux"), (Y, np.roll(Y, 1, 0)), predictions, strict=True
    ):
        right = (predicted.argmax(1) == labels.argmax(1)).mean()
        assert abs(values[name + "_acc"] - right) < 1e-6, values
        loss = -np.log((predicted * labels).sum(1)).mean()
        assert abs(values[name + "_loss"] - loss) < 1e-4, values
    model = two_outputs(metrics={"aux": "accuracy"})
    model.fit(X, [Y, Y], epochs=1, verbose=0)
    assert model.metrics_names == ["loss", "main_loss", "aux_loss", "aux_acc"]


class Batches(Callback):
    """Keeps what it is told of every batch."""

    def on_train_begin(self, logs={}):
        self.begun, self.ended = [], []

    def on_batch_begin(self, batch, logs={}):
        self.begun.append((logs["batch"], logs.get("size")))

    def on_batch_end(self, batch, logs={}):
        self.ended.append(dict(logs))


def check_logs_of_batches():
    model = counting_model()
    seen = Batches()
    model.fit_generator(numbered(), 3, 2, verbose=0, callbacks=[seen])
    assert [logs["loss"] for logs in seen.ended] == [0, 1, 2, 3, 4, 5]
    assert [(logs["batch"], logs["size"]) for logs in seen.ended] == 2 * [(0, 2), (1, 2), (2, 2)]
    assert seen.begun == 2 * [(0, 2), (1, 2), (2, 2)]
    model = small(optimizer=SGD(lr=0.0))
    model.fit(
        X,
        Y,
        batch_size=8,
        validation_split=0.1,
        epochs=1,
        shuffle=False,
        verbose=0,
        callbacks=[seen],
    )
    assert seen.begun == [(0, 8), (1, 8), (2, 2)]
    for logs, start in zip(seen.ended, (0, 8, 16), strict=True):
        end = start + logs["size"]
        loss, acc = model.test_on_batch(X[start:end], Y[start:end])
        assert abs(logs["loss"] - loss) < 1e-5
        assert abs(logs["acc"] - acc) < 1e-6
    assert set(seen.ended[-1]) == {"batch", "size", "loss", "acc"}


def check_what_is_trained_is_settled_by_compile():
    discriminator = Sequential([Dense(4, input_dim=2), Dense(1)])
    discriminator.compile("sgd", "mse")
    generator = Sequential([Dense(2, input_dim=3)])
    discriminator.trainable = False
    noise = Input(shape=(3,))
    combined = Model(noise, discriminator(generator(noise)))
    combined.compile("sgd", "mse")
    z, real, ones = np.ones((4, 3)), np.ones((4, 2)), np.full((4, 1), 5.0)

    def moved(train):
        before = [model.get_weights() for model in (discriminator, generator)]
        train()
        after = [model.get_weights() for model in (discriminator, generator)]
        return [
            any((a != b).any() for a, b in zip(*pair, strict=True))
            for pair in zip(before, after, strict=True)
        ]

    for _ in range(2):
        assert moved(lambda: discriminator.train_on_batch(real, ones)) == [True, False]
        assert moved(lambda: combined.train_on_batch(z, ones)) == [False, True]
        assert moved(lambda: discriminator.fit(real, ones, verbose=0)) == [True, False]
        assert moved(lambda: combined.fit(z, ones, verbose=0)) == [False, True]
    assert not discriminator.trainable
    assert not discriminator.trainable_weights
    discriminator.trainable = True  # too late for the combined model
    assert moved(lambda: combined.train_on_batch(z, ones)) == [False, True]
    assert discriminator.trainable


def check_other_ways_to_import():
    import keras
    import keras.layers.core as core
    import tensorflow.keras.layers
    from keras.engine import Layer, InputSpec
    from keras.engine.topology import Container
    from keras.losses import mse
    from tensorflow.keras.layers.core import Dense as same
    import tensorflow as tf

    assert core.Dense is keras.layers.Dense is same
    assert keras.utils.np_utils.to_categorical is to_categorical
    assert Container is keras.Model
    assert issubclass(core.Dense, Layer)
    assert InputSpec is keras.InputSpec
    assert mse is keras.losses.mean_squared_error
    assert tf.keras.callbacks.BaseLogger is BaseLogger
    scope = {}
    exec("from keras.layers.core import *", scope)
    assert scope["Flatten"] is Flatten


if __name__ == "__main__":
    import keras2_graph_checks
    import keras2_training_checks

    checks = globals() | vars(keras2_training_checks) | vars(keras2_graph_checks)
    results = {}
    for name in [name for name in checks if name.startswith("check_")]:
        os.makedirs(name)
        here = os.getcwd()
        os.chdir(name)
        try:
            checks[name]()
            results[name] = None
        except BaseException:
            results[name] = traceback.format_exc()
        os.chdir(here)
        K.clear_session()
    with open(sys.argv[1], "w") as f:
        json.dump(results, f)
