"""Ten-crop evaluation with AlexNet, and the cutting of the crops alone.

    python benchmarks/crops.py

The bare limit is the network on ready crops, and the copying of ten crops' bytes.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import cv2
import harness
import numpy as np
from common import CROP, MEANS, load_stored, store_images

from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.preprocessing import CropPreprocessor, ImageToArrayPreprocessor, MeanPreprocessor

PREDICTED = 64


def prepare(folder, args):
    store_images(folder, args, harness.size(args, 40, 3))
    images, labels = load_stored(folder)
    with HDF5DatasetWriter(images.shape, folder / "test.hdf5") as writer:
        writer.add(images, labels)


def book_crops(image):
    """Return the ten crops of an image; each is resized, since the middle one may be too large."""
    h, w = image.shape[:2]
    top, left = (h - CROP) // 2, (w - CROP) // 2
    corners = [
        (0, 0, CROP, CROP),
        (w - CROP, 0, w, CROP),
        (w - CROP, h - CROP, w, h),
        (0, h - CROP, CROP, h),
        (left, top, w - left, h - top),
    ]
    crops = [
        cv2.resize(image[y0:y1, x0:x1], (CROP, CROP), interpolation=cv2.INTER_AREA)
        for x0, y0, x1, y1 in corners
    ]
    return np.array(crops + [cv2.flip(crop, 1) for crop in crops])


def network():
    import keras

    from pyimagesearch.nn.conv import AlexNet

    keras.utils.set_random_seed(0)
    return AlexNet.build(CROP, CROP, 3, 2)


def book(folder, args):
    from keras.utils import img_to_array

    model = network()
    images, _ = load_stored(folder)
    mp = MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"])

    def run(passes):
        for _ in range(passes):
            predictions = []
            for image in images:
                crops = book_crops(mp.preprocess(image))
                crops = np.array([img_to_array(crop) for crop in crops])
                predictions.append(model.predict(crops, verbose=0).mean(axis=0))
        return passes * len(predictions)

    return run


def one_predict(folder, args):
    model = network()
    crops = ready_crops(folder)

    def run(passes):
        for _ in range(passes):
            predictions = model.predict(crops, PREDICTED, verbose=0).reshape(-1, 10, 2).mean(axis=1)
        return passes * len(predictions)

    return run


def ours(folder, args):
    from pyimagesearch.training.prediction import predict_batches

    model = network()
    mp = MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"])
    steps = [mp, CropPreprocessor(CROP, CROP)]
    iap = ImageToArrayPreprocessor()

    def run(passes):
        with HDF5DatasetGenerator(
            folder / "test.hdf5", PREDICTED // 10, steps, binarize=False
        ) as gen:
            inputs = (
                np.array([iap.preprocess(crop) for crops in images for crop in crops])
                for images, _ in gen.generator(passes)
            )
            predictions = predict_batches(model, inputs, PREDICTED)
        return len(predictions.reshape(-1, 10, 2).mean(axis=1))

    return run


def bare(folder, args):
    model = network()
    crops = ready_crops(folder)

    def run(passes):
        for _ in range(passes):
            for start in range(0, len(crops), PREDICTED):
                model.predict_on_batch(crops[start : start + PREDICTED])
        return passes * len(crops) // 10

    return run


def ready_crops(folder):
    images, _ = load_stored(folder)
    mp = MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"])
    return np.concatenate([book_crops(mp.preprocess(image)) for image in images])


def cutting(cut):
    """Make a way of a function from an image minus means to its ten crops."""

    def setup(folder, args):
        images, _ = load_stored(folder)
        mp = MeanPreprocessor(MEANS["R"], MEANS["G"], MEANS["B"])
        images = [mp.preprocess(image) for image in images]

        def run(passes):
            return sum(len(cut(image)) == 10 for image in images * passes)

        return run

    return setup


def copy_bytes(image):
    crops = np.empty((10, CROP, CROP, 3), np.float32)
    crops[:] = image[:CROP, :CROP]
    return crops


ROWS = [
    harness.Row(
        __file__,
        "ten-crop evaluation",
        {
            "2017": book,
            "model.predict on ready crops": one_predict,
            "ours": ours,
            "bare limit": bare,
        },
        prepare,
    ),
    harness.Row(
        __file__,
        "ten crops, cutting alone",
        {
            "2017": cutting(book_crops),
            "ours": cutting(CropPreprocessor(CROP, CROP).preprocess),
            "bare limit": cutting(copy_bytes),
        },
        prepare,
    ),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
