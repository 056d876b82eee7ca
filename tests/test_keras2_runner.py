"""The runner around the script: arguments, errors, exit statuses, the reader's own package."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyimagesearch.keras2 import _era

ROOT = Path(__file__).resolve().parents[1]


def command(*words):
    # -P: the current folder, where the script is, must not hide this package; PYTHONPATH stands
    # for an installed package
    return [sys.executable, "-P", "-m", "pyimagesearch.keras2", *map(str, words)]


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}


def start(folder, *words, **more):
    return subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def run(tmp_path):
    """Return a function that writes a script and runs it: run(source, *arguments)."""

    def run(source, *args, options=(), **more):
        path = tmp_path / "train.py"
        path.write_text(source)
        return start(tmp_path, *options, path, *args, **more)

    return run


def test_the_script_is_main_with_its_arguments_and_its_folder_first(run, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("")
    (tmp_path / "config" / "pets_config.py").write_text("CLASSES = 37\n")
    result = run(
        "import sys, pickle\n"
        "from config import pets_config as config\n"
        "class Thing: pass\n"
        "if __name__ == '__main__':\n"
        "    assert type(pickle.loads(pickle.dumps(Thing()))) is Thing\n"
        "    print(sys.argv[1:], __file__ == sys.argv[0], config.CLASSES)\n"
        "    print({'keras', 'tensorflow', 'numpy'} & {*sys.modules})\n",
        *("--model", "a b.model", "--explain"),
    )
    assert result.stderr == ""
    assert result.stdout == "['--model', 'a b.model', '--explain'] True 37\nset()\n"


def test_what_the_script_exits_with_is_what_the_runner_exits_with(run):
    assert run("import sys; sys.exit(3)").returncode == 3
    assert run("raise SystemExit").returncode == 0
    told = run("import sys; sys.exit('no such data set')")
    assert (told.returncode, told.stderr) == (1, "no such data set\n")


def test_a_traceback_shows_the_script_alone(run, tmp_path):
    result = run("def load(path):\n    raise KeyError(path)\n\nload('a.jpg')\n")
    assert result.returncode == 1
    path = tmp_path / "train.py"
    assert [line for line in result.stderr.splitlines() if line.startswith("  File")] == [
        f'  File "{path}", line 4, in <module>',
        f'  File "{path}", line 2, in load',
    ]
    assert result.stderr.startswith("Traceback (most recent call last):\n  File ")
    assert result.stderr.endswith("KeyError: 'a.jpg'\n")


def test_no_script_at_all(tmp_path):
    result = start(tmp_path)
    assert result.returncode == 2
    assert "there is no script to run. Name one" in result.stderr


def test_a_script_that_is_not_there(tmp_path):
    result = start(tmp_path, "no.py")
    assert result.returncode == 1
    assert result.stderr == "[ERROR] Cannot read the script no.py: No such file or directory.\n"


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ('print "[INFO] loading images"', "a print statement"),
        ("print", None),  # Python 3 takes it for a name
        ("try:\n    x = 1\nexcept IOError, e:\n    pass", "`except Error, name:`"),
        ('raise ValueError, "bad"', '`raise Error, "message"`'),
        ("x = `1`", "backticks"),
        ("if 1 <> 2: pass", "the operator <>"),
        ("mode = 0755", "an octal number"),
    ],
)
def test_a_script_for_python_2_is_called_that(run, tmp_path, line, sign):
    result = run(f"import os\n{line}\n")
    if sign is None:
        assert result.returncode == 0
        return
    assert result.returncode == 1
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"[ERROR] {tmp_path / 'train.py'}, line ")
    assert "this is Python 2, " + sign in first
    assert f"2to3 -w {tmp_path / 'train.py'}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mistyped_script_is_not_called_python_2(run, tmp_path):
    result = run("x = (1,\ny = 2\n")
    assert result.returncode == 1
    assert result.stderr.startswith(f"[ERROR] {tmp_path / 'train.py'}, line ")
    assert "Python 2" not in result.stderr


def test_a_module_for_python_2_beside_the_script(run, tmp_path):
    (tmp_path / "helper.py").write_text('print "hello"\n')
    result = run("import helper\n")
    assert result.returncode == 1
    assert result.stderr.startswith(f"[ERROR] {tmp_path / 'helper.py'}, line 1: this is Python 2")


def test_names_of_python_2_come_with_a_hint(run):
    result = run("import cPickle\n")
    assert "cPickle is Python 2; Python 3 says pickle." in result.stderr
    assert "xrange is Python 2; Python 3 says range." in run("for i in xrange(3): pass").stderr


def test_a_file_that_is_no_text(run, tmp_path):
    (tmp_path / "model.py").write_bytes(b"\x89HDF\r\n\x1a\n\x00\x00")
    result = start(tmp_path, "model.py")
    assert result.returncode == 1
    assert result.stderr.startswith("[ERROR] model.py")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_script_that_is_killed_dies_as_scripts_do(tmp_path, number):
    script = tmp_path / "train.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(
        command(script), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -number
    if number == signal.SIGINT:
        assert b"line 3, in <module>" in errors
        assert b"runner.py" not in errors


def test_a_script_that_catches_ctrl_c_goes_on(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('stopped')\n"
    )
    with subprocess.Popen(command(script), env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, b"stopped\n")


OWN = """
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.preprocessing.simplepreprocessor import SimplePreprocessor as Same
import pyimagesearch
print(SimplePreprocessor(8, 8).__class__ is Same, getattr(SimplePreprocessor, 'mine', False))
"""


@pytest.mark.parametrize("marked", [True, False])
def test_the_readers_own_package_comes_first(run, tmp_path, marked):
    folder = tmp_path / "pyimagesearch" / "preprocessing"
    folder.mkdir(parents=True)
    if marked:
        (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("from .simplepreprocessor import SimplePreprocessor\n")
    (folder / "simplepreprocessor.py").write_text(
        "class SimplePreprocessor:\n    mine = True\n    def __init__(self, width, height): pass\n"
    )
    result = run(OWN)
    assert (result.stdout, result.stderr) == ("True True\n", "")

    missing = run("from pyimagesearch.preprocessing.meanpreprocessor import MeanPreprocessor\n")
    assert missing.returncode == 1
    assert "No module named 'pyimagesearch.preprocessing.meanpreprocessor' in" in missing.stderr
    assert "rename that folder" in missing.stderr
    unknown = run("import pyimagesearch.nowhere\n")  # ours has none either: Python's own words
    assert "No module named 'pyimagesearch.nowhere'\n" in unknown.stderr


def test_without_a_package_of_the_readers_ours_is_used(run):
    result = run(OWN)
    assert (result.stdout, result.stderr) == ("True False\n", "")


def test_explain_without_an_old_name(run):
    result = run("print('done')", options=["--explain"])
    assert (result.stdout, result.stderr) == ("done\n", "[keras2] no old names were used\n")


def test_processes_that_the_script_spawns_know_the_old_names_too(run):
    result = run(
        "import multiprocessing\n"
        "import numpy as np\n"
        "number = np.float(2)\n"
        "def double(x):\n"
        "    return number * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [1, 2]))\n"
    )
    assert (result.stdout, result.stderr) == ("[2.0, 4.0]\n", "")


def test_numpy_scikit_learn_and_h5py_of_2017(run, tmp_path):
    result = run(
        """
