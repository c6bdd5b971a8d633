"""A stage for proofs on МЭДО: our center, a ministry, the transport's folders, GOST keys."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import clock, db
from core.actor import RULE, Actor
from core.settings import settings
from demo.ministry import Ministry
from directory import certificates
from docflow.documents import cards, files, registration, signing_uploads
from docflow.gateways.medo.messages import Party
from docflow.routing import dispatch, lines
from docflow.routing.medo import incoming, outgoing, partners
from signatures import anchors
from tests import gost_pki, ground, people
from tests.gost_pki import PERSON, GostWorld

OURS = uuid.UUID("a0000001-0000-4000-8000-00000000f0f0")
THEIRS = uuid.UUID("b0000002-0000-4000-8000-00000000e0e0")


@dataclass(frozen=True)
class Stage:
    """Who writes to whom, and where the transport looks."""

    clerk: Actor
    own: partners.Partner
    ministry: partners.Partner
    world: GostWorld
    folder: Path
    they: Ministry

    @property
    def inbox(self) -> Path:
        return self.folder / "in"

    @property
    def outbox(self) -> Path:
        return self.folder / "out"


@contextmanager
def transport(folder: Path) -> Iterator[None]:
    """The settings name the two folders."""
    for name in ("in", "out"):
        (folder / name).mkdir(exist_ok=True)
    os.environ |= {"MEDO_IN": str(folder / "in"), "MEDO_OUT": str(folder / "out")}
    settings.cache_clear()
    try:
        yield
    finally:
        for name in ("MEDO_IN", "MEDO_OUT"):
            del os.environ[name]
        settings.cache_clear()


async def a_partner(
    organization_id: uuid.UUID, uid: uuid.UUID, address: str, **more: Any
) -> partners.Partner:
    wanted = partners.PartnerInput(participant_uid=uid, address=address, **more)
    return await partners.enter(RULE, organization_id, wanted=wanted)


async def a_stage(folder: Path, **demands: Any) -> Stage:
    """Our center with a chairman who has a GOST key, and a ministry that asks for GOST."""
    world = gost_pki.gost_world()
    await anchors.add(RULE, world.trust, is_test=True)
    home = await ground.an_organization("center")
    await db.execute(
        "UPDATE organization SET inn = $2, ogrn = $3, name = 'Федерация' WHERE id = $1",
        home, PERSON.inn_le, PERSON.ogrn,
    )  # fmt: skip
    clerk = await people.clerk_of(home)
    chairman_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, 'Иванов', 'Иван', 'Иванович', $2)""",
        chairman_id, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'chairman', 'Председатель', '2020-01-01')""",
        chairman_id, home,
    )  # fmt: skip
    await certificates.register(
        RULE, person_id=chairman_id, organization_id=home,
        sha256=hashlib.sha256(world.signer.der).digest(),
    )  # fmt: skip
    ministry = await ground.an_organization("outside")
    await db.execute("UPDATE organization SET name = 'Минтруд' WHERE id = $1", ministry)
    return Stage(
        clerk=clerk,
        own=await a_partner(home, OURS, "FNPR~MEDOGU", is_own=True),
        ministry=await a_partner(
            ministry, THEIRS, "MINTRUD~MEDOGU", **({"signatures": "gost"} | demands)
        ),
        world=world,
        folder=folder,
        they=Ministry(
            THEIRS, "Минтруд", "MINTRUD~MEDOGU", Party(uid=str(OURS), organization="Федерация"),
            folder, world.authority, world.signer,
        ),
    )  # fmt: skip


async def a_draft(stage: Stage, title: str, *, pdf: bytes | None = None) -> uuid.UUID:
    card = cards.CardInput(kind="letter", title=title, addressee="Минтруд")
    document_id = await cards.create(stage.clerk, card=card)
    content = pdf or await people.a_letter(title)
    await files.attach(
        stage.clerk, document_id, stream=people.stream(content), file_name="письмо.pdf"
    )
    return document_id


async def an_annex(stage: Stage, document_id: uuid.UUID, *, signed: bool = True) -> None:
    content = b"a;b\n1;2\n"
    file_id = await files.attach(
        stage.clerk, document_id, stream=people.stream(content), file_name="таблица.csv",
        role="annex", position=1, title="Таблица",
    )  # fmt: skip
    if signed:
        await signing_uploads.bring(
            stage.clerk, document_id, file_id=file_id, signature=stage.world.sign(content)
        )


async def sign(stage: Stage, document_id: uuid.UUID, signature: bytes | None = None) -> None:
    """A detached signature over the main file, by our chairman's GOST key."""
    (main, *_) = await files.current_files(document_id)
    from storage import blobs

    content = await blobs.read(main["blob_id"], limit=1 << 26)
    await signing_uploads.bring(
        stage.clerk, document_id, file_id=main["id"],
        signature=signature or stage.world.sign(content),
    )  # fmt: skip


async def send(stage: Stage, document_id: uuid.UUID) -> None:
    """Register and dispatch to the ministry."""
    await registration.register(stage.clerk, document_id)
    await dispatch.send(
        stage.clerk, document_id,
        wanted=dispatch.DispatchInput(selector=lines.only([stage.ministry.organization_id])),
    )  # fmt: skip


async def a_sent(stage: Stage, title: str = "О заработной плате", *, annex: bool = False) -> (
    uuid.UUID
):  # fmt: skip
    """A signed and registered letter that lies in the outgoing folder."""
    document_id = await a_draft(stage, title)
    if annex:
        await an_annex(stage, document_id)
    await sign(stage, document_id)
    await send(stage, document_id)
    assert await outgoing.send_waiting() == {"sent": 1}
    return document_id


async def sent_row(document_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT * FROM medo_message WHERE document_id = $1 AND direction = 'out'", document_id
    )
    assert found is not None
    return found


async def polled(stage: Stage) -> dict[str, int]:
    """Everything that waits is taken in; the folder is empty after it."""
    return await incoming.poll()
