"""The old names in one file: what they are, where they stand, and which can be changed by rote."""

import ast
from dataclasses import dataclass, field

from pyimagesearch.keras2 import _python2
from pyimagesearch.keras2._bindings import Binding, Bindings
from pyimagesearch.keras2._calls import check_call
from pyimagesearch.keras2._edits import Edit, Positions
from pyimagesearch.keras2._imports import Imports
from pyimagesearch.keras2._keys import check_key, check_keys, check_texts
from pyimagesearch.keras2._lookup import (
    find_other,
    is_keras_1,
    is_python2,
    is_refused,
    methods,
    python2_name,
)
from pyimagesearch.keras2._paths import check_paths, check_pattern, check_suffix_constant

# Methods whose names no other library has: their object need not be known.
DISTINCT = (
    *("fit_generator", "evaluate_generator", "predict_generator", "predict_classes"),
    *("to_yaml", "metrics_names"),
)
# What a file asks, and what it catches, to run on Python 2 and 3.
VERSIONS = ("version_info", "hexversion", "PY2", "PY3", "python_version")
MISSING = ("ImportError", "ModuleNotFoundError", "NameError", "AttributeError")


@dataclass
class Finding:
    """An old name in a file.

    Attributes:
        line, column: where it stands.
        old, new, why, result: as in the table of names.
        edits: what changes it by rote; empty if a human must.
        path: (name, suffix) of a model file that is read: its suffix may only change together
            with that of the file that is written.
        loads: Keras 3 reads that file as it is: nothing is old unless its name changes.
    """

    line: int
    column: int
    old: str
    new: str
    why: str
    result: str
    edits: list = field(default_factory=list)
    path: tuple = ()
    loads: bool = False


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
        self.rewritten = {}  # id of a function -> (new form, edits) of the call of it
        self._needing = []  # (finding, module) where edits use a module that is not imported
        self.bridges = _find_bridges(tree)
        self.kernels = []  # (finding, are both numbers the same?) for Conv2D(n, 3, 3)
        self.defaults = []  # findings of defaults that only an old file means
        self.keras_1 = False  # something is spelt as in Keras 1
        self.refused = False  # something of Keras is named that Keras 3 refuses
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
        self._leave_alternatives()
        self._doubt()
        unique = {(f.line, f.column, f.old): f for f in reversed(self.findings)}
        return sorted(unique.values(), key=lambda f: (f.line, f.column, f.old))

    def add(self, node, row, old, new, edits=(), **more):
        edits = list(edits) if self._is_where_it_seems(node) else []
        found = Finding(node.lineno, node.col_offset, old, new, row.why, row.result, edits, **more)
        if is_python2(row) and id(node) in self.bridges:
            return found  # the code is for both Pythons
        self.findings.append(found)
        if row.old == "clipnorm":  # a name of today as well
            self.defaults.append(found)
        self.keras_1 = self.keras_1 or is_keras_1(row)
        self.refused = self.refused or is_refused(row)
        return found

    def _is_where_it_seems(self, node):
        """Whether the place of a node is certain. Python 3.11 guesses it inside an f-string."""
        outer = next((part for part in self.parents if isinstance(part, ast.JoinedStr)), None)
        if outer is None or outer is node:
            return True
        node = node.value if isinstance(node, ast.keyword) else node
        same = [part for part in ast.walk(outer) if ast.dump(part) == ast.dump(node)]
        try:
            found = ast.parse(self.positions.text(node).strip(), mode="eval").body
        except SyntaxError:
            return False
        places = {(part.lineno, part.col_offset) for part in same}
        return len(places) == len(same) and ast.dump(found) == ast.dump(node)

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
                check_texts(self, node)
        elif isinstance(node.ctx, ast.Load):
            self._check_python2_name(node)
            found = self._from_star(node.id)
            if found is not None and found.row is not None:
                self._add_name(node, found)

    def _check_python2_name(self, node):
        row = python2_name(node.id) if node.id not in self.bound else None
        if row is not None and row.old in _python2.NAMES:
            edits = [self.replace(node, row.new)] if row.new not in self.bound else []
            self.add(node, row, row.old, row.new, edits)

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
        new, edits = self.rewritten.get(id(node), (new, []))
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
        end = self.positions.newline
        lines = sorted({f"import {module}{end}" for _, module in self._needing})
        # alone on its line, as far as the left margin
        alone = imports and self.positions.line_start(imports[0]) == self.positions.start(
            imports[0]
        )
        for finding, _ in self._needing:
            if alone:
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
        asked = isinstance(node.ctx, ast.Load) and name not in self.bound  # not the file's own
        row = methods("keras.Model").get(name) if asked else None
        if row and (name in DISTINCT or kind == "model") and kind in ("", "model"):
            edits = [Edit(rename.start, rename.end, row.new)] if row.rename else []
            self.add(node, row, f".{name}", f".{row.new}" if row.rename else row.new, edits)
        elif kind == "optimizer" and name in methods("model.optimizer"):
            row = methods("model.optimizer")[name]
            edits = [Edit(rename.start, rename.end, row.new)] if row.rename else []
            self.add(node, row, f"optimizer.{name}", f"optimizer.{row.new}".rstrip("."), edits)
        elif name == "pop" and getattr(value, "attr", "") == "layers" and kind == "layers":
            row = methods("model.layers")["pop"]
            self.add(node, row, ".layers.pop()", row.new)
        elif name in methods("keras.layers.Layer") and (
            kind == "layer" or name.startswith("get_") or name.endswith("bound_nodes")
        ):
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
        check_call(self, node, owners)
        check_keys(self, node, owners)
        check_paths(self, node, owners)
        check_pattern(self, node)
        self.generic_visit(node)

    def _leave_alternatives(self):
        """Pass over old imports for which the file has a modern form, in case of ImportError."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Try):
                continue
            handlers = [
                part for part in node.handlers if part.type is None or _mentions(part.type, MISSING)
            ]
            sides = [node.body, [part for handler in handlers for part in handler.body]]
            old = []
            for side in sides:
                lines = {
                    line
                    for part in side
                    if isinstance(part, (ast.Import, ast.ImportFrom))
                    for line in range(part.lineno, part.end_lineno + 1)
                }
                old.append([f for f in self.findings if f.line in lines] if lines else None)
            for mine, other in (old, reversed(old)):
                if mine and other == []:
                    self.findings = [f for f in self.findings if not any(f is m for m in mine)]

    def _doubt(self):
        """Take files for modern that name nothing of Keras which Keras 3 refuses.

        Conv2D(n, 3, 2) is a kernel and strides there, as it was in Keras 2, and optimizers have
        today's defaults. What other libraries dropped tells nothing about Keras.
        """
        if self.keras_1:
            return
        if not self.refused:
            modern = [*self.defaults, *(finding for finding, same in self.kernels if not same)]
            self.findings = [f for f in self.findings if not any(f is other for other in modern)]
        for finding, _ in self.kernels:
            finding.edits = []
            finding.why = "If this was written for Keras 1: " + finding.why

    # -- keys of histories and logs --------------------------------------------------------------

    def visit_Subscript(self, node):
        if self.kind(node.value) == "logs":
            for key in self.choices(node.slice):
                check_key(self, key)
        if isinstance(node.ctx, ast.Load) and self.kind(node) == "texts":
            check_texts(self, node)
        self.generic_visit(node)

    # -- names of files --------------------------------------------------------------------------

    def visit_Assign(self, node):
        check_suffix_constant(self, node)
        super().visit_Assign(node)


def _find_bridges(tree):
    """Return the ids of the nodes in code that tells Python 2 from 3 itself."""
    bridges = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            caught = [part.type for part in node.handlers if part.type is not None]
            told_apart = any(_mentions(part, MISSING) for part in caught)
        elif isinstance(node, (ast.If, ast.IfExp)):
            told_apart = _mentions(node.test, VERSIONS)
        else:
            continue
        if told_apart:
            bridges.update(id(part) for part in ast.walk(node))
    return bridges


def _mentions(tree, words):
    return any(getattr(node, "id", getattr(node, "attr", None)) in words for node in ast.walk(tree))
