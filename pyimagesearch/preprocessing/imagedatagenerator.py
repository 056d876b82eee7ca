"""Random augmentation and standardization of images."""

import numpy as np

from pyimagesearch.preprocessing import _geometry
from pyimagesearch.preprocessing._checks import check_choice, check_extent, finite_number
from pyimagesearch.preprocessing._dataformat import resolve_data_format
from pyimagesearch.preprocessing._directory import DirectoryIterator
from pyimagesearch.preprocessing._flow import NumpyArrayIterator
from pyimagesearch.preprocessing._ranges import (
    brightness_limits,
    check_shift,
    spread,
    spread_shift,
    zoom_limits,
)
from pyimagesearch.preprocessing._standardizer import Standardizer
from pyimagesearch.preprocessing._transforms import (
    AFFINE_DEFAULTS,
    DRAWS,
    OTHER_PARAMETERS,
    Transforms,
)
from pyimagesearch.utils.pydataset import keras_class


class ImageDataGenerator(Standardizer):
    """Turn, shift, shear, zoom, flip and recolour images at random, and standardize them.

    The augmenter that Keras 3 dropped: same arguments, same meaning. Angles are in degrees,
    `shear_range` too; the book's Keras took radians there, so that its 0.2 is 11.5 here.

    Args:
        rotation_range: turn by up to this angle either way.
        width_shift_range, height_shift_range: shift by up to this fraction of the size (float
            below 1) or number of pixels (float from 1); by whole pixels, less than this (int);
            or by one of a list of such numbers, either way.
        shear_range: shear by up to this angle either way.
        zoom_range: z for factors from 1 - z to 1 + z, or (low, high); one each for width and
            height. Below 1 enlarges.
        channel_shift_range: add up to this to all values, within the image's own range.
        fill_mode: what to put where the image has moved away: "nearest", "reflect", "wrap" or
            "constant", which means `cval`.
        horizontal_flip, vertical_flip: flip every other image, on average.
        rescale: factor for all values, after `preprocessing_function`.
        preprocessing_function: called with one augmented image of type `dtype`; returns one of
            the same shape.
        data_format: "channels_last" or "channels_first", by default the Keras setting.
        dtype: float type of the batches, by default "float32".
        brightness_range: (low, high) of a factor for all values; 1 changes nothing.
        validation_split: fraction of the images set apart as `subset="validation"` of a flow.
        samplewise_center, samplewise_std_normalization: subtract each image's own mean, divide by
            its own standard deviation.
        featurewise_center, featurewise_std_normalization, zca_whitening, zca_epsilon: the same
            with the mean colour of the images given to `fit`, and decorrelation of their pixels.
        interpolation_order: 0 for the nearest pixel, 1 for linear.
    """

    def __init__(
        self,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format=None,
        dtype=None,
        *,
        brightness_range=None,
        validation_split=0.0,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-6,
        interpolation_order=1,
    ):
        super().__init__(
            rescale=rescale,
            preprocessing_function=preprocessing_function,
            dtype=dtype,
            featurewise_center=featurewise_center,
            samplewise_center=samplewise_center,
            featurewise_std_normalization=featurewise_std_normalization,
            samplewise_std_normalization=samplewise_std_normalization,
            zca_whitening=zca_whitening,
            zca_epsilon=zca_epsilon,
        )
        check_extent("rotation_range", rotation_range)
        check_extent("shear_range", shear_range)
        check_extent("channel_shift_range", channel_shift_range)
        check_shift("width_shift_range", width_shift_range)
        check_shift("height_shift_range", height_shift_range)
        finite_number("cval", cval)
        check_choice("fill_mode", fill_mode, _geometry.BORDERS)
        check_choice("interpolation_order", interpolation_order, _geometry.INTERPOLATIONS)
        if not 0 <= finite_number("validation_split", validation_split) < 1:
            raise ValueError(
                f"validation_split must be at least 0 and below 1. Received: {validation_split}."
            )
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.zoom_range = zoom_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.data_format = resolve_data_format("data_format", data_format)
        self.brightness_range = brightness_range
        self.validation_split = validation_split
        self.interpolation_order = interpolation_order
        self._zoom_limits = zoom_limits(zoom_range)
        self._brightness_limits = brightness_limits(brightness_range)
        # axes of a batch, under their old names
        channels_first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if channels_first else (3, 1, 2)

    def flow(
        self,
        x,
        y=None,
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        *,
        sample_weight=None,
        subset=None,
        ignore_class_split=False,
        start_pass=0,
    ):
        """Return endless augmented batches, for `next(it)`, a `for` loop, or Keras.

        Where Keras is loaded by the time of this call, `model.fit(it)` takes the result, as do
        `evaluate` and `predict`; an epoch is one pass. The old `len(x) // batch_size` is a batch
        short of a pass, and Keras 3 then cuts every other epoch: drop `steps_per_epoch`, set it
        to `len(it)`, or call `fit((batch for batch in it), steps_per_epoch=n, shuffle=False)`.

        Args:
            x: (N, H, W, C) images of any numeric type and channel order, or (x, [arrays]) for a
                model with further inputs. uint8 images are augmented as uint8, with results
                rounded to whole grey levels, which is faster and takes less memory.
            y: (N, ...) labels, or None.
            batch_size: images per batch; the last of a pass may have fewer.
            shuffle: a new order every pass. Use False for `predict`.
            seed: int or numpy.random.Generator to repeat the batches, or None.
            save_to_dir: folder to write every augmented image to, to have a look at. Channels
                are taken for RGB, so that BGR images show blue as red.
            save_prefix, save_format: names are <prefix>_<row>_<number>.<format>.
            sample_weight: (N,) weights, returned as third item.
            subset: "training" or "validation", see `validation_split`. Validation has the first
                images.
            ignore_class_split: accept subsets that differ in the labels they hold.
            start_pass: number of passes to leave out. A training resumed with `initial_epoch=k`,
                the same seed and `start_pass=k` gets the batches it would have got.
        Returns:
            An iterator with `len(it)` batches in a pass, `it[i]`, `reset()`, `n` and
            `batch_index`. A batch is x, (x, y) or (x, y, sample_weight); its images are of type
            `dtype`. Where there are further inputs, the tuple (x, ...) stands for x, and a batch
            without labels is ((x, ...),).
        Raises:
            ValueError: for a wrong rank, no images, or arrays of different length.
        """
        return keras_class(NumpyArrayIterator)(
            x,
            y,
            self,
            sample_weight=sample_weight,
            subset=subset,
            ignore_class_split=ignore_class_split,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            prefix=save_prefix,
            save_format=save_format,
            start_pass=start_pass,
        )

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
    ):
        """Return endless augmented batches of picture files, laid out as <class>/<picture>.

        Args:
            directory: the folder that holds one folder per class.
            target_size: (height, width) of the images.
            color_mode: "rgb" (not BGR), "rgba" or "grayscale".
            classes: the class folders to use, in the order of their numbers; by default all of
                them, alphabetically.
            class_mode: labels as "categorical" (one-hot), "binary" or "sparse" (numbers),
                "input" (the images themselves) or None (no labels).
            follow_links: look into linked folders, too.
            subset: as in `flow`, of each class.
            interpolation: Pillow's "nearest", "bilinear", "bicubic", "lanczos", "box" or
                "hamming", for the change of size.
            keep_aspect_ratio: cut off what does not fit `target_size` instead of distorting.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format: as in `flow`.
        Returns:
            An iterator as from `flow`, which also has `class_indices`, `classes`, `filenames`,
            `samples`, `num_classes` and `image_shape`.
        Raises:
            FileNotFoundError: if there is no such folder.
            ValueError: if it has no class folders or no pictures.
            OSError: by the iterator, for a file that cannot be read.
        """
        return keras_class(DirectoryIterator)(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            prefix=save_prefix,
            save_format=save_format,
        )

    def get_random_transform(self, img_shape, seed=None):
        """Draw the parameters of one random transform.

        Args:
            img_shape: shape of the image, (H, W, C) or (C, H, W).
            seed: int, None, or a numpy.random.Generator to draw from.
        Returns:
            dict for `apply_transform`. If the image is not square, `tx` and `ty` also hold what
            keeps its centre in place.
        """
        if len(img_shape) != 3:
            raise ValueError(f"img_shape must have three numbers. Received: {tuple(img_shape)}.")
        drawn = self._parameters(np.random.default_rng(seed).random((1, DRAWS)), img_shape)
        parameters = {name: values[0].item() for name, values in drawn.items()}
        return {"channel_shift_intensity": None, "brightness": None} | parameters

    @property
    def is_plain(self):
        """Whether images can be augmented in any order and thread, and without our methods.

        That is, no code of a user's has a say: neither a function nor a class of their own.
        """
        return (
            type(self) is ImageDataGenerator
            and self.preprocessing_function is None
            and not any(callable(value) for value in vars(self).values())  # a method replaced
        )

    @property
    def fills_bytes(self):
        """Whether what is put where an image has moved away can be a grey level of uint8."""
        return self.fill_mode != "constant" or self.cval in range(256)

    def draw_transforms(self, uniform, img_shape):
        """Return `Transforms` of n images of one shape, for `uniform`: (n, DRAWS) of 0 to 1."""
        return self._transforms(self._parameters(uniform, img_shape), img_shape)

    def _parameters(self, uniform, img_shape):
        """Return the parameters of n transforms, (n,) arrays."""
        height, width = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        theta, shear, zx, zy, tx, ty, *others = uniform.T
        theta, shear = spread(theta, self.rotation_range), spread(shear, self.shear_range)
        low, high = self._zoom_limits
        zx, zy = low + (high - low) * zx, low + (high - low) * zy
        tx = spread_shift(tx, self.width_shift_range, width)
        ty = spread_shift(ty, self.height_shift_range, height)
        if width != height:
            shift = _geometry.recentring_shift(height, width, theta, shear, zx, zy)
            tx, ty = tx + shift[:, 0], ty + shift[:, 1]
        horizontal, vertical, channel_shift, brightness = others
        parameters = {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": (horizontal < 0.5) & bool(self.horizontal_flip),
            "flip_vertical": (vertical < 0.5) & bool(self.vertical_flip),
        }
        if self.channel_shift_range:
            shift = spread(channel_shift, self.channel_shift_range)
            parameters["channel_shift_intensity"] = shift
        if self._brightness_limits:
            low, high = self._brightness_limits
            parameters["brightness"] = low + (high - low) * brightness
        return parameters

    def _transforms(self, parameters, img_shape):
        height, width = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        return Transforms(
            parameters, height, width, self.fill_mode, self.cval, self.interpolation_order
        )

    def apply_transform(self, x, transform_parameters):
        """Apply the transform that the parameters describe; the same for the same parameters.

        Args:
            x: (H, W, C) or (C, H, W) image of any numeric type.
            transform_parameters: dict with any of theta and shear (degrees), tx and ty (pixels;
                positive ones move the content left and up), zx and zy (below 1 enlarges), all
                in one warp; then channel_shift_intensity, flip_horizontal, flip_vertical and
                brightness, in this order. Missing ones change nothing. The warp turns about
                x = H / 2, y = W / 2 as in the old class: the centre of a square image.
        Returns:
            Image of the same shape and type; `x` itself if nothing changes it.
        Raises:
            ValueError: for an array of another rank, or a parameter of another name.
        """
        unknown = set(transform_parameters) - AFFINE_DEFAULTS.keys() - OTHER_PARAMETERS
        if unknown:
            raise ValueError(f"Unknown transform parameters: {', '.join(sorted(unknown))}.")
        x = np.asarray(x)
        image = self.channels_last(x)
        parameters = {
            name: np.array([value])
            for name, value in transform_parameters.items()
            if value is not None
        }
        image = self._transforms(parameters, x.shape).apply(0, image)
        return image if self.data_format == "channels_last" else image.transpose(2, 0, 1)

    def channels_last(self, x):
        """Return one image, or raise if it is none, with its channels last: a view."""
        if x.ndim != 3 or x.size == 0:
            raise ValueError(
                f"A single image has rank 3, {self.data_format}. Received: shape {x.shape}."
            )
        if x.dtype.kind not in "buif":
            raise TypeError(f"An image must hold numbers. Received: dtype {x.dtype}.")
        return x if self.data_format == "channels_last" else x.transpose(1, 2, 0)

    def random_transform(self, x, seed=None):
        """Transform one image at random.

        Safe to call from several threads at once, each with a generator of its own.

        Args:
            x: (H, W, C) or (C, H, W) image of any numeric type.
            seed: int, None, or a numpy.random.Generator to draw from.
        Returns:
            Image of the same shape and type.
        """
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))
