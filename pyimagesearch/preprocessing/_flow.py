"""The endless batches of ImageDataGenerator.flow."""

import math
import operator
import threading
import warnings
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.preprocessing._checks import positive_integer
from pyimagesearch.preprocessing._geometry import cast
from pyimagesearch.preprocessing._transforms import DRAWS
from pyimagesearch.utils.parallel import share_out
from pyimagesearch.utils.recycling import Recycler

PART_NUMBERS = 2**19  # a thread takes images of that many numbers at a time: 3 of 227x227x3


class Iterator:
    """Batches without end, in a new order every pass; `it[i]` is batch i of the present pass.

    A batch depends on the seed, the pass and its number alone, whoever asks and how often.

    Attributes:
        n: number of images. `len(it)` is the number of batches in a pass, the short last one
            counted.
        batch_index: number of the batch that `next` gives.
    """

    def __init__(
        self,
        n,
        generator,
        batch_size,
        shuffle,
        seed,
        save_to_dir,
        prefix,
        save_format,
        start_pass=0,
    ):
        super().__init__()  # of PyDataset, where that is the other base
        self.n = n
        self.image_data_generator = generator
        self.batch_size = positive_integer("batch_size", batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.save_to_dir = save_to_dir
        self.save_prefix = prefix
        self.save_format = save_format
        if save_to_dir is not None:
            if not cv2.haveImageWriter(f"picture.{save_format}"):
                raise ValueError(
                    f"OpenCV cannot write save_format={save_format!r}. Use 'png' or 'jpg'."
                )
            Path(save_to_dir).mkdir(parents=True, exist_ok=True)
        self._root = root_seed(seed)
        if operator.index(start_pass) < 0:
            raise ValueError(f"start_pass must be 0 or more. Received: {start_pass}.")
        self._pass = start_pass
        self._lock = threading.Lock()
        self._recycler = Recycler(keep=2)
        self._order = (None, None)  # a pass, and the order of the images in it

    def __len__(self):
        return math.ceil(self.n / self.batch_size)

    def __iter__(self):
        return self

    def __next__(self):
        with self._lock:
            place = self._pass, self.batch_index
            self.batch_index += 1
            if self.batch_index == len(self):
                self.batch_index = 0
                self._pass += 1
        return self._batch(*place)

    def next(self):
        """Return the next batch, as next(it) does."""
        return next(self)

    def __getitem__(self, index):
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index {number}.")
        return self._batch(self._pass, number % len(self))

    def reset(self):
        """Start over with the first batch; if some were taken already, of the next pass."""
        with self._lock:
            self._pass += self.batch_index > 0
            self.batch_index = 0

    def on_epoch_end(self):
        """Go on to the next pass; Keras calls it."""
        with self._lock:
            self._pass += 1

    def _batch(self, number_of_pass, number):
        order = self._order_of(number_of_pass)
        rows = order[number * self.batch_size : (number + 1) * self.batch_size]
        rng = np.random.default_rng([self._root, number_of_pass, number + 1])
        shape = len(rows), *self.image_shape
        images = self._recycler.empty(shape, self.image_data_generator.dtype)
        if self.image_data_generator.is_plain:
            self._fill(images, rows, rng)
        else:
            self._fill_one_by_one(images, rows, rng)
        if self.save_to_dir is not None:
            self._save(images, rows, rng)
        return self._with_labels(images, rows)

    def _fill(self, images, rows, rng):
        """Augment images into their places in the batch, in threads if there is much to do."""
        generator = self.image_data_generator
        transforms = generator.draw_transforms(rng.random((len(rows), DRAWS)), self.image_shape)

        def fill(start, stop):
            scratch = None
            for number in range(start, stop):
                image = generator.channels_last(self._image(rows[number]))
                place = generator.channels_last(images[number])
                into = place
                if image.dtype != place.dtype or not place.flags.c_contiguous:
                    if scratch is None:
                        scratch = np.empty(image.shape, image.dtype)
                    into = scratch
                result = transforms.apply(number, image, into)
                if result is not place:
                    place[...] = result
                image = images[number]
                standardized = generator.standardize_in_place(image)
                if standardized is not image:
                    image[...] = standardized

        share_out(fill, len(rows), size=max(1, PART_NUMBERS // images[0].size))

    def _fill_one_by_one(self, images, rows, rng):
        """The same by the methods that a user's own class, or function, may have changed."""
        generator = self.image_data_generator
        for image, row in zip(images, rows, strict=True):
            image[...] = generator.random_transform(self._image(row), seed=rng)
            image[...] = generator.standardize_in_place(image)

    def _order_of(self, number_of_pass):
        known, order = self._order
        if known != number_of_pass:
            order = np.arange(self.n)
            if self.shuffle:
                np.random.default_rng([self._root, number_of_pass, 0]).shuffle(order)
            self._order = number_of_pass, order
        return order

    def _image(self, row):
        """Return image number `row` before augmentation."""
        raise NotImplementedError

    def _with_labels(self, images, rows):
        """Return the batch as Keras takes it."""
        raise NotImplementedError

    def _save(self, images, rows, rng):
        """Write the images as pictures; their channels are taken for RGB."""
        for image, row in zip(images, rows, strict=True):
            name = f"{self.save_prefix}_{row}_{rng.integers(10_000)}.{self.save_format}"
            path = Path(self.save_to_dir) / name
            if not cv2.imwrite(str(path), _picture(image, self.image_data_generator.data_format)):
                raise OSError(f"Cannot write the picture {path}. Is the folder writable?")


class NumpyArrayIterator(Iterator):
    """Augmented batches of arrays in memory; see ImageDataGenerator.flow."""

    def __init__(
        self,
        x,
        y,
        generator,
        *,
        sample_weight=None,
        subset=None,
        ignore_class_split=False,
        **options,
    ):
        x, others = _split_inputs(x)
        y = None if y is None else np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        check_images(x, generator, "flow")
        named = [("y", y), ("sample_weight", weights)]
        for name, array in named + [("an array that goes with x", other) for other in others]:
            if array is not None and (array.ndim == 0 or len(array) != len(x)):
                raise ValueError(
                    f"x and {name} must have the same length. Received: shapes {x.shape} "
                    f"and {array.shape}."
                )
        part = self._part(len(x), y, subset, generator.validation_split, ignore_class_split)
        self.x = x[part]
        self.x_misc = [other[part] for other in others]
        self.y = None if y is None else y[part]
        self.sample_weight = None if weights is None else weights[part]
        self.image_shape = self.x.shape[1:]
        super().__init__(len(self.x), generator, **options)

    @staticmethod
    def _part(n, y, subset, validation_split, ignore_class_split):
        """Return the slice of the n images that belongs to the subset; validation comes first."""
        first, last = subset_limits(n, subset, validation_split)
        if first == last:
            raise ValueError(
                f"The subset {subset!r} has no images. Received: {n} images and "
                f"validation_split={validation_split}."
            )
        split = int(n * validation_split)
        if subset is not None and y is not None and not ignore_class_split:
            labels = [set(np.unique(part).tolist()) for part in (y[:split], y[split:])]
            if labels[0] != labels[1]:
                raise ValueError(
                    "The training and the validation subset do not have the same labels. Shuffle x "
                    "and y first if they are sorted, or pass ignore_class_split=True."
                )
        return slice(first, last)

    def _image(self, row):
        image = self.x[row]
        generator = self.image_data_generator
        # uint8 is warped as it is: OpenCV's fast path, and a quarter of the memory
        if image.dtype == np.uint8 and generator.fills_bytes:
            return image
        return image.astype(generator.dtype)

    def _with_labels(self, images, rows):
        inputs = (images, *(other[rows] for other in self.x_misc)) if self.x_misc else images
        if self.y is None:
            # Keras would take the second of several inputs for the labels
            return (inputs,) if self.x_misc else inputs
        if self.sample_weight is None:
            return inputs, self.y[rows]
        return inputs, self.y[rows], self.sample_weight[rows]


def root_seed(seed):
    """Return a whole number to derive all draws from, for an int, None or a numpy Generator."""
    if seed is None or isinstance(seed, np.random.Generator):
        return int(np.random.default_rng(seed).integers(2**63))
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(
            f"seed must be None, a whole number of at least 0, or a numpy.random.Generator. "
            f"Received: {seed!r}."
        )
    return number


def subset_limits(n, subset, validation_split):
    """Return the (first, last) rows of a subset of n; validation takes the first rows."""
    split = int(n * validation_split)
    limits = {None: (0, n), "training": (split, n), "validation": (0, split)}
    if subset not in limits:
        raise ValueError(f"subset must be 'training', 'validation' or None. Received: {subset!r}.")
    if subset is not None and not validation_split:
        raise ValueError(
            f"subset={subset!r} needs ImageDataGenerator(validation_split=...) above 0."
        )
    return limits[subset]


def check_images(x, generator, method):
    """Raise unless `x` is a non-empty rank-4 array of numbers; warn of unlikely channel counts."""
    if x.ndim != 4:
        raise ValueError(
            f"{method} takes images of rank 4: (N, H, W, C), or (N, C, H, W) for channels_first. "
            f"Received: shape {x.shape}. Grey images need a last axis: x[..., np.newaxis]."
        )
    if x.size == 0:
        raise ValueError(f"{method} needs at least one image. Received: shape {x.shape}.")
    if x.dtype.kind not in "buif":
        raise TypeError(f"{method} takes images of numbers. Received: dtype {x.dtype}.")
    channels = x.shape[generator.channel_axis]
    if channels not in {1, 3, 4}:
        warnings.warn(
            f"{method} received {x.shape}, which has {channels} channels for data_format "
            f"{generator.data_format!r}; images have 1, 3 or 4. Is the channel order right?",
            stacklevel=4,
        )


def _split_inputs(x):
    """Return the images and the list of arrays that accompany them, of x or (x, [arrays])."""
    if isinstance(x, tuple | list) and len(x) == 2 and getattr(x[0], "ndim", None) == 4:
        others = x[1] if isinstance(x[1], list) else [x[1]]
        return np.asarray(x[0]), [np.asarray(other) for other in others]
    return np.asarray(x), []


def _picture(image, data_format):
    """Return an RGB image of any value range as the uint8 array that cv2.imwrite takes."""
    if data_format == "channels_first":
        image = image.transpose(1, 2, 0)
    channels = image.shape[2]
    if channels not in {1, 3, 4}:
        raise ValueError(f"A picture has 1, 3 or 4 channels. Received: {channels} to save.")
    low, high = float(image.min()), float(image.max())
    if low < 0 or high > 255:  # standardized: darkest to black, brightest to white
        image = (image - low) * (255 / (high - low))
    elif high <= 1:
        image = image * 255
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    return np.ascontiguousarray(cast(image[:, :, order], np.dtype(np.uint8)))
