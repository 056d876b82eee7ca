"""How many images per second a data set can deliver, step by step."""

import time

from pyimagesearch.io.hdf5datasetgenerator import HDF5DatasetGenerator
from pyimagesearch.preprocessing import (
    ImageDataGenerator,
    ImageToArrayPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
)

AUGMENTATION = {
    "rotation_range": 20,
    "zoom_range": 0.15,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 8.6,
    "horizontal_flip": True,
}
CROP = 227 / 256  # AlexNet's part of the stored image


def measure_feed(dbPath, *, batchSize=128, workers=None, aug=False, dataKey="images", seconds=2.0):
    """Yield (what is done, images per second) of ever more of a training feed's steps.

    Reading alone first, shuffled; for images (H, W, C) then random crops of 227/256 of their size
    as float32, for colour minus a mean; last, with `aug`, the augmentation of AlexNet's chapter.
    Reading is as quick as the disk the first time, and as memory when the system kept the file.

    Args:
        dbPath: an HDF5 file of HDF5DatasetWriter.
        batchSize, workers, dataKey: as HDF5DatasetGenerator takes them.
        seconds: how long each step is measured; two batches at least.
    Raises:
        FileNotFoundError, OSError, ValueError: as HDF5DatasetGenerator.
    """
    options = {"binarize": False, "shuffle": True, "seed": 0, "dataKey": dataKey}
    for name, preprocessors, augmenter in _stages(dbPath, dataKey, aug):
        with HDF5DatasetGenerator(
            dbPath, batchSize, preprocessors, augmenter, workers=workers, **options
        ) as gen:
            yield name, _rate(gen, seconds)


def _stages(path, key, aug):
    """Yield (name, preprocessors, augmenter) of each step."""
    yield "reading", None, None
    with HDF5DatasetGenerator(path, 1, binarize=False, dataKey=key, workers=0) as gen:
        row = next(gen.generator())[0][0]
    if row.ndim != 3:
        return
    size = [max(1, round(side * CROP)) for side in row.shape[:2]]
    steps = [PatchPreprocessor(size[1], size[0])]
    if row.shape[2] == 3:
        steps.append(MeanPreprocessor(124, 115, 105))
    steps.append(ImageToArrayPreprocessor("channels_last"))
    yield f"and {size[1]}x{size[0]} crops, minus means, as float32", steps, None
    if aug:
        yield (
            "and augmentation",
            steps,
            ImageDataGenerator(**AUGMENTATION, data_format="channels_last"),
        )


def _rate(gen, seconds):
    """Return images per second, without the first batch: it waits for all that starts up."""
    batches, count = gen.generator(), 0
    next(batches)
    start = time.perf_counter()
    while True:
        count += len(next(batches)[1])
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return count / elapsed
