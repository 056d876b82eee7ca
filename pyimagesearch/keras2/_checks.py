"""The old names in one file: what they are, where they stand, and which can be changed by rote."""

import ast
import math
import re
from dataclasses import dataclass, field

from pyimagesearch.keras2 import _python2, names
from pyimagesearch.keras2._bindings import Binding, Bindings
from pyimagesearch.keras2._edits import Edit, Positions, delete_argument
from pyimagesearch.keras2._imports import Imports
from pyimagesearch.keras2._lookup import (
    arguments_of,
    find_key,
    find_other,
    methods,
    python2_name,
)
from pyimagesearch.keras2._paths import check_paths, check_pattern, check_suffix_constant

# Methods whose names no other library has: their object need not be known.
DISTINCT = (
    *("fit_generator", "evaluate_generator", "predict_generator", "predict_classes"),
    *("to_yaml", "metrics_names"),
)
RUNS = ("fit", "evaluate", "predict", "fit_generator", "evaluate_generator", "predict_generator")
# Options of the feed: without them a model does the same, if slower.
FEED = ("max_queue_size", "workers", "use_multiprocessing")
STEPS = {row.old.partition("=")[0]: row for row in names.STEPS}


@dataclass
class Finding:
    """An old name in a file.

    Attributes:
        line, column: where it stands.
        old, new, why, result: as in the table of names.
        edits: what changes it by rote; empty if a human must.
        path: (name, suffix) of a model file that is read: its suffix may only change together
            with that of the file that is written.
    """

    line: int
    column: int
    old: str
    new: str
    why: str
    result: str
    edits: list = field(default_factory=list)
    path: tuple = ()


