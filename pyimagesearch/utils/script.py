"""What the example scripts share at their edges: errors, exit status and progress bars."""

import argparse
import math
import os
import sys

import progressbar


def run(main):
    """Call a script's `main` and turn an error of its input into one sentence and an exit status.

    A ValueError or OSError (a missing file, a full disk, a wrong option) prints its message and
    exits with 1, ctrl+c exits with 130. With PYIMAGESEARCH_TRACEBACK=1 in the environment the
    whole traceback is shown.
    """
    try:
        main()
    except (ValueError, OSError) as error:
        if os.environ.get("PYIMAGESEARCH_TRACEBACK"):
            raise
        sys.exit("\n".join([f"[ERROR] {error}", *getattr(error, "__notes__", [])]))
    except KeyboardInterrupt:
        print("\n[INFO] interrupted")
        sys.exit(130)


def positive_int(text):
    """Return a whole number of 1 or more; as `type=` of an option."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return number


def positive_float(text):
    """Return a finite number above 0; as `type=` of an option."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0. Received: {text}")
    return number


def progress(label, total):
    """Return a started progress bar of `total` steps: call `.update(done)`, then `.finish()`."""
    widgets = [
        f"{label}: ",
        *(progressbar.Percentage(), " ", progressbar.Bar(), " "),
        *(progressbar.SimpleProgress(format="%(value_s)s/%(max_value_s)s"), " ", progressbar.ETA()),
    ]
    return progressbar.ProgressBar(max_value=total, widgets=widgets).start()


def report_skipped(skipped):
    """Print the files that a build left out: a list of (path, error)."""
    if skipped:
        print(f"[WARNING] {len(skipped)} files could not be read and were left out:")
        for _, error in skipped:
            print(f"    {error}")


def option_words(args):
    """Return these options as command line words: {"start_epoch": 3} as --start-epoch 3.

    A list is an option of several words, True a flag; None and False are left out.
    """
    words = []
    for name, value in args.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif isinstance(value, list):
            words += [flag, *map(str, value)]
        elif value is not None and value is not False:
            words += [flag, str(value)]
    return words
