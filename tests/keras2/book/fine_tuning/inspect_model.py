# usage: python inspect_model.py --include-top -1
from keras.applications import VGG16
import argparse

ap = argparse.ArgumentParser()
ap.add_argument("-i", "--include-top", type=int, default=1, help="1 with the head, -1 without")
ap.add_argument("-w", "--weights", default="imagenet", help="imagenet, or random for a dry run")
args = vars(ap.parse_args())

print("[INFO] loading network...")
model = VGG16(weights=None if args["weights"] == "random" else args["weights"],
    include_top=args["include_top"] > 0)

print("[INFO] showing layers...")
for (i, layer) in enumerate(model.layers):
    print("[INFO] {}\t{}".format(i, layer.__class__.__name__))
