"""`python -m pyimagesearch.caffe time`, and the other commands' ways to fail."""

import os
import re
import subprocess
import sys

import cv2
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe._net import read_net
from pyimagesearch.caffe.timing import LayerTime, bar_chart, measure_layers, time_net

RESLET = FIXTURES / "reslet" / "deploy.prototxt"


def test_every_layer_is_measured(tmp_path, capsys):
    times = time_net(RESLET, iterations=2, batch=2, chart=tmp_path / "chart.png")
    assert [entry.name for entry in times] == [layer.name for layer in read_net(RESLET).layers]
    assert all(entry.forward > 0 and entry.backward >= 0 for entry in times)
    printed = capsys.readouterr().out.splitlines()
    assert "a batch of 2, " in printed[0]
    assert len(printed) == len(times) + 4
    assert printed[2].startswith("stem  ")
    assert cv2.imread(str(tmp_path / "chart.png")).std() > 10


def test_a_slow_layer_takes_long():
    """A convolution of 64 channels on 15 x 15 takes longer than the tanh behind it."""
    times = measure_layers(read_net(FIXTURES / "boxnet" / "deploy.prototxt"), batch=64)
    seconds = {entry.name: entry.forward for entry in times}
    assert seconds["right"] > seconds["tanh"]


def test_a_chart_of_many_layers_shows_the_slowest():
    times = [LayerTime(f"layer{number}", "ReLU", number / 1e3, 0.001) for number in range(100)]
    axes = bar_chart(times, "net").axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"layer{number}" for number in range(99, 39, -1)]
    assert "the 60 slowest of 100" in axes.get_title()


def test_other_charts_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.png, .* Received: .*chart\.gif"):
        time_net(RESLET, chart=tmp_path / "chart.gif")


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ([], 2, "COMMAND"),
        (["draw", "{tmp}/none.prototxt", "x.png"], 1, "[ERROR] .*none.prototxt"),
        (["draw", "{tmp}/bad.prototxt", "x.png"], 1, "line 1, column 9: .*no field 'nam'"),
        (["lmdb", "{tmp}", "{tmp}/x.hdf5"], 1, "[ERROR] .*data.mdb"),
        (["time", "{tmp}/bad.prototxt"], 1, "no field 'nam'"),
        (["draw", "{tmp}/v0.prototxt", "x.png"], 1, "[ERROR] .*first format"),
    ],
)
def test_commands_fail_in_one_sentence(words, status, text, tmp_path):
    (tmp_path / "bad.prototxt").write_text("layer { nam: 'x' }")
    (tmp_path / "v0.prototxt").write_text("layers { layer { name: 'x' } }")
    words = [word.format(tmp=tmp_path) for word in words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", "pyimagesearch.caffe", *words],
        **{"env": environment, "cwd": tmp_path, "capture_output": True, "text": True},
        check=False,
    )
    assert done.returncode == status
    assert re.search(text.replace("[", r"\["), done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert "absl" not in done.stderr  # the chatter with which TensorFlow starts
    assert not (tmp_path / "x.png").exists()
