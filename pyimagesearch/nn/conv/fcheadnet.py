"""FCHeadNet: a new classifier to put on a trained body."""

from keras import layers


class FCHeadNet:
    """Fully connected head for fine-tuning."""

    @staticmethod
    def build(baseModel, classes, D):
        """Return the output tensor of a head on `baseModel`: (N, classes) probabilities.

        The first layer is named "flatten", unless the body has a layer of that name; Keras names
        the others.

        Args:
            baseModel: a keras.Model without its classifier, of any output shape.
            classes: number of outputs.
            D: number of units of the hidden layer.

        Example:
            body = keras.applications.VGG16(include_top=False, input_shape=(224, 224, 3))
            model = keras.Model(body.input, FCHeadNet.build(body, classes=17, D=256))
        """
        taken = {layer.name for layer in baseModel.layers}

        def unique(kind, *args, **options):
            layer = kind(*args, **options)
            while layer.name in taken:  # Keras counts up, but not past the names of loaded layers
                layer = kind(*args, **options)
            return layer

        if "flatten" in taken:
            x = unique(layers.Flatten)(baseModel.output)
        else:
            x = layers.Flatten(name="flatten")(baseModel.output)
        x = unique(layers.Dense, D, activation="relu")(x)
        x = unique(layers.Dropout, 0.5)(x)
        return unique(layers.Dense, classes, activation="softmax", dtype="float32")(x)
