"""Advice: one example for each rule, and the command."""

import json
import math

import numpy as np
import pytest

from pyimagesearch.utils.advice import (
    advise_on_curves,
    advise_on_errors,
    advise_on_transfer,
    main,
    read_history,
)
from pyimagesearch.utils.script import run


def findings(advice):
    return [item.finding.split(":")[0] for item in advice]


# -- the four cases ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "case", "step"),
    [
        ((0.20, 0.21, 0.22, 0.23), 1, "a larger network"),
        ((0.02, 0.15, 0.16, 0.17), 2, "augmentation"),
        ((0.02, 0.03, 0.20, 0.21), 3, "make the training data more like the validation data"),
        ((0.02, 0.03, 0.04, 0.15), 4, "more validation data"),
    ],
)
def test_the_first_large_gap_is_the_case(errors, case, step):
    (advice,) = advise_on_errors(*errors)
    assert advice.finding.startswith(f"case {case} of 4")
    assert advice.steps[0] == step


def test_several_cases_come_in_the_order_of_the_recipe():
    cases = findings(advise_on_errors(0.1, 0.2, 0.3, 0.4))
    assert cases == [f"case {number} of 4" for number in (1, 2, 3, 4)]


def test_small_gaps_are_no_case():
    assert advise_on_errors(0.02, 0.05, 0.08, 0.12) == []
    assert findings(advise_on_errors(0.02, 0.05, 0.08, 0.12, gap=0.035)) == ["case 4 of 4"]


@pytest.mark.parametrize("before", [0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.60])
def test_the_gap_itself_is_a_case_whatever_the_floats_make_of_it(before):
    for rate, cases in [(before + 0.05, ["case 2 of 4"]), (before + 0.0499, [])]:
        assert findings(advise_on_errors(before, validation=rate, desired=before)) == cases
    rate = round(before + 0.05, 2)
    assert findings(advise_on_errors(rate, desired=before)) == ["case 1 of 4"]
    assert advise_on_errors(before, validation=before, desired=before, gap=0) == []


def test_a_training_error_as_desired_is_not_high():
    assert advise_on_errors(0.2, desired=0.18) == []
    assert advise_on_errors(0.2)[0].reason == "training error 20.0%, desired 0.0%: 20.0 points"


def test_without_a_training_validation_set_the_validation_error_shows_overfitting():
    (advice,) = advise_on_errors(0.02, validation=0.3, test=0.31)
    assert advice.finding.startswith("case 2")
    assert "if the validation images are of another kind" in advice.reason


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ({"training": 8}, "fraction from 0 to 1 .* Received: training 8"),
        ({"training": math.nan}, "Received: training nan"),
        ({"training": 0.1, "desired": -1}, "Received: desired -1"),
        ({}, "no error rate"),
        ({"training": 0.1, "test": 0.2}, "against the validation error"),
    ],
)
def test_errors_that_cannot_be_judged_are_refused(errors, message):
    with pytest.raises(ValueError, match=message):
        advise_on_errors(**errors)


# -- the curves --------------------------------------------------------------------------------


def course(**values):
    return {name: np.array(numbers, dtype=float) for name, numbers in values.items()}


EPOCHS = np.arange(20)
FAST = 0.1 + np.exp(-EPOCHS / 2)  # has settled by the end


def test_a_settled_course_needs_no_advice():
    assert advise_on_curves(course(loss=FAST, val_loss=FAST + 0.1, accuracy=1 - FAST / 10)) == []


def test_a_loss_that_is_no_number_has_diverged():
    history = course(loss=[2.0, 1.9, math.nan, math.nan], learning_rate=[0.5] * 4)
    (advice,) = advise_on_curves(history)
    assert advice.finding == "diverged"
    assert "epoch 3" in advice.reason
    assert advice.steps[0] == (
        "a learning rate ten times lower: 0.05, from the checkpoint of epoch 2 or earlier"
    )
    (advice,) = advise_on_curves(course(loss=[math.nan]))
    assert advice.steps[0] == "a learning rate ten times lower"


def test_validation_loss_that_rises_while_training_falls_is_overfitting():
    # falls to its minimum at the 8th epoch and rises then; training goes on falling
    val_loss = 0.5 + 0.05 * np.abs(EPOCHS - 7)
    (advice,) = advise_on_curves(course(loss=FAST, val_loss=val_loss))
    assert advice.finding == "overfitting since epoch 8"
    # also where only every other epoch was validated
    val_loss[::2] = math.nan
    (advice,) = advise_on_curves(course(loss=FAST, val_loss=val_loss))
    assert advice.finding == "overfitting since epoch 8"


def test_one_bad_epoch_is_no_overfitting():
    val_loss = FAST + 0.1
    val_loss[15] *= 1.5
    assert advise_on_curves(course(loss=FAST, val_loss=val_loss)) == []


def test_a_loss_that_still_falls_wants_more_epochs():
    falling = np.exp(-EPOCHS / 8)
    assert findings(advise_on_curves(course(loss=falling, val_loss=falling))) == ["still falling"]
    assert findings(advise_on_curves(course(loss=falling))) == ["still falling"]


def test_a_straight_fall_is_too_low_a_learning_rate():
    straight = 2 - 0.01 * EPOCHS
    assert "learning rate too low" in findings(advise_on_curves(course(loss=straight)))


def test_a_loss_that_jumps_is_too_high_a_learning_rate():
    jumping = FAST + np.where(EPOCHS % 2, 0.2, 0.0)
    assert findings(advise_on_curves(course(loss=jumping))) == ["learning rate too high"]
    # the same jumps, relative to the present loss, mean nothing once it is small
    assert advise_on_curves(course(loss=np.append([10], jumping / 10))) == []


