"""Is the arithmetic of this machine right? Asked once, before anything depends on the answer.

The keys and signatures were made by OpenSSL's gost engine over `MESSAGE`, one for each parameter
set; their private keys were thrown away. Hashes: RFC 6986 section 10.
"""

import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

from signatures.gost import libgcrypt
from signatures.gost.curves import CURVES

log = logging.getLogger(__name__)

MESSAGE: Final = b"docflow self-test"
_M1 = b"012345678901234567890123456789012345678901234567890123456789012"
_HASHES = {
    "streebog256": "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
    "streebog512": "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
    "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
}

VECTORS: Final = (
    (
        "1.2.643.2.2.35.1",
        "718aa9316de3212ea85d9591bd74c5aa211376f30a6ae733614d2d8221e77c7b"
        "8f4756f672683981f4a018707bb2ec262fa1521dd9b1bc766d07c8df793326cb",
        "28f91281fbc13941e424292f02d250e4a8ed2769d78e374128a7839f48f3962c"
        "56f6b45b04bd46a8706d16f2ffa1e9fe25ce5819100a035db055d9b2a7cceae6",
    ),
    (
        "1.2.643.2.2.35.2",
        "845c9f48a52b371c386b9e6694c3bf73120117be615c8fd86a9800b63e93171e"
        "e902ad972b63f70f9fe582c3c77124f3b2425cd7ea0c443b61c0a2e455945f06",
        "7bcefa7fef3ed1c2ca56e58318d185434138d205eeecc708ae77f755b429538f"
        "29d54d2e820270af331332eecbd2937478c6bd0738f5840087627f9ad345d641",
    ),
    (
        "1.2.643.2.2.35.3",
        "acbc3c50e6a1ffea05dba367d135838cd6310952240a6d414c892581735c381c"
        "62bb4576b10ca2036a724597352ba1190164cf121fc87725202e5d6953f12036",
        "7afdcef92de2b2b7562be64539784878f3e3fe883f8728e3ad91516f48ef81a2"
        "8265af2d88aab10ef954f73b8cac5bd1439333a6dc2b5f88899b55600661316b",
    ),
    (
        "1.2.643.2.2.36.0",
        "c7b393ebbf9d5d380eb6b9102748735b82c1ba3521f858eb2a0c16999403cac8"
        "657d8ea3b47d80ac70f3668b358f18f20fa4759042efed63411fc0f991437002",
        "60f2e3d8976b6b9acca446049dd8f554437582ac7c8e53cc2412ec12911da7b7"
        "dd64177752413ec63c21223cef001a0e0055e988c42c82a3ea5f46e3da1d141c",
    ),
    (
        "1.2.643.2.2.36.1",
        "e3b69307af14cea4b9c5fa621336c565784761efa9035193389f429d500b9619"
        "35bb0aa25909fc2e803a04580c94391929434a7ca3897bd7bb0320204667845a",
        "09090445969b327cffc0dca2796e4ef11be0623831dc9aab6cf8ce9a795848c9"
        "6112f87f2d4b73069056283ce5eb4880611045b6750627ec812f95a1fab19875",
    ),
    (
        "1.2.643.7.1.2.1.1.1",
        "f6621dfb4cc74e2315f82f6c709f4e96ad5c7a0e717df1ab81bb1224df1c5bf5"
        "c8ef95d8f88190913872daee4776e116e9ceb4f790c97d9f27a56565dbabac92",
        "1883217b90b50d90e803176743af72a149a06d9f7b24a5c6cfc0d912201befcc"
        "014e373bff676639f3b620d75d8257d7b6d4591bd523843f39abcea8ee552fa6",
    ),
    (
        "1.2.643.7.1.2.1.1.2",
        "5e16519967d1df2a4f33c9baa226c6fb568ab09619299ab18fcaae5549bc0e2e"
        "2b65b3598c9836c0f365ba39ca83c32e09fc860e8cb98da35885952a08b7b5d8",
        "e43faea6e085d6cfe0cda6386703c61c4a64a15abeab99d50b946172bca28b5c"
        "7f1a331384fa289b72f45eeef3ca339183c2ab1f1282c0057d3e52a8343b2fcc",
    ),
    (
        "1.2.643.7.1.2.1.1.3",
        "57d604d1fd859077c9bcbd67b1c9289dab629256b532adf65ffecaee98bd811b"
        "7eace54078fa7c9d079d35010eca1a01600800960ef83fd082ffa03984836217",
        "4b33e5ca80998e90e96b5e79e41809562ec09b71bdd6dedfb54c3ff63a9a03bb"
        "11a05179ee15aab981bc1a02f279f364d10e0a8f70d0c879fd47b55d142b9818",
    ),
    (
        "1.2.643.7.1.2.1.1.4",
        "15f76977a39b829d7e84dc8ec570adf2f5608c7a2747c735e006c50b6fac4f5c"
        "439a51040372c2d976cc8a4463b32cff4e76ba1a92963ee8ebb16783d7d98d6f",
        "1ff140dbc7b43c861bac2d4c8661af8bb80e0ac610a8ce96aa8f9c109ad9ea12"
        "749d2244e9d7942ea875cf95afc59a05a707d9e1bf89143a466451d0122c774f",
    ),
    (
        "1.2.643.7.1.2.1.2.1",
        "27e507b26170e967821585722bda6cb9e13fca1e9ad4bd6303e86dbe414f8d9f"
        "7ff5545bc99d8e4d9d2d6d29ca713799eb397c22642354c30eaa868928e1ee47"
        "eb8e62bdfc61783ad064ec9009acaa758cb61264c1848d7aaf9bf2fc0b5ed6cc"
        "f8aa22763bc70d0e64fd8c878d00f0e12a4d57adef18c2edbbc467034e26bb8d",
        "15b6e7114a31afbd99b41e1c6b3322719bee9b23eda7005e4896f4e03568c456"
        "fe1afae67d5fa2f9a82497c063f485f1d62ee4bc0e9a89c6a31800a6a4beb503"
        "0319a26da85c53e8b4b4f0508d112c3dc169a77836c709be60e031cfa7514840"
        "2c4656b899668f594680218893dfcbff2c192513542ffc68cf745dafbdaf184e",
    ),
    (
        "1.2.643.7.1.2.1.2.2",
        "d396a337e1153d20ee60efd89d564f3806ab00dfe56fbb2861bb8822a5f88b92"
        "6a7406be3d9458ca9f94a43b411b399f3eb3155b9077b8f4cf1ed53490f3e049"
        "e764796a34e68080ca19190be91acf777b07d5f81b311c51897bdb049a6ec437"
        "93cd6c780597e4c87c4eacc78f707bba7e933b1a94ad81f7d6668d03de43021d",
        "6cc2474d952684e14709da89f542d1db9c33c2ee70fa47c950c989cba78b5961"
        "0a88e71ea62286865b6aa451a0e216f2e044612a24a362bb1e5877a7974d50f2"
        "5b98b633939f9af65585bec985ee0d7740f8380712b7633bb9a1f4d9a564a0c9"
        "eaa5204304186e45cae407c6ad63591cc93fbac6a0340e0e9b9903a56700c7e8",
    ),
    (
        "1.2.643.7.1.2.1.2.3",
        "4463d946795f5175bc1148e31799f46cb216178b9b3ed6945c1974b7a97edf78"
        "02b7a6d71208783aa084c2edac6d078ba59054d9af06cc481785bdcde2d3046a"
        "526f235e96ea8bce2f5baeb05eb9fd8a5fd3310210be930f16b8d41e42dc9703"
        "21dfd605d7ff0ce2fe6a29715cb028032bd72433c529e45a2bfc74a7f50ee8b1",
        "24292ac0dbc0a641bda70d86cf3c20fd93d5dff0c4d0191173341cc98a8587ec"
        "6547aabe1e35f5232ec547017e6a62e68d40af798672ca76628eba2789d25501"
        "37be45216573315e142285b36562ba937748df88c0893bb8ba69e0c51030a657"
        "29570a2356dd6bed801f443885ad56c3e452c0f4013fdd4d9360f5c91e7e97f0",
    ),
)
"""Parameter set, public key (X and Y little-endian), signature (s and r), in hexadecimal."""


