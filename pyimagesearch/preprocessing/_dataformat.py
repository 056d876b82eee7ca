"""The channel order that Keras is set to, found out without loading Keras."""

import os
import sys
from pathlib import Path

from pyimagesearch.preprocessing._checks import check_choice


def resolve_data_format(name, value):
    """Return "channels_last" or "channels_first"; the Keras setting if `value` is None.

    Where Keras is loaded it is asked. Else its configuration file is read, as Keras would do
    when it starts.
    """
    if value is None:
        keras = sys.modules.get("keras")
        value = keras.config.image_data_format() if keras else _configured_data_format()
        name = "image_data_format in Keras' configuration"
    check_choice(name, value, ("channels_last", "channels_first"))
    return value


def _configured_data_format():
    import json  # noqa: PLC0415 (the import of the room need not wait for it)

    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    try:
        config = json.loads((folder / "keras.json").read_text())
    except (OSError, ValueError):  # Keras, too, falls back to its defaults then
        return "channels_last"
    return config.get("image_data_format", "channels_last")
