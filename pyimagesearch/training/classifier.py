"""Logistic regression on extracted features: search, report, save and load."""

import json
import operator
import zipfile
from pathlib import Path

import h5py
import numpy as np
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from pyimagesearch.utils.files import raise_of_machine, replacing
from pyimagesearch.utils.hdf5safety import HDF5Error, damage_named, open_hdf5, read_names

# all that a pipeline of StandardScaler and LogisticRegression and its class names consist of
TRUSTED = (
    *("builtins.dict", "builtins.list", "builtins.tuple", "builtins.str", "builtins.int"),
    *("numpy.ndarray", "numpy.float64", "numpy.float32", "numpy.int64", "numpy.str_"),
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.linear_model._logistic.LogisticRegression",
)
# how skops restores them; other ways call functions
LOADERS = {
    *("DictNode", "ListNode", "TupleNode", "JsonNode", "TypeNode"),
    *("NdArrayNode", "ObjectNode"),
}
EXPANSION = 100  # times its size may the file unpack to; skops itself does not compress


def read_features(path):
    """Return (features, labels, label_names) of a file that `extract_features` wrote.

    Returns:
        (n, d) array of finite numbers, float32 from `extract_features`; (n,) int64 array, every
        label the index of a name; list of str.
    Raises:
        FileNotFoundError, ValueError: if the file is missing, is no HDF5 file, lacks a data set,
            or holds other things in them.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No feature file at {path}. Make one with extract_features.py.")
    try:
        db = open_hdf5(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an HDF5 file: {error}") from error
    with db, damage_named(path):
        sets = sorted(key for key in db if isinstance(db.get(key), h5py.Dataset))
        for key in ("features", "labels", "label_names"):
            if key not in sets:
                raise HDF5Error(
                    f"{path} holds no data set {key!r}, only {sets}. "
                    "Expected a file that extract_features.py wrote."
                )
        names = read_names(db)
        labels = _read_labels(path, db, len(names))
        features = db["features"][:]
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{path} has NaN or infinite features, first in row {finite.argmin()}. "
            "Extract them again, with a network whose weights are finite."
        )
    return features, labels, names


def _read_labels(path, db, classes):
    """Return the labels as (n,) int64, after a look at whether they fit the features."""
    features, labels = db["features"], db["labels"]
    if features.ndim != 2 or features.dtype.kind not in "uif":
        raise HDF5Error(f"features of {path} must be (n, d) numbers. Found: {features}.")
    if labels.ndim != 1 or labels.dtype.kind not in "ui":
        raise HDF5Error(f"labels of {path} must be one integer per row. Found: {labels}.")
    if len(features) != len(labels):
        raise HDF5Error(f"{path} has {len(features)} rows of features but {len(labels)} labels.")
    if not features.size:
        raise HDF5Error(f"{path} is empty: its features have the shape {features.shape}.")
    labels = labels[:].astype(np.int64)
    for label in (labels.min(), labels.max()):
        if not 0 <= label < classes:
            raise HDF5Error(
                f"{path} has the label {label}, but label_names has {classes} names, for the "
                f"labels 0 to {classes - 1}."
            )
    return labels


def first_part(n, fraction=0.75):
    """Number of rows to train on: the first three quarters, as in the book; the rest is for test.

    Raises:
        ValueError: if one part would be empty.
    """
    split = int(n * fraction)
    if not 0 < split < n:
        raise ValueError(f"{n} rows are too few to train on some and test on others.")
    return split


def train_classifier(features, labels, labelNames, strengths, *, jobs=-1):
    """Choose C by a 3-fold grid search of a logistic regression on scaled features.

    Args:
        features: (n, d) array.
        labels: (n,) ints; every class at least three times.
        labelNames: names of the classes.
        strengths: values of C, the inverse of the regularization's strength.
        jobs: processes at work, -1 for every core.
    Returns:
        GridSearchCV, fitted; `best_estimator_` is a pipeline of scaler and regression.
    Raises:
        ValueError: if there are fewer than two classes or a class has fewer than three rows.
    """
    counts = np.bincount(labels, minlength=len(labelNames)).tolist()
    if len(labelNames) < 2 or min(counts) < 3:
        raise ValueError(
            "The grid search needs two classes or more, with three training rows each. "
            f"Received: {dict(zip(labelNames, counts, strict=True))}."
        )
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    search = GridSearchCV(pipeline, {"logisticregression__C": strengths}, cv=3, n_jobs=jobs)
    return search.fit(features, labels)


def save_classifier(path, model, labelNames):
    """Write a scikit-learn model and its class names to `path` with skops, atomically."""
    with replacing(path) as temporary:
        skops.io.dump({"model": model, "label_names": list(map(str, labelNames))}, temporary)


def load_classifier(path, *, trusted=()):
    """Read what `save_classifier` wrote, and nothing that could run code.

    Only the types in TRUSTED are accepted: those of the pipeline that `train_classifier` makes. It
    is looked over before it is returned: a scaler and a regression, fitted, of finite numbers that
    fit each other, and of classes 0, 1, ... as many as there are names.

    Args:
        trusted: names of more types, "sklearn.svm._classes.LinearSVC" say, for a model of your own,
            which is not looked over.
    Returns:
        (model, label_names), the latter a list of str.
    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a skops file (a pickle, say), is damaged, would unpack to more than
            100 times its size, or holds other types or another model.
        OSError: if the machine cannot read it now: no permission, too many open files.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No classifier at {path}. Make one with train_model.py.")
    try:
        _check_types(path, {*TRUSTED, *trusted})
        saved = skops.io.load(path, trusted=list(trusted))
        model, names = saved["model"], saved["label_names"]
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            raise TypeError("its label_names are no list of texts")
        if not trusted:
            _check_pipeline(model, len(names))
        operator.index(model.n_features_in_)
        return model, names
    except Exception as error:
        raise_of_machine(error, path)
        raise ValueError(
            f"{path} is not a classifier that train_model.py wrote: {error}. "
            "Pickled models are not loaded, since a pickle can run any code: train it anew."
        ) from error


