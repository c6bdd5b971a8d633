"""Tree, notes and tiles of the log against published values and a second reader of the texts."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.log import heads, merkle, notes, tiles, witnessing
from evidence.log.heads import Head
from evidence.log.tiles import Place
from tests import tlog_reader as reader

CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
             "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots of the eight leaves with which Certificate Transparency's own tests begin."""


def grown(entries: list[bytes]) -> tuple[dict[Place, bytes], list[bytes]]:
    """Every tile of a tree, and the root at each size."""
    edge, roots, stored = tiles.Edge(0, [], bytearray()), [merkle.EMPTY_ROOT], {}
    for entry in entries:
        edge.add(entry)
        roots.append(edge.root())
    edge.finish()
    stored.update(edge.changed)
    return stored, roots


def test_published_roots() -> None:
    _, roots = grown([bytes.fromhex(one) for one in CT_LEAVES])
    assert [root.hex() for root in roots] == CT_ROOTS


SEED = random.Random(17)  # noqa: S311 - test data
ENTRIES = [SEED.randbytes(32) for _ in range(600)]


def test_proofs_are_those_of_the_rfc() -> None:
    stored, roots = grown(ENTRIES)
    nodes = tiles.TileNodes(stored)
    chosen = random.Random(5)  # noqa: S311 - test data
    for size in (1, 2, 3, 5, 8, 70, 255, 256, 257, 511, 512, 513, 600):
        part = ENTRIES[:size]
        assert merkle.root(size, nodes) == roots[size] == reader.mth(part)
        for leaf in {0, size - 1, chosen.randrange(size)}:
            made = merkle.proof(merkle.inclusion_ranges(leaf, size), nodes)
            assert made == reader.path(leaf, part)
            entry_hash = merkle.leaf_hash(part[leaf])
            merkle.require_inclusion(entry_hash, leaf, size, made, roots[size])
            assert reader.root_by_path(leaf, size, entry_hash, made) == roots[size]
        for old in {1, size, chosen.randrange(1, size + 1)}:
            made = merkle.proof(merkle.consistency_ranges(old, size), nodes)
            assert made == reader.proof(old, part)
            merkle.require_consistency(old, roots[old], size, roots[size], made)
            both = reader.roots_by_proof(old, size, roots[old], made)
            assert both == (roots[old], roots[size])


def test_no_changed_proof_is_taken() -> None:
    stored, roots = grown(ENTRIES[:70])
    nodes = tiles.TileNodes(stored)
    path = merkle.proof(merkle.inclusion_ranges(33, 70), nodes)
    entry_hash = merkle.leaf_hash(ENTRIES[33])
    between = merkle.proof(merkle.consistency_ranges(33, 70), nodes)
    for wrong in mutations(path):
        with pytest.raises(merkle.ProofError):
            merkle.require_inclusion(entry_hash, 33, 70, wrong, roots[70])
    for leaf, size in ((32, 70), (34, 70), (33, 34), (70, 70), (-1, 70)):
        with pytest.raises(merkle.ProofError):
            merkle.require_inclusion(entry_hash, leaf, size, path, roots[70])
    for wrong in mutations(between):
        with pytest.raises(merkle.ProofError):
            merkle.require_consistency(33, roots[33], 70, roots[70], wrong)
    for old, new in ((32, 70), (34, 70), (33, 130), (70, 33), (0, 70), (70, 70), (33, 33)):
        with pytest.raises(merkle.ProofError):
            merkle.require_consistency(old, roots[33], new, roots[70], between)


def mutations(path: list[bytes]) -> list[list[bytes]]:
    flipped = [
        [*path[:at], bytes([one[0] ^ 1]) + one[1:], *path[at + 1 :]] for at, one in enumerate(path)
    ]
    return [*flipped, path[1:], path[:-1], [*path, path[0]], path[::-1], []]


