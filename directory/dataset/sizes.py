"""How many of what: the three sizes of the demo registry.

Real figures are those of the health union (01.01.2021: 80 regional, 170 local, 7,555 primary
organizations), the education union (2015: 80, 2,359, 82,864) and the Irkutsk association (2017:
20 regional, 47 local, 2,232 primary organizations); the rest is drawn to the same proportions.
"""

import random
from dataclasses import dataclass
from typing import Literal

SizeName = Literal["S", "M", "L"]

HEALTH = "07"
EDUCATION = "12"
IRKUTSK = "38"


@dataclass(frozen=True, slots=True)
class Share:
    """What one union, or the small ones together, has below its center."""

    regionals: int
    locals: int
    primaries: int
    irkutsk_locals: int
    irkutsk_primaries: int


@dataclass(frozen=True, slots=True)
class Size:
    """One size: organizations in force; history comes on top."""

    regions: tuple[str, ...]
    """Regions with a territorial association."""
    unions: tuple[str, ...]
    """Health and education first."""
    health: Share
    education: Share
    others: Share
    councils: int
    """In each territory; at S in all together."""
    outside: int
    irkutsk_others: int
    """How many of the other unions are present in Irkutsk."""


_WITHOUT_OWN = {"47", "83", "87"}  # served by a neighbor's association
_CODES = (f"{n:02d}" for n in (*range(1, 80), 83, 86, 87, *range(89, 96)))
_REGIONS = tuple(code for code in _CODES if code not in _WITHOUT_OWN)
_UNIONS = (HEALTH, EDUCATION, *(f"{n:02d}" for n in range(1, 46) if n not in (7, 12)))

SIZES: dict[SizeName, Size] = {
    "S": Size(
        ("38", "54", "76"), (HEALTH, EDUCATION, "09"),
        health=Share(3, 6, 36, 2, 12), education=Share(3, 3, 12, 1, 4),
        others=Share(3, 3, 12, 1, 4), councils=2, outside=2, irkutsk_others=1,
    ),
    "M": Size(
        _REGIONS, _UNIONS,
        health=Share(80, 170, 7_555, 4, 187), education=Share(80, 100, 900, 20, 900),
        others=Share(1_440, 230, 1_145, 23, 1_145), councils=18, outside=100, irkutsk_others=18,
    ),
    "L": Size(
        _REGIONS, _UNIONS,
        health=Share(80, 170, 7_555, 4, 187), education=Share(80, 2_359, 82_864, 20, 900),
        others=Share(1_560, 1_000, 9_581, 23, 1_145), councils=18, outside=100,
        irkutsk_others=18,
    ),
}  # fmt: skip


def split(total: int, parts: int, rng: random.Random, *, least: int = 0) -> list[int]:
    """`total` in `parts` uneven whole numbers, none below `least`; the sum is exact."""
    if parts == 0:
        return []
    least = min(least, total // parts)
    free = total - least * parts
    weights = [rng.lognormvariate(0, 0.6) for _ in range(parts)]
    unit = free / sum(weights)
    shares = [int(weight * unit) for weight in weights]
    for index in range(free - sum(shares)):
        shares[index % parts] += 1
    return [least + share for share in shares]
