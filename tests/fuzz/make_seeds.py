"""Write the small, sound files that mutants are made of, to tests/fuzz/seeds/ and caffe_seeds/.

    python tests/fuzz/make_seeds.py

They are kept with the tests: a mutant must be the same whichever versions of the libraries are
installed, and archives and models never come out the same twice.
"""

import io
import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import cv2
import h5py
import numpy as np
from PIL import Image

from pyimagesearch.datasets.tinyimagenet import draw_tiny_imagenet

SEEDS = Path(__file__).parent / "seeds"
CAFFE_SEEDS = Path(__file__).parent / "caffe_seeds"
RNG = np.random.default_rng(5)


def picture(height=12, width=16):
    """Return a smooth (height, width, 3) uint8 image with a little noise."""
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 9, y * 12, (x + y) * 6], axis=2)
    return (smooth + RNG.integers(0, 20, smooth.shape)).astype(np.uint8)


def write_images():
    exif = Image.Exif()
    exif[0x0112] = 6
    formats = {
        "baseline.jpg": {"quality": 80, "exif": exif},
        "progressive.jpg": {"progressive": True, "restart_marker_blocks": 1},
        "colour.png": {"pnginfo": None},
        "lzw.tif": {"compression": "tiff_lzw"},
        "jpeg.tif": {"compression": "jpeg"},
        "plain.bmp": {},
        "lossy.webp": {"quality": 60},
        "lossless.webp": {"lossless": True},
    }
    for name, options in formats.items():
        Image.fromarray(picture()).save(SEEDS / name, **options)
    Image.fromarray(picture()).convert("CMYK").save(SEEDS / "cmyk.jpg")
    Image.fromarray(picture()).convert("P").save(SEEDS / "palette.png", icc_profile=b"x" * 200)
    Image.fromarray(picture()[..., 0].astype(np.uint16) * 256).save(SEEDS / "16.png")
    frames = [Image.fromarray(picture()).convert("P") for _ in range(2)]
    frames[0].save(SEEDS / "animated.gif", save_all=True, append_images=frames[1:])
    frames[0].convert("RGB").save(
        SEEDS / "animated.webp", save_all=True, append_images=[frames[1].convert("RGB")]
    )


def write_hdf5():
    images, labels = np.stack([picture(8, 8) for _ in range(6)]), np.arange(6) % 2
    text = h5py.string_dtype()
    with h5py.File(SEEDS / "plain.hdf5", "w") as db:  # as HDF5DatasetWriter makes it
        db.create_dataset("images", data=images, chunks=(2, 8, 8, 3), maxshape=images.shape)
        db.create_dataset("labels", data=labels, chunks=(6,), maxshape=(6,))
        db.create_dataset("label_names", data=["cat", "dog"], dtype=text)
    with h5py.File(SEEDS / "encoded.hdf5", "w") as db:
        rows = db.create_dataset("images", (6,), h5py.vlen_dtype(np.uint8), chunks=(6,))
        for number, image in enumerate(images):
            rows[number] = cv2.imencode(".jpg", image)[1]
        rows.attrs.update({"encoding": "jpeg", "shape": (8, 8, 3), "quality": 95})
        db["labels"] = labels
        db.create_dataset("label_names", data=["cat", "dog"], dtype=text)
    with h5py.File(SEEDS / "gzip.hdf5", "w") as db:
        packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        db.create_dataset("images", data=images, chunks=(2, 8, 8, 3), **packed)
        db.create_dataset("labels", data=labels, chunks=(6,), compression="lzf")
    with h5py.File(SEEDS / "2017.hdf5", "w") as db:
        db.create_dataset("images", data=images[:3], dtype="float")
        db.create_dataset("labels", data=labels[:3], dtype="int")
        db.create_dataset("label_names", data=["cat", "dog"], dtype=text)
    with h5py.File(SEEDS / "latest.hdf5", "w", libver="latest") as db:
        db.create_dataset("images", data=images, chunks=(2, 8, 8, 3), maxshape=(None, 8, 8, 3))
        db.create_dataset("labels", data=labels)
    with h5py.File(SEEDS / "features.hdf5", "w") as db:
        features = RNG.normal(size=(12, 5)).astype(np.float32)
        db.create_dataset("features", data=features, chunks=(12, 5), maxshape=(12, 5))
        db.create_dataset("labels", data=np.arange(12) % 2, chunks=(12,), maxshape=(12,))
        db.create_dataset("label_names", data=["cat", "dog"], dtype=text)


