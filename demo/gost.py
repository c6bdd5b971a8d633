"""A certificate authority by GOST R 34.10-2012, for the demo and the tests: never for real papers.

The service checks such signatures and never makes one, so the making is left to the `openssl`
command with its gost engine (Debian: libengine-gost-openssl), in child processes of its own.
"""

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from asn1crypto import pem

from core import clock
from signatures.trust import TrustStore

PARAMETERS: Final = {
    "256-CryptoPro-A": ("gost2012_256", "A"),
    "256-CryptoPro-B": ("gost2012_256", "B"),
    "256-CryptoPro-C": ("gost2012_256", "C"),
    "256-XchA": ("gost2012_256", "XA"),
    "256-XchB": ("gost2012_256", "XB"),
    "256-A": ("gost2012_256", "TCA"),
    "256-B": ("gost2012_256", "TCB"),
    "256-C": ("gost2012_256", "TCC"),
    "256-D": ("gost2012_256", "TCD"),
    "512-A": ("gost2012_512", "A"),
    "512-B": ("gost2012_512", "B"),
    "512-C": ("gost2012_512", "C"),
    "2001-A": ("gost2001", "A"),
}
"""Names used here, and what the engine calls the key and its parameter set."""

_ENGINES = "engines-3/gost.so", "engines-1.1/gost.so"
_SETTINGS = """\
openssl_conf = all
[all]
oid_section = oids
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
dynamic_path = {engine}
default_algorithms = ALL
[oids]
INNLE = 1.2.643.100.4
[ca]
default_ca = me
[me]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
default_md = {digest}
policy = any
unique_subject = no
string_mask = utf8only
utf8 = yes
email_in_dn = yes
default_days = 3650
[any]
countryName = optional
organizationName = optional
commonName = supplied
surname = optional
givenName = optional
title = optional
INN = optional
INNLE = optional
OGRN = optional
SNILS = optional
[req]
distinguished_name = nothing
string_mask = utf8only
utf8 = yes
[nothing]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 1.2.643.100.113.1,1.2.643.100.113.2
1.2.643.100.111 = ASN1:UTF8String:Docflow demo
{more}
[list]
authorityKeyIdentifier = keyid
"""


class EngineMissing(Exception):
    """The `openssl` command or its gost engine is not installed."""


def _engine() -> str:
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"):
        for name in _ENGINES:
            if Path(folder, name).exists():
                return str(Path(folder, name))
    raise EngineMissing("libengine-gost-openssl is not installed")


