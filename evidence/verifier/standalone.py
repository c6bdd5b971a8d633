"""The verifier as the one file a court's expert reads, `docflow_verify.py`: its parts put together.

Needs nothing but Python: `python3 evidence/verifier/standalone.py docflow_verify.py` in a checkout.
The parts stand in the order in which they are read, each under its own heading; nothing but their
imports is left out, so whoever has read the parts has read the file. The same commit gives the same
bytes.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

NAME = "docflow_verify.py"
PARTS = ("findings", "archive", "manifest", "der", "cms", "gost", "statement", "documents",
         "events", "package")  # fmt: skip
"""Each stands on those before it; the last one is the command, and its docstring the file's."""
_OURS = "evidence.verifier"
_RULE = 100


class NotOneFile(ValueError):
    """The parts cannot stand in one file: a name of two of them, or an import by another name."""


def text() -> str:
    """The whole file. Raises NotOneFile."""
    folder = Path(__file__).parent
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in PARTS}
    trees = {name: ast.parse(source) for name, source in sources.items()}
    _require_one_namespace(trees)
    opening = ast.get_docstring(trees[PARTS[-1]], clean=False)
    bodies = [_part(name, sources[name], trees[name]) for name in PARTS]
    return "\n".join(
        [
            "#!/usr/bin/env python3",
            f'"""{opening}"""\n',
            "\n".join(_imports(trees)).rstrip(),
            *bodies,
            '\n\nif __name__ == "__main__":\n    sys.exit(main())\n',
        ]
    )


def write(path: Path) -> None:
    """Put the file there. Raises OSError."""
    path.write_text(text(), encoding="utf-8")


def _part(name: str, source: str, tree: ast.Module) -> str:
    """A part without its imports, its docstring as the comment above it."""
    lines = source.splitlines()
    cut = {
        number
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) or node is tree.body[0]
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    body = "\n".join(line for at, line in enumerate(lines, 1) if at not in cut).strip("\n")
    heading = f"\n\n# --- {name} ".ljust(_RULE + 2, "-")
    if name == PARTS[-1]:
        return f"{heading}\n\n\n{body}"
    told = (ast.get_docstring(tree) or "").splitlines()
    return "\n".join([heading, *(f"# {line}".rstrip() for line in told), "\n", body])


def _imports(trees: dict[str, ast.Module]) -> Iterator[str]:
    """What the parts take from outside, each once: the future, the standard library, others."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for node in (one for tree in trees.values() for one in tree.body):
        if isinstance(node, ast.Import):
            plain |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(_OURS):
            named.setdefault(node.module or "", set()).update(one.name for one in node.names)
    yield f"from __future__ import {', '.join(sorted(named.pop('__future__')))}\n"
    yield from (f"import {one}" for one in sorted(plain))
    others = {one for one in named if one.partition(".")[0] not in sys.stdlib_module_names}
    for group in (named.keys() - others, others):
        yield from (f"from {one} import {', '.join(sorted(named[one]))}" for one in sorted(group))
        yield ""


def _require_one_namespace(trees: dict[str, ast.Module]) -> None:
    """Parts name each other's things as they are, and no two define the same one."""
    owner: dict[str, str] = {}
    for part, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and any(
                one.asname for one in node.names
            ):
                raise NotOneFile(f"{part}: an import by another name")
            if isinstance(node, ast.Import) and any(
                one.name.startswith(_OURS) for one in node.names
            ):
                raise NotOneFile(f"{part}: a part imported as a module")
            for name in _defined(node):
                if owner.setdefault(name, part) != part:
                    raise NotOneFile(f"{name} stands in {owner[name]} and in {part}")


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (
            one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} {NAME}")
    try:
        write(Path(sys.argv[1]))
    except OSError as problem:
        sys.exit(f"{sys.argv[1]}: {problem.strerror}")
