"""The trust store in the database: two administrators, no mixing, lists imported once, replay."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, ServiceError
from core.sandbox import pool
from docflow.documents import checking
from signatures import anchors, cms, revocation_import, revocation_lists
from signatures.authority import Authority, Subject, create_authority, trust_of
from signatures.chains import certificate
from signatures.responder import own_responder
from signatures.trust import TrustStore
from tests import ground, people

HOUR = timedelta(hours=1)


@pytest.fixture
async def two(database: str) -> tuple[Actor, Actor]:
    """Two administrators of the organization that keeps the trust store."""
    center = await ground.an_organization("center")
    return (
        await people.clerk_of(center, "administrator"),
        replace(await people.clerk_of(center, "administrator"), person_id=clock.new_id()),
    )


async def status_of(anchor_id: uuid.UUID) -> str:
    return str(await db.value("SELECT status FROM trust_anchor WHERE id = $1", anchor_id))


async def trusted_root(two: tuple[Actor, Actor], authority: Authority) -> uuid.UUID:
    (anchor_id,) = await anchors.propose(two[0], authority.der)
    await anchors.confirm(two[1], anchor_id)
    return anchor_id


async def test_a_root_needs_two(two: tuple[Actor, Actor]) -> None:
    first, second = two
    root = create_authority("Real root")
    (anchor_id,) = await anchors.propose(first, root.der, note="приказ 12")
    assert (await anchors.store()).roots == ()
    own_other_account = replace(second, person_id=first.person_id)
    program = replace(second, kind="integration")
    for nobody in (first, own_other_account, program, RULE):
        with pytest.raises(Forbidden) as refused:
            await anchors.confirm(nobody, anchor_id)
        assert refused.value.error_code == "second_administrator"
    assert await status_of(anchor_id) == "proposed"
    await anchors.confirm(second, anchor_id)
    assert (await anchors.store()).roots == (root.der,)
    with pytest.raises(Conflict):
        await anchors.confirm(second, anchor_id)
    with pytest.raises(InvalidInput):
        await anchors.retire(first, anchor_id, reason=" ")
    await anchors.retire(first, anchor_id, reason="ключ скомпрометирован")
    assert (await anchors.store()).roots == ()
    # Nothing is forgotten: an old verdict finds its root, and who did what stands in the events.
    sha256 = certificate(root.der).sha256
    assert await revocation_import.bytes_of(sha256) == root.der
    verbs = [row["verb"] for row in await db.rows(
        "SELECT verb FROM event WHERE subject_id = $1 ORDER BY id", anchor_id
    )]  # fmt: skip
    assert verbs == ["trust.proposed", "trust.confirmed", "trust.retired"]
    assert await anchors.propose(second, root.der) == [anchor_id]
    assert await status_of(anchor_id) == "proposed"
    with pytest.raises(Forbidden):
        await anchors.confirm(second, anchor_id)


async def test_only_the_keepers_administrators(two: tuple[Actor, Actor]) -> None:
    primary = await ground.an_organization("primary")
    stranger = await people.clerk_of(primary, "administrator")
    root = create_authority("Real root")
    with pytest.raises(Forbidden) as refused:
        await anchors.propose(stranger, root.der)
    assert refused.value.error_code == "not_trust_keeper"
    (anchor_id,) = await anchors.propose(two[0], root.der)
    with pytest.raises(Forbidden):
        await anchors.confirm(stranger, anchor_id)
    with pytest.raises(Forbidden):
        await anchors.propose(replace(two[0], roles=frozenset({"clerk"})), root.der)
    with pytest.raises(Forbidden):
        await anchors.add(RULE, trust_of(root), is_test=False)


async def test_the_database_itself_holds_it(two: tuple[Actor, Actor]) -> None:
    (anchor_id,) = await anchors.propose(two[0], create_authority("Real root").der)
    for values in ("confirmed_by = added_by, confirmed_at = now()", "confirmed_at = now()"):
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(
                f"UPDATE trust_anchor SET status = 'trusted', {values} WHERE id = $1", anchor_id
            )
    for change in ("DELETE FROM trust_anchor", "UPDATE trust_anchor SET der = 'x'"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await db.execute(change)
    # Test beside real, by whatever statement.
    with pytest.raises(asyncpg.ExclusionViolationError):
        await db.execute(
            """INSERT INTO trust_anchor (kind, der, sha256, is_test, status, added_at)
               VALUES ('root', 'a', 'b', true, 'trusted', now())"""
        )
    with pytest.raises(anchors.MixedTrust):
        await anchors.add(RULE, trust_of(create_authority("Test root")), is_test=True)


async def test_test_and_real_at_the_same_time(two: tuple[Actor, Actor]) -> None:
    """Of many who put test and real roots in at once, one kind wins; never both."""

    async def seed(number: int) -> None:
        root = create_authority(f"Root {number}")
        if number % 2:
            await anchors.propose(two[0], root.der)
        else:
            await anchors.add(RULE, TrustStore(roots=(root.der,)), is_test=True)

    outcomes = await asyncio.gather(*map(seed, range(8)), return_exceptions=True)
    refused = [one for one in outcomes if one is not None]
    assert all(isinstance(one, ServiceError) for one in refused), refused
    kinds = await db.rows("SELECT is_test, count(*) AS n FROM trust_anchor GROUP BY 1")
    assert len(kinds) == 1
    assert kinds[0]["n"] + len(refused) == 8


# Lists


def big_list(authority: Authority, serials: list[int], *, number: int = 1) -> bytes:
    """A list of many entries in DER made by hand; a library would take minutes."""
    since = clock.now() - HOUR + timedelta(minutes=number)
    moment = der(0x17, f"{since:%y%m%d%H%M%SZ}".encode())
    until = der(0x17, f"{since + timedelta(days=7):%y%m%d%H%M%SZ}".encode())
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    entries = b"".join(der(0x30, der(2, revocation_lists.integer(one)) + moment) for one in serials)
    extension = der(0x30, bytes.fromhex("0603551d14") + der(4, der(2, bytes([number]))))
    signed = der(
        0x30,
        b"\x02\x01\x01" + algorithm + authority.name.public_bytes() + moment + until
        + der(0x30, entries) + der(0xA0, der(0x30, extension)),
    )  # fmt: skip
    signature = authority.private.sign(signed, ec.ECDSA(hashes.SHA256()))
    return der(0x30, signed + algorithm + der(3, b"\0" + signature))


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


async def test_a_big_list_is_imported_once(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    good, bad = (root.issue(Subject(name)) for name in ("Good", "Bad"))
    filler = [(1 << 156) + number * 7919 for number in range(200_000)]
    content = big_list(root, [*filler, bad.certificate.serial_number])
    began = perf_counter()
    made = await revocation_import.import_list(two[0], content)
    taken = perf_counter() - began
    assert made["is_new"]
    assert made["entries"] == 200_001
    assert not (await revocation_import.import_list(two[0], content))["is_new"]
    assert await db.value("SELECT count(*) FROM revoked_certificate") == 200_001
    assert await revocation_import.bytes_of(bytes.fromhex(made["sha256"])) == content
    store = await anchors.store()
    assert store.crls == ()
    assert len(store.lists) == 1
    data = b"bytes of a letter"
    spent = {}
    for name, issued in (("first", good), ("second", good), ("third", good), ("bad", bad)):
        signature = cms.sign_detached(digest=people_digest(data), key=issued.key())
        began = perf_counter()
        check = await checking.validate(data, signature=signature)
        spent[name] = perf_counter() - began
        assert check.verdict == ("invalid" if issued is bad else "valid"), check.reasons
    # Bounds for a busy machine; the figures stand in docs/adr/0011.
    assert taken < 30
    assert spent["third"] < 0.5
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("DELETE FROM revocation_list")


def people_digest(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


async def test_entries_follow_the_lists(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    for number, serials in ((1, [5, 6]), (2, [6, 7]), (3, [5, 7])):
        await revocation_import.import_list(two[0], big_list(root, serials, number=number))
    rows = await db.rows("SELECT serial, gone_list_id FROM revoked_certificate ORDER BY serial")
    assert [(row["serial"][0], row["gone_list_id"] is None) for row in rows] == [
        (5, True), (6, False), (7, True),
    ]  # fmt: skip
    with pytest.raises(Conflict) as refused:
        await revocation_import.import_list(two[0], big_list(root, [5], number=2))
    assert refused.value.error_code == "crl_older"
    assert len(await revocation_import.lists(two[0])) == 1


def with_extension(root: Authority, extension: x509.ExtensionType) -> bytes:
    now = clock.now()
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=root.name, last_update=now - HOUR, next_update=now + HOUR
    ).add_extension(extension, critical=True)
    made = builder.sign(root.private, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


async def test_lists_that_are_refused(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\5\0")
    indirect = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    fine = root.crl()
    for content, code in (
        (b"no list", "crl_unreadable"),
        (fine[:-1], "crl_unreadable"),
        (fine[:-1] + bytes([fine[-1] ^ 1]), "crl_signature"),
        (create_authority("Stranger").crl(), "crl_unknown_issuer"),
        (create_authority("Real root").crl(), "crl_signature"),
        (with_extension(root, x509.DeltaCRLIndicator(1)), "crl_delta"),
        (with_extension(root, indirect), "crl_indirect"),
        (with_extension(root, unknown), "crl_unknown_extension"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await revocation_import.import_list(two[0], content)
        assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM revocation_list") == 0


async def test_two_bring_lists_at_once(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    lists = [big_list(root, [number], number=number) for number in range(1, 7)]
    outcomes = await asyncio.gather(
        *(revocation_import.import_list(two[0], one) for one in lists), return_exceptions=True
    )
    assert not [
        one for one in outcomes if isinstance(one, Exception) and not isinstance(one, Conflict)
    ]
    (current,) = await revocation_import.lists(two[0])
    assert current["number"] == "6"


async def test_a_stale_list_is_told_of_once(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    now = clock.now()
    old = root.crl(this_update=now - 2 * HOUR, next_update=now - HOUR)
    await revocation_import.import_list(two[0], old)
    assert [one["is_fresh"] for one in await revocation_import.lists(two[0])] == [False]
    assert [await revocation_import.alarm_stale(RULE) for _ in range(2)] == [1, 0]
    await revocation_import.import_list(two[0], root.crl(number=2))
    assert await revocation_import.alarm_stale(RULE) == 0


async def test_imported_answers(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    await trusted_root(two, root)
    good, bad = (root.issue(Subject(name)) for name in ("Good", "Bad"))
    data, responder = b"bytes of a letter", own_responder(root)
    for issued, said in ((good, "good"), (bad, "revoked")):
        answer = responder.answer(issued.certificate, said=said)
        assert (await revocation_import.import_answer(two[0], answer))["is_new"]
        signature = cms.sign_detached(digest=people_digest(data), key=issued.key())
        check = await checking.validate(data, signature=signature)
        assert check.verdict == ("valid" if said == "good" else "invalid"), check.reasons
    stranger = own_responder(create_authority("Stranger"))
    for content, code in (
        (stranger.answer(good.certificate), "ocsp_untrusted"), (b"x", "ocsp_unreadable"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await revocation_import.import_answer(two[0], content)
        assert refused.value.error_code == code


async def test_retired_root_leaves_verdicts_of_now(two: tuple[Actor, Actor]) -> None:
    root = create_authority("Real root")
    anchor_id = await trusted_root(two, root)
    await revocation_import.import_list(two[0], root.crl())
    data = b"bytes of a letter"
    signature = cms.sign_detached(
        digest=people_digest(data), key=root.issue(Subject("Signer")).key()
    )
    assert (await checking.validate(data, signature=signature)).verdict == "valid"
    before = await anchors.store()
    await anchors.retire(two[1], anchor_id, reason="вывод из эксплуатации")
    now = await checking.validate(data, signature=signature)
    assert now.reasons == ("untrusted",)
    request = {
        "data": data, "signature": signature, "roots": list(before.roots),
        "others": list(before.others), "crls": list(before.crls),
    }  # fmt: skip
    then = await pool().run("signatures.validation:validate_bytes", request)
    assert then["verdict"] == "valid"


# Over HTTP


async def test_no_token_reaches_the_trust_store(two: tuple[Actor, Actor]) -> None:
    (anchor_id,) = await anchors.propose(two[0], create_authority("Real root").der)
    async with ground.api(two[1]) as client:
        for method, path in (
            ("GET", "anchors"), ("POST", f"anchors/{anchor_id}/confirm"), ("GET", "lists"),
            ("POST", "sources"),
        ):  # fmt: skip
            answer = await client.request(method, f"/api/v1/trust/{path}")
            assert answer.status_code == 403, (path, answer.text)
    assert await status_of(anchor_id) == "proposed"