def is_available() -> bool:
    """Whether keys and signatures by GOST can be made here."""
    try:
        _engine()
        return subprocess.run(["openssl", "version"], capture_output=True).returncode == 0  # noqa: S607 - found by PATH as people do
    except (EngineMissing, OSError):
        return False


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a certificate names; INN has 12 digits (an organization's begins with 00)."""

    common_name: str
    surname: str = ""
    given_name: str = ""
    title: str = ""
    organization: str = ""
    inn: str = ""
    inn_le: str = ""
    ogrn: str = ""
    snils: str = ""

    def line(self) -> str:
        """The name as `openssl -subj` wants it."""
        parts = {
            "C": "RU", "O": self.organization, "CN": self.common_name, "SN": self.surname,
            "GN": self.given_name, "title": self.title, "INN": self.inn, "INNLE": self.inn_le,
            "OGRN": self.ogrn, "SNILS": self.snils,
        }  # fmt: skip
        pairs = {name: value.replace("/", "\\/") for name, value in parts.items() if value}
        return "".join(f"/{name}={value}" for name, value in pairs.items())


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate with its key in a file beside it, both PEM."""

    certificate: Path
    key: Path
    parameters: str

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return _der(self.certificate.read_bytes())


def _der(data: bytes) -> bytes:
    return bytes(pem.unarmor(data)[2])


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


@dataclass(frozen=True)
class GostAuthority:
    """Signs certificates and lists with a key in `folder`; `parent` is None for a root."""

    folder: Path
    me: Signer
    parent: "GostAuthority | None" = None
    _names: list[str] = field(default_factory=list, repr=False)

    @cached_property
    def der(self) -> bytes:
        """The authority's own certificate in DER."""
        return self.me.der

    def issue(
        self,
        person: Person,
        *,
        parameters: str = "256-A",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        more: str = "",
    ) -> Signer:
        """A new key and its certificate; a day old and good for a year unless told otherwise.

        `more` is further lines of the extensions' section in openssl's own language.
        """
        begin = not_before or clock.now() - timedelta(days=1)
        end = not_after or clock.now() + timedelta(days=365)
        return _certified(self, person, parameters, begin, end, more)

    def revoke(self, signer: Signer) -> None:
        """Put the certificate on the lists to come, as of now."""
        self._ca("-revoke", str(signer.certificate), "-crl_reason", "keyCompromise")

    def crl(self, *, at: datetime | None = None, days: int = 30) -> bytes:
        """A revocation list in DER, an hour old at `at`, due again after `days`."""
        begin = (at or clock.now()) - timedelta(hours=1)
        made = self.folder / "list.pem"
        self._ca(
            "-gencrl", "-crlexts", "list", "-out", str(made), "-crl_lastupdate", _utc(begin),
            "-crl_nextupdate", _utc(begin + timedelta(days=days)),
        )  # fmt: skip
        return _der(made.read_bytes())

    def trust(self) -> TrustStore:
        """The store that trusts this line of authorities, with fresh lists of each."""
        line: list[GostAuthority] = [self]
        while line[-1].parent is not None:
            line.append(line[-1].parent)
        return TrustStore(
            roots=(line[-1].der,),
            others=tuple(one.der for one in line[:-1]),
            crls=tuple(one.crl() for one in line),
        )

    def sign_detached(
        self, data: bytes, signer: Signer, *, cades: bool = True, more: tuple[str, ...] = ()
    ) -> bytes:
        """A detached signature in DER with this authority's certificate in it.

        CAdES-BES, or with `cades=False` a plain CMS; `more` are options of `openssl cms`.
        """
        source, made = self.folder / "data", self.folder / "signature"
        source.write_bytes(data)
        run(
            self.folder, "cms", "-sign", "-binary", "-in", str(source), "-out", str(made),
            "-outform", "DER", "-signer", str(signer.certificate), "-inkey", str(signer.key),
            "-md", digest_of(signer.parameters), "-certfile", str(self.me.certificate),
            *(["-cades"] if cades else []), *more,
        )  # fmt: skip
        return made.read_bytes()

    def sign_raw(self, data: bytes, signer: Signer) -> bytes:
        """The bare signature value, as a client's key answers."""
        source, made = self.folder / "data", self.folder / "value"
        source.write_bytes(data)
        run(
            self.folder, "dgst", f"-{digest_of(signer.parameters)}", "-sign", str(signer.key),
            "-out", str(made), str(source),
        )  # fmt: skip
        return made.read_bytes()

    def _ca(self, *arguments: str) -> None:
        run(
            self.folder, "ca", "-batch", "-notext",
            "-keyfile", str(self.me.key), "-cert", str(self.me.certificate), *arguments,
        )  # fmt: skip


def digest_of(parameters: str) -> str:
    """What the engine calls the hash that goes with these keys."""
    names = {"256": "md_gost12_256", "512": "md_gost12_512", "2001": "md_gost94"}
    return names[parameters.partition("-")[0]]


def run(folder: Path, *arguments: str) -> bytes:
    """One call of `openssl` with the engine switched on for this child alone."""
    settings = os.environ | {"OPENSSL_CONF": str(folder / "openssl.cnf")}
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["openssl", *arguments],  # noqa: S607 - found by PATH as people do
        capture_output=True, env=settings, cwd=folder, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _prepared(folder: Path, digest: str, more: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openssl.cnf").write_text(
        _SETTINGS.format(engine=_engine(), folder=folder, digest=digest, more=more),
        encoding="utf-8",
    )
    for name, text in (("index.txt", ""), ("serial", "1001\n"), ("crlnumber", "01\n")):
        if not (folder / name).exists():
            (folder / name).write_text(text)


def _new_key(folder: Path, name: str, parameters: str) -> Path:
    algorithm, set_name = PARAMETERS[parameters]
    made = folder / f"{name}.key"
    run(
        folder, "genpkey", "-algorithm", algorithm, "-pkeyopt", f"paramset:{set_name}",
        "-out", str(made),
    )  # fmt: skip
    made.chmod(0o600)
    return made


def _certified(
    by: GostAuthority, person: Person, parameters: str, begin: datetime, end: datetime, more: str
) -> Signer:
    folder, name = by.folder, f"leaf{len(by._names) + 1}"
    by._names.append(name)
    key = _new_key(folder, name, parameters)
    request, made = folder / f"{name}.csr", folder / f"{name}.pem"
    _prepared(folder, digest_of(by.me.parameters), more)
    run(
        folder, "req", "-new", "-key", str(key), "-subj", person.line(), "-utf8",
        "-out", str(request),
    )  # fmt: skip
    by._ca(
        "-in", str(request), "-out", str(made), "-extensions", "leaf", "-utf8",
        "-startdate", _utc(begin), "-enddate", _utc(end),
    )  # fmt: skip
    return Signer(made, key, parameters)


def _authority(
    folder: Path, name: str, parameters: str, parent: GostAuthority | None
) -> GostAuthority:
    _prepared(folder, digest_of(parameters))
    key = _new_key(folder, "ca", parameters)
    request, made = folder / "ca.csr", folder / "ca.pem"
    person = Person(name, organization="Docflow demo", ogrn="1027700000000", inn="007700000000")
    run(
        folder, "req", "-new", "-key", str(key), "-subj", person.line(), "-utf8",
        "-out", str(request),
    )  # fmt: skip
    me = Signer(made, key, parameters)
    dates = (
        "-startdate", _utc(clock.now() - timedelta(days=1000)),
        "-enddate", _utc(clock.now() + timedelta(days=3650)),
    )  # fmt: skip
    issue = ("-in", str(request), "-out", str(made), "-extensions", "authority", "-utf8", *dates)
    if parent is None:
        run(
            folder, "ca", "-batch", "-notext",
            "-keyfile", str(key), "-selfsign", *issue,
        )  # fmt: skip
    else:
        parent._ca(*issue)
    return GostAuthority(folder, me, parent)


def create_gost_authority(
    folder: Path, *, name: str = "Удостоверяющий центр", parameters: str = "256-A"
) -> GostAuthority:
    """A root (512-A) and an issuing authority under it, keys and all in `folder`.

    Takes about a tenth of a second. Raises `EngineMissing`.
    """
    folder = folder.resolve()
    root = _authority(folder / "root", f"{name}, корень", "512-A", None)
    return _authority(folder / "issuing", name, parameters, root)


def kept_gost_authority(folder: Path, *, name: str) -> GostAuthority:
    """The authority that was made in `folder` before, or a new one there."""
    folder = folder.resolve()
    if not (folder / "issuing" / "ca.pem").exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return create_gost_authority(folder, name=name)
    root = _reopened(folder / "root", "512-A", None)
    return _reopened(folder / "issuing", "256-A", root)


def _reopened(folder: Path, parameters: str, parent: GostAuthority | None) -> GostAuthority:
    me = Signer(folder / "ca.pem", folder / "ca.key", parameters)
    return GostAuthority(folder, me, parent, [one.stem for one in folder.glob("leaf*.pem")])
