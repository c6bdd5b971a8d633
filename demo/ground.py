"""What the demo stands on: registry, an authority of its own, accounts with made-up passwords.

Everything secret is made at the first run and lies in one file of the data folder, readable by
its owner only.
"""

import asyncio
import base64
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, Literal

import pyotp
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from core import clock, db
from core.actor import RULE, Actor
from core.db import DB
from core.embedded.process import remember, remembered
from core.migrations import migrate
from core.settings import settings
from directory import accounts, dataset, grants, second_factor
from signatures import anchors, vault
from signatures.authority import Authority, Subject, create_authority, trust_of

Scale = Literal["S", "M"]
CHAIRMEN = 41
"""Primaries whose chairmen have accounts: forty take note and one refuses."""

_WORDS = ("берёза", "облако", "рассвет", "тополь", "гавань", "ветер", "озеро", "камень", "искра",
          "парус", "радуга", "фонарь", "якорь", "мельница", "родник", "маяк")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """One of the demo's people; `part` says what they do in it."""

    part: str
    login: str
    password: str
    organization_id: str
    organization: str
    roles: tuple[str, ...]
    totp: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything the walk needs to know."""

    union_id: uuid.UUID
    accounts: tuple[Account, ...]
    signer_key: bytes
    signer_passphrase: bytes

    def of(self, part: str) -> list[Account]:
        """The accounts that play a part."""
        return [account for account in self.accounts if account.part == part]

    def for_people(self) -> list[dict[str, Any]]:
        """The accounts as they are printed for a visitor; of the chairmen, the first three."""
        shown = [a for a in self.accounts if a.part != "primary"] + self.of("primary")[:3]
        return [
            {"login": a.login, "password": a.password, "roles": list(a.roles),
             "organization": a.organization,
             **({"one_time_code_secret": a.totp} if a.totp else {})}
            for a in shown
        ]  # fmt: skip


async def migrate_only() -> None:
    """Bring the database to this version's schema."""
    await migrate(owner_url=settings().owner_url, app_url=settings().database_url)


async def prepare(scale: Scale) -> Ground:
    """Load the registry and make authority and accounts, each only where missing."""
    await migrate_only()
    await DB.open()
    try:
        path = settings().data_dir / "demo.json"
        made = await asyncio.to_thread(dataset.generate, scale)
        if not await db.value("SELECT 1 FROM organization LIMIT 1"):
            await dataset.load(made)
            await _analyze()
        kept = remembered(path)
        if "accounts" not in kept:
            kept = await _people(made)
            remember(path, kept)
        if "press" not in kept:
            kept["press"] = await _press(made.health_union_id)
            remember(path, kept)
        await _trust(kept)
        return Ground(
            made.health_union_id,
            tuple(Account(**one) for one in (*kept["accounts"], *kept["press"])),
            base64.b64decode(kept["signer"]), kept["passphrase"].encode(),
        )  # fmt: skip
    finally:
        await DB.close()


async def _analyze() -> None:
    """Fresh statistics after a bulk load; the owner's business."""
    import asyncpg  # noqa: PLC0415 - only here a connection of the owner is needed

    owner = await asyncpg.connect(settings().owner_url)
    try:
        await owner.execute("ANALYZE")
    finally:
        await owner.close()


