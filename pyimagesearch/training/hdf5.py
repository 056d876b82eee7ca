"""What training and evaluation scripts ask of an HDF5 data set and the files beside it."""

import json
import math
from pathlib import Path

from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.utils.hdf5safety import read_names

MOST_CLASSES = 1_000_000


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
        means = {channel: float(means[channel]) for channel in "RGB"}
        if not all(map(math.isfinite, means.values())):
            raise ValueError("NaN or infinite")
        return means
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
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
            return len(read_names(gen.db))
        highest = int(gen.db["labels"][:].max())  # a file of 2017
    if not 0 <= highest < MOST_CLASSES:
        raise ValueError(f"The highest label of {dbPath} is {highest}: that is no class's number.")
    return highest + 1
