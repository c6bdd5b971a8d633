"""Machine-readable powers of attorney (МЧД, form EMCHD_1): read and judged; knows no document.

The schema ON_EMCHD_1_928_00_01_01_01 itself was not at hand: names and code lists here are those of
public programs that read and write such files. ADR 0012 says what of it is unverified.
"""
