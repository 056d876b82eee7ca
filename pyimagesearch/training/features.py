"""Run images through a network into an HDF5 file of features."""

import contextlib

import cv2

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.preprocessing import SimplePreprocessor
from pyimagesearch.utils.images import MAX_PIXELS, ImageError, read_image
from pyimagesearch.utils.parallel import ordered_map


def extract_features(
    paths,
    labels,
    backbone,
    outputPath,
    *,
    classLabels,
    batchSize=32,
    bufSize=1000,
    strict=False,
    overwrite=False,
    progress=None,
    maxPixels=MAX_PIXELS,
):
    """Store the features of every readable image, in the order given.

    Images are read and resized in threads while the network works; however many there are, only
    some batches of them are in memory.

    Args:
        paths: image files.
        labels: one int for each path.
        backbone: Backbone, from `load_backbone`.
        outputPath: the HDF5 file to write: "features" (n, backbone.features) float32, "labels"
            and "label_names".
        classLabels: names of the classes.
        batchSize: images the network sees at once.
        bufSize: rows that the writer holds before it writes them.
        strict: raise at the first unreadable image instead of skipping it.
        overwrite: replace an existing `outputPath`.
        progress: called with the number of images done so far.
        maxPixels: largest width * height of an image, see `utils.images.read_image`.
    Returns:
        List of (path, error) of the images that could not be read.
    Raises:
        FileExistsError: if `outputPath` exists and `overwrite` is false.
        ImageError: if `strict` and an image cannot be read.
        ValueError: if no image can be read.
    """
    skipped = []
    # bilinear as Keras reads data sets: averaging areas takes longer than decoding the JPEG
    resize = SimplePreprocessor(backbone.width, backbone.height, cv2.INTER_LINEAR)

    def read(path):
        try:
            return resize.preprocess(read_image(path, maxPixels=maxPixels)), None
        except (ImageError, OSError) as error:
            return None, error

    def batches(images):
        """Yield (images, labels, number of paths so far), the broken ones left out."""
        held, held_labels = [], []
        pairs = zip(paths, labels, images, strict=True)
        for done, (path, label, (image, error)) in enumerate(pairs, start=1):
            if error is None:
                held.append(image)
                held_labels.append(label)
            elif strict:
                raise error
            else:
                skipped.append((path, error))
            if len(held) == batchSize or (held and done == len(paths)):
                yield held, held_labels, done
                held, held_labels = [], []

    def prepare(batch):
        images, batch_labels, done = batch
        return backbone.prepare(images), batch_labels, done

    shape = (len(paths), backbone.features)
    with (
        HDF5DatasetWriter(shape, outputPath, "features", bufSize, overwrite=overwrite) as writer,
        contextlib.closing(ordered_map(read, paths, ahead=2 * batchSize)) as images,
        # one batch ahead: it is made the network's input while the network works on another
        contextlib.closing(ordered_map(prepare, batches(images), workers=1, ahead=2)) as prepared,
    ):
        writer.storeClassLabels(classLabels)
        for inputs, batch_labels, done in prepared:
            writer.add(backbone.extract(inputs), batch_labels)
            if progress is not None:
                progress(done)
        if len(skipped) == len(paths):
            raise ValueError(f"None of the {len(paths)} images could be read. {skipped[0][1]}")
    return skipped
