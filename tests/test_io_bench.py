"""python -m pyimagesearch.io bench."""

import re
import sys

import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter, __main__


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command; return the lines it prints."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["io", *map(str, words)])
        __main__.run(__main__.main)
        return capsys.readouterr().out.splitlines()

    return command


def store(path, rows, **options):
    with HDF5DatasetWriter(rows.shape, path, **options) as writer:
        writer.add(rows, np.arange(len(rows)) % 3)
    return path


def stages(lines):
    rates = [re.fullmatch(r" *([\d,]+)  (.*)", line) for line in lines[1:]]
    assert all(int(rate[1].replace(",", "")) > 0 for rate in rates)
    return [rate[2] for rate in rates]


@pytest.mark.parametrize("encode", [None, "jpeg"])
def test_the_rates_of_all_steps_are_printed(tmp_path, command, encode):
    path = store(tmp_path / "x.hdf5", np.zeros((9, 64, 96, 3), np.uint8), encode=encode)
    lines = command("bench", path, "--batch-size", 4, "--seconds", 0.01, "--aug", "--workers", 1)
    assert lines[0] == f"{path}, batches of 4, images per second:"
    assert stages(lines) == [
        "reading",
        "and 85x57 crops, minus means, as float32",
        "and augmentation",
    ]
    assert len(stages(command("bench", path, "--seconds", 0.01))) == 2


def test_features_and_grey_images_have_fewer_steps(tmp_path, command):
    path = store(tmp_path / "f.hdf5", np.zeros((9, 5), np.float32), dataKey="features")
    lines = command("bench", path, "--data-key", "features", "--seconds", 0.01, "--aug")
    assert stages(lines) == ["reading"]
    path = store(tmp_path / "g.hdf5", np.zeros((9, 8, 8, 1), np.uint8))
    assert len(stages(command("bench", path, "--seconds", 0.01, "--aug"))) == 3


def test_bad_input_is_one_sentence(tmp_path, command):
    with pytest.raises(SystemExit, match=r"\[ERROR\] There is no file .*none\.hdf5"):
        command("bench", tmp_path / "none.hdf5")
    with pytest.raises(SystemExit, match="is a directory. Give the path of an HDF5 file"):
        command("bench", tmp_path)
    path = store(tmp_path / "x.hdf5", np.zeros((9, 8, 8, 3), np.uint8))
    with pytest.raises(SystemExit, match="workers must be a whole number from 0.*-1"):
        command("bench", path, "--workers", -1)
    with pytest.raises(SystemExit, match="no data set 'rows'"):
        command("bench", path, "--data-key", "rows")
