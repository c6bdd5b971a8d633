"""The dossier's paper, in Russian: what a judge or a claimant's lawyer reads first."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from compliance.dossiers import measured
from compliance.dossiers.dossier_facts import Facts
from compliance.verdicts.covering import CHANNEL_NAMES
from core import clock
from core.papers.dossier_form import Fact, Kept, PictureDossier, Rate, RuleSaid, Section

VERDICTS = {
    "clear": "Публикация разрешена",
    "needs_licence": "Нужна лицензия",
    "needs_review": "Нужно решение юриста",
    "blocked": "Публикация запрещена",
}
_KINDS = {"contract": "договор", "stock": "лицензия фотобанка", "public": "открытая лицензия"}
_REACH = {"organization": "организация", "subtree": "организация и все ниже", "line": "по линии"}
_DECISIONS = {"cleared": "разрешено", "refused": "отказано", "open": "не рассмотрено",
              "expired": "срок истёк"}  # fmt: skip
_VERBS = {
    "picture.add": "изображение внесено в реестр",
    "picture.snapshot": "приложен снимок страницы источника",
    "picture.approve": "запись одобрена вторым сотрудником",
    "picture.retire": "изображение исключено из реестра",
    "licence.add": "лицензия внесена",
    "licence.confirm": "условия лицензии подтверждены",
    "licence.revoke": "лицензия отозвана",
    "licence.retire": "лицензия исключена из реестра",
    "picture.check": "изображение проверено",
    "picture_review.ask": "запрошено решение юриста",
    "picture_review.decide": "юрист принял решение",
    "picture_use.record": "публикация записана",
    "picture_use.judge": "публикация перепроверена",
    "picture_use.withdraw": "изображение снято с публикации",
    "publication.created": "публикация начата",
    "publication.corrected": "карточка публикации изменена",
    "publication.file": "загружен файл номера",
    "publication.picture_added": "изображение добавлено в публикацию",
    "publication.picture_corrected": "подпись к изображению изменена",
    "publication.ready": "публикация готова",
    "publication.blocked": "публикация остановлена",
    "publication.reopened": "публикация возвращена в черновики",
    "publication.published": "публикация вышла",
    "publication.withdrawn": "публикация снята",
}
_MOST_EVENTS = 60


def paper(
    facts: Facts,
    *,
    files: Sequence[Kept],
    figures: measured.Measured | None,
    json_sha256: str,
    preview: bytes,
    made_at: datetime,
) -> PictureDossier:
    """Everything the template shows; the same facts give the same paper."""
    outcome = facts.answer.outcome
    rates, note = _rates(figures)
    decision = facts.answer.decision
    reasons = (*((decision.reason,) if decision else ()), *facts.verdict.reasons)
    return PictureDossier(
        organization=facts.organization,
        title="Досье использования изображения",
        made_at=_moment(made_at),
        verdict=VERDICTS[outcome],
        verdict_code=outcome,
        verdict_note=_verdict_note(facts),
        sections=tuple(_sections(facts)),
        reasons=tuple(RuleSaid(rule=one.rule, text=one.ru, to_do=one.do_ru) for one in reasons),
        files=tuple(files),
        rates=rates,
        rates_note=note,
        json_sha256=json_sha256,
        preview=tuple(preview),
        preview_note="Изображение в том виде, в каком оно опубликовано",
    )


def _verdict_note(facts: Facts) -> str:
    turns = facts.verdict.turns
    said = f"Заключение на {_day(facts.case.use.on)} по правилам {facts.verdict.rules}."
    if turns is not None:
        said += f" С {_day(turns.on)} ответ другой: «{VERDICTS[turns.outcome].lower()}»."
    if facts.latest is not None:
        then = VERDICTS[facts.latest["outcome"]].lower()
        said += f" Перепроверка {_moment(facts.latest['created_at'])}: {then}."
    return said


def _sections(facts: Facts) -> list[Section]:
    every = [_use(facts), _publication(facts), _check(facts)]
    every += [_picture(facts, row) for row in facts.pictures]
    every += [_licence(facts, row) for row in facts.licences]
    every += [_own_work(facts, row) for row in facts.own_works]
    if not facts.licences and not facts.own_works:
        every.append(Section(heading="Лицензии и согласия", note="В реестре не было ни одной."))
    every.append(_claimants(facts))
    every += [_review(facts, row) for row in facts.reviews]
    every.append(_events(facts))
    return every


def _use(facts: Facts) -> Section:
    use = facts.use
    return Section(heading="Использование", facts=_known(
        ("Организация", facts.organization), ("Где", use["place"]),
        ("Способ", CHANNEL_NAMES.get(use["channel"], use["channel"])),
        ("Опубликовано", _moment(use["published_at"])),
        ("Снято", _moment(use["withdrawn_at"])),
        ("Подпись под изображением", facts.case.use.caption),
        ("Обязательная строка", "; ".join(one.line for one in facts.verdict.attribution)),
        ("Записал", facts.people.get(use["created_by"], "")),
        ("Номер использования", str(use["id"]), True),
    ))  # fmt: skip


def _publication(facts: Facts) -> Section:
    found = facts.publication
    if found is None:
        return Section(heading="Публикация", note="Изображение показано вне публикаций сервиса.")
    pages = sorted({one["page"] for one in found["places"] if one.get("page")})
    return Section(heading="Публикация", facts=_known(
        ("Заголовок", found["title"]), ("Файл", found["file_name"] or ""),
        ("Страницы", ", ".join(str(page) for page in pages)),
        ("Плановый день", _day(found["planned_on"])),
        ("Причина снятия", found["withdrawn_reason"] or ""),
        ("Номер публикации", str(found["id"]), True),
    ))  # fmt: skip


def _check(facts: Facts) -> Section:
    row = facts.check
    return Section(heading="Проверка перед публикацией", facts=_known(
        ("Проверено", _moment(row["created_at"])), ("Версия правил", row["rules"]),
        ("Состояние реестра", f"изменение № {row['register_change_id']}"),
        ("Отпечаток реестра", bytes(row["register_digest"]).hex(), True),
        ("SHA-256 изображения", bytes(row["sha256"]).hex(), True),
        ("Номер проверки", str(row["id"]), True),
    ))  # fmt: skip


def _picture(facts: Facts, row: dict[str, Any]) -> Section:
    match = next((one for one in facts.case.matches if one.picture == str(row["id"])), None)
    found = {"exact": "тот же файл", "verified": "подтверждено по пикселям",
             "candidate": "похоже, не подтверждено"}  # fmt: skip
    return Section(heading=f"Изображение реестра «{row['title'] or 'без названия'}»", facts=_known(
        ("Совпадение", found[match.level] if match else ""), ("Автор", row["author"]),
        ("Источник", row["source"]),
        ("Снимок страницы", "есть" if row["snapshot_blob_id"] else "нет"),
        ("Нашёл", _by(facts, row["found_by"], row["found_at"])),
        ("Одобрил", _by(facts, row["approved_by"], row["approved_at"]) or "никто"),
        ("SHA-256 записи", bytes(row["sha256"]).hex(), True),
    ))  # fmt: skip


def _licence(facts: Facts, row: dict[str, Any]) -> Section:
    term = " — ".join((_day(row["since"]) or "без начала", _day(row["until"]) or "без окончания"))
    channels = ", ".join(CHANNEL_NAMES.get(one, one) for one in row["channels"]) or "любые"
    used = " (на ней основано заключение)" if str(row["id"]) in facts.verdict.licences else ""
    return Section(heading=f"Лицензия {row['number'] or row['public'] or ''}{used}", facts=_known(
        ("Вид", _KINDS[row["kind"]]), ("Правообладатель", row["holder"]),
        ("Открытая лицензия", row["public"] or ""), ("Действует для", _REACH[row["reach"]]),
        ("Способы", channels), ("Срок", term), ("Обязательная строка", row["attribution"]),
        ("Внёс", _by(facts, row["created_by"], row["created_at"])),
        ("Подтвердил", _by(facts, row["confirmed_by"], row["confirmed_at"]) or "никто"),
        ("Отозвана", " ".join(filter(None, (_day(row["revoked_on"]), row["revoked_reason"])))),
        ("Номер записи", str(row["id"]), True),
    ))  # fmt: skip


def _own_work(facts: Facts, row: dict[str, Any]) -> Section:
    return Section(heading="Собственное произведение", facts=_known(
        ("Автор", row["author"]),
        ("Согласие", " — ".join((_day(row["since"]) or "без начала",
                                 _day(row["until"]) or "без окончания"))),
        ("Подтвердил", _by(facts, row["confirmed_by"], row["confirmed_at"])),
        ("Отозвано", _day(row["withdrawn_on"])), ("Номер записи", str(row["id"]), True),
    ))  # fmt: skip


def _claimants(facts: Facts) -> Section:
    heading = "Заявители претензий"
    if not facts.case.claimants:
        return Section(heading=heading, note="Совпадений с заявителями и их работами не было.")
    return Section(heading=heading, facts=tuple(
        Fact(label=one.name, value=f"произведений с совпадением: {len(one.works)}")
        for one in facts.case.claimants
    ))  # fmt: skip


def _review(facts: Facts, row: dict[str, Any]) -> Section:
    return Section(heading="Решение юриста", facts=_known(
        ("Запросил", _by(facts, row["asked_by"], row["asked_at"])),
        ("Решение", _DECISIONS[row["status"]]),
        ("Решил", _by(facts, row["decided_by"], row["decided_at"])),
        ("Обоснование", row["reason"] or ""), ("Действует по", _day(row["until"])),
    ))  # fmt: skip


def _events(facts: Facts) -> Section:
    shown = facts.told[-_MOST_EVENTS:]
    left = len(facts.told) - len(shown)
    return Section(
        heading="Ход событий",
        facts=tuple(Fact(label=_moment(one["at"]), value=_event(facts, one)) for one in shown),
        note=f"Более ранних событий: {left}, они в dossier.json." if left else "",
    )


def _event(facts: Facts, one: dict[str, Any]) -> str:
    name = facts.people.get(one["actor_id"], "сервис" if one["actor_kind"] == "rule" else "")
    return str(_VERBS.get(one["verb"], one["verb"])) + (f" — {name}" if name else "")


def _rates(figures: measured.Measured | None) -> tuple[tuple[Rate, ...], str]:
    if figures is None:
        return (), "Измерений метода в этой установке нет: доля пропусков не известна."
    rows = tuple(
        Rate(
            copies=row.name, missed=_percent(row.missed), trials=str(row.trials),
            bounds=f"{_percent(row.lowest)} – {_percent(row.highest)}",
        )
        for row in figures.rows
    )  # fmt: skip
    at = _moment(datetime.fromisoformat(figures.at))
    return rows, (
        f"Измерено {at}: доля копий каждого вида, по которым поиск не нашёл исходное изображение."
    )


def _percent(share: float) -> str:
    return f"{100 * max(share, 0.0):.1f} %".replace(".", ",")


def _known(*pairs: tuple[Any, ...]) -> tuple[Fact, ...]:
    """The lines that have something to say; a third part marks digests and ids."""
    return tuple(
        Fact(label=pair[0], value=str(pair[1]), is_code=len(pair) > 2) for pair in pairs if pair[1]
    )


def _by(facts: Facts, account_id: uuid.UUID | None, at: datetime | None) -> str:
    if account_id is None:
        return ""
    return ", ".join(filter(None, (facts.people.get(account_id, "сервис"), _moment(at))))


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(clock.MOSCOW):%d.%m.%Y %H:%M} МСК"


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%d.%m.%Y}"
