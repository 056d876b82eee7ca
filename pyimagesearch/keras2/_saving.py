"""Model files as in 2017: HDF5 under any name, written whole or not at all, and read again."""

import contextlib
import functools
import json
import sys
import tempfile
from pathlib import Path

import h5py
import keras
from keras.src.legacy.saving import legacy_h5_format, saving_options, saving_utils

from pyimagesearch.callbacks.legacyformat import save_legacy, writing_hdf5
from pyimagesearch.keras2 import _hooks, _optimizers, names
from pyimagesearch.keras2._frames import called_by_user
from pyimagesearch.keras2._own_files import is_own, remember
from pyimagesearch.keras2.explain import note
from pyimagesearch.training.keras2 import modern_architecture
from pyimagesearch.training.legacy import read_legacy
from pyimagesearch.utils.files import replacing

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_ROWS = {(row.owner, row.old): row for row in names.SUFFIXES}


def install():
    """Patch saving and loading, of whole models and of weights."""
    save, load = keras.Model.save, keras.models.load_model
    keras.Model.save = _save(save)
    keras.Model.save_weights = _save_weights(keras.Model.save_weights)
    keras.Model.load_weights = _load_weights(keras.Model.load_weights)
    loader = _load(load)

    def save_model(model, filepath, overwrite=True, include_optimizer=True, **kwargs):
        model.save(filepath, overwrite, include_optimizer, **kwargs)

    for module in (keras.models, keras.saving):
        module.load_model = loader
        module.save_model = functools.wraps(keras.saving.save_model)(save_model)
    keras.models.model_from_json = _from_json(keras.models.model_from_json)


@contextlib.contextmanager
def _rates_as_schedules():
    before = _optimizers.as_schedule
    _optimizers.as_schedule = True
    try:
        yield
    finally:
        _optimizers.as_schedule = before


def _save(original):
    @functools.wraps(original)
    def save(self, filepath, overwrite=True, include_optimizer=True, **kwargs):
        if not isinstance(filepath, (str, Path)):  # an open h5py.File
            with _rates_as_schedules():
                save_legacy(self, filepath, include_optimizer=include_optimizer)
            return
        path = Path(filepath)
        kwargs.pop("save_format", None)
        with _rates_as_schedules():
            if path.suffix == ".keras":
                original(self, filepath, overwrite, **kwargs)
                remember(path)
                return
            _note_suffix("keras.Model.save", path)
            if not overwrite and path.exists():
                raise FileExistsError(f"{path} exists, and save was called with overwrite=False.")
            with replacing(path) as temporary, writing_hdf5(temporary) as file:
                save_legacy(self, file, include_optimizer=include_optimizer)
            remember(path)

    return save


def _note_suffix(owner, path):
    row = _ROWS.get((owner, path.suffix))
    if row is not None and called_by_user(3):  # not by ModelCheckpoint, which was given the name
        note(row)


def _save_weights(original):
    @functools.wraps(original)
    def save_weights(self, filepath, overwrite=True, **kwargs):
        path = Path(filepath)
        if path.name.endswith(".weights.h5"):
            return original(self, filepath, overwrite, **kwargs)
        _note_suffix("keras.Model.save_weights", path)
        if not overwrite and path.exists():
            raise FileExistsError(f"{path} exists, and overwrite=False.")
        with replacing(path) as temporary, writing_hdf5(temporary) as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, self)
        return None

    return save_weights


def _load_weights(original):
    @functools.wraps(original)
    def load_weights(self, filepath, by_name=False, skip_mismatch=False, **kwargs):
        if not _is(filepath, _HDF5) or str(filepath).endswith(".weights.h5"):
            more = {"by_name": True} if by_name else {}
            return original(self, filepath, skip_mismatch=skip_mismatch, **more, **kwargs)
        with h5py.File(filepath, "r") as file:
            group = file.get("model_weights", file)
            if "layer_names" not in group.attrs:
                raise ValueError(f"{filepath} holds no weights of a Keras model.")
            if by_name:
                legacy_h5_format.load_weights_from_hdf5_group_by_name(group, self, skip_mismatch)
            else:
                legacy_h5_format.load_weights_from_hdf5_group(group, self, skip_mismatch)
        return None

    return load_weights


def _is(path, signature):
    try:
        with open(path, "rb") as file:  # noqa: PTH123  str and Path alike
            return file.read(len(signature)) == signature
    except OSError:
        return False


def _called_to_read_legacy():
    """Return whether it is `read_legacy`, or what it calls, that loads a model."""
    caller = Path(sys._getframe(2).f_code.co_filename)
    return caller.parent == Path(read_legacy.__code__.co_filename).parent


def _load(original):
    @functools.wraps(original)
    def load_model(filepath, custom_objects=None, compile=True, **kwargs):
        if _called_to_read_legacy() and _is(filepath, _HDF5):  # for the network alone
            safe = kwargs.get("safe_mode", True)
            return legacy_h5_format.load_model_from_hdf5(filepath, compile=False, safe_mode=safe)
        if isinstance(filepath, (str, Path)) and not Path(filepath).exists():
            raise OSError(f"There is no model at {filepath}.")
        # the script's own classes and functions: naming them is to trust them
        keras.saving.get_custom_objects().update(custom_objects or {})
        with _rates_as_schedules():
            if not isinstance(filepath, (str, Path)):
                return original(filepath, custom_objects, compile, **kwargs)
            if _hooks.UNSAFE or is_own(filepath):
                kwargs["safe_mode"] = False
            if _is(filepath, _HDF5):
                unsafe = not kwargs.get("safe_mode", True)
                return read_legacy(filepath, compile=compile, unsafe=unsafe)
            if Path(filepath).suffix != ".keras" and _is(filepath, _ZIP):
                with tempfile.TemporaryDirectory() as folder:
                    link = Path(folder) / "model.keras"
                    link.symlink_to(Path(filepath).resolve())
                    return original(str(link), custom_objects, compile, **kwargs)
            return original(filepath, custom_objects, compile, **kwargs)

    return load_model


def _from_json(original):
    """Read what `to_json` of Keras 2 wrote, too."""

    @functools.wraps(original)
    def model_from_json(json_string, custom_objects=None):
        config = json.loads(json_string)
        if "module" in config:  # it is of Keras 3
            return original(json_string, custom_objects)
        with saving_options.keras_option_scope(use_legacy_config=True):
            return saving_utils.model_from_config(modern_architecture(config), custom_objects)

    return model_from_json
