"""Which authorities were accredited when, and whether a certificate is a qualified one.

The register is data, imported by an administrator; nothing here asks the network.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from asn1crypto import x509

from signatures.trust import Accredited, TrustStore

_MOSCOW = ZoneInfo("Europe/Moscow")

QUALIFIED_POLICIES: dict[str, str] = {
    "1.2.643.100.113.1": "КС1",
    "1.2.643.100.113.2": "КС2",
    "1.2.643.100.113.3": "КС3",
    "1.2.643.100.113.4": "КВ1",
    "1.2.643.100.113.5": "КВ2",
    "1.2.643.100.113.6": "КА1",
}
"""Classes of the means of signature, as certificate policies (order of the FSB no. 795 of
27.12.2011, as amended; the amending order 31/2021 runs to 01.09.2027, so look again by then)."""


def day_in_moscow(moment: datetime) -> date:
    """The civil day in Moscow, which registers and laws mean."""
    return moment.astimezone(_MOSCOW).date()


def is_qualified(certificate: x509.Certificate, trust: TrustStore) -> bool | None:
    """Was the issuer accredited on the day it issued the certificate (63-FZ art. 11 item 1)?

    None where no register was imported. Also asks for a policy of `QUALIFIED_POLICIES`. Says
    nothing about the path: of a certificate whose chain does not hold, it means nothing.
    """
    if not trust.accredited:
        return None
    policies = certificate.certificate_policies_value or ()
    if not any(one["policy_identifier"].dotted in QUALIFIED_POLICIES for one in policies):
        return False
    issued = day_in_moscow(certificate.not_valid_before)
    names = _issuer_names(certificate, trust)
    return any(_covers(one, issued) for one in trust.accredited if (one.kind, one.value) in names)


def _covers(period: Accredited, day: date) -> bool:
    return period.since <= day and (period.until is None or day < period.until)


def _issuer_names(certificate: x509.Certificate, trust: TrustStore) -> set[tuple[str, str]]:
    """By what the issuer may stand in the register: its certificates, or the key it signed with."""
    names: set[tuple[str, str]] = set()
    key = certificate.authority_key_identifier
    if key is not None:
        names.add(("key", key.hex()))
    for der in (*trust.roots, *trust.others):
        issuer = x509.Certificate.load(der)
        if issuer.subject == certificate.issuer and (key is None or issuer.key_identifier == key):
            names.add(("certificate", issuer.sha256.hex()))
            if issuer.key_identifier is not None:
                names.add(("key", issuer.key_identifier.hex()))
    return names
