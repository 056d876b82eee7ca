"""The modules of Keras 2 and what was in them, put beside those of Keras 3.

A finder at the head of `sys.meta_path` makes the old modules, and lets the modern ones give out
old contents as they are imported. Nothing is imported before the script asks for it.
"""

import contextlib
import dis
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._frames import user_frame
from pyimagesearch.keras2.explain import note

_OTHERS = [row for row in names.OTHERS if not row.owner]
_OTHER_MODULES = (
    *("sklearn.cross_validation", "sklearn.grid_search", "sklearn.externals.joblib"),
    "tensorflow.contrib",
)
MODULES = {row.old: row for row in names.MODULES} | {
    row.old: row for row in _OTHERS if row.old in _OTHER_MODULES
}
NAMES = {row.old: row for row in (*names.NAMES, *_OTHERS) if row.old not in MODULES}
_ROOMS = {name.rpartition(".")[0] for name in (*NAMES, *MODULES)}  # modules with old contents
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]
_IMPORT_STAR = [dis.opmap.get(name) for name in ("IMPORT_STAR", "CALL_INTRINSIC_1")]

# Old name -> function without arguments that returns what it stands for, where that is not what
# `new` says. Filled by the modules that know.
PROVIDED = {}

# Module -> functions to call with it once it has been imported.
AFTER_IMPORT = {}


def canonical(name):
    """Return the name of a module with the root `keras`, where it is known by another one."""
    # the others are seen to by _redirects: TensorFlow itself imports tensorflow.python.keras
    roots = ("keras._tf_keras.keras", "tensorflow.keras", "tf.keras", "keras.api")
    for root in roots:
        if name == root or name.startswith(root + "."):
            return "keras" + name[len(root) :]
    return name


def gone(row):
    """Return the sentence for a name that the runner does not provide."""
    instead = f" Use instead: {row.new}." if row.new else ""
    return f"{row.old} is not in Keras 3 and has no stand-in here. {row.why}{instead}"


def is_old(name):
    """Return whether a dotted name is one of Keras 2 or its companions."""
    return name in NAMES or name in MODULES


def look_up(old):
    """Return what an old dotted name stands for.

    Raises:
        ImportError, AttributeError: if it has no stand-in; which one, tells the line that asks.
    """
    row = NAMES.get(old) or MODULES[old]
    if not row.provided:
        frame = sys._getframe(2)  # beyond __getattr__: who imports, or asks for an attribute
        importing = frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM
        raise (ImportError if importing else AttributeError)(gone(row))
    if old in MODULES:
        return importlib.import_module(old)
    # `from module import name` asks twice, the first time by the import system
    frame = sys._getframe(2)
    starred = frame.f_code.co_code[frame.f_lasti] in _IMPORT_STAR  # nobody asked for this name
    if not (starred or frame.f_code.co_filename.startswith("<frozen")):
        note(row)
    return PROVIDED[old]() if old in PROVIDED else resolve(row.new)


def resolve(name):
    """Return the object with a dotted name."""
    with ours():
        module, _, attribute = name.rpartition(".")
        if not module:
            return getattr(importlib.import_module("builtins"), name)
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError:  # `keras.ops` or a class of it: no module, yet importable
            return getattr(resolve(module), attribute)
        except AttributeError:
            return importlib.import_module(name)


def starred(module, *old):
    """Return what `from module import *` gives: public names and those of modules of Keras 2."""
    own = getattr(module, "__all__", None) or dir(module)
    found = {name for name in own if not name.startswith("_")}
    for name, row in NAMES.items():
        room, _, attribute = name.rpartition(".")
        if room in old and row.provided and row.new != "tensorflow":
            found.add(attribute)
    if "keras.utils" in old:
        found.add("np_utils")  # a module that scripts use after `from keras.utils import *`
    return sorted(found)


def extend(module):
    """Let a modern module give out its old contents, too."""
    own = vars(module).get("__getattr__")
    name = canonical(module.__name__)

    def __getattr__(attribute):
        if is_old(f"{name}.{attribute}"):
            return look_up(f"{name}.{attribute}")
        if own is not None:
            return own(attribute)
        hint = ""
        if name == "keras.backend" and not attribute.startswith("_"):
            hint = ". What works on tensors is in keras.ops today, often under NumPy's name"
        raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}{hint}")

    module.__getattr__ = __getattr__
    if name == "keras.backend":  # that of tensorflow.keras has some, and not all of them work
        for attribute in [key for key in vars(module) if f"{name}.{key}" in NAMES]:
            delattr(module, attribute)
    if name.startswith("keras."):
        module.__all__ = starred(module, name)


