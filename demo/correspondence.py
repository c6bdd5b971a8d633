"""The third job of the demo: letters to a ministry by МЭДО, GOST-signed, and what comes back.

Our side is walked over HTTP and every figure read back from the service; the other side is
`demo.ministry` at the transport's folders. Without openssl's GOST engine there is nobody to sign.
"""

import asyncio
import base64
import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import clock, db, papers
from core.actor import RULE
from core.db import DB
from demo import defects, gost
from demo.ground import Ground
from demo.ministry import Ministry
from demo.people import Person
from directory import certificates
from docflow.gateways.medo.messages import Message, Party
from signatures import anchors

NAME, ADDRESS = "Министерство труда (демонстрационное)", "MINTRUD_DEMO~MEDOGU"
OUR_ADDRESS = "FNPR_DEMO~MEDOGU"
THEIRS = uuid.uuid5(uuid.NAMESPACE_DNS, "mintrud.example.org")
OURS = uuid.uuid5(uuid.NAMESPACE_DNS, "union.example.org")
WITHIN = 120.0
REASON, COMMENT = "Ошибка адресации", "Вопрос относится к ведению Минздрава."
TITLES = {
    "answered": "О задержке заработной платы работникам здравоохранения",
    "refused": "О нормативах обеспечения медицинскими кадрами",
    "silent": "О проекте отраслевого соглашения",
}


@dataclass(frozen=True, slots=True)
class Stand:
    """The ministry, and the chairman's GOST key on our side."""

    ministry: Ministry
    chairman: gost.Signer

    def sign(self, content: bytes) -> bytes:
        """A detached signature of the chairman's."""
        return self.ministry.authority.sign_detached(content, self.chairman)


