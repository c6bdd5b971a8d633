"""Does a power of attorney authorize a signature: person, organization, Moscow days, powers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clock
from signatures.mchd import parsing
from signatures.mchd.findings import FINDINGS
from signatures.mchd.identity import Identity, agrees, identity_of, same_name
from signatures.mchd.judging import Head, Judgement, Question, Signed, judge
from signatures.mchd.model import Power
from signatures.mchd.powers import PowerRule, covering
from tests.mchd_files import CLERK, DEPUTY, HEAD, INN, NUMBER, OGRN, PARENT, Made, Who

GOOD = Made()
NOON = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
RULES = (
    PowerRule("text", "подпис писем", ("letter", "appeal")),
    PowerRule("text", "подпис любых документов", ("*",)),
    PowerRule("code", "BBDOCS_LETTERS", ("letter",)),
)


def person(who: Who, **more: str) -> Identity:
    return Identity(
        person_inn=who.inn, snils=who.digits, surname=who.surname,
        given_names=f"{who.given} {who.patronymic}", **more,
    )  # fmt: skip


def head_identity(who: Who = HEAD, inn: str = INN, ogrn: str = OGRN) -> Identity:
    return person(who, organization_inn=inn, ogrn=ogrn)


def signed(made: Made = GOOD, **more: Any) -> Signed:
    facts = {"verdict": "valid", "signer": head_identity()} | more
    return Signed(parsing.content_of(made.bytes()), **facts)


def asked(**more: Any) -> Question:
    facts = {"signer": person(DEPUTY), "inn": INN, "ogrn": OGRN, "act": "letter",
             "proven_at": NOON} | more  # fmt: skip
    return Question(**facts)


def judged(one: Signed | None = None, question: Question | None = None, **more: Any) -> Judgement:
    parents: dict[str, Signed] = more.pop("parents", {})
    return judge(
        one or signed(), question=question or asked(), rules=RULES, parent_of=parents.get, **more
    )


def answers(found: Judgement) -> tuple[str, tuple[str, ...]]:
    codes = tuple(code for code in found.reasons if code != "revocation_not_checked")
    return found.state, codes


def test_good_one_confirms_and_says_that_no_registry_was_asked() -> None:
    found = judged()
    assert (found.state, found.reasons) == ("confirmed", ("revocation_not_checked",))
    assert found.revocation == "not_checked"


def test_registry_counts_only_when_asked_after_the_signing() -> None:
    before = judged(signed(registry_asked_at=NOON - timedelta(seconds=1)))
    after = judged(signed(registry_asked_at=NOON + timedelta(seconds=1)))
    assert (before.revocation, after.revocation) == ("not_checked", "not_revoked")
    assert after.reasons == ()


REFUSED: dict[str, tuple[Signed, Question, str]] = {
    "wrong person": (signed(), asked(signer=person(CLERK)), "mchd_other_person"),
    "SNILS of one, INN of another": (
        signed(), asked(signer=Identity(snils=DEPUTY.digits, person_inn=CLERK.inn)),
        "mchd_other_person",
    ),
    "namesake": (
        signed(),
        asked(signer=Identity(snils="11223344595", surname=DEPUTY.surname,
                              given_names=f"{DEPUTY.given} {DEPUTY.patronymic}")),
        "mchd_other_person",
    ),
    "wrong organization": (signed(), asked(inn="7736050003", ogrn="1027700070518"),
                           "mchd_other_principal"),
    "signed by another organization": (
        signed(signer=head_identity(inn="7736050003", ogrn="")), asked(),
        "mchd_signer_other_organization",
    ),
    "signed by the deputy": (signed(signer=head_identity(DEPUTY)), asked(), "mchd_signer_not_head"),
    "its signature is broken": (signed(verdict="invalid"), asked(), "mchd_signature_invalid"),
    "revoked before": (signed(revoked_at=NOON - timedelta(days=1)), asked(), "mchd_revoked"),
    "powers known and others": (
        signed(GOOD.but(powers='<МашПолн КодПолн="BBDOCS_LETTERS" НаимПолн="Письма"/>')),
        asked(act="order"), "powers_not_covering",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_for_its_own_reason(name: str) -> None:
    one, question, code = REFUSED[name]
    assert answers(judged(one, question)) == ("refused", (code,))


UNCLEAR: dict[str, tuple[Signed, Question, str]] = {
    "only a name": (
        signed(), asked(signer=Identity(surname=DEPUTY.surname, given_names=DEPUTY.given)),
        "signer_unidentified",
    ),
    "its signature is unproved": (signed(verdict="indeterminate"), asked(),
                                  "mchd_signature_unclear"),
    "signed with a certificate of no organization": (
        signed(signer=person(HEAD)), asked(), "mchd_signer_unidentified"),
    "organization without numbers": (signed(), asked(inn="", ogrn=""), "organization_unidentified"),
    "powers unknown": (signed(), asked(act="minutes"), "powers_unclear"),
    "code unknown": (
        signed(GOOD.but(powers='<МашПолн КодПолн="OTHER_CODE" НаимПолн="Подписание писем"/>')),
        asked(), "powers_unclear",
    ),
    "power with a limit": (
        signed(GOOD.but(powers='<МашПолн КодПолн="BBDOCS_LETTERS" НаимПолн="Письма">'
                               '<ОгрСвПолн НаимОгр="Сумма"/></МашПолн>')),
        asked(), "powers_limited",
    ),
    "only together": (signed(GOOD.but(people=(DEPUTY, CLERK), joint="2")), asked(), "mchd_joint"),
    "no powers at all": (signed(GOOD.but(powers="")), asked(), "powers_unclear"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCLEAR)
def test_unclear_for_its_own_reason(name: str) -> None:
    one, question, code = UNCLEAR[name]
    assert answers(judged(one, question)) == ("indeterminate", (code,))


def test_unknown_form_authorizes_nobody() -> None:
    assert judged(signed(GOOD.but(version="EMCHD_9"))).reasons == ("mchd_not_parsed",)
    assert judged(signed(GOOD.but(version="EMCHD_9"))).state == "indeterminate"


@pytest.mark.parametrize(
    ("moscow", "code"),
    [
        ("2026-08-31T23:59:59", "mchd_not_yet"),
        ("2026-09-01T00:00:00", None),
        ("2026-10-31T23:59:59", None),
        ("2026-11-01T00:00:00", "mchd_expired"),
    ],
)
def test_days_begin_and_end_in_moscow(moscow: str, code: str | None) -> None:
    at = datetime.fromisoformat(moscow).replace(tzinfo=clock.MOSCOW)
    found = judged(question=asked(proven_at=at.astimezone(UTC)))
    assert answers(found) == (("refused", (code,)) if code else ("confirmed", ()))


def test_same_edges_in_utc() -> None:
    """21:00 UTC is midnight in Moscow: a UTC reading would be three hours off on both ends."""
    begins = datetime(2026, 8, 31, 21, 0, tzinfo=UTC)
    ends = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
    second = timedelta(seconds=1)
    states = [
        judged(question=asked(proven_at=at)).state
        for at in (begins - second, begins, ends - second, ends)
    ]
    assert states == ["refused", "confirmed", "confirmed", "refused"]


def test_claimed_time_spoils_and_never_saves() -> None:
    late = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
    assert answers(judged(question=asked(proven_at=late, claimed_at=NOON))) == (
        "indeterminate", ("moment_unproven",),
    )  # fmt: skip
    assert judged(question=asked(proven_at=late, claimed_at=late)).state == "refused"
    revoked = signed(revoked_at=NOON + timedelta(days=1))
    backdated = asked(proven_at=NOON + timedelta(days=2), claimed_at=NOON)
    assert answers(judged(revoked, backdated)) == ("indeterminate", ("moment_unproven",))
    early = asked(claimed_at=datetime(2026, 8, 1, tzinfo=UTC))
    assert answers(judged(question=early)) == ("refused", ("mchd_not_yet",))


def test_revoked_later_changes_nothing_of_what_was_signed_before() -> None:
    found = judged(signed(revoked_at=NOON + timedelta(seconds=1)))
    assert answers(found) == ("confirmed", ())


def test_head_known_to_the_directory() -> None:
    known = Head("Галиев", "Рустам", "Ильдарович")
    other = Head("Смирнов", "Пётр")
    assert judged(head_on=lambda day: known).state == "confirmed"
    assert answers(judged(head_on=lambda day: other)) == ("indeterminate", ("mchd_head_differs",))


def test_head_without_numbers_is_known_by_name_and_that_is_said() -> None:
    nameless = Identity(organization_inn=INN, surname=HEAD.surname, given_names="Рустам Ильдарович")
    assert answers(judged(signed(signer=nameless))) == ("confirmed", ("mchd_head_by_name",))
    other = Identity(organization_inn=INN, surname=HEAD.surname, given_names="Ренат Ильдарович")
    assert answers(judged(signed(signer=other))) == ("refused", ("mchd_signer_not_head",))


PARENT_MADE = GOOD.but(number=PARENT, delegation="2")
CHILD = GOOD.but(parent=PARENT, people=(CLERK,), issued="2026-09-10")
BY_CLERK = asked(signer=person(CLERK))


def child(made: Made = CHILD, signer: Identity | None = None) -> Signed:
    return signed(made, signer=signer or person(DEPUTY))


def test_delegated_with_its_parent() -> None:
    found = judged(child(), BY_CLERK, parents={PARENT: signed(PARENT_MADE)})
    assert answers(found) == ("confirmed", ())


CHAINS: dict[str, tuple[Signed, dict[str, Signed], str, str]] = {
    "parent missing": (child(), {}, "indeterminate", "mchd_parent_missing"),
    "not allowed": (
        child(), {PARENT: signed(PARENT_MADE.but(delegation="1"))}, "refused",
        "mchd_delegation_forbidden"),
    "unsaid": (
        child(), {PARENT: signed(PARENT_MADE.but(delegation=""))}, "indeterminate",
        "mchd_delegation_unclear"),
    "parent ended": (
        child(), {PARENT: signed(PARENT_MADE.but(expires="2026-09-20"))}, "refused",
        "mchd_parent_expired"),
    "passed on before it was given": (
        child(CHILD.but(issued="2026-08-20")), {PARENT: signed(PARENT_MADE)}, "refused",
        "mchd_parent_expired"),
    "parent revoked": (
        child(), {PARENT: signed(PARENT_MADE, revoked_at=NOON - timedelta(days=1))}, "refused",
        "mchd_parent_revoked"),
    "passed on by a stranger": (
        child(CHILD.but(giver=HEAD), person(HEAD)), {PARENT: signed(PARENT_MADE)}, "refused",
        "mchd_delegator_differs"),
    "signed by a stranger": (
        child(signer=person(HEAD)), {PARENT: signed(PARENT_MADE)}, "refused",
        "mchd_signer_not_head"),
    "parent's signature broken": (
        child(), {PARENT: signed(PARENT_MADE, verdict="invalid")}, "refused",
        "mchd_signature_invalid"),
    "parent of another organization": (
        child(),
        {PARENT: signed(PARENT_MADE.but(inn="7736050003", ogrn="1027700070518"),
                        signer=head_identity(inn="7736050003", ogrn="1027700070518"))},
        "refused", "mchd_other_principal"),
    "parent powers narrower": (
        child(),
        {PARENT: signed(PARENT_MADE.but(powers="<ТекстПолн>Сдача отчётности</ТекстПолн>"))},
        "indeterminate", "powers_unclear"),
    "its own parent": (child(CHILD.but(parent=NUMBER)), {}, "refused", "mchd_chain_loop"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_chain_that_does_not_hold(name: str) -> None:
    one, parents, state, code = CHAINS[name]
    assert answers(judged(one, BY_CLERK, parents=parents)) == (state, (code,))


def test_once_is_not_twice() -> None:
    middle = "22222222-2222-4333-8444-555555555555"
    last = Who("Третьяков", "Олег", "Львович", "165002222210", "005-006-007 88")
    parents = {
        PARENT: signed(PARENT_MADE),
        middle: child(CHILD.but(number=middle, delegation="2")),
    }
    grandchild = child(
        CHILD.but(parent=middle, giver=CLERK, people=(last,), issued="2026-09-12"), person(CLERK)
    )
    question = asked(signer=person(last))
    once = judged(grandchild, question, parents=parents)
    assert answers(once) == ("refused", ("mchd_delegation_forbidden",))
    parents[PARENT] = signed(PARENT_MADE.but(delegation="3"))
    assert answers(judged(grandchild, question, parents=parents)) == ("confirmed", ())


@pytest.mark.parametrize(
    ("text", "act", "trouble"),
    [
        ("Подписание писем; участие в совещаниях", "letter", None),
        ("Подписывать от имени организации любых документов", "order", None),
        ("Подписание. Отправка писем", "letter", "powers_unclear"),
        ("Подписание писем, кроме писем в органы власти", "letter", "powers_unclear"),
        ("Подписание писем без права передоверия", "letter", "powers_unclear"),
        ("Не вправе осуществлять подписание писем", "letter", "powers_unclear"),
        ("Представлять интересы", "letter", "powers_unclear"),
        ("", "letter", "powers_unclear"),
    ],
)
def test_free_text_is_believed_only_as_far_as_a_rule_goes(
    text: str, act: str, trouble: str | None
) -> None:
    assert covering((Power("", text),), act=act, rules=RULES) == trouble


def test_identities_by_digits() -> None:
    padded = identity_of({"inn": "007707083893", "ogrn": "1027700132195"})
    assert (padded.organization_inn, padded.person_inn) == (INN, "")
    own = identity_of({"inn": "165007654394", "inn_le": INN, "snils": "123-456-789 64"})
    assert (own.person_inn, own.organization_inn, own.snils) == (DEPUTY.inn, INN, DEPUTY.digits)
    assert not identity_of({"common_name": "Галиев Рустам Ильдарович"}).is_of_person
    assert agrees(("1", ""), ("", "2")) is None
    assert agrees(("1", "1"), ("2", "3")) is False


def test_names() -> None:
    assert same_name("Ёлкин", "ПЁТР Ильич", last="Елкин", first="Петр", middle="Ильич")
    assert same_name("Ёлкин", "Пётр", last="Ёлкин", first="Пётр", middle="Ильич")
    assert not same_name("Ёлкин", "Пётр Львович", last="Ёлкин", first="Пётр", middle="Ильич")
    assert not same_name("Ёлкин", "П.", last="Ёлкин", first="Пётр")
    assert not same_name("", "", last="", first="")
    assert not same_name("Ёлкин", "Пётр", last="Ёлкин", first="")


def test_every_finding_has_words_in_two_languages() -> None:
    for code, finding in FINDINGS.items():
        assert finding.code == code
        assert finding.ru != finding.en
