"""The batches that a net's own data layers give."""

import math
import os
import threading
import zlib

import cv2
import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._lmdb import Lmdb
from pyimagesearch.caffe._paths import resolve
from pyimagesearch.caffe._transform import Transform
from pyimagesearch.caffe._wire import HDF5_SIGN, read_datum
from pyimagesearch.caffe.datums import RecordName, decode_datum
from pyimagesearch.caffe.imagelist import read_image_list
from pyimagesearch.utils.images import decode_image, read_limited
from pyimagesearch.utils.parallel import share_out, usable_cores

MOST_BATCH_BYTES = 2**33
PART_BYTES = 2**20  # of pixels that a thread gets at once, at least: less is not worth a thread
LABELS = np.iinfo(np.int32)
SKIP, ORDER, BATCH = 1, 2, 3  # what random numbers are for, so that each has its own


def data_feed(layer, phase, seed=None):
    """Return the Feed of a data layer.

    Args:
        layer: a `Layer` of a Net, of type Data (LMDB), ImageData or HDF5Data.
        phase: "TRAIN" or "TEST": whether images are cropped at random places or in the centre.
        seed: a whole number of 0 or more. Batches are a function of it and of their number alone.
            Default: another one each time, see `Feed.seed`.
    Raises:
        FileNotFoundError: naming layer, line and the places looked in, if a file is not there.
        CaffeError: if the layer's options or files are not usable.
        NotImplementedError: for other layers, and for a LevelDB.
    """
    if layer.type not in FEEDS:
        raise NotImplementedError(
            f"{layer.where}: layer {layer.name!r} ({layer.type}) gives no batches here. Data with "
            "an LMDB, ImageData and HDF5Data do."
        )
    return FEEDS[layer.type](layer, phase, seed)


