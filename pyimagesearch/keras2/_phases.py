"""Training or not, as Keras 2 settled it: the global learning phase, and frozen normalization.

`K.set_learning_phase` decided for the layers that were called after it. BatchNormalization with
`trainable = False` went on with the statistics of the batch while the rest trained, and went on
averaging them until Keras 2.1.2; only its gamma and beta stood still.
"""

import functools

import keras

from pyimagesearch.keras2._era import freezes_normalization

_phase = None  # 0 or 1 once the script has set it


def set_phase(value):
    """Let layers called from now on always test (0) or always train (1)."""
    global _phase  # noqa: PLW0603  it was one setting for the process
    _phase = int(value)


def get_phase():
    """Return the phase that was set, or 0 as a stand-in for "fit trains, predict does not"."""
    return _phase or 0


def install():
    """Patch the layers that tell training from testing."""
    layers = keras.layers
    normalization = layers.BatchNormalization
    normalization.call = _by_the_batch(normalization.call)
    spatial = next(cls for cls in layers.SpatialDropout2D.__mro__ if "call" in vars(cls))
    for cls in (normalization, layers.Dropout, layers.GaussianNoise, layers.GaussianDropout):
        cls.__call__ = _remembering(cls.__call__)
        cls.call = _in_phase(cls.call)
    if spatial is not layers.Dropout:
        spatial.call = _in_phase(spatial.call)
    clear = keras.backend.clear_session

    @functools.wraps(clear)
    def clear_session(*args, **kwargs):
        global _phase  # noqa: PLW0603
        _phase = None
        clear(*args, **kwargs)

    for module in (keras.backend, keras.utils):
        module.clear_session = clear_session


def _remembering(original):
    @functools.wraps(original)
    def __call__(self, *args, **kwargs):
        symbolic = any(isinstance(value, keras.KerasTensor) for value in args)
        if symbolic and not hasattr(self, "_keras2_phase"):  # Sequential calls its layers anew
            self._keras2_phase = _phase
        return original(self, *args, **kwargs)

    return __call__


def _in_phase(original):
    @functools.wraps(original)
    def call(self, inputs, training=False, **kwargs):
        phase = getattr(self, "_keras2_phase", None)
        return original(self, inputs, training=training if phase is None else phase == 1, **kwargs)

    return call


def _by_the_batch(original):
    @functools.wraps(original)
    def call(self, inputs, training=None, **kwargs):
        if self.trainable or not training or freezes_normalization():
            return original(self, inputs, training=training, **kwargs)
        self._trainable = True  # for Keras 3 looks at it; nothing is trained in here
        try:
            return original(self, inputs, training=training, **kwargs)
        finally:
            self._trainable = False

    return call
