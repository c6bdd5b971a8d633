"""Pages without a browser: who gets in, what is refused, what headers say, what is translated."""

import re
from collections.abc import AsyncIterator
from typing import Any

import argon2
import httpx
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import litestar_app
from core import clock, db
from core.actor import RULE
from directory import accounts, grants, passwords, sessions
from directory.controllers.authentication import guards_of
from docflow.documents import cards
from evidence.verifier import standalone
from storage import blobs
from tests import ground, people
from web import addresses, forms, pages, site, words
from web.translation import LOCALE

PASSWORD = "синий трактор едет в поле"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HTML = {"accept": "text/html"}


@pytest.fixture
async def client(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)
    await blobs.ensure_bucket()
    transport = httpx.ASGITransport(app=litestar_app.create_app())  # type: ignore[arg-type]  # reason: same protocol
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service.test", headers=HTML
    ) as opened:
        yield opened


async def signed_in(client: httpx.AsyncClient, *roles: str) -> people.Actor:
    """A person of a new organization, logged in through the form."""
    home, login = clock.new_id(), f"p{clock.new_id().hex[-8:]}"
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, opened_on, created_at, updated_at)
           VALUES ($1, $2, 'regional', 'Областная организация', '1990-01-01', now(), now())""",
        home, login,
    )  # fmt: skip
    person_id = await people.a_person_at(home)
    account_id = await accounts.create(RULE, person_id=person_id, login=login, password=PASSWORD)
    for role in roles:
        await grants.grant(RULE, account_id=account_id, organization_id=home, role=role)
    answer = await client.post("/login", data={"login": login, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return people.Actor(
        kind="user", id=account_id, organization_id=home, roles=frozenset(roles),
        person_id=person_id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "led"),
    [
        ("/documents?q=1", "/documents?q=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_nobody_is_sent_to_another_host(address: str | None, led: str) -> None:
    assert addresses.inside(address) == led


async def test_strangers_go_to_the_login_and_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/documents?q=кампания")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/documents%3Fq%3D")
    wrong = await client.post("/login", data={"login": "nobody", "password": "x"})
    assert wrong.status_code == 401
    assert "Войти не удалось" in wrong.text
    missing = await client.get("/no/such/page")
    assert missing.status_code == 404
    assert "Не найдено" in missing.text
    program = await client.get("/api/v1/me", headers={"accept": "application/json"})
    assert program.headers["content-type"].startswith("application/problem+json")


async def test_every_answer_is_strict_about_what_a_browser_may_do(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/login", "/api", "/no/such/page", "/static/site.css", "/schema/openapi.json"):
        answer = await client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    text = (await client.get("/api")).text
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=|https?://", text)


async def test_forms_without_the_token_change_nothing(client: httpx.AsyncClient) -> None:
    actor = await signed_in(client, "clerk")
    document_id = await cards.create(actor, card=cards.CardInput(kind="letter", title="Проект"))
    fields = {"kind": "letter", "title": "Чужой", "addressee": "Кому", "key": pages.new_key()}
    as_form = {name: (None, value) for name, value in fields.items()}
    forged = await client.post("/documents", files=as_form)
    assert forged.status_code == 403
    plain = await client.post(f"/documents/{document_id}/discard", data={})
    assert plain.status_code == 403
    assert await db.value("SELECT array_agg(status) FROM document") == ["draft"]


async def test_a_draft_is_made_once_and_a_refused_file_is_told(client: httpx.AsyncClient) -> None:
    await signed_in(client, "clerk")
    token, key = client.cookies["docflow_csrf"], pages.new_key()
    form = {
        "_csrf": (None, token), "kind": (None, "letter"), "title": (None, "О «кавычках» & <b>"),
        "addressee": (None, "Всем"), "key": (None, key),
        "file": ("письмо.pdf", b"this is no PDF", "application/pdf"),
    }  # fmt: skip
    first = await client.post("/documents", files=form)
    again = await client.post("/documents", files=form)
    assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
    assert await db.value("SELECT count(*) FROM document") == 1
    shown = await client.get(first.headers["location"])
    assert "имеет тип text/plain" in shown.text
    assert "О «кавычках» &amp; &lt;b&gt;" in shown.text
    assert "имеет тип" not in (await client.get(first.headers["location"])).text
    empty = await client.post(
        "/documents", files={**form, "title": (None, " "), "key": (None, "k")}
    )
    assert empty.status_code == 422
    assert "Заголовок" in empty.text


async def test_a_letter_is_not_shown_to_strangers(client: httpx.AsyncClient) -> None:
    actor = await signed_in(client, "clerk")
    document_id = await cards.create(actor, card=cards.CardInput(kind="letter", title="Тайна"))
    assert (await client.get(f"/documents/{document_id}")).status_code == 200
    client.cookies.clear()
    await signed_in(client, "clerk")
    hidden = await client.get(f"/documents/{document_id}")
    assert hidden.status_code == 404
    assert "Тайна" not in hidden.text
    client.cookies.clear()
    await signed_in(client, "administrator")
    assert (await client.get("/inbox")).status_code == 403
    assert (await client.get("/stuck")).status_code == 403


async def test_the_language_switches_and_keeps_its_place(client: httpx.AsyncClient) -> None:
    await signed_in(client, "clerk")
    assert "Входящие" in (await client.get("/inbox")).text
    token = client.cookies["docflow_csrf"]
    switched = await client.post(
        "/language", data={"_csrf": token, "language": "en", "back": "/inbox?box=new"}
    )
    assert switched.headers["location"] == "/inbox?box=new"
    assert not re.search("[А-Яа-яё]", (await client.get("/documents")).text.replace("Русский", "")
                         .replace("Областная организация", "").replace("Иванова", ""))  # fmt: skip


def test_every_message_has_its_russian_words() -> None:
    used: set[str] = set()
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
    for _, _, message, _, _ in extract_from_dir(str(pages.HERE), methods, keywords=keywords):
        used.add(message if isinstance(message, str) else message[0])
    with (LOCALE / "ru.po").open("rb") as file:
        catalogue = read_po(file, locale="ru")
    known = {
        (one.id if isinstance(one.id, str) else one.id[0]): one.string
        for one in catalogue
        if one.id
    }
    assert used - set(known) == set()
    assert set(known) - used == set(), "messages that no page uses"
    assert all(all(text) if isinstance(text, tuple | list) else text for text in known.values())


def test_templates_hold_no_words_of_their_own() -> None:
    for path in sorted((pages.HERE / "templates").glob("*.html")):
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.S)
        bare = set(re.findall(r"[^\W\d_]{3,}", text)) - {"docflow", "English", "Русский", "SHA"}
        assert bare == set(), path.name


def test_every_state_and_kind_has_a_word() -> None:
    from docflow.documents.kinds import DOCUMENT_KINDS
    from docflow.documents.states import DocumentStatus
    from docflow.routing.states import DeliveryStatus

    assert set(words.DOCUMENT_STATUS) == set(DocumentStatus) == set(words.DOCUMENT_TONE)
    assert set(words.DELIVERY_STATUS) == set(DeliveryStatus) == set(words.DELIVERY_TONE)
    asked = {name for kind in DOCUMENT_KINDS.values() for name in kind.required}
    assert asked <= set(words.FIELDS)
    assert forms.day("31.12.2026", field="due_on") == forms.day("2026-12-31", field="due_on")


def test_every_page_has_a_guard() -> None:
    app = litestar_app.create_app()
    known = set(site.WEB_CONTROLLERS)
    assert known
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "OPTIONS" not in getattr(handler, "http_methods", ()) and not route.path.startswith(
                "/schema"
            ):
                assert guards_of(handler), route.path


async def test_anyone_has_a_signature_checked(client: httpx.AsyncClient) -> None:
    plain = await people.a_letter()
    sent = {"file": ("Письмо.pdf", plain, "application/pdf")}
    answer = await client.post("/check", files=sent)
    assert answer.status_code == 200, answer.text
    assert words.VERDICTS["indeterminate"] not in answer.text
    assert "Сказать точно нельзя" in answer.text
    answer = await client.post("/check", files={"signature": ("x.sig", b"\x30\x82junk"), **sent})
    assert answer.status_code == 200
    answer = await client.post("/check", files={"file": ("", b"")})
    assert (answer.status_code, "Выберите файл" in answer.text) == (422, True)
    too_large = {"signature": ("x.sig", bytes(4 << 20)), **sent}
    assert (await client.post("/check", files=too_large)).status_code == 422
    assert await db.value("SELECT count(*) FROM blob") == 0
    await db.execute("UPDATE use_count SET number = 1000")
    assert "Слишком много" in (await client.post("/check", files=sent)).text


async def test_a_program_has_a_file_checked_without_an_account(database: str) -> None:
    plain = await people.a_letter()
    sent = {"file": ("Письмо.pdf", plain, "application/pdf")}
    async with ground.api() as program:
        answer = await program.post("/api/v1/check", files=sent)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["kind"], told["verdict"]) == ("signatures", told["report"]["verdict"])
        junk = {"signature": ("x.sig", b"\x30\x82junk"), **sent}
        assert (await program.post("/api/v1/check", files=junk)).json()["verdict"] != "valid"
        broken = {"file": ("evidence.zip", b"PK\x03\x04" + bytes(200))}
        told = (await program.post("/api/v1/check", files=broken)).json()
        assert (told["kind"], told["verdict"]) == ("package", "broken")
        nothing: list[dict[str, Any]] = [
            {"files": {"file": ("", b"")}}, {"json": {"file": "x"}}, {"data": {"a": "b"}},
        ]  # fmt: skip
        for wrong in nothing:
            answer = await program.post("/api/v1/check", **wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, "file_missing"), wrong
        large = {"signature": ("x.sig", bytes(4 << 20)), **sent}
        assert (await program.post("/api/v1/check", files=large)).status_code == 413
        assert await db.value("SELECT count(*) FROM blob") == 0
        await db.execute("UPDATE use_count SET number = 1000")
        assert (await program.post("/api/v1/check", files=sent)).status_code == 429


async def test_anyone_has_a_package_checked(client: httpx.AsyncClient) -> None:
    broken = {"file": ("evidence.zip", b"PK\x03\x04" + bytes(200), "application/zip")}
    answer = await client.post("/check", files=broken)
    assert answer.status_code == 200, answer.text
    assert "повреждён или изменён" in answer.text
    assert f"/check/{standalone.NAME}" in answer.text
    taken = await client.get(f"/check/{standalone.NAME}")
    assert taken.text == standalone.text()
    assert taken.headers["content-disposition"] == 'attachment; filename="docflow_verify.py"'


async def test_the_day_of_a_clerk(client: httpx.AsyncClient) -> None:
    await signed_in(client, "clerk")
    answer = await client.get("/deadlines")
    assert answer.status_code == 200, answer.text
    assert answer.text.count("<time") == 14
