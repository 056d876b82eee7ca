"""Files from strangers: classifiers, texts, folders. Images and HDF5 have tests of their own."""

import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib

import joblib
import numpy as np
import pytest
import skops.io
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from pyimagesearch.datasets import SimpleDatasetLoader
from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.training.classifier import TRUSTED, load_classifier, save_classifier
from pyimagesearch.training.hdf5 import read_means
from pyimagesearch.training.inputs import _read_mean_image
from pyimagesearch.utils.advice import read_history
from pyimagesearch.utils.images import ImageError

X, Y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2


@pytest.fixture
def classifier(tmp_path):
    path = tmp_path / "m.skops"
    save_classifier(path, make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), "ab")
    return path


class Evil:
    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('evil').touch()",))


@pytest.mark.parametrize("name", ["m.skops", "m.cpickle", "m.joblib", "m.pkl.gz"])
@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_kind_are_refused_and_not_run(tmp_path, monkeypatch, name, protocol):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    if name.endswith("joblib"):
        joblib.dump(Evil(), path, protocol=protocol, compress=protocol % 2)
    else:
        data = pickle.dumps(Evil(), protocol)
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(
        ValueError, match=rf"{name} is not a classifier.*Pickled models are not loa"
    ):
        load_classifier(path)
    assert not (tmp_path / "evil").exists()


def test_a_classifier_holds_the_trusted_types_and_no_others(classifier):
    assert load_classifier(classifier)[1] == ["a", "b"]
    assert [name for name in TRUSTED if name.startswith("sklearn")] == [
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.linear_model._logistic.LogisticRegression",
    ]


@pytest.mark.parametrize(
    ("model", "unknown"),
    [
        (LinearSVC(), "sklearn.svm._classes.LinearSVC"),  # skops itself trusts these
        (make_pipeline(FunctionTransformer(np.exp), LogisticRegression()), "FunctionNode"),
    ],
)
def test_what_skops_trusts_is_not_trusted_here(tmp_path, model, unknown):
    path = tmp_path / "m.skops"
    save_classifier(path, model.fit(X, Y), "ab")
    assert not skops.io.get_untrusted_types(file=path)
    with pytest.raises(ValueError, match=rf"types that are not trusted: .*{unknown}"):
        load_classifier(path)


def test_more_types_are_trusted_by_name(tmp_path):
    path = tmp_path / "m.skops"
    save_classifier(path, LinearSVC().fit(X, Y), "ab")
    model, _ = load_classifier(path, trusted=["sklearn.svm._classes.LinearSVC"])
    assert isinstance(model, LinearSVC)


def spoiled(name, value, step=1):
    return lambda model: setattr(model.steps[step][1], name, value)


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoiled("coef_", None), spoiled("coef_", np.array([list("wxyz")]))),
        *(spoiled("coef_", np.zeros((3, 4))), spoiled("coef_", np.full((1, 4), np.nan))),
        *(spoiled("classes_", np.arange(7)), spoiled("classes_", np.array([5, 900]))),
        *(spoiled("mean_", "zz", 0), spoiled("scale_", np.full(4, np.inf), 0)),
        *(spoiled("n_features_in_", 6, 0), spoiled("intercept_", np.zeros(2))),
        lambda model: setattr(model, "steps", "abc"),
        lambda model: setattr(model, "steps", [("a", "os.system"), ("b", "x")]),
        lambda model: setattr(model, "steps", model.steps[::-1]),
        lambda model: setattr(model, "memory", "cache"),
        lambda model: delattr(model.steps[1][1], "coef_"),
    ],
)
def test_a_pipeline_that_could_not_predict_is_refused(classifier, spoil):
    model, names = load_classifier(classifier)
    spoil(model)
    save_classifier(classifier, model, names)
    with pytest.raises(ValueError, match=r"m.skops is not a classifier that train_model.py wrote"):
        load_classifier(classifier)


