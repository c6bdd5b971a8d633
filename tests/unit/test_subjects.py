"""The numbers of a certificate's subject, however an authority writes them."""

from datetime import UTC, datetime

import pytest
from asn1crypto import core, keys, x509

from signatures.subjects import Identifiers, identifiers_of, subject_of


def certificate(*pairs: tuple[str, core.Asn1Value]) -> x509.Certificate:
    rdns = [
        x509.RelativeDistinguishedName([{"type": kind, "value": value}]) for kind, value in pairs
    ]
    name = x509.Name("", x509.RDNSequence(rdns))
    moment = x509.Time({"utc_time": core.UTCTime(datetime(2026, 1, 1, tzinfo=UTC))})
    key = keys.PublicKeyInfo(
        {"algorithm": {"algorithm": "ed25519"}, "public_key": core.OctetBitString(bytes(32))}
    )
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": 1,
            "signature": {"algorithm": "ed25519"},
            "issuer": name,
            "validity": {"not_before": moment, "not_after": moment},
            "subject": name,
            "subject_public_key_info": key,
        }
    )
    made = x509.Certificate(
        {
            "tbs_certificate": body,
            "signature_algorithm": {"algorithm": "ed25519"},
            "signature_value": bytes(64),
        }
    )
    return x509.Certificate.load(made.dump())


def choice(text: str, kind: str = "numeric_string") -> core.Asn1Value:
    return x509.NameTypeAndValue._oid_specs["inn"](kind, text)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([("inn", "771234567890")], Identifiers(inn="771234567890")),
        ([("inn", "007712345678")], Identifiers(inn_le="7712345678")),
        ([("inn", "7712345678")], Identifiers(inn_le="7712345678")),
        (
            [("inn", "771234567890"), ("inn_le", "7712345678")],
            Identifiers(inn="771234567890", inn_le="7712345678"),
        ),
        (
            [("inn", "007712345678"), ("inn_le", "7712345678")],
            Identifiers(inn_le="7712345678"),
        ),
        ([("inn", "007712345678"), ("inn_le", "7799999999")], Identifiers()),
        ([("snils", "12345678901")], Identifiers(snils="12345678901")),
        ([("ogrn", "1027712345678")], Identifiers(ogrn="1027712345678")),
        ([("ogrnip", "304771234567890")], Identifiers(ogrnip="304771234567890")),
        ([("ogrn", "102771234567")], Identifiers()),
        ([("snils", "12345678901"), ("snils", "10987654321")], Identifiers()),
    ],
)
def test_numbers(stated: list[tuple[str, str]], expected: Identifiers) -> None:
    made = certificate(*((kind, choice(value)) for kind, value in stated))
    assert identifiers_of(made) == expected


@pytest.mark.parametrize(
    "kind", ["utf8_string", "printable_string", "bmp_string", "teletex_string"]
)
def test_numbers_in_strings_of_any_kind(kind: str) -> None:
    made = certificate(("snils", choice("123-456-789 01", kind)))
    assert identifiers_of(made).snils == "12345678901"
    assert subject_of(made)["snils"] == "123-456-789 01"


def test_digits_of_other_alphabets_are_no_digits() -> None:
    made = certificate(("snils", choice("١٢٣٤٥٦٧٨٩٠١", "utf8_string")))
    assert identifiers_of(made) == Identifiers()
