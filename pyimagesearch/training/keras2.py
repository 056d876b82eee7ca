"""What Keras 2 wrote into model files, in the words of Keras 3."""

import keras


def modern_architecture(config):
    """Return a `model_config` whose Sequential models are what Keras 3 takes for one.

    Before 2018 such a model was a list of layers without a name, and the shape of its input was
    an option of the first layer.

    Returns:
        A new configuration, equal to `config` if there is nothing to translate.
    """
    if isinstance(config, list):
        return [modern_architecture(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {name: modern_architecture(item) for name, item in config.items()}
    if config.get("class_name") == "Sequential":
        if isinstance(config.get("config"), list):
            config["config"] = {"name": "sequential", "layers": config["config"]}
        layers = config["config"]["layers"]
        if layers and layers[0]["class_name"] != "InputLayer":
            shape = layers[0]["config"].pop("batch_input_shape", None)
            if shape is not None:
                entry = {"name": "input", "batch_shape": shape}
                layers.insert(0, {"class_name": "InputLayer", "config": entry})
    return config


def modern_optimizer(config):
    """Return an `optimizer_config` with `learning_rate` for `lr`, and `decay` as a schedule.

    Returns:
        `config` itself if it is of Keras 3.
    """
    options = dict(config["config"])
    options.pop("is_legacy_optimizer", None)  # of TensorFlow 2.11 to 2.15
    if "lr" not in options and "decay" not in options:
        return config
    rate = options.pop("lr", options.pop("learning_rate", None))
    decay = options.pop("decay", 0.0)
    options["learning_rate"] = rate
    if decay:  # the rate after n batches was lr / (1 + decay * n)
        options["learning_rate"] = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": rate,
                "decay_steps": 1,
                "decay_rate": decay,
                "staircase": False,
            },
        }
    return {"class_name": config["class_name"], "config": options}


def modern_slots(optimizer, state, weights):
    """Return Keras 2's optimizer variables in the order in which Keras 3 has them.

    Keras 2 wrote its step counter (RMSprop of 2017: none) and then one list after another, such
    as all of Adam's means and then all of its variances. Keras 3 puts those of one weight side by
    side, and has the learning rate among its variables.

    Args:
        optimizer: a built keras.optimizers.Optimizer.
        state: list of arrays, as the file has them.
        weights: number of the model's trainable weights.
    Raises:
        ValueError: if the two do not correspond, as those of Nadam.
    """
    steps = [value for value in state if not value.shape]
    arrays = [value for value in state if value.shape]
    scalars = [
        keras.ops.convert_to_numpy(variable)
        for variable in optimizer.variables
        if not len(variable.shape)
    ]
    kinds = (len(optimizer.variables) - len(scalars)) // max(1, weights)
    if len(steps) > 1 or len(scalars) > 2 or kinds > 2 or len(arrays) < kinds * weights:
        raise ValueError(
            f"the state of its optimizer, {type(optimizer).__name__}, is that of Keras 2, for "
            "which Keras 3 has no counterpart"
        )
    scalars[:1] = steps or scalars[:1]
    return scalars + [arrays[kind * weights + i] for i in range(weights) for kind in range(kinds)]
