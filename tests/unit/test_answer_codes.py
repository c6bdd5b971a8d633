"""Codes to answer by: every usual slip of the hand is noticed."""

import pytest

from core.errors import InvalidInput
from docflow.routing.answer_codes import check_digit, is_whole, shown, typed


def test_every_wrong_digit_and_every_swap_of_neighbours_is_found():
    assert check_digit("572") == "4"  # the example of the algorithm's description
    for number in range(200):
        base = str(number * 49_999_991 % 10**10).zfill(10)
        code = base + check_digit(base)
        assert is_whole(code)
        for place in range(11):
            for digit in set("0123456789") - {code[place]}:
                assert not is_whole(code[:place] + digit + code[place + 1 :])
        for place in range(10):
            if code[place] != code[place + 1]:
                swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
                assert not is_whole(swapped)


def test_what_people_type():
    code = "4821930576" + check_digit("4821930576")
    assert typed(f" {shown(code)} ") == code
    assert typed("-".join(code)) == code
    for wrong in ("", "482", code + "1", code[:-1] + "x", "٤" * 11, "1" * 100):
        with pytest.raises(InvalidInput) as refused:
            typed(wrong)
        assert refused.value.error_code == "code_mistyped"
