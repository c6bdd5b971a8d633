"""The register of a package as a paper in Russian, in volumes (реестр пакета доказательств)."""

from datetime import datetime

from core import clock, db, papers
from core.errors import InvalidInput
from core.papers.evidence_form import EvidenceRegister, RegisterLine
from evidence.packages.members import LACKS, Gathered, Source
from evidence.packages.states import KIND_NAMES, ExportKind
from signatures import seals

LINES = 500
"""Things in a volume: a larger one would take the typesetter's memory, not ours to promise."""

_STATES = {
    "draft": "черновик", "signing": "на подписании", "signed": "подписан",
    "registered": "зарегистрирован", "sent": "отправлен", "closed": "в деле",
    "recalled": "отозван", "discarded": "удалён из работы",
}  # fmt: skip
_VERDICTS = {"valid": "действительна", "invalid": "недействительна",
             "indeterminate": "не установлено"}  # fmt: skip


async def volume(export: db.Row, number: int) -> Gathered:
    """One volume, sealed with the organization's key where it has one."""
    rows = await db.rows(
        """SELECT kind, line, lacks FROM evidence_item
           WHERE export_id = $1 AND line IS NOT NULL ORDER BY position OFFSET $2 LIMIT $3""",
        export["id"], (number - 1) * LINES, LINES,
    )  # fmt: skip
    totals = await db.row(
        """SELECT count(*) FILTER (WHERE kind = 'document') AS documents,
               count(*) FILTER (WHERE kind = 'use') AS uses,
               count(*) FILTER (WHERE kind = 'register') AS volumes,
               coalesce(sum(cardinality(lacks)), 0) AS lacks
           FROM evidence_item WHERE export_id = $1""",
        export["id"],
    )
    organization = await db.value(
        "SELECT name FROM organization WHERE id = $1", export["organization_id"]
    )
    made_at = clock.now()
    paper = EvidenceRegister(
        organization=organization,
        title="Реестр пакета доказательств",
        number=str(export["id"]),
        volume=number,
        volumes=totals["volumes"] if totals else 1,
        kind=KIND_NAMES[ExportKind(export["kind"])][0],
        subject=await _subject(export),
        purpose=export["purpose"],
        basis=export["basis"],
        recipient=export["recipient"],
        made_at=_moment(made_at),
        documents=totals["documents"] if totals else 0,
        uses=totals["uses"] if totals else 0,
        lacks=int(totals["lacks"]) if totals else 0,
        checkpoint="" if export["log_size"] is None else str(export["log_size"]),
        lines=tuple(
            _line(place, row) for place, row in enumerate(rows, start=(number - 1) * LINES + 1)
        ),
    )
    printed = await papers.render_apart("evidence_register", paper, made_at=made_at)
    try:
        printed = (await seals.seal_pdf(export["organization_id"], printed)).data
    except InvalidInput as problem:
        if problem.error_code != "no_signing_key":
            raise
    return Gathered([Source(f"register/{number:03}.pdf", printed)])


def _line(place: int, row: db.Row) -> RegisterLine:
    told = row["line"]
    signatures = []
    for one in told.get("signatures", ()):
        signer, _, verdict = one.rpartition(": ")
        signatures.append(f"{signer} — {_VERDICTS.get(verdict, verdict)}")
    lacks = [LACKS[one.partition(": ")[0]][0] for one in row["lacks"]]
    return RegisterLine(
        position=place,
        number=told["number"],
        date=told.get("date", ""),
        title=told["title"],
        organization=told.get("organization", ""),
        state=_STATES.get(told.get("status", ""), ""),
        recipients=told.get("recipients", 0),
        signatures=tuple(signatures),
        lacks=tuple(dict.fromkeys(lacks)),
        sha256=told.get("sha256", ""),
        place=told["place"],
    )


async def _subject(export: db.Row) -> str:
    if export["kind"] == ExportKind.PERIOD:
        return f"с {export['since']:%d.%m.%Y} по {export['until']:%d.%m.%Y}"
    return str(export["subject_id"])


def _moment(at: datetime) -> str:
    return f"{at.astimezone(clock.MOSCOW):%d.%m.%Y %H:%M} МСК"
