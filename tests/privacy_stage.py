"""A person whose data lies everywhere, and a commission that may erase it."""

import json
import re
import struct
import uuid
import zlib
from dataclasses import dataclass

import pypdfium2

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from directory import people as directory_people
from directory.states import PostKind
from docflow.documents import cards, files, registration, search, signing
from docflow.documents.cards import CardInput
from docflow.routing import dispatch, lines, questions
from evidence.privacy import acts, needles
from storage import s3
from tests import ground, packages_stage, people

LAST, FIRST, MIDDLE = "Замоскворецкая", "Евлампия", "Аристарховна"
EMAIL, FORMER = "evlampia@zamosk.example", "old.evlampia@zamosk.example"
PHONE = "+7 (395) 277-18-28"
SNILS = "112-233-445 95"
SECRETS = (LAST, "Замоскворецк", FIRST, "Аристарховн", EMAIL, FORMER, "277-18-28", "3952771828",
           "112-233-445", "11223344595", "evlampia.z")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """Who is there."""

    line: ground.Ground
    person_id: uuid.UUID
    account_id: uuid.UUID
    lawyer: Actor
    others: tuple[Actor, Actor]
    about: uuid.UUID
    """A signed letter about her."""
    other: uuid.UUID
    """A letter of the same organization that has nothing to do with her."""


async def a_stage() -> Stage:
    """Her data in the directory, the log, letters, notices, messages and an export."""
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.region, "lawyer", "clerk", "signatory", "administrator")
    await people.give_key(line.region)
    others = (await _colleague(line.region), await _colleague(line.region))
    await _colleague_roles((lawyer, *others))
    person_id = await directory_people.create(
        RULE, last_name=LAST, first_name=FIRST, middle_name=MIDDLE, email=FORMER, phone=PHONE
    )
    await directory_people.appoint(
        RULE, person_id=person_id, organization_id=line.region, kind=PostKind.ACCOUNTANT,
        since=clock.today(),
    )  # fmt: skip
    await directory_people.change_contacts(RULE, person_id=person_id, email=EMAIL)
    account_id = await _account(person_id, line.region)
    about = await _letter_about(lawyer, line.local)
    other = await packages_stage.a_letter_sent(lawyer, line.local, title="О субботнике")
    await _traces(lawyer, line, about, person_id)
    return Stage(line, person_id, account_id, lawyer, others, about, other)


async def _colleague(home: uuid.UUID) -> Actor:
    person_id = clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, $2, $3)",
        person_id, f"Член{person_id.hex[:6]}", clock.now(),
    )  # fmt: skip
    account_id = clock.new_id()
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, $3, 'none', $4)""",
        account_id, person_id, str(account_id), clock.now(),
    )  # fmt: skip
    return Actor(
        kind="user", id=account_id, organization_id=home, person_id=person_id,
        roles=frozenset({"clerk"}), second_factor=True,
    )  # fmt: skip


async def _colleague_roles(actors: tuple[Actor, ...]) -> None:
    for actor in actors:
        for role in actor.roles:
            await db.execute(
                """INSERT INTO role_grant (account_id, organization_id, role, granted_at)
                   VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING""",
                actor.id, actor.home_id, role, clock.now(),
            )  # fmt: skip


async def _account(person_id: uuid.UUID, home: uuid.UUID) -> uuid.UUID:
    account_id = clock.new_id()
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, 'evlampia.z', 'none', $3)""",
        account_id, person_id, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO person_certificate (id, person_id, organization_id, sha256, snils, source,
               registered_at) VALUES ($1, $2, $3, $4, $5, 'administrator', $6)""",
        clock.new_id(), person_id, home, b"\1" * 32, needles.digits(SNILS), clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO invitation (id, token_hash, organization_id, role, email, person_id,
               invited_by, created_at, expires_at)
           VALUES ($1, $2, $3, 'clerk', $4, $5, $6, $7, $7)""",
        clock.new_id(), b"\2" * 32, home, EMAIL, person_id, account_id, clock.now(),
    )  # fmt: skip
    return account_id


async def _letter_about(clerk: Actor, to: uuid.UUID) -> uuid.UUID:
    card = CardInput(
        kind="circular", title=f"О назначении {LAST[:-2]}ой Е. А. казначеем",
        addressee=f"{LAST} {FIRST} {MIDDLE}", fields={"contact": f"тел. {PHONE}, {EMAIL}"},
    )  # fmt: skip
    document_id = await cards.create(clerk, card=card)
    content = await people.a_letter(f"О назначении {LAST} {FIRST} {MIDDLE}, СНИЛС {SNILS}")
    await files.attach(
        clerk, document_id, stream=people.stream(content), file_name=f"Приказ {LAST}.pdf"
    )
    await signing.submit(clerk, document_id)
    await signing.seal(clerk, document_id)
    await registration.register(clerk, document_id)
    wanted = dispatch.DispatchInput(selector=lines.only([to]))
    await dispatch.send(clerk, document_id, wanted=wanted)
    return document_id


