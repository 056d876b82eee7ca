"""Draw cats and dogs to practise on where Kaggle's photographs are not at hand.

    python examples/dogs_vs_cats/draw_dogs_vs_cats.py

Writes OUTPUT/train/cat.N.jpg and dog.N.jpg, half each, and one picture that shows thirty of them.
1,000 drawings take about 7 seconds and 40 MB.
"""

import argparse

from config import dogs_vs_cats_config as config
from pyimagesearch.datasets import draw_dogs_vs_cats
from pyimagesearch.utils.images import check_image_suffix, read_image, write_image
from pyimagesearch.utils.montage import montage
from pyimagesearch.utils.script import positive_int, progress, run

DRAWN = config.PROJECT / "datasets" / "drawn_dogs_vs_cats"
MONTAGE = config.PROJECT / "output" / "drawn_dogs_vs_cats.png"


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-o", "--output", default=DRAWN, help="folder to write")
    ap.add_argument("-n", "--count", type=positive_int, default=1000, help="number of pictures")
    ap.add_argument("-s", "--seed", type=int, default=42, help="another seed, other pictures")
    ap.add_argument("--montage", default=MONTAGE, help="picture of the first thirty to write")
    ap.add_argument("--overwrite", action="store_true", help="replace what was drawn before")
    args = vars(ap.parse_args())
    check_image_suffix(args["montage"])

    print(f"[INFO] drawing {args['count']} cats and dogs in {args['output']}...")
    bar = progress("pictures", max(0, args["count"]))
    paths = draw_dogs_vs_cats(
        args["output"],
        args["count"],
        args["seed"],
        overwrite=args["overwrite"],
        progress=bar.update,
    )
    bar.finish()

    sheet = montage([read_image(path) for path in paths[:30]], columns=6, size=(240, 240))
    write_image(args["montage"], sheet)
    print(f"[INFO] some of them: {args['montage']}")


if __name__ == "__main__":
    run(main)
