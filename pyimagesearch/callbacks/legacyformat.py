"""Save models in the HDF5 format of 2017, which Keras calls legacy, without harm to them."""

import contextlib
import io
from pathlib import Path

import h5py


def save_legacy(model, file, *, include_optimizer=True):
    """Save a model to an open h5py.File; its classes may be anybody's.

    Keras 3.15 takes the optimizer out of the compile settings of the model that it saves, so that
    a later save as `.keras` would come back with another. Here the settings stay as they were.
    """
    # `model.save` takes no open file. Imported here: it is no public name, and may move
    from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5  # noqa: PLC0415

    settings = getattr(model, "_compile_config", None)
    before = dict(settings.config) if settings is not None else None
    try:
        save_model_to_hdf5(model, file, True, include_optimizer)
    finally:
        if settings is not None:
            settings.config = before


@contextlib.contextmanager
def writing_hdf5(path):
    """Give an empty h5py.File in memory, and write it to `path` when it is complete.

    On a full disk HDF5 can neither write nor close a file, and may take the process with it.
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        yield file
    Path(path).write_bytes(content.getbuffer())
