"""Models of Keras 2: fit_generator and its kin, old arguments of fit, names of metrics."""

import functools

import numpy as np

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._arguments import rows_of, translate
from pyimagesearch.keras2._era import find_key, keys_are_old
from pyimagesearch.keras2._frames import called_by_user
from pyimagesearch.keras2._generators import batches, first_batch_size, is_stream
from pyimagesearch.keras2.explain import note

_METHODS = {row.old: row for row in names.METHODS if row.owner == "keras.Model"}
_KEYS = {row.old: row for row in names.KEYS}
_WORKERS = ("max_queue_size", "workers", "use_multiprocessing")
_METRICS = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}
_LOSSES = {
    row.old.rpartition(".")[2]: row
    for row in names.NAMES
    if row.old.startswith("keras.losses.") and row.old.rpartition(".")[2].islower()
}
_GENERATOR_ROWS = {
    name: rows_of(f"keras.Model.{name}")
    for name in ("fit_generator", "evaluate_generator", "predict_generator")
}


def install(keras):
    """Patch keras.Model: what Sequential and functional models inherit."""
    model = keras.Model
    # where it is defined: Keras asks whether a class has a `compile` of its own
    trainer = next(cls for cls in model.__mro__ if "compile" in vars(cls))
    trainer.compile = _compile(trainer.compile)
    model.fit = _fit(keras, model.fit)
    model.evaluate = _evaluate(keras, model.evaluate)
    model.predict = _predict(keras, model.predict)
    model.train_on_batch = _of_this_batch(model.train_on_batch)
    model.test_on_batch = _of_this_batch(model.test_on_batch)
    model.fit_generator = fit_generator
    model.evaluate_generator = evaluate_generator
    model.predict_generator = predict_generator
    model.predict_classes = predict_classes
    model.predict_proba = predict_proba
    model.metrics_names = property(_metrics_names)
    _shapes(keras)


