"""Import statements in their modern form."""

import ast
import re

from pyimagesearch.keras2._edits import Edit, delete_argument
from pyimagesearch.keras2._lookup import find_module


class Imports:
    """Finds the old names that a file imports, and writes the statements anew.

    Args:
        bindings: Bindings that have run.
        positions: Positions of the source.
    """

    def __init__(self, bindings, positions):
        self.bindings = bindings
        self.positions = positions
        self._counts = {}
        for node in ast.walk(bindings.tree):
            if isinstance(node, ast.Name):
                self._counts[node.id] = self._counts.get(node.id, 0) + 1

    def find(self):
        """Yield (node, row, old, new, edits) for each old name."""
        for node in ast.walk(self.bindings.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._find_import(alias)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield from self._find_import_from(node)

    def _find_import(self, alias):
        binding = self.bindings.imports.get(id(alias))
        if binding is None or binding.row is None:
            return
        edits = []
        modern, old = binding.dotted, alias.name
        if binding.row.rename and modern:
            name = alias.asname
            # "import a.b" binds a: that must be the name of the new root, too
            fits = name or "." not in old or old.split(".")[0] == modern.split(".")[0]
            if fits:
                if name is None and "." not in old:
                    name, edits = self._local_name(old, modern, binding.uses)
                text = modern if name in (None, modern) else f"{modern} as {name}"
                edits = [*edits, self._replace(alias, text)]
        yield alias, binding.row, old, modern, edits

    def _find_import_from(self, node):
        if any(alias.name == "*" for alias in node.names):
            yield from self._find_star(node)
            return
        found, targets, use_edits = [], [], []
        for alias in node.names:
            binding = self.bindings.imports[id(alias)]
            if binding.row is None or not binding.row.rename or not binding.dotted:
                targets.append((node.module, alias.name, alias.asname))
            else:
                module, _, name = binding.dotted.rpartition(".")
                local = alias.asname
                if local is None:
                    local, edits = self._local_name(alias.name, name, binding.uses, binding)
                    use_edits += edits
                targets.append((module, name, None if local == name else local))
            if binding.row is not None:
                found.append((alias, binding))
        edits = []
        if any(
            target != (node.module, alias.name, alias.asname)
            for target, alias in zip(targets, node.names, strict=True)
        ):
            edits = self._rewrite(node, targets)
        for alias, binding in found:
            renamed = binding.row.rename and binding.dotted and edits
            yield (
                alias,
                binding.row,
                binding.written,
                binding.dotted if binding.row.rename else binding.row.new,
                [*edits, *use_edits] if renamed else [],
            )

    def _find_star(self, node):
        for written, modern in self.bindings.stars:
            if written == node.module != modern and modern:
                row, _ = find_module(written)
                if row is None:
                    continue
                edits = self._replace_module(node, modern) if row.rename else []
                yield node, row, f"{written}.*", f"{modern}.*" if row.rename else row.new, edits
                return

    def _local_name(self, old, new, uses, binding=None):
        """Return the name by which the file will call a thing, and the edits of its uses."""
        new_is_free = new not in self.bindings.bound or any(
            other is not None and binding is not None and other.dotted == binding.dotted
            for name, other in self._module_imports()
            if name == new
        )
        # a use that was not followed would be left behind
        if old == new or not new_is_free or len(uses) != self._counts.get(old, 0):
            return old, []
        return new, [self._replace(use, new) for use in uses]

    def _module_imports(self):
        for node in self.bindings.tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield alias.asname or alias.name, self.bindings.imports.get(id(alias))

    def _rewrite(self, node, targets):
        modules = list(dict.fromkeys(module for module, _, _ in targets))
        if len(modules) == 1 and modules[0]:
            return self._rewrite_in_place(node, modules[0], targets)
        text = self.positions.text(node)
        if "#" in text:
            return []  # a comment would be lost
        start = self.positions.start(node)
        before = self.positions.source[self.positions.line_start(node) : start].decode()
        # in front of it on its line stands its indentation, or another statement
        between = "; " if before.strip() else self.positions.newline + before
        lines = []
        for module in modules:
            aliases = [
                f"{name} as {asname}" if asname else name
                for at, name, asname in targets
                if at == module
            ]
            aliases = list(dict.fromkeys(aliases))
            if module:
                lines.append(_from_line(module, aliases, before))
            else:
                lines += [f"import {alias}" for alias in aliases]
        return [Edit(start, self.positions.end(node), between.join(lines))]

    def _rewrite_in_place(self, node, module, targets):
        edits = self._replace_module(node, module) if module != node.module else []
        if module != node.module and not edits:
            return []
        seen = set()
        for alias, (_, name, asname) in zip(node.names, targets, strict=True):
            if (name, asname) in seen:
                edits.append(
                    delete_argument(
                        self.positions.source,
                        self.positions.start(alias),
                        self.positions.end(alias),
                    )
                )
            elif (name, asname) != (alias.name, alias.asname):
                edits.append(self._replace(alias, f"{name} as {asname}" if asname else name))
            seen.add((name, asname))
        return edits

    def _replace_module(self, node, module):
        start = self.positions.start(node)
        match = re.match(r"from[ \t]+([\w.]+)", self.positions.text(node))
        if match is None or match[1] != node.module:
            return []
        offset = len(match[0][: match.start(1)].encode())
        return [Edit(start + offset, start + offset + len(match[1].encode()), module)]

    def _replace(self, node, text):
        return Edit(self.positions.start(node), self.positions.end(node), text)


def _from_line(module, aliases, indentation):
    line = f"from {module} import {', '.join(aliases)}"
    if len(indentation) + len(line) <= 100:
        return line
    inner = "".join(f"{indentation}    {alias},\n" for alias in aliases)
    return f"from {module} import (\n{inner}{indentation})"
