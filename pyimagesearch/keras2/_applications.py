"""Networks of keras.applications whose outputs have changed."""

import functools

import keras

from pyimagesearch.keras2._arguments import rows_of
from pyimagesearch.keras2._era import pools_resnet
from pyimagesearch.keras2.explain import note

_ROW = rows_of("keras.applications.ResNet50")["include_top"]
_POOL = 7  # pixels, that is all there are of an image of 224


def install():
    """Let ResNet50 without a top end in one pixel, as it did until Keras 2.1."""
    original = keras.applications.ResNet50

    @functools.wraps(original)
    def ResNet50(include_top=True, weights="imagenet", input_tensor=None, *args, **kwargs):
        model = original(include_top, weights, input_tensor, *args, **kwargs)
        pooling = args[1] if len(args) > 1 else kwargs.get("pooling")
        if include_top or pooling is not None or not pools_resnet():
            return model
        rows, columns = model.output.shape[1:3]
        if keras.config.image_data_format() == "channels_first":
            rows, columns = model.output.shape[2:4]
        if min(rows or _POOL, columns or _POOL) < _POOL:  # smaller than 2017 allowed
            return model
        note(_ROW)
        pooled = keras.layers.AveragePooling2D((_POOL, _POOL), name="avg_pool")(model.output)
        return keras.Model(model.input, pooled, name="resnet50")

    for module in (
        keras.applications,
        keras.applications.resnet50,
        keras.applications.resnet,
    ):
        module.ResNet50 = ResNet50
