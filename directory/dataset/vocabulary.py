"""Words and numbers the demo registry is made of: regions, unions, people's names, requisites."""

import csv
import hashlib
import random
import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent

_MILLIS = 1_735_689_600_000  # 2025-01-01: ids of the registry lie before those of real work


@dataclass(frozen=True, slots=True)
class Region:
    """A subject of the federation (субъект Российской Федерации)."""

    code: str
    name: str
    adjective: str
    kind: str
    district: str
    time_zone: str
    phone: str
    towns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """A branch union: whose it is, and the institutions its primaries stand at."""

    code: str
    title: str
    institutions: tuple[str, ...]


@lru_cache(maxsize=1)
def regions() -> tuple[Region, ...]:
    """All 89 subjects by code."""
    with (_HERE / "regions.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Region(**row | {"towns": tuple(row["towns"].split("|"))})
            for row in csv.DictReader(lines)
        )


@lru_cache(maxsize=1)
def unions() -> tuple[Union, ...]:
    """The 45 branch unions by code."""
    with (_HERE / "unions.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Union(**row | {"institutions": tuple(row["institutions"].split("|"))})
            for row in csv.DictReader(lines)
        )


def _words(name: str) -> tuple[str, ...]:
    with (_HERE / "names.csv").open(encoding="utf-8", newline="") as lines:
        return next(
            tuple(row["words"].split("|")) for row in csv.DictReader(lines) if row["list"] == name
        )


_SURNAMES = _words("surnames")
_MEN = _words("men")
_WOMEN = _words("women")
_FATHERS = _words("fathers")


def person_name(rng: random.Random) -> tuple[str, str, str]:
    """Last, first and middle name that agree in sex; seven of ten are women."""
    surname, father = rng.choice(_SURNAMES), rng.choice(_FATHERS)
    if rng.random() < 0.7:
        return surname + "а", rng.choice(_WOMEN), father + "на"
    return surname, rng.choice(_MEN), father + "ич"


def own_code(union: str, region: str, local: int, primary: int) -> str:
    """`<union>-<region>-<local>-<primary>-<control digit>`, control digit after Luhn."""
    body = f"{union}-{region}-{local:03d}-{primary:04d}"
    total = 0
    for place, sign in enumerate(reversed(body.replace("-", ""))):
        digit = int(sign) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return f"{body}-{-total % 10}"


def inn(region: str, number: int) -> str:
    """A valid INN of tax office 99, which no region has, so it is nobody's."""
    body = f"{region}99{number:05d}"
    weighed = sum(int(d) * w for d, w in zip(body, (2, 4, 10, 3, 5, 9, 4, 6, 8), strict=True))
    return f"{body}{weighed % 11 % 10}"


def ogrn(region: str, year: int, number: int) -> str:
    """A valid OGRN of the same office 99."""
    body = f"1{year % 100:02d}{region}99{number:05d}"
    return f"{body}{int(body) % 11 % 10}"


def phone(region: Region, number: int) -> str:
    """A telephone number in the region's area whose tail begins with 00, which none does."""
    width = 10 - len(region.phone)
    return f"+7 ({region.phone}) 00{number % 10 ** (width - 2):0{width - 2}d}"


def fixed_id(seed: int, number: int) -> uuid.UUID:
    """The id of the registry's thing number `number`: UUIDv7 in form, the same each time."""
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    value = (
        ((_MILLIS + number) << 80) | (0x7 << 76) | (int.from_bytes(digest[:2], "big") >> 4 << 64)
    )
    return uuid.UUID(int=value | (0x2 << 62) | (int.from_bytes(digest, "big") >> 2))
