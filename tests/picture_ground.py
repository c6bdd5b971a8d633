"""An editorial office with a register: people, a licensed picture, a claimant's work."""

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import typst

from compliance import jobs
from compliance.registers import claimants, licences, register
from compliance.registers.claimants import ClaimantCard
from compliance.registers.licences import Terms
from compliance.registers.register import PictureCard
from core import clock, db
from core.actor import Actor
from demo import scenes
from tests import ground, people

CAPTION = "Фото: А. Смирнов"


@dataclass(frozen=True, slots=True)
class Office:
    """An editor, a second person and a lawyer of one organization, under one union."""

    home: uuid.UUID
    union: uuid.UUID
    editor: Actor
    second: Actor
    lawyer: Actor


async def another(organization_id: uuid.UUID, *roles: str) -> Actor:
    """Somebody with a person of their own."""
    person_id, account_id = clock.new_id(), clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, 'Петров', $2)",
        person_id, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, $3, 'none', $4)""",
        account_id, person_id, str(account_id), clock.now(),
    )  # fmt: skip
    return Actor(
        kind="user", id=account_id, organization_id=organization_id, person_id=person_id,
        roles=frozenset(roles), second_factor=True, request_id=clock.new_id(),
    )  # fmt: skip


async def an_office() -> Office:
    """The office and its people."""
    union = await ground.an_organization("union")
    home = await ground.an_organization("regional", under=union)
    return Office(
        home, union, await another(home, "editor"), await another(home, "editor"),
        await another(home, "lawyer"),
    )  # fmt: skip


async def a_licensed(office: Office, data: bytes, **terms: Any) -> tuple[uuid.UUID, uuid.UUID]:
    """A picture with its snapshot, a second person's approval and a confirmed contract."""
    card = PictureCard(title="Осень", author="А. Смирнов", source="https://photo.example.org/1")
    picture_id = await register.add(office.editor, data=data, card=card)
    await register.attach_snapshot(office.editor, picture_id, data=await people.a_letter("Снимок"))
    await register.approve(office.second, picture_id)
    given = Terms(
        **{"kind": "contract", "holder": "А. Смирнов", "number": "17/26", "attribution": CAPTION}
        | terms
    )
    licence_id = await licences.add(
        office.editor, picture_id=picture_id, terms=given,
        document=await people.a_letter("Лицензионный договор"),
    )  # fmt: skip
    await licences.confirm(office.second, licence_id, terms=given)
    return picture_id, licence_id


async def a_claimed(data: bytes, *, name: str = "Ловушкин") -> uuid.UUID:
    """A claimant in force with one work, entered by two lawyers of the center."""
    center = await ground.an_organization("center")
    first, second = await another(center, "lawyer"), await another(center, "lawyer")
    picture_id = await register.add(
        first, data=data, card=PictureCard(kind="claimant", title="Мост", author=name)
    )
    claimant_id = await claimants.add(first, card=ClaimantCard(name=name))
    await claimants.add_work(first, claimant_id, picture_id=picture_id)
    await claimants.approve(second, claimant_id)
    return claimant_id


def a_docx(*pictures: bytes) -> bytes:
    """A document whose pictures stand on a page each."""
    spaces = " ".join(
        f'xmlns:{short}="http://schemas.openxmlformats.org/{rest}"'
        for short, rest in (("w", "wordprocessingml/2006/main"), ("a", "drawingml/2006/main"),
                            ("r", "officeDocument/2006/relationships"))
    )  # fmt: skip
    body = "<w:lastRenderedPageBreak/>".join(
        f'<a:blip r:embed="rId{number}"/>' for number in range(len(pictures))
    )
    kind = "http://schemas.openxmlformats.org/package/2006/relationships"
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="image" Target="media/image{number}.jpeg"/>'
        for number in range(len(pictures))
    )
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{types}"/>')
        archive.writestr("word/document.xml", f"<w:document {spaces}>{body}</w:document>")
        archive.writestr(
            "word/_rels/document.xml.rels", f'<Relationships xmlns="{kind}">{rows}</Relationships>'
        )
        for number, picture in enumerate(pictures):
            archive.writestr(f"word/media/image{number}.jpeg", picture)
    return written.getvalue()


async def a_page(client: httpx.AsyncClient, **more: Any) -> str:
    """The id of a draft page on the site, for today."""
    card = {"kind": "page", "channel": "site", "place": "https://example.org/news/1",
            "title": "Новость", "planned_on": clock.today().isoformat()}  # fmt: skip
    answer = await client.post("/api/v1/publications", json=card | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def put_picture(client: httpx.AsyncClient, page: str, data: bytes, **more: Any) -> Any:
    """Add a picture; what the check says."""
    answer = await client.put(
        f"/api/v1/publications/{page}/pictures", content=data,
        params={"file_name": "a.jpg", "caption": CAPTION} | more,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json()


def scene(number: int) -> bytes:
    """A drawn picture as JPEG."""
    return scenes.as_jpeg(scenes.scene(number))


def form(data: bytes, use: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a request with a picture and its use."""
    return {
        "files": {"picture": ("a.jpg", data, "image/jpeg")},
        "data": {"use": json.dumps(use, ensure_ascii=False)},
    }


def a_newspaper(folder: Path, *pictures: bytes) -> bytes:
    """A PDF with a picture on each page."""
    for number, picture in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(picture)
    pages = "\n#pagebreak()\n".join(
        f'Страница #image("{number}.jpg", width: 90mm)' for number in range(len(pictures))
    )
    (folder / "issue.typ").write_text(pages)
    return bytes(typst.compile(folder / "issue.typ", format="pdf"))


async def run_checks() -> None:
    """What the worker would do now."""
    rows = await db.rows(
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'compliance.check_publication'"
    )
    for row in rows:
        await jobs.check_publication(**row["args"])
