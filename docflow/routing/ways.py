"""Ways to a recipient (порядок каналов): which of an organization's channels can be taken, and why
the others cannot.

An organization's card holds its channels in the order of its preference. One SQL expression says
for each of them what stands in its way; the plan of a dispatch, the dispatch itself, the next
channel after a failure and the report on coverage all read that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.settings import settings

LAST_RESORT = "paper"
"""A sheet that the superior hands over reaches everybody; for those who have no other way."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Channels a document's mark forbids (запрет каналов по отметке)."""

    mark: str
    channels: frozenset[str]
    source: str


RULES: tuple[Rule, ...] = (
    Rule(
        mark="dsp",
        channels=frozenset({"email", "offline", "medo"}),
        source="Постановление Правительства РФ от 03.11.1994 № 1233: документы «Для служебного"
        " пользования» не передаются по открытым каналам и не копируются на сторонние носители",
    ),
)
"""What no document with the mark ever goes by; a new restriction is one line."""

REASONS: Mapping[str, tuple[str, str]] = {
    "mark_forbids": ("отметка документа запрещает этот канал", "the document's mark forbids it"),
    "not_set_up": ("канал не настроен в этой установке", "not set up in this installation"),
    "no_email": ("в карточке нет адреса электронной почты", "the card has no e-mail address"),
    "email_faulty": ("почта на этот адрес не доходит", "mail to this address does not arrive"),
    "no_phone": ("в карточке нет телефона", "the card has no telephone"),
    "no_node": ("организация не обслуживается другим узлом", "no other node serves it"),
    "lives_elsewhere": ("организация обслуживается другим узлом", "another node serves it"),
    "not_in_medo": ("организация не участник МЭДО", "not a participant of МЭДО"),
}
"""What can stand in the way of a channel, for people."""


def forbidden(mark: str) -> list[str]:
    """Channels a document with this mark never goes by."""
    return sorted({name for rule in RULES if rule.mark == mark for name in rule.channels})


def all_forbidden() -> list[tuple[str, str]]:
    """Every pair of mark and channel that is forbidden."""
    return [(rule.mark, name) for rule in RULES for name in sorted(rule.channels)]


def not_set_up() -> list[str]:
    """Channels this installation cannot use, by its settings."""
    missing = []
    if not settings().smtp.host:
        missing.append("email")
    return missing


def reason_sql(channel: str, organization: str, *, closed: str) -> str:
    """SQL: the code in `REASONS` why `channel` cannot be taken to `organization`; null: it can.

    `channel` is an expression, `organization` an alias of the table, `closed` a placeholder of
    text[]: channels that are not set up. Marks are asked for apart, since they are the document's.
    """
    o = organization
    return f"""CASE
        WHEN {channel} = ANY ({closed}) THEN 'not_set_up'
        WHEN {channel} = 'email' AND {o}.email = '' THEN 'no_email'
        WHEN {channel} = 'email' AND EXISTS (SELECT 1 FROM mail_fault AS f
            WHERE f.organization_id = {o}.id AND f.address = {o}.email) THEN 'email_faulty'
        WHEN {channel} = 'voice' AND {o}.phone = '' THEN 'no_phone'
        WHEN {channel} = 'medo' AND NOT EXISTS (SELECT 1 FROM medo_partner AS p
            WHERE p.organization_id = {o}.id AND p.is_active AND NOT p.is_own) THEN 'not_in_medo'
        END"""


def first_sql(organization_id: str, channels: str, *, barred: str, closed: str) -> str:
    """SQL: the channel to take first to the organization of this id with these `channels`.

    `barred`, `closed`: placeholders of text[] (marks, settings). Who is reached inside this
    installation, nearly everybody, costs no look at the card. Where nothing can be taken it is
    МЭДО, which holds such a letter with the reason until the participant is entered, or paper.
    """
    return f"""CASE WHEN {channels}[1] = 'internal' THEN 'internal' ELSE coalesce((
        SELECT c.name FROM organization AS way, unnest(way.channels) WITH ORDINALITY
             AS c (name, place)
        WHERE way.id = {organization_id} AND c.name <> ALL ({barred})
          AND {reason_sql("c.name", "way", closed=closed)} IS NULL
        ORDER BY c.place LIMIT 1),
        CASE WHEN 'medo' = ANY ({channels}) AND 'medo' <> ALL ({barred}) THEN 'medo'
             ELSE '{LAST_RESORT}' END) END"""


def all_sql(organization: str, *, barred: str, closed: str) -> str:
    """SQL: the organization's channels in order as JSON, each with its reason or null."""
    return f"""(SELECT coalesce(jsonb_agg(jsonb_build_object('channel', c.name, 'reason',
            CASE WHEN c.name = ANY ({barred}) THEN 'mark_forbids'
                 ELSE {reason_sql("c.name", organization, closed=closed)} END)
            ORDER BY c.place), '[]')
        FROM unnest({organization}.channels) WITH ORDINALITY AS c (name, place))"""


def in_words(ways: Sequence[Mapping[str, str | None]]) -> tuple[str, str]:
    """Why the first usable one was chosen, in Russian and English: what stood in the way before."""
    passed = []
    for one in ways:
        if one["reason"] is None:
            break
        passed.append((one["channel"], REASONS[str(one["reason"])]))
    ru = "; ".join(f"{name}: {words[0]}" for name, words in passed)
    en = "; ".join(f"{name}: {words[1]}" for name, words in passed)
    return ru, en
