"""Run a script of 2017 as `python script.py` would have run it then."""

import atexit
import io
import multiprocessing.spawn
import os
import sys
import tokenize
import types
from pathlib import Path
from traceback import extract_tb

from pyimagesearch.keras2 import _hooks, _modules, explain
from pyimagesearch.keras2._frames import is_user_file, strip_traceback
from pyimagesearch.keras2._python2 import hint, sign_in_syntax

_HOME = str(Path(__file__).parents[2])  # the folder that `pyimagesearch` is imported from


def run(script, args, *, explained=False, unsafe=False):
    """Run a script in this process, as `__main__` and with its folder first on the path.

    An exception of the script leaves this function as it is, and is printed without the frames of
    the runner if nobody catches it.

    Args:
        script: path of the script.
        args: its own arguments, a list of str.
        explained: print the old names that were used when the process ends.
        unsafe: load models with Lambda layers or custom code, too.
    Raises:
        SystemExit: with one sentence, if there is no such script, or it is no Python 3.
    """
    code = _compile(script)
    if explained:
        atexit.register(explain.report)
    sys.argv = [script, *args]
    _prepare(str(Path(script).resolve().parent), unsafe=unsafe)
    module = types.ModuleType("__main__")
    module.__file__ = str(script)
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


def _compile(script):
    path = Path(script)
    if path.is_dir():
        path = path / "__main__.py"
    try:
        source = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode(encoding)
        return compile(source, str(script), "exec", dont_inherit=True)
    except OSError as error:
        sys.exit(f"[ERROR] Cannot read the script {script}: {error.strerror}.")
    except SyntaxError as error:
        sys.exit(_explain_syntax(error, script))
    except ValueError as error:  # UnicodeDecodeError, null bytes
        sys.exit(f"[ERROR] {script} is no Python script: {error}.")


def _explain_syntax(error, script=None):
    place = f"{error.filename or script}, line {error.lineno}"
    line = f"\n    {error.text.strip()}" if error.text else ""
    sign = sign_in_syntax(error)
    if sign is None:
        return f"[ERROR] {place}: {error.msg}.{line}"
    return (
        f"[ERROR] {place}: this is Python 2, {sign}.{line}\n"
        "Translate the file to Python 3 first; for most scripts the tool 2to3 does it, which "
        "Python had until version 3.12:\n"
        f"    2to3 -w {error.filename or script}"
    )


def _prepare(folder, *, unsafe):
    """Set up the process for scripts in a folder."""
    sys.path[0:1] = [folder] if not sys.flags.safe_path else [folder, *sys.path[0:1]]
    if _HOME not in map(os.path.abspath, sys.path):  # it was there as the current folder alone
        sys.path.append(_HOME)
    sys.path.append(str(Path(__file__).with_name("standins")))  # last: what is installed wins
    sys.excepthook = _excepthook
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not shown:
        os.environ.setdefault("MPLBACKEND", "Agg")  # there is nothing to show a window on
    _hooks.install(unsafe=unsafe)
    _modules.give_way(folder)
    _follow_into_children(folder, unsafe)


def _excepthook(kind, error, traceback):
    error.__traceback__ = traceback
    on_losses = _hint_on_losses(error, traceback)  # the frames of the runner tell, too
    strip_traceback(error)
    if isinstance(error, SyntaxError) and is_user_file(error.filename) and sign_in_syntax(error):
        print(_explain_syntax(error), file=sys.stderr)
        return
    told = hint(error) or on_losses
    if told:
        error.add_note(told)
    sys.__excepthook__(kind, error, error.__traceback__)


def _hint_on_losses(error, traceback):
    """Return what to do about a loss that needs more than labels and predictions, or None."""
    frames = [Path(frame.filename).name for frame in extract_tb(traceback)]
    if "KerasTensor" not in str(error) or not {"_models.py", "_trainable.py"} & {*frames}:
        return None  # not while a model trains
    return (
        "A loss function has y_true and y_pred alone in Keras 3. Give one that uses other tensors "
        "of the network to model.add_loss(...), and compile with loss=None."
    )


def _follow_into_children(folder, unsafe):
    """Prepare the processes that multiprocessing starts by importing the script anew."""
    command_line = multiprocessing.spawn.get_command_line

    def get_command_line(**kwargs):
        words = command_line(**kwargs)
        if "-c" in words:
            place = words.index("-c") + 1
            words[place] = (
                f"import sys; sys.path.insert(0, {_HOME!r}); "
                "from pyimagesearch.keras2.runner import prepare_child; "
                f"prepare_child({folder!r}, {unsafe}); {words[place]}"
            )
        return words

    multiprocessing.spawn.get_command_line = get_command_line


def prepare_child(folder, unsafe):
    """Set up a process that multiprocessing has spawned from a script in `folder`."""
    del sys.path[0]
    _prepare(folder, unsafe=unsafe)
