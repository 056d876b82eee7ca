"""The half of ImageDataGenerator that draws nothing: standardization and its statistics."""

import warnings

import numpy as np

from pyimagesearch.preprocessing._checks import check_extent, finite_number, positive_integer
from pyimagesearch.preprocessing._flow import check_images


class Standardizer:
    """Base of ImageDataGenerator, whose docstring has the arguments.

    Attributes:
        mean, std: (1, 1, C) or (C, 1, 1) statistics from `fit`, else None.
        zca_whitening_matrix: (H * W * C, H * W * C), else None.
    """

    def __init__(
        self,
        *,
        rescale,
        preprocessing_function,
        dtype,
        featurewise_center,
        samplewise_center,
        featurewise_std_normalization,
        samplewise_std_normalization,
        zca_whitening,
        zca_epsilon,
    ):
        check_extent("zca_epsilon", zca_epsilon)
        if rescale is not None:
            finite_number("rescale", rescale)
        if preprocessing_function is not None and not callable(preprocessing_function):
            raise TypeError(
                "preprocessing_function must be a function of one image. "
                f"Received: {preprocessing_function!r}."
            )
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dtype = _float_type(dtype)
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.mean = None
        self.std = None
        self.zca_whitening_matrix = None
        for option, other, needed in [
            ("zca_whitening", "featurewise_center", True),
            ("zca_whitening", "featurewise_std_normalization", False),
            ("featurewise_std_normalization", "featurewise_center", True),
            ("samplewise_std_normalization", "samplewise_center", True),
        ]:
            if getattr(self, option) and bool(getattr(self, other)) != needed:
                setattr(self, other, needed)
                warnings.warn(f"{option} sets {other}={needed}.", stacklevel=3)

    def standardize(self, x):
        """Apply `preprocessing_function`, `rescale` and the standardization options.

        Args:
            x: one image or a batch, of any numeric type. It stays as it is.
        Returns:
            New array of the same shape, of type `dtype`.
        """
        return self.standardize_in_place(np.array(x, dtype=self.dtype))

    def standardize_in_place(self, x):
        """Do what `standardize` does to an array of type `dtype`, in place where that works."""
        x = self._preprocess(x)
        each = (-3, -2, -1)
        if self.samplewise_center:
            x -= np.mean(x, axis=each, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, axis=each, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("mean", "featurewise_center"):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted(
            "std", "featurewise_std_normalization"
        ):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening_matrix", "zca_whitening"):
            flat = x.reshape(-1, self.zca_whitening_matrix.shape[0])
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _preprocess(self, x):
        if self.preprocessing_function is not None:
            result = np.asarray(self.preprocessing_function(x), self.dtype)
            if result.shape != x.shape:
                raise ValueError(
                    "preprocessing_function must keep an image's shape. Received: "
                    f"{result.shape} for {x.shape}."
                )
            x = result
        if self.rescale is not None:
            x *= self.rescale
        return x

    def _fitted(self, statistic, option):
        if getattr(self, statistic) is None:
            warnings.warn(
                f"{option} has no effect before `fit(x)` has been called with training images.",
                stacklevel=4,
            )
            return False
        return True

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Compute what the featurewise options and ZCA whitening need from sample images.

        The statistics are of images as they will be standardized: after
        `preprocessing_function` and `rescale`.

        Args:
            x: (N, H, W, C) or (N, C, H, W) images of any numeric type.
            augment: use randomly transformed images.
            rounds: with `augment`, how many transformed copies of each image.
            seed: int, None, or a numpy.random.Generator for `augment`.
        Raises:
            ValueError: for a wrong rank, no images, or NaN among the values.
        """
        x = np.asarray(x)
        check_images(x, self, "fit")
        rounds = positive_integer("rounds", rounds) if augment else 1
        rng = np.random.default_rng(seed)
        sample = np.empty((rounds * len(x), *x.shape[1:]), self.dtype)
        for row, image in enumerate(sample):
            source = x[row % len(x)]
            image[...] = self.random_transform(source, rng) if augment else source
            image[...] = self._preprocess(image)
        if not np.isfinite(sample).all():
            raise ValueError("fit needs finite values. Received: images with NaN or infinity.")

        per_channel = tuple({0, 1, 2, 3} - {self.channel_axis})
        if self.featurewise_center:
            self.mean = self._statistic(np.mean, sample, per_channel)
            sample -= self.mean
        if self.featurewise_std_normalization:
            self.std = self._statistic(np.std, sample, per_channel)
            sample /= self.std + 1e-6
        if self.zca_whitening:
            flat = sample.reshape(len(sample), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            whitening = (u * (np.sqrt(len(flat)) / (s + self.zca_epsilon))) @ u.T
            self.zca_whitening_matrix = whitening.astype(self.dtype)

    def _statistic(self, function, sample, axes):
        # float64: float32 sums over many images lose digits
        return function(sample, axis=axes, keepdims=True, dtype=np.float64)[0].astype(self.dtype)


def _float_type(dtype):
    name = np.dtype("float32" if dtype is None else dtype).name
    if name not in {"float16", "float32", "float64"}:
        raise TypeError(f"dtype must be float16, float32 or float64. Received: {dtype!r}.")
    return name
