"""What the names in a file stand for: followed through imports, aliases and plain assignments."""

import ast
from dataclasses import dataclass, field

from pyimagesearch.keras2 import names
from pyimagesearch.keras2._lookup import find_module, find_name

# What the objects are that functions return; only those whose methods or contents matter.
RETURNS = {
    "keras.Model": "model",
    "keras.Sequential": "model",
    "keras.models.load_model": "model",
    "keras.models.model_from_json": "model",
    "h5py.File": "file",
}


@dataclass
class Binding:
    """What a name, or an expression, stands for. Everything may be unknown.

    Attributes:
        dotted: the dotted name of today, or the old one if it has no successor.
        written: the dotted name in the words of the file.
        row: the row of the table that the name has already been reported by.
        kind: "model", "optimizer", "layer", "layers", "logs", "file", "dataset", "texts" (a
            data set of class names), "flow", "callback class", or "".
        value: the expression it was assigned.
        uses: the `ast.Name` nodes that stand for it, if it was imported.
        choices: the expressions that it stands for one after another, as in a loop over a tuple.
    """

    dotted: str = ""
    written: str = ""
    row: names.Old | None = None
    kind: str = ""
    value: ast.AST | None = None
    uses: list = field(default_factory=list)
    choices: list = field(default_factory=list)


