"""Who is to sign a document and in which order: set on a draft, opened turn by turn.

Steps of the same position are signed in parallel, those of different positions one after the
other. A document without steps is signed by any of its organization's signatories.
"""

import uuid
from typing import Literal

import msgspec

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput
from directory.states import PostKind
from docflow.documents import cards, visibility
from docflow.documents.states import STEP_TRANSITIONS, StepStatus
from notify import notices

StepRole = Literal["approving", "certifying", "endorsing"]
MAX_STEPS = 30
MAX_POSITION = 100


class StepInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One signature that is expected: of a person, of whoever holds a post, or of any signatory."""

    position: int = 1
    role: StepRole = "approving"
    person_id: uuid.UUID | None = None
    post: str | None = None


async def plan(actor: Actor, document_id: uuid.UUID, *, steps: list[StepInput]) -> None:
    """Set whose signatures a draft needs, in place of what was set before; none: any signatory's.

    Raises `signing_order_invalid`, `unknown_signer`, `document_frozen`.
    """
    actor.require("clerk", "signatory")
    async with db.transaction():
        document = await visibility.own_document(actor, document_id)
        cards.require_editable(document)
        _check(steps)
        await _require_known(actor, steps)
        await db.execute("DELETE FROM signing_step WHERE document_id = $1", document_id)
        moment = clock.now()
        for one in sorted(steps, key=lambda step: step.position):
            await db.execute(
                """INSERT INTO signing_step (id, document_id, position, role, organization_id,
                       person_id, post, status, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $8)""",
                clock.new_id(), document_id, one.position, one.role, actor.home_id,
                one.person_id, one.post, moment,
            )  # fmt: skip
        await events.record(
            actor, "document.signers_set", subject=("document", document_id),
            document_id=document_id,
            data={"steps": [{"position": one.position, "role": one.role} for one in steps]},
        )  # fmt: skip


def _check(steps: list[StepInput]) -> None:
    is_good = (
        len(steps) <= MAX_STEPS
        and all(1 <= one.position <= MAX_POSITION for one in steps)
        and all(one.person_id is None or one.post is None for one in steps)
        and (not steps or any(one.role == "approving" for one in steps))
    )
    if not is_good:
        raise InvalidInput(
            f"Порядок подписания: до {MAX_STEPS} подписантов, места с 1 по {MAX_POSITION}, у"
            " каждого человек или должность, и хотя бы одна утверждающая подпись.",
            f"Signing order: up to {MAX_STEPS} signers, positions 1 to {MAX_POSITION}, each with"
            " a person or a post, and at least one approving signature.",
            code="signing_order_invalid",
        )


async def _require_known(actor: Actor, steps: list[StepInput]) -> None:
    people = [one.person_id for one in steps if one.person_id is not None]
    found = await db.rows(
        """SELECT DISTINCT a.person_id FROM account AS a JOIN role_grant AS g
           ON g.account_id = a.id AND g.revoked_at IS NULL
           WHERE a.person_id = ANY ($1) AND g.organization_id = $2 AND g.role = 'signatory'""",
        people, actor.home_id,
    )  # fmt: skip
    posts = {one.post for one in steps if one.post is not None}
    if {row["person_id"] for row in found} != set(people) or not posts <= set(PostKind):
        raise InvalidInput(
            "Подписанта нет среди тех, кто вправе подписывать за вашу организацию. Попросите"
            " администратора дать ему роль «подписант».",
            "This signer is not among those who may sign for your organization. Ask the"
            " administrator to give them the role of signatory.",
            code="unknown_signer",
        )


async def steps_of(document_id: uuid.UUID) -> list[db.Row]:
    """The expected signatures in their order, with the names of those who are named."""
    return await db.rows(
        """SELECT s.*, p.last_name, p.first_name, p.middle_name
           FROM signing_step AS s LEFT JOIN person AS p ON p.id = s.person_id
           WHERE s.document_id = $1 ORDER BY s.position, s.id""",
        document_id,
    )


async def shown(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """The signing order of a document of one's own organization."""
    await visibility.own_document(actor, document_id, lock=False)
    return await steps_of(document_id)


