"""Registries from files: `verbs.import_file` takes CSV or XLSX and reports row by row."""