Outcome = Literal["ok", "missing", "wrong"]


def run() -> Outcome:
    """Try both hashes and every parameter set, right and wrong; about 50 ms, once a process.

    `missing` where libgcrypt cannot be loaded, `wrong` where it computes something else than it
    should: either way GOST signatures get `unsupported_algorithm` and everything else goes on.
    """
    return _outcome() if libgcrypt.is_available() else "missing"


def is_passed() -> bool:
    """Whether GOST signatures can be checked here."""
    return run() == "ok"


@lru_cache(maxsize=1)
def _outcome() -> Outcome:
    try:
        wrong = [*_wrong_hashes(), *_wrong_sets()]
    except libgcrypt.Unavailable:
        return "wrong"
    if wrong:
        log.error("libgcrypt computes GOST wrongly: %s", ", ".join(wrong))
    return "wrong" if wrong else "ok"


def _wrong_hashes() -> Iterator[str]:
    for name, expected in _HASHES.items():
        if libgcrypt.Hash(name, _M1).hexdigest() != expected:
            yield name


def _wrong_sets() -> Iterator[str]:
    spoiled = set()
    for oid, key, signature in VECTORS:
        curve = CURVES[oid].name
        is_right = _holds(oid, key, signature)
        if curve not in spoiled:
            is_right = is_right and not _holds(oid, key, signature, spoil=1)
        spoiled.add(curve)
        if not is_right:
            yield oid


def _holds(oid: str, key: str, signature: str, *, spoil: int = 0) -> bool:
    curve = CURVES[oid]
    size = curve.size
    point, value = bytes.fromhex(key), bytes.fromhex(signature)
    digest = libgcrypt.Hash(f"streebog{size * 8}", MESSAGE).digest()
    return libgcrypt.verify(
        curve,
        (int.from_bytes(point[:size], "little"), int.from_bytes(point[size:], "little")),
        int.from_bytes(digest, "little") ^ spoil,
        int.from_bytes(value[size:], "big"),
        int.from_bytes(value[:size], "big"),
    )