@pytest.mark.parametrize(
    "model",
    [
        StandardScaler().fit(X),
        LogisticRegression().fit(X, Y),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_trusted_types_that_are_no_fitted_pipeline_are_refused(tmp_path, model):
    path = tmp_path / "m.skops"
    save_classifier(path, model, "ab")
    with pytest.raises(ValueError, match=r"m.skops is not a classifier that train_model.py wrote"):
        load_classifier(path)


def test_as_many_names_as_classes(classifier):
    model, _ = load_classifier(classifier)
    for names in ([], ["a"], ["a", "b", "c"]):
        save_classifier(classifier, model, names)
        with pytest.raises(ValueError, match="label_names"):
            load_classifier(classifier)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_trained_on_features_of_any_type_passes_the_look(tmp_path, dtype, classes):
    labels = np.arange(20) % classes
    features = (100 * X + 500 * labels[:, None]).clip(0, 255).astype(dtype)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, labels)
    save_classifier(tmp_path / "m.skops", model, "abc"[:classes])
    loaded, _ = load_classifier(tmp_path / "m.skops")
    np.testing.assert_array_equal(loaded.predict(features), model.predict(features))


def rewrite(path, change, compression=zipfile.ZIP_DEFLATED):
    """Write an archive again after `change` on the dict of its members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def bomb(members):
    members["zeros.npy"] = bytes(50_000_000)


def absurd_array(members):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(file, header)
    name = next(name for name in members if name.endswith(".npy"))
    members[name] = file.getvalue()


def no_schema(members):
    del members["schema.json"]


def endless_schema(members):
    members["schema.json"] = b"[" * 100_000


def no_model(members):
    schema = json.loads(members["schema.json"])
    del schema["content"]["model"]
    members["schema.json"] = json.dumps(schema).encode()


@pytest.mark.parametrize("change", [bomb, absurd_array, no_schema, endless_schema, no_model])
def test_damaged_and_absurd_classifiers_are_refused(classifier, change):
    rewrite(classifier, change)
    with pytest.raises(ValueError, match=r"m.skops is not a classifier that train_model.py wrote"):
        load_classifier(classifier)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_classifier_is_refused(classifier, share):
    raw = classifier.read_bytes()
    classifier.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(ValueError, match="m.skops is not a classifier"):
        load_classifier(classifier)


# -- texts and arrays --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"R": ' + "9" * 400 + ', "G": 1, "B": 1}',
        '{"R": ' + "9" * 5000 + ', "G": 1, "B": 1}',
        '{"R": {}, "G": 1, "B": 1}',
        "\0",
        "",
    ],
)
def test_absurd_texts_are_one_sentence(tmp_path, text):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"file.json must hold the channel means"):
        read_means(path)
    path.write_text('{"loss": ' + text + "}")
    with pytest.raises(ValueError, match="file.json"):
        read_history(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000, 3), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (4, 4, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4, 3",
        "{'descr': '<f4', 'shape': (4, 4, 3)}",
        "__import__('os').abort()",
    ],
)
def test_an_absurd_mean_image_is_refused_before_memory_is_taken(tmp_path, header):
    path = tmp_path / "mean.npy"
    text = header.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    with pytest.raises(ValueError, match=r"mean.npy is not an array|The mean image must be"):
        _read_mean_image(path, (4, 4, 3))


# -- folders of pictures -----------------------------------------------------------------------


def write_picture(path, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path, "PNG")


def test_links_out_of_a_folder_of_classes_are_not_followed(tmp_path):
    data, other = tmp_path / "data", tmp_path / "other"
    write_picture(data / "a" / "0.png")
    write_picture(other / "secret.png")
    (data / "a" / "1.png").symlink_to(other / "secret.png")
    (data / "a" / "2.png").symlink_to("0.png")
    (data / "b").symlink_to(other)
    with pytest.warns(UserWarning, match="1 links that leave the folder were not followed"):
        flow = ImageDataGenerator().flow_from_directory(data)
    assert flow.class_indices == {"a": 0}
    assert sorted(flow.filenames) == ["a/0.png", "a/2.png"]
    with (
        pytest.warns(UserWarning, match="links that leave"),
        pytest.raises(ValueError, match="without a folder"),
    ):
        ImageDataGenerator().flow_from_directory(data, classes=["a", "b"])
    flow = ImageDataGenerator().flow_from_directory(data, follow_links=True)
    assert sorted(flow.filenames) == ["a/0.png", "a/1.png", "a/2.png", "b/secret.png"]
    for name in ("..", "../other", str(other)):
        with (
            pytest.warns(UserWarning, match="links that leave"),
            pytest.raises(ValueError, match="without a folder"),
        ):
            ImageDataGenerator().flow_from_directory(data, classes=["a", name])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_pictures_of_a_folder_have_a_limit_and_a_list_of_formats(tmp_path):
    path = tmp_path / "a" / "0.png"
    write_picture(path)
    header = b"IHDR" + struct.pack(">IIBBBBB", 10_001, 10_000, 1, 0, 0, 0, 0)
    raw = path.read_bytes()
    path.write_bytes(raw[:12] + header + struct.pack(">I", zlib.crc32(header)) + raw[33:])
    flow = ImageDataGenerator().flow_from_directory(tmp_path)
    with pytest.raises(OSError, match=r"0.png: it has 10001x10000 pixels, which is too large"):
        next(flow)
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(OSError, match=r"0.png: cannot identify image file"):
        next(flow)


def test_the_loader_has_the_limit_as_an_option(tmp_path):
    write_picture(tmp_path / "a" / "0.png", (20, 10))
    paths = [tmp_path / "a" / "0.png"]
    data, _ = SimpleDatasetLoader(maxPixels=200).load(paths)
    assert data.shape == (1, 10, 20, 3)
    with pytest.raises(ImageError, match="too large: 20x10 pixels, more than 199.*maxPixels"):
        SimpleDatasetLoader(maxPixels=199).load(paths, strict=True)
