"""The main job, walked over HTTP: a circular from the union to its primaries, and back.

Every figure of the answer is read back from the service at the end.
"""

import asyncio
import base64
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import pkcs12

import installation
from core import clock, papers
from core.embedded import services
from core.errors import ServiceError
from demo import correspondence, ground, pictures, proof
from demo.ground import Account, Ground, Scale
from demo.people import Person, Refused
from signatures import keys

AT_ONCE = 6
"""People who work at the same time."""


class Steps:
    """How long each step took, told while it runs."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, words: str) -> Iterator[None]:
        """Time the block."""
        sys.stderr.write(f"· {words} … ")
        sys.stderr.flush()
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 2)
        sys.stderr.write(f"{self.seconds[name]} s\n")


def run(
    *,
    scale: Scale,
    document: Path | None = None,
    picture: Path | None = None,
    data: Path | None = None,
) -> dict[str, Any]:
    """Set up what is missing, walk the main job, answer what the service says of it."""
    steps = Steps()
    folder = data or services.data_home() / f"demo-{scale}"
    with steps.step("engines", "PostgreSQL and the S3 store"):
        engines = installation.start_engines(folder)
    try:
        with steps.step("registry", f"registry of size {scale}, accounts, keys"):
            stand = asyncio.run(ground.prepare(scale))
            ministry = correspondence.prepare(stand, folder / "medo")
        with steps.step("doors", "web and worker"):
            extra = {"MEDO_IN": f"{folder}/medo/in", "MEDO_OUT": f"{folder}/medo/out"}
            running = installation.open_doors(engines, port=None, extra=extra)
        with running:
            given = Given(document, picture, folder, ministry)
            return asyncio.run(_walk(running.address, stand, given, steps))
    finally:
        engines.stop()


@dataclass(frozen=True, slots=True)
class Given:
    """What the user brought along, and where files are left for them."""

    document: Path | None
    picture: Path | None
    folder: Path
    ministry: correspondence.Stand | None


async def _walk(address: str, stand: Ground, given: Given, steps: Steps) -> dict[str, Any]:
    try:
        answer = await _all_steps(address, stand, given.document, steps)
        with steps.step("pictures", "pictures: licensed, claimed, unknown; permit and dossier"):
            told = await pictures.walk(address, stand, folder=given.folder, own=given.picture)
        with steps.step("ministry", "a ministry by МЭДО, GOST-signed: answer, refusal, silence"):
            other = await correspondence.walk(address, stand, given.ministry)
        with steps.step("evidence", "a lawyer takes the evidence, a stranger checks it without us"):
            taken = await proof.walk(address, stand, number=answer["number"], folder=given.folder)
        is_ok = answer["ok"] and told["ok"] and other["ok"] and taken["ok"]
        return {
            **answer, "ok": is_ok, "pictures": told, "ministry": other,
            "evidence": taken["file"], "evidence_check": taken,
        }  # fmt: skip
    except ServiceError as problem:
        return {
            "ok": False, "code": problem.error_code, "error": problem.message_en,
            "error_ru": problem.message_ru, "seconds": steps.seconds,
        }  # fmt: skip


async def _all_steps(
    address: str, stand: Ground, document: Path | None, steps: Steps
) -> dict[str, Any]:
    with steps.step("sign_in", "clerk and chairman sign in"):
        clerk = await Person.sign_in(address, stand.of("clerk")[0])
        chairman = await Person.sign_in(address, stand.of("signatory")[0])
    with steps.step("submit", "the clerk submits the circular"):
        content = await _content(stand, document)
        document_id = await _submit(clerk, content, document)
    with steps.step("sign", "the chairman signs with his own key"):
        await _sign(chairman, document_id, stand)
    with steps.step("register", "the chancery registers"):
        number = (await clerk.post(f"/documents/{document_id}/register"))["number"]
    with steps.step("dispatch", "dry run and dispatch"):
        wish = _recipients(stand)
        plan = await clerk.post(f"/documents/{document_id}/dispatch-plan", wish)
        await clerk.post(f"/documents/{document_id}/dispatches", wish, key=str(uuid.uuid4()))
    with steps.step("relays", "three chanceries register and pass down"):
        for account in stand.of("relay"):
            await _pass_on(address, account, document_id)
    with steps.step("acknowledgements", "chairmen of primaries answer"):
        await _acknowledge(address, stand.of("primary"), document_id)
    with steps.step("tampered", "a tampered copy is offered"):
        tampered = await _offer_tampered(clerk, document_id)
    control = await clerk.get(f"/documents/{document_id}/control")
    hops = await clerk.get(f"/documents/{document_id}/hops")
    deep = await _deepest(clerk, document_id, hops)
    for person in (clerk, chairman):
        await person.leave()
    states = control["by_status"]
    return {
        "ok": control["total"] == plan["total"] == sum(states.values())
        and tampered["refused"] and deep >= 2,
        "number": number,
        "deliveries": control["total"],
        "relays": len(hops),
        "acknowledgements": states["acknowledged"],
        "refusals": states["refused"],
        "tampered": tampered,
        "control": {**states, "total": control["total"]},
        "levels": control["by_kind"],
        "relay_depth": deep,
        "document_id": document_id,
        "seconds": steps.seconds,
    }  # fmt: skip


async def _content(stand: Ground, document: Path | None) -> bytes:
    if document is not None:
        return await asyncio.to_thread(document.read_bytes)
    return await _circular(stand)


async def _circular(stand: Ground) -> bytes:
    union = stand.of("clerk")[0].organization
    letter = papers.Letter(
        organization=union,
        title="О представлении сведений о первичных профсоюзных организациях",
        addressee=("Председателям региональных организаций",),
        salutation="Уважаемые коллеги!",
        body=(
            "Центральный комитет просит довести настоящее письмо до каждой первичной профсоюзной "
            "организации и подтвердить ознакомление председателя.",
            "Сведения о численности на 1 января представляются по прилагаемой форме; сводные "
            "данные региональные организации направляют после получения всех ответов.",
        ),
        signer_post="Председатель",
        signer_name="П. И. Смирнов",
        executor="Иванова Мария Сергеевна",
        executor_phone="+7 (495) 000-00-00",
    )
    return await papers.render("letter", letter, made_at=clock.now())


async def _submit(clerk: Person, content: bytes, document: Path | None) -> str:
    card = {
        "kind": "circular",
        "title": "О представлении сведений о первичных профсоюзных организациях",
        "addressee": "Председателям региональных организаций",
    }
    made = await clerk.post("/documents", card, key=str(uuid.uuid4()))
    name = document.name if document else "циркуляр.pdf"
    await clerk.put_file(f"/documents/{made['id']}/files/main", content, file_name=name)
    await clerk.post(f"/documents/{made['id']}/submit")
    return str(made["id"])


async def _sign(chairman: Person, document_id: str, stand: Ground) -> None:
    """The two requests of signing; the key itself never leaves this side."""
    held = pkcs12.load_pkcs12(stand.signer_key, stand.signer_passphrase)
    key = keys.load_pkcs12(stand.signer_key, passphrase=stand.signer_passphrase)
    if held.cert is None:
        raise LookupError("the demo key has no certificate")
    begun = await chairman.post(
        f"/documents/{document_id}/signing-sessions",
        {"certificate": base64.b64encode(key.certificate.dump()).decode()},
    )
    signature = key.sign(base64.b64decode(begun["attributes"]), "sha256")
    await chairman.post(
        f"/signing-sessions/{begun['id']}", {"signature": base64.b64encode(signature).decode()}
    )


def _recipients(stand: Ground) -> dict[str, Any]:
    today = clock.today()
    return {
        "selector": {"subtree_of": str(stand.union_id), "line": "branch"},
        "mode": "chancery",
        "deadlines": {
            "regional": str(today + timedelta(days=21)),
            "local": str(today + timedelta(days=14)),
            "primary": str(today + timedelta(days=10)),
        },
    }


async def _arrived(person: Person, document_id: str) -> dict[str, Any]:
    """The delivery of the circular in this person's inbox."""
    page = await person.get("/deliveries", box="all", limit=100)
    return next(line for line in page["items"] if line["document_id"] == document_id)


