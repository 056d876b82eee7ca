"""Three options that make a training faster on some machines, and no different unless given."""

import warnings
import zipfile
from pathlib import Path

import keras

from pyimagesearch.callbacks.checkpointnote import LEGACY
from pyimagesearch.training.untrusted import check_archive
from pyimagesearch.utils.hdf5safety import open_hdf5
from pyimagesearch.utils.script import positive_int


def add_speed_options(ap):
    """Add --mixed-precision, --jit and --steps-per-execution to an argparse.ArgumentParser."""
    ap.add_argument(
        "--mixed-precision",
        nargs="?",
        const="auto",
        choices=["auto", "float16", "bfloat16"],
        help="compute in 16 bits, keep the weights in 32: float16 on a GPU, else bfloat16",
    )
    ap.add_argument(
        "--jit",
        action="store_true",
        help="compile with XLA (TensorFlow, JAX; Keras does it by itself on JAX and on GPUs)",
    )
    ap.add_argument(
        "--steps-per-execution",
        type=positive_int,
        default=1,
        help="batches in one call of TensorFlow or JAX (default 1)",
    )


def set_precision(args):
    """Set the precision of the networks to be built, as --mixed-precision says.

    Args:
        args: dict of the script's options, as `vars(ap.parse_args())` gives it.
    """
    precision = args["mixed_precision"]
    if precision == "auto":  # without a GPU float16 is many times slower than float32
        precision = "float16" if _has_gpu() else "bfloat16"
    if precision:
        keras.config.set_dtype_policy(f"mixed_{precision}")


def speed_up(model, args, *, steps=None):
    """Let a compiled model train as --jit and --steps-per-execution say.

    Neither is saved with the model: another machine may not be able to follow.

    Args:
        model: a compiled keras.Model, new or from a checkpoint.
        args: dict of the script's options, as `vars(ap.parse_args())` gives it.
        steps: number that `fit` gets as `steps_per_epoch`, if it does. Keras runs past the end of
            such an epoch to fill the last execution, so that only a divisor of it will do.
    Raises:
        ValueError: if the backend cannot do it.
    """
    if keras.backend.backend() == "torch" and (args["jit"] or args["steps_per_execution"] > 1):
        raise ValueError(
            "--jit and --steps-per-execution are for TensorFlow and JAX. Keras runs on torch here: "
            "leave them out."
        )
    if args["jit"]:
        with warnings.catch_warnings(action="ignore"):  # what it warns of is the error below
            model.jit_compile = True
        if not model.jit_compile:
            raise ValueError(f"XLA cannot compile {model.name} on this machine: leave --jit out.")
    wanted = number = args["steps_per_execution"]
    if steps is not None:
        number = max(n for n in range(1, wanted + 1) if steps % n == 0)
    if number != wanted:
        print(f"[INFO] steps per execution: {number}, which divides the epoch's {steps} steps")
    model.steps_per_execution = number


def check_precision(path):
    """Raise a ValueError unless a checkpoint has the precision that is set for new networks.

    With another one Keras would load it without the state of its optimizer. A file that is not
    readable passes: whoever loads it finds out.
    """
    try:
        if Path(path).suffix in LEGACY:
            with open_hdf5(path) as file:
                config = file.attrs["model_config"].encode()
        else:
            check_archive(path)
            with zipfile.ZipFile(path) as archive:
                config = archive.read("config.json")
    except Exception:  # which one depends on the damage
        return
    now = keras.config.dtype_policy().name
    for precision in ("float16", "bfloat16"):
        name = f"mixed_{precision}"
        if f'"{name}"'.encode() in config:
            if name != now:
                raise ValueError(
                    f"{path} was trained with --mixed-precision {precision}: go on with it."
                )
            return
    if now.startswith("mixed_"):
        raise ValueError(f"{path} was trained without --mixed-precision: leave it out to go on.")


def _has_gpu():
    if keras.backend.backend() == "torch":  # for which Keras lists no devices
        import torch  # noqa: PLC0415

        return torch.cuda.is_available()
    return keras.distribution.list_devices()[0].startswith("gpu")