def test_addresses_of_tiles() -> None:
    assert tiles.path_of(Place(0, 1234067)) == "tile/0/x001/x234/067"
    assert tiles.path_of(Place(tiles.ENTRIES, 0), 3) == "tile/entries/000.p/3"
    for number in (0, 7, 999, 1000, 999999, 10**6, 123456789):
        assert tiles.path_of(Place(2, number)) == reader.tile_path(2, number, 256)
        assert tiles.parsed_path("2", reader.number_path(number)) == (Place(2, number), 256)
    for level, rest in (
        ("00", "000"), ("0", "0"), ("0", "x000/001"), ("0", "000.p/0"), ("0", "000.p/256"),
        ("0", "000.p/05"), ("64", "000"), ("-1", "000"), ("0", ""), ("a", "000"), ("0", "x1/002"),
        ("0", "001/002"), ("entries", "\u0661\u0662\u0663"), ("0", "000.p/"), ("0", "../000"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"index|path"):
            tiles.parsed_path(level, rest)
    widths = [
        (place.level, place.number, tiles.width_at(place, 70_000))
        for place in tiles.places_at(70_000)
    ]
    assert widths == reader.row_widths(70_000)
    assert [sum(1 for one in widths if one[0] == level) for level in range(3)] == [274, 2, 1]
    assert [one for one in widths if one[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]


def test_a_note_of_the_go_team_and_ours() -> None:
    known = notes.parsed_key(
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # leaks: ok (public)
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = (
        "\u2014 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFup"  # leaks: ok (public)
        "LLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # leaks: ok (public)
    )
    notes.require_signed(notes.parse(f"{text}\n{line}".encode()), [known])
    with pytest.raises(notes.SignatureError):
        notes.require_signed(notes.parse(f"Not {text}\n{line}".encode()), [known])
    mine = Ed25519PrivateKey.generate()
    vkey = notes.key_of("example.com/w", mine, notes.COSIGNED)
    both = notes.Note(
        text, (notes.parsed_line(line[:-1]), notes.cosign(text, name=vkey.name, key=mine,
                                                          timestamp=1679315147)),
    ).encoded()  # fmt: skip
    assert reader.signed_by(both, reader.key(str(vkey))) == text
    assert reader.signed_by(both, reader.key(str(known))) == text
    assert notes.timestamp_of(notes.parse(both.encode()).signatures[1]) == 1679315147
    assert notes.parsed_key(str(vkey)) == vkey


@pytest.mark.parametrize(
    "data",
    [b"", b"text\n", b"text\n\n", b"text\n\n\xe2\x80\x94 a b\n", b"a\n\n\xe2\x80\x94 a AAAAAAA=",
     b"a\r\n\n\xe2\x80\x94 a AAAAAAA=\n", b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n",
     b"a\n\n- a AAAAAAA=\n", b"a\n\n\xe2\x80\x94 a+b AAAAAAA=\n", b"x" * 70_000],
)  # fmt: skip
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(notes.NoteError):
        notes.parse(data)


def test_a_witness_s_answers_are_those_of_the_text() -> None:
    key = Ed25519PrivateKey.generate()
    log = notes.key_of("example.com/log", key)
    stored, roots = grown(ENTRIES[:300])

    def note(size: int, *, root: bytes | None = None, by: Ed25519PrivateKey = key) -> str:
        text = Head(log.name, size, root or roots[size]).text()
        return notes.Note(text, (notes.sign(text, name=log.name, key=by),)).encoded()

    def status(seen: int, old: int, new: str, path: list[bytes] | None = None) -> int:
        latest = Head(log.name, seen, roots[seen]) if seen else None
        size = heads.parsed(notes.parse(new.encode()).text).size
        steps = path
        if steps is None:
            ranges = merkle.consistency_ranges(old, size) if old <= size else []
            steps = merkle.proof(ranges, tiles.TileNodes(stored))
        return witnessing.judged(
            witnessing.request(old, steps, new), logs={log.name: [log]}, latest=lambda _: latest
        ).status

    assert status(0, 0, note(100)) == 200
    assert status(100, 100, note(300)) == 200
    assert status(100, 100, note(100)) == 200
    assert status(100, 0, note(300)) == 409
    assert status(100, 100, note(100, root=roots[99])) == 409
    assert status(100, 100, note(300, root=roots[299])) == 422
    assert status(100, 100, note(300), [roots[5]]) == 422
    assert status(0, 0, note(300), [roots[5]]) == 422
    assert status(100, 101, note(100)) == 400
    assert status(0, 0, note(100, by=Ed25519PrivateKey.generate())) == 403
    other = witnessing.judged(witnessing.request(0, [], note(9)), logs={}, latest=lambda _: None)
    assert other.status == 404
    good = note(100).encode()
    for body in (b"", b"old 1\n", b"old -1\n\n" + good, b"old 01\n\n" + good, b"new 0\n\n" + good,
                 b"old 0\nzz\n\n" + good, b"old 0\n" + b"AAAA\n" + b"\n" + good,
                 b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + good, b"old 0\n\nx"):  # fmt: skip
        answer = witnessing.judged(body, logs={log.name: [log]}, latest=lambda _: None)
        assert answer.status == 400, body
