"""Extract features: reading and preprocessing alone, and with the network.

    python benchmarks/features.py
    python benchmarks/features.py --backbone mobilenet_imagenet_body.keras --photos FOLDER

The bare limit of reading is decoding and resizing on every core into one float batch; that of
extraction is the network on a ready batch.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

from concurrent.futures import ThreadPoolExecutor

import cv2
import h5py
import harness
import numpy as np
from build import load_paths
from build import prepare as prepare_photographs

from pyimagesearch.utils.images import read_image
from pyimagesearch.utils.parallel import usable_cores

BATCH, SIDE = 32, 224


def add_options(ap):
    ap.add_argument("--backbone", default="mobilenet", help="a Keras application or .keras file")


def prepare(folder, args):
    return prepare_photographs(folder, {**args, "images": harness.size(args, 256, 10)})


def network(args):
    from pyimagesearch.training.backbone import load_backbone

    return load_backbone(args["backbone"], "none", pooling="avg", size=SIDE)


def no_network(args):
    """Return a backbone that costs next to nothing: the mean of each channel."""
    import keras

    from pyimagesearch.training.backbone import Backbone

    inputs = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    return Backbone(model, SIDE, SIDE, keras.applications.mobilenet.preprocess_input)


def ours(load):
    def setup(folder, args):
        from pyimagesearch.training.features import extract_features

        paths, backbone = load_paths(folder), load(args)
        labels = [0] * len(paths)

        def run(passes):
            for _ in range(passes):
                extract_features(
                    paths,
                    labels,
                    backbone,
                    folder / "ours.hdf5",
                    classLabels=["any"],
                    batchSize=BATCH,
                    overwrite=True,
                )
            return passes * len(paths)

        return run

    return setup


def book(load):
    """Keras' own way of reading, image after image, then `model.predict`."""

    def setup(folder, args):
        from keras.utils import img_to_array, load_img

        paths, backbone = load_paths(folder), load(args)

        def read(path):
            image = img_to_array(load_img(path, target_size=(SIDE, SIDE)))
            return backbone.preprocess(np.expand_dims(image, axis=0))

        def run(passes):
            for _ in range(passes):
                with h5py.File(folder / "2017.hdf5", "w") as db:
                    rows = db.create_dataset("features", (len(paths), backbone.features), "float")
                    for start in range(0, len(paths), BATCH):
                        images = np.vstack([read(path) for path in paths[start : start + BATCH]])
                        features = backbone.model.predict(images, BATCH, verbose=0)
                        rows[start : start + BATCH] = features.reshape(len(images), -1)
            return passes * len(paths)

        return run

    return setup


def tf_data(load):
    def setup(folder, args):
        import tensorflow as tf

        paths, backbone = load_paths(folder), load(args)

        def read(path):
            image = tf.io.decode_jpeg(tf.io.read_file(path), 3)
            return backbone.preprocess(tf.image.resize(image, (SIDE, SIDE)))

        def run(passes):
            for _ in range(passes):
                data = tf.data.Dataset.from_tensor_slices(paths).map(read, tf.data.AUTOTUNE)
                data = data.batch(BATCH).prefetch(tf.data.AUTOTUNE)
                features = backbone.model.predict(data, verbose=0).reshape(len(paths), -1)
                with h5py.File(folder / "tf.hdf5", "w") as db:
                    db["features"] = features
            return passes * len(paths)

        return run

    return setup


def bare_reading(folder, args):
    paths = load_paths(folder)
    cv2.setNumThreads(1)
    batch = np.empty((BATCH, SIDE, SIDE, 3), np.float32)

    def work(place):
        number, path = place
        image = cv2.resize(read_image(path), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        batch[number % BATCH] = image
        return 1

    def run(passes):
        with ThreadPoolExecutor(usable_cores()) as pool:
            return sum(pool.map(work, enumerate(paths * passes)))

    return run


def bare_network(folder, args):
    count, backbone = len(load_paths(folder)), network(args)
    batch = np.zeros((BATCH, backbone.height, backbone.width, 3), np.float32)

    def run(passes):
        for _ in range(passes):
            for start in range(0, count, BATCH):
                backbone.model.predict_on_batch(batch[: count - start])
        return passes * count

    return run


def ways(load, bare):
    return {"2017": book(load), "tf.data": tf_data(load), "ours": ours(load), "bare limit": bare}


ROWS = [
    harness.Row(__file__, "features, reading alone", ways(no_network, bare_reading), prepare),
    harness.Row(__file__, "features, with the network", ways(network, bare_network), prepare),
]

if __name__ == "__main__":
    harness.main(ROWS, __doc__, add_options)