def write_texts():
    (SEEDS / "means.json").write_text(json.dumps({"R": 124.9, "G": 115.7, "B": 106.1}))
    curve = {name: [round(2 / (e + 1), 3) for e in range(9)] for name in ("loss", "val_loss")}
    curve |= {
        "accuracy": [0.1 * e for e in range(9)],
        "val_accuracy": [None, *(0.1 * e for e in range(8))],
    }
    (SEEDS / "history.json").write_text(json.dumps(curve))
    (SEEDS / "names.json").write_text(json.dumps(["cat", "dog"]))
    with tempfile.TemporaryDirectory() as folder:
        tiny = draw_tiny_imagenet(Path(folder, "tiny"), classes=2, images=2)  # as readers.py does
        shutil.copy(tiny / "val" / "val_annotations.txt", SEEDS / "annotations.txt")
        shutil.copy(tiny / "wnids.txt", SEEDS)
    batch = {b"data": np.zeros((2, 3072), np.uint8), b"labels": [3, 7], b"filenames": [b"a", b"b"]}
    (SEEDS / "cifar.pickle").write_bytes(pickle.dumps(batch, protocol=4))
    file = io.BytesIO()
    np.save(file, np.full((4, 4, 3), 100, np.float32))
    (SEEDS / "mean.npy").write_bytes(file.getvalue())


def write_models():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: PLC0415
    from sklearn.datasets import make_blobs  # noqa: PLC0415

    from pyimagesearch.training.classifier import (  # noqa: PLC0415
        save_classifier,
        train_classifier,
    )

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="d")], name="net")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.train_on_batch(np.zeros((1, 4)), np.zeros((1, 2)))
    model.save(SEEDS / "net.keras")
    model.save(SEEDS / "net.h5")
    x, y = make_blobs(30, 3, centers=2, random_state=1)
    search = train_classifier(x, y, ["cat", "dog"], [1.0], jobs=1)
    save_classifier(SEEDS / "regression.skops", search.best_estimator_, ["cat", "dog"])


def write_caffe():
    """Those kinds of Caffe's files that are not among its fixtures, see mutants.py."""
    import lmdb  # noqa: PLC0415

    from pyimagesearch.caffe._wire import Datum, blob_bytes, datum_bytes  # noqa: PLC0415

    encoded = cv2.imencode(".jpg", picture())[1].tobytes()
    datums = {
        "raw": Datum(3, 12, 16, picture().transpose(2, 0, 1).tobytes(), 1),
        "encoded": Datum(data=encoded, label=1, encoded=True),
        "floats": Datum(5, 2, 3, float_data=RNG.normal(size=30), label=1),
    }
    for name, datum in datums.items():
        (CAFFE_SEEDS / f"{name}.datum").write_bytes(datum_bytes(datum))
    with (
        tempfile.TemporaryDirectory() as folder,
        lmdb.open(folder) as env,
        env.begin(write=True) as txn,
    ):
        for number in range(120):  # on several leaves below a branch; one is too long for a leaf
            size = 60 if number == 70 else 6
            image = Datum(3, size, 6, bytes(range(18)) * size, number % 3)
            txn.put(f"{number:08d}_{number}.jpg".encode(), datum_bytes(image))
        txn.commit()
        shutil.copy(Path(folder, "data.mdb"), CAFFE_SEEDS / "tree.mdb")
    blobs = [blob_bytes(RNG.normal(size=(1, 1, 2, 3)), legacy=True), blob_bytes(np.zeros(2))]
    # a NetParameter of a V1 layer: its name 4, type 5 (InnerProduct) and blobs 6
    layer = b"\x22\x03fc1\x28\x0e" + b"".join(b"\x32" + bytes([len(b)]) + b for b in blobs)
    (CAFFE_SEEDS / "old.caffemodel").write_bytes(b"\x0a\x03net\x12" + bytes([len(layer)]) + layer)
    (CAFFE_SEEDS / "images.imagelist").write_text("cats/a 1.jpg 0\ndogs/b.jpg 1\n" * 5)


if __name__ == "__main__":
    SEEDS.mkdir(exist_ok=True)
    CAFFE_SEEDS.mkdir(exist_ok=True)
    write_caffe()
    write_images()
    write_hdf5()
    write_texts()
    write_models()