class OldModule(types.ModuleType):
    """A module of Keras 2: its contents are looked up among the old names and in Keras 3."""

    def __init__(self, name, row):
        super().__init__(name, f"{row.old} of Keras 2; today {row.new or 'gone'}.")
        self.__path__ = []  # it may have modules in it, as keras.engine has
        self._row = row

    def __getattr__(self, attribute):
        if attribute == "__all__":
            modern = self._modern()
            return starred(modern if modern is not self else (), self._row.old, self._row.new)
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        old, modern = f"{self._row.old}.{attribute}", f"{self._row.new}.{attribute}"
        if is_old(old):
            return look_up(old)
        if modern in NAMES:
            return look_up(modern)
        if not self._row.new:
            raise AttributeError(f"module {self.__name__!r} has no attribute {attribute!r}")
        return getattr(self._modern(), attribute)

    def _modern(self):
        return importlib.import_module(self._row.new) if self._row.new else self

    def __call__(self, *args, **kwargs):
        """Be what Keras 1 had under the name of the module: the function `merge`."""
        old = self._row.old
        if old not in PROVIDED:
            raise TypeError(f"The module {old!r} cannot be called.")
        note(next(row for row in names.NAMES if row.old == old))
        return PROVIDED[old]()(*args, **kwargs)


def _row_of(module):
    """Return the row of an old module; one below `keras.api` has that of its root."""
    return MODULES.get(module) or names.Old(f"keras.api{module[5:]}", module, names.ROOTS[-1].why)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of Keras 2, and follows the import of those that are patched."""

    def find_spec(self, fullname, path=None, target=None):
        name = canonical(fullname)
        old = name in MODULES or fullname.startswith("keras.api")
        if not (old or name in _ROOMS or fullname in AFTER_IMPORT):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is None and old:
            row = _row_of(name)
            if not row.provided:
                raise ImportError(gone(row), name=fullname)
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if spec is not None and spec.loader is not None:
            spec.loader = _Followed(spec.loader)
        return spec

    def create_module(self, spec):
        row = _row_of(canonical(spec.name))
        note(row)
        return OldModule(spec.name, row)

    def exec_module(self, module):
        pass


class _Followed(importlib.abc.Loader):
    """A module's own loader, and what is to be done once it has loaded."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _follow(module)


def _follow(module):
    if canonical(module.__name__) in _ROOMS:
        extend(module)
    for function in AFTER_IMPORT.get(module.__name__, ()):
        with ours():
            function(module)


def install():
    """Put the finder in its place, and extend what is imported already."""
    sys.meta_path.insert(0, Finder())
    for name, module in list(sys.modules.items()):
        if canonical(name) in _ROOMS or name in AFTER_IMPORT:
            _follow(module)


# The reader's own copy of the package.

_own = {}  # our modules by name, while a reader's copy goes by the name of `pyimagesearch`


def _take_out():
    taken = {name: sys.modules[name] for name in list(sys.modules) if _is_package(name)}
    for name in taken:
        del sys.modules[name]
    return taken


def _is_package(name):
    return name == "pyimagesearch" or name.startswith("pyimagesearch.")


@contextlib.contextmanager
def ours():
    """Within the block, `pyimagesearch` is this package, even if the script has its own."""
    if not _own:
        yield
        return
    theirs = _take_out()
    sys.modules.update(_own)
    try:
        yield
    finally:
        _own.update(_take_out())
        sys.modules.update(theirs)


def give_way(folder):
    """Let a script's `import pyimagesearch` find the copy in `folder`, if there is one."""
    if not (Path(folder) / "pyimagesearch").is_dir():
        return
    _own.update(_take_out())
    sys.meta_path.insert(0, _ReadersCopy(folder))
    sys.meta_path.append(_Missing(folder))


class _ReadersCopy(importlib.abc.MetaPathFinder):
    """Finds the copy beside the script, though it may lack an __init__.py and ours has one."""

    def __init__(self, folder):
        self._folder = str(folder)

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "pyimagesearch":
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [self._folder])


class _Missing(importlib.abc.MetaPathFinder):
    """Says what is the matter when the copy beside the script lacks a module."""

    def __init__(self, folder):
        self._folder = Path(folder) / "pyimagesearch"

    def find_spec(self, fullname, path=None, target=None):
        if not fullname.startswith("pyimagesearch.") or user_frame() is None:
            return None
        file = Path(__file__).parents[2].joinpath(*fullname.split("."))
        if not (file.is_dir() or file.with_suffix(".py").exists()):
            return None
        raise ModuleNotFoundError(
            f"No module named {fullname!r} in {self._folder}, the copy of the package beside the "
            "script. This package has one: rename that folder to use it instead.",
            name=fullname,
        )
