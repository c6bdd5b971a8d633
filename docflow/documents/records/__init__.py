"""Номенклатура дел: cases of a year, their terms, what is filed, listed and destroyed."""
