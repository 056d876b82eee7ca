"""The report on old code: what it finds, what it changes, and what it makes of bad input."""

import ast
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyimagesearch.keras2 import names, table
from pyimagesearch.keras2.report import Report, main

HERE = Path(__file__).parent
PROJECT = HERE.parent
BOOK = HERE / "keras2" / "book"


def report_on(tmp_path, code, name="script.py"):
    """Write a script and return the Report on it."""
    path = tmp_path / name
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    return Report([str(path)])


def found(report):
    return [(finding.line, finding.old) for _, finding in report.findings]


def patched(report):
    source = report.findings[0][0]
    return report.patched(source).decode()


def check_change(tmp_path, before, after):
    """Assert what a script becomes, that it can be read, and that no more is found to change."""
    report = report_on(tmp_path, before)
    assert patched(report) == textwrap.dedent(after)
    again = report_on(tmp_path, after, "again.py")
    assert [line for line, finding in again.findings if finding.edits] == []
    assert not again.unreadable
    return report


def apply_patch(folder, patch):
    tool = ["patch", "--binary", "-p0", "-i"] if shutil.which("patch") else ["git", "apply", "-p0"]
    subprocess.run([*tool, str(patch)], check=True, cwd=folder, capture_output=True)


# -- the book's scripts --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book():
    with contextlib.chdir(BOOK):
        return Report(sorted(path.name for path in BOOK.iterdir()))


def test_every_old_name_in_the_books_scripts_is_found(book):
    lines = [f"{source.place(finding.line)}: {finding.old}" for source, finding in book.findings]
    expected = (HERE / "keras2" / "expected_findings.txt").read_text().splitlines()
    assert lines == expected
    assert book.status == 1


@pytest.mark.parametrize(
    ("pattern", "old"),
    [
        (r"\blr=", r"\w+\(lr=\)"),
        (r"\bdecay=", r"\w+\(decay=\)"),
        (r"\.fit_generator\(", r"\.fit_generator"),
        (r"\.predict_generator\(", r"\.predict_generator"),
        (r"\.optimizer\.lr\b", r"optimizer\.lr"),
        (r'\["acc"\]', '"acc"'),
        (r'\["val_acc"\]', '"val_acc"'),
        (r"max_queue_size=", r"\w+\(max_queue_size=\)"),
        (r"^from keras\.layers\.(core|convolutional|normalization) ", r"keras\.layers\.\w+\.\w+"),
        (r"import np_utils", r"keras\.utils\.np_utils"),
        (r"import BaseLogger", r"keras\.callbacks\.BaseLogger"),
        (r"import ImageDataGenerator", r"keras\.preprocessing\.image\.ImageDataGenerator"),
        (r"K\.(get_value|set_value|int_shape|set_image_dim_ordering)\(", r"keras\.backend\.\w+"),
        (r"(steps|steps_per_epoch)=.* // ", r"(validation_)?(steps|steps_per_epoch)=.* // .*"),
        (r"shear_range=0\.", r"ImageDataGenerator\(shear_range=\)"),
        (r'target_names=db\["label_names"\]', r'db\["label_names"\]'),
        (r"\.model\"", r'"\.model"'),
    ],
)
def test_a_search_for_text_finds_the_same_lines(book, pattern, old):
    """The report against grep: neither may know a line that the other does not."""
    by_text = set()
    for path in BOOK.rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if re.search(pattern, line) and not line.lstrip().startswith("#"):
                by_text.add((str(path.relative_to(BOOK)), number))
    by_report = {
        (source.path, finding.line)
        for source, finding in book.findings
        if re.fullmatch(old, finding.old)
    }
    assert by_report == by_text
    assert by_text


def test_nothing_is_found_in_our_own_code(monkeypatch, capsys):
    monkeypatch.chdir(PROJECT)
    assert main(["benchmarks", "examples", "pyimagesearch"]) == 0
    assert capsys.readouterr().out.startswith("Nothing of Keras 1 or 2 in ")


def test_the_patch_applies_and_leaves_nothing_to_change_by_rote(book, tmp_path, monkeypatch):
    shutil.copytree(BOOK, tmp_path / "book")
    patch = tmp_path / "keras3.patch"
    patch.write_bytes(book.diff())
    apply_patch(tmp_path / "book", patch)
    monkeypatch.chdir(tmp_path / "book")
    again = Report(sorted(path.name for path in BOOK.iterdir()))
    assert not again.unreadable
    assert [finding for _, finding in again.findings if finding.edits] == []
    by_hand = [(source.path, f.line, f.old) for source, f in book.findings if not f.edits]
    assert [(source.path, f.old) for source, f in again.findings] == [
        (path, old) for path, _, old in by_hand
    ]
    for source in dict.fromkeys(source for source, _ in book.findings):
        assert Path(source.path).read_bytes() == book.patched(source)


# -- imports -------------------------------------------------------------------------------------

