"""Lists of files, as imutils.paths gives them; sorted, so that every run sees the same order."""

import os

image_types = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def list_images(basePath, contains=None):
    """Yield the path of every image in a folder and the folders in it, as text."""
    return list_files(basePath, validExts=image_types, contains=contains)


def list_files(basePath, validExts=None, contains=None):
    """Yield the path of every file with one of the suffixes, whose name contains a text."""
    for folder, folders, files in os.walk(basePath):
        folders.sort()
        for name in sorted(files):
            suffix = name[name.rfind(".") :].lower()
            if (contains is None or contains in name) and (
                validExts is None or suffix.endswith(validExts)
            ):
                yield os.path.join(folder, name)  # noqa: PTH118  text, as scripts split it
