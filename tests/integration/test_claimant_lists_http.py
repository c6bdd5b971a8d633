"""A list of claimants over HTTP."""

import pytest

from tests import ground, painted

pytestmark = pytest.mark.slow


async def test_a_table_is_taken_row_by_row(database: str) -> None:
    office = await painted.an_office(await ground.an_organization("union"))
    table = "имя;другие имена\nООО «Ловец»;Lovets\nЯ;\n".encode()
    async with ground.api(office.lawyer) as lawyer, ground.api(office.editor) as editor:
        address = "/api/v1/claimants/import"
        assert (await editor.post(address, content=table)).status_code == 403
        told = await lawyer.post(address, content=table)
        assert told.status_code == 200, told.text
        assert (told.json()["created"], told.json()["refused"]) == (1, 1)
        listed = (await lawyer.get("/api/v1/claimants")).json()
        assert [(one["name"], one["waiting_works"]) for one in listed] == [("ООО «Ловец»", 0)]
        broken = await lawyer.post(address, content=b"\x00\x01")
        assert (broken.status_code, bool(broken.json()["code"])) == (415, True)
