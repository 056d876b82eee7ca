"""Models in the HDF5 format of 2017: trained on exactly, and never a way to run code."""

import json
import os
import random
import resource
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from pyimagesearch.callbacks import EpochCheckpoint
from pyimagesearch.callbacks.checkpointnote import read_note
from pyimagesearch.nn.conv import MiniVGGNet, ResNet
from pyimagesearch.training.backbone import load_backbone
from pyimagesearch.training.resume import load_checkpoint
from pyimagesearch.training.saving import load_network, read_model

# Keras 3.15 reads its own TensorFlow variables in a way NumPy 2 warns of, when it saves a model
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
LABELS = np.eye(3, dtype="float32")[np.arange(12) % 3]
SGD, decay = keras.optimizers.SGD, keras.optimizers.schedules.InverseTimeDecay
OPTIMIZERS = {  # those of the examples, and what a reader may put in their place
    "SGD": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "Nesterov": lambda: SGD(0.1, momentum=0.9, nesterov=True),
    "decay": lambda: SGD(decay(0.1, 1, 0.1), momentum=0.9, nesterov=True),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.01),
    "Adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.001),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.002),
    "Lamb": lambda: keras.optimizers.Lamb(0.002),  # which `keras.optimizers.deserialize` lacks
}


def network(optimizer=None, *, sequential=False):
    keras.utils.set_random_seed(5)
    stack = [
        layers.Dense(8, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Dense(3, activation="softmax"),
    ]
    if sequential:
        model = keras.Sequential([keras.Input((6,)), *stack], name="net")
    else:
        x = inputs = keras.Input((6,))
        for layer in stack:
            x = layer(x)
        model = keras.Model(inputs, x, name="net")
    if optimizer:
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


def fit(model, **options):
    model.run_eagerly = True
    return model.fit(IMAGES, LABELS, batch_size=6, shuffle=False, verbose=0, **options)


def assert_same(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


# -- training on -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_training_equals_one_without_a_stop(name, tmp_path):
    straight = network(OPTIMIZERS[name]())
    fit(straight, epochs=2, callbacks=[EpochCheckpoint(tmp_path, 1, extension=".hdf5")])
    resumed = load_checkpoint(tmp_path / "epoch_1.hdf5", 1, like=straight)
    assert [metric.name for metric in resumed.metrics] == ["loss", "compile_metrics"]
    fit(resumed, initial_epoch=1, epochs=2)
    assert_same(straight, resumed)


def test_what_keras_itself_saved_trains_on(tmp_path):
    straight, saved = (network(OPTIMIZERS["Adam"](), sequential=True) for _ in range(2))
    fit(straight, epochs=2)
    fit(saved, epochs=1)
    saved.save(tmp_path / "x.h5")
    resumed = load_checkpoint(tmp_path / "x.h5", 1, 0.01)
    fit(resumed, initial_epoch=1, epochs=2)
    assert_same(straight, resumed)


def test_the_epoch_is_in_the_file_and_a_wrong_one_refused(tmp_path):
    fit(network("sgd"), epochs=1, callbacks=[EpochCheckpoint(tmp_path, 1, extension=".hdf5")])
    (tmp_path / "epoch_1.hdf5").rename(tmp_path / "mine.hdf5")
    with pytest.raises(ValueError, match="saved after epoch 1. Received: --start-epoch 2"):
        load_checkpoint(tmp_path / "mine.hdf5", 2)


def test_a_rate_that_follows_a_schedule_cannot_be_set(tmp_path):
    path = tmp_path / "x.hdf5"
    network(OPTIMIZERS["decay"]()).save(path)
    with pytest.raises(ValueError, match=r"follows a schedule.*--lr 0\.5\. Leave it out"):
        load_checkpoint(path, 1, 0.5)


@pytest.mark.parametrize(
    "build",
    [
        lambda: MiniVGGNet.build(16, 16, 3, 10),
        lambda: ResNet.build(32, 32, 3, 10, [1, 1], [4, 4, 8]),
    ],
)
def test_the_books_networks_pass_the_look_before_loading(build, tmp_path):
    model = build()
    model.save(tmp_path / "x.hdf5")
    assert_same(load_network(tmp_path / "x.hdf5", like=model), model)


# -- Keras 2 -----------------------------------------------------------------------------------

ZEROS, ONES = {"class_name": "Zeros", "config": {}}, {"class_name": "Ones", "config": {}}
KERNEL = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
WEIGHTED = {
    **{"trainable": True, "use_bias": True, "kernel_initializer": KERNEL},
    **{"bias_initializer": ZEROS, "bias_regularizer": None, "activity_regularizer": None},
    **{"kernel_constraint": None, "bias_constraint": None},
}
LAYERS_2017 = [
    {
        "class_name": "Conv2D",
        "config": {
            **{**WEIGHTED, "name": "conv2d_1", "batch_input_shape": [None, 8, 8, 3]},
            **{"dtype": "float32", "filters": 4, "kernel_size": [3, 3], "strides": [1, 1]},
            **{"padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1]},
            **{"activation": "linear"},
            "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.0005}},
        },
    },
    {
        "class_name": "BatchNormalization",
        "config": {
            **{"name": "bn_1", "trainable": True, "axis": -1, "momentum": 0.9, "epsilon": 0.001},
            **{"center": True, "scale": True, "beta_initializer": ZEROS, "beta_constraint": None},
            **{"gamma_initializer": ONES, "moving_mean_initializer": ZEROS},
            **{"moving_variance_initializer": ONES, "beta_regularizer": None},
            **{"gamma_regularizer": None, "gamma_constraint": None},
        },
    },
    {
        "class_name": "MaxPooling2D",
        "config": {
            **{"name": "pool_1", "trainable": True, "pool_size": [2, 2], "strides": [2, 2]},
            **{"padding": "valid", "data_format": "channels_last"},
        },
    },
    {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}},
    {
        "class_name": "Dense",
        "config": {
            **{**WEIGHTED, "name": "dense_1", "units": 2, "activation": "softmax"},
            "kernel_regularizer": None,
        },
    },
]
WEIGHTS_2017 = {
    "conv2d_1": {"kernel": (3, 3, 3, 4), "bias": (4,)},
    "bn_1": {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_variance": (4,)},
    **{"pool_1": {}, "flatten_1": {}, "dense_1": {"kernel": (64, 2), "bias": (2,)}},
}
TRAINED = [(3, 3, 3, 4), (4,), (4,), (4,), (64, 2), (2,)]  # without the moving averages
COUNTER = np.float32(7)


def slots(*firsts):
    """Return one list after another, as Keras 2 wrote them: of the numbers first, first + 1, ..."""
    return [np.full(shape, n + i, "float32") for n in firsts for i, shape in enumerate(TRAINED)]


def functional(stack):
    entry = {"batch_input_shape": [None, 8, 8, 3], "dtype": "float32", "sparse": False}
    entry["name"] = name = "input_1"
    nodes = [{"name": name, "class_name": "InputLayer", "config": entry, "inbound_nodes": []}]
    for layer in stack:
        config = {key: v for key, v in layer["config"].items() if key != "batch_input_shape"}
        before = [[[name, 0, 0, {}]]]
        name = config["name"]
        nodes.append({"name": name, **layer, "config": config, "inbound_nodes": before})
    config = {"name": "model_1", "layers": nodes}
    config |= {"input_layers": [["input_1", 0, 0]], "output_layers": [[name, 0, 0]]}
    return {"class_name": "Model", "config": config}


def write_keras2(path, architecture, optimizer, state):
    """Write a file as Keras 2.0.8 did; return the weights in it."""
    rng = np.random.default_rng(1)
    training = {"optimizer_config": optimizer, "loss": "categorical_crossentropy"}
    training |= {"metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None}
    values = []
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": b"2.0.8", "backend": b"tensorflow"})
        file.attrs["model_config"] = json.dumps(architecture).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs.update({"keras_version": b"2.0.8", "backend": b"tensorflow"})
        group.attrs["layer_names"] = [name.encode() for name in WEIGHTS_2017]
        for layer, weights in WEIGHTS_2017.items():
            names = [f"{layer}/{name}:0" for name in weights]
            group.create_group(layer).attrs["weight_names"] = [name.encode() for name in names]
            for name, shape in zip(names, weights.values(), strict=True):
                values.append(rng.uniform(0.1, 1, size=shape).astype("float32"))
                group[layer][name] = values[-1]
        group = file.create_group("optimizer_weights")
        names = [f"training/variable_{i}:0" for i in range(len(state))]
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name, value in zip(names, state, strict=True):
            group[name] = value
    return values


@pytest.mark.parametrize("kind", ["list", "dict", "functional"])
@pytest.mark.parametrize(
    ("optimizer", "state", "slots_of_first"),
    [
        (
            {"class_name": "SGD", "config": {"lr": 0.01, "momentum": 0.9, "decay": 0.5}},
            [COUNTER, *slots(1)],
            [1],
        ),
        (
            {"class_name": "Adam", "config": {"lr": 0.01, "beta_1": 0.9, "decay": 0.0}},
            [COUNTER, *slots(1, 51)],
            [1, 51],
        ),
        (
            {"class_name": "RMSprop", "config": {"lr": 0.01, "rho": 0.9, "decay": 0.0}},
            slots(1),
            [1],
        ),
    ],
)
def test_a_model_of_keras_2_trains_on(kind, optimizer, state, slots_of_first, tmp_path):
    architecture = {
        "list": {"class_name": "Sequential", "config": LAYERS_2017},
        "dict": {"class_name": "Sequential", "config": {"name": "s", "layers": LAYERS_2017}},
        "functional": functional(LAYERS_2017),
    }[kind]
    weights = write_keras2(tmp_path / "old.hdf5", architecture, optimizer, state)
    model = load_checkpoint(tmp_path / "old.hdf5", 5)
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 3), (None, 2))
    for one, two in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.layers[-5].kernel_regularizer.l2 == pytest.approx(0.0005)

    values = [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]
    assert values[0] == (0 if optimizer["class_name"] == "RMSprop" else 7)
    firsts = [value.ravel()[0] for value in values if value.shape == (3, 3, 3, 4)]
    assert firsts == slots_of_first
    lasts = [value.ravel()[0] for value in values if value.shape == (2,)]
    assert lasts == [first + 5 for first in slots_of_first]
    rate = 0.01 / (1 + 0.5 * 7) if optimizer["class_name"] == "SGD" else 0.01
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)
    model.run_eagerly = True
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3))
    history = model.fit(images, np.eye(2)[[0, 1, 0, 1]], verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert "accuracy" in history


def test_a_state_without_counterpart_is_refused_but_its_network_is_not(tmp_path):
    optimizer = {"class_name": "Nadam", "config": {"lr": 0.002, "schedule_decay": 0.004}}
    optimizer["config"].pop("schedule_decay")
    path = tmp_path / "old.hdf5"
    write_keras2(path, functional(LAYERS_2017), optimizer, [COUNTER, COUNTER, *slots(1, 51)])
    with pytest.raises(ValueError, match=r"old\.hdf5 .* Nadam, is that of Keras 2"):
        read_model(path)
    assert read_model(path, compile=False).count_params() == 112 + 16 + 130


# -- files that bring code along ---------------------------------------------------------------


def spoil(path, change, name="model_config"):
    """Change the configuration in a legacy file."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs[name])
        file.attrs[name] = json.dumps(change(config) or config)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "net.hdf5"
    model = network(OPTIMIZERS["momentum"](), sequential=True)
    fit(model, epochs=1)
    model.save(path)
    return path


@pytest.fixture
def legacy(saved, tmp_path):
    return shutil.copy(saved, tmp_path / "net.hdf5")


@pytest.fixture
def evil(tmp_path):
    """A legacy file whose Lambda layer leaves a trace when it runs."""
    trace = tmp_path / "trace"
    code = f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]"
    x = keras.Input((2,))
    path = tmp_path / "evil.hdf5"
    keras.Model(x, layers.Lambda(eval(code))(x)).save(path)
    trace.unlink(missing_ok=True)
    return path, trace


def test_a_lambda_is_refused_before_it_can_run(evil):
    path, trace = evil
    with pytest.raises(ValueError, match=r"evil\.hdf5 needs code .*a Lambda layer.*--unsafe"):
        read_model(path)
    assert not trace.exists()
    with pytest.raises(ValueError, match="a Lambda layer"):
        load_backbone(path)
    assert not trace.exists()
    read_model(path, unsafe=True)
    assert trace.exists()


def deep_in_a_wrapper(config):
    dense = config["config"]["layers"][1]
    lambda_ = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}}
    dense["config"] = {"layer": {"class_name": "TimeDistributed", "config": {"layer": lambda_}}}


def a_class_of_the_file(config):
    config["config"]["layers"][1]["class_name"] = "TFOpLambda"


def a_function(config):
    config["config"]["layers"][1]["config"]["activation"] = {
        **{"class_name": "function", "config": "system", "module": "os"},
        "registered_name": "function",
    }


def a_module(config):
    config["config"]["layers"][1]["module"] = "mylayers"


def a_registered_name(config):
    config["config"]["layers"][1]["registered_name"] = "Evil>Dense"


def a_function_of_keras(config):  # `layers` has functions too: serialize, for example
    config["config"]["layers"][1]["class_name"] = "deserialize"


def a_name_that_is_none(config):
    config["config"]["layers"][1]["class_name"] = ["Lambda"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (deep_in_a_wrapper, "code .*a Lambda layer.*--unsafe"),
        (a_class_of_the_file, "the class TFOpLambda, which is not part of Keras.*registers"),
        (a_function, "the function system, which is not part of Keras"),
        (a_module, "code .*something from the module mylayers.*--unsafe"),
        (a_registered_name, "the class Evil>Dense"),
        (a_function_of_keras, "the class deserialize"),
        (a_name_that_is_none, "the class"),
    ],
)
def test_custom_code_is_refused_wherever_it_stands(legacy, change, what):
    read_model(legacy)
    spoil(legacy, change)
    with pytest.raises(ValueError, match=rf"net\.hdf5 needs {what}"):
        read_model(legacy)


def test_custom_code_in_the_training_settings_is_refused(legacy):
    def loss(config):
        config["loss"] = {"class_name": "function", "config": "system", "module": "os"}

    spoil(legacy, loss, "training_config")
    with pytest.raises(ValueError, match="needs the function system"):
        read_model(legacy)


def my_loss(truth, output):
    return keras.ops.mean((truth - output) ** 2, axis=-1)


class MyLayer(layers.Layer):
    def call(self, x):
        return x


@pytest.mark.parametrize("extension", [".keras", ".h5"])
@pytest.mark.parametrize("unsafe", [False, True])
def test_what_is_not_registered_is_named_and_no_option_promised(tmp_path, extension, unsafe):
    path = tmp_path / f"own{extension}"
    for layer, loss, what in [
        (MyLayer(), "mse", r"(class|layer) MyLayer"),
        (layers.Dense(2), my_loss, "function my_loss"),
    ]:
        model = keras.Sequential([keras.Input((2,)), layer])
        model.compile("sgd", loss)
        model.save(path)
        with pytest.raises(
            ValueError, match=rf"own\{extension} needs the {what}, which is"
        ) as error:
            read_model(path, unsafe=unsafe)
        assert len(str(error.value)) < 200 + len(str(path))
        assert "unsafe" not in str(error.value)
        assert "damaged" not in str(error.value)


def test_long_messages_of_keras_are_cut(tmp_path):
    path = tmp_path / "net.keras"
    network().save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["config.json"] = entries["config.json"].replace(b'"units": 8', b'"units": "8"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"net\.keras is damaged or no Keras model: .") as error:
        read_model(path)
    assert len(str(error.value)) < 400 + len(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ({"class_name": "StringLookup", "vocabulary": "/etc/hostname"}, "its vocabulary from"),
        ({"class_name": "TFSMLayer", "filepath": "x", "call_endpoint": "serve"}, "TFSMLayer"),
    ],
)
def test_what_the_safe_mode_refuses_is_named(tmp_path, layer, what):
    path = tmp_path / "net.keras"
    network(sequential=True).save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    config["config"]["layers"][1] = {
        **{"module": "keras.layers", "class_name": layer.pop("class_name")},
        **{"registered_name": None, "config": layer},
    }
    entries["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(
        ValueError, match=rf"net\.keras needs code .* a .*{what}.*--unsafe"
    ) as error:
        read_model(path)
    assert "lambda" not in str(error.value)


@pytest.mark.parametrize("extension", [".keras", ".hdf5"])
def test_too_many_open_files_are_not_the_files_fault(tmp_path, extension):
    fit(network("sgd"), epochs=1, callbacks=[EpochCheckpoint(tmp_path, 1, extension=extension)])
    path = tmp_path / f"epoch_1{extension}"
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # no number below it is free
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        for read in (read_model, read_note):
            with pytest.raises(OSError, match=rf"Too many open files: .*epoch_1\{extension}"):
                read(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    read_model(path)


@keras.saving.register_keras_serializable("test_legacy")
class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


def test_classes_that_the_program_registered_are_its_own(tmp_path):
    x = keras.Input((2,))
    keras.Model(x, Doubled()(x)).save(tmp_path / "own.hdf5")
    model = read_model(tmp_path / "own.hdf5")
    np.testing.assert_array_equal(model.predict_on_batch(np.ones((1, 2))), [[2, 2]])


def as_text(text):
    def write(path):
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = text

    return write


def without_config(path):
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def state_of_another(path):
    with h5py.File(path, "r+") as file:
        group = file["optimizer_weights"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:-1]


@pytest.mark.parametrize(
    "damage",
    [
        *(as_text("[" * 100_000), as_text("{"), as_text("[]"), as_text("null"), as_text("7")),
        *(as_text('{"class_name": "Sequential", "config": 3}'), as_text(b"\xff")),
        *(without_config, cut, state_of_another),
    ],
)
def test_a_damaged_file_is_one_sentence(legacy, damage):
    damage(legacy)
    with pytest.raises(ValueError, match=r"net\.hdf5 is damaged or no Keras model"):
        read_model(legacy)


def test_a_keras_file_with_a_lambda_is_refused_by_a_sentence(tmp_path):
    x = keras.Input((2,))
    keras.Model(x, layers.Lambda(lambda x: 2 * x)(x)).save(tmp_path / "evil.keras")
    with pytest.raises(ValueError, match=r"evil\.keras needs code .*a Python lambda.*--unsafe"):
        read_model(tmp_path / "evil.keras")
    model = read_model(tmp_path / "evil.keras", unsafe=True)
    np.testing.assert_array_equal(model.predict_on_batch(np.ones((1, 2))), [[2, 2]])


def test_a_note_longer_than_its_file_is_refused(tmp_path):
    path = tmp_path / "epoch_1.keras"
    fit(network("sgd"), epochs=1, callbacks=[EpochCheckpoint(tmp_path, 1)])
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["pyimagesearch/note.json"] = b" " * 30_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="note.json is longer than the file"):
        read_note(path)
    with pytest.raises(ValueError, match=r"epoch_1\.keras is damaged .* when unpacked"):
        load_checkpoint(path, 1)


def rss():
    """Return the most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("extension", ["keras", "hdf5"])
def test_a_small_file_of_a_huge_network_takes_no_memory(tmp_path, extension):
    path = tmp_path / f"huge.{extension}"
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.save(path)
    if extension == "hdf5":
        with h5py.File(path, "r+") as file:
            config = file.attrs["model_config"]
            file.attrs["model_config"] = config.replace('"units": 2', '"units": 400000000')
    else:
        with zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        entries["config.json"] = entries["config.json"].replace(
            b'"units": 2', b'"units": 400000000'
        )
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
    before = rss()
    with pytest.raises(ValueError, match=r"huge\.\w+ is damaged or no Keras model"):
        read_model(path)
    assert rss() - before < 500  # one such layer has 6,400 MB


def test_the_look_before_loading_leaves_the_random_numbers_alone(tmp_path):
    network().save(tmp_path / "x.keras")
    keras.utils.set_random_seed(1)
    keras.models.load_model(tmp_path / "x.keras")
    expected = random.random()
    keras.utils.set_random_seed(1)
    read_model(tmp_path / "x.keras")
    assert random.random() == expected