async def turn_of(actor: Actor, document: db.Row, *, role: str | None) -> db.Row | None:
    """The step this person would take now; None where the document has no order.

    Raises `not_submitted`, `not_your_turn`, `not_a_signer`.
    """
    steps = await steps_of(document["id"])
    if not steps:
        return None
    if document["status"] == "draft":
        raise Conflict(
            "Сначала отправьте документ на подписание: у него задан порядок подписания.",
            "Send the document for signature first: it has a signing order.",
            code="not_submitted",
        )
    posts = await _posts_of(actor)
    mine = [one for one in steps if _is_for(one, actor, posts) and role in (None, one["role"])]
    due = [one for one in mine if one["status"] == StepStatus.DUE]
    if due:
        return min(due, key=lambda one: (one["person_id"] is None, one["post"] is None))
    if any(one["status"] == StepStatus.WAITING for one in mine):
        raise Conflict(
            "Ваша очередь подписывать ещё не подошла: сначала подписывают те, кто раньше по"
            " порядку. Мы сообщим, когда она подойдёт.",
            "It is not your turn yet: others sign before you. You will be told when it is.",
            code="not_your_turn",
        )
    raise Forbidden(
        "Вашей подписи этот документ сейчас не ждёт: вас нет в порядке подписания или вы уже"
        " подписали.",
        "This document awaits no signature of yours: you are not in its signing order, or have"
        " signed already.",
        code="not_a_signer",
    )


async def _posts_of(actor: Actor) -> set[str]:
    held = await db.rows(
        """SELECT kind FROM post WHERE person_id = $1 AND organization_id = $2
           AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)""",
        actor.person_id, actor.home_id, clock.today(),
    )  # fmt: skip
    return {str(row["kind"]) for row in held}


def _is_for(step: db.Row, actor: Actor, posts: set[str]) -> bool:
    if step["organization_id"] != actor.organization_id:
        return False
    if step["person_id"] is not None:
        return bool(step["person_id"] == actor.person_id)
    return step["post"] is None or step["post"] in posts


async def open_next(actor: Actor, document: db.Row) -> None:
    """Open the earliest position with signatures to come, and say so; in the transaction."""
    steps = await steps_of(document["id"])
    if any(one["status"] == StepStatus.DUE for one in steps):
        return
    waiting = [one for one in steps if one["status"] == StepStatus.WAITING]
    opened = [one for one in waiting if one["position"] == waiting[0]["position"]]
    for one in opened:
        await _move(actor, one, StepStatus.WAITING, StepStatus.DUE, "signing.awaited")
    if opened:
        first = opened[0]
        await notices.post(
            first["organization_id"], "signature_due", ("signing_step", first["id"]),
            data={"document_id": str(document["id"])},
        )  # fmt: skip


async def complete(
    actor: Actor, document: db.Row, step_id: uuid.UUID, *, certificate_sha256: str
) -> None:
    """Note that a step was signed and open what comes after it; in the caller's transaction.

    Raises `not_your_turn` when it was signed or taken back meanwhile.
    """
    steps = await steps_of(document["id"])
    step = next((one for one in steps if one["id"] == step_id), None)
    if step is None or step["status"] != StepStatus.DUE:
        raise Conflict(
            "Эту подпись уже поставил другой подписант, или документ вернули. Откройте его заново.",
            "Somebody else has signed here, or the document was returned. Open it again.",
            code="not_your_turn",
        )
    await _move(
        actor, step, StepStatus.DUE, StepStatus.SIGNED, "signing.step_signed",
        account_id=actor.account_id, certificate_sha256=bytes.fromhex(certificate_sha256),
    )  # fmt: skip
    await open_next(actor, document)


async def due_for_upload(document_id: uuid.UUID, role: str) -> list[db.Row]:
    """Steps a signature made elsewhere may fill: those that are due, of its role, in order."""
    steps = await steps_of(document_id)
    return [one for one in steps if one["status"] == StepStatus.DUE and one["role"] == role]


async def is_awaiting(document_id: uuid.UUID) -> bool:
    """Is an approving signature of the order still to come?"""
    return bool(
        await db.value(
            """SELECT EXISTS (SELECT 1 FROM signing_step WHERE document_id = $1
               AND role = 'approving' AND status IN ('waiting', 'due'))""",
            document_id,
        )
    )


async def begin_again(actor: Actor, document_id: uuid.UUID) -> None:
    """The document went back to its author: every signature has to be given anew."""
    for one in await steps_of(document_id):
        if one["status"] in (StepStatus.DUE, StepStatus.SIGNED):
            await _move(
                actor, one, StepStatus(one["status"]), StepStatus.WAITING, "signing.step_reset",
                account_id=None, certificate_sha256=None,
            )  # fmt: skip


async def skip_rest(actor: Actor, document_id: uuid.UUID) -> None:
    """The document is signed: what was not given and not needed will not come any more."""
    for one in await steps_of(document_id):
        if one["status"] in (StepStatus.WAITING, StepStatus.DUE):
            await _move(
                actor, one, StepStatus(one["status"]), StepStatus.SKIPPED, "signing.step_skipped"
            )


async def _move(
    actor: Actor, step: db.Row, source: StepStatus, target: StepStatus, verb: str, **assign: object
) -> None:
    await transitions.move(
        actor, "signing_step", step["id"], graph=STEP_TRANSITIONS, source=source, target=target,
        verb=verb, document_id=step["document_id"], assign=assign,
        data={"position": step["position"], "role": step["role"]},
    )  # fmt: skip