import json
import numpy as np
from sklearn.cross_validation import train_test_split
from sklearn.externals import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
import h5py

x = np.arange(8, dtype=np.float).reshape(4, 2)
y = np.array([0, 1, 0, 1]).astype(np.int)
model = LogisticRegression(C=1.0, multi_class="multinomial").fit(x, y)
LogisticRegression(multi_class="ovr")
joblib.dump(model, "model.cpickle")
db = h5py.File("features.hdf5", "w")
names = db.create_dataset("label_names", (2,), dtype=h5py.special_dtype(vlen=str))
names[:] = ["cat", "dog"]
db.create_dataset("labels", data=y)
db.close()
db = h5py.File("features.hdf5")
print(classification_report(db["labels"].value, y, target_names=db["label_names"]))
print(list(db["label_names"]), db["label_names"][0], np.array(db["label_names"]).tolist())
print(db["label_names"].asstr()[:].tolist(), db["label_names"].shape)
other = h5py.File("features.hdf5")
db.create_dataset("more", data=[1])
db.close()
""",
        options=["--explain"],
    )
    assert "        cat       1.00" in result.stdout
    assert result.stdout.endswith("['cat', 'dog'] cat ['cat', 'dog']\n['cat', 'dog'] (2,)\n"), (
        result.stderr
    )
    lines = result.stderr.splitlines()
    assert ":13: UserWarning: multi_class=" in lines[0]
    assert lines[2].endswith("old names were used:")
    assert "  sklearn.cross_validation -> sklearn.model_selection   (train.py:4, once)" in lines, (
        result.stderr
    )
    assert any(line.startswith("  numpy.float -> float   (train.py:10, once)") for line in lines)
    assert any("Dataset: value -> dataset[()]   (train.py:21, once)" in line for line in lines)
    assert any("LogisticRegression: multi_class" in line for line in lines)


def test_a_file_that_may_only_be_read_opens_without_a_mode(run, tmp_path):
    result = run(
        """
