"""Every kind of message in the spellings of other systems is read to the same facts."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from docflow.gateways.medo.messages import Envelope, Event, Message
from docflow.gateways.medo.reading import read_folder
from tests import medo_folders as made
from tests.medo_variants import VARIANTS

KINDS: Final[Mapping[str, Callable[[Path], Path]]] = {
    "document 2.0": lambda folder: made.answer(folder, version="2.0"),
    "document 2.2": lambda folder: made.answer(folder, version="2.2"),
    "answer 2.6": made.answer,
    "container 2.7": made.container,
    "registered 2.6": lambda folder: made.notification(folder, Event.ACCEPTED),
    "refused 2.7": lambda folder: made.notification(folder, Event.REFUSED, version="2.7"),
}


def essence(message: Message) -> Message:
    """What the message says, without its remarks and without how its files are spelled."""
    files = tuple(dataclasses.replace(one, stored_as="") for one in message.files)
    return dataclasses.replace(
        message, warnings=(), errors=(), lacks=(), quiet_seconds=None, envelope=Envelope(),
        description="", files=tuple(sorted(files, key=lambda one: one.name)),
        container=message.container and dataclasses.replace(message.container, body=""),
    )  # fmt: skip


SOME = [
    pytest.param(name, marks=[pytest.mark.slow] if place % 3 else [])
    for place, name in enumerate(VARIANTS)
]


@pytest.mark.parametrize("variant", SOME)
def test_another_spelling_of_the_same(tmp_path: Path, variant: str) -> None:
    """At most a warning, with words in both languages."""
    for kind, make in KINDS.items():
        folder = make(tmp_path / kind)
        expected = read_folder(folder)
        assert not expected.errors
        VARIANTS[variant](folder)
        found = read_folder(folder)
        assert not found.errors, (kind, found.errors)
        assert essence(found) == essence(expected), kind
        assert all(one.ru and one.en for one in found.warnings)
