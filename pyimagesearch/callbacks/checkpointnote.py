"""What a checkpoint says about its training: a note inside the `.keras` or HDF5 file."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np

from pyimagesearch.utils.files import raise_of_machine
from pyimagesearch.utils.hdf5safety import open_hdf5

LEGACY = (".h5", ".hdf5")
EPOCH = "pyimagesearch/epoch.txt"  # all that the first checkpoints had
NOTE = "pyimagesearch/note.json"
ARRAYS = "pyimagesearch/arrays.npz"


def write_note(file, note, arrays=()):
    """Add a note to a model file that Keras has written, which leaves alone what it does not know.

    Args:
        file: path of a `.keras` file, or a writable h5py.File, without a note so far.
        note: dict for JSON; "epoch" is the number of epochs behind the model.
        arrays: list of arrays that `read_arrays` returns.
    """
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    if isinstance(file, h5py.File):
        file.attrs[NOTE] = json.dumps(note)
        file[ARRAYS] = np.frombuffer(packed.getbuffer(), "uint8")
        return
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(EPOCH, str(note["epoch"]))
        archive.writestr(NOTE, json.dumps(note))
        archive.writestr(ARRAYS, packed.getbuffer())


def read_note(path):
    """Return the note in a model file: a dict, empty if there is none.

    Raises:
        ValueError: if the file is damaged.
        OSError: if the machine cannot read it now.
    """
    try:
        if Path(path).suffix in LEGACY:
            with open_hdf5(path) as file:
                note = json.loads(file.attrs.get(NOTE, "{}"))
        else:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                if "config.json" not in names:  # a cut archive may look like the one within it
                    raise ValueError("it has no config.json")
                if NOTE in names:
                    note = json.loads(_entry(path, archive, NOTE))
                else:
                    note = {"epoch": int(archive.read(EPOCH))} if EPOCH in names else {}
        if not isinstance(note, dict) or (note and not isinstance(note["epoch"], int)):
            raise ValueError("its note names no epoch")
        if not isinstance(note.get("written", 0), int):
            raise ValueError("its note does not tell when it was written")
    except Exception as error:  # which one depends on the damage
        raise_of_machine(error, path)
        raise ValueError(f"{path} is damaged or no Keras model: {error}") from error
    return note


def read_arrays(path):
    """Return the list of arrays beside the note of a model file.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        if Path(path).suffix in LEGACY:
            with open_hdf5(path) as file:
                packed = file[ARRAYS][:].tobytes()
        else:
            with zipfile.ZipFile(path) as archive:
                packed = _entry(path, archive, ARRAYS)
        with np.load(io.BytesIO(packed)) as arrays:
            return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    except Exception as error:
        raise_of_machine(error, path)
        raise ValueError(f"{path} is damaged or no checkpoint: {error}") from error


def _entry(path, archive, name):
    """Read an entry that `write_note` stored as it is: never longer than the file itself."""
    if archive.getinfo(name).file_size > Path(path).stat().st_size:
        raise ValueError(f"its entry {name} is longer than the file")
    return archive.read(name)
