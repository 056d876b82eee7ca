"""Cold import of the preprocessing package: seconds and memory of fresh interpreters.

    python benchmarks/imports.py

The bare limit is `import cv2`, which any of them needs.
"""

import inspect
import json
import subprocess
import sys

import harness

STATEMENTS = {
    "2017": "import keras.preprocessing.image, sklearn.feature_extraction.image",
    "scikit-learn's patches alone": "import sklearn.feature_extraction.image",
    "ours": "import pyimagesearch.preprocessing",
    "bare limit": "import cv2",
}
PROGRAM = f"""
import time
start = time.perf_counter()
{{}}
seconds = time.perf_counter() - start
import contextlib, json, pathlib
Path = pathlib.Path
{inspect.getsource(harness.peak_memory)}
print(json.dumps([seconds, peak_memory()]))
"""


def way(statement):
    def setup(folder, args):
        def run(passes):
            seconds, peaks = [], []
            for _ in range(passes):
                command = [sys.executable, "-c", PROGRAM.format(statement)]
                printed = subprocess.run(command, check=True, capture_output=True).stdout
                second, peak = json.loads(printed)
                seconds.append(second)
                peaks.append(peak)
            return harness.Outcome(passes, sum(seconds), peaks[-1])

        return run

    return setup


WAYS = {name: way(statement) for name, statement in STATEMENTS.items()}
ROWS = [harness.Row(__file__, "cold import", WAYS, unit="s")]

if __name__ == "__main__":
    harness.main(ROWS, __doc__)
