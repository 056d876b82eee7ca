"""Run a script of 2017 unmodified: python -m pyimagesearch.keras2 [--explain] script.py ...

Python looks for modules in the current folder first. If that has a `pyimagesearch` of its own, the
copy of a reader of the book, say `python -P -m pyimagesearch.keras2`, or `pyimagesearch-keras2`.
"""

import argparse
import sys


def main():
    """Run a script, or with --report first look through old code; return the exit status."""
    if sys.argv[1:2] == ["--report"]:
        from pyimagesearch.keras2.report import main as report  # noqa: PLC0415  one job or the other

        return report(sys.argv[2:])
    ap = argparse.ArgumentParser(
        prog="python -m pyimagesearch.keras2",
        description="Run a script that was written for Keras 1 or 2, unmodified, on Keras 3.",
        epilog="python -m pyimagesearch.keras2 --report PATH ... looks through old code instead, "
        "without running it, and says what must change. See --report --help.",
    )
    ap.add_argument(
        "--explain",
        action="store_true",
        help="list at the end which old names the run used, and their modern forms",
    )
    ap.add_argument(
        "--unsafe",
        action="store_true",
        help="let the script load models with Lambda layers or custom code, which can run anything",
    )
    ap.add_argument("script", nargs="?", help="the script to run")
    ap.add_argument("args", nargs=argparse.REMAINDER, help="the script's own arguments")
    args = ap.parse_args()
    if args.script is None:
        ap.error("there is no script to run. Name one: python -m pyimagesearch.keras2 train.py")
    from pyimagesearch.keras2.runner import run  # noqa: PLC0415  --help needs none of it

    run(args.script, args.args, explained=args.explain, unsafe=args.unsafe)


if __name__ == "__main__":
    sys.exit(main())
