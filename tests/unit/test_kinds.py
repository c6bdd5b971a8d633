"""Kinds of documents are data: each is whole, and the room's other tables fit them."""

import pytest

from core.errors import InvalidInput
from docflow.documents import journals, links
from docflow.documents.cards import CardInput
from docflow.documents.kinds import DOCUMENT_KINDS, PDF, kind_of

CARD_FIELDS = set(CardInput.__struct_fields__)


@pytest.mark.parametrize("code", DOCUMENT_KINDS)
def test_kind_is_whole(code: str) -> None:
    kind = DOCUMENT_KINDS[code]
    assert kind.code == code
    assert kind.ru
    assert kind.en
    assert kind.signatures >= 0
    assert kind.route in ("down", "up", "any", "none")
    assert PDF in kind.main.media_types
    assert kind.main.max_size <= kind.annex.max_size <= 2 << 30
    assert "application/x-dosexec" not in kind.annex.media_types
    assert kind.parent_link is None or kind.parent_link in links.KINDS


@pytest.mark.parametrize("code", DOCUMENT_KINDS)
def test_exactly_one_default_journal_numbers_the_kind(code: str) -> None:
    direction = DOCUMENT_KINDS[code].direction
    fitting = [name for name, _, way, _, kinds in journals.DEFAULTS
               if way == direction and code in kinds]  # fmt: skip
    assert len(fitting) == 1


def test_default_journals_are_ones_that_could_be_opened() -> None:
    for _, _, _, template, kinds in journals.DEFAULTS:
        journals._check_template(
            template, ["year", "sitting"] if "{sitting}" in template else ["year"]
        )
        assert set(kinds) <= {*DOCUMENT_KINDS, "*"}


def test_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(InvalidInput) as refused:
        kind_of("memo")
    assert refused.value.error_code == "unknown_kind"
    assert "circular" in refused.value.message_ru


@pytest.mark.parametrize("kind", links.KINDS)
def test_link_kinds_have_words(kind: str) -> None:
    assert all(links.KINDS[kind])
