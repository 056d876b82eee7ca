"""Damaged files of every kind: no reader crashes, hangs, takes a gigabyte, or raises at random.

Mutants are read in processes of their own, see fuzz/readers.py. A failure names the mutant's
number; `python tests/fuzz/mutants.py --seed 7 --number N --write file` writes it again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz"
MUTANTS = 2400
SECONDS = 600  # of the long version


def start(group, seed, *options):
    """Start a process that reads the mutants of a group of formats."""
    paths = [str(FUZZ.parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, FUZZ / "readers.py", "--group", group, "--seed", str(seed), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def figures(child, seed):
    """Wait for such a process; return its figures, or fail with the mutant that ended it."""
    out, errors = child.communicate()
    last = (out.splitlines() or ["before the first mutant"])[-1]
    assert child.returncode == 0, (
        f"seed {seed}, mutant {last}: exit status {child.returncode}\n{errors[-3000:]}"
    )
    found = json.loads(last.removeprefix("done "))
    assert not found["findings"], f"seed {seed}, mutants {found['findings']}:\n{errors[-3000:]}"
    return found


def test_a_mutant_is_made_again_by_its_number(tmp_path):
    command = [sys.executable, FUZZ / "mutants.py", "--seed", "7", "--number", "12", "--write"]
    for name in ("a", "b"):
        subprocess.run([*command, tmp_path / name], check=True, stdout=subprocess.DEVNULL)
    (first,), (second,) = tmp_path.glob("a.*"), tmp_path.glob("b.*")
    assert first.suffix == second.suffix
    assert first.read_bytes() == second.read_bytes()


def test_no_mutant_crashes_hangs_or_surprises_a_reader():
    children = {group: start(group, 7, "--last", str(MUTANTS)) for group in ("light", "keras")}
    found = [figures(child, 7) for child in children.values()]
    assert sum(part["tried"] for part in found) >= 2000
    # sound files are read, but names.json is no history, means.json neither that nor names, and
    # Keras by itself does not compile net.h5
    assert found[0]["refused_sound"] == 1
    assert found[1]["refused_sound"] <= 2
    assert all(part["accepted"] > part["tried"] / 20 for part in found)
    assert all(part["slowest_seconds"] < 5 and part["megabytes"] < 1000 for part in found)


@pytest.mark.parametrize(
    ("crime", "sign"),
    [
        ("os.abort()", "exit status -6"),
        ("time.sleep(60)", "Timeout"),
        ("len(bytearray(1_200_000_000))", "more than 1 GB"),
        ("{}['key']", "KeyError: 'key'"),
    ],
)
def test_the_test_finds_what_it_looks_for(crime, sign):
    code = f"""
import os, sys, time
sys.path.insert(0, {str(FUZZ)!r})
import readers
readers.SECONDS = {1 if sign == "Timeout" else 60}
readers.GROUPS["light"] = {{".jpg": lambda path: path.stem.isdigit() and {crime}}}
readers.main()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code, "--group", "light", "--seed", "7", "--last", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(AssertionError, match=sign):
        figures(child, 7)


@pytest.mark.torture
def test_ten_minutes_of_other_mutants():
    seed = int.from_bytes(os.urandom(4), "big")
    options = ("--last", str(10**9), "--seconds", str(SECONDS))
    children = {group: start(group, seed, *options) for group in ("light", "keras")}
    found = {group: figures(child, seed) for group, child in children.items()}
    print(
        f"[FIGURE] {sum(part['tried'] for part in found.values()):,} mutants of "
        f"{len(list((FUZZ / 'seeds').iterdir()))} files read (seed {seed}): 0 crashes, 0 findings, "
        f"slowest {max(part['slowest_seconds'] for part in found.values())} s, at most "
        f"{max(part['megabytes'] for part in found.values())} MB"
    )