IMPORTS = [
    # one module for another, in every way to import it
    ("from keras.layers.core import Dense", "from keras.layers import Dense"),
    ("from keras.layers.core import Dense as D", "from keras.layers import Dense as D"),
    ("from keras.layers.core import *", "from keras.layers import *"),
    ("import keras.layers.core as c", "import keras.layers as c"),
    ("import keras.layers.core", "import keras.layers"),
    ("from tensorflow.keras.layers.core import Dense", "from keras.layers import Dense"),
    ("from keras.engine.topology import Layer", "from keras.layers import Layer"),
    (
        "from keras.objectives import mean_squared_error as m",
        "from keras.losses import mean_squared_error as m",
    ),
    # the name changes, and its uses with it
    (
        "from keras.utils import np_utils\ny = np_utils.to_categorical(y)",
        "from keras import utils\ny = utils.to_categorical(y)",
    ),
    (
        "from keras.utils import np_utils\ny = np_utils.to_categorical(utils)\nutils = 1",
        "from keras import utils as np_utils\ny = np_utils.to_categorical(utils)\nutils = 1",
    ),
    (
        "from keras.callbacks import BaseLogger\nclass M(BaseLogger):\n    pass",
        "from keras.callbacks import Callback\nclass M(Callback):\n    pass",
    ),
    (
        "from keras.callbacks import BaseLogger, Callback\nclass M(BaseLogger, Callback): pass",
        "from keras.callbacks import Callback\nclass M(Callback, Callback): pass",
    ),
    # two modules where there was one
    (
        "from keras.preprocessing.image import ImageDataGenerator, img_to_array",
        "from pyimagesearch.preprocessing import ImageDataGenerator\n"
        "from keras.preprocessing.image import img_to_array",
    ),
    (
        "if x:\n    from keras.preprocessing.image import load_img, ImageDataGenerator as A\n",
        "if x:\n    from keras.preprocessing.image import load_img\n"
        "    from pyimagesearch.preprocessing import ImageDataGenerator as A\n",
    ),
    # comments and lines stay
    (
        "from keras.layers.core import (\n    Dense,  # the head\n    Flatten,\n)  # all",
        "from keras.layers import (\n    Dense,  # the head\n    Flatten,\n)  # all",
    ),
    ("import os; from keras.layers.core import Dense", "import os; from keras.layers import Dense"),
    # other libraries
    ("from sklearn.externals import joblib", "import joblib"),
    ("import numpy as np\nx = np.float(3)", "import numpy as np\nx = float(3)"),
    ("import cPickle as pickle", "import pickle"),
    ("import cPickle\ncPickle.dumps(1)", "import pickle\npickle.dumps(1)"),
]


@pytest.mark.parametrize(("before", "after"), IMPORTS)
def test_imports_are_found_and_changed(tmp_path, before, after):
    report = check_change(tmp_path, before + "\n", after + "\n")
    assert report.status == 1


@pytest.mark.parametrize(
    ("code", "old"),
    [
        ("from keras.layers import Highway", "keras.layers.Highway"),
        ("from keras.utils import multi_gpu_model", "keras.utils.multi_gpu_model"),
        ("import keras\nkeras.backend.set_session(s)", "keras.backend.set_session"),
        (
            "from keras import backend as K\nK.set_image_dim_ordering('th')",
            "keras.backend.set_image_dim_ordering",
        ),
        (
            "import tensorflow as tf\ntf.keras.backend.set_session(s)",
            "tensorflow.keras.backend.set_session",
        ),
        ("from keras.models import model_from_yaml", "keras.models.model_from_yaml"),
    ],
)
def test_what_has_no_successor_is_left_to_the_reader(tmp_path, code, old):
    report = report_on(tmp_path, code)
    assert [finding.old for _, finding in report.findings] == [old]
    assert report.diff() == b""


def test_names_are_written_as_the_file_can_write_them(tmp_path):
    check_change(
        tmp_path,
        """\
        # about tensors
        from keras import backend as K
        import tensorflow as tf

        def f(x):
            return K.mean(x) + tf.keras.layers.core.Dense(3)(x)
        """,
        """\
        # about tensors
        import keras
        from keras import backend as K
        import tensorflow as tf

        def f(x):
            return keras.ops.mean(x) + keras.layers.Dense(3)(x)
        """,
    )


def test_names_of_a_module_imported_with_a_star_are_known(tmp_path):
    code = "from keras.layers import *\nx = Dense(output_dim=3)\ny = Deconvolution2D(3, 3, 3)\n"
    assert (2, "Dense(output_dim=)") in found(report_on(tmp_path, code))
    assert (3, "keras.layers.Deconvolution2D") in found(report_on(tmp_path, code))


def test_what_tensorflow_keras_still_has_is_no_old_name(tmp_path):
    code = """\
        import tensorflow as tf
        from tensorflow.keras import backend as K
        from tensorflow.keras.preprocessing.image import ImageDataGenerator
        K.mean(x); tf.keras.losses.mse(a, b); tf.keras.layers.Conv2D(64, 3, 2)
        """
    assert found(report_on(tmp_path, code)) == []


# -- calls -----------------------------------------------------------------------------------------