def test_a_loss_that_stays_where_it_began_has_learned_nothing():
    (advice,) = advise_on_curves(course(loss=[2.3] * 10))
    assert advice.finding.startswith("nothing learned")


def test_a_network_that_was_right_from_the_first_epoch_needs_no_advice():
    perfect = {"loss": [0.001] * 10, "val_loss": [0.001] * 10, "val_accuracy": [1.0] * 10}
    assert advise_on_curves(course(**perfect, accuracy=[1.0] * 10)) == []
    wavering = course(loss=[0.0010, 0.00102, 0.00101, 0.00102, 0.001, 0.001, 0.00099, 0.001])
    assert advise_on_curves(wavering | {"accuracy": np.ones(8)}) == []
    (advice,) = advise_on_curves(course(loss=[2.3] * 10, accuracy=[0.95] * 10))
    assert advice.finding.startswith("nothing learned")


def test_a_flat_loss_with_many_errors_is_stuck():
    history = course(loss=FAST + 0.5, accuracy=[0.7] * 20, learning_rate=[0.1] * 20)
    (advice,) = advise_on_curves(history)
    assert advice.finding.startswith("stuck")
    assert advice.steps[0] == "a learning rate ten times lower: 0.01"


def test_few_epochs_are_not_judged():
    assert advise_on_curves(course(loss=[1, 1, 1, 1, 1])) == []


# -- transfer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "similarity", "finding"),
    [
        (80, "similar", "extract features from the last layers"),
        (80, "different", "extract features from earlier layers"),
        (12_500, "similar", "fine-tune"),
        (2_000, "different", "fine-tune the whole network"),
        (12_500, "different", "train from scratch"),
    ],
)
def test_size_and_similarity_decide_what_to_train(images, similarity, finding):
    assert advise_on_transfer(images, similarity).finding == finding


def test_sizes_and_words_that_are_none_are_refused():
    with pytest.raises(ValueError, match="Received: 0 images"):
        advise_on_transfer(0, "similar")
    with pytest.raises(ValueError, match="'alike'"):
        advise_on_transfer(10, "alike")


# -- the history and the command ---------------------------------------------------------------


def test_old_names_and_nulls_are_understood(tmp_path):
    path = tmp_path / "h.json"
    old = {"loss": [2, 1, None], "acc": [0.25, None, None], "accuracy": [None, 0.5, 0.75]}
    path.write_text(json.dumps(old))
    history = read_history(path)
    assert sorted(history) == ["accuracy", "loss"]
    assert history["accuracy"].tolist() == [0.25, 0.5, 0.75]
    assert history["loss"].tolist()[:2] == [2, 1]
    assert math.isnan(history["loss"][2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a training history"),
        ('{"loss": [1, 2', "is not a training history"),
        ("[1, 2]", "is not a training history"),
        ('{"loss": 3}', "'loss' is not a list"),
        ('{"loss": ["a"]}', "'loss' is not a list of numbers"),
        ('{"loss": [[1, 2], [3]]}', "is not a training history"),
        ('{"loss": [1], "acc": [1, 2], "accuracy": [1, 2, 3]}', "is not a training history"),
        ('{"loss": [[1], [2]]}', "'loss' is not a list of numbers"),
        ('{"loss": [1, 2], "val_loss": [1, 2, 3]}', "different number of epochs"),
        ("{}", "holds no epochs"),
        ('{"loss": []}', "holds no epochs"),
        ('{"accuracy": [0.5]}', "holds no epochs"),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path, text, message):
    path = tmp_path / "h.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_history(path)


def test_a_missing_history_ends_the_command_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["advice", str(tmp_path / "none.json")])
    with pytest.raises(SystemExit, match="No history at .*none.json"):
        run(main)


def test_the_command_reads_a_history_and_takes_further_errors(tmp_path, capsys):
    path = tmp_path / "h.json"
    path.write_text(json.dumps({
        "loss": FAST.tolist(), "accuracy": [0.99] * 20,
        "val_loss": (FAST + 0.1).tolist(), "val_accuracy": [0.7] * 20,
    }))  # fmt: skip
    main([str(path), "--train-val-error", "0.02", "--test-error", "0.31"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"[INFO] {path}: 20 epochs"
    assert lines[1] == (
        "[INFO] errors: training 1.0%, training-validation 2.0%, validation 30.0%, test 31.0%"
    )
    assert [line for line in lines if line.startswith("[ADVICE]")] == [
        "[ADVICE] case 3 of 4: high validation error against training-validation (data mismatch)"
    ]
    main([str(path), "--val-error", "0.02"])
    assert "none of the four cases: no gap reaches 5.0%" in capsys.readouterr().out


def test_the_command_says_when_there_are_too_few_epochs(tmp_path, capsys):
    (tmp_path / "h.json").write_text('{"loss": [1.0, 0.5]}')
    main([str(tmp_path / "h.json")])
    assert "too few epochs to judge the curves: 6 are needed" in capsys.readouterr().out


def test_the_command_advises_on_a_data_set_alone(capsys):
    main(["--images-per-class", "80", "--similarity", "similar"])
    assert capsys.readouterr().out.startswith("[ADVICE] extract features from the last layers")


@pytest.mark.parametrize("argv", [[], ["--similarity", "similar"], ["--images-per-class", "9"]])
def test_the_command_wants_something_to_judge(argv, capsys):
    with pytest.raises(SystemExit):
        main(argv)
    assert "--images-per-class" in capsys.readouterr().err
