"""Calls with old arguments, defaults and numbers of batches."""

import ast
import math
import re

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._bindings import Binding
from pyimagesearch.keras2._edits import Edit, delete_argument
from pyimagesearch.keras2._lookup import arguments_of, find_other, methods

RUNS = ("fit", "evaluate", "predict", "fit_generator", "evaluate_generator", "predict_generator")
# Options of the feed: without them a model does the same, if slower.
FEED = ("max_queue_size", "workers", "use_multiprocessing")
STEPS = {row.old.partition("=")[0]: row for row in names.STEPS}


def check_call(checker, node, owners):
    """Report what is old in a call.

    Args:
        checker: the Checker whose tree it is in.
        owners: the dotted names of what is called, empty if it is not known.
    """
    rows = {}
    for owner in reversed(owners):
        rows |= arguments_of(owner)
    name = owners[0].rpartition(".")[2] if owners else ""
    if not owners and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        rows = arguments_of(f"keras.Model.{name}")
    for keyword in node.keywords:
        if keyword.arg in rows:
            _check_argument(checker, node, name, keyword, rows[keyword.arg])
        elif keyword.arg is None:
            _check_unpacked(checker, node, name, keyword.value, rows)
    _check_method_by_name(checker, node)
    _check_kernel(checker, node, rows)
    _check_steps(checker, node)
    _check_defaults(checker, node, owners)
    _check_default_by_name(checker, node)
    _check_mode(checker, node, owners)
    _check_rate(checker, node, owners)


def _check_argument(checker, call, function, keyword, row):
    value = keyword.value
    if not _applies(row, call, value, checker) or _is_of_tensorflow(row, call, checker):
        return
    start = checker.positions.start(keyword)
    old, new = f"{function}({row.old}=)", row.new
    edits = []
    if row.new in FEED:  # renamed in Keras 2, and gone in Keras 3
        new = f"keras.utils.PyDataset({row.new}=...)"
        edits = [delete_argument(checker.source, start, checker.positions.end(keyword))]
    elif row.rename:
        new = f"{function}({row.new}=)"
        edits = [Edit(start, start + len(row.old), row.new)]
        for old_value, new_value in row.values:
            if isinstance(value, ast.Constant) and value.value == old_value:
                edits.append(checker.replace(value, _quoted(new_value)))
    elif row.old == "decay" and getattr(value, "value", None) == 0:
        new, edits = "", [delete_argument(checker.source, start, checker.positions.end(keyword))]
    elif row.old == "mode" and getattr(value, "value", None) != 0:
        pass  # a choice that has no successor
    elif not row.new or row.old in FEED:
        edits = [delete_argument(checker.source, start, checker.positions.end(keyword))]
    elif row.old == "shear_range":
        new = f"{function}(shear_range={math.degrees(value.value):.1f})"
    elif row.old in ("nb_row", "nb_col"):
        edits = _one_kernel_size(checker, call)
    checker.add(keyword, row, old, new, edits)


def _check_unpacked(checker, call, function, value, rows):
    """Report SGD(**options) with options = {"lr": 0.1}. Others may use it: no edits."""
    if isinstance(value, ast.Name):
        value = (checker.lookup(value.id) or Binding()).value
    if not isinstance(value, ast.Dict):
        return
    for key, content in zip(value.keys, value.values, strict=True):
        row = rows.get(key.value) if isinstance(key, ast.Constant) else None
        if row is not None and _applies(row, call, content, checker):
            new = f"{function}({row.new}=)" if row.rename else row.new
            checker.add(key, row, f"{function}({row.old}=)", new)


def _check_method_by_name(checker, call):
    """Report getattr(model, "fit_generator")."""
    if getattr(call.func, "id", "") != "getattr" or len(call.args) != 2:
        return
    value = call.args[1]
    name = value.value if isinstance(value, ast.Constant) else None
    row = methods("keras.Model").get(name)
    if row is None or name in checker.bound:
        return
    if checker.kind(call.args[0]) == "model" or name.endswith("_generator"):
        edits = [checker.replace(value, f'"{row.new}"')] if row.rename else []
        checker.add(value, row, f".{name}", f".{row.new}" if row.rename else row.new, edits)