async def _people(made: dataset.Dataset) -> dict[str, Any]:
    """The accounts of the walk, and the chairman's key."""
    second_regional = await db.value(
        """SELECT l.parent_id FROM organization_link AS l
           JOIN organization AS o ON o.id = l.child_id AND o.kind = 'primary'
                AND o.channels[1] = 'internal' AND o.status = 'active'
           JOIN organization AS p ON p.id = l.parent_id AND p.kind = 'regional'
           WHERE l.valid_to IS NULL AND o.branch_code = '07' AND p.id <> $1
           GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1""",
        made.relay_regional_id,
    )
    relays = [made.relay_regional_id, made.relay_local_id, second_regional]
    wanted: list[tuple[str, str, uuid.UUID, tuple[str, ...]]] = [
        ("administrator", "admin", made.center_id, ("administrator",)),
        ("clerk", "clerk", made.health_union_id, ("clerk",)),
        ("signatory", "chairman", made.health_union_id, ("signatory",)),
        *(("relay", f"chancery.{n}", one, ("clerk", "signatory"))
          for n, one in enumerate(relays, start=1)),
    ]  # fmt: skip
    primaries = await db.rows(
        """SELECT o.id FROM organization AS o JOIN organization_link AS l ON l.child_id = o.id
               AND l.line = 'branch' AND l.valid_from <= $2
               AND (l.valid_to IS NULL OR l.valid_to > $2)
           WHERE l.parent_id = ANY($1) AND o.kind = 'primary' AND o.status = 'active'
           AND o.channels[1] = 'internal'
           ORDER BY l.parent_id = $3 DESC, o.code LIMIT $4""",
        relays, clock.today(), made.relay_local_id, CHAIRMEN,
    )  # fmt: skip
    wanted += [
        ("primary", f"primary.{n:03}", row["id"], ("clerk", "signatory"))
        for n, row in enumerate(primaries, start=1)
    ]
    made_accounts = await asyncio.gather(*(_account(*one) for one in wanted))
    authority = await asyncio.to_thread(create_authority, "Демонстрационный УЦ docflow")
    signer = next(a for a in made_accounts if a["part"] == "signatory")
    issued = authority.issue(
        Subject("Смирнов Пётр Ильич", title="Председатель", organization=signer["organization"]),
        kind="rsa",
    )
    passphrase = secrets.token_urlsafe(24)
    key = issued.as_pkcs12(passphrase.encode())
    await vault.keep_pkcs12(RULE, made.health_union_id, data=key, passphrase=passphrase.encode())
    return {
        "accounts": list(made_accounts),
        "authority": _kept(authority),
        "signer": base64.b64encode(key).decode(),
        "passphrase": passphrase,
    }


async def _press(union_id: uuid.UUID) -> list[dict[str, Any]]:
    """Two editors and two lawyers of the union: nobody vouches for an entry of their own."""
    wanted = (("editor.1", "Орлова", "editor"), ("editor.2", "Белов", "editor"),
              ("lawyer.1", "Громова", "lawyer"), ("lawyer.2", "Титов", "lawyer"))  # fmt: skip
    made = []
    for login, last_name, role in wanted:
        person_id = clock.new_id()
        await db.execute(
            "INSERT INTO person (id, last_name, demo, created_at) VALUES ($1, $2, true, $3)",
            person_id, last_name, clock.now(),
        )  # fmt: skip
        made.append(await _account("press", login, union_id, (role,), person_id=person_id))
    return made


async def _account(
    part: str,
    login: str,
    organization_id: uuid.UUID,
    roles: tuple[str, ...],
    *,
    person_id: uuid.UUID | None = None,
) -> dict[str, Any]:
    """An account for `person_id` or whoever holds a post there; a password of five words."""
    place = await db.row(
        """SELECT o.name, (SELECT person_id FROM post WHERE organization_id = o.id
               AND valid_to IS NULL ORDER BY kind = 'chairman' DESC LIMIT 1) AS person_id
           FROM organization AS o WHERE o.id = $1""",
        organization_id,
    )
    holder = person_id or (None if place is None else place["person_id"])
    if place is None or holder is None:
        raise LookupError(f"nobody holds a post in {organization_id}")
    password = " ".join(secrets.choice(_WORDS) for _ in range(5))
    account_id = await accounts.create(RULE, person_id=holder, login=login, password=password)
    for role in roles:
        await grants.grant(RULE, account_id=account_id, organization_id=organization_id, role=role)
    secret = ""
    if part == "signatory":
        person = Actor(kind="user", id=account_id, organization_id=None)
        secret = (await second_factor.begin(person, password=password)).secret
        await second_factor.confirm(person, code=pyotp.TOTP(secret).at(clock.now()))
    return {
        "part": part, "login": login, "password": password, "totp": secret,
        "organization_id": str(organization_id), "organization": place["name"],
        "roles": list(roles),
    }  # fmt: skip


def _kept(authority: Authority) -> str:
    """The authority's key and certificate in PEM, for lists of revocation at later starts."""
    key = authority.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return str((key + authority.certificate.public_bytes(serialization.Encoding.PEM)).decode())


async def _trust(kept: dict[str, Any]) -> None:
    """Trust the demo's authority, with a list of revocation that is fresh today."""
    pem = kept["authority"].encode()
    certificate = x509.load_pem_x509_certificate(pem)
    private = serialization.load_pem_private_key(pem, None)
    authority = Authority(certificate.subject, certificate, private)
    await anchors.add(RULE, trust_of(authority), is_test=True)
