"""From the rows of a batch to its images, one step after the other."""

import functools
import inspect

import numpy as np

from pyimagesearch.io._rows import joined
from pyimagesearch.preprocessing.imagedatagenerator import ImageDataGenerator


def steps(preprocessors, aug):
    """Return functions of (image, rng) -> image: the preprocessors, then our own augmenter.

    Raises:
        TypeError: if a preprocessor has no `preprocess`, or the augmenter no `flow`.
    """
    functions = [_preprocessing(preprocessor) for preprocessor in preprocessors or []]
    if isinstance(aug, ImageDataGenerator):
        functions.append(functools.partial(_augmented, aug))
    elif aug is not None and not callable(getattr(aug, "flow", None)):
        raise TypeError(f"aug needs a flow method. Received: {aug!r}.")
    return functions


def augment_batch(aug, images, labels):
    """Let an augmenter that is not ours, and so not among the steps, change a batch."""
    if aug is None or isinstance(aug, ImageDataGenerator):
        return images, labels
    return next(aug.flow(images, labels, batch_size=len(images), shuffle=False))


def _preprocessing(preprocessor):
    preprocess = getattr(preprocessor, "preprocess", None)
    if not callable(preprocess):
        raise TypeError(f"A preprocessor needs a preprocess method. Received: {preprocessor!r}.")
    try:
        takes_rng = "rng" in inspect.signature(preprocess).parameters
    except ValueError:  # compiled code may have no signature to look at
        takes_rng = False
    if takes_rng:
        return lambda image, rng: preprocess(image, rng=rng)
    return lambda image, rng: preprocess(image)


def _augmented(aug, image, rng):
    """What `aug.flow` does to one image."""
    if image.dtype != np.uint8 or not aug.fills_bytes:
        image = image.astype(aug.dtype, copy=False)
    return aug.standardize(aug.random_transform(image, seed=rng))


def apply(functions, parts, count, rng, empty):
    """Return the `count` images of a batch after all functions, in one array.

    Args:
        functions: what `steps` returned; with none, the images are the rows.
        parts: (rows, places, numbers) as `Rows.take` yields them.
        rng: numpy.random.Generator for the functions.
        empty: what makes the array, numpy.empty for example.
    """
    if not functions and isinstance(parts[0][0], np.ndarray):
        return joined(parts, count, empty)
    images = None
    for number, row in enumerate(rows[place] for rows, places, _ in parts for place in places):
        image = row
        for function in functions:
            image = function(image, rng)
        image = np.asarray(image)
        if images is None:
            images = empty((count, *image.shape), image.dtype)
        elif (image.shape, image.dtype) != (images.shape[1:], images.dtype):
            raise ValueError(
                "The preprocessors must give all images of a batch one shape and type. The first "
                f"is {images.shape[1:]} {images.dtype}, number {number} is {image.shape} "
                f"{image.dtype}."
            )
        images[number] = image
    return images
