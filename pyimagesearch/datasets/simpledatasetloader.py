"""Load a list of image files into memory."""

import warnings
from os import PathLike

import numpy as np

from pyimagesearch.datasets.listing import label_from_folder
from pyimagesearch.utils.images import MAX_PIXELS, ImageError, read_image


class SimpleDatasetLoader:
    """Read images, preprocess them, and stack them into one array.

    Args:
        preprocessors: list of objects with a `preprocess(image)` method, applied in order.
        maxPixels: largest width * height of an image, see `utils.images.read_image`.

    Attributes:
        skipped: (path, reason) of each file that the last `load` could not read.

    Example:
        loader = SimpleDatasetLoader(preprocessors=[SimplePreprocessor(32, 32)])
        data, labels = loader.load(list_images("datasets/animals"), verbose=500)
    """

    def __init__(self, preprocessors=None, *, maxPixels=MAX_PIXELS):
        self.preprocessors = [] if preprocessors is None else preprocessors
        self.maxPixels = maxPixels
        self.skipped = []

    def load(self, imagePaths, verbose=-1, *, strict=False):
        """Return the images and the names of the folders they lie in.

        A file that cannot be read is left out of both arrays; one warning at the end counts them.

        Args:
            imagePaths: paths of image files, laid out as `<label>/<name>.<ext>`.
            verbose: print progress every that many images; not at all if it is below 1.
            strict: stop at the first unreadable file instead.
        Returns:
            data: (N, ...) array of the preprocessed images; (N, H, W, 3) uint8 BGR without
                preprocessors.
            labels: (N,) array of str.
        Raises:
            ValueError: if there is nothing to load or the images differ in shape.
            ImageError, OSError: for an unreadable file, if `strict`.
        """
        if isinstance(imagePaths, str | PathLike):
            raise TypeError(
                f"load takes a list of image paths. Received: the single path {imagePaths}. "
                "list_images(folder) makes such a list."
            )
        paths = list(imagePaths)
        if not paths:
            raise ValueError("No images to load: the list of paths is empty.")
        self.skipped = []
        data, labels = None, []
        for number, path in enumerate(paths, start=1):
            try:
                image = read_image(path, maxPixels=self.maxPixels)
            except (ImageError, OSError) as error:
                if strict:
                    raise
                self.skipped.append((path, str(error)))
            else:
                row = self._preprocess(image, path)
                if (
                    data is None
                ):  # in place from here on: a list to stack would take twice the memory
                    data = np.empty((len(paths), *row.shape), row.dtype)
                elif row.shape != data.shape[1:]:
                    raise ValueError(
                        f"All images must have one shape. Received: {row.shape} for {path} after "
                        f"{data.shape[1:]}. Put a SimplePreprocessor or an AspectAwarePreprocessor "
                        "among the preprocessors."
                    )
                data[len(labels)] = row
                labels.append(label_from_folder(path))
            if verbose > 0 and number % verbose == 0:
                print(f"[INFO] processed {number}/{len(paths)}")
        self._report(len(paths))
        return data[: len(labels)], np.array(labels)

    def _preprocess(self, image, path):
        for preprocessor in self.preprocessors:
            try:
                image = preprocessor.preprocess(image)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
        return np.asarray(image)

    def _report(self, total):
        if not self.skipped:
            return
        reasons = " ".join(reason for _, reason in self.skipped[:3])
        message = f"{len(self.skipped)} of {total} images could not be read. The first: {reasons}"
        if len(self.skipped) == total:
            raise ValueError(message)
        warnings.warn(f"{message} They are left out; `skipped` lists them all.", stacklevel=3)
