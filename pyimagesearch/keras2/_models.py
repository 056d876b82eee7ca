"""Models of Keras 2: fit_generator and its kin, and the old arguments of fit and its kin."""

import functools
import math
import random

import keras

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._arguments import rows_of, translate
from pyimagesearch.keras2._generators import batches, first_batch_size, is_stream
from pyimagesearch.keras2._losses import with_classes
from pyimagesearch.keras2._matrix import without_matrices
from pyimagesearch.keras2._params import CompleteParams, hand_out, split_off
from pyimagesearch.keras2.explain import note

_METHODS = {row.old: row for row in names.METHODS if row.owner == "keras.Model"}
_WORKERS = ("max_queue_size", "workers", "use_multiprocessing")
_CLASS_WEIGHT = rows_of("keras.Model.fit")["class_weight"]
_GENERATOR_ROWS = {
    name: rows_of(f"keras.Model.{name}")
    for name in ("fit_generator", "evaluate_generator", "predict_generator")
}


def install():
    """Patch keras.Model: what Sequential and functional models inherit."""
    model = keras.Model
    model.fit = _fit(model.fit)
    model.evaluate = _evaluate(model.evaluate)
    model.predict = _predict(model.predict)
    model.fit_generator = fit_generator
    model.evaluate_generator = evaluate_generator
    model.predict_generator = predict_generator
    model.predict_classes = predict_classes
    model.predict_proba = predict_proba
    for which in ("input", "output"):
        setattr(keras.Sequential, which, _own_tensor(which))


def _own_tensor(which):
    """Return the property `input` or `output` of Sequential: its own, though it was not called."""
    original = getattr(keras.Sequential, which).fget

    def tensor(self):
        if self._functional is None:
            return original(self)
        tensors = getattr(self._functional, f"{which}s")
        return tensors[0] if len(tensors) == 1 else tensors

    return property(tensor)


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
    if steps <= 0:
        raise ValueError(f"{name} must be 1 or more: are there fewer rows than in a batch?")
    return math.ceil(steps)  # a fraction, such as rows / batch, was counted up


def _fit(original):
    positions = (
        *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split"),
        *("validation_data", "shuffle", "class_weight", "sample_weight", "initial_epoch"),
        *("steps_per_epoch", "validation_steps"),
    )

    @functools.wraps(original)
    def fit(self, *args, **kwargs):
        kwargs = without_matrices(dict(zip(positions, args, strict=False)) | kwargs)
        kwargs = _use_workers("fit", kwargs.get("x"), {}, kwargs)
        kwargs["class_weight"] = class_weights(kwargs.get("class_weight"))
        callbacks = kwargs.get("callbacks")
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else callbacks
        callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks
        callbacks = callbacks or []
        windows = []
        _join_weights(kwargs)
        x, steps = kwargs.get("x"), kwargs.get("steps_per_epoch")
        if steps is not None and isinstance(x, keras.utils.PyDataset) and not is_stream(x):
            x = _endless(x, kwargs.get("shuffle", True), steps)
        if is_stream(x) and (steps is not None or hasattr(x, "__len__")):
            steps = _steps(x, steps, "steps_per_epoch")
            kwargs["x"], progress = batches(x, steps, training=True)
            kwargs |= {"steps_per_epoch": None, "shuffle": False}
            callbacks = [progress, *callbacks]
            windows.append(kwargs["x"])
        data, steps = kwargs.get("validation_data"), kwargs.get("validation_steps")
        if is_stream(data) and (steps is not None or hasattr(data, "__len__")):
            window, progress = batches(data, _steps(data, steps, "validation_steps"))
            kwargs |= {"validation_data": window, "validation_steps": None}
            callbacks = [progress, *callbacks]
            windows.append(window)
        elif isinstance(data, (list, tuple)):
            kwargs["validation_data"] = tuple(data)
        hand_out(data or split_off(kwargs), callbacks)
        kwargs["callbacks"] = [CompleteParams(kwargs), *callbacks]
        return _told(windows, original, self, **kwargs)

    return fit


def _join_weights(kwargs):
    """Make weights of rows and of classes one, where `fit` was given both for arrays."""
    rows, classes = kwargs.get("sample_weight"), kwargs.get("class_weight")
    if rows is not None and classes is not None:
        kwargs["sample_weight"] = with_classes(rows, kwargs.get("y"), classes)
        kwargs["class_weight"] = None


def _endless(sequence, shuffle, steps):
    """Return the batches of a Sequence without end, if an epoch is not just a pass over it.

    Keras 3 ends an epoch where the Sequence ends, and has only what is left in the next one.
    """
    if steps == sequence.num_batches:
        return sequence

    def batches():
        while True:
            order = list(range(sequence.num_batches))
            if shuffle:
                random.shuffle(order)
            for index in order:
                yield sequence[index]
            sequence.on_epoch_end()

    return batches()


def _evaluate(original):
    positions = ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks")

    @functools.wraps(original)
    def evaluate(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        if "_use_cached_eval_dataset" in kwargs:  # the validation of `fit`
            return original(self, **kwargs)
        kwargs = without_matrices(kwargs)
        kwargs = _use_workers("evaluate", kwargs.get("x"), {}, kwargs)
        return _over_batches(original, self, kwargs)

    return evaluate


def _predict(original):
    positions = ("x", "batch_size", "verbose", "steps", "callbacks")

    @functools.wraps(original)
    def predict(self, *args, **kwargs):
        kwargs = dict(zip(positions, args, strict=False)) | kwargs
        kwargs = without_matrices({"verbose": 0} | kwargs)
        kwargs = _use_workers("predict", kwargs.get("x"), {}, kwargs)
        return _over_batches(original, self, kwargs, inputs_only=True)

    return predict


def _over_batches(original, model, kwargs, **options):
    x, steps = kwargs.get("x"), kwargs.get("steps")
    windows = []
    if is_stream(x) and (steps is not None or hasattr(x, "__len__")):
        kwargs["x"], progress = batches(x, _steps(x, steps, "steps"), **options)
        kwargs["steps"] = None
        kwargs["callbacks"] = [progress, *(kwargs.get("callbacks") or [])]
        windows.append(kwargs["x"])
    return _told(windows, original, model, **kwargs)


def _told(windows, function, *args, **kwargs):
    """Call a function; if a generator fails, raise its error instead of what becomes of it."""
    try:
        return function(*args, **kwargs)
    except Exception:
        for window in windows:
            if window.failure is not None:
                raise window.failure from None
        raise


def _put_back(kwargs, value, old):
    kwargs[old] = value


def class_weights(weights):
    """Return class weights as the dict that Keras 3 takes."""
    if weights is None or isinstance(weights, dict):
        return weights
    if isinstance(weights, str):  # Keras 2 took "auto" and ignored it
        return None
    note(_CLASS_WEIGHT)
    return {i: float(weight) for i, weight in enumerate(weights)}
