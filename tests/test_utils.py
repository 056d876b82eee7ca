"""Atomic files, work in threads, and what the scripts share at their edges."""

import argparse
import threading
import time

import numpy as np
import pytest

from pyimagesearch.utils.files import replacing
from pyimagesearch.utils.parallel import ordered_map, share_out
from pyimagesearch.utils.recycling import LEAST_BYTES, Recycler
from pyimagesearch.utils.script import option_words, positive_float, positive_int, run

# -- replacing files -----------------------------------------------------------------------------


def test_a_file_is_replaced_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "x.txt"
    for text in ("first", "second"):
        with replacing(target) as temporary:
            temporary.write_text(text)
            assert temporary.suffix == ".txt"
        assert target.read_text() == text
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError), replacing(target) as temporary:
        temporary.write_text("half \ud800", encoding="utf-8")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_of_writing_names_the_target(tmp_path):
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "x.txt"
    with pytest.raises(OSError, match=r"Cannot write the file: .*file/x\.txt"), replacing(below):
        pass
    target = tmp_path / "y.txt"
    with pytest.raises(OSError, match="Cannot write") as caught, replacing(target) as temporary:
        (temporary / "no folder").write_text("")
    assert caught.value.filename == str(target)


# -- work in threads -----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_results_come_in_order(workers):
    def slow_at_first(number):
        time.sleep(0.02 if number == 0 else 0)
        return number * number

    assert list(ordered_map(slow_at_first, range(30), workers=workers)) == [
        number * number for number in range(30)
    ]


def test_no_more_than_asked_for_is_under_way():
    taken = []
    results = ordered_map(str, (taken.append(i) or i for i in range(100)), workers=2, ahead=5)
    assert next(results) == "0"
    assert len(taken) == 6  # the one handed out, and five ahead
    results.close()


def test_an_exception_comes_in_its_turn_and_ends_the_threads():
    before = threading.active_count()
    results = ordered_map(lambda number: 1 // (3 - number), range(10), workers=3)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before


# -- scripts -------------------------------------------------------------------------------------


def test_an_error_of_the_input_is_printed_with_its_notes(monkeypatch):
    def main():
        error = ValueError("the image is too small")
        error.add_note("While reading train.hdf5.")
        raise error

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == "[ERROR] the image is too small\nWhile reading train.hdf5."
    monkeypatch.setenv("PYIMAGESEARCH_TRACEBACK", "1")
    with pytest.raises(ValueError, match="too small"):
        run(main)


def test_ctrl_c_ends_with_130(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 130
    assert "interrupted" in capsys.readouterr().out


def test_options_become_command_line_words():
    args = {"start_epoch": 3, "stages": [9, 9], "strict": True, "overwrite": False, "lr": None}
    assert option_words(args) == ["--start-epoch", "3", "--stages", "9", "9", "--strict"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (positive_int, "0"),
        (positive_int, "-5"),
        *((positive_float, t) for t in ("0", "nan", "inf")),
    ],
)
def test_impossible_numbers_are_refused_as_options(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"Received: {text}"):
        kind(text)
    assert kind("3") == 3


# -- parts of one piece of work ----------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("count", "size"), [(0, 3), (1, 3), (7, 3), (9, 3)])
def test_every_part_is_done_once(count, size, workers):
    done = []
    share_out(
        lambda start, stop: done.extend(range(start, stop)), count, size=size, workers=workers
    )
    assert sorted(done) == list(range(count))


def test_a_single_part_is_done_by_the_caller():
    threads = set()
    share_out(lambda start, stop: threads.add(threading.current_thread()), 5, size=5, workers=4)
    assert threads == {threading.current_thread()}


def test_an_error_in_a_part_is_raised():
    def fail(start, stop):
        if start == 4:
            raise ZeroDivisionError("part 4")

    with pytest.raises(ZeroDivisionError, match="part 4"):
        share_out(fail, 10, size=2, workers=2)


# -- memory again and again --------------------------------------------------------------------

SHAPE = (LEAST_BYTES // 4 + 3, 2)  # of float32


def test_memory_comes_back_with_the_last_view():
    returned = []
    recycler = Recycler(2, lambda: returned.append(recycler.idle))
    array = recycler.empty(SHAPE, np.float32)
    assert (array.shape, array.dtype, array.flags.writeable) == (SHAPE, np.float32, True)
    array[:] = 7
    address, view = array.ctypes.data, array[10:12].T
    del array
    assert recycler.idle == 0
    assert (view == 7).all()
    del view
    assert returned == [1]
    # a smaller one may use it, a larger one may not
    smaller = recycler.empty((SHAPE[0] - 1, 2), np.float32)
    assert smaller.ctypes.data == address
    del smaller
    assert recycler.empty((2 * SHAPE[0], 2), np.float32).ctypes.data != address


def test_only_so_much_idle_memory_is_kept():
    recycler = Recycler(2)
    arrays = [recycler.empty(SHAPE, np.float32) for _ in range(5)]
    assert len({array.ctypes.data for array in arrays}) == 5
    arrays.clear()
    assert recycler.idle == 2


def test_arrays_outlive_their_recycler():
    array = Recycler(2).empty(SHAPE, np.float32)
    array[:] = 3
    assert array.sum() == 3 * array.size


def test_small_arrays_are_left_to_numpy():
    recycler = Recycler(2)
    recycler.empty((10,), np.uint8)
    assert recycler.idle == 0
