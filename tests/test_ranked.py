import numpy as np
import pytest

from pyimagesearch.utils import ranked
from pyimagesearch.utils.ranked import (
    RankAccuracy,
    rank5_accuracy,
    rank_accuracy,
    true_class_ranks,
)

SCORES = np.array([0.05, 0.3, 0.1, 0.25, 0.2, 0.1])  # ranks of the classes: 6, 1, 4, 2, 3, 5


def test_rank5_accuracy_counts_the_rows_whose_class_is_best_and_among_the_five_best():
    preds = np.tile(SCORES, (4, 1))
    assert rank5_accuracy(preds, [1, 3, 5, 0]) == (0.25, 0.75)


def test_the_result_is_two_python_floats():
    assert [type(value) for value in rank5_accuracy([SCORES], [1])] == [float, float]


@pytest.mark.parametrize(("rank", "accuracy"), [(1, 1 / 6), (2, 2 / 6), (3, 0.5), (6, 1.0)])
def test_any_rank_can_be_asked_for(rank, accuracy):
    preds = np.tile(SCORES, (6, 1))
    assert rank_accuracy(preds, range(6), ranks=(rank,)) == (accuracy,)


def test_of_equal_scores_the_lower_class_index_ranks_first():
    preds = np.array([[0.4, 0.4, 0.2]] * 3)
    assert true_class_ranks(preds, [0, 1, 2]).tolist() == [1, 2, 3]


def test_a_constant_row_ranks_every_class_by_its_index():
    assert true_class_ranks(np.zeros((7, 7)), np.arange(7)).tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_infinite_scores_rank_as_the_largest_and_the_smallest():
    row = [-np.inf, np.inf, 0.0, np.inf, -np.inf]
    assert true_class_ranks([row] * 5, np.arange(5)).tolist() == [4, 1, 3, 2, 5]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8"])
@pytest.mark.parametrize(("block", "wide"), [(1, 400), (30, 400), (1 << 18, 400), (30, 1)])
def test_ranks_are_those_of_a_stable_descending_sort(dtype, block, wide, monkeypatch):
    monkeypatch.setattr(ranked, "BLOCK_SCORES", block)
    monkeypatch.setattr(ranked, "WIDE", wide)
    rng = np.random.default_rng(1)
    preds = rng.integers(0, 12, (50, 10)).astype(dtype)  # 10 of 12 values: most rows have ties
    labels = rng.integers(0, 10, 50)
    order = np.argsort(-preds.astype("float64"), axis=1, kind="stable")
    expected = np.nonzero(order == labels[:, None])[1] + 1
    assert true_class_ranks(preds, labels).tolist() == expected.tolist()


def test_three_hundred_classes_may_all_beat_the_true_one():  # more than one byte can count
    preds = np.arange(300, 0, -1.0)[None, :]
    assert true_class_ranks(preds, [299]).tolist() == [300]


def test_with_fewer_than_five_classes_rank_5_is_certain():
    preds = [[0.9, 0.1], [0.8, 0.2]]
    assert rank5_accuracy(preds, [0, 1]) == (0.5, 1.0)


def test_predictions_may_be_a_list_of_arrays():
    assert rank5_accuracy([SCORES, SCORES[::-1]], [1, 1]) == (0.5, 1.0)


def test_accuracy_of_batches_is_the_accuracy_of_all_rows():
    rng = np.random.default_rng(2)
    preds, labels = rng.random((20, 8)), rng.integers(0, 8, 20)
    accuracy = RankAccuracy(ranks=(1, 3))
    for i in range(0, 20, 6):  # 6, 6, 6, 2
        accuracy.update(preds[i : i + 6], labels[i : i + 6])
    assert accuracy.result() == rank_accuracy(preds, labels, ranks=(1, 3))


def test_accuracy_can_be_asked_for_on_the_way():
    accuracy = RankAccuracy(ranks=[2])
    accuracy.update([SCORES], [3])
    assert accuracy.result() == (1.0,)
    accuracy.update([SCORES, SCORES, SCORES], [0, 2, 1])
    assert accuracy.result() == (0.5,)


def test_a_batch_that_is_refused_is_not_counted():
    accuracy = RankAccuracy()
    accuracy.update([SCORES], [1])
    with pytest.raises(ValueError, match="labels must be 0 to 5"):
        accuracy.update([SCORES, SCORES], [1, 6])
    assert accuracy.result() == (1.0, 1.0)


def test_there_is_no_accuracy_of_no_predictions():
    with pytest.raises(ValueError, match="no predictions. Call update first"):
        RankAccuracy().result()


def test_numpy_keeps_the_buffer_it_had():
    preds = np.ones((2, ranked.WIDE))
    true_class_ranks(preds, [0, 1])
    with pytest.raises(ValueError, match="NaN"):
        true_class_ranks(preds * np.nan, [0, 1])
    assert np.getbufsize() == 8192


def test_the_arguments_are_left_as_they_were():
    preds, labels = np.zeros((2, 3)), np.array([2, 0])
    rank5_accuracy(preds, labels)
    assert preds.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert labels.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("preds", "labels", "message"),
    [
        (np.ones((3, 5)), [0, 1], "3 predictions and 2 labels"),
        (np.ones((2, 5)), [0, 5], "labels must be 0 to 4.*from 0 to 5"),
        (np.ones((2, 5)), [-1, 0], "from -1 to 0"),
        (np.ones((2, 5)), np.eye(5)[:2], "not one-hot rows"),
        (np.ones((2, 5)), [0.0, 1.0], r"^labels must be integers.*float64, such as 0\.0"),
        (np.ones((2, 5)), ["cat", "dog"], "^labels must be integers.*such as cat"),
        (np.ones((2, 5)), [], "2 predictions and 0 labels"),
        (np.ones((2, 5)), [[0], [1]], r"shape \(2, 1\)"),
        (np.ones(5), [0], r"shape \(5,\)"),
        (np.ones((0, 5)), [], r"at least one row.*\(0, 5\)"),
        ([], [], "at least one row"),
        (np.ones((2, 0)), [0, 0], r"\(2, 0\)"),
        ([["a", "b"]], [0], "of numbers"),
        ([[1.0, 2.0], [1.0]], [0, 0], "rows of equal length"),
    ],
)
def test_input_that_cannot_be_ranked_is_refused(preds, labels, message):
    with pytest.raises(ValueError, match=message):
        rank5_accuracy(preds, labels)


@pytest.mark.parametrize(("column", "label"), [(0, 0), (0, 3), (3, 0)])
def test_a_nan_is_refused_with_its_row_wherever_it_stands(column, label, monkeypatch):
    monkeypatch.setattr(ranked, "BLOCK_SCORES", 8)  # two rows of four
    preds = np.random.default_rng(3).random((9, 4))
    preds[5, column] = np.nan
    with pytest.raises(ValueError, match="NaN in row 5"):
        rank5_accuracy(preds, np.full(9, label))


@pytest.mark.parametrize("ranks", [(), (0,), (1, -5), (1.5,)])
def test_a_rank_that_is_no_positive_integer_is_refused(ranks):
    with pytest.raises(ValueError, match="ranks must be positive integers"):
        rank_accuracy([SCORES], [0], ranks=ranks)
    with pytest.raises(ValueError, match="ranks must be positive integers"):
        RankAccuracy(ranks)
