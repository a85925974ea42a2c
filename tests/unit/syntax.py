"""What the tests that read our own code look at, read once for all of them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

Node = ast.Import | ast.ImportFrom | ast.Attribute


def names_used(tree: ast.AST) -> tuple[Node, ...]:
    """All imports, and all `name.attribute`, wherever they are."""
    return tuple(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    )


@cache
def names_used_in(file: Path) -> tuple[Node, ...]:
    """The same of a file."""
    return names_used(ast.parse(file.read_text(encoding="utf-8")))
