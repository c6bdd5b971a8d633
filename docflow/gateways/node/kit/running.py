"""A run of the kit: is the kit known there, then check by check, and the report of it all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from core import clock, papers
from core.errors import ServiceError
from docflow.gateways.node import keys
from docflow.gateways.node.kit import answers, once, strain, trust
from docflow.gateways.node.kit.checking import Bench, Check, Failed, NotMade
from signatures import pdf
from signatures.authority import Subject, create_authority

CHECKS: tuple[Check, ...] = (
    *trust.CHECKS, *once.CHECKS, *strain.CHECKS, *answers.CHECKS,
)  # fmt: skip
"""In this order; each stands alone."""

Verdict = Literal["pass", "fail", "not_made"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one check has found."""

    check: str
    verdict: Verdict
    ru: str
    en: str
    told_ru: str = ""
    told_en: str = ""
    seen: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is empty is left out."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) != ""}


def chosen(*, only: Sequence[str] = (), listens: bool = False) -> tuple[Check, ...]:
    """The checks of a run; those of answers only when the kit listens. ValueError: unknown name."""
    if unknown := set(only) - {one.code for one in CHECKS}:
        raise ValueError(f"no such check: {', '.join(sorted(unknown))}")
    return tuple(
        one for one in CHECKS
        if (one.code in only if only else listens or one.group == "requests")
    )  # fmt: skip


async def is_known(bench: Bench) -> tuple[bool, str]:
    """Does the node take a statement of ours? Also tells it where the kit's author lives."""
    try:
        asked = await bench.line.asked_identity("docflow-kit")
        if asked.status != 200 or bench.line.peer is None:
            return False, str(asked)
        statement = bench.statement()
        reply = await bench.note(statement)
    except (httpx.HTTPError, OSError, ServiceError) as problem:
        return False, f"{type(problem).__name__}: {problem}"[:300]
    return reply.status == 200, "" if reply.status == 200 else str(reply)


async def run(
    bench: Bench, checks: Sequence[Check], *, tell: Callable[[Result], None] = lambda _: None
) -> list[Result]:
    """Make these checks one after the other; `tell` hears each result as it comes."""
    results = []
    for one in checks:
        results.append(await _made(bench, one))
        tell(results[-1])
    return results


async def _made(bench: Bench, check: Check) -> Result:
    began = time.perf_counter()

    def result(verdict: Verdict, ru: str = "", en: str = "", seen: str = "") -> Result:
        seconds = round(time.perf_counter() - began, 2)
        return Result(check.code, verdict, check.ru, check.en, ru, en, seen, seconds)

    try:
        await check.make(bench)
    except Failed as problem:
        return result("fail", problem.ru, problem.en, problem.seen)
    except NotMade as problem:
        return result("not_made", problem.ru, problem.en)
    except (httpx.HTTPError, OSError, TimeoutError) as problem:
        return result("fail", "узел не ответил", "the node did not answer",
                      f"{type(problem).__name__}: {problem}"[:300])  # fmt: skip
    except ServiceError as problem:
        return result("fail", "ответ не читается", "the answer cannot be read",
                      f"{problem.error_code} {problem.details}"[:300])  # fmt: skip
    return result("pass")


def exit_code(results: Sequence[Result]) -> int:
    """0 every check passed, 1 one has failed, 2 one could not be made."""
    verdicts = {one.verdict for one in results}
    if "fail" in verdicts:
        return 1
    return 2 if "not_made" in verdicts or not results else 0


def report(bench: Bench, results: Sequence[Result], *, ready: bool, why: str) -> dict[str, Any]:
    """What is printed: of the node, of the kit, of every check, and the sum."""
    peer = bench.line.peer
    counts = {verdict: sum(one.verdict == verdict for one in results)
              for verdict in ("pass", "fail", "not_made")}  # fmt: skip
    return {
        "ok": ready and exit_code(results) == 0,
        "url": bench.line.url, "at": clock.now().isoformat(timespec="seconds"),
        "node": None if peer is None else {
            "id": str(peer.node), "name": peer.name, "versions": list(peer.versions),
            "fingerprints": [keys.fingerprint(one.kid) for one in peer.keys],
        },
        "kit": bench.standing.card(
            base_url=bench.base_url, author=bench.author, recipient=bench.recipient
        ),
        "ready": ready, **({"why": why} if why else {}), **counts,
        "checks": [one.as_dict() for one in results],
    }  # fmt: skip


async def a_document(path: Path | None) -> bytes:
    """The PDF that is sent: a partner's own signed one, or one the kit makes and signs itself.

    The kit's own authority is trusted by nobody, so its signature is at best indeterminate.
    """
    if path is not None:
        return await asyncio.to_thread(path.read_bytes)
    letter = papers.Letter(
        organization="Проверочный узел", title="Проверка обмена между узлами",
        addressee=("Администратору узла",), signer_post="Проверочный набор",
        body=("Письмо отправлено проверочным набором. Исполнения не требует.",), signer_name="—",
    )  # fmt: skip
    issued = create_authority("Test kit").issue(Subject("Test kit"))
    return pdf.sign_pdf(await papers.render("letter", letter), key=issued.key())


async def opened(bench: Bench, stack: AsyncExitStack, *, at: tuple[str, int] | None, tls: Any) -> (
    None
):  # fmt: skip
    """The line, and the ear when the kit is to listen at `at`."""
    await stack.enter_async_context(bench.line.opened())
    if bench.listener is not None and at is not None:
        await stack.enter_async_context(bench.listener.listening(*at, tls))
