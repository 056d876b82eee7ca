"""The same numbers: a script of 2017 under the runner, and its modern form without it."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]

DATA = """
import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 6, 6, 1)).astype("float32")
y = np.eye(3, dtype="float32")[rng.integers(3, size=40)]
val = x[:10], y[:10]
weights = None

def begin(model):
    global weights
    if weights is None:
        weights = [rng.normal(scale=0.3, size=w.shape) for w in model.get_weights()]
    model.set_weights(weights)
"""

OLD = (
    DATA
    + """
from keras.models import Sequential
from keras.layers.convolutional import Convolution2D
from keras.layers.core import Activation, Flatten, Dense
from keras.optimizers import SGD, Adam, RMSprop
from keras.regularizers import l2

def build():
    model = Sequential()
    model.add(Convolution2D(4, 3, 3, border_mode="same", input_shape=(6, 6, 1),
                            W_regularizer=l2(0.01)))
    model.add(Activation("relu"))
    model.add(Flatten())
    model.add(Dense(output_dim=3))
    model.add(Activation("softmax"))
    begin(model)
    return model

def batches():
    while True:
        for i in range(0, 40, 8):
            yield x[i:i + 8], y[i:i + 8]

optimizers = {
    "sgd": SGD(lr=0.1, decay=0.1 / 3, momentum=0.9, nesterov=True),
    "adam": Adam(lr=1e-2),
    "decaying": Adam(lr=1e-2, decay=1e-2 / 3),
    "rmsprop": RMSprop(lr=1e-3, decay=0.05),
}
found = {}
for name, opt in optimizers.items():
    model = build()
    model.compile(loss="categorical_crossentropy", optimizer=opt, metrics=["accuracy"])
    if name == "adam":
        H = model.fit_generator(batches(), steps_per_epoch=5, nb_epoch=3, verbose=0,
                                validation_data=val)
    else:
        H = model.fit(x, y, validation_data=val, batch_size=8, nb_epoch=3, shuffle=False,
                      verbose=0)
    for i, w in enumerate(model.get_weights()):
        found["%s%d" % (name, i)] = w
    found[name + "_history"] = [H.history[k] for k in ("loss", "acc", "val_loss", "val_acc")]
np.savez("old.npz", **found)
"""
)

MODERN = (
    DATA
    + """
import keras
from keras import layers, ops
from keras.optimizers import SGD, Adam
from keras.optimizers.schedules import InverseTimeDecay

def build():
    model = keras.Sequential([
        keras.Input((6, 6, 1)),
        layers.Conv2D(4, (3, 3), padding="same", kernel_regularizer=keras.regularizers.l2(0.01)),
        layers.Activation("relu"),
        layers.Flatten(),
        layers.Dense(3),
        layers.Activation("softmax"),
    ])
    begin(model)
    return model

class OldRMSprop(keras.optimizers.Optimizer):  # Keras 3's own has epsilon under the root
    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.means = self.add_optimizer_variables(variables, "mean")

    def update_step(self, gradient, variable, learning_rate):
        mean = self.means[self._get_variable_index(variable)]
        self.assign(mean, 0.9 * mean + 0.1 * ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (ops.sqrt(mean) + 1e-7))