CALLS = [
    ("SGD(lr=0.1, momentum=0.9)", "SGD(learning_rate=0.1, momentum=0.9)"),
    ("keras.optimizers.Adam(lr=x)", "keras.optimizers.Adam(learning_rate=x)"),
    ("Opt = SGD\nOpt(lr=1.0)", "Opt = SGD\nOpt(learning_rate=1.0)"),
    ("RMSprop(lr=0.1, decay=0.0)", "RMSprop(learning_rate=0.1)"),
    ("Dense(output_dim=3, init='normal')", "Dense(units=3, kernel_initializer='normal')"),
    ("Conv2D(8, 3, 3, border_mode='same')", "Conv2D(8, (3, 3), padding='same')"),
    ("Conv2D(8, 1, 7, subsample=(2, 2))", "Conv2D(8, (1, 7), strides=(2, 2))"),
    (
        "Convolution2D(nb_filter=8, nb_row=3, nb_col=5)",
        "Convolution2D(filters=8, kernel_size=(3, 5))",
    ),
    (
        "Convolution2D(nb_filter=8, nb_col=5, nb_row=3)",
        "Convolution2D(filters=8, kernel_size=(3, 5))",
    ),
    (
        "Convolution2D(8, 3, 3, dim_ordering='th', bias=False)",
        'Convolution2D(8, (3, 3), data_format="channels_first", use_bias=False)',
    ),
    ("BatchNormalization(mode=0, axis=1)", "BatchNormalization(axis=1)"),
    ("BatchNormalization(axis=1, mode=0)", "BatchNormalization(axis=1)"),
    ("Dropout(p=0.5)", "Dropout(rate=0.5)"),
    ("Model(input=a, output=b)", "Model(inputs=a, outputs=b)"),
    ("Adadelta(lr=1.0, rho=0.9)", "Adadelta(learning_rate=1.0, rho=0.9)"),
    ("Adamax(); Dropout(p=1)", "Adamax(learning_rate=0.002); Dropout(rate=1)"),
    (
        "model.fit_generator(g, n // 32, nb_epoch=3, max_q_size=4)",
        "model.fit(g, -(-n // 32), epochs=3)",
    ),
    (
        "model.fit_generator(g, steps_per_epoch=len(x) // bs,\n    max_queue_size=10, workers=2)",
        "model.fit(g, steps_per_epoch=-(-len(x) // bs))",
    ),
    (
        "model.fit_generator(\n    g,  # feed\n    max_queue_size=10,  # long\n    epochs=3,\n)",
        "model.fit(\n    g,  # feed\n    # long\n    epochs=3,\n)",
    ),
    (
        "p = model.predict_generator(g, steps=n // bs, max_queue_size=bs * 2)",
        "p = model.predict(g, steps=-(-n // bs))",
    ),
    (
        "h = model.fit(x, y, nb_epoch=1).history['acc']",
        "h = model.fit(x, y, epochs=1).history['accuracy']",
    ),
    (
        "H = model.fit(x)\nh = H.history\nh['val_acc']",
        "H = model.fit(x)\nh = H.history\nh['val_accuracy']",
    ),
    ('EarlyStopping(monitor="val_acc")', 'EarlyStopping(monitor="val_accuracy")'),
    ('EarlyStopping("val_acc")', 'EarlyStopping("val_accuracy")'),
    (
        'ModelCheckpoint("w-{epoch:02d}-{val_acc:.2f}.hdf5", "val_acc")',
        'ModelCheckpoint("w-{epoch:02d}-{val_accuracy:.2f}.keras", "val_accuracy")',
    ),
    (
        'ModelCheckpoint("w.hdf5", save_weights_only=True)',
        'ModelCheckpoint("w.weights.h5", save_weights_only=True)',
    ),
    ("model.optimizer.lr = 0.1", "model.optimizer.learning_rate = 0.1"),
    ("K.set_value(model.optimizer.lr, a * 2)", "model.optimizer.learning_rate = a * 2"),
    (
        "K.set_value(opt.lr, 1)\nopt = SGD(0.1)\nK.set_value(opt.lr, 1)",
        "K.set_value(opt.lr, 1)\nopt = SGD(0.1)\nopt.learning_rate = 1",
    ),
    ("print(K.get_value(model.optimizer.lr))", "print(float(model.optimizer.learning_rate))"),
    ("float(K.get_value(model.optimizer.lr))", "float(model.optimizer.learning_rate)"),
    ('model.save("x.model")', 'model.save("x.keras")'),
    ('model.save("x.h5"); load_model("x.h5")', 'model.save("x.keras"); load_model("x.keras")'),
    ("model.save(f'{a}/x.hdf5')", "model.save(f'{a}/x.keras')"),
    ('model.save_weights("a" + ".hdf5")', 'model.save_weights("a" + ".weights.h5")'),
    (
        'p = os.path.join(a, "x_{}.hdf5".format(3))\nmodel.save(p)',
        'p = os.path.join(a, "x_{}.keras".format(3))\nmodel.save(p)',
    ),
    ("x = aug.flow(a).next()", "x = next(aug.flow(a))"),
    (
        'with h5py.File(p, "r") as db:\n    x = db["images"].value',
        'with h5py.File(p, "r") as db:\n    x = db["images"][()]',
    ),
    (
        'db = h5py.File(p, "r")\nn = db["label_names"][:]',
        'db = h5py.File(p, "r")\nn = db["label_names"].asstr()[:]',
    ),
    (
        'db = h5py.File(p, "r")\nn = db["label_names"]\nreport(target_names=n)',
        'db = h5py.File(p, "r")\nn = db["label_names"]\nreport(target_names=n.asstr()[:])',
    ),
    ("for k, v in d.iteritems(): print(xrange(k))", "for k, v in d.items(): print(range(k))"),
    ('x = "ä"; model.fit_generator("ö", nb_epoch=3)', 'x = "ä"; model.fit("ö", epochs=3)'),
    ("f\"ä {h.history['acc']} {{acc}}\"", "f\"ä {h.history['accuracy']} {{acc}}\""),
    (
        "from keras.preprocessing import image\nimage.ImageDataGenerator(); image.load_img(p)",
        "from keras.preprocessing import image\n"
        "pyimagesearch.preprocessing.ImageDataGenerator(); image.load_img(p)",
    ),
    ("LogisticRegression(C=1, multi_class='auto')", "LogisticRegression(C=1)"),
]
PREAMBLE = """\
import h5py, keras, os
from keras import backend as K
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.layers import BatchNormalization, Conv2D, Convolution2D, Dense, Dropout
from keras.models import Model, load_model
from keras.optimizers import SGD, Adadelta, Adamax, RMSprop
from sklearn.linear_model import LogisticRegression
"""


