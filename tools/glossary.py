"""Every table has its Russian term, in its first docstring line and in docs/glossary.md.

The line names the term in parentheses, or begins with it and has the English in parentheses.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources import ROOT, python_files

GLOSSARY = Path("docs/glossary.md")
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
ROW = re.compile(r"^\| `([A-Z]\w*)` \| ([^|]+) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TableClass:
    """A class of a table as it stands in the source."""

    name: str
    place: str
    title: str
    """The first docstring line; empty without one."""


def table_classes(place: str, text: str) -> Iterator[TableClass]:
    """The classes of `text` that derive from Piccolo's `Table`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id == "Table" for base in node.bases
        ):
            title = (ast.get_docstring(node) or "").partition("\n")[0]
            yield TableClass(name=node.name, place=f"{place}:{node.lineno}", title=title)


def terms(glossary: str) -> dict[str, str]:
    """The glossary's rows: class name to Russian term."""
    return {name: term.strip() for name, term in ROW.findall(glossary)}


def mistakes(tables: list[TableClass], glossary: str) -> Iterator[str]:
    """Tables without a term, terms the glossary lacks or gives otherwise, rows of nothing."""
    known = terms(glossary)
    for table in tables:
        inside = re.search(r"\(([^()]+)\)", table.title)
        term = known.get(table.name)
        if inside is None or not CYRILLIC.search(table.title):
            yield f"{table.place}: {table.name}: no Russian term in the first docstring line"
        elif term is None:
            yield f"{table.place}: {table.name}: not in {GLOSSARY}"
        elif term.casefold() not in table.title.casefold():
            yield f"{table.place}: {table.name}: {GLOSSARY} says {term!r}, the docstring does not"
    names = {table.name for table in tables}
    for name in known:
        if name not in names:
            yield f"{GLOSSARY}: {name}: no such table"


def main(root: Path = ROOT) -> int:
    """Print what is wrong; 1 when anything is."""
    tables = [
        table
        for path in python_files(root)
        if "piccolo_migrations" not in path.parts and "tests" not in path.parts
        for table in table_classes(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
    ]
    found = list(mistakes(tables, (root / GLOSSARY).read_text(encoding="utf-8")))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