async def _traces(
    lawyer: Actor, line: ground.Ground, about: uuid.UUID, person_id: uuid.UUID
) -> None:
    """Notices, webhook messages, questions, keys, checks, exports: wherever words are kept."""
    webhook_id = clock.new_id()
    await db.execute(
        """INSERT INTO webhook (id, organization_id, url, secret, event_types, created_at)
           VALUES ($1, $2, 'https://hooks.example.org/x', 'x', '{*}', $3)""",
        webhook_id, line.region, clock.now(),
    )  # fmt: skip
    for body in (json.dumps({"who": f"{LAST} {FIRST} {MIDDLE}", "n": 1}, ensure_ascii=False),
                 json.dumps({"who": f"{FIRST} {MIDDLE} {LAST}", "mail": EMAIL})):  # fmt: skip
        await db.execute(
            """INSERT INTO webhook_message (id, webhook_id, event_type, body, created_at)
               VALUES ($1, $2, 'document.received', $3, $4)""",
            clock.new_id(), webhook_id, body.encode(), clock.now(),
        )  # fmt: skip
    await db.execute(
        """INSERT INTO notice (organization_id, kind, subject_kind, subject_id, data, created_at)
           VALUES ($1, 'question_asked', 'document', $2, $3, $4)""",
        line.region, about, {"from": f"Е.А. {LAST}", "phone": needles.digits(PHONE)}, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO idempotency_key (scope, key, request_hash, created_at)
           VALUES ($1, $2, $3, $4)""",
        line.region, f"card-{EMAIL}", b"\3" * 32, clock.now(),
    )  # fmt: skip
    await db.execute(
        """UPDATE document_text SET body = body || $2 WHERE document_id = $1""",
        about, f" Уважаемая {FIRST} {MIDDLE}! {LAST} {FIRST}",
    )  # fmt: skip
    receiver = await people.clerk_of(line.local)
    delivery_id = await ground.delivery_to(about, line.local)
    await questions.ask(receiver, delivery_id, text=f"Как связаться с {LAST[:-2]}ой?")
    await events.record(
        RULE, "test.told", subject=("test", clock.new_id()), detail={"who": [LAST, {"m": EMAIL}]}
    )
    assert await search.documents(lawyer, wanted=search.Wanted(LAST)) != []


def proposal(stage: Stage, **more: object) -> acts.Proposal:
    """An act that destroys the letter about her."""
    said: dict[str, object] = {
        "person_id": stage.person_id, "ground": "consent_withdrawn",
        "basis": "Заявление вх. № 17 от 20.11.2026", "since": clock.today(),
        "members": [one.account_id for one in stage.others],
        "documents": {stage.about: ("destroy", "")}, "extra": (SNILS,),
    }  # fmt: skip
    return acts.Proposal(**(said | more))  # type: ignore[arg-type]  # reason: a test's shorthand


async def approved(stage: Stage, **more: object) -> uuid.UUID:
    """An act that everybody has approved."""
    act_id = await acts.propose(stage.lawyer, proposal(stage, **more))
    for member in stage.others:
        await acts.approve(member, act_id)
    return act_id


def met_in(data: bytes) -> list[str]:
    """Which of her data stands in these bytes: UTF-8, UTF-16, JSON escapes, any case."""
    found = []
    for secret in SECRETS:
        for spelled in (secret, secret.lower(), secret.upper()):
            forms = (spelled.encode(), spelled.encode("utf-16-be"), spelled.encode("utf-16-le"),
                     spelled.encode("ascii", "backslashreplace"))  # fmt: skip
            if any(form in data or form.hex().encode() in data for form in forms):
                found.append(secret)
                break
    return found


async def met_in_store() -> list[tuple[str, list[str]]]:
    """Objects of the store that tell of her, packed streams of PDF and ZIP opened."""
    found = []
    listing = await s3.off_loop(s3.Listing, "")
    while page := await s3.call(listing.page):
        for one in page:
            content, _ = await s3.call(s3.get_whole, one.key, await s3.call(s3.size_of, one.key))
            if told := met_in(content + b"".join(unpacked(content))):
                found.append((one.key, told))
    return found


def unpacked(content: bytes) -> list[bytes]:
    """What PDF streams and ZIP members hold, and the words of a PDF's pages."""
    made = []
    for start in re.finditer(rb"stream\r?\n", content):
        try:
            made.append(zlib.decompressobj().decompress(content[start.end() :]))
        except zlib.error:
            continue
    for head in re.finditer(rb"PK\x03\x04", content):
        at = head.start()
        names = struct.unpack("<HH", content[at + 26 : at + 30])
        try:
            made.append(zlib.decompressobj(-15).decompress(content[at + 30 + sum(names) :]))
        except zlib.error:
            continue
    if content[:4] == b"%PDF":
        pages = pypdfium2.PdfDocument(content)
        made += [page.get_textpage().get_text_bounded().encode() for page in pages]
    return made
