"""Lists of retention terms as data: loaded by edition, searched, confirmed against the act itself.

No term is written in code. A row says how it was come by (`mark`): read in the act, seen in a
secondary source, unverified, or confirmed by this installation. An unverified one can be attached
to no case until somebody who has the act before him confirms it.
"""

import hashlib
import json
import uuid
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.paging import require_limit
from directory import organizations, second_factor
from docflow.documents.cards import require_text
from docflow.documents.records.terms import TermKind

BUILT_IN = Path(__file__).parent / "lists"
MAX_ARTICLES = 5000
PAGE = 200

Text = Annotated[str, msgspec.Meta(max_length=2000)]
Years = Annotated[int, msgspec.Meta(ge=1, le=200)]


class ArticleInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One row of a list; `other_…` is the term for those who feed no state archive."""

    article: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    item: Annotated[str, msgspec.Meta(max_length=50)] = ""
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    term_kind: TermKind
    years: Years | None = None
    needs_decision: bool = False
    other_kind: TermKind | None = None
    other_years: Years | None = None
    other_needs_decision: bool | None = None
    note: Text = ""
    mark: Literal["read", "seen", "unverified"] = "unverified"


class ListInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A list in one edition."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    edition: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    valid_from: date
    valid_to: date | None = None
    articles: Annotated[list[ArticleInput], msgspec.Meta(min_length=1, max_length=MAX_ARTICLES)]


def built_in() -> list[ListInput]:
    """The lists that come with the service, with the mark of each row."""
    files = sorted(BUILT_IN.glob("*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=ListInput) for path in files]


async def load(actor: Actor, given: ListInput) -> uuid.UUID:
    """Load a list for the whole installation; the same edition twice is the same list.

    For administrators of the center with a second factor. Raises `edition_taken` when the edition
    is there with another content: a correction is an edition of its own, what was attached stays.
    """
    await _require_keeper(actor)
    _check(given)
    digest = hashlib.sha256(msgspec.json.encode(given, order="sorted")).digest()
    async with db.transaction():
        await db.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", given.code)
        known = await db.row(
            "SELECT id, sha256 FROM retention_list WHERE code = $1 AND edition = $2",
            given.code, given.edition,
        )  # fmt: skip
        if known is not None:
            if bytes(known["sha256"]) != digest:
                raise Conflict(
                    "Эта редакция перечня уже загружена с другим содержанием. Загрузите"
                    " исправленную под другим названием редакции.",
                    "This edition is loaded with another content. Load the correction as an"
                    " edition of its own.",
                    code="edition_taken",
                )
            return uuid.UUID(str(known["id"]))
        return await _insert(actor, given, digest)


async def _insert(actor: Actor, given: ListInput, digest: bytes) -> uuid.UUID:
    list_id = clock.new_id()
    await db.execute(
        """INSERT INTO retention_list (id, code, edition, title, source, valid_from, valid_to,
               sha256, loaded_by, loaded_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        list_id, given.code, given.edition, given.title, given.source, given.valid_from,
        given.valid_to, digest, actor.id, clock.now(),
    )  # fmt: skip
    await db.execute_many(
        """INSERT INTO retention_article (id, list_id, article, item, title, term_kind, years,
               needs_decision, other_kind, other_years, other_needs_decision, note, mark)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        [
            (clock.new_id(), list_id, one.article, one.item, one.title, one.term_kind, one.years,
             one.needs_decision, one.other_kind, one.other_years, one.other_needs_decision,
             one.note, one.mark)
            for one in given.articles
        ],
    )  # fmt: skip
    await events.record(
        actor, "retention_list.loaded", subject=("retention_list", list_id),
        data={"code": given.code, "edition": given.edition, "sha256": digest.hex(),
              "articles": len(given.articles)},
    )  # fmt: skip
    return list_id


def _check(given: ListInput) -> None:
    if "\\u0000" in json.dumps(msgspec.to_builtins(given)):
        raise InvalidInput(code="bad_character")
    seen: set[tuple[str, str]] = set()
    for one in given.articles:
        place = (one.article, one.item)
        pairs = ((one.term_kind, one.years), (one.other_kind, one.other_years))
        if place in seen or any((kind == "years") != (years is not None) for kind, years in pairs):
            raise InvalidInput(
                f"Статья {one.article} {one.item}: повтор или срок в годах без числа лет.",
                f"Article {one.article} {one.item}: given twice, or years without a number.",
                code="bad_article", article=one.article,
            )  # fmt: skip
        seen.add(place)


async def confirm(actor: Actor, article_id: uuid.UUID, *, source: str) -> None:
    """Note that an article was compared with the act itself; from then on it can be attached."""
    await _require_keeper(actor)
    require_text(source, most=2000, field="source")
    if len(source.strip()) < 5:
        raise InvalidInput(
            "Укажите, с чем сверено: издание, страница, дата.",
            "Say what it was compared with: publication, page, date.",
            code="source_missing", field="source",
        )  # fmt: skip
    async with db.transaction():
        done = await db.execute(
            """UPDATE retention_article SET mark = 'confirmed', confirmed_source = $2,
                   confirmed_by = $3, confirmed_at = $4 WHERE id = $1 AND mark <> 'confirmed'""",
            article_id, source.strip(), actor.id, clock.now(),
        )  # fmt: skip
        if not done:
            await get(article_id)
            return
        await events.record(
            actor, "retention_article.confirmed", subject=("retention_article", article_id),
            data={"source": source.strip()},
        )  # fmt: skip


async def get(article_id: uuid.UUID) -> db.Row:
    """An article with its list's edition and dates. Raises NotFound."""
    found = await db.row(f"{_SELECT} WHERE a.id = $1", article_id)
    if found is None:
        raise NotFound(article_id=str(article_id))
    return found


async def attachable(article_id: uuid.UUID, *, year: int) -> db.Row:
    """An article that a case of `year` may have.

    Raises `article_unverified`, and `list_not_in_force` for an edition that did not hold in that
    year (order 558 for cases closed after 18.02.2020, and the like).
    """
    found = await get(article_id)
    if found["mark"] == "unverified":
        raise InvalidInput(
            f"Статья {said(found)} не сверена с самим перечнем. Сначала её подтверждает"
            " администратор центра.",
            f"Article {said(found)} was not compared with the list itself. An administrator of the"
            " center has to confirm it first.",
            code="article_unverified", article_id=str(article_id),
        )  # fmt: skip
    last = date(year, 12, 31)
    if found["valid_from"] > last or (found["valid_to"] is not None and found["valid_to"] < last):
        raise InvalidInput(
            f"Перечень «{found['edition']}» не действует для дел {year} года.",
            f"The list {found['edition']!r} is not in force for cases of {year}.",
            code="list_not_in_force", article_id=str(article_id),
        )  # fmt: skip
    return found


async def named(text: str, *, year: int) -> uuid.UUID:
    """The article people mean by «19б», of the newest list in force at the end of a year.

    Raises `unknown_article`.
    """
    require_text(text, most=100, field="article")
    plain = text.strip().removeprefix("ст.").strip()
    found: uuid.UUID | None = await db.value(
        """SELECT a.id FROM retention_article AS a JOIN retention_list AS l ON l.id = a.list_id
           WHERE lower(a.article || a.item) = lower($1) AND l.valid_from <= $2
           AND (l.valid_to IS NULL OR l.valid_to >= $2) ORDER BY l.valid_from DESC LIMIT 1""",
        plain, date(year, 12, 31),
    )  # fmt: skip
    if found is None:
        raise InvalidInput(
            f"Статьи «{plain}» нет в перечнях, действующих в {year} году.",
            f"No list in force in {year} has an article {plain!r}.",
            code="unknown_article", field="article",
        )  # fmt: skip
    return found


def said(article: db.Row) -> str:
    """«ст. 19а»: the article as the fourth column names it."""
    return f"ст. {article['article']}{article['item']}"


async def search(*, text: str = "", on: date | None = None, limit: int = PAGE) -> list[db.Row]:
    """Articles by words of the title or by number, of lists in force on a day; unverified too."""
    require_text(text, most=200, field="q")
    require_limit(limit, most=PAGE)
    return await db.rows(
        f"""{_SELECT} WHERE l.valid_from <= $2 AND (l.valid_to IS NULL OR l.valid_to >= $2)
            AND ($1 = '' OR a.article = $1 OR a.article || a.item = $1
                 OR to_tsvector('russian', a.title) @@ websearch_to_tsquery('russian', $1))
            ORDER BY l.valid_from DESC, length(a.article), a.article, a.item LIMIT $3""",
        text.strip(), on or clock.today(), limit,
    )  # fmt: skip


_SELECT = """SELECT a.*, l.code, l.edition, l.title AS list_title, l.valid_from, l.valid_to
    FROM retention_article AS a JOIN retention_list AS l ON l.id = a.list_id"""


async def lists() -> list[db.Row]:
    """Every loaded edition, the newest first, with how many rows it has and may be used."""
    return await db.rows(
        """SELECT l.id, l.code, l.edition, l.title, l.source, l.valid_from, l.valid_to, l.loaded_at,
                  encode(l.sha256, 'hex') AS sha256, count(a.id) AS articles,
                  count(a.id) FILTER (WHERE a.mark <> 'unverified') AS usable
           FROM retention_list AS l JOIN retention_article AS a ON a.list_id = l.id
           GROUP BY l.id ORDER BY l.valid_from DESC, l.id"""
    )


async def _require_keeper(actor: Actor) -> None:
    if not await organizations.is_keeper(actor):
        raise Forbidden(
            "Перечни сроков хранения ведёт администратор федерального центра.",
            "Retention lists are kept by administrators of the federal center.",
            code="center_only",
        )
    second_factor.demand(actor)


def as_data(given: ListInput) -> dict[str, Any]:
    """A list as JSON has it."""
    found: dict[str, Any] = msgspec.to_builtins(given)
    return found