def _one_kernel_size(checker, call):
    """Return the edits that make nb_row=3, nb_col=3 to kernel_size=(3, 3)."""
    both = [k for k in call.keywords if k.arg in ("nb_row", "nb_col")]
    if len(both) != 2:
        return []
    between = checker.source[checker.positions.end(both[0]) : checker.positions.start(both[1])]
    if between.strip() != b",":
        return []
    rows, columns = sorted(both, key=lambda keyword: keyword.arg, reverse=True)
    sizes = checker.positions.text(rows.value), checker.positions.text(columns.value)
    text = f"kernel_size=({', '.join(sizes)})"
    return [Edit(checker.positions.start(both[0]), checker.positions.end(both[1]), text)]


def _check_mode(checker, call, owners):
    """Report a file that is opened without a mode, and written to."""
    if "h5py.File" not in owners or len(call.args) != 1 or call.keywords:
        return
    if b".create_dataset(" in checker.source or b".create_group(" in checker.source:
        row = find_other("h5py.File", "File(path)")
        checker.add(call, row, checker.positions.text(call), row.new)


def _check_kernel(checker, call, rows):
    row = rows.get("(filters, rows, columns)")
    found = checker.resolve(call.func)
    if row is not None and found.written.rpartition(".")[2] == "Convolution2D":
        checker.keras_1 = True
    if row is None or len(call.args) < 3 or found.written.startswith("tensorflow."):
        return
    if any(isinstance(argument, (ast.Starred, ast.Tuple)) for argument in call.args[:3]):
        return
    first, second = call.args[1:3]
    between = checker.source[checker.positions.end(first) : checker.positions.start(second)]
    if all(isinstance(part, ast.Constant) and part.value == 1 for part in (first, second)):
        return  # the same either way
    edits = []
    if between.strip() == b",":
        edits = [
            checker.insert(checker.positions.start(first), "("),
            checker.insert(checker.positions.end(second), ")"),
        ]
    texts = [checker.positions.text(part) for part in call.args[:3]]
    function = checker.positions.text(call.func)
    old = f"{function}({', '.join(texts)})"
    new = f"{function}({texts[0]}, ({texts[1]}, {texts[2]}))"
    finding = checker.add(first, row, old, new, edits)
    checker.kernels.append((finding, texts[1] == texts[2]))


def _check_defaults(checker, call, owners):
    """Report an optimizer that is made with defaults which were others then."""
    row = next((row for row in names.DEFAULTS if row.owner in owners), None)
    if row is None or any(keyword.arg is None for keyword in call.keywords):
        return
    if any(keyword.arg == "learning_rate" for keyword in call.keywords):
        return  # spelt as today
    given = {"learning_rate" if k.arg == "lr" else k.arg for k in call.keywords}
    given |= {"learning_rate"} if call.args else set()
    missing = [f"{name}={value}" for name, value in row.values if name not in given]
    if not missing:
        return
    edits = []
    if call.keywords:
        end = checker.positions.end(call.keywords[-1])
        edits = [checker.insert(end, "".join(f", {argument}" for argument in missing))]
    elif not call.args:
        edits = [checker.insert(checker.positions.end(call) - 1, ", ".join(missing))]
    function = checker.positions.text(call.func)
    more = ", ".join([*(["..."] if given else []), *missing])
    old = f"{function}({'...' if given else ''})"
    checker.defaults.append(checker.add(call, row, old, f"{function}({more})", edits))


def _check_default_by_name(checker, call):
    """Report compile(optimizer="adadelta")."""
    name = next((k.value for k in call.keywords if k.arg == "optimizer"), None)
    if isinstance(name, ast.Constant):
        for row in names.DEFAULTS:
            if row.owner.rpartition(".")[2].lower() == name.value:
                new = f"optimizer=keras.optimizers.{row.new}"
                found = checker.add(name, row, f"optimizer={checker.positions.text(name)}", new)
                checker.defaults.append(found)


def _check_steps(checker, call):
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in RUNS):
        return
    kind = checker.kind(call.func.value)
    counts = {k.arg: k.value for k in call.keywords if k.arg in STEPS}
    if call.func.attr.endswith("_generator") and len(call.args) > 1:
        first = "steps_per_epoch" if call.func.attr.startswith("fit") else "steps"
        counts.setdefault(first, call.args[1])
    for name, value in counts.items():
        if kind not in ("", "model") or not _counts_down(value, checker):
            continue
        edits = []
        if isinstance(value, ast.BinOp):
            start, end = checker.positions.start(value), checker.positions.end(value)
            edits = [checker.insert(start, "-(-"), checker.insert(end, ")")]
        row, text = STEPS[name], _short(checker.positions.text(value))
        new = f"{name}=-(-{text})" if edits else row.new
        checker.add(value, row, f"{name}={text}", new, edits)


