"""See what data augmentation makes of one image.

    python examples/data_augmentation/augmentation_demo.py --image photo.jpg \\
        --output output/augmentation

Writes image_00.jpg, image_01.jpg, ... and image_montage.png, which shows the original first.
"""

import argparse
from pathlib import Path

import numpy as np

from pyimagesearch.preprocessing import ImageDataGenerator
from pyimagesearch.utils.images import read_image, write_image
from pyimagesearch.utils.montage import montage
from pyimagesearch.utils.script import positive_int, run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-i", "--image", required=True, help="image to augment")
    ap.add_argument("-o", "--output", required=True, help="folder to write to")
    ap.add_argument("-p", "--prefix", default="image", help="how the names of the files begin")
    ap.add_argument(
        "-n", "--count", type=positive_int, default=10, help="number of augmented images"
    )
    ap.add_argument("--seed", type=int, default=42, help="seed of the augmentation")
    ap.add_argument("--overwrite", action="store_true", help="replace files that exist")
    args = vars(ap.parse_args())
    output, prefix = Path(args["output"]), args["prefix"]
    names = [f"{prefix}_{number:02}.jpg" for number in range(args["count"])]
    paths = [output / name for name in [*names, f"{prefix}_montage.png"]]
    existing = [path for path in paths if path.exists()]
    if existing and not args["overwrite"]:
        raise FileExistsError(f"{existing[0]} exists. Give another --prefix, or --overwrite.")

    print("[INFO] loading image...")
    image = read_image(args["image"])
    aug = ImageDataGenerator(
        rotation_range=30,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=11.5,  # degrees: 0.2 radians in the book
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
    )

    # a batch of one image, (1, H, W, 3), without end; the colours stay in OpenCV's order, BGR,
    # while the flow's own save_to_dir would take them for RGB
    print("[INFO] generating images...")
    flow = aug.flow(image[np.newaxis], batch_size=1, seed=args["seed"])
    augmented = [next(flow)[0].astype("uint8") for _ in names]
    pictures = [*augmented, montage([image, *augmented], columns=4, size=(240, 240))]
    for path, picture in zip(paths, pictures, strict=True):
        write_image(path, picture)
    print(f"[INFO] {len(augmented)} images and {paths[-1]}")


if __name__ == "__main__":
    run(main)
