"""Public nets with random weights, against OpenCV's importer."""

import cv2
import keras
import numpy as np
import pytest
from caffe_fixtures import zoo
from test_caffe_load import ZOO, random_weights

from pyimagesearch.caffe import load_caffe


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ZOO)
def test_a_public_net_gives_what_opencv_gives(name, tmp_path):
    path, weights = zoo(name), tmp_path / "random.caffemodel"
    random_weights(path, weights)
    model = load_caffe(path, weights)
    images = np.random.default_rng(1).normal(0, 50, (2, *model.input_shape[1:]))
    images = images.astype(np.float32)
    made = model.predict(images, verbose=0).reshape(2, -1)
    reader = cv2.dnn.readNetFromCaffe(str(path), str(weights))
    reader.setInput(images.transpose(0, 3, 1, 2))
    expected = reader.forward().reshape(2, -1)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-6)
    print(
        f"\n[FIGURE] {name} on {keras.backend.backend()}: outputs of at most "
        f"{expected.max():.2g}, at most {np.abs(made - expected).max():.1e} apart from OpenCV's"
    )
