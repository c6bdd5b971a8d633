"""Checks: one message has one effect, whatever happens to its requests and receipts."""

import asyncio
from datetime import timedelta

import msgspec

from core import clock
from docflow.gateways.node.container import PIECE
from docflow.gateways.node.kit import checking
from docflow.gateways.node.kit.checking import Bench, Check, Failed, receipt, require
from docflow.gateways.node.messages import Manifest


async def _accepted(bench: Bench) -> None:
    manifest = bench.manifest()
    found = require(receipt(await bench.send(manifest), manifest), "accepted")
    checking.require_placed(found, manifest)


async def _duplicate(bench: Bench) -> None:
    manifest = bench.manifest()
    first = require(receipt(await bench.send(manifest), manifest), "accepted")
    for _ in range(2):
        checking.require_same(first, receipt(await bench.send(manifest), manifest))


async def _receipt_lost(bench: Bench) -> None:
    manifest = bench.manifest()
    body = bench.packed(manifest)
    await bench.line.broken_off("POST", "/messages", body, sent=len(body))
    first = require(receipt(await bench.send(manifest), manifest), "accepted", "duplicate")
    checking.require_placed(first, manifest)
    checking.require_same(first, receipt(await bench.send(manifest), manifest))


async def _replayed(bench: Bench) -> None:
    manifest = bench.manifest()
    body = bench.packed(manifest)
    message = bench.line.drafted("POST", "/messages", body)
    first = require(
        receipt(await bench.line.put_through(message, "/messages", body), manifest), "accepted"
    )
    again = await bench.line.put_through(message, "/messages", body)
    if again.status != 401:
        checking.require_same(first, receipt(again, manifest))


async def _at_once(bench: Bench) -> None:
    manifest = bench.manifest()
    replies = await asyncio.gather(*(bench.send(manifest) for _ in range(5)))
    told = [receipt(one, manifest) for one in replies if one.status != 503]
    first = [one for one in told if one.status == "accepted"]
    if len(first) != 1:
        raise Failed("принято должно быть ровно одно", "exactly one has to be accepted",
                     [one.status for one in told])  # fmt: skip
    for one in told:
        if one is not first[0]:
            checking.require_same(first[0], one)


async def _uid_reused(bench: Bench) -> None:
    manifest = bench.manifest()
    first = require(receipt(await bench.send(manifest), manifest), "accepted")
    card = msgspec.structs.replace(manifest.card, title="Другое письмо под тем же номером")
    other = msgspec.structs.replace(manifest, card=card)
    require(receipt(await bench.send(other), other), "refused", reason="uid_reused")
    checking.require_same(first, receipt(await bench.send(manifest), manifest))


async def _document_changed(bench: Bench) -> None:
    manifest = bench.manifest()
    require(receipt(await bench.send(manifest), manifest), "accepted")
    card = msgspec.structs.replace(manifest.card, title="Другое письмо с тем же id")
    other = bench.manifest(card=card)
    require(receipt(await bench.send(other), other), "refused", reason="document_changed")


async def _failed_try(bench: Bench) -> None:
    manifest = bench.manifest()
    spoilt = bench.document[:-1] + bytes([bench.document[-1] ^ 1])
    checking.require_refused(
        await bench.send(manifest, spoilt), "node_part_changed", status=(422,)
    )  # fmt: skip
    require(receipt(await bench.send(manifest), manifest), "accepted")


async def _half_message(bench: Bench) -> None:
    manifest = bench.manifest()
    body = bench.packed(manifest)
    sent = len(body) - len(bench.document) // 2
    await bench.line.broken_off("POST", "/messages", body, sent=sent)
    require(receipt(await bench.send(manifest), manifest), "accepted")


async def _half_part(bench: Bench) -> None:
    annex = checking.an_annex(PIECE + 4096)
    manifest = bench.manifest(bench.document, annex)
    part = manifest.files[1].sha256
    await _begun(bench, manifest, part, annex)
    last = f"/parts/{part}?offset={PIECE}"
    await bench.line.broken_off("PUT", last, annex[PIECE:], sent=100)
    if (have := (await _asked(bench, manifest)).get(part)) != PIECE:
        raise Failed("продолжать надо с принятого байта", "it goes on from the byte it has", have)
    if (have := checking.had(await bench.piece(part, 0, annex[:PIECE]))) != PIECE:
        raise Failed("кусок не с того места менять ничего не должен",
                     "a piece for another place changes nothing", have)  # fmt: skip
    if (have := checking.had(await bench.piece(part, PIECE, annex[PIECE:]))) != len(annex):
        raise Failed("последний кусок не засчитан", "the last piece was not counted", have)
    raw = bench.bare(manifest)
    first = require(receipt(await bench.line.ask("POST", "/messages", raw), manifest), "accepted")
    checking.require_same(
        first, receipt(await bench.line.ask("POST", "/messages", raw), manifest)
    )  # fmt: skip


