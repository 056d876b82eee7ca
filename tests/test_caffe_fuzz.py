"""Damaged files of Caffe's: each is read, or refused as documented; see test_fuzz.py.

`python tests/fuzz/mutants.py --caffe --seed 7 --number N --write file` writes a mutant again.
"""

import os
import subprocess
import sys

import pytest
from caffe_fixtures import FIXTURES
from test_fuzz import FUZZ, figures, start

MUTANTS = 2000
MODEL_MUTANTS = 600  # of which those of nets and weights are made into models
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
    options = {"caffe": MUTANTS, "caffe-keras": MODEL_MUTANTS}
    children = [start(group, 7, "--last", str(last)) for group, last in options.items()]
    readers, models = (figures(child, 7) for child in children)
    assert readers["tried"] == MUTANTS
    assert readers["accepted"] > MUTANTS / 20
    assert models["tried"] > MODEL_MUTANTS / 4
    # solvers are no nets, and nets for training do not say how large images are
    nets = [path for path in FIXTURES.rglob("*.prototxt") if path.name == "deploy.prototxt"]
    others = len(list(FIXTURES.rglob("*.prototxt"))) - len(nets)
    assert (readers["refused_sound"], models["refused_sound"]) == (0, others)
    assert all(part["slowest_seconds"] < 5 for part in (readers, models))
    assert all(part["megabytes"] < 1000 for part in (readers, models))


@pytest.mark.torture
@pytest.mark.timeout(2 * SECONDS)
def test_minutes_of_other_mutants_of_caffes_files():
    seed = int.from_bytes(os.urandom(4), "big")
    options = ("--last", str(10**9), "--seconds", str(SECONDS))
    children = [start(group, seed, *options) for group in ("caffe", "caffe-keras")]
    found = [figures(child, seed) for child in children]
    print(
        f"[FIGURE] {sum(part['tried'] for part in found):,} mutants of Caffe's files read (seed "
        f"{seed}): 0 crashes, 0 findings, slowest {max(part['slowest_seconds'] for part in found)}"
        f" s, at most {max(part['megabytes'] for part in found)} MB"
    )
