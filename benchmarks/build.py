"""Build: 1,000 JPEGs of about 430x375 -> 256x256 uint8 rows of a file, with channel means.

    python benchmarks/build.py --photos datasets/kaggle_dogs_vs_cats/train

The bare limit decodes and resizes on every core, with our functions, and does nothing else.
"""

# ruff: noqa: PLC0415  (each way imports no more than it needs: its peak memory is measured)

import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import h5py
import harness
import numpy as np
from common import STORED, jpegs

from pyimagesearch.io.imagedatasetbuilder import build_image_dataset
from pyimagesearch.preprocessing import AspectAwarePreprocessor
from pyimagesearch.utils.images import read_image
from pyimagesearch.utils.parallel import usable_cores


def prepare(folder, args):
    paths = jpegs(folder, args, harness.size(args, 1000, 20))
    (folder / "paths.json").write_text(json.dumps(paths))


def load_paths(folder):
    return json.loads((folder / "paths.json").read_text())


def ours(folder, args, workers=None):
    paths = load_paths(folder)
    labels = [i % 2 for i in range(len(paths))]
    aap = AspectAwarePreprocessor(STORED, STORED)

    def run(passes):
        for _ in range(passes):
            built = build_image_dataset(
                paths, labels, folder / "ours.hdf5", [aap], overwrite=True, workers=workers
            )
            assert built.rows == len(paths)
        return passes * len(paths)

    return run


def book(folder, args):
    """One image after the other, a buffer of 1,000, float64 rows."""
    paths = load_paths(folder)

    def resize(image):
        h, w = image.shape[:2]
        if w < h:
            image = cv2.resize(image, (STORED, h * STORED // w), interpolation=cv2.INTER_AREA)
        else:
            image = cv2.resize(image, (w * STORED // h, STORED), interpolation=cv2.INTER_AREA)
        top, left = (image.shape[0] - STORED) // 2, (image.shape[1] - STORED) // 2
        image = image[top : image.shape[0] - top, left : image.shape[1] - left]
        return cv2.resize(image, (STORED, STORED), interpolation=cv2.INTER_AREA)

    def build():
        means, buffer, labels, written = [], [], [], 0
        with h5py.File(folder / "2017.hdf5", "w") as db:
            rows = db.create_dataset("images", (len(paths), STORED, STORED, 3), dtype="float")
            db.create_dataset("labels", (len(paths),), dtype="int")
            for i, path in enumerate(paths):
                image = resize(cv2.imread(path))
                means.append(cv2.mean(image)[:3])
                buffer.append(image)
                labels.append(i % 2)
                if len(buffer) == 1000 or i == len(paths) - 1:
                    rows[written : i + 1] = buffer
                    db["labels"][written : i + 1] = labels
                    written, buffer, labels = i + 1, [], []
        return np.mean(means, axis=0)

    def run(passes):
        for _ in range(passes):
            build()
        return passes * len(paths)

    return run


def tf_data(folder, args):
    import tensorflow as tf

    paths = load_paths(folder)

    def read(path, label):
        image = tf.io.decode_jpeg(tf.io.read_file(path), 3)
        shape = tf.shape(image)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        image = image[top : top + side, left : left + side]
        image = tf.cast(tf.round(tf.image.resize(image, (STORED, STORED))), tf.uint8)
        sums = tf.reduce_sum(tf.cast(image, tf.int32), (0, 1))
        return tf.strings.join([tf.io.serialize_tensor(image), tf.as_string(label)]), sums

    def run(passes):
        for _ in range(passes):
            total, count = np.zeros(3), 0
            data = tf.data.Dataset.from_tensor_slices((paths, np.arange(len(paths)) % 2))
            data = data.map(read, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
            with tf.io.TFRecordWriter(str(folder / "images.tfrecord")) as writer:
                for record, sums in data.as_numpy_iterator():
                    writer.write(record)
                    total += sums
                    count += 1
            assert count == len(paths)
            assert (total / count).min() > 0
        return passes * len(paths)

    return run


def bare(folder, args):
    paths = load_paths(folder)
    cv2.setNumThreads(1)
    aap = AspectAwarePreprocessor(STORED, STORED)

    def work(path):
        return aap.preprocess(read_image(path)).shape[0] == STORED

    def run(passes):
        with ThreadPoolExecutor(usable_cores()) as pool:
            return sum(pool.map(work, paths * passes))

    return run


WAYS = {"2017": book, "tf.data to TFRecord": tf_data, "ours": ours, "bare limit": bare}
ROWS = [harness.Row(__file__, "build", WAYS, prepare)]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
