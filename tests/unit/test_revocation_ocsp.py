"""OCSP answers of every shape: what counts, what does not, and which word is fresher."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from revoking import HOUR, NOW, a_list, judged, only, turned

from core import clock
from signatures import ocsp_answers
from signatures.authority import Authority, Issued, Subject, create_authority
from signatures.responder import Responder, delegated_responder, own_responder


@pytest.fixture(scope="module", autouse=True)
def _the_moment() -> Iterator[None]:
    """Certificates made minutes after the tests were collected are valid at their NOW too."""
    with clock.frozen(NOW):
        yield


@pytest.fixture(scope="module")
def authority() -> Authority:
    return create_authority("Revoking authority")


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> Issued:
    return authority.issue(Subject("Смирнова Анна Петровна"))


ANSWERS: dict[str, tuple[Callable[[Authority, Issued], bytes], str | None]] = {
    "good": (lambda a, i: own_responder(a).answer(i.certificate), None),
    "delegated": (lambda a, i: delegated_responder(a).answer(i.certificate), None),
    "revoked": (
        lambda a, i: own_responder(a).answer(i.certificate, said="revoked"), "revoked",
    ),
    "unknown": (
        lambda a, i: own_responder(a).answer(i.certificate, said="unknown"), "ocsp_unknown",
    ),
    "stale": (
        lambda a, i: own_responder(a).answer(i.certificate, this_update=NOW - 3 * HOUR),
        "ocsp_stale",
    ),
    "not exempt and on no list": (
        lambda a, i: delegated_responder(a, is_exempt=False).answer(i.certificate),
        "ocsp_untrusted",
    ),
    "not meant for answers": (
        lambda a, i: delegated_responder(a, is_meant=False).answer(i.certificate),
        "ocsp_untrusted",
    ),
    "responder expired": (
        lambda a, i: delegated_responder(
            a, not_before=NOW - 9 * HOUR, not_after=NOW - 8 * HOUR
        ).answer(i.certificate),
        "ocsp_untrusted",
    ),
    "a stranger's responder": (
        lambda a, i: Responder(
            a, *_key_of(delegated_responder(create_authority("Stranger")))
        ).answer(i.certificate),
        "ocsp_untrusted",
    ),
    "another issuer's certificate": (
        lambda a, i: own_responder(a).answer(
            i.certificate, issuer=create_authority("Stranger").certificate
        ),
        "ocsp_mismatch",
    ),
    "another certificate": (
        lambda a, i: own_responder(a).answer(a.issue(Subject("x")).certificate),
        "revocation_missing",
    ),
    "a bit turned": (
        lambda a, i: turned(own_responder(a).answer(i.certificate)), "ocsp_untrusted",
    ),
    "cut": (lambda a, i: own_responder(a).answer(i.certificate)[:-1], "revocation_missing"),
    "a refusal": (lambda a, i: bytes.fromhex("30030a0106"), "revocation_missing"),
}  # fmt: skip


def _key_of(responder: Responder) -> tuple[x509.Certificate, object]:
    return responder.certificate, responder.private


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("way", ["brought", "imported"])
def test_answers(authority: Authority, leaf: Issued, name: str, way: str) -> None:
    make, expected = ANSWERS[name]
    der = make(authority, leaf)
    store = only(authority)
    if way == "brought":
        found = judged(leaf, store, der)
    else:
        found = judged(leaf, replace(store, ocsps=(der,)))
    assert found.code == expected
    if expected is None:
        assert ("ocsp", ocsp_answers.load(der).sha256.hex()) in found.used


def test_responder_that_is_on_the_list(authority: Authority, leaf: Issued) -> None:
    responder = delegated_responder(authority, is_exempt=False)
    answer = responder.answer(leaf.certificate, this_update=NOW - HOUR / 4)
    fine = a_list(authority)
    assert judged(leaf, only(authority, fine), answer).used[-1][0] == "ocsp"
    gone = a_list(authority, revoked=((responder.certificate.serial_number, None),))
    # The list alone speaks for the signer then.
    assert judged(leaf, only(authority, gone), answer).used[-1][0] == "crl"


def test_the_fresher_word_counts(authority: Authority, leaf: Issued) -> None:
    responder = own_responder(authority)
    serial = leaf.certificate.serial_number
    for list_age, answer_age, said, expected in (
        (2, 1, "good", None),
        (1, 2, "good", "revoked"),
        (2, 1, "unknown", "revoked"),
    ):
        crl = a_list(authority, revoked=((serial, None),), since=NOW - list_age * HOUR / 4)
        answer = responder.answer(
            leaf.certificate, said=said, this_update=NOW - answer_age * HOUR / 4
        )
        assert judged(leaf, only(authority, crl), answer).code == expected
    same = NOW - HOUR / 4
    crl = a_list(authority, revoked=((serial, None),), since=same)
    assert (
        judged(
            leaf, only(authority, crl), responder.answer(leaf.certificate, this_update=same)
        ).code
        == "revoked"
    )
