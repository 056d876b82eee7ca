"""A trained network without its classifier, and what its input must look like."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np

from pyimagesearch.training.saving import add_unsafe_option, read_model


@dataclass
class Backbone:
    """A feature extractor.

    Attributes:
        model: keras.Model from (n, height, width, 3) to a feature map or a vector for each image.
        width, height: size of its input in pixels.
        preprocess: function from float32 RGB images (n, height, width, 3) of 0 to 255 to the
            range and channel order that the network was trained with. It may change its input.
        features: numbers for each image once `extract` has flattened them.
    """

    model: keras.Model
    width: int
    height: int
    preprocess: Callable

    @property
    def features(self):
        return int(np.prod(self.model.output_shape[1:]))

    def prepare(self, images):
        """Return the model's inputs for n uint8 BGR images (height, width, 3).

        It needs neither the model nor the framework: a thread may do it while the model works.
        """
        inputs = np.empty((len(images), self.height, self.width, 3), np.float32)
        for place, image in zip(inputs, images, strict=True):
            place[:] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return self.preprocess(inputs)

    def extract(self, inputs):
        """Return (n, features) float32 features of n inputs, as `prepare` makes them."""
        outputs = np.asarray(self.model.predict_on_batch(inputs), dtype="float32")
        return outputs.reshape(len(inputs), -1)


def add_backbone_options(ap, default):
    """Add --backbone, --weights, --preprocessing and --unsafe to an argparse.ArgumentParser."""
    ap.add_argument(
        "--backbone", default=default, help=f"a Keras application or a .keras file ({default})"
    )
    ap.add_argument("--weights", default="imagenet", help="imagenet, none or a weights file")
    ap.add_argument(
        "--preprocessing",
        default="tf",
        choices=["tf", "torch", "caffe", "none"],
        help="input range of a .keras backbone: tf is RGB of -1 to 1 (default)",
    )
    add_unsafe_option(ap)


def load_backbone(
    name, weights="imagenet", *, pooling=None, size=224, preprocessing="tf", unsafe=False
):
    """Load a network of `keras.applications`, or any saved model, to extract features with.

    Args:
        name: a Keras application in any case (`resnet50`, `vgg16`, `mobilenet`, ...) without its
            classifier, or the path of a `.keras` file, which is used up to its last layer.
        weights: "imagenet", "none" for random ones, or the path of a weights file. A `.keras`
            file has its own, and this is not looked at.
        pooling: "avg" averages a feature map over its pixels: (n, h, w, c) to (n, c). Default
            none: `extract` flattens the map.
        size: width and height of the input in pixels; a `.keras` file of fixed size has its own.
        preprocessing: range of a `.keras` file's inputs: "tf" for RGB of -1 to 1, "torch" for RGB
            normalized by ImageNet's mean and deviation, "caffe" for BGR minus ImageNet's mean,
            "none" for RGB of 0 to 255. A Keras application knows its own.
        unsafe: load a file with Lambda layers or custom code, which can run anything.
    Returns:
        Backbone.
    Raises:
        FileNotFoundError: if `name` or `weights` is a path that does not exist.
        ValueError: if `name` is neither, or an option is unknown.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "Backbones take channels_last images. Received: Keras set to channels_first. "
            'Set "image_data_format": "channels_last" in ~/.keras/keras.json.'
        )
    if pooling not in (None, "avg"):
        raise ValueError(f'pooling must be None or "avg". Received: {pooling!r}.')
    if str(name).endswith((".keras", ".h5", ".hdf5")):
        model, preprocess = _load_file(Path(name), preprocessing, unsafe)
    else:
        model, preprocess = _load_application(str(name), str(weights), size)
    if pooling == "avg" and len(model.output_shape) == 4:
        pooled = keras.layers.GlobalAveragePooling2D()(model.output)
        model = keras.Model(model.input, pooled, name=model.name)
    height, width = [side or size for side in model.input_shape[1:3]]
    return Backbone(model, width, height, preprocess)


def _load_file(path, preprocessing, unsafe):
    if preprocessing not in ("tf", "torch", "caffe", "none"):
        raise ValueError(
            f'preprocessing must be "tf", "torch", "caffe" or "none". Received: {preprocessing!r}.'
        )
    model = read_model(path, compile=False, unsafe=unsafe)
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][-1] != 3 or len(model.outputs) != 1:
        raise ValueError(
            "A backbone takes (height, width, 3) images and has one output. "
            f"{path} takes {', '.join(map(str, shapes))} and has {len(model.outputs)}."
        )
    if isinstance(model.input, list) or isinstance(model.output, list):  # of one tensor
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if preprocessing == "none":
        return model, lambda images: images
    scale = keras.applications.imagenet_utils.preprocess_input
    return model, lambda images: scale(images, data_format="channels_last", mode=preprocessing)


def _load_application(name, weights, size):
    builders = {key.lower(): b for key, b in vars(keras.applications).items() if key[0].isupper()}
    if name.lower() not in builders:
        raise ValueError(
            f"Unknown backbone {name!r}. Give the path of a .keras file or one of: "
            f"{', '.join(sorted(builders))}."
        )
    if weights not in ("imagenet", "none") and not Path(weights).is_file():
        raise FileNotFoundError(f'No weights at {weights}. Give "imagenet", "none" or a file.')
    build = builders[name.lower()]
    try:
        model = build(
            include_top=False,
            weights=None if weights == "none" else weights,
            input_shape=(size, size, 3),
        )
    except Exception as error:  # Keras raises a plain one when a download fails
        source = "the ImageNet weights" if weights == "imagenet" else f"the weights {weights}"
        raise ValueError(
            f"Keras cannot load {source} into {build.__name__}: {error} "
            "Give another weights file, weights none, or a .keras file as the backbone."
        ) from error
    return model, inspect.getmodule(build).preprocess_input
