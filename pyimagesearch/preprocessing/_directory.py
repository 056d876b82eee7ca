"""The batches of ImageDataGenerator.flow_from_directory: one folder of pictures per class."""

import os
import warnings
from pathlib import Path

import numpy as np

from pyimagesearch.preprocessing._checks import check_choice, positive_integer
from pyimagesearch.preprocessing._flow import Iterator, subset_limits
from pyimagesearch.utils.images import MAX_PIXELS
from pyimagesearch.utils.links import leaves

EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"}
FORMATS = ("PNG", "JPEG", "BMP", "PPM", "TIFF")  # what is read, whatever the name says
COLOR_MODES = {"rgb": ("RGB", 3), "rgba": ("RGBA", 4), "grayscale": ("L", 1)}
CLASS_MODES = ("categorical", "binary", "sparse", "input", None)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")


class DirectoryIterator(Iterator):
    """Augmented batches of picture files; see ImageDataGenerator.flow_from_directory.

    Attributes:
        class_indices: dict from folder name to class number.
        classes: (samples,) int32, the class number of each file.
        filenames, filepaths: of each file, relative to `directory` and complete.
        samples, num_classes: how many there are.
        image_shape: shape of one image in a batch.
    """

    def __init__(
        self,
        directory,
        generator,
        *,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        **options,
    ):
        check_choice("color_mode", color_mode, COLOR_MODES)
        check_choice("class_mode", class_mode, CLASS_MODES)
        check_choice("interpolation", interpolation, INTERPOLATIONS)
        height, width = (positive_integer("target_size", side) for side in target_size)
        self.directory = directory
        self.target_size = (height, width)
        self.color_mode = color_mode
        self.class_mode = class_mode
        self.subset = subset
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio
        channels = COLOR_MODES[color_mode][1]
        self.image_shape = (
            (height, width, channels)
            if generator.data_format == "channels_last"
            else (channels, height, width)
        )
        names = _class_folders(Path(directory), classes, follow_links)
        self.num_classes = len(names)
        self.class_indices = {name: index for index, name in enumerate(names)}
        if class_mode == "binary" and len(names) != 2:
            raise ValueError(
                f"class_mode='binary' needs two class folders. Received: {len(names)} in "
                f"{directory}. Use 'sparse' or 'categorical'."
            )
        self.filenames, numbers = [], []
        for name, index in self.class_indices.items():
            files = _pictures(directory, name, follow_links)
            first, last = subset_limits(len(files), subset, generator.validation_split)
            self.filenames += [os.path.join(name, file) for file in files[first:last]]  # noqa: PTH118
            numbers += [index] * (last - first)
        self.samples = len(self.filenames)
        if not self.samples:
            raise ValueError(
                f"No pictures in the class folders of {directory}"
                f"{f' for the subset {subset!r}' if subset else ''}. "
                f"Looked for {', '.join(sorted(EXTENSIONS))}."
            )
        self.classes = np.array(numbers, np.int32)
        self.filepaths = [str(Path(directory, name)) for name in self.filenames]
        super().__init__(self.samples, generator, **options)

    @property
    def labels(self):
        return self.classes

    def _image(self, row):
        image = _load(
            self.filepaths[row],
            COLOR_MODES[self.color_mode][0],
            self.target_size,
            self.interpolation,
            self.keep_aspect_ratio,
        )
        return image if self.image_shape == image.shape else image.transpose(2, 0, 1)

    def _with_labels(self, images, rows):
        classes = self.classes[rows]
        if self.class_mode is None:
            return images
        if self.class_mode == "input":
            return images, images.copy()
        if self.class_mode == "categorical":
            return images, np.eye(self.num_classes, dtype=images.dtype)[classes]
        return images, classes.astype(images.dtype)


def _class_folders(directory, classes, follow_links):
    """Return the class names: those given, or the sub-folders in alphabetical order."""
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {directory}.")
    folders = [path for path in directory.iterdir() if path.is_dir()]
    found = sorted(path.name for path in _followed(folders, directory, follow_links))
    if classes is None:
        if not found:
            raise ValueError(
                f"{directory} has no class folders. Expected {directory}/<class>/<picture>."
            )
        return found
    missing = [name for name in classes if name not in found]
    if missing or not classes:
        raise ValueError(
            f"classes must name folders in {directory}. Received: {classes!r}, without a folder: "
            f"{missing}."
        )
    return list(classes)


def _pictures(directory, name, follow_links):
    """Return the picture files under a class folder, relative to it, sorted."""
    folder = Path(directory, name)
    files = [
        Path(root, file)
        for root, _, files in sorted(os.walk(folder, followlinks=follow_links))
        for file in sorted(files)
        if Path(file).suffix.lower() in EXTENSIONS
    ]
    return [str(file.relative_to(folder)) for file in _followed(files, directory, follow_links)]


def _followed(paths, directory, follow_links):
    """Return the paths without links out of the directory, which a warning counts."""
    root = Path(directory).resolve()
    links = [] if follow_links else [path for path in paths if leaves(path, root)]
    if links:
        warnings.warn(
            f"In {directory} {len(links)} links that leave the folder were not followed, such as "
            f"{min(links)}. Copy the files, or pass follow_links=True.",
            stacklevel=5,
        )
    return [path for path in paths if path not in set(links)] if links else paths


def _load(path, mode, size, interpolation, keep_aspect_ratio):
    """Return a picture, turned upright, as an (H, W, C) uint8 array."""
    from PIL import Image, ImageOps  # noqa: PLC0415 (importing the room must stay cheap)

    height, width = size
    method = Image.Resampling[interpolation.upper()]
    try:
        with Image.open(path, formats=FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise OSError(f"it has {file.width}x{file.height} pixels, which is too large")
            image = ImageOps.exif_transpose(file)
    except FileNotFoundError:
        raise
    except Exception as error:  # which one depends on the damage
        raise OSError(f"Cannot read the picture {path}: {error}") from error
    if image.mode.startswith("I;16"):  # convert would clip 16 bits instead of scaling them
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert(mode)
    if keep_aspect_ratio:
        image = ImageOps.fit(image, (width, height), method)
    elif image.size != (width, height):
        image = image.resize((width, height), method)
    return np.asarray(image).reshape(height, width, -1)
