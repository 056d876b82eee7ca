"""The picture of a net."""

from itertools import pairwise

import cv2
import pytest
from caffe_fixtures import FIXTURES

from pyimagesearch.caffe._net import net_of, read_net
from pyimagesearch.caffe._text import parse_text
from pyimagesearch.caffe.draw import _boxes, _order, _place, _rows, draw_net

RESLET = FIXTURES / "reslet" / "deploy.prototxt"


def test_boxes_say_what_a_layer_does():
    boxes = {box.lines[0]: box for box in _boxes(read_net(RESLET))}
    assert boxes["data"].lines[1] == "1 x 3 x 21 x 21"
    assert boxes["pool"].lines[1:] == ["Pooling, pool MAX, kernel_size 3", "stride 2, pad 1"]
    assert "+ stem_relu (ReLU)" in boxes["stem"].lines
    assert [source.lines[0] for source in boxes["sum"].sources] == ["pool", "branch/b"]


def test_boxes_stand_below_what_they_read_and_do_not_overlap():
    rows = _rows(_boxes(read_net(RESLET)))
    _order(rows)
    _place(rows)
    for number, row in enumerate(rows):
        for box in row:
            assert all(source in rows[number - 1] for source in box.sources)
        for left, right in pairwise(row):
            assert left.place + left.width / 2 < right.place - right.width / 2


def test_pictures(tmp_path):
    net = read_net(FIXTURES / "petnet" / "train_val.prototxt", "TRAIN")
    draw_net(net, tmp_path / "net.png")
    picture = cv2.imread(str(tmp_path / "net.png"))
    assert picture.shape[0] > picture.shape[1] > 300  # one layer below the other
    assert picture.std() > 10
    draw_net(net, tmp_path / "net.svg")
    assert "fc8-pets" in (tmp_path / "net.svg").read_text()


def test_a_net_of_a_thousand_layers_is_drawn(tmp_path):
    chain = "input: 'b0'" + "".join(
        f"layer {{ name: 'l{i}' type: 'ReLU' bottom: 'b{i}' top: 'b{i + 1}' }}" for i in range(1000)
    )
    draw_net(net_of(parse_text(chain, "NetParameter", "x")), tmp_path / "net.png")
    assert cv2.imread(str(tmp_path / "net.png")) is not None


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.png, \.pdf, \.svg, \.jpg. Received: .*net.gif"):
        draw_net(read_net(RESLET), tmp_path / "net.gif")