async def _pass_on(address: str, account: Account, document_id: str) -> None:
    clerk = await Person.sign_in(address, account)
    delivery = await _arrived(clerk, document_id)
    await clerk.post(f"/deliveries/{delivery['id']}/open")
    await clerk.post(
        f"/deliveries/{delivery['id']}/pass-on",
        {"resolution": "Довести до сведения первичных организаций, ознакомление под роспись."},
    )
    await clerk.leave()


async def _acknowledge(address: str, primaries: list[Account], document_id: str) -> None:
    """All but the last take note; the last one refuses."""
    places = asyncio.Semaphore(AT_ONCE)

    async def answer(account: Account, *, refuses: bool) -> None:
        async with places:
            chairman = await Person.sign_in(address, account)
            delivery = await _arrived(chairman, document_id)
            await chairman.post(f"/deliveries/{delivery['id']}/open")
            if refuses:
                await chairman.post(
                    f"/deliveries/{delivery['id']}/refuse",
                    {"reason": "Организация передана в другой профсоюз, письмо не к нам."},
                )
            else:
                await chairman.post(f"/deliveries/{delivery['id']}/acknowledge")
            await chairman.leave()

    last = len(primaries) - 1
    await asyncio.gather(*(answer(a, refuses=n == last) for n, a in enumerate(primaries)))


async def _offer_tampered(clerk: Person, document_id: str) -> dict[str, Any]:
    """Change one byte of the signed circular and submit the copy as a new document."""
    shown = await clerk.get(f"/documents/{document_id}")
    signed = bytearray(await clerk.download(f"/files/{shown['files'][0]['id']}/content"))
    signed[signed.index(b"/Contents") - 20] ^= 1
    made = await clerk.post("/documents", {"kind": "circular", "title": "Изменённая копия"})
    try:
        await clerk.put_file(f"/documents/{made['id']}/files/main", bytes(signed))
    except Refused as problem:
        return {
            "refused": True,
            "code": problem.error_code,
            "reason": problem.message_en,
            "reason_ru": problem.message_ru,
        }
    return {"refused": False, "reason": "the service took it"}


async def _deepest(clerk: Person, document_id: str, hops: list[dict[str, Any]]) -> int:
    """Through how many of the relays walked a primary was reached, at most."""
    relays = {hop["organization_id"] for hop in hops}
    above: dict[str, str] = {}
    for hop in hops:
        line = await clerk.get(f"/organizations/{hop['organization_id']}/superiors")
        above[hop["organization_id"]] = next((one["id"] for one in line if one["id"] in relays), "")

    def depth(relay: str) -> int:
        return 1 + (depth(above[relay]) if above.get(relay) else 0)

    reached = await clerk.get(
        f"/documents/{document_id}/deliveries", status="acknowledged", limit=100
    )
    primaries = {one["via_id"] for one in reached["items"] if one["recipient_kind"] == "primary"}
    return max((depth(via) for via in primaries if via in relays), default=0)
