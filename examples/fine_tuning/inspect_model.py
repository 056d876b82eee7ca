"""List the layers of a network, to choose which of them to train.

    python examples/fine_tuning/inspect_model.py --backbone vgg16 --weights none

The numbers are those that finetune_flowers17.py takes for --unfreeze.
"""

from pyimagesearch.training import quiet  # noqa: F401  # isort: skip  (before keras)

import argparse

from pyimagesearch.training.backbone import add_backbone_options, load_backbone
from pyimagesearch.utils.script import run


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_backbone_options(ap, "vgg16")
    args = vars(ap.parse_args())

    print("[INFO] loading network...")
    backbone = load_backbone(args["backbone"], args["weights"], unsafe=args["unsafe"])
    for i, layer in enumerate(backbone.model.layers):
        print(f"[INFO] {i:3}  {type(layer).__name__:22} {layer.name:28} {layer.output.shape[1:]}")


if __name__ == "__main__":
    run(main)
