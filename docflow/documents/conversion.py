"""A PDF made over into PDF/A: another file, so another document, signed anew.

Nothing of a signature is carried over. The making is Ghostscript's (the `gs` command, where it is
installed), in a child process that gets the file on its input and may open nothing else.
"""

import asyncio
import resource
import shutil
import uuid
from pathlib import Path

import msgspec

from core.actor import Actor
from core.errors import InvalidInput, Unavailable
from core.sandbox import pool
from docflow.documents import cards, files, links, visibility
from docflow.documents.cards import CardInput
from docflow.documents.kinds import PDF
from docflow.documents.signing_entry import once
from storage import blobs

SECONDS = 120.0
MEMORY = 2 << 30
UP_TO = 64 << 20
_PROFILES = ("/usr/share/color/icc/ghostscript/srgb.icc", "/usr/share/color/icc/srgb.icc")
_NO_PROGRAM = ("команды gs (Ghostscript) нет", "there is no command gs (Ghostscript)")
_NO_PROFILE = (
    f"нет цветового профиля {_PROFILES[0]}", f"the color profile {_PROFILES[0]} is missing"
)  # fmt: skip
_INTENT = """%!
[/_objdef {{icc}} /type /stream /OBJ pdfmark
[{{icc}} << /N 3 >> /PUT pdfmark
[{{icc}} ({profile}) (r) file /PUT pdfmark
[/_objdef {{intent}} /type /dict /OBJ pdfmark
[{{intent}} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {{icc}}
  /OutputConditionIdentifier (sRGB) >> /PUT pdfmark
[{{Catalog}} << /OutputIntents [ {{intent}} ] >> /PUT pdfmark
"""


async def to_pdfa(actor: Actor, document_id: uuid.UUID) -> uuid.UUID:
    """A new draft with the same card and the main file made over into PDF/A; «взамен» of the old.

    The old document and its signatures stay as they are; the draft has to be signed. Raises
    `pdfa_converter_missing`, `pdfa_not_possible`, `pdf_needed`; outside a transaction.
    """
    actor.require("clerk", "signatory")
    found = await visibility.own_document(actor, document_id, lock=False)
    present = await files.current_files(document_id)
    main = next((one for one in present if one["role"] == "main"), None)
    if main is None or main["media_type"] != PDF or main["size"] > UP_TO:
        raise InvalidInput(
            "Преобразовать можно только основной файл PDF до 64 МБ.",
            "Only a main PDF of at most 64 MB can be made over.",
            code="pdf_needed",
        )
    made = await made_over(await blobs.read(main["blob_id"], limit=UP_TO))
    names = set(CardInput.__struct_fields__)
    card = msgspec.convert({name: found[name] for name in names}, CardInput)
    draft_id = await cards.create(actor, card=card)
    await files.attach(
        actor, draft_id, stream=once(made), file_name=main["file_name"], title=main["title"]
    )
    for one in present:
        if one["role"] == "annex":
            content = await blobs.open_blob(one["blob_id"])
            await files.attach(
                actor, draft_id, stream=content, file_name=one["file_name"], role="annex",
                position=one["position"], title=one["title"],
            )  # fmt: skip
    await links.link(actor, draft_id, to_id=document_id, kind="instead_of")
    return draft_id


async def made_over(content: bytes) -> bytes:
    """The PDF as PDF/A-1b, which all take; checked to say so and to embed its fonts."""
    program = shutil.which("gs")
    profile = _profile()
    if program is None or profile is None:
        absent = _NO_PROGRAM if program is None else _NO_PROFILE
        raise Unavailable(
            f"Преобразование в PDF/A выключено: {absent[0]}. Оператору: apt-get install ghostscript"
            " на машине службы, перезапуск не нужен. Или сохраните файл как PDF/A в исходной"
            " программе.",
            f"Making over into PDF/A is off: {absent[1]}. For the operator: apt-get install"
            " ghostscript on the machine of the service, no restart is needed. Or save the file as"
            " PDF/A in its own program.",
            code="pdfa_converter_missing",
        )
    process = await asyncio.create_subprocess_exec(
        program, "-dSAFER", f"--permit-file-read={profile}", "-dPDFA=1", "-dBATCH", "-dNOPAUSE",
        "-q", "-sDEVICE=pdfwrite", "-sColorConversionStrategy=RGB", "-dPDFACompatibilityPolicy=1",
        "-sOutputFile=%stdout%", "-c", _INTENT.format(profile=profile), "-f", "-",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, preexec_fn=_limit, env={},
    )  # fmt: skip
    try:
        made, _ = await asyncio.wait_for(process.communicate(content), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        made = b""
    claim = await pool().run("signatures.pdfa:claim", made) if made.startswith(b"%PDF") else None
    if claim is None or claim["problems"]:
        raise InvalidInput(
            "Файл не удалось преобразовать в PDF/A. Сохраните его как PDF/A в исходной программе.",
            "The file could not be made over into PDF/A. Save it as PDF/A in its own program.",
            code="pdfa_not_possible",
            problems=claim["problems"] if claim else [],
        )
    return made


def _profile() -> str | None:
    return next((one for one in _PROFILES if Path(one).exists()), None)


def _limit() -> None:
    """In the child, before it begins."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
