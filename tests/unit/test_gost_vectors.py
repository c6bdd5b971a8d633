"""Numbers other people published: RFC 6986, RFC 7091, RFC 9215, samples of TC 26; both backends."""

import os
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import cms as asn1
from asn1crypto import core, keys, pem, x509
from cryptography.exceptions import InvalidSignature

from signatures import digests
from signatures.certificates import certificates_of
from signatures.gost import checking, libgcrypt, selftest
from signatures.gost.curves import CURVES, Curve, verify_slowly
from signatures.validation import validate

CORPORA = Path(os.environ.get("DOCFLOW_CORPORA", Path(__file__).parents[3] / "shared/corpora"))
SAMPLES = CORPORA / "gost" / "tc26" / "tc26_cms"

if not libgcrypt.is_available():
    pytest.skip("libgcrypt is not installed", allow_module_level=True)

M1 = b"012345678901234567890123456789012345678901234567890123456789012"
M2 = bytes.fromhex(
    "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20"
    "f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb"
)
HASHES = {
    ("streebog256", M1): "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
    ("streebog256", M2): "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50",
    ("streebog512", M1): "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
    "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
    ("streebog512", M2): "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
    "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28",
}

# RFC 7091 section 7 and GOST R 34.10-2012 appendix A: curves for examples only.
TEST_256 = Curve(
    "test-256", 32, 2**255 + 0x431, 7,
    0x5FBFF498AA938CE739B8E022FBAFEF40563F6E6A3472FC2A514C0CE9DAE23B7E,
    0x8000000000000000000000000000000150FE8A1892976154C59CFC193ACCF5B3,
    2, 0x08E2A8A0E65147D4BD6316030E16D19C85C97F0A9CA267122B96ABBCEA7E8FC8,
)  # fmt: skip
TEST_512 = Curve(
    "test-512", 64,
    int("4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15D"
        "F1D852741AF4704A0458047E80E4546D35B8336FAC224DD81664BBF528BE6373", 16),
    7,
    int("1CFF0806A31116DA29D8CFA54E57EB748BC5F377E49400FDD788B649ECA1AC43"
        "61834013B2AD7322480A89CA58E0CF74BC9E540C2ADD6897FAD0A3084F302ADC", 16),
    int("4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15D"
        "A82F2D7ECB1DBAC719905C5EECC423F1D86E25EDBE23C595D644AAF187E6E6DF", 16),
    int("24D19CC64572EE30F396BF6EBBFD7A6C5213B3B3D7057CC825F91093A68CD762"
        "FD60611262CD838DC6B60AA7EEE804E28BC849977FAC33B4B530F1B120248A9A", 16),
    int("2BB312A43BD2CE6E0D020613C857ACDDCFBF061E91E5F2C3F32447C259F39B2C"
        "83AB156D77F1496BF7EB3351E1EE4E43DC1A18B91B24640B6DBB92CB1ADD371E", 16),
)  # fmt: skip

EXAMPLES = {
    "256": (
        TEST_256,
        (
            0x7F2B49E270DB6D90D8595BEC458B50C58585BA1D4E9B788F6689DBD8E56FD80B,
            0x26F1B489D6701DD185C8413A977B3CBBAF64D1C593D26627DFFB101A87FF77DA,
        ),
        0x2DFBC1B372D89A1188C09C52E0EEC61FCE52032AB1022E8E67ECE6672B043EE5,
        0x41AA28D2F1AB148280CD9ED56FEDA41974053554A42767B83AD043FD39DC0493,
        0x01456C64BA4642A1653C235A98A60249BCD6D3F746B631DF928014F6C5BF9C40,
    ),
    "512": (
        TEST_512,
        (
            int("115DC5BC96760C7B48598D8AB9E740D4C4A85A65BE33C1815B5C320C854621DD"
                "5A515856D13314AF69BC5B924C8B4DDFF75C45415C1D9DD9DD33612CD530EFE1", 16),
            int("37C7C90CD40B0F5621DC3AC1B751CFA0E2634FA0503B3D52639F5D7FB72AFD61"
                "EA199441D943FFE7F0C70A2759A3CDB84C114E1F9339FDF27F35ECA93677BEEC", 16),
        ),
        int("3754F3CFACC9E0615C4F4A7C4D8DAB531B09B6F9C170C533A71D147035B0C591"
            "7184EE536593F4414339976C647C5D5A407ADEDB1D560C4FC6777D2972075B8C", 16),
        int("2F86FA60A081091A23DD795E1E3C689EE512A3C82EE0DCC2643C78EEA8FCACD3"
            "5492558486B20F1C9EC197C90699850260C93BCBCD9C5C3317E19344E173AE36", 16),
        int("1081B394696FFE8E6585E7A9362D26B6325F56778AADBC081C0BFBE933D52FF5"
            "823CE288E8C4F362526080DF7F70CE406A6EEB1F56919CB92A9853BDE73E5B4A", 16),
    ),
}  # fmt: skip

