"""`keras.backend` of Keras 2: K.get_value, K.set_value and the functions on tensors."""

import contextlib
import functools

import keras
import numpy as np

from pyimagesearch.keras2._frames import user_frame
from pyimagesearch.keras2._modules import PROVIDED
from pyimagesearch.keras2._phases import get_phase, set_phase

_FORMATS = {"tf": "channels_last", "th": "channels_first"}


class Graph:
    """What tf.get_default_graph gives: `with graph.as_default():` changes nothing."""

    @contextlib.contextmanager
    def as_default(self):
        """Do nothing."""
        yield self


class Session:
    """What K.get_session gives: nothing can be done with it."""

    graph = Graph()

    def run(self, *args, **kwargs):
        raise RuntimeError(
            "There are no sessions in Keras 3: a tensor has its value, K.get_value(x), and a "
            "model that shares the layers gives intermediate results."
        )

    def close(self):
        """There is nothing to close."""


def install():
    """Provide the functions that are more than an operation of keras.ops under its own name."""
    ops = keras.ops

    def get_value(x):
        return ops.convert_to_numpy(x) if hasattr(x, "shape") else np.asarray(x)

    def set_value(x, value):
        if not hasattr(x, "assign"):
            raise TypeError(
                f"K.set_value takes a variable, such as model.optimizer.lr. Received: {x!r}."
            )
        x.assign(value)

    def batch_set_value(pairs):
        for variable, value in pairs:
            set_value(variable, value)

    def function(inputs, outputs, updates=None):
        model = keras.Model([i for i in inputs if not isinstance(i, int)], outputs)

        def call(values):  # a learning phase given as last value says whether this is training
            training = len(values) > len(model.inputs) and bool(values[-1])
            found = model([np.asarray(v) for v in values[: len(model.inputs)]], training=training)
            return [ops.convert_to_numpy(value) for value in keras.tree.flatten(found)]

        return call

    def set_image_dim_ordering(ordering):
        keras.config.set_image_data_format(_FORMATS[ordering])

    def image_dim_ordering():
        return {new: old for old, new in _FORMATS.items()}[keras.config.image_data_format()]

    def flatten(x):
        return ops.reshape(x, (-1,))

    def batch_dot(x, y, axes=None):
        if axes is None:
            axes = (len(x.shape) - 1, max(len(y.shape) - 2, 1))
        return keras.layers.Dot(axes)([x, y])

    def variable(value, dtype=None, name=None, constraint=None):
        return keras.Variable(ops.convert_to_tensor(value, dtype or keras.config.floatx()))

    def filled(like):
        def fill(shape, dtype=None, name=None):
            tensor = like(shape, dtype=dtype or keras.config.floatx())
            frame = user_frame()  # all were variables; in a layer's `build` they have to be
            return variable(tensor) if frame and frame.f_code.co_name == "build" else tensor

        return fill

    def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None, std=None):
        return keras.random.normal(shape, mean, stddev if std is None else std, dtype, seed)

    def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None, low=None, high=None):
        ends = (minval if low is None else low, maxval if high is None else high)
        return keras.random.uniform(shape, *ends, dtype, seed)

    def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
        return variable(keras.random.normal(shape, mean, scale, dtype, seed))

    def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
        return variable(keras.random.uniform(shape, low, high, dtype, seed))

    def switch(condition, then_expression, else_expression):
        if callable(then_expression):
            return ops.cond(condition, then_expression, else_expression)
        return ops.where(condition, then_expression, else_expression)

    def constant(value, dtype=None, shape=None, name=None):
        tensor = ops.convert_to_tensor(value, dtype or keras.config.floatx())
        return tensor if shape is None else ops.broadcast_to(tensor, shape)

    def mean_of(x, axis=None, keepdims=False):  # of whole numbers and truth values, too
        return ops.mean(ops.cast(x, keras.config.floatx()), axis=axis, keepdims=keepdims)

    nothing = lambda *args, **kwargs: None  # noqa: E731
    provided = {
        "get_value": get_value,
        "eval": get_value,
        "set_value": set_value,
        "batch_get_value": lambda variables: [get_value(v) for v in variables],
        "batch_set_value": batch_set_value,
        "function": function,
        "set_image_dim_ordering": set_image_dim_ordering,
        "image_dim_ordering": image_dim_ordering,
        "set_session": nothing,
        "get_session": Session,
        "manual_variable_initialization": nothing,
        "set_learning_phase": set_phase,
        "learning_phase": get_phase,
        "reset_uids": nothing,
        "cast": lambda x, dtype: ops.cast(x, "float32" if dtype == "float" else dtype),
        "argmax": lambda x, axis=-1: ops.argmax(x, axis=axis),
        "argmin": lambda x, axis=-1: ops.argmin(x, axis=axis),
        "expand_dims": lambda x, axis=-1: ops.expand_dims(x, axis),
        "concatenate": lambda tensors, axis=-1: ops.concatenate(tensors, axis=axis),
        "gather": lambda reference, indices: ops.take(reference, indices, axis=0),
        "l2_normalize": lambda x, axis=None: ops.normalize(x, axis=axis, order=2),
        "reverse": lambda x, axes: ops.flip(x, axis=axes),
        "repeat_elements": lambda x, rep, axis: ops.repeat(x, rep, axis=axis),
        # the names of their arguments were others, too
        "clip": lambda x, min_value, max_value: ops.clip(x, min_value, max_value),  # noqa: PLW0108
        "permute_dimensions": lambda x, pattern: ops.transpose(x, pattern),  # noqa: PLW0108
        "dropout": lambda x, level, noise_shape=None, seed=None: keras.random.dropout(
            x, level, noise_shape, seed
        ),
        "cast_to_floatx": lambda x: np.asarray(x, dtype=keras.config.floatx()),
        "int_shape": lambda x: tuple(x.shape),
        "ndim": lambda x: len(x.shape),
        "dtype": lambda x: keras.backend.standardize_dtype(
            getattr(x, "dtype", keras.config.floatx())  # a number, such as optimizer.decay
        ),
        "count_params": lambda x: int(np.prod(x.shape)),
        "flatten": flatten,
        "batch_flatten": lambda x: keras.layers.Flatten()(x),  # noqa: PLW0108  a new layer each
        "batch_dot": batch_dot,
        "variable": variable,
        "zeros": filled(ops.zeros),
        "ones": filled(ops.ones),
        "random_normal": random_normal,
        "random_uniform": random_uniform,
        "random_normal_variable": random_normal_variable,
        "random_uniform_variable": random_uniform_variable,
        "constant": constant,
        "switch": switch,
        "mean": mean_of,
    }
    for name, value in provided.items():
        PROVIDED[f"keras.backend.{name}"] = functools.partial(_same, value)
    PROVIDED["keras.backend.tf"] = _tensorflow
    PROVIDED["keras.utils.multi_gpu_model"] = lambda: _on_one_device
    PROVIDED["keras.utils.print_summary"] = lambda: _print_summary
    PROVIDED["keras.utils.probas_to_classes"] = lambda: _classes
    for kind in ("Classifier", "Regressor"):
        PROVIDED[f"keras.wrappers.scikit_learn.Keras{kind}"] = functools.partial(_wrapper, kind)
    PROVIDED["tensorflow.get_default_graph"] = lambda: Graph
    PROVIDED["tensorflow.reset_default_graph"] = lambda: keras.utils.clear_session
    PROVIDED["tensorflow.enable_eager_execution"] = lambda: nothing
    PROVIDED["tensorflow.logging"] = functools.partial(_of_tensorflow_1, "logging")
    for old in ("Session", "ConfigProto", "GPUOptions"):
        PROVIDED[f"tensorflow.{old}"] = functools.partial(_of_tensorflow_1, old)


def _same(value):
    return value


def _tensorflow():
    import tensorflow  # noqa: PLC0415  the script asks for it

    return tensorflow


def _wrapper(kind):
    from pyimagesearch.keras2 import _scikit  # noqa: PLC0415  it imports scikit-learn

    return getattr(_scikit, f"Keras{kind}")


def _of_tensorflow_1(name):
    return getattr(_tensorflow().compat.v1, name)


def _print_summary(model, line_length=None, positions=None, print_fn=None):
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn)


def _on_one_device(model, gpus=None, cpu_merge=True, cpu_relocation=False):
    return model


def _classes(probabilities):
    if probabilities.shape[-1] > 1:
        return probabilities.argmax(axis=-1)
    return (probabilities > 0.5).astype("int32").reshape(-1)