class Bindings(ast.NodeVisitor):
    """Visits a tree in the order in which Python would run it, functions last.

    Subclasses look at the nodes in `visit_*`, and call `generic_visit` to go on.
    """

    def __init__(self, tree):
        self.tree = tree
        self.scopes = [{}]
        self.parents = []
        self.stars = []  # (as written, modern) of modules that were imported with *
        self.attributes = {}  # kinds of what was assigned to attributes: self.db = h5py.File(...)
        self.classes = []  # of the methods that are being visited: (node, is it a callback?)
        self.imports = {}  # id of alias node -> its Binding
        self.bound = _bound_names(tree)
        self._later = []

    def run(self):
        # imports of the whole module first: functions above may use what is imported below
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._bind_import(node)
        for node in self.tree.body:
            self.visit(node)
        while self._later:
            function, self.scopes, self.classes = self._later.pop(0)
            self._visit_function(function)

    def visit(self, node):
        self.parents.append(node)
        try:
            super().visit(node)
        finally:
            self.parents.pop()

    def parent(self, steps=1):
        return self.parents[-1 - steps] if len(self.parents) > steps else None

    # -- what expressions are --------------------------------------------------------------------

    def lookup(self, name):
        """Return the Binding of a name, or None."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def resolve(self, node):
        """Return the Binding of a name or a chain of attributes, None if it is not known."""
        attributes = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        base = self.lookup(node.id) or self._from_star(node.id)
        if base is None or not base.dotted or not attributes:
            return base
        rest = "." + ".".join(reversed(attributes))
        row, dotted = find_name(base.dotted + rest)
        return Binding(dotted, base.written + rest, None if row is base.row else row)

    def _from_star(self, name):
        if name in self.bound:
            return None
        for written, modern in self.stars:
            row, dotted = find_name(f"{modern}.{name}")
            if row or name[:1].isupper():
                return Binding(dotted, f"{written}.{name}", row)
        return None

    def owners(self, function):
        """Return the dotted names, with the root `keras`, under which a function is known."""
        found = self.resolve(function)
        if found is None or not found.dotted:
            return []
        dotted = [names.canonical(name) for name in (found.dotted, found.written)]
        if dotted[0] == "pyimagesearch.preprocessing.ImageDataGenerator":
            dotted.append("keras.preprocessing.image.ImageDataGenerator")
        return [names.SECOND_NAMES.get(name, name) for name in dict.fromkeys(dotted)]

    def kind(self, node):  # noqa: PLR0911, PLR0912  one case per sort of expression
        """Return what sort of object an expression is, "" if it is not known."""
        if isinstance(node, ast.Name):
            found = self.lookup(node.id)
            if found is not None and (found.kind or found.dotted):
                return found.kind
            return "logs" if node.id == "logs" else ""
        if isinstance(node, ast.Attribute):
            by_name = {"optimizer": "optimizer", "layers": "layers", "model": "model"}
            by_name |= {"history": "logs", "H": "logs"}
            by_name |= {"db": "file"} if self._reads_hdf5() else {}
            return self.attributes.get(node.attr) or by_name.get(node.attr, "")
        if isinstance(node, ast.Subscript):
            inner = self.kind(node.value)
            if inner == "layers":
                return "layers" if isinstance(node.slice, ast.Slice) else "layer"
            if inner == "file":
                return "texts" if getattr(node.slice, "value", "") == "label_names" else "dataset"
            return ""
        if isinstance(node, ast.Call):
            for owner in self.owners(node.func):
                if owner in RETURNS:
                    return RETURNS[owner]
                module, _, name = owner.rpartition(".")
                if module == "keras.optimizers" and name[:1].isupper():
                    return "optimizer"
                if module.startswith("keras.applications") and name[:1].isupper():
                    return "model"
                if owner.startswith("pyimagesearch.nn.") and name == "build":
                    return "model"
            if isinstance(node.func, ast.Attribute):
                if node.func.attr in ("flow", "flow_from_directory"):
                    return "flow"
                if node.func.attr == "get_layer":
                    return "layer"
        return ""

    def _reads_hdf5(self):
        found = (binding for binding in self.imports.values() if binding is not None)
        return any(binding.written.startswith(("h5py", "pyimagesearch")) for binding in found)

    def describe(self, node):
        found = self.resolve(node)
        if found is not None and found.dotted:
            return Binding(found.dotted, found.written, found.row)
        return Binding(kind=self.kind(node), value=node)

    def bind(self, target, binding=None):
        if isinstance(target, ast.Name):
            self.scopes[-1][target.id] = binding or Binding()
        elif isinstance(target, ast.Attribute):
            if binding is not None and binding.kind:
                self.attributes[target.attr] = binding.kind
        elif isinstance(target, ast.Starred):
            self.bind(target.value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element)

    # -- what binds names ------------------------------------------------------------------------

    def visit_Import(self, node):
        self._bind_import(node)

    visit_ImportFrom = visit_Import

    def _bind_import(self, node):
        for alias in node.names:
            if id(alias) not in self.imports:
                self.imports[id(alias)] = self._imported(node, alias)
            binding = self.imports[id(alias)]
            if binding is None:  # a star
                continue
            if isinstance(node, ast.Import) and alias.asname is None:
                root = alias.name.partition(".")[0]
                if "." in alias.name:
                    binding = Binding(root, root)
                self.scopes[-1][root] = binding
            else:
                self.scopes[-1][alias.asname or alias.name] = binding

    def _imported(self, node, alias):
        if isinstance(node, ast.Import):
            row, dotted = find_module(alias.name)
            return Binding(dotted, alias.name, row)
        if node.level:  # the user's own
            return Binding()
        if alias.name == "*":
            self.stars.append((node.module, find_module(node.module)[1]))
            return None
        written = f"{node.module}.{alias.name}"
        row, dotted = find_name(written)
        return Binding(dotted, written, row)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for one, value in zip(target.elts, node.value.elts, strict=False):
                    self.bind(one, self.describe(value))
            else:
                self.bind(target, self.describe(node.value))

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        self.bind(node.target, self.describe(node.value) if node.value else None)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        self.bind(node.target)

    def visit_NamedExpr(self, node):
        self.visit(node.value)
        self.bind(node.target, self.describe(node.value))

    def visit_For(self, node):
        self.visit(node.iter)
        self._bind_loop(node.target, node.iter)
        for part in (*node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For

    def _bind_loop(self, target, iterated):
        enumerated = (
            isinstance(iterated, ast.Call)
            and isinstance(iterated.func, ast.Name)
            and iterated.func.id == "enumerate"
            and iterated.args
        )
        if enumerated and isinstance(target, ast.Tuple) and len(target.elts) == 2:
            self.bind(target.elts[0])
            self._bind_loop(target.elts[1], iterated.args[0])
        elif self.kind(iterated) == "layers":
            self.bind(target, Binding(kind="layer"))
        else:
            self._bind_choices(target, self._elements(iterated))

    def _elements(self, node):
        """Return what a loop over an expression runs through, [] if that is not written out."""
        if isinstance(node, ast.Name):
            binding = self.lookup(node.id)
            node = binding.value if binding is not None else None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip":
            rows = zip(*(self._elements(part) for part in node.args), strict=False)
            return [ast.Tuple(elts=list(row)) for row in rows]
        return node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else []

    def _bind_choices(self, target, choices):
        if not isinstance(target, (ast.Tuple, ast.List)):
            self.bind(target, Binding(choices=choices) if choices else None)
            return
        rows = [row.elts for row in choices if isinstance(row, (ast.Tuple, ast.List))]
        for place, one in enumerate(target.elts):
            self._bind_choices(one, [row[place] for row in rows if len(row) > place])

    def choices(self, node):
        """Return the expressions that one may stand for: itself, or those of a loop."""
        binding = self.lookup(node.id) if isinstance(node, ast.Name) else None
        return binding.choices if binding is not None and binding.choices else [node]

    def visit_With(self, node):
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, self.describe(item.context_expr))
        for part in node.body:
            self.visit(part)

    visit_AsyncWith = visit_With

    def visit_ExceptHandler(self, node):
        if node.name:
            self.scopes[-1][node.name] = Binding()
        self.generic_visit(node)

    def _visit_comprehension(self, node):
        self.scopes.append({})
        for part in node.generators:
            self.visit(part.iter)
            self._bind_loop(part.target, part.iter)
            for condition in part.ifs:
                self.visit(condition)
        for name in ("key", "value", "elt"):
            if hasattr(node, name):
                self.visit(getattr(node, name))
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_ClassDef(self, node):
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        is_callback = any(self._is_callback(base) for base in node.bases)
        self.scopes.append({})
        self.classes = [*self.classes, (node, is_callback)]
        for part in node.body:
            self.visit(part)
        self.classes = self.classes[:-1]
        self.scopes.pop()
        kind = "callback class" if is_callback else ""
        self.scopes[-1][node.name] = Binding(kind=kind)

    def _is_callback(self, base):
        found = self.resolve(base)
        if found is None:
            return False
        return found.kind == "callback class" or any(
            owner.startswith("keras.callbacks.") for owner in self.owners(base)
        )

    def visit_FunctionDef(self, node):
        for part in (*node.decorator_list, *_defaults(node.args)):
            self.visit(part)
        self.scopes[-1][node.name] = Binding()
        self._postpone(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        for part in _defaults(node.args):
            self.visit(part)
        self._postpone(node)

    def _postpone(self, node):
        # methods do not see the names of their class
        in_class = isinstance(self.parent(), ast.ClassDef)
        self._later.append((node, self.scopes[:-1] if in_class else self.scopes, self.classes))

    def _visit_function(self, node):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
        self.scopes = [*self.scopes, {argument.arg: Binding() for argument in every}]
        body = node.body if isinstance(node.body, list) else [node.body]
        self.parents = [self.tree, node]
        for part in body:
            self.visit(part)
        self.parents = []


def _defaults(arguments):
    return [default for default in (*arguments.defaults, *arguments.kw_defaults) if default]


def _bound_names(tree):
    """Return all names that a file binds anywhere."""
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            bound.add(node.name or "_")
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            bound.update(node.names)
    return bound
