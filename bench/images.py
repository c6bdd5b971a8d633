"""One picture of twelve megapixels from the bytes to the verdict, beside decoding it alone.

`image-fast`: evidence without print, eight needles in 10⁷ hashes, the rules. `image-full`: print
read, every view, local features over 10⁴ pictures compared exactly, the candidates verified pixel
by pixel, the rules. Evidence runs in the sandbox's processes, as in the service. The floor is one
process that decodes the file with Pillow, in turn with ours. IMAGE_ROUNDS sets the pictures.
"""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from time import perf_counter
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image

from bench import hashes, photographs, scenery
from bench.ground import Ground
from bench.results import Result, percentile
from compliance import matching
from compliance.index import HammingIndex
from compliance.local_index import EXACT, FAST, LocalIndex
from compliance.looking import evidence
from compliance.pictures import decode
from compliance.searching import references
from compliance.verdicts.case import Case, Use
from compliance.verdicts.case import Match as CaseMatch
from compliance.verdicts.verdict import judge
from core.sandbox import Sandbox

ROUNDS_FAST, ROUNDS_FULL = 40, 20
_SIZE = (4000, 3000)
_HASHES = 10_000_000
_EXACT, _FAST = 10_000, 50_000
_MOST = 16
_USE = Use(organization="1", channel="site", on=date(2026, 1, 15))


async def fast(_: Ground) -> Result:
    """The first answer, without reading print or comparing pixels."""
    index = await asyncio.to_thread(_hash_index)
    values, floors = [], []
    async with _pool() as pool:
        for number, data in enumerate(_twelve_megapixels(_rounds(ROUNDS_FAST) + 2)):
            began = perf_counter()
            report = await evidence.examine(data, name="a.jpg", pool=pool, with_print=False)
            needles = [bytes.fromhex(one) for one in report["hashes"]["pdq"]]
            hits = await asyncio.to_thread(index.search, needles)
            _judged(report, [str(one.id) for one in hits])
            middle = perf_counter()
            _decoded(data)
            if number >= 2:
                values.append((middle - began) * 1000)
                floors.append((perf_counter() - middle) * 1000)
    return _result("image-fast", values, floors, hashes=len(index), needles=8, **_sizes(report))


async def full(_: Ground) -> Result:
    """The whole check; notes hold what the local stage takes over 5·10⁴ pictures too."""
    local, larger, known = await asyncio.to_thread(_local_indexes)
    values, floors, beyond, parts = [], [], [], []
    async with _pool() as pool:
        for number, data in enumerate(_twelve_megapixels(_rounds(ROUNDS_FULL) + 1)):
            began = perf_counter()
            report, looked = await asyncio.gather(
                evidence.examine(data, name="a.jpg", pool=pool),
                pool.run(references.looked, data, into=references.Looked),
            )
            seen = perf_counter()
            question = references.question_of(looked)
            near = await asyncio.to_thread(local.search, question, most=_MOST)
            searched = perf_counter()
            contents = [known[one.id] for one in near if one.id in known]
            told = await pool.run(references.verified, data, contents, timeout=30.0)
            _judged(report, [str(place) for place, one in enumerate(told) if one is not None])
            middle = perf_counter()
            _decoded(data)
            ended = perf_counter()
            await asyncio.to_thread(larger.search, question, most=_MOST)
            if number >= 1:
                values.append((middle - began) * 1000)
                floors.append((ended - middle) * 1000)
                beyond.append((perf_counter() - ended) * 1000)
                parts.append([seen - began, searched - seen, middle - searched])
    medians = {
        name: percentile([row[place] for row in parts], 0.5)
        for place, name in enumerate(("evidence_and_views_s", "local_search_s", "verified_s"))
    }
    return _result(
        "image-full", values, floors, pictures=len(local), pictures_fast=len(larger),
        local_search_fast_ms_p95=percentile(beyond, 0.95), ocr=report["ocr"]["state"], **medians,
        fast_index="five copies of the exact register's features, bits turned; recall it loses: "
        "see copy-recall",
    )  # fmt: skip


def _result(name: str, values: list[float], floors: list[float], **notes: Any) -> Result:
    value, floor = percentile(values, 0.95), percentile(floors, 0.95)
    return Result(
        name, value, "ms", floor, value / floor, len(values),
        {"medians": [percentile(values, 0.5), percentile(floors, 0.5)],
         "cores": os.cpu_count(), **notes},
    )  # fmt: skip


def _sizes(report: dict[str, Any]) -> dict[str, Any]:
    return {"pixels": [report["width"], report["height"]]}


def _rounds(usual: int) -> int:
    return int(os.environ.get("IMAGE_ROUNDS", usual))


@asynccontextmanager
async def _pool() -> AsyncIterator[Sandbox]:
    pool = Sandbox(workers=2, preload=(*evidence.PRELOAD, "compliance.searching.references"))
    try:
        yield pool
    finally:
        await pool.close()


def _judged(report: dict[str, Any], pictures: list[str]) -> None:
    matches = tuple(CaseMatch(picture=one, level="candidate") for one in pictures[:50])
    judge(Case(use=_USE, evidence=evidence.evidence_of(report), matches=matches))


def _decoded(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()


def _twelve_megapixels(count: int) -> Iterator[bytes]:
    """Photographs brought to this size, with a sensor's noise; no two alike."""
    random = np.random.default_rng(5)
    photos = photographs.photographs()
    noise = random.normal(0, 4, (_SIZE[1], _SIZE[0], 1)).astype(np.float32)
    for number in range(count):
        large = photos[number % len(photos)].resize(_SIZE, Image.Resampling.BICUBIC)
        rough = np.asarray(large, np.float32) + np.roll(noise, number * 7919)
        data = io.BytesIO()
        Image.fromarray(np.clip(rough, 0, 255).astype(np.uint8)).save(data, "JPEG", quality=88)
        yield data.getvalue()


def _hash_index() -> HammingIndex:
    ids = (UUID(int=number) for number in range(_HASHES))
    return HammingIndex.built(ids, hashes.register(_HASHES))


def _local_indexes() -> tuple[LocalIndex, LocalIndex, dict[UUID, bytes]]:
    """Ten thousand pictures compared exactly, fifty thousand with less effort, the first packed."""
    exact, larger = LocalIndex(EXACT), LocalIndex(FAST)
    known: dict[UUID, bytes] = {}
    random = np.random.default_rng(9)
    ready = [matching.known(decode(_jpeg(photo))) for photo in photographs.photographs()]
    for number, one in enumerate([*ready, *scenery.pictures(_EXACT - len(ready))]):
        exact.add(UUID(int=number), one.features)
        known[UUID(int=number)] = references.packed(one)
        for copy in range(_FAST // _EXACT):
            flipped = random.integers(0, 256, one.features.descriptors.shape, np.uint8)
            turned = one.features.descriptors ^ (flipped & 1 if copy else 0)
            given = type(one.features)(
                one.features.points, one.features.sizes, one.features.angles,
                turned.astype(np.uint8),
            )  # fmt: skip
            larger.add(UUID(int=number + copy * _EXACT), given)
    return exact, larger, known


def _jpeg(photo: Image.Image) -> bytes:
    data = io.BytesIO()
    photo.save(data, "JPEG", quality=92)
    return data.getvalue()
