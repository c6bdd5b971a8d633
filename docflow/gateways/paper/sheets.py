"""The code on a sheet, drawn; pure."""

import io

import segno


def qr_svg(text: str) -> str:
    """A QR code (ISO/IEC 18004) with its quiet zone; level Q bears folds and stamps."""
    drawn = io.BytesIO()
    segno.make(text, error="q", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, border=4, scale=4
    )
    return drawn.getvalue().decode()