def prepare(ground: Ground, folder: Path) -> Stand | None:
    """Authority, keys and the transport's folders, before the service starts; None without GOST."""
    if not gost.is_available():
        return None
    for name in ("in", "out"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    authority = gost.kept_gost_authority(folder / "keys", name="Демонстрационный УЦ ГОСТ")
    return asyncio.run(_stand(ground, authority, folder))


async def _stand(ground: Ground, authority: gost.GostAuthority, folder: Path) -> Stand:
    """Trust the authority as a test one; give the union's chairman a key."""
    await DB.open()
    try:
        await anchors.add(RULE, authority.trust(), is_test=True)
        holder = await db.row(
            """SELECT o.name, o.inn, o.ogrn, p.id, p.last_name, p.first_name, p.middle_name
               FROM organization AS o JOIN post AS t ON t.organization_id = o.id
               JOIN person AS p ON p.id = t.person_id
               WHERE o.id = $1 AND t.valid_to IS NULL ORDER BY t.kind = 'chairman' DESC LIMIT 1""",
            ground.union_id,
        )
        if holder is None:
            raise LookupError("nobody holds a post in the demo's union")
        given = f"{holder['first_name']} {holder['middle_name'] or ''}".strip()
        chairman = authority.issue(
            gost.Person(
                f"{holder['last_name']} {given}", surname=holder["last_name"], given_name=given,
                title="Председатель", organization=holder["name"][:60],
                inn_le=holder["inn"] or "", ogrn=holder["ogrn"] or "",
            )
        )  # fmt: skip
        await certificates.register(
            RULE, person_id=holder["id"], organization_id=ground.union_id,
            sha256=hashlib.sha256(chairman.der).digest(),
        )  # fmt: skip
    finally:
        await DB.close()
    minister = authority.issue(
        gost.Person("Министров Министр Министрович", title="Министр", organization=NAME)
    )
    us = Party(uid=str(OURS), organization=holder["name"])
    return Stand(Ministry(THEIRS, NAME, ADDRESS, us, folder, authority, minister), chairman)


async def walk(address: str, ground: Ground, stand: Stand | None) -> dict[str, Any]:
    """Three letters: one answered, one refused, one never; and every known defect of a sender."""
    if stand is None:
        words = "install libengine-gost-openssl to see the conversation with a ministry"
        return {"ok": True, "skipped": words}
    admin = await Person.sign_in(address, ground.of("administrator")[0])
    clerk = await Person.sign_in(address, ground.of("clerk")[0])
    ministry_id = await _participants(admin, ground)
    sent = {name: await _send(clerk, stand, ministry_id, title) for name, title in TITLES.items()}
    before = {status: await _count(clerk, status) for status in _STATUSES}
    numbers = {name: (await clerk.get(f"/documents/{one}"))["number"] for name, one in sent.items()}
    went: dict[str, Message] = {}

    def is_all_there() -> bool:
        found = stand.ministry.collected()
        went.update({one.document.number: one for one in found if one.document})
        return went.keys() >= set(numbers.values())

    await _exchange(clerk, stand.ministry, until=is_all_there)
    await asyncio.to_thread(
        _speak, stand.ministry, {name: went[number] for name, number in numbers.items()},
        await _letter("Ответ на ваше письмо"),
    )  # fmt: skip
    await _exchange(clerk, stand.ministry, until=lambda: not _waiting(stand.ministry.inbox))
    told = {name: await _told(clerk, document_id) for name, document_id in sent.items()}
    now = {status: await _count(clerk, status) for status in _STATUSES}
    answer = await _answer(clerk, told["answered"], sent["answered"])
    told["defects"] = {status: now[status] - before[status] for status in _STATUSES}
    for person in (admin, clerk):
        await person.leave()
    return {"ok": _is_right(told, answer), **told, "answer": answer}


_STATUSES = ("taken", "quarantined", "restricted")


def _speak(ministry: Ministry, letters: dict[str, Message], pdf: bytes) -> None:
    """What the ministry has to say: in full to one letter, no to another, nothing to the third."""
    first = letters["answered"]
    ministry.registers(first, number="14-2/В-5507")
    ministry.assigns(first, executor="Исполнителев Иван Иванович")
    ministry.reports(first, number="14-2/Д-31")
    ministry.answers(first, pdf, number="14-2/И-902")
    ministry.refuses(letters["refused"], reason=REASON, comment=COMMENT)
    for name in defects.DEFECTS:
        defects.send(ministry, name, pdf)


async def _participants(admin: Person, ground: Ground) -> str:
    """Import both participants from a list; answers the ministry's organization."""
    union = await admin.get(f"/organizations/{ground.union_id}")
    name = union["name"].replace('"', '""')
    lines = (
        "код;наименование;guid;адрес мэдо;версия;подписи;свой",
        f'MINTRUD-DEMO;"{NAME}";{THEIRS};{ADDRESS};2.7.1;gost;нет',
        f'{union["code"]};"{name}";{OURS};{OUR_ADDRESS};2.7.1;gost;да',
    )
    report = await admin.post_bytes("/medo/partners/import", "\r\n".join(lines).encode("utf-8-sig"))
    if report["problems"]:
        raise LookupError(f"participants were not imported: {report['problems']}")
    known = await admin.get("/medo/partners", limit=200)
    return str(
        next(one["organization_id"] for one in known if one["participant_uid"] == str(THEIRS))
    )


async def _letter(title: str) -> bytes:
    letter = papers.Letter(
        organization=NAME, title=title, addressee=("Председателю",),
        salutation="Уважаемые коллеги!",
        body=("Сообщаем по существу вопроса.",), signer_post="Руководитель", signer_name="И. И.",
        executor="Исполнителев И. И.", executor_phone="+7 (495) 000-00-00",
    )  # fmt: skip
    return await papers.render("letter", letter, made_at=clock.now())


async def _send(clerk: Person, stand: Stand, ministry_id: str, title: str) -> str:
    """A letter with a detached GOST signature, registered and dispatched."""
    card = {"kind": "letter", "title": title, "addressee": NAME}
    document_id = str((await clerk.post("/documents", card, key=str(uuid.uuid4())))["id"])
    pdf = await _letter(title)
    await clerk.put_file(f"/documents/{document_id}/files/main", pdf, file_name="письмо.pdf")
    signature = await asyncio.to_thread(stand.sign, pdf)
    await clerk.post(
        f"/documents/{document_id}/signatures", {"signature": base64.b64encode(signature).decode()}
    )
    await clerk.post(f"/documents/{document_id}/register")
    await clerk.post(
        f"/documents/{document_id}/dispatches", {"selector": {"include": [ministry_id]}},
        key=str(uuid.uuid4()),
    )  # fmt: skip
    return document_id


def _waiting(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if not one.name.startswith(".")]


async def _exchange(clerk: Person, ministry: Ministry, *, until: Callable[[], bool]) -> None:
    """Ask for the exchange and wait until the folders show that it took place."""
    deadline = time.monotonic() + WITHIN
    await clerk.post("/medo/messages/exchange")
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no exchange within {WITHIN:.0f} s in {ministry.folder}")
        await asyncio.sleep(0.1)


async def _count(clerk: Person, status: str) -> int:
    """Messages of the journal in this state."""
    number = 0
    more: dict[str, str] = {}
    while True:
        page = (await clerk.get("/medo/messages", status=status, limit=200, **more))["items"]
        number += len(page)
        if len(page) < 200:
            return number
        more = {"after": page[-1]["id"]}


async def _told(clerk: Person, document_id: str) -> dict[str, Any]:
    """The conversation about a letter as its card shows it."""
    first, *rest = await clerk.get(f"/documents/{document_id}/medo")
    steps = [one["event"] or one["kind"] for one in rest]
    told = {name: first[name] for name in ("status", "number", "their_number", "overdue_on",
                                           "reason") if first[name]}  # fmt: skip
    executor = next((one["executor"] for one in rest if one["executor"]), None)
    return {**told, "steps": steps, **({"executor": executor} if executor else {})}


async def _answer(clerk: Person, told: dict[str, Any], document_id: str) -> dict[str, Any]:
    """Their letter: found from ours by its link, with the verdict on its GOST signature."""
    ours = await clerk.get(f"/documents/{document_id}")
    link = next((one for one in ours["links"] if one["kind"] == "reply_to"), None)
    if link is None:
        return {"linked": False}
    theirs = await clerk.get(f"/documents/{link['id']}")
    (signature, *_) = theirs["signatures"]
    return {
        "linked": document_id in {one["id"] for one in theirs["links"]},
        "number": theirs["number"],
        "verdict": signature["verdict"],
        "algorithm": signature["report"].get("algorithm"),
        "signer": signature["signer"],
    }


def _is_right(told: dict[str, Any], answer: dict[str, Any]) -> bool:
    due = [one.outcome for one in defects.DEFECTS.values()]
    expected = {status: due.count(status) for status in _STATUSES}  # type: ignore[arg-type] # states of both kinds
    expected["taken"] += 1  # the answer itself
    return (
        [told[name]["status"] for name in TITLES] == ["answered", "refused", "sent"]
        and told["defects"] == expected
        and bool(answer["linked"])
        and answer["verdict"] == "valid"
    )
