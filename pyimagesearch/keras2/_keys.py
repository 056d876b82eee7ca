"""Keys of histories and logs, and class names in HDF5 files."""

import ast

from pyimagesearch.keras2._lookup import find_key, find_other


def check_keys(checker, call, owners):
    for keyword in call.keywords:
        if keyword.arg == "monitor":
            check_key(checker, keyword.value, "monitor=")
    if any(owner == "keras.callbacks.EarlyStopping" for owner in owners) and call.args:
        check_key(checker, call.args[0], "monitor=")
    if any(owner == "keras.callbacks.ModelCheckpoint" for owner in owners):
        for argument in call.args[1:2]:
            check_key(checker, argument, "monitor=")
    function = call.func
    if (
        isinstance(function, ast.Attribute)
        and function.attr in ("get", "pop")
        and call.args
        and checker.kind(function.value) == "logs"
    ):
        check_key(checker, call.args[0])


def check_key(checker, node, place=""):
    row = find_key(node.value) if isinstance(node, ast.Constant) else None
    if row is None or (row.old != "lr" and "acc" in checker.metrics):
        return
    text = checker.positions.text(node)
    edits = []
    if len(text) == len(row.old) + 2:
        edits = [checker.replace(node, text[0] + row.new + text[-1])]
    checker.add(node, row, f'{place}"{row.old}"', f'{place}"{row.new}"', edits)


def check_texts(checker, node):
    """Report class names that are handed on as h5py gives them: as bytes."""
    parent = checker.parent()
    if isinstance(parent, ast.Subscript):
        handed_on = parent.value is node
    elif isinstance(parent, ast.Call):
        handed_on = checker.positions.text(parent.func) not in ("len", "print", "type", "repr")
    else:
        handed_on = isinstance(parent, (ast.keyword, ast.For, ast.ListComp, ast.Starred))
    if handed_on:
        text = checker.positions.text(node)
        more = ".asstr()" if isinstance(parent, ast.Subscript) else ".asstr()[:]"
        row = find_other("h5py.File", "label_names")
        edits = [checker.insert(checker.positions.end(node), more)]
        checker.add(node, row, text, text + more, edits)
