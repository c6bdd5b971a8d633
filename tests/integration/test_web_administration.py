"""Organizations, trust and state without a browser."""

import httpx
from test_web import client, signed_in  # noqa: F401 - a fixture is found by its name


async def test_a_clerk_confirms_the_data(client: httpx.AsyncClient) -> None:  # noqa: F811
    actor = await signed_in(client, "clerk")
    token = client.cookies["docflow_csrf"]
    at = f"/organizations/{actor.home_id}"
    assert "Их ещё никто не подтверждал" in (await client.get(at)).text
    sent = {"_csrf": token, "phone": "+7 395 200-00-00", "email": "r38@example.org", "address": ""}
    assert (await client.post(f"{at}/contacts", data=sent)).status_code == 303
    assert "Последний раз подтверждено" in (await client.get(at)).text
    assert "Показать людей" not in (await client.get(f"{at}?with_people=true")).text
    assert "Областная" in (await client.get("/organizations?q=областная")).text
    assert (await client.get("/trust")).status_code == 403


async def test_an_administrator_tries_a_register(client: httpx.AsyncClient) -> None:  # noqa: F811
    await signed_in(client, "administrator")
    token = client.cookies["docflow_csrf"]
    for mode in ("try", "enter"):
        answer = await client.post(
            "/organizations/import", data={"_csrf": token, "mode": mode},
            files={"file": ("Реестр.csv", "code;kind;name\n38-1;nonsense;Имя\n".encode())},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert "Реестр.csv" in answer.text
    refused = await client.post(
        "/organizations/import", data={"_csrf": token}, files={"file": ("", b"")}
    )
    assert (refused.status_code, "Выберите файл" in refused.text) == (422, True)
    assert "База данных" in (await client.get("/state")).text
    assert "Доверенные корни" in (await client.get("/trust")).text
    proposed = await client.post(
        "/trust/propose", data={"_csrf": token}, files={"file": ("x.cer", b"junk")}
    )
    assert proposed.status_code == 303
