"""What training and evaluation scripts ask of an HDF5 data set and the files beside it."""

import json
from pathlib import Path

from pyimagesearch.io import HDF5DatasetGenerator


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
