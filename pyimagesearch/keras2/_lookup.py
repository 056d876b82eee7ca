"""The table of names, made quick to search."""

from functools import cache

from pyimagesearch.keras2 import _python2, names

_PYTHON_2 = "Python 3 has another name for it."
_NAMES = {row.old: row for row in (*names.NAMES, *names.OTHERS) if not row.owner}
_NAMES |= {old: names.Old(old, new, _PYTHON_2) for old, new in _python2.MODULES.items()}
_MODULES = {row.old: row for row in names.MODULES}
_OLD_ROOTS = [row for row in names.ROOTS if row.why]  # the others still work
_OF_KERAS = {*names.ROOTS, *names.MODULES, *names.NAMES, *names.ARGUMENTS, *names.METHODS}
_KEYS = {row.old: row for row in names.KEYS}
MODEL_METHODS = "keras.Model."


def _prefixes(name):
    """Yield (prefix, rest) of a dotted name, the longest first: ("a.b", ""), ("a", ".b")."""
    end = len(name)
    while end > 0:
        yield name[:end], name[end:]
        end = name.rfind(".", 0, end)


def find_name(dotted):
    """Return (row, modern) for an old dotted name, (None, dotted) for one that is still right.

    `modern` is the name of today: also dotted, if the row can be renamed; else `dotted` itself.
    """
    in_tensorflow = dotted.startswith(("tensorflow.keras.", "tf.keras."))
    name = names.canonical(dotted)
    if in_tensorflow and name in names.TENSORFLOW_KEEPS:
        return None, dotted
    row, modern = _find_keras_name(name)
    if row is not None:
        return row, modern
    for root in _OLD_ROOTS:
        if dotted == root.old or dotted.startswith(root.old + "."):
            return root, name
    return None, dotted


@cache
def _find_keras_name(name):
    if name in _NAMES:
        return _renamed(_NAMES[name], name)
    for prefix, rest in _prefixes(name):
        if prefix in _MODULES:
            row = _MODULES[prefix]
            if rest and row.rename and row.new + rest in _NAMES:
                return _renamed(_NAMES[row.new + rest], name)
            return _renamed(row, name, rest)
        if rest and prefix in _NAMES:
            return _renamed(_NAMES[prefix], name, rest)
    return None, name


def _renamed(row, name, rest=""):
    return row, row.new + rest if row.rename else name


def find_module(dotted):
    """Return (row, modern) for a module that is imported: see find_name."""
    name = names.canonical(dotted)
    if name in _MODULES:  # "keras.layers.merge" was a module, and a function of the same name
        return _renamed(_MODULES[name], name)
    return find_name(dotted)


@cache
def arguments_of(owner):
    """Return old argument -> row for a function or class, by any of its dotted names."""
    owner = names.SECOND_NAMES.get(owner, owner)
    room = owner.rpartition(".")[0] + ".*"
    rows = {row.old: row for row in names.ARGUMENTS if row.owner == room}
    # keras.layers.* stands for layers: the module also holds functions, in small letters
    if not owner.rpartition(".")[2][:1].isupper():
        rows = {}
    rows.update({row.old: row for row in names.ARGUMENTS if row.owner == owner})
    rows.update({row.old: row for row in names.OTHERS if row.owner == owner})
    return rows


@cache
def methods(owner):
    """Return old method or attribute -> row."""
    return {row.old: row for row in names.METHODS if row.owner == owner}


def suffixes(owner):
    return {row.old: row for row in names.SUFFIXES if row.owner == owner}


def python2_name(name):
    """Return the row of a function or method that Python 2 had, None for another name."""
    new = (_python2.NAMES | _python2.METHODS).get(name)
    return new and names.Old(name, new, _PYTHON_2, rename=new != "in")


def is_python2(row):
    return row.why == _PYTHON_2


def is_refused(row):
    """Whether a row is of a name of Keras that Keras 3 refuses."""
    return row.result == names.ERROR and row in _OF_KERAS


def is_keras_1(row):
    """Whether a row is of a spelling that Keras 2 gave up."""
    return row.old in names.KERAS_1 and row in _OF_KERAS


def find_key(key):
    return _KEYS.get(key)


def find_other(owner, old):
    return next(row for row in names.OTHERS if (row.owner, row.old) == (owner, old))
