"""From the rows of a batch to its images."""

import functools
import inspect

import numpy as np

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
    if image.dtype != np.uint8:
        image = image.astype(aug.dtype, copy=False)
    return aug.standardize(aug.random_transform(image, seed=rng))


def apply(functions, parts, count, rng):
    """Return the `count` images of a batch after all functions, in one array.

    Args:
        functions: what `steps` returned; with none, the images are the rows.
        parts: (rows, order) pairs: the images are rows[order] of each pair, one after the other.
            An order is a range or an array.
        rng: numpy.random.Generator for the functions.
    """
    if not functions:
        return _joined(parts, count)
    images = None
    for number, row in enumerate(rows[place] for rows, order in parts for place in order):
        image = row
        for function in functions:
            image = function(image, rng)
        image = np.asarray(image)
        if images is None:
            images = np.empty((count, *image.shape), image.dtype)
        elif (image.shape, image.dtype) != (images.shape[1:], images.dtype):
            raise ValueError(
                "The preprocessors must give all images of a batch one shape and type. The first "
                f"is {images.shape[1:]} {images.dtype}, number {number} is {image.shape} "
                f"{image.dtype}."
            )
        images[number] = image
    return images


def taken(rows, order):
    """Return rows[order]: a view for a range, a copy for an array."""
    return rows[order.start : order.stop] if isinstance(order, range) else rows[order]


def _joined(parts, count):
    if len(parts) == 1:
        return taken(*parts[0])
    first = parts[0][0]
    images, filled = np.empty((count, *first.shape[1:]), first.dtype), 0
    for rows, order in parts:
        into = images[filled : filled + len(order)]
        np.take(rows, order, axis=0, out=into, mode="clip")  # the default mode copies twice
        filled += len(order)
    return images
