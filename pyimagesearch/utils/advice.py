"""What to try next, read off a training's own numbers, or off the size of a data set.

    python -m pyimagesearch.utils.advice output/dogs_vs_cats/alexnet.json --test-error 0.08
    python -m pyimagesearch.utils.advice --images-per-class 80 --similarity similar

The errors (1 - accuracy) are compared in the order of A. Ng, "Nuts and Bolts of Building
Applications Using Deep Learning", tutorial at NIPS 2016: desired, training, training-validation
(held out of the training data), validation (of the kind the network is for), test.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyimagesearch.utils.script import run

# A difference of two error rates worth acting on. Two standard errors of a rate near one half are
# as much on 400 images: less may be chance on the sets of these chapters.
GAP = 0.05
# The validation loss has risen for good when it is 5 % above its minimum: criterion GL5 of
# L. Prechelt, "Early Stopping - But When?", 1998.
RISE = 0.05
# Fewer epochs show a start, not a course.
SHORTEST = 6
# Change of a loss from one stretch of epochs to the next (see _tail) which counts as still falling,
# and up to which it counts as flat. In between nothing is said.
FALLING, FLAT = 0.02, 0.01
# An epoch's loss is a mean over all batches: it hardly wavers unless the steps are too large. A
# jump counts against the loss of the first epoch, since one from 0.003 to 0.004 means nothing; one
# may be a resumed run's, a fifth of all epochs is not.
JUMP, JUMP_SHARE = 0.05, 0.2
# A loss that falls in the second half of the run by this share of its fall in the first one is
# nearly a straight line: at e^(-t/T), T is 1.4 times the whole run.
STRAIGHT = 0.7
# ImageNet, on which networks do train from scratch, has 1,281,167 images of 1,000 classes.
LARGE = 1000
# "acceptable performance with around 5,000 labeled examples per category": I. Goodfellow et al.,
# Deep Learning, 2016, section 1.2.2.
FROM_SCRATCH = 5000
NUMBERS = {int, float, type(None)}  # what a history holds in JSON


@dataclass(frozen=True)
class Advice:
    """A finding, the numbers it rests on, and a tuple of what to try, the best bet first."""

    finding: str
    reason: str
    steps: tuple


CASES = {
    1: (
        "high training error (underfitting)",
        (
            "a larger network",
            "train longer",
            "another learning rate or optimizer",
            "another architecture",
            "less regularization",
        ),
    ),
    2: (
        "high error on held-out data of the training kind (overfitting)",
        (
            "augmentation",
            "more training data",
            "more regularization: weight decay, dropout, stopping earlier",
            "another architecture",
        ),
    ),
    3: (
        "high validation error against training-validation (data mismatch)",
        (
            "make the training data more like the validation data",
            "collect data of the validation kind to train on",
            "synthesize such data, by augmentation for instance",
            "another architecture",
        ),
    ),
    4: (
        "high test error against validation (overfitted to the validation set)",
        (
            "more validation data",
            "choose anew among fewer models and settings: each choice fits the validation set",
        ),
    ),
}


def advise_on_errors(
    training=None, trainingValidation=None, validation=None, test=None, *, desired=0.0, gap=GAP
):
    """Say which of the four cases of the recipe hold, in its order: the first is to be fixed first.

    Args:
        training, trainingValidation, validation, test: error rates, 0 to 1; None if not known.
            Without `trainingValidation` the validation images are taken to be of the training
            kind, and case 3 cannot be seen.
        desired: error rate one hopes for, such as that of people.
        gap: difference of two error rates from which on it is a case. Equal rates never are.
    Returns:
        List of Advice; empty if none of the cases holds.
    Raises:
        ValueError: if a rate is not 0 to 1, there is none at all, or a test error comes without a
            validation error.
    """
    held_out = ("validation", validation)
    if trainingValidation is not None:
        held_out = ("training-validation", trainingValidation)
    rates = {"training": training, held_out[0]: held_out[1], "validation": validation, "test": test}
    for name, rate in {**rates, "desired": desired, "gap": gap}.items():
        if rate is not None and not 0 <= rate <= 1:
            raise ValueError(
                f"An error rate is a fraction from 0 to 1 (0.08 is 8 %). Received: {name} {rate}."
            )
    if all(rate is None for rate in rates.values()):
        raise ValueError("There is no error rate to judge. Give the training error, or a history.")
    if test is not None and validation is None:
        raise ValueError("A test error is judged against the validation error. Give that, too.")
    comparisons = {
        1: (("desired", desired), ("training", training)),
        2: (("training", training), held_out),
        3: (("training-validation", trainingValidation), ("validation", validation)),
        4: (("validation", validation), ("test", test)),
    }
    advice = []
    for case, ((before_name, before), (name, rate)) in comparisons.items():
        if before is not None and rate is not None and _reaches(rate - before, gap):
            finding, steps = CASES[case]
            points = 100 * (rate - before)
            reason = f"{name} error {rate:.1%}, {before_name} {before:.1%}: {points:.1f} points"
            if case == 2 and trainingValidation is None:
                reason += "; a data mismatch, if the validation images are of another kind"
            advice.append(Advice(f"case {case} of 4: {finding}", reason, steps))
    return advice


def advise_on_curves(history):
    """Say what the course of the losses shows: divergence, overfitting, a wrong learning rate, ...

    The signs of a wrong learning rate are those of the CS231n notes, "Neural Networks Part 3":
    too high ones explode or get stuck, too low ones make the loss fall in a straight line.

    Args:
        history: as `read_history` returns it.
    Returns:
        List of Advice. Of fewer than `SHORTEST` epochs only a divergence is told.
    """
    loss = history["loss"]
    rate = history.get("learning_rate", np.array([math.nan]))[-1]
    lower = "a learning rate ten times lower"
    if math.isfinite(rate):
        lower += f": {rate / 10:.2g}"
    if not np.isfinite(loss).all():
        epoch = int(np.isfinite(loss).argmin()) + 1
        start = f", from the checkpoint of epoch {epoch - 1} or earlier" if epoch > 1 else ""
        return [
            Advice(
                "diverged",
                f"the training loss of epoch {epoch} is not a number",
                (
                    lower + start,
                    "look for images that are not scaled, or not numbers",
                    "clip the gradients (clipnorm of the optimizer)",
                ),
            )
        ]
    if len(loss) < SHORTEST:
        return []

    width = _tail(loss)
    end = loss[-width:].mean()
    fell = end <= (1 - FLAT) * loss[0]
    training = last_error(history, "accuracy")
    if not fell and (training is None or _reaches(training, GAP)):
        return [
            Advice(
                "nothing learned: learning rate too high, or wrong data",
                f"training loss {loss[0]:.3g} after the first epoch, {end:.3g} at the end",
                (lower, "check that labels and images belong together", "a much higher rate"),
            )
        ]
    advice = []
    jumps = int(np.sum(np.diff(loss) > JUMP * loss[0]))
    if jumps >= JUMP_SHARE * len(loss):
        advice.append(
            Advice(
                "learning rate too high: the loss jumps",
                f"it rose by over {JUMP:.0%} of its first value in {jumps} of {len(loss)} epochs",
                (lower, "larger batches"),
            )
        )
    overfitting = _overfitting(history)
    watched = "val_loss" if np.isfinite(history.get("val_loss", [])).any() else "loss"
    trend = _trend(history[watched])
    if overfitting:
        advice.append(overfitting)
    elif trend < -FALLING:
        advice.append(
            Advice(
                "still falling: train longer",
                f"{watched} fell by {-trend:.1%} from one stretch of epochs to the last",
                ("more epochs, from the last checkpoint",),
            )
        )
    straight = _straightness(loss)
    if fell and straight >= STRAIGHT:
        advice.append(
            Advice(
                "learning rate too low: the loss falls in a straight line",
                f"it fell in the second half by {straight:.0%} of its fall in the first",
                ("a learning rate three to ten times higher",),
            )
        )
    if abs(_trend(loss)) <= FLAT and training is not None and _reaches(training, GAP):
        advice.append(
            Advice(
                "stuck: the training loss is flat",
                f"training error {training:.1%}, loss {end:.3g}",
                (lower, "a larger network, if that was done already"),
            )
        )
    return advice


def advise_on_transfer(imagesPerClass, similarity):
    """Say whether to extract features, fine-tune or train from scratch.

    After the four cases of the CS231n notes, "Transfer Learning". That early layers are general
    and late ones specific is measured in J. Yosinski et al., 2014, arXiv:1411.1792.

    Args:
        imagesPerClass: number of training images of each class.
        similarity: "similar" or "different": the data set against what the network was trained on
            (for ImageNet's networks: photographs of things, or X-rays, drawings, ...).
    Returns:
        Advice.
    Raises:
        ValueError: if the number is not positive or the word is another.
    """
    if imagesPerClass < 1 or similarity not in ("similar", "different"):
        raise ValueError(
            'Expected at least 1 image per class, and "similar" or "different". '
            f"Received: {imagesPerClass} images per class, {similarity!r}."
        )
    size = "small" if imagesPerClass < LARGE else "large"
    reason = f"{imagesPerClass:,} images per class ({size}), {similarity} data"
    if similarity == "similar":
        if size == "small":
            return Advice(
                "extract features from the last layers",
                reason,
                (
                    "a linear classifier on the output of the network without its head",
                    "then compare: fine-tune the last block alone, with augmentation",
                ),
            )
        return Advice(
            "fine-tune",
            reason,
            (
                "warm up a new head with the body frozen, then unfreeze the last block",
                "unfreeze the earlier blocks too, as long as the validation error falls",
            ),
        )
    if size == "small":
        return Advice(
            "extract features from earlier layers",
            reason,
            (
                "a linear classifier on the output of a block in the middle of the network: late "
                "layers know what is special about the data they were trained on",
                "more data",
            ),
        )
    if imagesPerClass < FROM_SCRATCH:
        return Advice(
            "fine-tune the whole network",
            reason,
            ("warm up a new head, then unfreeze all layers, with a low learning rate",),
        )
    return Advice(
        "train from scratch",
        reason,
        (
            "an architecture that suits the images",
            "compare with fine-tuning the whole network: trained weights often remain the "
            "better start",
        ),
    )


def read_history(path):
    """Return what `TrainingMonitor` wrote: a float array for each name, one number per epoch.

    A null becomes NaN, and the names of 2017 ("acc", "val_acc") today's.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no history, or one without epochs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No history at {path}. TrainingMonitor writes one to jsonPath.")
    try:
        history = {}
        for name, values in json.loads(path.read_text(encoding="utf-8")).items():
            if not isinstance(values, list) or {type(v) for v in values} - NUMBERS:
                raise TypeError(f"{name!r} is not a list of numbers")
            new_name = {"acc": "accuracy", "val_acc": "val_accuracy"}.get(name, name)
            numbers = np.array([math.nan if v is None else v for v in values], dtype=float)
            # a run of 2017 that was resumed has both names: each is null where the other is not
            history[new_name] = np.fmax(history.get(new_name, math.nan), numbers)
    # the last two for numbers that no float holds and for a thousand brackets in each other
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} is not a training history: {error}.") from error
    if not history.get("loss", np.array([])).size:
        raise ValueError(f"{path} holds no epochs: there is no number under the name 'loss'.")
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{path} has a different number of epochs for each name: {lengths}.")
    return history


