"""Permits: one call, a signed answer, verified by a stranger's script without the service."""

import base64
import json
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.publishing import permit_keys, permits
from core import clock, db
from tests import ground, picture_ground
from tests.picture_ground import Office, form, scene

pytestmark = pytest.mark.slow

SCRIPT = Path("docs/examples/verify_permit.py")
USE = {"channel": "site", "place": "https://example.org/a", "caption": picture_ground.CAPTION}


@pytest.fixture
async def office(database: str, _sandbox: None) -> Office:
    return await picture_ground.an_office()


def verified(folder: Path, keys: Any, token: str, picture: bytes, *more: str) -> tuple[int, Any]:
    (folder / "keys.json").write_text(json.dumps(keys))
    (folder / "permit.txt").write_text(token)
    (folder / "picture").write_bytes(picture)
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, "--keys", folder / "keys.json",
         "--permit", folder / "permit.txt", "--picture", folder / "picture", *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_a_permit_is_verified_offline(office: Office, tmp_path: Path) -> None:
    await picture_ground.a_licensed(office, scene(1))
    async with ground.api(office.editor) as client:
        answer = await client.post("/api/v1/publications/permits", **form(scene(1), USE))
        assert answer.status_code == 201, answer.text
        given = answer.json()
        assert given["attribution"] == [picture_ground.CAPTION]
        same = await client.get(f"/api/v1/publications/permits/{given['id']}")
        assert same.json() == given
    async with ground.api() as nobody:
        found = await nobody.get("/.well-known/docflow-permits.json")
        assert found.headers["content-type"].startswith("application/jwk-set+json")
        keys = found.json()
    assert len(keys["keys"]) == 2, "the next key is shown before it signs"
    assert all("d" not in one for one in keys["keys"])
    token = given["token"]
    code, said = verified(tmp_path, keys, token, scene(1))
    assert (code, said["ok"], said["reasons"]) == (0, True, [])
    claims = said["claims"]
    assert claims["use"]["place"] == USE["place"]
    assert len(claims["picture"]["pdq"]) == 64
    assert len(claims["register"]) == 64
    assert claims["exp"] - claims["nbf"] == 30 * 86400
    assert await db.value("SELECT place FROM picture_use") == USE["place"]
    assert verified(tmp_path, keys, token, scene(2))[1]["reasons"] == ["another_picture"]
    late = str(int(time.time()) + 31 * 86400)
    assert verified(tmp_path, keys, token, scene(1), "--at", late)[1]["reasons"] == ["expired"]
    head, body, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["use"]["place"] = "https://example.org/other"
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    told = verified(tmp_path, keys, f"{head}.{forged}.{signature}", scene(1))
    assert told == (1, {"ok": False, "reasons": ["bad_signature"], "claims": None})
    assert verified(tmp_path, {"keys": []}, token, scene(1))[1]["reasons"] == ["unknown_key"]
    for garbage in ("", "a.b", "a.b.c", "....", "bnVsbA.bnVsbA.bnVsbA"):
        assert verified(tmp_path, keys, garbage, scene(1))[0] == 2, garbage


async def test_what_is_not_clear_gets_no_permit(office: Office) -> None:
    async with ground.api(office.editor) as client:
        answer = await client.post("/api/v1/publications/permits", **form(scene(5), USE))
        assert (answer.status_code, answer.json()["code"]) == (409, "publication_blocked")
        (said,) = answer.json()["details"]["pictures"].values()
        assert [one["rule"] for one in said["reasons"]] == ["401"]
        assert await db.value("SELECT count(*) FROM permit") == 0
        for wrong, code in (
            ({"data": {"use": "{}"}}, "malformed_request"),
            ({"data": {"use": "not json"}}, "malformed_request"),
            ({"data": {"use": json.dumps(USE | {"place": " "})}}, "permit_place"),
            ({"data": {"use": json.dumps(USE | {"on": "1999-01-01"})}}, "use_date"),
            ({"files": {"picture": ("a", b"text", "x/y")}}, "not_a_picture"),
            ({"files": None}, "picture_missing"),
        ):  # fmt: skip
            refused = await client.post(
                "/api/v1/publications/permits", **(form(scene(5), USE) | wrong)
            )
            assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_it_ends_when_the_answer_turns(office: Office) -> None:
    until = clock.today() + timedelta(days=5)
    await picture_ground.a_licensed(office, scene(1), until=until)
    async with ground.api(office.editor) as client:
        key = {"Idempotency-Key": "one"}
        path = "/api/v1/publications/permits"
        first = await client.post(path, headers=key, **form(scene(1), USE))
        again = await client.post(path, headers=key, **form(scene(1), USE))
        assert first.json() == again.json()
        other = await client.post(path, headers=key, **form(scene(1), USE | {"place": "x"}))
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    stored = await db.row("SELECT valid_until FROM permit")
    assert stored is not None
    assert stored["valid_until"].astimezone(clock.MOSCOW).date() == until + timedelta(days=1)
    assert await db.value("SELECT count(*) FROM picture_use") == 1


def test_the_period_of_a_permit() -> None:
    now = clock.now()
    today = now.astimezone(clock.MOSCOW).date()
    assert permits.period(today, None, now=now) == (now, now + timedelta(days=30))
    ahead, end = permits.period(today + timedelta(days=3), today + timedelta(days=4), now=now)
    assert (end - ahead) == timedelta(days=1)
    assert permits.period(today, date.max, now=now)[1] == now + timedelta(days=30)


async def test_keys_rotate_and_former_permits_hold(office: Office, tmp_path: Path) -> None:
    await picture_ground.a_licensed(office, scene(1))
    keeper = await db.value("SELECT id FROM organization ORDER BY created_at, id LIMIT 1")
    administrator = await picture_ground.another(keeper, "administrator")
    async with ground.api(office.editor) as client:
        path = "/api/v1/publications/permits"
        first = (await client.post(path, **form(scene(1), USE))).json()["token"]
        refused = await client.post("/api/v1/publications/permit-keys/rotate")
        assert refused.status_code == 403
    shown = await permit_keys.jwks()
    too_soon = None
    try:
        await permit_keys.rotate(administrator)
    except permit_keys.Conflict as problem:
        too_soon = problem.error_code
    assert too_soon == "permit_key_new"
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        kid = await permit_keys.rotate(administrator)
    assert kid in {one["kid"] for one in shown["keys"]}, "sites had it before it signed"
    async with ground.api(office.editor) as client:
        second = (await client.post(path, **form(scene(1), USE))).json()["token"]
    assert json.loads(base64.urlsafe_b64decode(second.split(".")[0] + "=="))["kid"] == kid
    now = await permit_keys.jwks()
    assert len(now["keys"]) == 3
    for token, keys in ((first, now), (second, now), (second, shown)):
        assert verified(tmp_path, keys, token, scene(1))[0] == 0
    with clock.frozen(clock.now() + timedelta(days=40)):
        assert len((await permit_keys.jwks())["keys"]) == 2
    rows = await db.rows("SELECT sealed, public_key FROM permit_key")
    assert all(bytes(row["public_key"]) not in bytes(row["sealed"]) for row in rows)