# RFC 9215 appendix A: self-signed certificates; the first and last stand on the example curves.
CERTIFICATES = {
    "A.1": """
MIIBLTCB26ADAgECAgEKMAoGCCqFAw cBAQMCMBIxEDAOBgNVBAMTB0V4YW1w
bGUwIBcNMDEwMTAxMDAwMDAwWhgPMj A1MDEyMzEwMDAwMDBaMBIxEDAOBgNV
BAMTB0V4YW1wbGUwZjAfBggqhQMHAQ EBATATBgcqhQMCAiMABggqhQMHAQEC
AgNDAARAC9hv5djbiWaPeJtOHbqFhc VQi0XsW1nYkG3bcOJJK3/ad/+HGhD7
3ydm0pPF0WSvuzx7lzpByIXRHXDWib TxJqMTMBEwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhQMHAQEDAgNBAE1T8BL+CB d2UH1Nm7gfAO/bTu/Uq4O6xLrPc1Fz
z6gcQaoo0vGrFIKAzZ7Vb+2kGXQFNV SkJ2e4OtBD/TncBJM=""",
    "A.2": """
MIIBJTCB06ADAgECAgEKMAoGCCqFAw cBAQMCMBIxEDAOBgNVBAMTB0V4YW1w
bGUwIBcNMDEwMTAxMDAwMDAwWhgPMj A1MDEyMzEwMDAwMDBaMBIxEDAOBgNV
BAMTB0V4YW1wbGUwXjAXBggqhQMHAQ EBATALBgkqhQMHAQIBAQEDQwAEQHQn
ldS+6ITd8oUP7APqP68YROAdnaYLZF CTpV4m38OZePWWz01NDGzx0YlD2UST
0WuewKFtUS0uEnzEaRpjGOKjEzARMA 8GA1UdEwEB/wQFMAMBAf8wCgYIKoUD
BwEBAwIDQQAUC02pEksJyw1c6Sjuh0 JzoxASlJLsDik2njt5EkhXjB0OHaW+
NHxvG1JWx66sIArWSsd6b1s6DglzGO eubudp""",
    "A.3": """
MIIBqjCCARagAwIBAgIBCzAKBggqhQ MHAQEDAzASMRAwDgYDVQQDEwdFeGFt
cGxlMCAXDTAxMDEwMTAwMDAwMFoYDz IwNTAxMjMxMDAwMDAwWjASMRAwDgYD
VQQDEwdFeGFtcGxlMIGgMBcGCCqFAw cBAQECMAsGCSqFAwcBAgECAAOBhAAE
gYDh7zDVLGEz3dmdHVxBRVz3302LTJ JbvGmvFDPRVlhRWt0hRoUMMlxbgcEz
vmVaqMTUQOe5io1ZSHsMdpa8xV0R7L 53NqnsNX/y/TmTH04RTLjNo1knCsfw
5/9D2UGUGeph/Sq3f12fY1I9O1CgT2 PioM9Rt8E63CFWDwvUDMnHN6MTMBEw
DwYDVR0TAQH/BAUwAwEB/zAKBggqhQ MHAQEDAwOBgQBBVwPYkvGl8/aMQ1MY
mn7iB7gLVjHvnUlSmk1rVCws+hWqLq zxH0cP3n2VSFaQPDX9j5Ve8wDZXHdT
SnJKDu5wL4b6YKCBCRoj3XleHjxonu USo8gu4NzCZDx47qj8rNNUklWEhrIP
HJ7Bl8kGmYUCYMk7y82cXDMX4ZNE4X OuNg==""",
}
CURVE_OF = {"A.1": TEST_256, "A.2": CURVES["1.2.643.7.1.2.1.1.1"], "A.3": TEST_512}


def both(curve: Curve, key: tuple[int, int], hashed: int, r: int, s: int) -> bool:
    quick, slow = (verify(curve, key, hashed, r, s) for verify in (libgcrypt.verify, verify_slowly))
    assert quick == slow
    return quick


@pytest.mark.parametrize(("name", "data"), HASHES)
def test_hashes_of_rfc_6986(name: str, data: bytes) -> None:
    assert digests.digest(name, data).hex() == HASHES[name, data]
    running = digests.start(name)
    for place in range(0, len(data), 7):
        running.update(memoryview(data)[place : place + 7])
        running.digest()
    assert running.digest().hex() == HASHES[name, data]


