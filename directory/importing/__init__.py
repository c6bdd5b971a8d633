"""Registries from files: `import_file` takes CSV or XLSX and reports row by row."""

from directory.importing.sheets import MAX_ROWS
from directory.importing.verbs import Report, RowProblem, import_file

__all__ = ["MAX_ROWS", "Report", "RowProblem", "import_file"]
