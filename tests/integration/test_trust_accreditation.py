"""The register of accredited authorities, and which certificates it makes qualified."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core import clock
from core.actor import Actor
from core.errors import InvalidInput
from signatures import accreditation_import, anchors
from signatures.accreditation import is_qualified
from signatures.authority import Authority, Subject, create_authority
from signatures.chains import certificate
from signatures.trust import Accredited, TrustStore
from tests import ground, people


@pytest.fixture
async def two(database: str) -> tuple[Actor, Actor]:
    """Two administrators of the organization that keeps the trust store."""
    center = await ground.an_organization("center")
    return (
        await people.clerk_of(center, "administrator"),
        replace(await people.clerk_of(center, "administrator"), person_id=clock.new_id()),
    )


def qualified_leaf(authority: Authority) -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.private.public_key())
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.643.100.113.1"), None)
    now = clock.now()
    made = (
        x509.CertificateBuilder(
            issuer_name=authority.name, subject_name=Subject("Qualified").name(),
            public_key=private.public_key(), serial_number=77,
            not_valid_before=now - timedelta(days=30), not_valid_after=now + timedelta(days=300),
        )
        .add_extension(key_id, False)
        .add_extension(x509.CertificatePolicies([policy]), False)
        .sign(authority.private, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.DER)


async def test_register_of_accredited_authorities(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    leaf = certificate(qualified_leaf(root))
    plain = certificate(root.issue(Subject("Plain")).der)
    key_id = certificate(root.der).key_identifier.hex()
    assert is_qualified(leaf, await anchors.store()) is None
    table = (
        "name;inn;ogrn;key_id;accredited_from;suspended_on\n"
        f"УЦ Первый;7707083893;1027700132195;{key_id};01.02.2020;\n"
        "УЦ Второй;12;;00ff00ff;2020-01-01;\n"
        ";;;zz;вчера;\n"
    )
    dry = await accreditation_import.import_register(
        two[0], table.encode(), source="проба", dry_run=True
    )
    assert dry["taken"] == 1
    assert await accreditation_import.authorities(two[0]) == []
    report = await accreditation_import.import_register(two[0], table.encode(), source="приказ")
    assert report["refused"] == [
        {"row": 2, "problems": ["inn_wrong"]},
        {"row": 3, "problems": ["name_missing", "key_id_wrong", "accredited_from_wrong"]},
    ]
    store = await anchors.store()
    assert is_qualified(leaf, store)
    assert is_qualified(plain, store) is False
    # Suspended before the day of issue; the same row takes the new day.
    day = (clock.now() - timedelta(days=60)).date()
    again = table.splitlines()[0] + f"\nУЦ Первый;;;{key_id};2020-02-01;{day}\n"
    await accreditation_import.import_register(two[0], again.encode(), source="приказ 2")
    assert is_qualified(leaf, await anchors.store()) is False
    ended = Accredited("certificate", certificate(root.der).sha256.hex(), day, clock.today())
    by_certificate = TrustStore(roots=(root.der,), accredited=(ended,))
    assert is_qualified(leaf, by_certificate)


XML = """<?xml version="1.0" encoding="utf-8"?>
<АккредитованныеУдостоверяющиеЦентры><Версия>1</Версия><УдостоверяющийЦентр>
<Название>УЦ из списка</Название><ИНН>7707083893</ИНН><ОГРН>1027700132195</ОГРН>
<СтатусАккредитации><Статус>Прекращена</Статус><ДействуетС>2024-05-01T00:00:00</ДействуетС>
</СтатусАккредитации><ИсторияСтатусовАккредитации><СтатусАккредитации><Статус>Действует</Статус>
<ДействуетС>2019-03-04T00:00:00</ДействуетС></СтатусАккредитации></ИсторияСтатусовАккредитации>
<ПрограммноАппаратныеКомплексы><ПрограммноАппаратныйКомплекс><КлючиУполномоченныхЛиц><Ключ>
<ИдентификаторКлюча>AA BB CC DD</ИдентификаторКлюча></Ключ></КлючиУполномоченныхЛиц>
</ПрограммноАппаратныйКомплекс></ПрограммноАппаратныеКомплексы></УдостоверяющийЦентр>
</АккредитованныеУдостоверяющиеЦентры>"""


async def test_other_forms_of_the_register(two: tuple[Actor, Actor]) -> None:
    await accreditation_import.import_register(two[0], XML.encode(), source="TSL")
    (found,) = await accreditation_import.authorities(two[0])
    assert (found["value"], str(found["accredited_from"]), str(found["revoked_on"])) == (
        "aabbccdd", "2019-03-04", "2024-05-01",
    )  # fmt: skip
    json = (
        b'[{"name": "X", "certificate_sha256": "'
        + b"ab" * 32
        + b'", "accredited_from": "2020-01-01"}]'
    )
    assert (await accreditation_import.import_register(two[0], json, source=""))["taken"] == 1
    for bad in (b"", b"a;b\n1;2\n", b"{]", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", b"\xff\xfe<\0"):
        with pytest.raises(InvalidInput) as refused:
            await accreditation_import.import_register(two[0], bad, source="")
        assert refused.value.error_code == "register_unreadable"
