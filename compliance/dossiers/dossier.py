"""The dossier of one use: a ZIP that proves without the service what was known on that day.

`dossier.json` is canonical and names every other file with its SHA-256; `dossier.pdf` (PDF/A)
prints its digest and carries the organization's signature; `case.json` gives `verdict.json` again
byte for byte.
"""

import hashlib
import io
import uuid
import zipfile
from base64 import encodebytes
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from compliance.dossiers import dossier_facts, dossier_paper, measured
from compliance.dossiers.dossier_facts import Facts
from core import canonical, clock, papers
from core.actor import Actor
from core.errors import TooLarge
from core.papers.dossier_form import Kept
from core.sandbox import pool
from signatures import seals, vault
from storage import blobs

VERSION = 1
LARGEST = 256 << 20
_PREVIEW_SIDE = 640
_WORDS = {
    "case.json": "Дело: всё, из чего сделано заключение",
    "verdict.json": "Заключение на день публикации",
    "latest_case.json": "Дело последней перепроверки",
    "latest_verdict.json": "Заключение последней перепроверки",
    "evidence.json": "Что нашли в самом файле",
    "matches.json": "Совпадения с реестром и их геометрия",
    "register_changes.json": "Цепочка изменений реестра до дня проверки",
    "copy_recall.json": "Измерение: как часто метод пропускает копию",
    "certificates.pem": "Сертификаты подписавшего ключа",
    "dossier.json": "Все сведения досье для программ",
}


@dataclass(frozen=True, slots=True)
class Dossier:
    """The archive and what it is called."""

    name: str
    data: bytes


async def make(actor: Actor, use_id: uuid.UUID) -> Dossier:
    """The dossier of a use, signed with the key of the organization that published.

    Raises NotFound, `no_signing_key`, `dossier_too_large`; reads names and so is logged.
    """
    owner = (await dossier_facts.visible(actor, use_id))["organization_id"]
    key = await vault.key_of(owner)
    facts = await dossier_facts.gathered(actor, use_id)
    files, words = _records(facts)
    await _add_blobs(facts, files, words)
    figures = measured.last()
    if figures is not None:
        files["copy_recall.json"] = figures.content
    pems = [_pem(one.dump()) for one in (key.certificate, *key.chain)]
    files["certificates.pem"] = b"".join(pems)
    made_at = clock.now()
    files["dossier.json"] = canonical.dumps(_told(facts, files, made_at))
    kept = [
        Kept(
            name=name, what=words.get(name) or _WORDS[name], size=_size(len(content)),
            sha256=_sha256(content),
        )
        for name, content in sorted(files.items())
    ]  # fmt: skip
    form = dossier_paper.paper(
        facts, files=kept, figures=figures, json_sha256=_sha256(files["dossier.json"]),
        preview=await _preview(files), made_at=made_at,
    )  # fmt: skip
    printed = await papers.render("picture_dossier", form, made_at=made_at)
    files["dossier.pdf"] = (await seals.seal_pdf(owner, printed)).data
    return Dossier(f"dossier-{use_id}.zip", _zipped(files, made_at))


def preview(data: bytes) -> bytes:
    """A small JPEG of a picture; runs in the sandbox. Raises HostileInput."""
    from PIL import Image  # noqa: PLC0415 - only inside the sandbox

    from compliance.pictures import decode, fitted  # noqa: PLC0415 - as above

    written = io.BytesIO()
    Image.fromarray(fitted(decode(data).rgb, _PREVIEW_SIDE)).save(written, "JPEG", quality=82)
    return written.getvalue()


async def _preview(files: dict[str, bytes]) -> bytes:
    (name,) = (name for name in files if name.startswith("picture."))
    made: bytes = await pool().run("compliance.dossiers.dossier:preview", files[name])
    return bytes(made)


