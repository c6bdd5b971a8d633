"""One of everything that an organization can have, with a word in its texts that must not leak."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core import clock, db
from core.actor import Actor
from docflow.routing import answer_codes
from docflow.routing.email import links
from evidence.log import sequencing
from storage import blobs
from tests import ground, people, picture_ground

SECRET = "тайнопись"
_FILLINGS = {
    "uuid": clock.new_id, "text": lambda: f"{SECRET} {secrets.token_hex(4)}",
    "bytea": lambda: secrets.token_bytes(32),
    "jsonb": dict, "text[]": lambda: [SECRET], "uuid[]": list, "integer[]": lambda: [1],
    "integer": lambda: 1, "bigint": lambda: 1, "boolean": lambda: False,
    "date": clock.today, "timestamp with time zone": clock.now,
}  # fmt: skip


async def put(table: str, **given: Any) -> uuid.UUID:
    """A row with what is given and something plausible in every other column it must have."""
    columns = await db.rows(
        """SELECT attname AS name, format_type(atttypid, atttypmod) AS kind FROM pg_attribute
           WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
           AND attnotnull AND NOT atthasdef""",
        table,
    )
    values = {one["name"]: _FILLINGS[one["kind"]]() for one in columns} | given
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    returning = "id" if await _has_id(table) else "NULL::uuid"
    found = await db.value(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places}) RETURNING {returning}",
        *values.values(),
    )
    return uuid.UUID(str(found)) if found else uuid.UUID(int=0)


async def _has_id(table: str) -> bool:
    return bool(
        await db.value(
            "SELECT true FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = 'id'",
            table,
        )
    )


REPORT = {
    "intact": True, "valid": True, "trusted": True, "signed_bytes": 100, "level": "B-B",
    "format": "PAdES", "field_name": "S", "reasons": [], "coverage": "whole", "subject": {},
}  # fmt: skip
"""As much of a report as pages and routes look into."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """Ids by the places of routes: name of the place, ``room/name`` where rooms share it, or
    ``place_before/name``."""

    owner: Actor
    colleague: Actor
    line: ground.Ground
    ids: dict[str, str] = field(default_factory=dict)

    def at(self, path: str) -> dict[str, str]:
        """What stands in the places of this path; a special word for a room goes first."""
        found = {name: one for name, one in self.ids.items() if "/" not in name}
        for name, one in self.ids.items():
            room, _, place = name.rpartition("/")
            if room and (f"/{room}/" in path or f"{{{room}}}/{{{place}" in path):
                found[place] = one
        return found


async def belongings() -> Belongings:
    """What a union has; the region below it has received one letter of it."""
    line = await ground.a_ground()
    owner = await people.clerk_of(
        line.union, "clerk", "signatory", "editor", "lawyer", "administrator"
    )
    colleague = await people.clerk_of(line.union, "clerk")
    made = Belongings(owner, colleague, line)
    await _documents(made)
    await _messages(made)
    await _pictures(made)
    await _people(made)
    await _evidence(made)
    await _records(made)
    return made


async def _documents(made: Belongings) -> None:
    home, account, line = made.owner.home_id, made.owner.account_id, made.line
    document_id = await ground.a_sent(made.owner, line.region, title=f"О деле: {SECRET}")
    bytes_of_it = await _blob()
    file_id = await db.value(
        """UPDATE document_file AS f SET blob_id = b.id, sha256 = b.sha256, size = b.size
           FROM blob AS b WHERE b.id = $2 AND f.document_id = $1 RETURNING f.id""",
        document_id, bytes_of_it,
    )  # fmt: skip
    delivery_id = await ground.delivery_to(document_id, line.region)
    signature_id = await put(
        "signature", document_id=document_id, file_id=file_id, form="pades", role="approving",
        verdict="valid", account_id=account,
        report=REPORT,
    )  # fmt: skip
    made.ids.update(
        document_id=str(document_id), file_id=str(file_id), delivery_id=str(delivery_id),
        signature_id=str(signature_id), role="main", number="1", job_id="1",
        organization_id=str(home),
        session_id=str(await put(
            "signing_session", document_id=document_id, file_id=file_id, account_id=account,
            role="approving", status="open", form="pades",
        )),
        question_id=str(await put(
            "question", delivery_id=delivery_id, document_id=document_id, asker_id=line.region,
            sender_id=home, asked_by=account,
        )),
        prolongation_id=str(await put(
            "prolongation", delivery_id=delivery_id, document_id=document_id, sender_id=home,
            asked_by=account, status="pending", wanted_on=people.in_days(30),
        )),
        event_id=str(await db.value(
            "SELECT id FROM event WHERE document_id = $1 LIMIT 1", document_id
        )),
        power_id=str(await put(
            "power_of_attorney", organization_id=home, xml_blob_id=bytes_of_it,
            signature_blob_id=bytes_of_it,
            uploaded_by=account,
        )),
        rule_id=str(await put(
            "power_rule", organization_id=home, matched_by="text", kinds=["letter"],
        )),
    )  # fmt: skip
    await put(
        "appeal", document_id=document_id, organization_id=home, status="open",
        overdue_on=clock.today() + timedelta(days=30),
    )  # fmt: skip
    await put("journal", organization_id=home, direction="out")
    await sequencing.take()


async def _messages(made: Belongings) -> None:
    home, document_id = made.owner.home_id, uuid.UUID(made.ids["document_id"])
    delivery_id = uuid.UUID(made.ids["delivery_id"])
    message_id = await put(
        "consignment", document_id=document_id, sender_id=home, channel="email", target="a@b.test"
    )
    await put("consignment_delivery", consignment_id=message_id, delivery_id=delivery_id)
    link_id = await put(
        "answer_link", delivery_id=delivery_id, consignment_id=message_id,
        expires_at=clock.now() + timedelta(days=9),
    )  # fmt: skip
    webhook_id = await put("webhook", organization_id=home, url=f"https://example.org/{SECRET}")
    code = (await answer_codes.of_deliveries([delivery_id]))[delivery_id]
    key = secrets.token_hex(32)
    await put(
        "offline_key", public=key, for_id=made.line.region, organization_id=home,
        added_by=made.owner.account_id,
    )  # fmt: skip
    sent = await db.value(
        """INSERT INTO webhook_message (webhook_id, event_type, body, created_at)
           VALUES ($1, 'document.sent', $2, $3) RETURNING id""",
        webhook_id, f'{{"title": "{SECRET}"}}'.encode(), clock.now(),
    )  # fmt: skip
    made.ids.update({
        "message_id": str(message_id), "webhook_id": str(webhook_id),
        "medo/message_id": str(await put(
            "medo_message", direction="in", kind="document", organization_id=home,
            document_id=document_id, status="quarantined", payload_sha256=secrets.token_bytes(32),
        )),
        "document_id/verb": "submit", "delivery_id/verb": "acknowledge",
        "publication_id/verb": "ready", "picture_id/verb": "remove",
        "webhooks/message_id": str(sent), "code": code, "public": key,
        "link_id": str(link_id), "token": links.token_of(link_id),
    })  # fmt: skip


async def _pictures(made: Belongings) -> None:
    home, account = made.owner.home_id, made.owner.account_id
    editor, second = [await picture_ground.another(home, "editor") for _ in range(2)]
    office = picture_ground.Office(home, home, editor, second, made.owner)
    data = picture_ground.scene(1)
    picture_id, licence_id = await picture_ground.a_licensed(office, data, number=SECRET)
    async with ground.api(editor) as client:
        use = {"place": SECRET, "channel": "site", "caption": picture_ground.CAPTION}
        permit = await client.post(
            "/api/v1/publications/permits", **picture_ground.form(data, use)
        )  # fmt: skip
        assert permit.status_code == 201, permit.text
        page = await picture_ground.a_page(client, title=SECRET)
        await picture_ground.put_picture(client, page, data)
    check_id = await db.value("SELECT id FROM picture_check ORDER BY id LIMIT 1")
    made.ids.update({
        "picture_id": str(picture_id), "licence_id": str(licence_id), "check_id": str(check_id),
        "publication_id": page,
        "use_id": str(await db.value("SELECT id FROM picture_use ORDER BY id LIMIT 1")),
        "permit_id": str(await db.value("SELECT id FROM permit LIMIT 1")),
        "publications/picture_id": str(
            await db.value("SELECT id FROM publication_picture LIMIT 1")
        ),
        "work_id": str(await put(
            "own_work", organization_id=home, picture_id=picture_id, consent_blob_id=await _blob(),
            reach="organization", created_by=account,
        )),
        "review_id": str(await put(
            "picture_review", organization_id=home, check_id=check_id, status="open",
            channel="site", outcome="needs_review", asked_by=account,
        )),
    })  # fmt: skip


async def _people(made: Belongings) -> None:
    home, account, other = made.owner.home_id, made.owner.account_id, made.colleague
    made.ids.update(
        account_id=str(other.account_id), person_id=str(other.person_id),
        grant_id=str(await put(
            "role_grant", account_id=other.account_id, organization_id=home, role="clerk"
        )),
        token_id=str(await put("api_token", account_id=account, organization_id=home)),
        invitation_id=str(await put(
            "invitation", organization_id=home, role="clerk", invited_by=account
        )),
        certificate_id=str(await put(
            "person_certificate", person_id=other.person_id, organization_id=home,
            source="administrator",
        )),
    )  # fmt: skip
    person = {"organization_id": home, "person_id": other.person_id}
    made.ids.update({
        "legal-holds/hold_id": str(await put(
            "legal_hold", kind="organization", subject_id=home, organization_id=home
        )),
        "holds/hold_id": str(await put(
            "legal_hold", kind="organization", subject_id=home, organization_id=home
        )),
        "request_id": str(await put(
            "subject_request", **person, kind="access", status="open", received_on=clock.today(),
            due_on=people.in_days(9),
        )),
        "act_id": str(await put(
            "erasure", **person, status="proposed", ground="ceased", proposed_by=account,
            due_on=people.in_days(9),
        )),
    })  # fmt: skip
    await put(
        "notice", organization_id=home, kind="question_asked", subject_kind="question",
        subject_id=uuid.UUID(made.ids["question_id"]),
    )  # fmt: skip


async def _evidence(made: Belongings) -> None:
    made.ids["export_id"] = str(
        await put(
            "evidence_export",
            kind="document",
            subject_id=uuid.UUID(made.ids["document_id"]),
            organization_id=made.owner.home_id,
            actor_kind="user",
            level="full",
            requested_by=made.owner.account_id,
            status="failed",
        )
    )


async def _blob() -> uuid.UUID:
    """Real bytes in the store."""
    return (await blobs.store(people.stream(await people.a_letter(SECRET)), limit=1 << 24)).id


async def _records(made: Belongings) -> None:
    home, document_id = made.owner.home_id, uuid.UUID(made.ids["document_id"])
    plan_id = await put(
        "file_plan", organization_id=home, status="approved", year=2026, approved_on=clock.today()
    )
    case_id = await put(
        "record_case", plan_id=plan_id, organization_id=home, year=2026, index="01-12",
        status="open", term_kind="years", years=5, protocol=SECRET,
    )  # fmt: skip
    await put(
        "case_filing", case_id=case_id, document_id=document_id, organization_id=home,
        status="filed",
    )  # fmt: skip
    act_id = await put(
        "destruction_act", organization_id=home, status="draft", drafted_by=made.owner.account_id
    )
    await put("destruction_line", act_id=act_id, case_id=case_id, status="listed")
    inventory_id = await put(
        "case_inventory", organization_id=home, status="draft", kind="permanent", year=2026
    )
    made.ids.update({
        "records/plan_id": str(plan_id), "records/case_id": str(case_id),
        "records/act_id": str(act_id), "records/inventory_id": str(inventory_id),
    })  # fmt: skip
