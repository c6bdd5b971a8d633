"""Codes to answer by (код ответа): eleven digits that can be read out over a telephone.

Ten digits are random, the eleventh is a check digit by Damm's algorithm, which finds every single
wrong digit and every two neighbours exchanged (H. M. Damm, 2004). A code is no secret: it only
names a delivery to a clerk who may answer for it.
"""

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence

from core import clock, db
from core.errors import InvalidInput, NotFound

_SQUARE = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
"""Damm's totally anti-symmetric quasigroup of order ten."""
_NOT_DIGITS = re.compile(r"[\s\-–—.]+")
DIGITS = 11
_TRIES = 5


def check_digit(digits: str) -> str:
    """The digit that makes `digits` a whole code."""
    state = 0
    for one in digits:
        state = int(_SQUARE[state][int(one)])
    return str(state)


def is_whole(code: str) -> bool:
    """Can this have been a code, or was it mistyped?"""
    return (
        len(code) == DIGITS and code.isascii() and code.isdigit()
        and check_digit(code[:-1]) == code[-1]
    )  # fmt: skip


def shown(code: str) -> str:
    """The code as people read it: «482 1930 5763»."""
    return f"{code[:3]} {code[3:7]} {code[7:]}"


def typed(text: str) -> str:
    """What somebody typed, as a code; raises `code_mistyped`."""
    plain = _NOT_DIGITS.sub("", text[:40])
    if not is_whole(plain):
        raise InvalidInput(
            "В коде ошибка: проверьте все одиннадцать цифр.",
            "The code is mistyped: check all eleven digits.",
            code="code_mistyped", field="code",
        )  # fmt: skip
    return plain


async def of_deliveries(delivery_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The code of each delivery, made at the first asking and the same ever after."""
    wanted = list(dict.fromkeys(delivery_ids))
    for _ in range(_TRIES):
        fresh = [str(secrets.randbelow(10**10)).zfill(10) for _ in wanted]
        await db.execute(
            """INSERT INTO answer_code (delivery_id, code, created_at)
               SELECT w.id, w.code, $3 FROM unnest($1::uuid[], $2::text[]) AS w (id, code)
               WHERE NOT EXISTS (SELECT 1 FROM answer_code AS a WHERE a.delivery_id = w.id)
               ON CONFLICT DO NOTHING""",
            wanted, [one + check_digit(one) for one in fresh], clock.now(),
        )  # fmt: skip
        rows = await db.rows(
            "SELECT delivery_id, code FROM answer_code WHERE delivery_id = ANY($1)", wanted
        )
        if len(rows) == len(wanted):
            return {row["delivery_id"]: row["code"] for row in rows}
    raise RuntimeError("no free codes were found")


async def delivery_of(text: str) -> uuid.UUID:
    """The delivery a typed code names; raises `code_mistyped`, or NotFound for a code unknown."""
    found = await db.value("SELECT delivery_id FROM answer_code WHERE code = $1", typed(text))
    if found is None:
        raise NotFound(
            "Такого кода нет. Сверьте его с листом.",
            "There is no such code. Compare it with the sheet.",
            code="code_unknown",
        )
    return uuid.UUID(str(found))
