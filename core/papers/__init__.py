"""Papers: Typst templates made into PDF/A with everything embedded."""

from core.papers.forms import (
    FORMS,
    ControlList,
    ControlRow,
    Decision,
    Labelled,
    Letter,
    Minutes,
    Signer,
    Total,
)
from core.papers.rendering import render, render_apart

__all__ = [
    "FORMS",
    "ControlList",
    "ControlRow",
    "Decision",
    "Labelled",
    "Letter",
    "Minutes",
    "Signer",
    "Total",
    "render",
    "render_apart",
]
