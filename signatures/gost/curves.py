"""The parameter sets of GOST R 34.10-2012, and its verification in plain Python.

The numbers are those of RFC 4357 section 11.4 and RFC 7836 appendix A. The Python verification
is slow and not used for signatures: the self-test holds libgcrypt against it.
"""

from dataclasses import dataclass
from typing import Final

Point = tuple[int, int, int]
_INFINITY: Final[Point] = (0, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over p; (x, y) generates the subgroup of prime order q."""

    name: str
    size: int
    """Bytes of one coordinate."""
    p: int
    a: int
    b: int
    q: int
    x: int
    y: int
    cofactor: int = 1

    def holds(self, x: int, y: int) -> bool:
        """Whether this is a point of the curve other than zero."""
        if not (0 <= x < self.p and 0 <= y < self.p):
            return False
        return (y * y - (x * x + self.a) * x - self.b) % self.p == 0


def _n(digits: str) -> int:
    return int(digits, 16)


_P256 = 2**256 - 617
_P512 = 2**512 - 569

_CRYPTOPRO_A = Curve(
    "CryptoPro-A", 32, _P256, _P256 - 3, 0xA6,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893,
    1, 0x8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14,
)  # fmt: skip
_CRYPTOPRO_B = Curve(
    "CryptoPro-B", 32, 2**255 + 0xC99, 2**255 + 0xC96,
    0x3E1AF419A269A5F866A7D3C25C3DF80AE979259373FF2B182F49D4CE7E1BBC8B,
    0x800000000000000000000000000000015F700CFFF1A624E5E497161BCC8A198F,
    1, 0x3FA8124359F96680B83D1C3EB2C070E5C545C9858D03ECFB744BF8D717717EFC,
)  # fmt: skip
_CRYPTOPRO_C = Curve(
    "CryptoPro-C", 32,
    0x9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D759B,
    0x9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D7598, 0x805A,
    0x9B9F605F5A858107AB1EC85E6B41C8AA582CA3511EDDFB74F02F3A6598980BB9,
    0, 0x41ECE55743711A8C3CBF3783CD08C0EE4D4DC440D4641A8F366E550DFDB3BB67,
)  # fmt: skip
_TC26_256_A = Curve(
    "TC26-256-A", 32, _P256,
    0xC2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335,
    0x295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513,
    0x400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67,
    0x91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28,
    0x32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C, 4,
)  # fmt: skip
_TC26_512_A = Curve(
    "TC26-512-A", 64, _P512, _P512 - 3,
    _n(
        "E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265"
        "EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760"
    ),
    _n(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"
    ),
    3, _n(
        "7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921"
        "DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4"
    ),
)  # fmt: skip
_TC26_512_B = Curve(
    "TC26-512-B", 64, 2**511 + 0x6F, 2**511 + 0x6C,
    _n(
        "687D1B459DC841457E3E06CF6F5E2517B97C7D614AF138BCBF85DC806C4B289F"
        "3E965D2DB1416D217F8B276FAD1AB69C50F78BEE1FA3106EFB8CCBC7C5140116"
    ),
    _n(
        "8000000000000000000000000000000000000000000000000000000000000001"
        "49A1EC142565A545ACFDB77BD9D40CFA8B996712101BEA0EC6346C54374F25BD"
    ),
    2, _n(
        "1A8F7EDA389B094C2C071E3647A8940F3C123B697578C213BE6DD9E6C8EC7335"
        "DCB228FD1EDF4A39152CBCAAF8C0398828041055F94CEEEC7E21340780FE41BD"
    ),
)  # fmt: skip
_TC26_512_C = Curve(
    "TC26-512-C", 64, _P512,
    _n(
        "DC9203E514A721875485A529D2C722FB187BC8980EB866644DE41C68E1430645"
        "46E861C0E2C9EDD92ADE71F46FCF50FF2AD97F951FDA9F2A2EB6546F39689BD3"
    ),
    _n(
        "B4C4EE28CEBC6C2C8AC12952CF37F16AC7EFB6A9F69F4B57FFDA2E4F0DE5ADE0"
        "38CBC2FFF719D2C18DE0284B8BFEF3B52B8CC7A5F5BF0A3C8D2319A5312557E1"
    ),
    _n(
        "3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C98CDBA46506AB004C33A9FF5147502CC8EDA9E7A769A12694623CEF47F023ED"
    ),
    _n(
        "E2E31EDFC23DE7BDEBE241CE593EF5DE2295B7A9CBAEF021D385F7074CEA043A"
        "A27272A7AE602BF2A7B9033DB9ED3610C6FB85487EAE97AAC5BC7928C1950148"
    ),
    _n(
        "F5CE40D95B5EB899ABBCCFF5911CB8577939804D6527378B8C108C3D2090FF9B"
        "E18E2D33E3021ED2EF32D85822423B6304F726AA854BAE07D0396E9A9ADDC40F"
    ), 4,
)  # fmt: skip

CURVES: Final[dict[str, Curve]] = {
    "1.2.643.2.2.35.1": _CRYPTOPRO_A,
    "1.2.643.2.2.35.2": _CRYPTOPRO_B,
    "1.2.643.2.2.35.3": _CRYPTOPRO_C,
    "1.2.643.2.2.36.0": _CRYPTOPRO_A,  # XchA
    "1.2.643.2.2.36.1": _CRYPTOPRO_C,  # XchB
    "1.2.643.7.1.2.1.1.1": _TC26_256_A,
    "1.2.643.7.1.2.1.1.2": _CRYPTOPRO_A,
    "1.2.643.7.1.2.1.1.3": _CRYPTOPRO_B,
    "1.2.643.7.1.2.1.1.4": _CRYPTOPRO_C,
    "1.2.643.7.1.2.1.2.1": _TC26_512_A,
    "1.2.643.7.1.2.1.2.2": _TC26_512_B,
    "1.2.643.7.1.2.1.2.3": _TC26_512_C,
}
"""By object identifier; the test sets of the standard are left out on purpose."""


def verify_slowly(curve: Curve, key: tuple[int, int], hashed: int, r: int, s: int) -> bool:
    """GOST R 34.10-2012 section 6.2 to the letter; `hashed` is the number alpha.

    Takes 3 to 20 ms. The key must be a point of the curve.
    """
    if not (0 < r < curve.q and 0 < s < curve.q):
        return False
    inverse = pow(hashed % curve.q or 1, -1, curve.q)
    generator, point = (curve.x, curve.y, 1), (*key, 1)
    sums = (_INFINITY, generator, point, _add(curve, generator, point))
    first, second = s * inverse % curve.q, -r * inverse % curve.q
    result = _INFINITY
    for bit in range(curve.q.bit_length() - 1, -1, -1):
        result = _add(curve, result, result)
        chosen = first >> bit & 1 | (second >> bit & 1) << 1
        result = _add(curve, result, sums[chosen])
    x, _, z = result
    return z != 0 and x * pow(z * z, -1, curve.p) % curve.p % curve.q == r


def _add(curve: Curve, one: Point, other: Point) -> Point:
    """The sum in Jacobian coordinates."""
    if one[2] == 0 or other[2] == 0:
        return other if one[2] == 0 else one
    p = curve.p
    x1, y1, z1 = one
    x2, y2, z2 = other
    u1, u2 = x1 * z2 * z2 % p, x2 * z1 * z1 % p
    s1, s2 = y1 * z2 * z2 * z2 % p, y2 * z1 * z1 * z1 % p
    if u1 == u2:
        return _INFINITY if s1 != s2 or s1 == 0 else _double(curve, one)
    h, r = u2 - u1, s2 - s1
    hh = h * h % p
    hhh, v = h * hh % p, u1 * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return x3, (r * (v - x3) - s1 * hhh) % p, z1 * z2 * h % p


def _double(curve: Curve, one: Point) -> Point:
    p = curve.p
    x, y, z = one
    yy = y * y % p
    m = (3 * x * x + curve.a * pow(z, 4, p)) % p
    s = 4 * x * yy % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p