def _check_rate(checker, call, owners):
    """Write K.get_value and K.set_value of a learning rate as Keras 3 does."""
    function = next((o for o in owners if o.startswith("keras.backend.")), "")
    if not call.args or not isinstance(call.args[0], ast.Attribute):
        return
    rate = call.args[0]
    if checker.kind(rate.value) != "optimizer" or rate.attr not in ("lr", "learning_rate"):
        return
    if function == "keras.backend.get_value" and len(call.args) == 1:
        new = f"float({checker.positions.text(rate.value)}.learning_rate)"
        outer = checker.parent()
        edits = [checker.replace(call.func, "float")]
        if isinstance(outer, ast.Call) and getattr(outer.func, "id", "") == "float":
            edits = [
                Edit(checker.positions.start(call), checker.positions.start(rate), ""),
                Edit(checker.positions.end(rate), checker.positions.end(call), ""),
            ]
        checker.rewritten[id(call.func)] = new, edits
    statement = checker.parent()
    if function == "keras.backend.set_value" and len(call.args) == 2:
        value = call.args[1]
        start, end = checker.positions.start, checker.positions.end
        pieces = [
            Edit(start(call), start(rate), ""),
            Edit(end(rate), start(value), " = "),
            Edit(end(value), end(call), ""),
        ]
        tidy = all(b"#" not in checker.source[p.start : p.end] for p in pieces)
        one_line = value.lineno == value.end_lineno
        if isinstance(statement, ast.Expr) and tidy and one_line:
            optimizer = checker.positions.text(rate.value)
            new = f"{optimizer}.learning_rate = {checker.positions.text(value)}"
            checker.rewritten[id(call.func)] = new, pieces


def _applies(row, call, value, checker):
    """Whether a row speaks of this very argument."""
    constant = value.value if isinstance(value, ast.Constant) else None
    if row.old == "include_top":
        pooled = any(k.arg == "pooling" and not _is_none(k.value) for k in call.keywords)
        return constant is False and not pooled
    if row.old == "shear_range":
        return isinstance(constant, float) and 0 < constant < 1  # less than a degree: radians
    if row.old == "class_weight":
        return _is_array(value, checker)
    if row.old == "grayscale":
        return constant is not False
    if row.old == "weights":
        return not _is_none(value)
    return True


def _is_of_tensorflow(row, call, checker):
    """Whether an optimizer is TensorFlow's, which took the norm of each gradient by itself."""
    found = checker.resolve(call.func) if row.old == "clipnorm" else None
    return found is not None and found.written.startswith("tensorflow")


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def _is_array(node, checker):
    """Whether an expression is visibly an array or a list."""
    if isinstance(node, ast.Name):
        binding = checker.lookup(node.id) or Binding()
        return binding.value is not None and _is_array(binding.value, checker)
    if isinstance(node, ast.Call):
        text = checker.positions.text(node.func)
        return text.endswith("compute_class_weight") or text.startswith(("np.", "numpy."))
    return isinstance(node, (ast.List, ast.Tuple, ast.ListComp, ast.BinOp))


def _counts_down(node, checker):
    """Whether a number of batches was rounded down: n // b, int(n / b), or a name for that."""
    if isinstance(node, ast.Name):
        binding = checker.lookup(node.id) or Binding()
        return binding.value is not None and _counts_down(binding.value, checker)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        function = checker.positions.text(node.func)
        inside = node.args[0]
        if function in ("int", "np.floor", "math.floor"):
            return _counts_down(inside, checker) or (
                isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Div)
            )
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.FloorDiv)
        # (n + batch - 1) // batch counts up
        and not (isinstance(node.left, ast.BinOp) and isinstance(node.left.op, (ast.Add, ast.Sub)))
    )


def _quoted(value):
    return "None" if value is None else f'"{value}"'


def _short(text):
    return re.sub(r"\s+", " ", text)