class Feed:
    """The batches of a data layer, without end; they wrap around the data as Caffe's do.

    For several threads, though the batches of an LMDB are read fastest one after the other.

    Attributes:
        shapes: {blob: shape} of its tops without the batch, images as (H, W, C).
        batch_size: images in a batch.
        size: images in the data.
        seed: what chance depends on.
    """

    def __init__(self, layer, phase, seed, options):
        if phase not in {"TRAIN", "TEST"}:
            raise ValueError(f'phase must be "TRAIN" or "TEST". Received: {phase!r}.')
        self.layer = layer
        self.options = options
        self.seed = int.from_bytes(os.urandom(4), "little") if seed is None else seed
        self.batch_size = options.batch_size
        self.shapes = {}
        self.size = 0
        if not self.batch_size:
            raise self.error("batch_size must be 1 or more", "batch_size")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Close the files. Closing twice does nothing."""

    def batch(self, number):
        """Return batch `number`, from 0: {blob: array}, images (batch_size, H, W, C) float32."""
        raise NotImplementedError

    def rng(self, *numbers):
        """Return a random generator of the seed, this layer, and these numbers."""
        return np.random.default_rng([self.seed, zlib.crc32(self.layer.name.encode()), *numbers])

    def error(self, what, option=None):
        """Return a CaffeError that names layer and line."""
        where = self.options.where_of(option) if option else self.layer.where
        return CaffeError(f"{where}: layer {self.layer.name!r} ({self.layer.type}): {what}.")

    def found(self, message, option):
        """Return the path of a file that an option names."""
        name = getattr(message, option)
        if not name:
            raise self.error(f"it has no {option}")
        return self.resolved(name, f"its {option}", message.where_of(option))

    def resolved(self, name, what="that image", where=None):
        """Return the path of a file that the layer names."""
        try:
            return resolve(name, self.layer.message.path)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{where or self.layer.where}: layer {self.layer.name!r} ({self.layer.type}) "
                f"needs {what}. {error}"
            ) from None

    def require_fitting(self):
        """Raise CaffeError if no memory holds a batch."""
        numbers = sum(math.prod(shape) for shape in self.shapes.values())
        if 4 * numbers * self.batch_size > MOST_BATCH_BYTES:
            raise self.error(
                f"a batch of {self.batch_size:,} takes {4 * numbers * self.batch_size / 2**30:,.0f}"
                " GB of memory",
                "batch_size",
            )


class ImageFeed(Feed):
    """What Data and ImageData layers have in common: images with labels, and a transform."""

    def __init__(self, layer, phase, seed, options):
        super().__init__(layer, phase, seed, options)
        transform = layer.message.transform_param
        mean = self.found(transform, "mean_file") if transform.mean_file else None
        self.transform = Transform(layer, phase, mean)
        skip = options.rand_skip
        self.skip = int(self.rng(SKIP).integers(skip)) if skip else 0

    def begin(self, size, image):
        """Take the shape of the first image for the shape of all."""
        self.size = size
        self.shapes = {self.layer.tops[0]: tuple(self.transform.shape(image))}
        self.shapes |= dict.fromkeys(self.layer.tops[1:], ())
        self.require_fitting()

    def batch(self, number):
        first = self.skip + number * self.batch_size
        records = self.records(first, self.batch_size)
        draws = self.transform.draw(self.rng(BATCH, number), self.batch_size)
        shape = self.shapes[self.layer.tops[0]]
        images = np.empty((self.batch_size, *shape), np.float32)
        labels = np.empty(self.batch_size, np.int32)

        def work(start, stop):
            for place in range(start, stop):
                image, labels[place] = self.read(records[place])
                self.transform.apply(image, draws[place], images[place])

        least = max(1, PART_BYTES // images[0].nbytes)
        fair = -(-self.batch_size // (4 * usable_cores()))
        share_out(work, self.batch_size, size=max(least, fair))
        return dict(zip(self.layer.tops, (images, labels), strict=False))

    def records(self, first, count):
        """Return what `read` needs of the records from number `first` on."""
        raise NotImplementedError

    def read(self, record):
        """Return (image, label); called in threads."""
        raise NotImplementedError


class DataFeed(ImageFeed):
    """The batches of a Data layer: an LMDB in the order of its keys."""

    def __init__(self, layer, phase, seed):
        options = layer.message.data_param
        super().__init__(layer, phase, seed, options)
        if not 1 <= len(layer.tops) <= 2:
            raise self.error(f"it has {len(layer.tops)} tops: images, and labels or none")
        # Caffe takes an absent one for LEVELDB; here what lies at `source` decides then
        if options.has("backend") and options.backend != "LMDB":
            raise NotImplementedError(
                f"{options.where_of('backend')}: layer {layer.name!r} (Data) reads a LevelDB, "
                "which is not read here. Make the data set again with convert_imageset "
                "--backend=lmdb, and say backend: LMDB."
            )
        self._lock = threading.Lock()
        self._items, self._next = iter(()), None
        path = self.found(options, "source")
        try:
            self._db = Lmdb(path)
        except CaffeError as error:
            raise self.error(str(error).rstrip("."), "source") from error
        try:
            first = next(self._db.items(), None)
            if first is None:
                raise self.error(f"{path} is empty: it holds no images", "source")
            self.begin(len(self._db), self.read(first)[0])
        except BaseException:
            self.close()
            raise

    def close(self):
        self._db.close()

    def records(self, first, count):
        records = []
        with self._lock:
            if self._next != first % self.size:
                self._items, self._next = self._db.items(first % self.size), None
            while len(records) < count:
                record = next(self._items, None)
                if record is None:
                    self._items = self._db.items()
                else:
                    records.append(record)
            self._next = (first + count) % self.size
        return records

    def read(self, record):
        key, value = record
        name = RecordName(key, self._db.path)
        datum = read_datum(value, name)
        colour = self.transform.colour
        image = decode_datum(datum, name, colour=colour)
        if not LABELS.min <= datum.label <= LABELS.max:
            raise self.error(f"{name} has the label {datum.label}")
        if colour and not datum.encoded and (image.shape[2] == 1) != (colour == "gray"):
            raise self.error(
                f"force_{colour} is for encoded images, and {name} is a raw one of "
                f"{image.shape[2]} channels. Leave it out, or make the LMDB again with --encoded"
            )
        if image.dtype != np.uint8 and not np.isfinite(image).all():
            raise self.error(f"{name} holds NaN or infinite numbers")
        return image, datum.label


class ImageDataFeed(ImageFeed):
    """The batches of an ImageData layer: image files of a list."""

    def __init__(self, layer, phase, seed):
        options = layer.message.image_data_param
        super().__init__(layer, phase, seed, options)
        if len(layer.tops) != 2:
            raise self.error(f"it has {len(layer.tops)} tops, and needs two: images and labels")
        self._resize = options.new_height, options.new_width
        if 0 in self._resize and self._resize != (0, 0):
            raise self.error("new_height and new_width come together", "new_height")
        if max(self._resize) >= 2**15:
            raise self.error(f"new_height and new_width are {self._resize}", "new_height")
        self._orders = {}
        source = self.found(options, "source")
        try:
            self._paths, self._labels = read_image_list(source, options.root_folder)
        except CaffeError as error:
            raise self.error(str(error).rstrip("."), "source") from error
        if self.skip >= len(self._paths):
            raise self.error(f"rand_skip leaves out {self.skip} of {len(self._paths)} images")
        self.begin(len(self._paths), self.read(0)[0])

    def records(self, first, count):
        return [self._order(n // self.size)[n % self.size] for n in range(first, first + count)]

    def _order(self, number):
        if not self.options.shuffle:
            return range(self.size)
        orders = self._orders
        if number not in orders:
            orders = {n: order for n, order in orders.items() if n == number - 1}
            orders[number] = self.rng(ORDER, number).permutation(self.size)
            self._orders = orders
        return orders[number]

    def read(self, record):
        path = self.resolved(self._paths[record])
        with path.open("rb") as file:
            data = read_limited(file, path)
        image = decode_image(data, path, grey=not self.options.is_color)
        height, width = self._resize
        if height:
            image = cv2.resize(image, (width, height)).reshape(height, width, image.shape[2])
        return image, self._labels[record]


class HDF5Feed(Feed):
    """The batches of an HDF5Data layer: rows of the files of a list, as they are stored."""

    def __init__(self, layer, phase, seed):
        options = layer.message.hdf5_data_param
        super().__init__(layer, phase, seed, options)
        if layer.message.has("transform_param"):
            raise self.error("it takes no transform_param: rows come as they are stored")
        source = self.found(options, "source")
        with source.open("rb") as file:
            if file.read(len(HDF5_SIGN)) == HDF5_SIGN:
                raise self.error(
                    f"{source} is an HDF5 file. Write its path into a text file, a file a line, "
                    "and name that",
                    "source",
                )
        with source.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            names = [line.strip() for line in file if line.strip()]
        if not names:
            raise self.error(f"{source} lists no files", "source")
        from pyimagesearch.caffe._hdf5rows import HDF5Rows  # noqa: PLC0415 (h5py, for this alone)

        self._lock = threading.Lock()
        self._rows = HDF5Rows([self.resolved(name, "that file") for name in names], layer.tops)
        self._orders = {}
        self.size = len(self._rows)
        self.shapes = self._rows.shapes
        self.require_fitting()

    def close(self):
        self._rows.close()

    def batch(self, number):
        first = number * self.batch_size
        with self._lock:
            places = [self._place(n) for n in range(first, first + self.batch_size)]
            return self._rows.take(places)

    def _place(self, number):
        """Return (file, row) of a row counted through all passes."""
        turn, index = divmod(number, self.size)
        if turn not in self._orders:
            self._orders = {n: order for n, order in self._orders.items() if n == turn - 1}
            self._orders[turn] = self._rows.order(
                self.rng(ORDER, turn) if self.options.shuffle else None
            )
        files, starts, rows = self._orders[turn]
        at = int(np.searchsorted(starts, index, side="right")) - 1
        return files[at], int(rows[at][index - starts[at]])


FEEDS = {"Data": DataFeed, "ImageData": ImageDataFeed, "HDF5Data": HDF5Feed}