class Checker(Bindings):
    """Finds the old names in a tree.

    Args:
        tree: ast.Module.
        source: the UTF-8 bytes that it was made from.
    """

    def __init__(self, tree, source):
        super().__init__(tree)
        self.positions = Positions(source)
        self.source = source
        self.findings = []
        self.written_paths = set()  # (name, suffix) of the model files that are written
        self._rewritten = {}  # id of a function -> (new form, edits) of the call of it
        self._needing = []  # (finding, module) where edits use a module that is not imported
        self._kernels = []  # (finding, are both numbers the same?) for Conv2D(n, 3, 3)
        self._defaults = []  # findings of defaults that only an old file means
        self.metrics = {
            part.value
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "metrics"
            for part in ast.walk(node.value)
            if isinstance(part, ast.Constant)
        }

    def check(self):
        """Return the findings, in the order of lines."""
        self.run()
        for node, row, old, new, edits in Imports(self, self.positions).find():
            self.add(node, row, old, new, edits)
        self._import_what_edits_need()
        self._doubt()
        unique = {(f.line, f.column, f.old): f for f in reversed(self.findings)}
        return sorted(unique.values(), key=lambda f: (f.line, f.column, f.old))

    def add(self, node, row, old, new, edits=(), **more):
        found = Finding(
            node.lineno, node.col_offset, old, new, row.why, row.result, list(edits), **more
        )
        self.findings.append(found)
        return found

    def replace(self, node, text):
        return Edit(self.positions.start(node), self.positions.end(node), text)

    def insert(self, position, text):
        return Edit(position, position, text)

    # -- names -----------------------------------------------------------------------------------

    def visit_Name(self, node):
        found = self.lookup(node.id)
        if found is not None:
            found.uses.append(node)
            if found.kind == "texts" and isinstance(node.ctx, ast.Load):
                self._check_texts(node)
        elif isinstance(node.ctx, ast.Load):
            self._check_python2_name(node)
            found = self._from_star(node.id)
            if found is not None and found.row is not None:
                self._add_name(node, found)

    def _check_python2_name(self, node):
        row = python2_name(node.id) if node.id not in self.bound else None
        if row is not None and row.old in _python2.NAMES:
            self.add(node, row, row.old, row.new, [self.replace(node, row.new)])

    def visit_Attribute(self, node):
        self._check_method(node)
        base = node
        while isinstance(base, ast.Attribute):
            base = base.value
        found = self.resolve(node) if isinstance(base, ast.Name) else None
        if found is None or not found.dotted:
            self.generic_visit(node)
            return
        if found.row is not None:
            self._add_name(node, found)
        if self.lookup(base.id) is not None:
            self.visit(base)

    def _add_name(self, node, found):
        row, module = found.row, ""
        new = found.dotted if row.rename and row.new else row.new
        new, edits = self._rewritten.get(id(node), (new, []))
        if not edits and row.rename and row.new and "\n" not in self.positions.text(node):
            text, module = self._spell(node, found.dotted)
            edits = [self.replace(node, text)] if text else []
        finding = self.add(node, row, found.written, new, edits)
        if module:
            self._needing.append((finding, module))

    def _spell(self, node, dotted):
        """Return how a file can write a modern name, "" if it cannot, and the import it takes."""
        module, _, name = dotted.rpartition(".")
        if not module:
            return "" if name in self.bound else name, ""
        base = node
        while isinstance(base, ast.Attribute):
            base = base.value
        binding = self.lookup(base.id)
        if binding is not None and dotted.startswith(binding.dotted + "."):
            return base.id + dotted[len(binding.dotted) :], ""
        root = dotted.partition(".")[0]
        at_hand = self.scopes[0].get(root, Binding()).dotted == root
        if root in self.bound and not at_hand:
            return "", ""
        if root == "keras":  # it imports all of its modules
            return dotted, "" if at_hand else "keras"
        return (dotted, module) if root == "pyimagesearch" else ("", "")

    def _import_what_edits_need(self):
        imports = [
            node
            for node in self.tree.body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            and getattr(node, "module", "") != "__future__"
        ]
        lines = sorted({f"import {module}\n" for _, module in self._needing})
        for finding, _ in self._needing:
            if imports:
                start = self.positions.line_start(imports[0])
                finding.edits.append(self.insert(start, "".join(lines)))
            else:  # imported in functions, or in a try
                finding.edits = []

    # -- methods and attributes ------------------------------------------------------------------

    def _check_method(self, node):
        name, value = node.attr, node.value
        kind = self.kind(value)
        token = self.positions.end(node) - len(name.encode())
        rename = Edit(token, token + len(name.encode()), "")
        row = methods("keras.Model").get(name) if isinstance(node.ctx, ast.Load) else None
        if row and (name in DISTINCT or kind == "model") and kind in ("", "model"):
            edits = [Edit(rename.start, rename.end, row.new)] if row.rename else []
            self.add(node, row, f".{name}", f".{row.new}" if row.rename else row.new, edits)
        elif kind == "optimizer" and name in methods("model.optimizer"):
            row = methods("model.optimizer")[name]
            edits = [Edit(rename.start, rename.end, row.new)] if row.rename else []
            self.add(node, row, f"optimizer.{name}", f"optimizer.{row.new}".rstrip("."), edits)
        elif name in methods("keras.layers.Layer") and (kind == "layer" or name.startswith("get_")):
            row = methods("keras.layers.Layer")[name]
            self.add(node, row, f"layer.{name}", row.new)
        elif name == "next" and kind == "flow":
            self._check_next(node)
        elif name == "value" and kind == "dataset":
            row = find_other("h5py.Dataset", "value")
            edit = Edit(self.positions.end(value), self.positions.end(node), "[()]")
            self.add(node, row, ".value", row.new, [edit])
        elif name in _python2.METHODS:
            row = python2_name(name)
            edits = [Edit(rename.start, rename.end, row.new)] if row.rename else []
            self.add(node, row, f".{name}", f".{row.new}" if row.rename else row.new, edits)
        elif name == "validation_data" and self._is_own_attribute(node):
            row = methods("keras.callbacks.Callback")[name]
            self.add(node, row, "self.validation_data", row.new)

    def _check_next(self, node):
        call = self.parent()
        if isinstance(call, ast.Call) and call.func is node and not call.args:
            row = methods("keras.preprocessing.image.Iterator")["next"]
            edits = [
                self.insert(self.positions.start(call), "next("),
                Edit(self.positions.end(node.value), self.positions.end(call), ")"),
            ]
            self.add(node, row, ".next()", row.new, edits)

    def _is_own_attribute(self, node):
        """Whether a callback reads an attribute of itself that it does not set."""
        if not (self.classes and self.classes[-1][1] and isinstance(node.ctx, ast.Load)):
            return False
        return (
            isinstance(node.value, ast.Name)
            and node.value.id == "self"
            and not any(
                isinstance(part, ast.Attribute)
                and part.attr == node.attr
                and isinstance(part.ctx, ast.Store)
                for part in ast.walk(self.classes[-1][0])
            )
        )

    # -- calls -----------------------------------------------------------------------------------

    def visit_Call(self, node):
        owners = self.owners(node.func)
        rows = {}
        for owner in reversed(owners):
            rows |= arguments_of(owner)
        name = owners[0].rpartition(".")[2] if owners else ""
        if not owners and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            rows = arguments_of(f"keras.Model.{name}")
        for keyword in node.keywords:
            if keyword.arg in rows:
                self._check_argument(node, name, keyword, rows[keyword.arg])
        self._check_kernel(node, rows)
        self._check_steps(node)
        self._check_defaults(node, owners)
        self._check_default_by_name(node)
        self._check_mode(node, owners)
        self._check_rate(node, owners)
        self._check_keys(node, owners)
        check_paths(self, node, owners)
        check_pattern(self, node)
        self.generic_visit(node)

    def _check_argument(self, call, function, keyword, row):
        value = keyword.value
        if not _applies(row, call, value, self):
            return
        start = self.positions.start(keyword)
        old, new = f"{function}({row.old}=)", row.new
        edits = []
        if row.new in FEED:  # renamed in Keras 2, and gone in Keras 3
            new = f"keras.utils.PyDataset({row.new}=...)"
            edits = [delete_argument(self.source, start, self.positions.end(keyword))]
        elif row.rename:
            new = f"{function}({row.new}=)"
            edits = [Edit(start, start + len(row.old), row.new)]
            for old_value, new_value in row.values:
                if isinstance(value, ast.Constant) and value.value == old_value:
                    edits.append(self.replace(value, _quoted(new_value)))
        elif row.old == "decay" and getattr(value, "value", None) == 0:
            new, edits = "", [delete_argument(self.source, start, self.positions.end(keyword))]
        elif row.old == "mode" and getattr(value, "value", None) != 0:
            pass  # a choice that has no successor
        elif not row.new or row.old in FEED:
            edits = [delete_argument(self.source, start, self.positions.end(keyword))]
        elif row.old == "shear_range":
            new = f"{function}(shear_range={math.degrees(value.value):.1f})"
        elif row.old in ("nb_row", "nb_col"):
            edits = self._one_kernel_size(call)
        self.add(keyword, row, old, new, edits)

    def _one_kernel_size(self, call):
        """Return the edits that make nb_row=3, nb_col=3 to kernel_size=(3, 3)."""
        both = [k for k in call.keywords if k.arg in ("nb_row", "nb_col")]
        if len(both) != 2:
            return []
        between = self.source[self.positions.end(both[0]) : self.positions.start(both[1])]
        if between.strip() != b",":
            return []
        rows, columns = sorted(both, key=lambda keyword: keyword.arg, reverse=True)
        sizes = self.positions.text(rows.value), self.positions.text(columns.value)
        text = f"kernel_size=({', '.join(sizes)})"
        return [Edit(self.positions.start(both[0]), self.positions.end(both[1]), text)]

    def _check_mode(self, call, owners):
        """Report a file that is opened without a mode, and written to."""
        if "h5py.File" not in owners or len(call.args) != 1 or call.keywords:
            return
        if b".create_dataset(" in self.source or b".create_group(" in self.source:
            row = find_other("h5py.File", "File(path)")
            self.add(call, row, self.positions.text(call), row.new)

    def _check_kernel(self, call, rows):
        row = rows.get("(filters, rows, columns)")
        found = self.resolve(call.func)
        if row is None or len(call.args) < 3 or found.written.startswith("tensorflow."):
            return
        if any(isinstance(argument, (ast.Starred, ast.Tuple)) for argument in call.args[:3]):
            return
        first, second = call.args[1:3]
        between = self.source[self.positions.end(first) : self.positions.start(second)]
        if all(isinstance(part, ast.Constant) and part.value == 1 for part in (first, second)):
            return  # the same either way
        edits = []
        if between.strip() == b",":
            edits = [
                self.insert(self.positions.start(first), "("),
                self.insert(self.positions.end(second), ")"),
            ]
        texts = [self.positions.text(part) for part in call.args[:3]]
        function = self.positions.text(call.func)
        old = f"{function}({', '.join(texts)})"
        new = f"{function}({texts[0]}, ({texts[1]}, {texts[2]}))"
        finding = self.add(first, row, old, new, edits)
        self._kernels.append((finding, texts[1] == texts[2]))

    def _check_defaults(self, call, owners):
        """Report an optimizer that is made with defaults which were others then."""
        row = next((row for row in names.DEFAULTS if row.owner in owners), None)
        if row is None or any(keyword.arg is None for keyword in call.keywords):
            return
        given = {"learning_rate" if k.arg == "lr" else k.arg for k in call.keywords}
        given |= {"learning_rate"} if call.args else set()
        missing = [f"{name}={value}" for name, value in row.values if name not in given]
        if not missing:
            return
        edits = []
        if call.keywords:
            end = self.positions.end(call.keywords[-1])
            edits = [self.insert(end, "".join(f", {argument}" for argument in missing))]
        elif not call.args:
            edits = [self.insert(self.positions.end(call) - 1, ", ".join(missing))]
        function = self.positions.text(call.func)
        more = ", ".join([*(["..."] if given else []), *missing])
        old = f"{function}({'...' if given else ''})"
        self._defaults.append(self.add(call, row, old, f"{function}({more})", edits))

    def _check_default_by_name(self, call):
        """Report compile(optimizer="adadelta")."""
        name = next((k.value for k in call.keywords if k.arg == "optimizer"), None)
        if isinstance(name, ast.Constant):
            for row in names.DEFAULTS:
                if row.owner.rpartition(".")[2].lower() == name.value:
                    new = f"optimizer=keras.optimizers.{row.new}"
                    found = self.add(name, row, f"optimizer={self.positions.text(name)}", new)
                    self._defaults.append(found)

    def _doubt(self):
        """Take files for modern in which nothing is certainly old.

        Conv2D(n, 3, 2) is a kernel and strides there, and optimizers have today's defaults.
        """
        if len(self.findings) > len(self._kernels) + len(self._defaults):
            return
        self.findings = [finding for finding, same in self._kernels if same]
        for finding in self.findings:
            finding.edits = []
            finding.why = "If this was written for Keras 1: " + finding.why

    def _check_steps(self, call):
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in RUNS):
            return
        kind = self.kind(call.func.value)
        counts = {k.arg: k.value for k in call.keywords if k.arg in STEPS}
        if call.func.attr.endswith("_generator") and len(call.args) > 1:
            first = "steps_per_epoch" if call.func.attr.startswith("fit") else "steps"
            counts.setdefault(first, call.args[1])
        for name, value in counts.items():
            if kind not in ("", "model") or not _counts_down(value, self):
                continue
            edits = []
            if isinstance(value, ast.BinOp):
                start, end = self.positions.start(value), self.positions.end(value)
                edits = [self.insert(start, "-(-"), self.insert(end, ")")]
            row, text = STEPS[name], _short(self.positions.text(value))
            new = f"{name}=-(-{text})" if edits else row.new
            self.add(value, row, f"{name}={text}", new, edits)

    def _check_rate(self, call, owners):
        """Write K.get_value and K.set_value of a learning rate as Keras 3 does."""
        function = next((o for o in owners if o.startswith("keras.backend.")), "")
        if not call.args or not isinstance(call.args[0], ast.Attribute):
            return
        rate = call.args[0]
        if self.kind(rate.value) != "optimizer" or rate.attr not in ("lr", "learning_rate"):
            return
        if function == "keras.backend.get_value" and len(call.args) == 1:
            new = f"float({self.positions.text(rate.value)}.learning_rate)"
            outer = self.parent()
            edits = [self.replace(call.func, "float")]
            if isinstance(outer, ast.Call) and getattr(outer.func, "id", "") == "float":
                edits = [
                    Edit(self.positions.start(call), self.positions.start(rate), ""),
                    Edit(self.positions.end(rate), self.positions.end(call), ""),
                ]
            self._rewritten[id(call.func)] = new, edits
        statement = self.parent()
        if function == "keras.backend.set_value" and len(call.args) == 2:
            value = call.args[1]
            start, end = self.positions.start, self.positions.end
            pieces = [
                Edit(start(call), start(rate), ""),
                Edit(end(rate), start(value), " = "),
                Edit(end(value), end(call), ""),
            ]
            tidy = all(b"#" not in self.source[p.start : p.end] for p in pieces)
            one_line = value.lineno == value.end_lineno
            if isinstance(statement, ast.Expr) and tidy and one_line:
                optimizer = self.positions.text(rate.value)
                new = f"{optimizer}.learning_rate = {self.positions.text(value)}"
                self._rewritten[id(call.func)] = new, pieces

    # -- keys of histories and logs --------------------------------------------------------------

    def _check_keys(self, call, owners):
        for keyword in call.keywords:
            if keyword.arg == "monitor":
                self._check_key(keyword.value, "monitor=")
        if any(owner == "keras.callbacks.EarlyStopping" for owner in owners) and call.args:
            self._check_key(call.args[0], "monitor=")
        if any(owner == "keras.callbacks.ModelCheckpoint" for owner in owners):
            for argument in call.args[1:2]:
                self._check_key(argument, "monitor=")
        function = call.func
        if (
            isinstance(function, ast.Attribute)
            and function.attr in ("get", "pop")
            and call.args
            and self.kind(function.value) == "logs"
        ):
            self._check_key(call.args[0])

    def visit_Subscript(self, node):
        if self.kind(node.value) == "logs":
            self._check_key(node.slice)
        if isinstance(node.ctx, ast.Load) and self.kind(node) == "texts":
            self._check_texts(node)
        self.generic_visit(node)

    def _check_key(self, node, place=""):
        row = find_key(node.value) if isinstance(node, ast.Constant) else None
        if row is None or (row.old != "lr" and "acc" in self.metrics):
            return
        text = self.positions.text(node)
        edits = []
        if len(text) == len(row.old) + 2:
            edits = [self.replace(node, text[0] + row.new + text[-1])]
        self.add(node, row, f'{place}"{row.old}"', f'{place}"{row.new}"', edits)

    def _check_texts(self, node):
        """Report class names that are handed on as h5py gives them: as bytes."""
        parent = self.parent()
        if isinstance(parent, ast.Subscript):
            handed_on = parent.value is node
        elif isinstance(parent, ast.Call):
            handed_on = self.positions.text(parent.func) not in ("len", "print", "type", "repr")
        else:
            handed_on = isinstance(parent, (ast.keyword, ast.For, ast.ListComp, ast.Starred))
        if handed_on:
            text = self.positions.text(node)
            more = ".asstr()" if isinstance(parent, ast.Subscript) else ".asstr()[:]"
            row = find_other("h5py.File", "label_names")
            edits = [self.insert(self.positions.end(node), more)]
            self.add(node, row, text, text + more, edits)

    # -- names of files --------------------------------------------------------------------------

    def visit_Assign(self, node):
        check_suffix_constant(self, node)
        super().visit_Assign(node)


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
