"""Size budgets: a file holds at most 400 lines, a function at most 50; migrations are excepted.

Complexity is ruff's to count. A file past its budget is split by noun, never into leftovers.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from sources import ROOT, python_files

FILE_LINES = 400
FUNCTION_LINES = 50


def over_budget(name: str, text: str) -> Iterator[str]:
    """What of the Python source `text` exceeds its budget, one line each."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{name}: {lines} lines, the budget is {FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield (
                    f"{name}:{node.lineno}: {node.name} has {length} lines, "
                    f"the budget is {FUNCTION_LINES}"
                )


def main(root: Path = ROOT) -> int:
    """Print what exceeds its budget; 1 when anything does."""
    found = [
        line
        for path in python_files(root)
        if "piccolo_migrations" not in path.parts
        for line in over_budget(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
    ]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
