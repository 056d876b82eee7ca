"""What training and evaluation scripts ask of an HDF5 data set and the files beside it."""

import json
from pathlib import Path

import numpy as np

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.training.prediction import predict_batches


def read_means(path):
    """Return the channel means that a build script wrote: {"R": ..., "G": ..., "B": ...}.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. The chapter's build script writes it.")
    try:
        means = json.loads(path.read_text(encoding="utf-8"))
        return {channel: float(means[channel]) for channel in "RGB"}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f'{path} must hold the channel means as {{"R": 0.0, "G": 0.0, "B": 0.0}}. '
            "Build the data set again."
        ) from error


def count_classes(dbPath):
    """Return the number of classes of an HDF5 data set: of its names, or else of its labels.

    Raises:
        FileNotFoundError, OSError, ValueError: as HDF5DatasetGenerator.
    """
    with HDF5DatasetGenerator(dbPath, 1, binarize=False) as gen:
        if "label_names" in gen.db:
            return len(gen.db["label_names"])
        return int(gen.db["labels"][:].max()) + 1  # a file of 2017


def predict_generator(model, generator, *, progress=None):
    """Predict one pass of an HDF5DatasetGenerator: every image exactly once.

    Args:
        model: keras.Model with one input and one output.
        generator: HDF5DatasetGenerator with `binarize=False`.
        progress: called with the number of images read so far.
    Returns:
        (predictions, labels): (n, classes) and (n,) arrays, row for row.
    """
    labels = []

    def images():
        done = 0
        for batch, batch_labels in generator.generator(passes=1):
            labels.append(batch_labels)
            yield batch
            done += len(batch)
            if progress is not None:
                progress(done)

    predictions = predict_batches(model, images(), generator.batchSize)
    return predictions, np.concatenate(labels)
