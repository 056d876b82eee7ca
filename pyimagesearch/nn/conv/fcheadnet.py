"""FCHeadNet: a new classifier to put on a trained body."""

from keras import layers


class FCHeadNet:
    """Fully connected head for fine-tuning."""

    @staticmethod
    def build(baseModel, classes, D):
        """Return the output tensor of a head on `baseModel`: (N, classes) probabilities.

        Args:
            baseModel: a keras.Model without its classifier, of any output shape.
            classes: number of outputs.
            D: number of units of the hidden layer.

        Example:
            body = keras.applications.VGG16(include_top=False, input_shape=(224, 224, 3))
            model = keras.Model(body.input, FCHeadNet.build(body, classes=17, D=256))
        """
        x = layers.Flatten(name="flatten")(baseModel.output)
        x = layers.Dense(D, activation="relu")(x)
        x = layers.Dropout(0.5)(x)
        return layers.Dense(classes, activation="softmax")(x)
