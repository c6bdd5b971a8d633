"""`docflow kit URL`: is that node a good neighbour to a bad one? No database, one address."""

import argparse
import asyncio
import ssl
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command's words are loaded with every other command
    from docflow.gateways.node.kit.checking import Bench
    from docflow.gateways.node.kit.running import Result

CANNOT_TELL, USAGE = 2, 64
_EVERY = 2.0
_MARKS = {"pass": "  ok  ", "fail": " FAIL ", "not_made": "  --  "}


def register(
    verbs: Any, tell: Callable[[argparse.Namespace, dict[str, Any]], None], parser: type[Any]
) -> None:
    """Add `kit` to the parser of `docflow`."""
    words = "Play a bad neighbour to a node of the exchange: pass or fail for each check."
    added = verbs.add_parser("kit", help=words, description=words)
    added.add_argument("--json", action="store_true", help="one JSON object on standard output")
    added.add_argument("url", metavar="URL", nargs="?", help="the node's base URL")
    added.add_argument("--list", action="store_true", help="name the checks and end")
    added.add_argument("--state", type=Path, default=Path("kit.json"), metavar="FILE",
                       help="the kit's keys, made the first time (kit.json)")  # fmt: skip
    added.add_argument("--author", default="KIT", metavar="CODE",
                       help="organization the kit writes for, in the registry (KIT)")  # fmt: skip
    added.add_argument("--recipient", metavar="CODE", help="organization that lives with the node")
    added.add_argument("--document", type=Path, metavar="PDF", help="a signed PDF of your own")
    added.add_argument("--ca", type=Path, metavar="PEM", help="authorities to trust for TLS")
    added.add_argument("--listen", metavar="HOST:PORT", help="answer there: the node's own notes")
    added.add_argument("--address", default="", metavar="URL", help="where the node reaches that")
    added.add_argument("--certificate", type=Path, metavar="PEM", help="to listen with TLS")
    added.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                       help="for the node's administrator to enter the kit")  # fmt: skip
    added.add_argument("--patience", type=float, default=120, metavar="SECONDS",
                       help="in which the node has to send a note again (120)")  # fmt: skip
    added.add_argument("--late", type=float, default=70, metavar="SECONDS",
                       help="for which a late answer is held back (70)")  # fmt: skip
    added.add_argument("--only", action="append", default=[], metavar="CHECK", help="repeatable")

    def run(arguments: argparse.Namespace) -> int:
        try:
            answer, code = asyncio.run(_kit(arguments))
        except (ValueError, OSError) as problem:
            sys.stderr.write(f"{problem}\n")
            return USAGE
        if arguments.json:
            tell(arguments, answer)
        else:
            _say(answer)
        return code

    added.set_defaults(verb=run)


async def _kit(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from docflow.gateways.node.kit import running  # noqa: PLC0415 - only when it is run

    if arguments.list:
        return {"checks": [{"check": one.code, "group": one.group, "ru": one.ru, "en": one.en}
                           for one in running.CHECKS]}, 0  # fmt: skip
    if not arguments.url or not arguments.recipient:
        raise ValueError("URL и --recipient обязательны / URL and --recipient are needed")
    if not arguments.url.startswith(("https://", "http://")):
        raise ValueError(f"нужен адрес https:// / https:// is needed: {arguments.url}")
    checks = running.chosen(only=arguments.only, listens=bool(arguments.listen))
    bench = await _bench(arguments)
    async with AsyncExitStack() as stack:
        at = _place(arguments.listen) if arguments.listen else None
        await running.opened(bench, stack, at=at, tls=_tls(arguments.certificate))
        ready, why = await _entered(bench, arguments.wait)
        results: list[Result] = []
        if ready:
            results = await running.run(bench, checks, tell=_progress)
    told = running.report(bench, results, ready=ready, why=why)
    return told, running.exit_code(results)


async def _bench(arguments: argparse.Namespace) -> "Bench":
    from docflow.gateways.node.kit import running, standing  # noqa: PLC0415 - only when it is run
    from docflow.gateways.node.kit.checking import Bench  # noqa: PLC0415 - as above
    from docflow.gateways.node.kit.line import Line  # noqa: PLC0415 - as above
    from docflow.gateways.node.kit.listener import Listener  # noqa: PLC0415 - as above

    who = standing.load(arguments.state)
    base_url = arguments.address or ""
    return Bench(
        Line(arguments.url.rstrip("/"), who, seconds=60.0, ca_file=arguments.ca),
        author=arguments.author, recipient=arguments.recipient,
        document=await running.a_document(arguments.document), base_url=base_url,
        listener=Listener(who, base_url, late=arguments.late) if arguments.listen else None,
        patience=arguments.patience,
    )  # fmt: skip


async def _entered(bench: "Bench", seconds: float) -> tuple[bool, str]:
    """Is the kit entered there? Shows the card and waits when it is not yet."""
    from docflow.gateways.node.kit import running  # noqa: PLC0415 - only when it is run

    ready, why = await running.is_known(bench)
    if ready or not seconds:
        return ready, why
    card = bench.standing.card(
        base_url=bench.base_url, author=bench.author, recipient=bench.recipient
    )
    sys.stderr.write(_card(card))
    end = asyncio.get_running_loop().time() + seconds
    while not ready and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_EVERY)
        ready, why = await running.is_known(bench)
    return ready, why


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"--listen: HOST:PORT, not {listen!r}")
    return host.strip("[]"), int(port)


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _progress(result: "Result") -> None:
    sys.stderr.write(f"[{_MARKS[result.verdict]}] {result.check}\n")


def _card(card: dict[str, Any]) -> str:
    return (
        "Карточка набора / Registration card of the kit\n"
        f"  узел / node             {card['node']}\n"
        f"  адрес / address         {card['base_url'] or '— (--listen, --address)'}\n"
        f"  отпечаток / fingerprint {card['fingerprint']}\n"
        f"  ключ / key (JWK)        kid={card['keys'][0]['kid']} x={card['keys'][0]['x']}\n"
        f"  организация / author    {card['author']}\n"
        "Введите узел, сверьте отпечаток и подтвердите; организация должна быть в справочнике.\n"
        "Enter the node, compare the fingerprint, confirm; the organization has to be in the"
        " registry.\n"
    )


def _say(answer: dict[str, Any]) -> None:
    """For people: one line a check, Russian and English."""
    if "kit" not in answer:
        for one in answer["checks"]:
            sys.stdout.write(f"{one['check']:22} {one['ru']} / {one['en']}\n")
        return
    sys.stdout.write(_card(answer["kit"]))
    if not answer["ready"]:
        sys.stdout.write(
            "Узел пока не принимает сообщений набора; ничего не проверено.\n"
            f"The node does not take the kit's messages yet; nothing was checked.\n"
            f"  {answer.get('why', '')}\n"
        )
        return
    for one in answer["checks"]:
        sys.stdout.write(
            f"[{_MARKS[one['verdict']]}] {one['check']:22} {one['ru']} / {one['en']}\n"
        )
        if one["verdict"] != "pass":
            sys.stdout.write(f"         {one['told_ru']} / {one['told_en']}\n")
            sys.stdout.write(f"         {one.get('seen', '')}\n" if one.get("seen") else "")
    sys.stdout.write(
        f"прошло / pass {answer['pass']}, не прошло / fail {answer['fail']},"
        f" не проверено / not made {answer['not_made']}\n"
    )