@pytest.mark.parametrize("size", EXAMPLES)
def test_examples_of_rfc_7091(size: str) -> None:
    curve, key, hashed, r, s = EXAMPLES[size]
    assert curve.holds(*key)
    assert both(curve, key, hashed, r, s)
    for wrong in ((hashed ^ 1, r, s), (hashed, r ^ 1, s), (hashed, r, s ^ 1)):
        assert not both(curve, key, *wrong)
    assert not verify_slowly(curve, key, hashed, 0, s)
    assert not verify_slowly(curve, key, hashed, r, curve.q)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_of_rfc_9215(name: str) -> None:
    certificate = x509.Certificate.load(b64decode(CERTIFICATES[name]))
    curve = CURVE_OF[name]
    size = curve.size
    key = core.OctetString.load(bytes(certificate.public_key["public_key"])).native
    point = int.from_bytes(key[:size], "little"), int.from_bytes(key[size:], "little")
    value = certificate.signature
    s, r = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    body = certificate["tbs_certificate"].dump()
    hashed = int.from_bytes(digests.digest(f"streebog{8 * size}", body), "little")
    assert both(curve, point, hashed, r, s)
    mechanism = certificate["signature_algorithm"]["algorithm"].native
    public = certificate.public_key
    if name == "A.2":
        checking.verify(value, body, key=public, mechanism=mechanism, prehashed=False)
        with pytest.raises(InvalidSignature):
            checking.verify(value, body + b"x", key=public, mechanism=mechanism, prehashed=False)
    else:
        with pytest.raises(checking.Unsupported):
            checking.verify(value, body, key=public, mechanism=mechanism, prehashed=False)


def test_self_test_tries_all_twelve_sets() -> None:
    assert selftest.run() == "ok"
    assert {oid for oid, _, _ in selftest.VECTORS} == set(CURVES)
    assert len(CURVES) == 12
    for oid, key, signature in selftest.VECTORS:
        curve = CURVES[oid]
        data, value, size = bytes.fromhex(key), bytes.fromhex(signature), curve.size
        point = int.from_bytes(data[:size], "little"), int.from_bytes(data[size:], "little")
        digest = digests.digest(f"streebog{8 * size}", selftest.MESSAGE)
        s, r = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
        assert curve.holds(*point)
        assert curve.holds(curve.x, curve.y)
        assert both(curve, point, int.from_bytes(digest, "little"), r, s)
        assert not both(curve, point, int.from_bytes(digest, "little"), s, r)


def test_every_complaint_of_the_library_is_a_no() -> None:
    curve, key, hashed, r, s = EXAMPLES["256"]
    assert not libgcrypt.verify(curve, (1, 1), hashed, r, s)
    assert not libgcrypt.verify(curve, (0, 0), hashed, r, s)
    assert not libgcrypt.verify(curve, key, hashed, 0, 0)
    assert not libgcrypt.verify(curve, key, hashed, r, curve.q)
    assert not libgcrypt.verify(replace(curve, a=1), key, hashed, r, s)


def test_keys_of_the_wrong_shape_are_refused() -> None:
    good = keys.PublicKeyInfo.load(
        x509.Certificate.load(b64decode(CERTIFICATES["A.2"])).public_key.dump()
    )
    checking.key_of(good)
    der = good.dump()
    as_512 = der.replace(bytes.fromhex("2a85030701010101"), bytes.fromhex("2a85030701010102"))
    without_set = der.replace(bytes.fromhex("06092a8503070102010101"), b"\5\x09" + bytes(9))
    for bad in (as_512, without_set):
        assert bad != der
        with pytest.raises(checking.KeyInvalid):
            checking.key_of(keys.PublicKeyInfo.load(bad))


def sample(name: str) -> bytes:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"corpus not found: {path}")
    return bytes(pem.unarmor(path.read_bytes())[2])


def test_samples_of_tc26() -> None:
    for name, is_bare in (("signed_a111.pem", False), ("signed_a121.pem", True)):
        der = sample(name)
        signed = asn1.ContentInfo.load(der)["content"]
        content = signed["encap_content_info"]["content"].native
        report = validate(content, signature=der)
        (one,) = report.signatures
        assert one.intact
        assert one.valid
        assert report.verdict == "indeterminate"
        assert "attached_instead_of_detached" in report.reasons
        assert ("no_signed_attributes" in report.reasons) == is_bare
        report = validate(content + b".", signature=der)
        assert report.verdict == "invalid"


def test_certificates_of_tc26() -> None:
    root = x509.Certificate.load(sample("root256_cert.pem"))
    for name in ("root256_cert.pem", "sender256_cert.pem", "sender512_cert.pem",
                 "recipient256_cert.pem", "recipient512_cert.pem"):  # fmt: skip
        one = x509.Certificate.load(sample(name))
        checking.verify(
            one.signature, one["tbs_certificate"].dump(), key=root.public_key,
            mechanism=one["signature_algorithm"]["algorithm"].native, prehashed=False,
        )  # fmt: skip
    signed = asn1.ContentInfo.load(sample("signed_a111.pem"))["content"]
    assert certificates_of(signed["certificates"])[0].dump() == sample("sender512_cert.pem")


def test_digested_data_of_tc26() -> None:
    for name, algorithm in (("hashed_a311.pem", "streebog256"), ("hashed_a321.pem", "streebog512")):
        digested = asn1.ContentInfo.load(sample(name))["content"]
        assert digested["digest_algorithm"]["algorithm"].native == algorithm
        content = digested["encap_content_info"]["content"].native
        assert digests.digest(algorithm, content) == digested["digest"].native
