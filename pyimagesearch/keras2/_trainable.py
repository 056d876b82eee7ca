"""What a model trains is settled by `compile`, as it was in Keras 2, and not by the next batch.

The usual training of a GAN rests on it: the discriminator is compiled, then set to
`trainable = False` for the combined model, and goes on learning by its own `train_on_batch`.
"""

import contextlib
import functools

import keras


def install():
    """Patch `compile`, `fit` and `train_on_batch` of keras.Model."""
    model = keras.Model
    # where it is defined: Keras asks whether a class has a `compile` of its own
    trainer = next(cls for cls in model.__mro__ if "compile" in vars(cls))
    trainer.compile = _remembering(trainer.compile)
    model.fit = _as_compiled(model.fit)
    model.train_on_batch = _as_compiled(model.train_on_batch)


def _remembering(original):
    @functools.wraps(original)
    def compile(self, *args, **kwargs):
        original(self, *args, **kwargs)
        flags = [(layer, layer.trainable) for layer in self._flatten_layers()]  # parents first
        self._keras2_trainable = lambda: flags  # hidden in a function, since lists are saved

    return compile


def _as_compiled(original):
    @functools.wraps(original)
    def train(self, *args, **kwargs):
        with _set(self):
            return original(self, *args, **kwargs)

    return train


@contextlib.contextmanager
def _set(model):
    compiled = getattr(model, "_keras2_trainable", list)()
    before = [(layer, layer.trainable) for layer, _ in compiled]
    if before == compiled:
        yield
        return
    _apply(compiled)
    try:
        yield
    finally:
        _apply(before)


def _apply(flags):
    for layer, trainable in flags:  # which sets those within the layer, that come after it
        layer.trainable = trainable
