"""МЭДО containers written and read, beside zip, XML and SHA-256 of the same bytes alone."""

import asyncio
import dataclasses
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from itertools import count
from os import urandom
from pathlib import Path
from time import perf_counter

from lxml import etree

from bench import files
from bench.ground import Ground
from bench.results import Result, against
from core import clock
from docflow.gateways.medo.messages import (
    Author,
    Document,
    Envelope,
    File,
    Kind,
    Message,
    Party,
    Role,
    Signature,
    Signer,
    Stamp,
)  # fmt: skip
from docflow.gateways.medo.reading import read_folder
from docflow.gateways.medo.writing import write_folder

ROUNDS = 15
CONTAINERS = 20
STAMP = 8_000

Work = Callable[[], object]


async def write(_: Ground) -> Result:
    """Containers a second onto the disk, synchronized, each renamed into place."""
    return await asyncio.to_thread(_measured, "medo-write")


async def read(_: Ground) -> Result:
    """Containers a second out of their folders, each file's digest taken."""
    return await asyncio.to_thread(_measured, "medo-read")


def _measured(name: str) -> Result:
    sources = _sources()
    message = _letter()
    numbers = count()
    with tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder:
        out = Path(folder, "out")
        out.mkdir()
        ready = write_folder(message, out / "ready", sources=sources)
        if read_folder(out / "ready").warnings or ready.warnings:
            raise RuntimeError("a good container was not read whole")
        works = _reading(out / "ready") if name == "medo-read" else _writing(
            message, sources, out, numbers
        )  # fmt: skip
        values, floors = [], []
        for _round in range(ROUNDS):
            values.append(_rate(works[0]))
            floors.append(_rate(works[1]))
            for stale in out.glob("m*"):
                shutil.rmtree(stale)
    return against(
        name, values, floors, unit="containers/s", containers_a_round=CONTAINERS,
        bytes_of_files=sum(map(len, sources.values())), files=len(sources),
    )  # fmt: skip


def _rate(work: Work) -> float:
    began = perf_counter()
    for _ in range(CONTAINERS):
        work()
    return CONTAINERS / (perf_counter() - began)


def _writing(
    message: Message, sources: dict[str, bytes], out: Path, numbers: "count[int]"
) -> tuple[Work, Work]:
    xml, passport = _parts(out / "ready")

    def value() -> object:
        document = dataclasses.replace(message.document or Document(), uid=str(clock.new_id()))
        letter = dataclasses.replace(message, document=document)
        return write_folder(letter, out / f"m{next(numbers)}", sources=sources)

    def floor() -> object:
        folder = out / f"m{next(numbers)}"
        folder.mkdir()
        (folder / "message.xml").write_bytes(etree.tostring(etree.fromstring(xml)))
        members = {"passport.xml": etree.tostring(etree.fromstring(passport)), **sources}
        with zipfile.ZipFile(folder / "document.edc.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return [hashlib.sha256(data).digest() for data in members.values()]

    return value, floor


def _reading(ready: Path) -> tuple[Work, Work]:
    def value() -> object:
        return read_folder(ready)

    def floor() -> object:
        etree.fromstring((ready / "message.xml").read_bytes())
        with zipfile.ZipFile(ready / "document.edc.zip") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        etree.fromstring(members["passport.xml"])
        return [hashlib.sha256(data).digest() for data in members.values()]

    return value, floor


def _parts(ready: Path) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(ready / "document.edc.zip") as archive:
        return (ready / "message.xml").read_bytes(), archive.read("passport.xml")


def _sources() -> dict[str, bytes]:
    """Two PDFs of 300 KB as in the other benchmarks, and what goes with them."""
    document, annex = files.unsigned(2)
    # A CMS is half text of certificates, half numbers nobody can pack.
    signature = b"CN=\xd0\xa3\xd1\x86" * 200 + urandom(1_500)
    return {
        "document.pdf": document, "annex.pdf": annex, "s1.p7s": signature,
        "s2.p7s": signature[::-1], "reg.png": urandom(STAMP), "s1.png": urandom(STAMP),
    }  # fmt: skip


def _letter() -> Message:
    us = Party(uid=str(clock.new_id()), organization="Федерация")
    them = Party(uid=str(clock.new_id()), organization="Министерство")
    place = Stamp(name="s1.png", page=1, x=80, y=230, width=72, height=30)
    signer = Signer(
        person=Party(post="Председатель", person="Иванов И.И."),
        signatures=(Signature(name="s1.p7s", stamp=place),),
    )
    author = Author(
        organization=us, signers=(signer,), executor=Party(person="Петров П.П."),
        stamp=Stamp(name="reg.png", page=1, x=15, y=63, width=100, height=14),
    )  # fmt: skip
    document = Document(
        number="101/1", date=clock.today(), kind="Письмо", annotation="О заработной плате", pages=2,
        authors=(author,), addressees=(them,),
    )  # fmt: skip
    annex = File(name="annex.pdf", role=Role.ATTACHMENT, signatures=(Signature(name="s2.p7s"),))
    return Message(
        kind=Kind.CONTAINER, source=us, destinations=(them,), document=document,
        files=(File(name="document.pdf", role=Role.DOCUMENT), annex),
        envelope=Envelope(addresses=("MINTRUD_S~MEDOGU",)),
    )  # fmt: skip
