"""What the forms of the pages make of what people type."""

import uuid

from web import forms


def test_correction_keeps_what_the_form_does_not_show() -> None:
    executor = uuid.uuid4()
    known = {
        "executor_id": executor, "signatory_id": None, "origin": "paper_copy",
        "received_number": "17", "received_date": None, "fields": {"own": "x", "period": "2025"},
    }  # fmt: skip
    card = forms.card({"title": "Отчёт", "period": "2026"}, kind="report", known=known)
    assert (card.executor_id, card.origin, card.received_number) == (executor, "paper_copy", "17")
    assert card.fields == {"own": "x", "period": "2026"}
