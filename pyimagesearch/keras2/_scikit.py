"""KerasClassifier and KerasRegressor of Keras 2, for scikit-learn's GridSearchCV and its kin."""

import inspect

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from pyimagesearch.keras2._metrics import names_of_results

_OF_MODELS = {  # what fit, predict and evaluate take of the parameters
    "fit": (
        *("batch_size", "epochs", "nb_epoch", "verbose", "callbacks", "validation_split"),
        *("validation_data", "shuffle", "class_weight", "sample_weight", "initial_epoch"),
        *("steps_per_epoch", "validation_steps"),
    ),
    "predict": ("batch_size", "verbose", "steps"),
    "evaluate": ("batch_size", "verbose", "sample_weight", "steps"),
}


class _Wrapper(BaseEstimator):
    """A model that a function builds, as an estimator.

    Args:
        build_fn: function that returns a compiled model, or an instance with such a `__call__`.
            Classes derived from the wrapper may have a `__call__` instead.
        sk_params: arguments of build_fn, and of fit, predict and evaluate.
    """

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self._check(sk_params)

    def _check(self, params):
        known = {name for names in _OF_MODELS.values() for name in names} | {"build_fn"}
        builder = inspect.signature(self._builder()).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in builder):
            return
        for name in params.keys() - known - {one.name for one in builder}:
            raise ValueError(
                f"{name} is no argument of the function that builds the model, nor of fit, "
                "predict or evaluate."
            )

    def _builder(self):
        return type(self).__call__.__get__(self) if self.build_fn is None else self.build_fn

    def __call__(self):
        raise TypeError("Give build_fn, a function that returns a compiled model.")

    def get_params(self, deep=True):
        """Return build_fn and the other parameters by their names."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params):
        """Set parameters by their names."""
        self._check(params)
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params.update(params)
        return self

    def _chosen(self, names, given=()):
        return {k: v for k, v in self.sk_params.items() if k in names} | dict(given)

    def fit(self, x, y, **kwargs):
        """Build a model and train it; return its History, as Keras 2 did."""
        builder = self._builder()
        parameters = inspect.signature(builder).parameters
        names = set(parameters)
        if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
            names |= self.sk_params.keys() - set(_OF_MODELS["fit"])
        self.model = builder(**self._chosen(names))
        loss = self.model.loss
        loss = getattr(loss, "__name__", loss)
        if loss == "categorical_crossentropy" and np.ndim(y) < 2:
            y = keras.utils.to_categorical(y)
        return self.model.fit(x, y, **self._chosen(_OF_MODELS["fit"], kwargs))

    def _predict(self, x, kwargs):
        return self.model.predict(x, **self._chosen(_OF_MODELS["predict"], kwargs))

    def _evaluate(self, x, y, kwargs):
        found = self.model.evaluate(x, y, **self._chosen(_OF_MODELS["evaluate"], kwargs))
        found = found if isinstance(found, list) else [found]
        return dict(zip(names_of_results(self.model), found, strict=True))


class KerasClassifier(ClassifierMixin, _Wrapper):
    """A wrapped model of classes."""

    def fit(self, x, y, **kwargs):
        """Train on labels of any kind, (N,), or one-hot ones, (N, C)."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """Return the likeliest class of each row, (N,), or (N, 1) for a network of one output."""
        found = self._predict(x, kwargs)
        return self.classes_[
            found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")
        ]

    def predict_proba(self, x, **kwargs):
        """Return the probability of each class, (N, C), also of the two of one output."""
        found = self._predict(x, kwargs)
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def score(self, x, y, **kwargs):
        """Return the accuracy, for which the model was compiled with metrics=["accuracy"]."""
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
            if self.model.output_shape[-1] > 1 and "sparse" not in str(self.model.loss):
                y = keras.utils.to_categorical(y, self.model.output_shape[-1])
        found = self._evaluate(x, y, kwargs)
        name = next((name for name in ("acc", "accuracy") if name in found), None)
        if name is None:
            raise ValueError('The model has no accuracy. Compile it with metrics=["accuracy"].')
        return found[name]


class KerasRegressor(RegressorMixin, _Wrapper):
    """A wrapped model of numbers."""

    def predict(self, x, **kwargs):
        """Return the predictions, (N,), or (N, C) for several outputs."""
        return np.squeeze(self._predict(x, kwargs), axis=-1)

    def score(self, x, y, **kwargs):
        """Return the loss with its sign turned, so that more is better."""
        return -self._evaluate(x, y, kwargs)["loss"]
