"""Show what the trained net says about the test pictures: numbers, and a picture of both boxes.

    python examples/caffe/regression/show_boxes.py \\
        --weights output/caffe/regression/shapes_iter_2000.keras

Prints the predicted and the true box of the first pictures in pixels, the mean error of a side and
the mean overlap (intersection over union), and writes boxes.png: true green, predicted red.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse
from pathlib import Path

import cv2
import numpy as np

from pyimagesearch.caffe import load_caffe
from pyimagesearch.caffe.training import copy_weights
from pyimagesearch.utils.hdf5safety import open_hdf5
from pyimagesearch.utils.images import check_image_suffix, write_image
from pyimagesearch.utils.montage import montage
from pyimagesearch.utils.script import positive_int, run

OUTPUT = Path(__file__).resolve().parents[3] / "output" / "caffe" / "regression"
DEPLOY = Path(__file__).resolve().parent / "deploy.prototxt"
SCALE = 4  # pixels of the montage for each of a picture


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-w", "--weights", required=True, help=".keras snapshot or .caffemodel")
    ap.add_argument("-n", "--net", default=DEPLOY, help="its deploy.prototxt")
    ap.add_argument("-d", "--db", default=OUTPUT / "test.hdf5", type=Path, help="HDF5 file")
    ap.add_argument("-m", "--montage", default=OUTPUT / "boxes.png", help="picture to write")
    ap.add_argument("--show", type=positive_int, default=8, help="boxes to print")
    args = vars(ap.parse_args())
    check_image_suffix(args["montage"])
    if not args["db"].is_file():
        raise FileNotFoundError(f"There is no file {args['db']}. Make it with make_data.py.")

    with open_hdf5(args["db"]) as db:
        images, boxes = db["data"][:].transpose(0, 2, 3, 1), db["label"][:]
    print(f"[INFO] loading {args['weights']} into {args['net']}...")
    model = load_caffe(args["net"])
    copy_weights(model, args["weights"], complete=True)

    side = images.shape[1]
    found = model.predict(images, batch_size=100, verbose=0)
    print("[INFO] left, top, right, bottom in pixels: predicted, true")
    for predicted, true in list(zip(found * side, boxes * side, strict=True))[: args["show"]]:
        print(f"    {numbers(predicted)}    {numbers(true)}")
    print(f"[INFO] mean error of a side: {np.abs(found - boxes).mean() * side:.2f} pixels")
    print(f"[INFO] mean overlap: {overlap(found, boxes).mean():.1%}")

    pictures = [draw(*row) for row in zip(images[:40], found, boxes, strict=False)]
    write_image(args["montage"], montage(pictures, columns=8, size=(side * SCALE, side * SCALE)))
    print(f"[INFO] true boxes green, predicted ones red: {args['montage']}")


def numbers(box):
    return " ".join(f"{side:5.1f}" for side in box)


def overlap(a, b):
    """Return the intersection over the union of boxes, (n, 4) and (n, 4) to (n,)."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    sizes = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (a, b)]
    return both / (sizes[0] + sizes[1] - both)


def draw(image, predicted, true):
    """Return a picture (h, w, 3) of 0 to 1, enlarged, as uint8 with both boxes."""
    picture = cv2.resize((image * 255).astype(np.uint8), None, fx=SCALE, fy=SCALE)
    for box, colour in ((true, (0, 200, 0)), (predicted, (0, 0, 255))):
        left, top, right, bottom = np.rint(box * len(picture)).astype(int).tolist()
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, 1)
    return picture


if __name__ == "__main__":
    run(main)
