"""Templates of numbers: what they give, what is refused, and that no two counts ever meet."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from docflow.documents import journals

KNOWN = {"year": "2026", "yy": "26", "index": "01-12", "sitting": "20", "convocation": "7"}


@pytest.mark.parametrize(
    ("template", "n", "number"),
    [
        ("{index}/{n}", 345, "01-12/345"),
        ("{convocation:roman}-{n}", 4, "VII-4"),
        ("{sitting}-{n}-Р", 1, "20-1-Р"),
        ("{n:04}/{yy}", 12, "0012/26"),
        ("{n:02}", 1234, "1234"),
        ("вх-{n}", 5, "вх-5"),
    ],
)
def test_templates_give_their_numbers(template: str, n: int, number: str) -> None:
    journals._check_template(template, ["year"])
    assert journals.render(template, KNOWN | {"n": str(n)}) == number


@pytest.mark.parametrize(
    ("template", "scope"),
    [
        ("", []),
        ("без номера", []),
        ("{n}{n}", []),
        ("{n}-{nobody}", []),
        ("{n", []),
        ("{n}}", []),
        ("{n:x}", []),
        ("{n!r}", []),
        ("{n.__class__}", []),
        ("{n}" + "x" * 60, []),
        ("{n}", ["sitting"]),
        ("{n}", ["n"]),
        ("{n}", ["nobody"]),
        ("{sitting}{n}", ["sitting"]),
        ("{convocation}{sitting}-{n}", ["convocation", "sitting"]),
        ("{sitting}а{n}", ["sitting"]),
        ("{index}-{index}-{n}", ["index"]),
    ],
)
def test_bad_templates_are_refused(template: str, scope: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        journals._check_template(template, scope)
    assert refused.value.error_code == "template_invalid"


words = st.text(alphabet="0123456789IVXаАбZ", min_size=1, max_size=4)
indexes = st.text(alphabet="0129-./Аа", min_size=1, max_size=6)
pieces = st.sampled_from(
    ["{sitting}", "{convocation}", "{convocation:roman}", "{index}", "{yy}", "{sitting:03}", "-",
     "/", "а", "№"]
)  # fmt: skip


@given(
    before=st.lists(pieces, max_size=4),
    after=st.lists(pieces, max_size=4),
    one=st.tuples(words, words, indexes, st.integers(1, 300)),
    two=st.tuples(words, words, indexes, st.integers(1, 300)),
)
@settings(max_examples=500, deadline=None)
def test_two_counts_never_give_the_same_number(
    before: list[str], after: list[str],
    one: tuple[str, str, str, int], two: tuple[str, str, str, int],
) -> None:  # fmt: skip
    """For every template that is taken: the same number means the same count and ordinal."""
    template = "".join([*before, "{n}", *after])
    scope = [name for name in ("sitting", "convocation", "index") if "{" + name in template]
    try:
        journals._check_template(template, scope)
        found = [
            (
                journals._period({"template": template, "scope": scope}, values),
                values["n"],
                journals.render(template, values),
            )
            for values in (
                {"sitting": s, "convocation": c, "index": i, "n": str(n), "yy": "26"}
                for s, c, i, n in (one, two)
            )
        ]
    except InvalidInput:
        assume(False)
    (period, ordinal, number), (other_period, other_ordinal, other_number) = found
    if number == other_number:
        assert (period, ordinal) == (other_period, other_ordinal)


def test_roman_figures() -> None:
    written = {1: "I", 4: "IV", 7: "VII", 9: "IX", 14: "XIV", 40: "XL", 1994: "MCMXCIV",
               3999: "MMMCMXCIX"}  # fmt: skip
    assert {number: journals.roman(number) for number in written} == written
    for number in (0, -1, 4000):
        with pytest.raises(InvalidInput):
            journals.roman(number)


@given(st.integers(1, 3999))
def test_no_two_numbers_have_the_same_roman_figures(number: int) -> None:
    sizes = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    read = [sizes[figure] for figure in journals.roman(number)]
    assert number == sum(
        -size if any(later > size for later in read[place + 1 : place + 2]) else size
        for place, size in enumerate(read)
    )
