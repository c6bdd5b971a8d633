"""The register of what personal data is processed for, and the words people consent to.

Both go by version: a consent names the version it was given to, and what was in force on a day
can be shown for ever (152-ФЗ ст. 9 ч. 4, ст. 18.1, ст. 22 ч. 3).
"""

import msgspec

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, InvalidInput, NotFound
from directory import organizations

BASES = ("consent", "law", "contract")
MAX_TEXT = 20_000


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of the register."""

    code: str
    title: str
    title_en: str = ""
    basis: str
    law: str = ""
    subjects: str
    categories: str
    actions: str
    recipients: str = ""
    kept: str
    is_open: bool = True


async def listed(*, history: bool = False) -> list[db.Row]:
    """The register as it is now, or every version of every line; newest last."""
    return await db.rows(
        """SELECT * FROM processing_purpose AS p WHERE $1 OR version = (
               SELECT max(version) FROM processing_purpose AS o WHERE o.code = p.code)
           ORDER BY code, version""",
        history,
    )


async def put(actor: Actor, purpose: Purpose) -> int:
    """Write a new version of a line; answers its number. For keepers of the installation.

    Raises `purpose_wrong`.
    """
    await _require_keeper(actor)
    texts = [getattr(purpose, name) for name in purpose.__struct_fields__ if name != "is_open"]
    needed = (purpose.title, purpose.subjects, purpose.categories, purpose.actions, purpose.kept)
    is_code = purpose.code.isascii() and purpose.code.replace("_", "a").isalpha()
    if (
        purpose.basis not in BASES or not all(one.strip() for one in needed)
        or any(len(one) > MAX_TEXT or "\0" in one for one in texts)
        or not (is_code and purpose.code[0].isalpha() and purpose.code.islower()
                and 2 <= len(purpose.code) <= 40)
    ):  # fmt: skip
        raise InvalidInput(
            "Укажите код (латиница), название, основание, субъектов, состав данных, действия и "
            "срок.",
            "Give a code (latin letters), title, basis, subjects, categories, actions and term.",
            code="purpose_wrong", bases=list(BASES),
        )  # fmt: skip
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(hashtext('processing_purpose'))")
        found = await db.value(
            "SELECT max(version) FROM processing_purpose WHERE code = $1", purpose.code
        )
        version = int(found or 0) + 1
        row = msgspec.structs.asdict(purpose)
        await db.execute(
            f"""INSERT INTO processing_purpose (version, changed_by, changed_at, {", ".join(row)})
                VALUES ($1, $2, $3, {", ".join(f"${n}" for n in range(4, 4 + len(row)))})""",
            version, actor.id, clock.now(), *row.values(),
        )  # fmt: skip
        await events.record(
            actor, "purpose.changed", subject=("organization", actor.home_id),
            data={"code": purpose.code, "version": version},
        )  # fmt: skip
    return version


async def publish(actor: Actor, *, purpose: str, text: str) -> int:
    """Publish the next version of a consent's words; answers its number. Raises as `put`."""
    await _require_keeper(actor)
    if not 20 <= len(text.strip()) <= MAX_TEXT or "\0" in text:
        raise InvalidInput(
            f"Текст согласия: от 20 до {MAX_TEXT} знаков.",
            f"Words of a consent: 20 to {MAX_TEXT} characters.",
            code="consent_text_length", field="text",
        )  # fmt: skip
    await current(purpose)
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(hashtext('consent_text'))")
        found = await db.value("SELECT max(version) FROM consent_text WHERE purpose = $1", purpose)
        version = int(found or 0) + 1
        await db.execute(
            """INSERT INTO consent_text (purpose, version, text, published_by, published_at)
               VALUES ($1, $2, $3, $4, $5)""",
            purpose, version, text.strip(), actor.id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "consent.text_published", subject=("organization", actor.home_id),
            data={"purpose": purpose, "version": version},
        )  # fmt: skip
    return version


async def texts(purpose: str) -> list[db.Row]:
    """Every version of a consent's words, newest first; `purpose_unknown`."""
    await current(purpose)
    return await db.rows(
        "SELECT * FROM consent_text WHERE purpose = $1 ORDER BY version DESC", purpose
    )


async def current(purpose: str) -> db.Row:
    """The line of the register that is in force; `purpose_unknown` for none or a closed one."""
    found = await db.row(
        "SELECT * FROM processing_purpose WHERE code = $1 ORDER BY version DESC LIMIT 1", purpose
    )
    if found is None or not found["is_open"]:
        raise NotFound(
            "Такой цели обработки нет в реестре.", "No such purpose in the register.",
            code="purpose_unknown", purpose=purpose,
        )  # fmt: skip
    return found


async def _require_keeper(actor: Actor) -> None:
    if actor.kind != "rule" and not await organizations.is_keeper(actor):
        raise Forbidden(needs=["center_administrator"])
