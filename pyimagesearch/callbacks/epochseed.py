"""EpochSeed: the same dropout masks in an epoch, whether or not training was resumed before it."""

import keras
import numpy as np


class EpochSeed(keras.callbacks.Callback):
    """Seed the random layers of the model anew at the beginning of every epoch.

    Keras does not save where its random layers (dropout, augmentation layers) stand, so a
    resumed run draws other masks than one that never stopped. This callback sets every
    `keras.random.SeedGenerator` in the model, those of nested models too, to a number drawn from
    (`seed`, epoch, place in the model). The epoch is the one Keras counts: give `fit` the
    `initial_epoch` when resuming.

    On the PyTorch backend the global generators of Python, NumPy and PyTorch are seeded as well.

    Random calls outside the model, or in a layer without a seed generator of its own, are not
    covered. Neither is the order of the data, which is the feed's to reproduce.

    Args:
        seed: an integer of 0 or more.

    Example:
        model.fit(..., initial_epoch=40, epochs=75, callbacks=[EpochSeed(42)])
    """

    def __init__(self, seed):
        super().__init__()
        if seed < 0:
            raise ValueError(f"seed must be 0 or more. Received: {seed}.")
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        seed_layers(self.model, self.seed, epoch)


def seed_layers(model, seed, number):
    """Set the seed generators of a model to numbers drawn from (`seed`, `number`, their place).

    Args:
        model: keras.Model; nested models are covered.
        seed: an integer of 0 or more.
        number: of the epoch or the update, an integer of 0 or more.
    """
    # `variables` lists the state of the seed generators, `weights` does not
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for index, state in enumerate(states):
        drawn = np.random.SeedSequence([seed, number, index]).generate_state(1)[0]
        # a generator's state is its seed (31 bits fit all backends) and the calls so far
        state.assign([int(drawn) >> 1, 0])
    if keras.backend.backend() == "torch":
        # there a dropout layer without a seed of its own draws from PyTorch's generator, which
        # Keras seeds together with Python's and NumPy's
        drawn = np.random.SeedSequence([seed, number, len(states)]).generate_state(1)[0]
        keras.utils.set_random_seed(int(drawn))
