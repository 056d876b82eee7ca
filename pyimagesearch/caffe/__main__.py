"""Caffe's tools for Keras: `python -m pyimagesearch.caffe --help`."""

import argparse

from pyimagesearch.utils.script import positive_int, run


def main():
    ap = argparse.ArgumentParser(
        prog="python -m pyimagesearch.caffe", description="Caffe's nets, weights and data in Keras"
    )
    commands = ap.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (add_convert, add_lmdb, add_train, add_time, add_draw):
        add(commands)
    args = vars(ap.parse_args())
    try:
        args["function"](args)
    except (NotImplementedError, ModuleNotFoundError) as error:  # a layer, or an optional package
        raise ValueError(str(error)) from error


def add_convert(commands):
    command = commands.add_parser(
        "convert",
        help="a net and its weights to a .keras file",
        description="Write a net with its weights as a .keras file, channels last, its inputs in "
        "the net's own channel order (BGR stays BGR).",
    )
    command.add_argument("net", help="deploy.prototxt")
    command.add_argument("weights", help=".caffemodel")
    command.add_argument("target", help=".keras file to write")
    command.add_argument("--overwrite", action="store_true", help="replace an existing file")
    command.set_defaults(function=convert)


def convert(args):
    from pyimagesearch.training import quiet  # noqa: F401, PLC0415  # isort: skip
    from pyimagesearch.caffe.load import convert as write  # noqa: PLC0415 (Keras takes seconds)

    write(args["net"], args["weights"], args["target"], overwrite=args["overwrite"])
    print(f"[INFO] {args['target']} written")


def add_lmdb(commands):
    command = commands.add_parser(
        "lmdb",
        help="an LMDB to an HDF5 file of this package",
        description="Write the images and labels of an LMDB to an HDF5 file, which "
        "HDF5DatasetGenerator reads, in the order of the keys. Colours stay BGR.",
    )
    command.add_argument("source", help="folder of the LMDB, or its data.mdb")
    command.add_argument("target", help="HDF5 file to write")
    command.add_argument(
        "--size",
        type=positive_int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="resize all images (default: all must have one size)",
    )
    command.add_argument("--encode", choices=("jpeg", "png"), help="keep the images as such files")
    command.add_argument("--classes", nargs="+", metavar="NAME", help="class names, label 0 first")
    command.add_argument("--overwrite", action="store_true", help="replace an existing file")
    command.add_argument("--resume", action="store_true", help="go on after a kill")
    command.set_defaults(function=lmdb)


def lmdb(args):
    from pyimagesearch.caffe.convertlmdb import lmdb_to_hdf5  # noqa: PLC0415

    count = lmdb_to_hdf5(
        args["source"],
        args["target"],
        size=args["size"] and tuple(args["size"]),
        encode=args["encode"],
        classLabels=args["classes"],
        overwrite=args["overwrite"],
        resume=args["resume"],
    )
    print(f"[INFO] {count:,} images written to {args['target']}")


def add_train(commands):
    command = commands.add_parser(
        "train",
        help="train a net as its solver says",
        description="Train a net on its own data layers to max_iter, with the tests, snapshots and "
        "lines of the log that the solver asks for. Beside the snapshots lie <prefix>_log.jsonl "
        "and the learning curve, <prefix>_log.png.",
    )
    command.add_argument("--solver", required=True, help="solver.prototxt")
    command.add_argument(
        "--weights", help="start from these: .caffemodel or .keras, by the layers' names"
    )
    command.add_argument("--snapshot", help="go on from it: PREFIX_iter_N.keras, or a .solverstate")
    command.add_argument(
        "--resume", action="store_true", help="go on from the newest snapshot, if there is one"
    )
    command.set_defaults(function=train)


def train(args):
    from pyimagesearch.training import quiet  # noqa: F401, PLC0415  # isort: skip
    from pyimagesearch.caffe.training import train as run_solver  # noqa: PLC0415

    run_solver(
        args["solver"],
        weights=args["weights"],
        snapshot=args["snapshot"],
        resume=args["resume"],
    )


def add_time(commands):
    command = commands.add_parser(
        "time",
        help="how long each layer takes",
        description="Measure the forward and backward time of each layer on random input: a "
        "table, and a bar chart as a picture.",
    )
    command.add_argument("net", help="deploy.prototxt")
    command.add_argument("--iterations", type=positive_int, default=50, help="default 50")
    command.add_argument("--phase", choices=("TRAIN", "TEST"), default="TRAIN", help="or TEST")
    command.add_argument(
        "--batch", type=positive_int, help="images in a batch (default: what the net says, or 1)"
    )
    command.add_argument("--chart", help="picture to write (default: NET_time.png here)")
    command.set_defaults(function=time)


def time(args):
    from pyimagesearch.training import quiet  # noqa: F401, PLC0415  # isort: skip
    from pyimagesearch.caffe.timing import time_net  # noqa: PLC0415

    time_net(
        args["net"],
        iterations=args["iterations"],
        phase=args["phase"],
        batch=args["batch"],
        chart=args["chart"],
    )


def add_draw(commands):
    command = commands.add_parser("draw", help="a picture of a net")
    command.add_argument("net", help=".prototxt")
    command.add_argument("picture", help=".png, .jpg, .pdf or .svg file to write")
    command.add_argument("--phase", choices=("TRAIN", "TEST"), default="TEST", help="default TEST")
    command.set_defaults(function=draw)


def draw(args):
    from pyimagesearch.caffe._net import read_net  # noqa: PLC0415
    from pyimagesearch.caffe.draw import draw_net  # noqa: PLC0415

    draw_net(read_net(args["net"], args["phase"]), args["picture"])
    print(f"[INFO] {args['picture']} written")


if __name__ == "__main__":
    run(main)
