"""Draw the pictures of the regression example into HDF5 files, as HDF5Data layers read them.

    python examples/caffe/regression/make_data.py

Writes train.hdf5 and test.hdf5, each with the data sets "data" (N x 3 x 32 x 32 float32, BGR of 0
to 1) and "label" (N x 4: left, top, right, bottom of the shape, in parts of the side), and the
lists train_h5.txt and test_h5.txt, which the net names. 1 second, 75 MB.
"""

import argparse
from pathlib import Path

import cv2
import h5py
import numpy as np

from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import positive_int, run

OUTPUT = Path(__file__).resolve().parents[3] / "output" / "caffe" / "regression"
SIZE = 32  # pixels a side


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-o", "--output", default=OUTPUT, type=Path, help="folder to write")
    ap.add_argument("--train", type=positive_int, default=5000, help="pictures to train on")
    ap.add_argument("--test", type=positive_int, default=1000, help="pictures to test on")
    ap.add_argument("-s", "--seed", type=int, default=42, help="another seed, other pictures")
    ap.add_argument("--overwrite", action="store_true", help="replace what was drawn before")
    args = vars(ap.parse_args())
    output = args["output"].absolute()
    for name in ("train.hdf5", "test.hdf5"):
        if (output / name).exists() and not args["overwrite"]:
            raise FileExistsError(f"{output / name} exists. Add --overwrite to replace it.")

    for part, name in enumerate(["train", "test"]):
        images, boxes = draw_shapes(args[name], seed=[args["seed"], part])
        path = output / f"{name}.hdf5"
        with replacing(path) as temporary, h5py.File(temporary, "w") as db:
            db["data"] = images  # the names of the layer's tops
            db["label"] = boxes
        with replacing(output / f"{name}_h5.txt") as temporary:
            temporary.write_text(f"{path}\n", encoding="utf-8")  # a file a line; here it is one
        print(f"[INFO] {path}: {len(images)} pictures")


def draw_shapes(count, seed):
    """Draw ellipses of any colour, size and angle on backgrounds of another, and the boxes of them.

    Returns:
        images: (count, 3, SIZE, SIZE) float32 of 0 to 1, BGR.
        boxes: (count, 4) float32: left, top, right, bottom of the ellipse in parts of the side,
            0 at the left or the top, 1 at the right or the bottom.
    """
    rng = np.random.default_rng(seed)
    images = np.empty((count, 3, SIZE, SIZE), np.float32)
    boxes = np.empty((count, 4), np.float32)
    for image, box in zip(images, boxes, strict=True):
        ground, colour = rng.integers(0, 90, 3), rng.integers(150, 256, 3)
        if rng.random() < 0.5:
            ground, colour = colour, ground
        picture = np.full((SIZE, SIZE, 3), ground, np.uint8)
        mask = np.zeros((SIZE, SIZE), np.uint8)
        axes, centre = rng.integers(4, 10, 2), rng.integers(10, SIZE - 10, 2)
        cv2.ellipse(mask, centre.tolist(), axes.tolist(), rng.uniform(0, 180), 0, 360, 255, -1)
        picture[mask > 0] = colour
        noisy = picture + rng.normal(0, 8, picture.shape)
        image[:] = np.clip(noisy, 0, 255).transpose(2, 0, 1) / 255
        left, top, width, height = cv2.boundingRect(mask)
        box[:] = np.array([left, top, left + width, top + height]) / SIZE
    return images, boxes


if __name__ == "__main__":
    run(main)
