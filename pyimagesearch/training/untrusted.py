"""A model file may come from anybody: no small file may take up a large memory."""

import random
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras

EXPANSION = 20  # times its size may a `.keras` file grow; Keras itself does not compress
SLACK = 16_000_000  # bytes that a small one may have all the same


def check_archive(path):
    """Raise a ValueError if the entries of a `.keras` file are far longer than the file."""
    with zipfile.ZipFile(path) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    size = Path(path).stat().st_size
    if total > SLACK + EXPANSION * size:
        raise ValueError(f"its {size:,} bytes would be {total:,} when unpacked")


def rehearse(path):
    """Load a model without memory for its weights, so that a wrong size is found before it counts.

    The architecture in a file may have any number of units: Keras reserves the memory first, and
    compares with the weights in the file then.

    Raises:
        Whatever Keras raises when it loads the file.
    """

    def load():
        with keras.StatelessScope(initialize_variables=False):
            keras.models.load_model(path, compile=False)

    before = random.getstate()  # layers draw seeds from it: a script's results must not change
    try:
        # the unfinished variables stay on a list of this thread, and go with it
        with ThreadPoolExecutor(1) as thread:
            thread.submit(load).result()
    finally:
        random.setstate(before)