import os, stat
import h5py
db = h5py.File("new.hdf5")     # made, as in h5py 2
db["x"] = [1, 2]
db.close()
before = os.stat("new.hdf5").st_mtime_ns
os.chmod("new.hdf5", stat.S_IRUSR)
os.access = lambda path, mode: False      # root may write to any file
db = h5py.File("new.hdf5")
print(db["x"][:], db.mode, os.stat("new.hdf5").st_mtime_ns == before)
"""
    )
    assert (result.stdout, result.stderr) == ("[1 2] r True\n", "")


def test_a_data_set_opened_without_a_mode_outlives_a_kill(run):
    result = run(
        """
import os, signal
import h5py
for libver in ("earliest", "latest"):
    with h5py.File(libver, "w", libver=libver) as db:
        db["x"] = [1, 2]
    if os.fork() == 0:
        reader = h5py.File(libver)
        os.kill(os.getpid(), signal.SIGKILL)
    os.wait()
    with h5py.File(libver, "r") as db:
        print(libver, db["x"][:])
"""
    )
    assert (result.stdout, result.stderr) == ("earliest [1 2]\nlatest [1 2]\n", "")


@pytest.mark.parametrize(
    ("source", "old"),
    [
        ('plt.plot(H.history["acc"])', True),
        ("checkpoint = ModelCheckpoint(path, monitor='val_acc')", True),
        ('plt.plot(H.history["val_accuracy"])', False),
        ('self.H["accuracy"].append(1)', False),
        ('model.compile("sgd", loss, metrics=["accuracy"])', True),  # the rule of 2017
        ('names = {"acc": "accuracy"}; H.history["accuracy"]', True),
    ],
)
def test_the_script_tells_what_it_calls_the_accuracy(tmp_path, monkeypatch, source, old):
    path = tmp_path / "train.py"
    path.write_text(f"import keras\n{source}\n")
    monkeypatch.setattr(_era, "_user_files", lambda: [path])
    assert _era.keys_are_old() is old


def test_the_script_tells_whether_resnet_ends_in_one_pixel(tmp_path, monkeypatch):
    path = tmp_path / "extract_features.py"
    monkeypatch.setattr(_era, "_user_files", lambda: [path])
    path.write_text("features = features.reshape((features.shape[0], 2048))\n")
    assert _era.pools_resnet()
    other = tmp_path / "of_2018.py"
    monkeypatch.setattr(_era, "_user_files", lambda: [other])
    other.write_text("features = features.reshape((features.shape[0], 7 * 7 * 2048))\n")
    assert not _era.pools_resnet()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from keras.layers import Dense", False),
        ("from tensorflow.keras.layers import Dense", True),
        ("from tensorflow.python.keras.layers import Dense", True),
        ("import tensorflow as tf\nmodel = tf.keras.Sequential()", True),
        ("from keras.layers import Dense\nimport tensorflow.keras", False),
    ],
)
def test_the_script_tells_whether_its_keras_is_tensorflows(tmp_path, monkeypatch, source, expected):
    path = tmp_path / "train.py"
    path.write_text(source)
    monkeypatch.setattr(_era, "_user_files", lambda: [str(path)])
    _era.is_of_tensorflow.cache_clear()
    assert _era.is_of_tensorflow() is _era.freezes_normalization() is expected
    _era.is_of_tensorflow.cache_clear()


@pytest.mark.torture
def test_rules_of_tensorflow_2_for_its_own_keras(run):
    result = run(
        "import numpy as np\n"
        "from tensorflow.keras.layers import GRU, BatchNormalization\n"
        "from tensorflow.keras.models import Sequential\n"
        "from tensorflow.keras.optimizers import SGD\n"
        "layer = BatchNormalization(input_shape=(1,), trainable=False)\n"
        "model = Sequential([layer])\n"
        "opt = SGD(lr=0.1, clipnorm=1.0)\n"
        "model.compile(opt, 'mse')\n"
        "model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)\n"
        "moved = layer.get_weights()[2][0] != 0\n"
        "print(moved, opt.global_clipnorm, opt.clipnorm, GRU(1).reset_after)\n",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    print(f"[FIGURE] frozen layer moved, norms, reset_after: {result.stdout}", end="")
    assert result.stdout == "False None 1.0 True\n"
