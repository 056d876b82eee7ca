"""Commands for HDF5 data sets: `python -m pyimagesearch.io --help`."""

import argparse

from pyimagesearch.io.bench import measure_feed
from pyimagesearch.utils.script import positive_float, positive_int, run


def main():
    ap = argparse.ArgumentParser(prog="python -m pyimagesearch.io", description="HDF5 data sets")
    commands = ap.add_subparsers(dest="command", required=True)
    bench = commands.add_parser(
        "bench",
        help="images per second that a data set delivers",
        description="Measure how many images per second a data set delivers: read, cropped, "
        "augmented. A network that trains on fewer does not wait for its data.",
    )
    bench.add_argument("file", help="HDF5 file of HDF5DatasetWriter")
    bench.add_argument("-b", "--batch-size", type=positive_int, default=128)
    bench.add_argument("-w", "--workers", type=int, help="threads (default: every core, 8 at most)")
    bench.add_argument("-a", "--aug", action="store_true", help="augment as AlexNet's chapter does")
    bench.add_argument("-k", "--data-key", default="images", help="name of the rows' data set")
    bench.add_argument("--seconds", type=positive_float, default=2.0, help="to measure each step")
    args = vars(ap.parse_args())
    rates = measure_feed(
        args["file"],
        batchSize=args["batch_size"],
        workers=args["workers"],
        aug=args["aug"],
        dataKey=args["data_key"],
        seconds=args["seconds"],
    )
    for number, (name, rate) in enumerate(rates):
        if not number:  # an error in the file has come up by now
            print(f"{args['file']}, batches of {args['batch_size']}, images per second:")
        print(f"{rate:10,.0f}  {name}", flush=True)


if __name__ == "__main__":
    run(main)
