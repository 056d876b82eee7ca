"""Where the Caffe fixtures lie."""

import os
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "caffe" / "fixtures"
NETS = {
    "petnet": "petnet_iter_200.caffemodel",
    "reslet": "reslet.caffemodel",
    "boxnet": "boxnet.caffemodel",
}
ZOO = Path(os.environ.get("CAFFE_ZOO", Path(__file__).parents[2] / "shared" / "caffe" / "zoo"))


def zoo(name):
    """The path of a public net, which this repository does not carry; skip where it is absent."""
    path = ZOO / f"{name}.prototxt"
    if not path.exists():
        pytest.skip(f"{path} is not there: set CAFFE_ZOO to a folder of BVLC's prototxt files")
    return path
