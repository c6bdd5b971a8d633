"""GOST R 34.10-2012 and 34.11-2012, for checking only: no key of this kind is ever held here.

`names` teaches asn1crypto the identifiers, `curves` knows the parameter sets, `libgcrypt` computes.
"""