optimizers = {
    "sgd": SGD(InverseTimeDecay(0.1, 1, 0.1 / 3), momentum=0.9, nesterov=True),
    "adam": Adam(1e-2),
    "decaying": Adam(InverseTimeDecay(1e-2, 1, 1e-2 / 3)),
    "rmsprop": OldRMSprop(InverseTimeDecay(1e-3, 1, 0.05)),
}
found = {}
for name, opt in optimizers.items():
    model = build()
    model.compile(loss="categorical_crossentropy", optimizer=opt, metrics=["accuracy"])
    H = model.fit(x, y, validation_data=val, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for i, w in enumerate(model.get_weights()):
        found["%s%d" % (name, i)] = w
    keys = ("loss", "accuracy", "val_loss", "val_accuracy")
    found[name + "_history"] = [H.history[k] for k in keys]
np.savez("modern.npz", **found)
"""
)

# One weight, so that all of it can be worked out by hand; and the rate set in between.
DECAY = """
import numpy as np
from keras import backend as K
from keras.layers.core import Dense
from keras.models import Sequential, load_model
from keras.optimizers import SGD

x = np.array([[1.0], [2.0]], dtype="float32")
y = np.array([[0.0], [1.0]], dtype="float32")
model = Sequential([Dense(1, bias=False, input_dim=1)])
model.set_weights([np.array([[2.0]])])
model.compile(loss="mse", optimizer=SGD(lr=0.1, decay=0.5, momentum=0.9))
found = []

def train(model, epochs):
    for _ in range(epochs):
        model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
        found.append([model.get_weights()[0].item(), K.get_value(model.optimizer.lr)])

train(model, 2)
K.set_value(model.optimizer.lr, 0.05)
train(model, 1)
model.save("decay.model")
model = load_model("decay.model")
train(model, 1)
model.optimizer.lr = 0.01
train(model, 1)
np.save("decay.npy", found)
"""


def run(source, script, backend, *words):
    script.write_text(source)
    settings = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
    result = subprocess.run(
        [sys.executable, "-P", *words, str(script)],
        cwd=script.parent,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equivalence")
    run(OLD + DECAY, folder / "old.py", "tensorflow", "-m", "pyimagesearch.keras2")
    with contextlib.chdir(folder):  # here, where Keras is loaded already
        exec(compile(MODERN, "modern.py", "exec"), {})
    return folder


@pytest.mark.parametrize("name", ["sgd", "adam", "decaying", "rmsprop"])
def test_three_epochs_end_in_the_weights_of_the_modern_script(folder, name):
    old, modern = np.load(folder / "old.npz"), np.load(folder / "modern.npz")
    keys = [key for key in modern if key.rstrip("0123456789") in (name, f"{name}_history")]
    assert len(keys) == 5  # two kernels, two biases, and the history
    for key in keys:
        np.testing.assert_allclose(old[key], modern[key], rtol=1e-5, atol=1e-6)
    first = np.load(folder / "old.npz")[f"{name}_history"][0]
    assert first[0] != first[-1]  # something was learnt


def test_the_rate_decays_by_the_formula_of_keras_2_and_can_still_be_set(folder):
    np.testing.assert_allclose(np.load(folder / "decay.npy"), decayed(), rtol=1e-5)


def decayed():
    """Work out what DECAY does: the weight after every epoch, and the rate that one reads."""
    weight, velocity, iterations, rate = 2.0, 0.0, 0, 0.1
    expected = []
    for epoch in range(5):
        rate = {2: 0.05, 4: 0.01}.get(epoch, rate)
        for x, y in [(1.0, 0.0), (2.0, 1.0)]:
            gradient = 2 * (weight * x - y) * x
            velocity = 0.9 * velocity - rate / (1 + 0.5 * iterations) * gradient
            weight += velocity
            iterations += 1
        expected.append([weight, rate])  # and the rate that one reads is the one that was set
    return expected


@pytest.mark.torture
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_old_and_modern_scripts_agree_on_every_backend(tmp_path, backend):
    run(OLD + DECAY, tmp_path / "old.py", backend, "-m", "pyimagesearch.keras2")
    run(MODERN, tmp_path / "modern.py", backend)
    old, modern = np.load(tmp_path / "old.npz"), np.load(tmp_path / "modern.npz")
    apart = {key: np.abs(old[key] - modern[key]).max() for key in modern if "history" not in key}
    by_hand = np.abs(np.load(tmp_path / "decay.npy") - decayed()).max()
    for name in ("sgd", "adam", "decaying", "rmsprop"):
        worst = max(value for key, value in apart.items() if key.startswith(name))
        print(f"[FIGURE] {backend}, {name}: weights after 3 epochs at most {worst:.1e} apart")
        assert worst < 1e-5
    print(f"[FIGURE] {backend}: decay and momentum {by_hand:.1e} from the values by hand")
    assert by_hand < 1e-5
