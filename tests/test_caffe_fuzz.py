"""Damaged files of Caffe's: each is read, or refused as documented; see test_fuzz.py.

`python tests/fuzz/mutants.py --caffe --seed 7 --number N --write file` writes a mutant again.
"""

import os
import subprocess
import sys

import pytest
from test_fuzz import FUZZ, figures, start

MUTANTS = 2000
WEIGHTS = 300  # mutants of weights that a network takes
SECONDS = 300  # of the long version


def test_a_mutant_of_caffes_files_is_made_again_by_its_number(tmp_path):
    command = [sys.executable, FUZZ / "mutants.py", "--caffe", "--seed", "7", "--number", "12"]
    for name in ("a", "b"):
        subprocess.run(
            [*command, "--write", tmp_path / name], check=True, stdout=subprocess.DEVNULL
        )
    (first,), (second,) = tmp_path.glob("a.*"), tmp_path.glob("b.*")
    assert first.suffix == second.suffix
    assert first.read_bytes() == second.read_bytes()


def test_no_mutant_of_caffes_files_crashes_hangs_or_surprises_a_reader():
    found = figures(start("caffe", 7, "--last", str(MUTANTS)), 7)
    assert found["tried"] == MUTANTS
    assert found["refused_sound"] == 0
    assert found["accepted"] > MUTANTS / 20
    assert found["slowest_seconds"] < 5
    assert found["megabytes"] < 1000


@pytest.mark.torture
@pytest.mark.timeout(2 * SECONDS)
def test_minutes_of_other_mutants_of_caffes_files():
    seed = int.from_bytes(os.urandom(4), "big")
    found = figures(start("caffe", seed, "--last", str(10**9), "--seconds", str(SECONDS)), seed)
    print(
        f"[FIGURE] {found['tried']:,} mutants of Caffe's files read (seed {seed}): 0 crashes, 0 "
        f"findings, slowest {found['slowest_seconds']} s, at most {found['megabytes']} MB"
    )