def fit_generator(
    self,
    generator,
    steps_per_epoch=None,
    epochs=1,
    verbose=1,
    callbacks=None,
    validation_data=None,
    validation_steps=None,
    class_weight=None,
    max_queue_size=None,
    workers=None,
    use_multiprocessing=None,
    shuffle=True,
    initial_epoch=0,
    **kwargs,
):
    """Train on batches that a generator yields; arguments as in Keras 2, and Keras 1's names."""
    note(_METHODS["fit_generator"])
    rows = _GENERATOR_ROWS["fit_generator"]
    samples = kwargs.pop("samples_per_epoch", None)
    val_samples = kwargs.pop("nb_val_samples", None)
    if samples is not None:
        note(rows["samples_per_epoch"])
        steps_per_epoch = -(-samples // _rows_in_batch(generator))
    if val_samples is not None:
        note(rows["nb_val_samples"])
        validation_steps = -(-val_samples // _rows_in_batch(validation_data))
    workers_given = dict(zip(_WORKERS, (max_queue_size, workers, use_multiprocessing), strict=True))
    given = _use_workers("fit_generator", generator, workers_given, kwargs)
    return self.fit(
        generator,
        epochs=given.pop("epochs", epochs),
        steps_per_epoch=_steps(generator, steps_per_epoch, "steps_per_epoch"),
        verbose=verbose,
        callbacks=callbacks,
        validation_data=validation_data,
        validation_steps=_steps(validation_data, validation_steps, "validation_steps"),
        class_weight=class_weight,
        shuffle=shuffle,
        initial_epoch=initial_epoch,
        **given,
    )


def evaluate_generator(
    self,
    generator,
    steps=None,
    max_queue_size=None,
    workers=None,
    use_multiprocessing=None,
    verbose=0,
    **kwargs,
):
    """Return loss and metrics over `steps` batches."""
    note(_METHODS["evaluate_generator"])
    steps = _steps_of_samples("evaluate_generator", generator, steps, kwargs)
    workers_given = dict(zip(_WORKERS, (max_queue_size, workers, use_multiprocessing), strict=True))
    given = _use_workers("evaluate_generator", generator, workers_given, kwargs)
    return self.evaluate(generator, steps=steps, verbose=verbose, **given)


def predict_generator(
    self,
    generator,
    steps=None,
    max_queue_size=None,
    workers=None,
    use_multiprocessing=None,
    verbose=0,
    **kwargs,
):
    """Return the predictions for `steps` batches: no more, even if rows are left over."""
    note(_METHODS["predict_generator"])
    steps = _steps_of_samples("predict_generator", generator, steps, kwargs)
    workers_given = dict(zip(_WORKERS, (max_queue_size, workers, use_multiprocessing), strict=True))
    given = _use_workers("predict_generator", generator, workers_given, kwargs)
    return self.predict(generator, steps=steps, verbose=verbose, **given)


def _steps_of_samples(method, generator, steps, kwargs):
    rows = _GENERATOR_ROWS[method]
    samples = kwargs.pop("val_samples", None)
    if samples is not None:
        note(rows["val_samples"])
        steps = -(-samples // _rows_in_batch(generator))
    return _steps(generator, steps, "steps")


def _use_workers(method, data, given, kwargs):
    """Let a Sequence have its workers itself; a generator is read by one thread in any case.

    Args:
        method: the name of the method that they were given to.
        given: name -> value of the three options, None if not given.
        kwargs: the other arguments, with those of Keras 1 among them.
    Returns:
        What is left of `kwargs`, translated.
    """
    rows = rows_of(f"keras.Model.{method}")
    rows.pop("class_weight", None)  # see `_class_weight`
    given = {name: value for name, value in given.items() if value is not None}
    kwargs = translate(rows, given | kwargs, dict.fromkeys(_WORKERS, _put_back))
    options = {name: kwargs.pop(name) for name in _WORKERS if name in kwargs}
    if options.get("workers", 1) > 1 and hasattr(data, "num_batches") and not is_stream(data):
        # threads even for use_multiprocessing: a process that holds TensorFlow must not be forked
        data.workers = options["workers"]
        data.max_queue_size = options.get("max_queue_size", 10)
    return kwargs


def predict_classes(self, x, batch_size=32, verbose=0):
    """Return the index of the likeliest class of each row, or 0 or 1 if there is one output."""
    note(_METHODS["predict_classes"])
    found = self.predict(x, batch_size=batch_size, verbose=verbose)
    if found.shape[-1] > 1:
        return found.argmax(axis=-1)
    return (found > 0.5).astype("int32")


def predict_proba(self, x, batch_size=32, verbose=0):
    """Return the predictions."""
    note(_METHODS["predict_proba"])
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def _rows_in_batch(data):
    return first_batch_size(data) if is_stream(data) else len(data[0][0])


def _steps(data, steps, name):
    """Return the number of batches to take; that of a pass where it is not given."""
    if not is_stream(data):  # arrays, or a Sequence, which knows its length
        return steps
    if steps is None and hasattr(data, "__len__"):
        return len(data)
    if steps is None:
        raise ValueError(f"A generator has no end that Keras knows. Give {name}.")
    return int(steps)


def _compile(original):
    """Call metrics and losses by names that Keras 3 has and that the script knows."""

    @functools.wraps(original)
    def compile(self, optimizer="rmsprop", loss=None, metrics=None, *args, **kwargs):
        kwargs = translate(rows_of("keras.Model.compile"), kwargs, {"sample_weight_mode": _ignore})
        old = keys_are_old()
        metrics = _renamed(metrics, lambda name: _metric(name, old))
        if "weighted_metrics" in kwargs:
            weighted = _renamed(kwargs["weighted_metrics"], lambda name: _metric(name, old))
            kwargs["weighted_metrics"] = weighted
        if args or "loss_weights" in kwargs:
            return original(
                self, optimizer, _renamed(loss, _loss), *args, metrics=metrics, **kwargs
            )
        return original(self, optimizer, _renamed(loss, _loss), metrics=metrics, **kwargs)

    return compile


def _ignore(kwargs, value, old):
    pass


def _put_back(kwargs, value, old):
    kwargs[old] = value


def _renamed(item, rename):
    """Apply `rename` to every str in nested lists and dicts."""
    if isinstance(item, (list, tuple)):
        return [_renamed(part, rename) for part in item]
    if isinstance(item, dict):
        return {name: _renamed(part, rename) for name, part in item.items()}
    return rename(item) if isinstance(item, str) else item


def _metric(name, old):
    if name in ("accuracy", "acc") and old:
        for key in ("acc", "val_acc"):
            place = find_key(key)
            if place and name == "accuracy":
                note(_KEYS[key], place)
        return "acc"
    return _METRICS.get(name, name)


def _loss(name):
    row = _LOSSES.get(name)
    return row.new.rpartition(".")[2] if row else name


def _metrics_names(self):
    note(_METHODS["metrics_names"])
    return _names_of_results(self)


def _names_of_results(self):
    """Return the names of what `evaluate` returns, in its order."""
    found = ["loss"]
    for metric in self.metrics:
        parts = getattr(metric, "metrics", None)  # a container of those given to `compile`
        found += [metric.name] if parts is None else [part.name for part in parts]
    if len(found) > 2 or not self.compiled:
        return list(dict.fromkeys(name for name in found if name != "compile_metrics"))
    settings = getattr(self, "_compile_config", None)  # the metrics are not built yet
    given = (settings.config.get("metrics") if settings else None) or []
    found += [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    return list(dict.fromkeys(name for name in found if name != "compile_metrics"))


def _fit(keras, original):
    rows = rows_of("keras.Model.fit")
    positions = (
        *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split"),
        *("validation_data", "shuffle", "class_weight", "sample_weight", "initial_epoch"),
        *("steps_per_epoch", "validation_steps"),
    )

    @functools.wraps(original)
    def fit(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        kwargs = _use_workers("fit", kwargs.get("x"), {}, kwargs)
        kwargs["class_weight"] = _class_weight(rows, kwargs.get("class_weight"))
        callbacks = kwargs.get("callbacks")
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else callbacks
        callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks
        callbacks = callbacks or []
        windows = []
        x, steps = kwargs.get("x"), kwargs.get("steps_per_epoch")
        if is_stream(x) and (steps is not None or hasattr(x, "__len__")):
            steps = _steps(x, steps, "steps_per_epoch")
            kwargs["x"], progress = batches(keras, x, steps, training=True)
            kwargs |= {"steps_per_epoch": None, "shuffle": False}
            callbacks = [progress, *callbacks]
            windows.append(kwargs["x"])
        data, steps = kwargs.get("validation_data"), kwargs.get("validation_steps")
        if is_stream(data) and (steps is not None or hasattr(data, "__len__")):
            window, progress = batches(keras, data, _steps(data, steps, "validation_steps"))
            kwargs |= {"validation_data": window, "validation_steps": None}
            callbacks = [progress, *callbacks]
            windows.append(window)
        elif isinstance(data, (list, tuple)):
            kwargs["validation_data"] = tuple(data)
        params = _Params(kwargs)
        _hand_out(data, callbacks)
        kwargs["callbacks"] = [_params_class(keras)(params), *callbacks]
        return _told(windows, original, self, **kwargs)

    return fit


class _Params(dict):
    """What Keras 2 put into a callback's `params` besides what Keras 3 does."""

    def __init__(self, given):
        x = given.get("x")
        super().__init__(
            batch_size=given.get("batch_size") or (32 if hasattr(x, "shape") else None),
            samples=len(x) if hasattr(x, "shape") else None,
            do_validation=given.get("validation_data") is not None
            or bool(given.get("validation_split")),
        )


_made = {}


def _params_class(keras):
    """Return the callback that fills in `params`."""
    if _made:
        return _made["params"]

    class Params(keras.callbacks.Callback):
        """The first callback: it completes the dict that all get."""

        async_safe = True

        def __init__(self, more):
            super().__init__()
            self.more = more

        def set_params(self, params):
            params.update(self.more)
            params["metrics"] = _all_names(self.model, self.more["do_validation"])
            self.params = params

    _made["params"] = Params
    return Params


def _all_names(model, validated):
    found = _names_of_results(model)
    return found + [f"val_{name}" for name in found] * validated


def _hand_out(data, callbacks):
    """Give the callbacks the validation data where these are arrays, as Keras 2 did."""
    if isinstance(data, (list, tuple)) and all(hasattr(item, "shape") for item in data):
        weights = [np.ones(len(data[0]))] if len(data) == 2 else []
        for callback in callbacks:
            callback.validation_data = [*data, *weights]


def _evaluate(keras, original):
    positions = ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks")

    @functools.wraps(original)
    def evaluate(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        if "_use_cached_eval_dataset" in kwargs:  # the validation of `fit`
            return original(self, **kwargs)
        kwargs = _use_workers("evaluate", kwargs.get("x"), {}, kwargs)
        return _over_batches(keras, original, self, kwargs)

    return evaluate


def _predict(keras, original):
    positions = ("x", "batch_size", "verbose", "steps", "callbacks")

    @functools.wraps(original)
    def predict(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        kwargs.setdefault("verbose", 0)
        kwargs = _use_workers("predict", kwargs.get("x"), {}, kwargs)
        return _over_batches(keras, original, self, kwargs, inputs_only=True)

    return predict


def _over_batches(keras, original, model, kwargs, **options):
    x, steps = kwargs.get("x"), kwargs.get("steps")
    windows = []
    if is_stream(x) and (steps is not None or hasattr(x, "__len__")):
        kwargs["x"], progress = batches(keras, x, _steps(x, steps, "steps"), **options)
        kwargs["steps"] = None
        kwargs["callbacks"] = [progress, *(kwargs.get("callbacks") or [])]
        windows.append(kwargs["x"])
    return _told(windows, original, model, **kwargs)


def _told(windows, function, *args, **kwargs):
    """Call a function; where a generator has ended too early, say so instead of what follows."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        for window in windows:
            if window.ended is not None:
                raise ValueError(
                    f"The generator ended after {window.ended} batches, but more were asked for: "
                    f"{window.steps} at a time. Let it go on for ever, or ask for fewer."
                ) from error
        raise


def _class_weight(rows, weights):
    if weights is None or isinstance(weights, dict):
        return weights
    if isinstance(weights, str):  # Keras 2 took "auto" and ignored it
        return None
    note(rows["class_weight"])
    return {i: float(weight) for i, weight in enumerate(weights)}


def _of_this_batch(original):
    """Return the figures of the batch: Keras 3 has their mean over all batches so far."""

    @functools.wraps(original)
    def on_batch(self, *args, **kwargs):
        self.reset_metrics()
        kwargs["class_weight"] = _class_weight({}, kwargs.get("class_weight")) or None
        if kwargs["class_weight"] is None:
            del kwargs["class_weight"]
        return original(self, *args, **kwargs)

    return on_batch


def _shapes(keras):
    """Give layers their shapes and tensors by the old names."""
    rows = {row.old: row for row in names.METHODS if row.owner == "keras.layers.Layer"}

    def shape_of(which):
        def shape(self):
            if called_by_user():
                note(rows[f"{which}_shape"])
            return _shapes_of(getattr(self, which))

        return property(shape)

    def at(which, name, convert):
        def get(self, node_index):
            note(rows[name])
            if node_index >= len(self._inbound_nodes):
                raise ValueError(f"{self.name} was called {len(self._inbound_nodes)} times.")
            node = self._inbound_nodes[node_index]
            found = node.input_tensors if which == "input" else node.output_tensors
            found = found[0] if len(found) == 1 else list(found)
            return convert(found)

        return get

    layer = keras.layers.Layer
    for which in ("input", "output"):
        setattr(layer, f"{which}_shape", shape_of(which))
        for name, convert in ((f"get_{which}_at", _itself), (f"get_{which}_shape_at", _shapes_of)):
            setattr(layer, name, at(which, name, convert))


def _itself(tensors):
    return tensors


def _shapes_of(tensors):
    if isinstance(tensors, (list, tuple)):
        return [tuple(tensor.shape) for tensor in tensors]
    return tuple(tensors.shape)