def _records(facts: Facts) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files that come out of the database."""
    check = facts.check
    files = {
        "case.json": bytes(check["case_json"]),
        "verdict.json": bytes(check["verdict_json"]),
        "evidence.json": msgspec.json.encode(check["evidence"], order="sorted"),
        "matches.json": msgspec.json.encode(check["matches"], order="sorted"),
        "register_changes.json": canonical.dumps([_plain(row) for row in facts.changes]),
    }
    if facts.latest is not None:
        files["latest_case.json"] = bytes(facts.latest["case_json"])
        files["latest_verdict.json"] = bytes(facts.latest["verdict_json"])
    return files, {}


async def _add_blobs(facts: Facts, files: dict[str, bytes], words: dict[str, str]) -> None:
    """The picture, the snapshot of its source, licences and consents as they were stored."""
    wanted = [("picture", facts.use["blob_id"], "Изображение, как оно опубликовано")]
    for number, row in enumerate(facts.pictures, start=1):
        wanted.append((f"register-{number}", row["blob_id"], "Изображение реестра"))
        wanted.append((f"source-{number}", row["snapshot_blob_id"], "Снимок страницы источника"))
    for number, row in enumerate(facts.licences, start=1):
        wanted.append((f"licence-{number}", row["document_blob_id"], "Документ лицензии"))
    for number, row in enumerate(facts.own_works, start=1):
        wanted.append((f"consent-{number}", row["consent_blob_id"], "Согласие автора"))
    for number, row in enumerate(facts.reviews, start=1):
        wanted.append((f"review-{number}", row["document_blob_id"], "Документ к решению юриста"))
    total = 0
    for stem, blob_id, what in wanted:
        if blob_id is None:
            continue
        blob = await blobs.stat(blob_id)
        total += blob.size
        if total > LARGEST:
            raise TooLarge(
                "Досье больше допустимого размера. Выгрузите документы по отдельности.",
                "The dossier is larger than allowed. Download its documents one by one.",
                code="dossier_too_large",
            )
        name = f"{stem}.{_SUFFIXES.get(blob.media_type, 'bin')}"
        files[name], words[name] = await blobs.read(blob_id, limit=LARGEST), what


_SUFFIXES = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif",
    "image/tiff": "tif", "image/bmp": "bmp", "image/avif": "avif", "application/pdf": "pdf",
    "text/html": "html", "message/rfc822": "mhtml", "application/xhtml+xml": "xhtml",
}  # fmt: skip


def _told(facts: Facts, files: dict[str, bytes], made_at: datetime) -> dict[str, Any]:
    """Everything for programs; canonical JSON has no floats, those are in their own files."""
    check = facts.check
    return {
        "version": VERSION,
        "made_at": made_at.isoformat(),
        "organization": {"id": str(facts.use["organization_id"]), "name": facts.organization},
        "use": _plain(facts.use),
        "outcome": facts.answer.outcome,
        "by_lawyer": facts.answer.decision is not None,
        "check": {
            "id": str(check["id"]), "at": check["created_at"].isoformat(),
            "sha256": bytes(check["sha256"]).hex(), "rules": check["rules"],
            "register_change": check["register_change_id"],
            "register_digest": bytes(check["register_digest"]).hex(),
        },
        "publication": None if facts.publication is None else _plain(
            {name: value for name, value in facts.publication.items() if name != "report"}
        ),
        "pictures": [
            _plain({name: value for name, value in row.items() if name != "evidence"})
            for row in facts.pictures
        ],
        "licences": [
            _plain({name: value for name, value in row.items() if name != "proposals"})
            for row in facts.licences
        ],
        "own_works": [_plain(row) for row in facts.own_works],
        "reviews": [_plain(row) for row in facts.reviews],
        "people": {str(key): name for key, name in facts.people.items()},
        "events": [
            {"id": str(row["id"]), "at": row["at"].isoformat(), "verb": row["verb"],
             "subject": row["subject_kind"],
             "actor": _flat(row["actor_id"])}
            for row in facts.told
        ],
        "files": {
            name: {"sha256": _sha256(content), "size": len(content)}
            for name, content in sorted(files.items())
        },
    }  # fmt: skip


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _flat(value) for name, value in row.items()}


def _flat(value: Any) -> Any:
    """What canonical JSON can hold."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(name): _flat(one) for name, one in value.items()}
    return [_flat(one) for one in value] if isinstance(value, list | tuple) else value


def _zipped(files: dict[str, bytes], made_at: datetime) -> bytes:
    """The archive with its manifest last; the times inside are those of making."""
    listed = {
        name: {"sha256": _sha256(content), "size": len(content)}
        for name, content in sorted(files.items())
    }
    whole = {**files, "manifest.json": canonical.dumps({"version": VERSION, "files": listed})}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return written.getvalue()


def _pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + encodebytes(der) + b"-----END CERTIFICATE-----\n"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _size(count: int) -> str:
    return f"{count} Б" if count < 1024 else f"{count / 1024:.0f} КБ"
