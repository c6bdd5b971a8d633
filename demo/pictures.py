"""The second job of the demo: no picture without a licence, walked over HTTP.

A licensed photograph comes out with its attribution, a crop of a claimant's work is stopped, an
unknown picture needs a licence; a permit and a dossier are checked by the scripts of docs/examples,
which do not know the service.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core import clock, papers
from demo import scenes
from demo.ground import Ground
from demo.people import Person, Refused

CLAIMANT = "Ловушкин Андрей (демонстрационный заявитель)"
CREDIT = "Фото: А. Смирнов"
_SCRIPTS = Path(__file__).resolve().parent.parent / "docs" / "examples"


async def walk(address: str, stand: Ground, *, folder: Path, own: Path | None) -> dict[str, Any]:
    """Everything from the register to the dossier; figures are read back from the service."""
    people = [await Person.sign_in(address, one) for one in stand.of("press")]
    editor, second, lawyer, other = people
    # Each run draws its own scenes: the register of a demo that ran before knows the others.
    seed = int(time.time())
    licensed = scenes.as_jpeg(scenes.scene(seed))
    claimed = scenes.scene(seed + 1)
    licence_id = await _license(editor, second, licensed)
    await _claim(lawyer, other, scenes.as_jpeg(claimed))
    crop = scenes.as_jpeg(scenes.cropped(claimed, share=0.25), quality=80)
    page = await _page(editor)
    answers = [
        await _put(editor, page, data)
        for data in (licensed, crop, scenes.as_jpeg(scenes.scene(seed + 2)))
    ]
    stopped = await _stopped(editor, page)
    for one in answers[1:]:
        await editor.post(f"/publications/{page}/pictures/{one['id']}/remove")
    await editor.post(f"/publications/{page}/ready")
    await editor.post(f"/publications/{page}/publish")
    shown = await editor.get(f"/publications/{page}")
    permit = await _permit(address, editor, licensed, folder)
    dossier = await _dossier(lawyer, shown["pictures"][0]["use_id"], folder)
    told = {
        "licensed": _said(answers[0]),
        "crop_of_claimed": _said(answers[1]),
        "unknown": _said(answers[2]),
        "stopped": stopped,
        "publication": {"id": page, "status": shown["status"], "pictures": len(shown["pictures"])},
        "licence_id": licence_id,
        "permit": permit,
        "dossier": dossier,
    }
    if own is not None:
        told["own"] = await _own(editor, own)
    for person in people:
        await person.leave()
    return {"ok": _is_right(told), **told}


def _is_right(told: dict[str, Any]) -> bool:
    outcomes = [told[name]["outcome"] for name in ("licensed", "crop_of_claimed", "unknown")]
    return (
        outcomes == ["clear", "blocked", "needs_licence"]
        and told["stopped"]["code"] == "publication_blocked"
        and told["publication"]["status"] == "published"
        and bool(told["permit"]["verified_offline"] and told["dossier"]["checked_offline"])
    )


async def _license(editor: Person, second: Person, data: bytes) -> str:
    """Enter a photograph with the page it was found on and its contract; a second person agrees."""
    picture = await _send(editor, "POST", "/pictures", data, title="Осень в парке",
                          author="А. Смирнов", source="https://photo.example.org/osen")  # fmt: skip
    await _send(editor, "PUT", f"/pictures/{picture['id']}/snapshot", await _document("Снимок"))
    await second.post(f"/pictures/{picture['id']}/approve")
    terms = {"kind": "contract", "holder": "А. Смирнов", "number": "17/2026",
             "attribution": CREDIT, "reach": "subtree"}  # fmt: skip
    document = base64.b64encode(await _document("Лицензионный договор № 17/2026")).decode()
    made = await editor.post(
        f"/pictures/{picture['id']}/licences", {"terms": terms, "document": document}
    )
    await second.post(f"/pictures/licences/{made['id']}/confirm", {"terms": terms})
    return str(made["id"])


async def _claim(lawyer: Person, other: Person, data: bytes) -> None:
    """Enter a work of a claimant; another lawyer puts both in force, in a later run the work."""
    work = await _send(lawyer, "POST", "/pictures", data, kind="claimant", title="Мост",
                       author=CLAIMANT)  # fmt: skip
    known = [one for one in await lawyer.get("/claimants", limit=100) if one["name"] == CLAIMANT]
    claimant = known[0] if known else await lawyer.post("/claimants", {"name": CLAIMANT})
    await lawyer.post(f"/claimants/{claimant['id']}/works", {"picture_id": work["id"]})
    await other.post(f"/claimants/{claimant['id']}/approve")


async def _page(editor: Person) -> str:
    card = {
        "kind": "page", "channel": "site", "place": "https://profsoyuz.example.org/news/117",
        "title": "Итоги отчётно-выборной конференции", "planned_on": clock.today().isoformat(),
    }  # fmt: skip
    return str((await editor.post("/publications", card))["id"])


async def _put(editor: Person, page: str, data: bytes) -> Any:
    return await editor.put_file(
        f"/publications/{page}/pictures", data, file_name="photo.jpg", caption=CREDIT
    )


async def _stopped(editor: Person, page: str) -> dict[str, Any]:
    try:
        await editor.post(f"/publications/{page}/ready")
    except Refused as problem:
        return {"code": problem.error_code, "reason_ru": problem.message_ru}
    return {"code": None}


async def _permit(address: str, editor: Person, data: bytes, folder: Path) -> dict[str, Any]:
    """Ask for a permit as a site would, and verify it without the service."""
    use = {"channel": "site", "place": "https://site.example.org/a", "caption": CREDIT}
    given = await _form(editor, "/publications/permits", data, use)
    keys = await editor.client.get(f"{address}/.well-known/docflow-permits.json")
    kept = folder / "permit"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "keys.json").write_bytes(keys.content)
    (kept / "permit.txt").write_text(given["token"], encoding="utf-8")
    (kept / "picture.jpg").write_bytes(data)
    code, said = await _script(
        "verify_permit.py", "--keys", kept / "keys.json", "--permit", kept / "permit.txt",
        "--picture", kept / "picture.jpg",
    )  # fmt: skip
    return {"id": given["id"], "valid_until": given["valid_until"], "path": str(kept),
            "verified_offline": code == 0 and said["ok"]}  # fmt: skip


async def _dossier(lawyer: Person, use_id: str, folder: Path) -> dict[str, Any]:
    kept = folder / f"dossier-{use_id}.zip"
    kept.write_bytes(await lawyer.download(f"/pictures/uses/{use_id}/dossier"))
    code, said = await _script("check_dossier.py", kept)
    return {"path": str(kept), "files": said.get("files"), "replay": said.get("replay"),
            "checked_offline": code == 0 and said["ok"]}  # fmt: skip


async def _own(editor: Person, path: Path) -> dict[str, Any]:
    """A picture of the user's own: what the check says of it for a page of the site today."""
    data = await asyncio.to_thread(path.read_bytes)
    try:
        said = await _form(editor, "/pictures/checks", data, {"channel": "site"})
    except Refused as problem:
        return {"file": path.name, "code": problem.error_code, "reason_ru": problem.message_ru}
    return {"file": path.name, **_said(said), "matches": said["matches"]}


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    lines = [one if isinstance(one, str) else one["line"] for one in answer["attribution"]]
    return {
        "outcome": answer["outcome"],
        "rules": [one["rule"] for one in answer["reasons"]],
        "reasons_ru": [one["ru"] for one in answer["reasons"]],
        "attribution": lines,
    }


async def _send(person: Person, method: str, path: str, data: bytes, **parameters: str) -> Any:
    answer = await person.client.request(method, path, content=data, params=parameters)
    return _read(answer)


async def _form(person: Person, path: str, data: bytes, use: dict[str, str]) -> Any:
    answer = await person.client.post(
        path, files={"picture": ("photo.jpg", data, "image/jpeg")}, data={"use": json.dumps(use)}
    )
    return _read(answer)


def _read(answer: Any) -> Any:
    if not answer.is_success:
        raise Refused(answer)
    return answer.json() if answer.content else None


async def _document(title: str) -> bytes:
    letter = papers.Letter(
        organization="Демонстрационный правообладатель", title=title, addressee=("Редакции",),
        body=("Демонстрационный документ.",), signer_post="Автор", signer_name="А. Смирнов",
    )  # fmt: skip
    return await papers.render("letter", letter)


async def _script(name: str, *arguments: str | Path) -> tuple[int, Any]:
    """Run a script of docs/examples with this Python."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(_SCRIPTS / name), *map(str, arguments)],
        capture_output=True, check=False,
        env={**os.environ, "PATH": beside, "PYTHONPATH": str(_SCRIPTS.parent.parent)},
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout or b"{}")
