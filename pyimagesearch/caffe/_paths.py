"""Where the files lie that a prototxt names."""

from pathlib import Path

PARENTS = 3  # of the prototxt's folder; Caffe's examples are run from two or three folders above


def resolve(path, beside):
    """Return the Path of a file or folder that the prototxt `beside` names.

    Caffe takes it relative to the current folder. Where there is none, it is looked for in the
    folder of the prototxt, and in that folder's parents up to the third.

    Raises:
        FileNotFoundError: naming all places looked in.
    """
    path = Path(path)
    folder = Path(beside).absolute().parent
    folders = [Path(), folder, *list(folder.parents)[:PARENTS]]
    places = list(dict.fromkeys(place / path for place in folders))
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(
        f"There is no {path}, neither in the current folder nor beside {beside} or above it. "
        f"Looked for: {', '.join(str(place) for place in places)}."
    )
