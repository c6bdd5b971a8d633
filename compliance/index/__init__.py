"""The in-memory layer above the register: exact Hamming search over hashes of 256 bits."""

from compliance.index.hamming import Found, Frozen, HammingIndex, Hits

__all__ = ["Found", "Frozen", "HammingIndex", "Hits"]