@pytest.mark.parametrize(("before", "after"), CALLS)
def test_calls_are_found_and_changed(tmp_path, before, after):
    added = "import pyimagesearch.preprocessing\n" if "pyimagesearch" in after else ""
    check_change(tmp_path, f"{PREAMBLE}{before}\n", f"{added}{PREAMBLE}{after}\n")


@pytest.mark.parametrize(
    ("code", "old"),
    [
        ("SGD(0.1, decay=0.1 / 40)", "SGD(decay=)"),
        ("model.fit_generator(g, samples_per_epoch=1000)", "fit_generator(samples_per_epoch=)"),
        ("ModelCheckpoint('x.keras', period=5)", "ModelCheckpoint(period=)"),
        ("BatchNormalization(mode=2)", "BatchNormalization(mode=)"),
        ("model = Model(a, b)\nmodel.predict_proba(x)", ".predict_proba"),
        ("model.predict_classes(x)", ".predict_classes"),
        ("K.function([a], [b])", "keras.backend.function"),
        ("keras.applications.ResNet50(include_top=False)", "ResNet50(include_top=)"),
        ("model.fit(x, class_weight=[1.0, 2.0])", "fit(class_weight=)"),
        ("w = total / counts\nmodel.fit(x, class_weight=w)", "fit(class_weight=)"),
        ("model.predict(x, steps=int(n / bs))", "steps=int(n / bs)"),
        ("s = n // bs\nmodel.evaluate(g, steps=s)", "steps=s"),
        ("for layer in model.layers:\n    print(layer.output_shape)", "layer.output_shape"),
        ("model.layers[0].input_shape", "layer.input_shape"),
        ("model = load_model('x.keras')\nmodel.save('x')", '""'),
        (
            "class C(keras.callbacks.Callback):\n  def f(self):\n    self.validation_data",
            "self.validation_data",
        ),
        ("model.compile('adam', class_mode='categorical')", "compile(class_mode=)"),
        ("load_model('old.hdf5')", '".hdf5"'),
        ("x.has_key(3)", ".has_key"),
        ("f = h5py.File(p)\nf.create_dataset('a', data=1)", "h5py.File(p)"),
        ("o = {'lr': 0.1, 'momentum': 0.9}\nSGD(**o)", "SGD(lr=)"),
        ("SGD(0.1, **{'decay': 1e-6})", "SGD(decay=)"),
        ("getattr(model, 'fit_generator')(g)", ".fit_generator"),
    ],
)
def test_calls_are_found(tmp_path, code, old):
    report = report_on(tmp_path, PREAMBLE + code + "\n")
    assert old in [finding.old for _, finding in report.findings]


@pytest.mark.parametrize(
    "code",
    [
        "model.predict(x, steps=-(-n // bs))",
        "model.fit(x, steps_per_epoch=(n + bs - 1) // bs, class_weight={0: 1.0})",
        "model.fit(x, steps_per_epoch=len(gen))",
        "Conv2D(64, 3, 2); Conv2D(64, 1, 1); Conv2D(64, (3, 3), (2, 2))",
        "Adadelta()",
        "clf = LogisticRegression()\nclf.predict_proba(x)",
        "scores = {}\nscores['acc'] = 3",
        "model.compile('sgd', metrics=['acc'])\nmodel.fit(x).history['val_acc']",
        "model.output_shape; model.layers[0].output.shape",
        'model.save("x.keras"); model.save_weights("x.weights.h5")',
        'import numpy as np\nnp.save("x.model", a)',
        'db = h5py.File("x.hdf5", "r")\nlen(db["label_names"]); db["label_names"].asstr()[:]',
        "db = h5py.File(p)\ndb['images'][:]",
        "self.lr = 0.1; args.lr",
        "ImageDataGenerator(shear_range=11.5)",
        "keras.applications.ResNet50(include_top=False, pooling='avg')",
        "class A:\n  def fit_generator(self):\n    return self.fit_generator()",
    ],
)
def test_what_is_right_today_is_not_reported(tmp_path, code):
    assert found(report_on(tmp_path, PREAMBLE + code + "\n")) == []


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle",
        "try:\n    import pickle\nexcept ImportError:\n    import cPickle as pickle",
        "try:\n    range = xrange\nexcept NameError:\n    pass",
        "try:\n    it = d.iteritems()\nexcept (TypeError, AttributeError):\n    it = d.items()",
        "import sys\nif sys.version_info[0] == 2:\n    import urllib2\n    range = xrange",
        "import six\ntext = unicode if six.PY2 else str",
    ],
)
def test_code_for_both_pythons_is_not_reported(tmp_path, code):
    assert found(report_on(tmp_path, code + "\n")) == []


def test_a_name_is_not_replaced_by_one_that_the_file_binds(tmp_path):
    report = report_on(tmp_path, "range = xrange\nimport cPickle\n")
    assert found(report) == [(1, "xrange"), (2, "cPickle")]
    assert patched(report) == "range = xrange\nimport pickle\n"
    code = "try:\n    model.fit_generator(x)\nexcept AttributeError:\n    xrange(3)\nxrange(3)\n"
    assert found(report_on(tmp_path, code)) == [(2, ".fit_generator"), (5, "xrange")]


