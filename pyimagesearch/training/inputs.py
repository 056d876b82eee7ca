"""Make an image file the input of a trained network, as its training images were."""

import cv2
import keras
import numpy as np

from pyimagesearch.preprocessing import (
    AspectAwarePreprocessor,
    CropPreprocessor,
    MeanPreprocessor,
    SimplePreprocessor,
)
from pyimagesearch.training.hdf5 import read_means
from pyimagesearch.utils.images import MAX_PIXELS, ImageError, read_image


def make_reader(
    model,
    *,
    means=None,
    meanImage=None,
    rescale=False,
    preprocessing=None,
    rgb=False,
    aspectAware=False,
    crops=1,
    maxPixels=MAX_PIXELS,
):
    """Return a function that reads an image file as inputs of `model`, and words on its options.

    Of `means`, `meanImage`, `rescale` and `preprocessing` give one or none: 0 to 255 then.

    Args:
        model: keras.Model of images of fixed size, grey or in colour.
        means: path of a JSON file {"R": , "G": , "B": } of numbers to subtract.
        meanImage: path of a .npy file of an image to subtract: RGB or BGR, and of the shape, as
            the network takes images.
        rescale: divide by 255.
        preprocessing: "tf", "torch" or "caffe", the input range of a Keras application.
        rgb: the network was trained on RGB, not BGR. `preprocessing` implies it.
        aspectAware: cut off the ends of the longer side instead of distorting the image.
        crops: 1 for the whole image; 10 or 5 for its corners and centre with or without their
            mirrors, cut out of 256/227 of the input size as in AlexNet's chapter.
        maxPixels: largest width * height of an image, see `utils.images.read_image`.
    Returns:
        (function from a path to (crops, *input shape) float32, str). The function raises
        ImageError or OSError for a file that cannot be read.
    Raises:
        OSError: if a file of means cannot be opened.
        ValueError: if it holds something else, or an option does not fit the model.
    """
    shape = model.input_shape[1:]
    channels_first = shape[2] not in (1, 3) and shape[0] in (1, 3)
    height, width, channels = (*shape[1:], shape[0]) if channels_first else shape
    if channels not in (1, 3):
        raise ValueError(f"Pictures have 1 or 3 channels. The network takes {shape}.")
    if channels == 1 and (means or preprocessing or rgb):
        raise ValueError("The network takes grey images: means and channel orders are for colour.")
    cut = _make_cut(width, height, aspectAware, crops)
    if means:
        normalize, words = _minus_means(means, rgb), f"minus the means of {means}"
    elif meanImage:
        mean = _read_mean_image(meanImage, shape)
        mean = mean.transpose(1, 2, 0) if channels_first else mean
        normalize, words = lambda images: _ordered(images, rgb) - mean, f"minus {meanImage}"
    elif rescale:
        normalize, words = lambda images: _ordered(images, rgb) / 255.0, "0 to 1"
    elif preprocessing:
        normalize, words = _application_range(preprocessing), f"in the range of {preprocessing!r}"
    else:
        normalize, words = lambda images: _ordered(images, rgb), "0 to 255"

    def read(path):
        image = read_image(path, maxPixels=maxPixels)
        try:
            images = cut(image)
        except ValueError as error:  # too thin
            raise ImageError(f"{path}: {error}") from error
        if channels == 1:
            images = np.stack([cv2.cvtColor(i, cv2.COLOR_BGR2GRAY)[..., None] for i in images])
        images = np.asarray(normalize(images), dtype="float32")
        return images.transpose(0, 3, 1, 2) if channels_first else images

    order = "grey" if channels == 1 else "RGB" if rgb or preprocessing else "BGR"
    return read, f"{width}x{height} {order}, {words}"


def _make_cut(width, height, aspect_aware, crops):
    """Return a function from a BGR image to its (crops, height, width, 3) parts."""
    resize = AspectAwarePreprocessor if aspect_aware else SimplePreprocessor
    if crops == 1:
        whole = resize(width, height)
        return lambda image: whole.preprocess(image)[np.newaxis]
    larger = resize(round(width * 256 / 227), round(height * 256 / 227))
    windows = CropPreprocessor(width, height, horiz=crops == 10)
    return lambda image: windows.preprocess(larger.preprocess(image))


def _ordered(images, rgb):
    return images[..., ::-1] if rgb else images


def _minus_means(path, rgb):
    means = read_means(path)
    means = MeanPreprocessor(means["R"], means["G"], means["B"])
    return lambda images: _ordered(np.stack([means.preprocess(image) for image in images]), rgb)


def _application_range(mode):
    scale = keras.applications.imagenet_utils.preprocess_input
    return lambda images: scale(
        images[..., ::-1].astype("float32"), data_format="channels_last", mode=mode
    )


def _read_mean_image(path, shape):
    """Return the array of a .npy file, which must have the shape of the network's input."""
    try:
        # as a map: an absurd shape is refused by the size of the file, before memory is taken
        mean = np.load(path, mmap_mode="r")
    except OSError:
        raise
    except Exception as error:  # which one depends on the damage; a pickled object is refused, too
        raise ValueError(f"{path} is not an array that numpy.save wrote: {error}.") from error
    if getattr(mean, "shape", None) != shape or mean.dtype.kind not in "fiu":
        raise ValueError(
            f"The mean image must be {shape} numbers, as the network's input. "
            f"Received: {getattr(mean, 'shape', 'several arrays')} in {path}."
        )
    return np.array(mean, "float32")