def last_error(history, name):
    """Return 1 - the last accuracy under this name, or None if there is none."""
    values = _finite(history.get(name, np.array([])))
    return float(1 - values[-1]) if len(values) else None


def _reaches(difference, gap):
    """Compare as if in decimals: 0.15 - 0.1 is a little less than 0.05 in floating point."""
    return round(difference, 9) >= max(gap, 1e-9)


def _finite(values):
    return values[np.isfinite(values)]


def _tail(values):
    """Number of epochs averaged at the end of a course: a tenth, so that one does not decide."""
    return max(2, len(values) // 10)


def _trend(values):
    """Relative change from the last stretch but one to the last."""
    values = _finite(values)
    width = _tail(values)
    if len(values) < 2 * width:
        return 0.0
    before, last = values[-2 * width : -width].mean(), values[-width:].mean()
    return float((last - before) / before) if before > 0 else 0.0


def _straightness(values):
    """Fall in the second half as a fraction of the fall in the first; 0 where it does not fall."""
    middle = len(values) // 2
    first, second = values[0] - values[middle], values[middle] - values[-1]
    return float(second / first) if first > 0 else 0.0


def _overfitting(history):
    """Return Advice if the validation loss rose since some epoch while the training loss fell."""
    known = np.flatnonzero(np.isfinite(history.get("val_loss", [])))
    if len(known) < SHORTEST:
        return None
    loss, val_loss = history["loss"], history["val_loss"][known]
    # a running mean: validation losses waver, and one lucky epoch is no minimum
    half = _tail(val_loss) // 2
    smooth = np.convolve(val_loss, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    best = int(smooth.argmin())
    epoch = int(known[best + half])
    if smooth[-1] <= (1 + RISE) * smooth[best] or loss[-1] >= loss[epoch]:
        return None
    return Advice(
        f"overfitting since epoch {epoch + 1}",
        f"validation loss {smooth[best]:.3g} then, {smooth[-1]:.3g} at the end, while the training "
        f"loss fell from {loss[epoch]:.3g} to {loss[-1]:.3g}",
        (
            f"use the checkpoint nearest to epoch {epoch + 1}",
            f"lower the learning rate about epoch {epoch + 1}",
            "augmentation, weight decay, dropout",
        ),
    )


def main(argv=None):
    ap = argparse.ArgumentParser(
        prog="python -m pyimagesearch.utils.advice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ap.add_argument("history", nargs="?", help="JSON file that TrainingMonitor wrote")
    ap.add_argument(
        "--train-error",
        type=float,
        help="default: the history's last, which dropout and augmentation make look worse",
    )
    ap.add_argument("--train-val-error", type=float, help="of images held out of the training data")
    ap.add_argument("--val-error", type=float, help="default: the history's last")
    ap.add_argument("--test-error", type=float, help="of the test images")
    ap.add_argument("--desired-error", type=float, default=0.0, help="such as that of people (0)")
    ap.add_argument("--gap", type=float, default=GAP, help=f"difference that matters ({GAP})")
    ap.add_argument("--images-per-class", type=int, help="training images of each class")
    ap.add_argument(
        "--similarity",
        choices=["similar", "different"],
        help="the images against those that a pre-trained network saw",
    )
    args = ap.parse_args(argv)
    if (args.images_per_class is None) != (args.similarity is None):
        ap.error("--images-per-class and --similarity go together")

    errors = [args.train_error, args.train_val_error, args.val_error, args.test_error]
    if args.history is not None:
        history = read_history(args.history)
        print(f"[INFO] {args.history}: {len(history['loss'])} epochs")
        errors[0] = last_error(history, "accuracy") if errors[0] is None else errors[0]
        errors[2] = last_error(history, "val_accuracy") if errors[2] is None else errors[2]
        curves = advise_on_curves(history)
        if len(history["loss"]) < SHORTEST and not curves:
            print(f"[INFO] too few epochs to judge the curves: {SHORTEST} are needed")
        _print(curves)
    if any(error is not None for error in errors):
        advice = advise_on_errors(*errors, desired=args.desired_error, gap=args.gap)
        names = ["training", "training-validation", "validation", "test"]
        known = [f"{n} {e:.1%}" for n, e in zip(names, errors, strict=True) if e is not None]
        print(f"[INFO] errors: {', '.join(known)}")
        _print(advice)
        if not advice:
            print(f"[INFO] none of the four cases: no gap reaches {args.gap:.1%}")
    if args.similarity is not None:
        _print([advise_on_transfer(args.images_per_class, args.similarity)])
    elif args.history is None and all(error is None for error in errors):
        ap.error("give a history, error rates, or --images-per-class with --similarity")


def _print(advice):
    for item in advice:
        print(f"[ADVICE] {item.finding}\n    {item.reason}")
        for step in item.steps:
            print(f"    - {step}")


if __name__ == "__main__":
    run(main)