def test_a_database_is_taken_for_hdf5_only_where_hdf5_is_read(tmp_path):
    assert found(report_on(tmp_path, "self.db['images'].value\n")) == []
    assert found(report_on(tmp_path, "import h5py\nself.db['images'].value\n")) == [(2, ".value")]


def test_two_sizes_are_doubted_where_nothing_else_is_old(tmp_path):
    code = (
        PREAMBLE + "Conv2D(8, 3, 3)\nConv2D(8, 3, 2); Adagrad()\nmodel.predict(x, steps=n // b)\n"
    )
    report = report_on(tmp_path, code)
    assert found(report) == [(8, "Conv2D(8, 3, 3)"), (10, "steps=n // b")]
    assert report.findings[0][1].why.startswith("If this was written for Keras 1")
    assert "Conv2D(8, 3, 3)" in patched(report)
    old = report_on(tmp_path, PREAMBLE + "Conv2D(8, 3, 3)\nConv2D(8, 3, 2)\nDropout(p=1)\n")
    assert "Conv2D(8, (3, 2))" in patched(old)


def test_two_sizes_are_left_to_the_reader_in_a_file_for_keras_2(tmp_path):
    code = PREAMBLE + "Conv2D(8, 3, 2)\nSGD(lr=1)\n"
    report = report_on(tmp_path, code)
    assert found(report) == [(8, "Conv2D(8, 3, 2)"), (9, "SGD(lr=)")]
    assert report.findings[0][1].result == names.SILENT
    assert patched(report) == PREAMBLE + "Conv2D(8, 3, 2)\nSGD(learning_rate=1)\n"
    old = report_on(tmp_path, PREAMBLE + "Conv2D(8, 3, 2)\nConvolution2D(8, 3, 3)\n")
    assert "\nConv2D(8, (3, 2))\nConvolution2D(8, (3, 3))\n" in patched(old)


@pytest.mark.parametrize(
    ("code", "old"),
    [
        ("LogisticRegression(multi_class='auto')", "LogisticRegression(multi_class=)"),
        ("import numpy as np\nnp.float(3)", "numpy.float"),
        ("for i in xrange(3): pass", "xrange"),
        ("h5py.File(p, 'r')['x'].value", ".value"),
        ("model.save('x.model')", '".model"'),
    ],
)
def test_what_others_dropped_makes_no_file_old(tmp_path, code, old):
    modern = PREAMBLE + "Conv2D(8, 3, 2); Adagrad(0.01); keras.optimizers.Nadam()\n"
    report = report_on(tmp_path, f"{modern}{code}\n")
    assert [name for _, name in found(report)] == [old]
    assert "Conv2D(8, 3, 2)" in patched(report)


def test_an_optimizer_that_is_spelt_as_today_has_todays_defaults(tmp_path):
    code = "from keras.optimizers import Adagrad\nAdagrad(lr=0.01)\nAdagrad(learning_rate=0.01)\n"
    assert [line for line, _ in found(report_on(tmp_path, code))] == [2, 2]


def test_a_file_that_is_read_keeps_its_name_unless_the_one_that_writes_it_changes(tmp_path):
    (tmp_path / "read.py").write_text(
        "from keras.models import load_model\nimport glob\n"
        "load_model('a.model'); load_model('b.model'); glob.glob('models/*.model')\n"
    )
    (tmp_path / "write.py").write_text("model.save('out/a.model')\n")
    report = Report([str(tmp_path)])
    read = next(source for source, _ in report.findings)
    assert report.patched(read).decode().splitlines()[-1] == (
        "load_model('a.keras'); load_model('b.model'); glob.glob('models/*.keras')"
    )


@pytest.mark.parametrize(
    "code",
    [
        "model.load_weights('theirs.h5')",
        "model.load_weights('theirs.hdf5', by_name=False)",
        "W = 'https://host/vgg16.h5'\nmodel.load_weights(keras.utils.get_file('vgg16.h5', W))",
        "WEIGHTS_PATH = 'https://host/vgg16.h5'\nWEIGHTS = 'vgg16.h5'",
        "MODEL_PATH = 'https://host/' + 'vgg16.h5'",
        "BASE = 'https://host/'\nMODEL_PATH = BASE + 'vgg16.h5'\nMODEL = f'{BASE}vgg16.h5'",
    ],
)
def test_weights_that_are_read_keep_their_names(tmp_path, code):
    assert found(report_on(tmp_path, PREAMBLE + code + "\n")) == []


def test_weights_that_are_read_change_with_those_that_are_written(tmp_path):
    code = (
        "W = 'a.h5'\nmodel.save_weights(W)\nmodel.load_weights(W)\n"
        "model.load_weights('a.h5')\nmodel.load_weights('b.h5')\n"
    )
    report = report_on(tmp_path, code)
    assert found(report) == [(1, '".h5"'), (4, '".h5"')]
    assert patched(report) == code.replace("a.h5", "a.weights.h5")


# -- the output ------------------------------------------------------------------------------------


