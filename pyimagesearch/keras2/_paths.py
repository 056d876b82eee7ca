"""Names of model files: which suffixes Keras 3 does not write."""

import ast
import re

from pyimagesearch.keras2._edits import Edit
from pyimagesearch.keras2._lookup import find_key, suffixes

SAVE, WEIGHTS = "keras.Model.save", "keras.Model.save_weights"
CHECKPOINT = "keras.callbacks.ModelCheckpoint"
# function or method -> (place of the path, owner of the suffixes, does it write?)
METHODS = {
    "save": (0, SAVE, True),
    "save_weights": (0, WEIGHTS, True),
    "load_weights": (0, WEIGHTS, False),
}
FUNCTIONS = {
    "keras.models.save_model": (1, SAVE, True),
    "keras.models.load_model": (0, SAVE, False),
    CHECKPOINT: (0, CHECKPOINT, True),
}
MODEL_NAMES = re.compile(r"MODEL|CHECKPOINT")


def check_paths(checker, call, owners):
    """Report the suffix of a path that a call saves to or loads from, as far as it is known."""
    place, owner, writes = next((FUNCTIONS[o] for o in owners if o in FUNCTIONS), (0, "", False))
    if not owners and isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        place, owner, writes = METHODS[call.func.attr]
    if not owner:
        return
    path = next((k.value for k in call.keywords if k.arg in ("filepath", "path")), None)
    path = call.args[place] if path is None and len(call.args) > place else path
    literal = _last_literal(checker, path)
    if literal is None or (not writes and _is_address(checker, path)):
        return
    if owner == CHECKPOINT:
        _check_template(checker, literal)
        if any(
            k.arg == "save_weights_only" and getattr(k.value, "value", None) is True
            for k in call.keywords
        ):
            owner = WEIGHTS
    bare = owner == SAVE and writes and checker.kind(getattr(call.func, "value", None)) == "model"
    _check_suffix(checker, literal, owner, writes, bare)


def check_suffix_constant(checker, node):
    """Report MODEL_PATH = "x.model" in a configuration.

    A file of weights is reported where it is written: any that is read may keep its name.
    """
    upper = [t.id for t in node.targets if isinstance(t, ast.Name) and t.id.isupper()]
    if any(MODEL_NAMES.search(name) and "WEIGHTS" not in name for name in upper):
        literal = _last_literal(checker, node.value)
        if literal is not None and not _is_address(checker, node.value):
            _check_suffix(checker, literal, SAVE, True, False)


def check_pattern(checker, call):
    """Report "*.model" and the like where files are looked for."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if function in ("glob", "iglob", "rglob") and call.args:
        literal = _last_literal(checker, call.args[0])
        if literal is not None and _tail(literal).endswith(".model"):
            _check_suffix(checker, literal, SAVE, False, False)


def _last_literal(checker, node, depth=5):
    """Return the string literal that a path ends in, None if it is not known."""
    if node is None or depth == 0:
        return None
    if isinstance(node, ast.Constant):
        return node if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        ends = node.values and isinstance(node.values[-1], ast.Constant)
        return node if ends else None
    if isinstance(node, ast.BinOp):  # "a" + "b", "%d.h5" % n, folder / "b"
        part = node.left if isinstance(node.op, ast.Mod) else node.right
    elif isinstance(node, (ast.List, ast.Tuple)):
        part = node.elts[-1] if node.elts else None
    elif isinstance(node, ast.Name):
        binding = checker.lookup(node.id)
        part = binding.value if binding is not None else None
    elif isinstance(node, ast.Call):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        part = node.args[-1] if node.args else None
        function = checker.positions.text(node.func)
        if method == "format":
            part = node.func.value
        elif method not in ("join", "joinpath", "Path") and function not in ("str", "Path"):
            return None
    else:
        return None
    return _last_literal(checker, part, depth - 1)


def _is_address(checker, node):
    """Whether a path is visibly that of a download."""
    parts = list(ast.walk(node))
    bindings = [checker.lookup(part.id) for part in parts if isinstance(part, ast.Name)]
    for binding in bindings:
        if binding is not None and binding.value is not None:
            parts += ast.walk(binding.value)
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and "://" in part.value
        for part in parts
    )


def _tail(literal):
    if isinstance(literal, ast.JoinedStr):
        literal = literal.values[-1]
    return literal.value


def _check_suffix(checker, literal, owner, writes, bare):
    tail = _tail(literal)
    if tail.endswith((".weights.h5", ".keras")):
        return
    rows = suffixes(owner)
    suffix = next((old for old in rows if old and tail.endswith(old)), None)
    if suffix is None:
        last = re.split(r"[\\/]", tail)[-1]
        if not (bare and "" in rows and last and "." not in last and not last.endswith("}")):
            return
        suffix = ""
    row = rows[suffix]
    text = checker.positions.text(literal)
    match = re.search(re.escape(suffix) + r"""(["']{1,3})$""", text)
    edits = []
    if match:
        start = checker.positions.end(literal) - len(match[0].encode())
        edits = [Edit(start, start + len(suffix.encode()), row.new)]
    name = re.split(r"[\\/]", tail)[-1].removesuffix(suffix)
    if writes:
        checker.written_paths.add((name, suffix))
    finding = checker.add(literal, row, f'"{suffix}"', f'"{row.new}"', edits)
    if not writes:
        finding.path = (name, suffix)
        finding.loads = owner == WEIGHTS  # all its suffixes are of HDF5


def _check_template(checker, literal):
    """Report {val_acc:.2f} in the name of a checkpoint."""
    text = checker.positions.text(literal)
    for match in re.finditer(r"\{(acc|val_acc|lr)(?=[:}])", text):
        row = find_key(match[1])
        if match[1] != "lr" and "acc" in checker.metrics:
            continue
        start = checker.positions.start(literal) + len(text[: match.start(1)].encode())
        edits = [Edit(start, start + len(match[1]), row.new)]
        checker.add(literal, row, "{" + match[1] + "}", "{" + row.new + "}", edits)