async def _asked(bench: Bench, manifest: Manifest) -> dict[str, int]:
    return checking.needs(await bench.line.ask("POST", "/messages", bench.bare(manifest)))


async def _begun(bench: Bench, manifest: Manifest, part: str, annex: bytes) -> None:
    """The main file whole, and the first piece of the annex."""
    wanted = await _asked(bench, manifest)
    if wanted.get(part) != 0:
        raise Failed("новая часть нужна с начала", "a new part is needed from its start", wanted)
    main = manifest.files[0].sha256
    if main in wanted:
        checking.had(await bench.piece(main, 0, bench.document))
    if checking.had(await bench.piece(part, 0, annex[:PIECE])) != PIECE:
        raise Failed("первый кусок не засчитан", "the first piece was not counted")


async def _part_changed(bench: Bench) -> None:
    annex = checking.an_annex(10_000)
    manifest = bench.manifest(bench.document, annex)
    part = manifest.files[1].sha256
    if part not in await _asked(bench, manifest):
        raise Failed("новая часть нужна с начала", "a new part is needed from its start")
    spoilt = annex[:-1] + b"?"
    checking.require_refused(await bench.piece(part, 0, spoilt), "node_part_changed", status=(422,))
    if (have := (await _asked(bench, manifest)).get(part)) != 0:
        raise Failed("испорченная часть начинается заново", "a spoilt part begins anew", have)
    if checking.had(await bench.piece(part, 0, annex)) != len(annex):
        raise Failed("верная часть не принята", "the right part was not taken")


async def _recall_first(bench: Bench) -> None:
    manifest = bench.manifest()
    recall = bench.recall(manifest)
    require(receipt(await bench.note(recall), recall), "accepted")
    require(receipt(await bench.note(recall), recall), "duplicate")
    require(
        receipt(await bench.send(manifest), manifest), "refused", reason="document_recalled"
    )  # fmt: skip


async def _statements(bench: Bench) -> None:
    new = bench.statement()
    require(receipt(await bench.note(new), new), "accepted")
    require(receipt(await bench.note(new), new), "duplicate")
    old = bench.statement(number=new.number - 1)
    require(receipt(await bench.note(old), old), "refused", reason="statement_old")


async def _restored(bench: Bench) -> None:
    """A sender restored from its backup knows nothing of what it sent: it sends that anew."""
    manifest = bench.manifest()
    first = require(receipt(await bench.send(manifest), manifest), "accepted")
    again = msgspec.structs.replace(manifest, made_at=clock.now() + timedelta(seconds=1))
    checking.require_same(first, receipt(await bench.send(again), again))


CHECKS = (
    Check("accepted", "Сообщение принято, квитанция подписана и называет каждого адресата",
          "A message is accepted; its signed receipt names each recipient", _accepted),
    Check("duplicate", "Повтор — не второе сообщение", "A repeat is no second message", _duplicate),
    Check("receipt_lost", "Квитанция потеряна после приёма",
          "The receipt is lost after the commit", _receipt_lost),
    Check("replayed", "Тот же запрос до байта ещё раз", "The same request to the byte again",
          _replayed),
    Check("at_once", "Пять одинаковых одновременно", "Five alike at once", _at_once),
    Check("uid_reused", "Тот же uid с другим содержанием", "The same uid with other content",
          _uid_reused),
    Check("document_changed", "Тот же документ с другим содержанием",
          "The same document with other content", _document_changed),
    Check("failed_try", "Неудачная попытка не делает следующую повтором",
          "A try that failed does not make the next one a duplicate", _failed_try),
    Check("half_message", "Сообщение оборвано на середине", "A message is cut in the middle",
          _half_message),
    Check("half_part", "Часть оборвана, куски вразнобой", "A part is cut, pieces out of order",
          _half_part),
    Check("part_changed", "Часть пришла испорченной", "A part comes out wrong", _part_changed),
    Check("recall_first", "Отзыв обогнал сообщение", "A recall overtakes its message",
          _recall_first),
    Check("statements", "Заявления вразнобой и повторно", "Statements out of order and again",
          _statements),
    Check("restored", "Отправитель восстановлен из копии и составил то же сообщение заново",
          "A sender restored from its backup makes the same message anew", _restored),
)  # fmt: skip