def test_lines_tell_place_names_and_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("b.py").write_text("from keras.optimizers import SGD\nSGD(lr=1,\n    decay=2)\n")
    Path("a.py").write_text("model.fit_generator(x)\n")
    assert main(["b.py", "a.py"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "b.py:2: SGD(lr=) -> SGD(learning_rate=): Renamed in Keras 2.3.",
        "b.py:3: SGD(decay=) -> "
        "learning_rate=keras.optimizers.schedules.InverseTimeDecay(lr, 1, decay): SILENT: Keras 3 "
        "ignores it: the rate would stay as it is instead of falling by 1 / (1 + decay * batches).",
        "a.py:1: .fit_generator -> .fit: fit, evaluate and predict take generators themselves.",
        "3 old names in 2 of 2 files: 2 errors, 1 silent change, 0 warnings; "
        "--diff changes 2 of them.",
    ]


def test_a_diff_is_a_patch_and_the_rest_goes_to_standard_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("from keras.optimizers import SGD\nSGD(lr=1, decay=2)")
    assert main(["a.py", "--diff"]) == 1
    printed = capsys.readouterr()
    assert printed.out == (
        "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n from keras.optimizers import SGD\n"
        "-SGD(lr=1, decay=2)\n\\ No newline at end of file\n"
        "+SGD(learning_rate=1, decay=2)\n\\ No newline at end of file\n"
    )
    assert printed.err.startswith("a.py:2: SGD(decay=)")
    assert "lr=" not in printed.err.splitlines()[0]
    assert Path("a.py").read_text() == "from keras.optimizers import SGD\nSGD(lr=1, decay=2)"


def test_nothing_old_is_status_0(tmp_path, capsys):
    (tmp_path / "a.py").write_text("import keras\n")
    (tmp_path / "empty.py").touch()
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Nothing of Keras 1 or 2 in 2 files.\n"


def test_line_ends_and_form_feeds_stay(tmp_path):
    path = tmp_path / "a.py"
    before = (
        b"# -*- coding: utf-8 -*-\r\n\x0cfrom keras.layers.core import Dense\r\nx = '\xc3\xa4'\r\n"
    )
    path.write_bytes(before)
    report = Report([str(path)])
    assert report.patched(report.findings[0][0]) == before.replace(b".core", b"")


def test_the_report_needs_no_framework_and_starts_at_once():
    code = (
        "import sys\nfrom pyimagesearch.keras2.report import main\n"
        f"assert main([{str(BOOK / 'traps')!r}]) == 1\n"
        "print({'keras', 'tensorflow', 'numpy', 'h5py', 'cv2'} & set(sys.modules))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=PROJECT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert out.splitlines()[-1] == "set()"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def run_command(*args, **options):
    command = [sys.executable, "-m", "pyimagesearch.keras2", "--report", *args]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        command, text=True, capture_output=True, env=environment, check=False, **options
    )


def test_the_command_reports_and_ends_with_the_status(tmp_path):
    result = run_command("traps", "--diff", cwd=BOOK)
    assert result.returncode == 1
    assert result.stdout.startswith("--- traps/silent_traps.py\n")
    assert result.stderr.endswith("of them.\n")
    assert run_command("nowhere", cwd=tmp_path).returncode == 2
    assert run_command(cwd=tmp_path).returncode == 2  # no path at all


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "pyimagesearch.keras2", "--report", str(BOOK)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(timeout=30) == 1


# -- bad input -------------------------------------------------------------------------------------


def test_python_2_is_named_with_its_line_and_the_other_files_are_read(tmp_path, capsys):
    (tmp_path / "a.py").write_text("import keras\n\nprint 'training'\n")
    (tmp_path / "b.py").write_text("try:\n    f()\nexcept IOError, e:\n    pass\n")
    (tmp_path / "c.py").write_text("model.fit_generator(x)\n")
    assert main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert f"{tmp_path}/a.py:3: Python 2 -> Python 3: A print statement." in out
    assert f"{tmp_path}/b.py:3: Python 2 -> Python 3: `Except Error, name:`." in out.replace(
        "`except", "`Except"
    )
    assert f"{tmp_path}/c.py:1: .fit_generator -> .fit" in out
    assert "2 for Python 2" in out.splitlines()[-1]


def unusable(path, capsys):
    """Return the one line about a path that makes the report end with status 2."""
    assert main([str(path)]) == 2
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2
    assert "1 not readable" in out[1]
    return out[0]


def test_a_missing_path_is_named(tmp_path, capsys):
    assert unusable(tmp_path / "x.py", capsys) == (
        f"{tmp_path}/x.py: cannot be read: There is no such file or folder."
    )


def test_a_folder_without_python_is_named(tmp_path, capsys):
    (tmp_path / "readme.txt").touch()
    assert "There are no Python files or notebooks in this folder" in unusable(tmp_path, capsys)


def test_a_syntax_error_is_named_with_its_line(tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = 1\nif x\n    y\n")
    assert f"{tmp_path}/a.py:2: cannot be read: expected ':'" in unusable(tmp_path, capsys)


def test_an_unreadable_file_does_not_keep_the_others_from_being_read(tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = (\n")
    (tmp_path / "b.py").write_text("model.fit_generator(x)\n")
    assert main([str(tmp_path)]) == 2
    assert f"{tmp_path}/b.py:1: .fit_generator" in capsys.readouterr().out


def test_text_in_an_unknown_encoding_is_named(tmp_path, capsys):
    (tmp_path / "a.py").write_bytes(b"x = 1\ny = '\xe4'\n")
    assert f"{tmp_path}/a.py:2: cannot be read: Not utf-8 text" in unusable(tmp_path, capsys)
    (tmp_path / "a.py").write_bytes(b"# coding: klingon\nx = 1\n")
    assert "klingon" in unusable(tmp_path, capsys)
    (tmp_path / "a.py").write_bytes(b"x = 1\x00\n")
    assert "null bytes" in unusable(tmp_path, capsys)


def test_text_in_a_known_encoding_is_read(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(
        "# coding: latin-1\nx = 'ä'; m.fit_generator('ö', nb_epoch=1)\n".encode("latin-1")
    )
    report = Report([str(path)])
    assert "x = 'ä'; m.fit('ö', epochs=1)" in report.patched(report.findings[0][0]).decode()
    path.write_bytes(b"\xef\xbb\xbfm.fit_generator(x)\n")
    assert found(Report([str(path)])) == [(1, ".fit_generator")]


@pytest.mark.parametrize(
    "before",
    [
        "# coding: latin-1\nx = 'ä'; m.fit_generator('ö')\n".encode("latin-1"),
        b"\xef\xbb\xbfm.fit_generator(x)\n",
        "x = 'ä'\r\nm.fit_generator('ö')\r\n".encode(),
        b"m.fit_generator(x)",
    ],
)
def test_a_patch_has_the_bytes_of_the_file(tmp_path, monkeypatch, before):
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_bytes(before)
    Path("a.patch").write_bytes(Report(["a.py"]).diff())
    apply_patch(tmp_path, "a.patch")
    assert Path("a.py").read_bytes() == before.replace(b"_generator", b"")


def test_what_an_f_string_says_twice_is_left_to_the_reader(tmp_path):
    code = "x = f\"{h.history['acc']} {h.history['acc']}\"\n"
    report = report_on(tmp_path, code)
    assert report.findings
    ast.parse(patched(report))
    assert patched(report) in (code, code.replace("acc", "accuracy"))


def test_what_is_nested_too_deeply_is_named(tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = " + "-" * 100_000 + "1\n")
    assert "cannot be read" in unusable(tmp_path, capsys)
    (tmp_path / "a.py").write_text("x = " + " + ".join("1" * 5000) + "\n")
    assert "nested too deeply" in unusable(tmp_path, capsys)


def test_links_in_a_circle_pipes_and_other_peoples_code_are_left_alone(tmp_path, capsys):
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "a.py").write_text("model.fit_generator(x)\n")
    (project / "src" / "round").symlink_to(project)
    (project / "again.py").symlink_to(project / "src" / "a.py")
    os.mkfifo(project / "pipe.py")
    for folder in (".venv/lib", "env/lib", "__pycache__"):
        (project / folder).mkdir(parents=True)
        (project / folder / "b.py").write_text("model.fit_generator(x)\n")
    (project / "env" / "pyvenv.cfg").touch()
    (project / "folder.py").mkdir()
    assert main([str(project)]) == 1
    assert "1 old name in 1 of 1 file" in capsys.readouterr().out
    loop = project / "loop.py"
    loop.symlink_to(loop)
    assert "cannot be read" in unusable(loop, capsys)


def test_a_file_that_no_terminal_can_name_is_read(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.py"
    with open(path, "w") as file:  # noqa: PTH123  pathlib has no names of bytes
        file.write("model.fit_generator('\N{SNOWMAN}')\n")
    result = run_command(".", cwd=tmp_path)
    assert result.returncode == 1
    assert ".fit_generator -> .fit" in result.stdout
    assert "Traceback" not in result.stderr


def notebook(*cells):
    return json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": kind, "source": code} for kind, code in cells]}
    )


def test_a_notebooks_code_is_read_cell_by_cell(tmp_path, capsys):
    path = tmp_path / "a.ipynb"
    path.write_text(
        notebook(
            ("markdown", "model.fit_generator"),
            (
                "code",
                ["%matplotlib inline\n", "!pip install keras\n", "from keras.optimizers import *"],
            ),
            ("code", "%%bash\necho model.fit_generator"),
            ("code", ["for i in x:\n", "    %time f()\n", "opt = SGD(lr=3)\n"]),
        )
    )
    assert main([str(path)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{path}:cell 4:3: SGD(lr=) -> SGD(learning_rate=)")
    assert len(out) == 2
    assert Report([str(path)]).diff() == b""


def test_ipythons_own_lines_in_a_cell_are_passed_over(tmp_path):
    path = tmp_path / "a.ipynb"
    code = "SGD?\nkeras.optimizers??\n?SGD\nfiles = !ls\nt = %timeit -o f()\nopt = SGD(lr=3)\nopt?"
    text = "from keras.optimizers import *\nx = ('%s'\n  % SGD(lr=3))"
    path.write_text(notebook(("code", text), ("code", code)))
    report = Report([str(path)])
    assert not report.unreadable
    assert [source.place(finding.line) for source, finding in report.findings] == [
        f"{path}:cell 1:3",
        f"{path}:cell 2:6",
    ]


def test_a_notebook_with_python_2_or_none_at_all_is_named(tmp_path, capsys):
    path = tmp_path / "a.ipynb"
    path.write_text(notebook(("code", "x = 1\nprint x"), ("code", "m.fit_generator(x)")))
    assert main([str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}:cell 1:2: Python 2 -> Python 3" in out
    assert f"{path}:cell 2:1: .fit_generator" in out
    for text in ("", "[]", '{"worksheets": []}', '{"cells": [1]}', "[" * 100_000):
        path.write_text(text)
        assert "not a notebook of Jupyter 4" in unusable(path, capsys)


# -- loops, alternatives and graphs ----------------------------------------------------------------


def test_keys_are_followed_through_loops(tmp_path):
    before = """
        H = model.fit_generator(aug)
        keys = ["acc", "val_acc"]
        for k in ("loss", "acc"):
            plt.plot(H.history[k])
        for i, (k, label) in enumerate(zip(keys, ["train", "val"])):
            plt.plot(H.history[k], label=label)
        for k, name in [("val_acc", "acc"), ("val_loss", "acc")]:
            plt.plot(H.history[k], label=name)
        last = [H.history[m][-1] for m in ("acc",)]
        for word in ("acc", "lr"):
            print(word)
        """
    after = """
        H = model.fit(aug)
        keys = ["accuracy", "val_accuracy"]
        for k in ("loss", "accuracy"):
            plt.plot(H.history[k])
        for i, (k, label) in enumerate(zip(keys, ["train", "val"])):
            plt.plot(H.history[k], label=label)
        for k, name in [("val_accuracy", "acc"), ("val_loss", "acc")]:
            plt.plot(H.history[k], label=name)
        last = [H.history[m][-1] for m in ("accuracy",)]
        for word in ("acc", "lr"):
            print(word)
        """
    check_change(tmp_path, before, after)


@pytest.mark.parametrize("caught", ["ImportError", "(ImportError, AttributeError)", ""])
def test_an_old_import_with_a_modern_alternative_is_passed_over(tmp_path, caught):
    old, modern = "from keras.utils import np_utils", "from keras.utils import to_categorical"
    for one, other in [(old, modern), (modern, old)]:
        code = f"try:\n    {one}\nexcept {caught}:\n    {other}\n"
        assert found(report_on(tmp_path, code)) == []
    code = f"try:\n    {old}\nexcept {caught}:\n    from keras.layers.core import Dense\n"
    assert [line for line, _ in found(report_on(tmp_path, code))] == [2, 4]
    code = f"try:\n    {old}\nexcept {caught}:\n    raise\n"
    assert [line for line, _ in found(report_on(tmp_path, code))] == [2]
    code = f"try:\n    {old}\nexcept ValueError:\n    {modern}\n"
    assert [line for line, _ in found(report_on(tmp_path, code))] == [2]


def test_a_layer_that_is_popped_off_the_list_is_found(tmp_path):
    code = "model.layers.pop()\nmodel.layers[-1].outbound_nodes = []\nstack.pop()\nmodel.pop()\n"
    report = report_on(tmp_path, code)
    assert found(report) == [(1, ".layers.pop()"), (2, "layer.outbound_nodes")]
    assert report.findings[0][1].result == names.SILENT


def test_the_norm_of_all_gradients_is_told_from_that_of_each(tmp_path):
    check_change(
        tmp_path,
        "from keras.optimizers import SGD\nopt = SGD(lr=0.1, clipnorm=1.0)\n",
        "from keras.optimizers import SGD\nopt = SGD(learning_rate=0.1, global_clipnorm=1.0)\n",
    )
    modern = "from keras.optimizers import SGD\nopt = SGD(learning_rate=0.1, clipnorm=1.0)\n"
    assert found(report_on(tmp_path, modern)) == []
    of_tensorflow = "from tensorflow.keras.optimizers import SGD\nopt = SGD(lr=1, clipnorm=1.0)\n"
    assert found(report_on(tmp_path, of_tensorflow)) == [(2, "SGD(lr=)")]


# -- the table -------------------------------------------------------------------------------------


def _has(root, dotted):
    value = root
    for name in dotted.split(".")[1:]:
        value = getattr(value, name, None)
        if value is None:
            return False
    return True


def test_what_the_table_says_of_keras_3_is_so():
    import keras  # noqa: PLC0415  the report itself does without
    import tensorflow  # noqa: PLC0415

    rows = [row for row in names.NAMES if row.old.startswith("keras.")]
    successors = [row.new for row in rows if row.rename and row.new.startswith("keras.")]
    assert [name for name in successors if not _has(keras, name)] == []
    kept = {row.old for row in rows if _has(tensorflow.keras, row.old) and not _has(keras, row.old)}
    broken = {  # they are there, and raise when they are used
        *("keras.backend.set_value", "keras.backend.batch_set_value", "keras.backend.gradients"),
    }
    assert kept - broken == names.TENSORFLOW_KEEPS


def test_the_spellings_of_keras_1_are_in_the_table():
    rows = (*names.MODULES, *names.NAMES, *names.ARGUMENTS)
    assert names.KERAS_1 - {row.old for row in rows} == set()


PAGE = PROJECT / "docs" / "migration.md"


def test_the_page_has_the_table_of_today():
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(table.BEGIN)
    assert rest.partition(table.END)[0].strip() == table.markdown().strip()


def test_a_page_without_marks_is_refused_and_kept(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Names\n")
    with pytest.raises(ValueError, match="lacks the marks"):
        table.write(page)
    assert page.read_text() == "# Names\n"


def test_the_pages_example_is_what_the_report_prints(capsys, monkeypatch):
    monkeypatch.chdir(BOOK / "data_augmentation")
    page = PAGE.read_text(encoding="utf-8")
    main(["minivggnet_flowers17_data_aug.py"])
    assert f"```text\n{capsys.readouterr().out}```" in page
    main(["minivggnet_flowers17_data_aug.py", "--diff"])
    printed = capsys.readouterr()
    assert f"```diff\n{printed.out}```" in page
    assert f"```text\n{printed.err}```" in page


def test_every_edit_leaves_python(tmp_path):
    for before, _ in [*IMPORTS, *((PREAMBLE + b, a) for b, a in CALLS)]:
        ast.parse(patched(report_on(tmp_path, before)))