def _check_pipeline(model, names):
    """Raise an error unless a model is a fitted pipeline that tells `names` classes apart."""
    if not isinstance(model, Pipeline) or model.memory is not None:
        raise TypeError("it is no pipeline")
    (_, scaler), (_, regression) = model.steps
    if type(scaler) is not StandardScaler or type(regression) is not LogisticRegression:
        raise TypeError("it is no pipeline of StandardScaler and LogisticRegression")
    width = operator.index(model.n_features_in_)
    rows = 1 if names == 2 else names
    for owner, name, shape in (
        *((scaler, name, (width,)) for name in ("mean_", "scale_", "var_")),
        *((regression, "coef_", (rows, width)), (regression, "intercept_", (rows,))),
    ):
        array = getattr(owner, name)
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind != "f":
            raise TypeError(f"its {name} are not {shape} numbers, for {names} label_names")
        if not np.isfinite(array).all():
            raise ValueError(f"its {name} are NaN or infinite")
    for part in (scaler, regression):
        if operator.index(part.n_features_in_) != width:
            raise ValueError("its scaler and its regression differ in their number of features")
    classes = regression.classes_
    if names < 2 or classes.dtype.kind != "i" or classes.tolist() != list(range(names)):
        raise ValueError(f"its classes are not the numbers of its {names} label_names")


def _check_types(path, trusted):
    """Raise ValueError unless a skops file is of a sensible size and holds trusted types only.

    skops itself trusts every estimator of scikit-learn and many functions.
    """
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > EXPANSION * path.stat().st_size:
            raise ValueError(f"it would unpack to {size:,} bytes, more than {EXPANSION} times")
        nodes = [json.loads(archive.read("schema.json"))]
    unknown = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            nodes += node.values()
            if "__loader__" in node:
                name = f"{node['__module__']}.{node['__class__']}"
                unknown |= {node["__loader__"]} - LOADERS | {name} - trusted
        elif isinstance(node, list):
            nodes += node
    if unknown:
        raise ValueError(f"it holds types that are not trusted: {', '.join(sorted(unknown)[:5])}")


def check_belongs(model, modelNames, features, names):
    """Make sure that a classifier was trained on features like these.

    Raises:
        ValueError: if the number of features or the class names differ.
    """
    if model.n_features_in_ != features.shape[1] or list(modelNames) != list(names):
        raise ValueError(
            f"The classifier was trained on {model.n_features_in_} features of the classes "
            f"{_few(modelNames)}. The file holds {features.shape[1]} of {_few(names)}. "
            "Train it on this file with train_model.py, or give the file it was trained on."
        )


def _few(names):
    shown = ", ".join(list(names)[:3])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > 3 else shown
