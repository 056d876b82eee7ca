"""The whole chapter in minutes: data set, training, evaluation, pictures. `make demo` runs it.

    python examples/dogs_vs_cats/demo.py

Takes real photographs where datasets/kaggle_dogs_vs_cats/train has them, and else draws some.
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from config import dogs_vs_cats_config as config
from pyimagesearch.utils.script import option_words, positive_int, run

HERE = Path(__file__).resolve().parent
DRAWN = config.PROJECT / "datasets" / "drawn_dogs_vs_cats"
OUTPUT = config.PROJECT / "output" / "demo"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-o", "--output", default=OUTPUT, type=Path, help="folder to write")
    ap.add_argument(
        "-n", "--images", type=positive_int, default=1000, help="images to use, of both classes"
    )
    ap.add_argument("-e", "--epochs", type=positive_int, default=8, help="epochs to train")
    args = vars(ap.parse_args())
    output, images = args["output"], args["images"]

    dataset = config.DATASET
    if (dataset / "train").is_dir():
        print(f"[INFO] using {images} of the photographs in {dataset}")
    else:
        print(f"[INFO] no photographs in {dataset / 'train'}: using drawn cats and dogs instead")
        dataset = DRAWN
        step("draw_dogs_vs_cats", output=dataset, count=images, overwrite=True)
    hdf5 = output / "hdf5"
    step("build_dogs_vs_cats", dataset=dataset, output=hdf5, limit=images // 2, overwrite=True)
    step("train_alexnet", dataset=hdf5, output=output, epochs=args["epochs"], batch_size=32)
    step("crop_accuracy", dataset=hdf5, model=output / "alexnet.keras", montage=output / "test.png")
    print(f"[INFO] learning curve: {output / 'alexnet.png'}")
    print(f"[INFO] test images with the network's verdicts: {output / 'test.png'}")


def step(script, **options):
    """Run a script of this chapter, as a user would, and stop if it fails."""
    command = [str(HERE / f"{script}.py"), *option_words(options)]
    shown = [os.path.relpath(word) if Path(word).is_absolute() else word for word in command]
    print(f"\n$ python {shlex.join(shown)}", flush=True)
    status = subprocess.run([sys.executable, *command], check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    run(main)
