"""Draw the pictures of the regression example into HDF5 files, as HDF5Data layers read them.

    python examples/caffe/regression/make_data.py

Writes train.hdf5 and test.hdf5, each with the data sets "data" (N x 3 x 32 x 32 float32, BGR of 0
to 1) and "label" (N x 4: left, top, right, bottom of the shape, in parts of the side), and the
lists train_h5.txt and test_h5.txt, which the net names. 2 seconds, 80 MB.
"""

import argparse
from pathlib import Path

import h5py
from shapes import draw_shapes

from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import positive_int, run

OUTPUT = Path(__file__).resolve().parents[3] / "output" / "caffe" / "regression"


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


if __name__ == "__main__":
    run(main)
