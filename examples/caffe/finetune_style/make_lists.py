"""Write the image lists that an ImageData layer reads: a line `path label` for each picture.

    python examples/caffe/finetune_style/make_lists.py --dataset datasets/styles

Reads DATASET/STYLE/*.jpg, one folder for each of the 20 styles, and writes train.txt (4/5 of each
style), test.txt, and style_names.txt, whose line n names the label n - 1. Paths are absolute, so
that training finds them from any folder.
"""

import argparse
from pathlib import Path

from sklearn.model_selection import train_test_split

from pyimagesearch.datasets import list_class_folders
from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.script import run

OUTPUT = Path(__file__).resolve().parents[3] / "output" / "caffe" / "finetune_style"
NET_CLASSES = 20  # num_output of the layer fc8_style


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("-d", "--dataset", required=True, help="folder of one folder for each style")
    ap.add_argument("-o", "--output", default=OUTPUT, type=Path, help="folder to write")
    ap.add_argument("-s", "--seed", type=int, default=42, help="seed of the split and the order")
    ap.add_argument("--overwrite", action="store_true", help="replace lists that exist")
    args = vars(ap.parse_args())

    paths, labels, names = list_class_folders(Path(args["dataset"]).resolve())
    strange = next((path for path in paths if "\n" in str(path)), None)
    if strange is not None:
        raise ValueError(f"A list has one path a line. Rename {str(strange)!r}.")
    train, test = split(paths, labels, names, args["seed"])
    lists = {
        "train.txt": [f"{path} {label}" for path, label in train],
        "test.txt": [f"{path} {label}" for path, label in test],
        "style_names.txt": names,
    }
    for name in lists:
        if (args["output"] / name).exists() and not args["overwrite"]:
            raise FileExistsError(f"{args['output'] / name} exists. Add --overwrite to replace it.")
    for name, lines in lists.items():
        with replacing(args["output"] / name) as temporary:
            # names of files are bytes, and need not be UTF-8
            text = "".join(f"{line}\n" for line in lines)
            temporary.write_bytes(text.encode(errors="surrogateescape"))
        print(f"[INFO] {args['output'] / name}: {len(lines)} lines")
    if len(names) != NET_CLASSES:
        print(
            f"[WARNING] {len(names)} classes: set num_output of fc8_style to {len(names)} in "
            "train_val.prototxt and deploy.prototxt"
        )


def split(paths, labels, names, seed):
    """Return two lists of (path, label): 4/5 and 1/5 of each class, both in mixed order."""
    smallest = min(names, key=lambda name: sum(path.parent.name == name for path in paths))
    count = sum(path.parent.name == smallest for path in paths)
    if count < 2 or len(paths) < 5 * len(names):
        raise ValueError(
            "Each class needs five pictures or so, to train on four and to test on one. "
            f"Received: {len(paths)} of {len(names)} classes, {count} of them in {smallest!r}."
        )
    return train_test_split(
        list(zip(paths, labels.tolist(), strict=True)),
        test_size=0.2,
        stratify=labels,
        random_state=seed,
    )


if __name__ == "__main__":
    run(main)
