"""How a person is looked for: grammar, initials, separators; and what is left alone."""

import json
import re

import pytest

from evidence.privacy import needles
from evidence.privacy.needles import MARK, Known

KNOWN = Known(
    names=(("Иванов", "Пётр", "Ильич"), ("Преображенская", "Анна", "Сергеевна")),
    rare=("Преображенская",), given=(("Евлампия", "Аристарховна"),),
    emails=("a.pr@x.example",), phones=("+7 (3952) 12-34-56",), numbers=("112-233-445 95",),
    phrases=("pr.anna",),
)  # fmt: skip
SHAPE = re.compile(needles.pattern(KNOWN))

FOUND = (
    "Преображенской Анны Сергеевны", "А. С. Преображенской", "ПРЕОБРАЖЕНСКАЯ", "Преображенскую",
    "Иванову П. И.", "П.И. Ивановым", "Иванова Петра Ильича", "Петром Ильичом Ивановым",
    "Иванов Пётр", "иванов\u00a0петр", "Евлампией Аристарховной", "8(3952)123456",
    "+7 3952 12 34 56", "11223344595", "112-233-445-95", "A.PR@x.example", "Pr.Anna",
)  # fmt: skip
LEFT = (
    "Иванов", "Ивановский П. И.", "Пётр Ильич", "Анна Сергеевна", "xa.pr@x.example",
    "1112233445959", "Иванова Мария", "Преображение", "pr.annabel", "83952123457",
)  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_found_in_any_spelling(text: str) -> None:
    shown = needles.masked_text(f"к ({text}).", SHAPE)
    assert re.search(needles.sieve(KNOWN), text), "what is found passes the sieve"
    assert shown == f"к ({MARK})." or shown == f"к ({MARK}", shown


@pytest.mark.parametrize("text", LEFT)
def test_what_is_not_enough_to_know_somebody_by_stays(text: str) -> None:
    assert needles.masked_text(text, SHAPE) == text


def test_parts_of_a_name_go_where_the_person_was_found() -> None:
    report = {"cn": "Иванов Пётр Ильич", "surname": "Иванов", "given_name": "Пётр Ильич",
              "n": [11223344595, 5, True], "Иванов П.": 1, "who": "Сидоров"}  # fmt: skip
    shown = needles.masked(report, SHAPE, KNOWN)
    assert shown == {"cn": MARK, "surname": MARK, "given_name": MARK, "n": [MARK, 5, True],
                     MARK: 1, "who": "Сидоров"}  # fmt: skip
    other = {"surname": "Иванов", "given_name": "Олег"}
    assert needles.masked(other, SHAPE, KNOWN) is other


def test_known_survives_the_register() -> None:
    assert Known.of(json.loads(json.dumps(KNOWN.plain()))) == KNOWN


def test_anchors_stand_in_bytes_of_every_form() -> None:
    anchors = needles.anchors(KNOWN)
    for text in ("ПРЕОБРАЖЕНСКОЙ", "преображенская", "Преображенскую", "a.pr@x.example"):
        for form in (text.encode(), json.dumps(text).encode()):
            assert any(one in form for one in anchors), form
    assert any(one in b"tel 112-233-445 95" for one in anchors)


def test_nobody_known_finds_nothing() -> None:
    assert needles.pattern(Known()) == ""
