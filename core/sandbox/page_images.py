"""Pages of a PDF as pictures, for showing what is signed. Runs inside the sandbox, on any bytes."""

import io
from contextlib import closing

import pypdfium2

from core.sandbox.errors import HostileInput

MAX_HEIGHT = 4000


def draw(data: bytes, *, page: int, width: int) -> bytes | None:
    """One page (from 1) as PNG of at most `width` pixels; None when there is no such page.

    Annotations and filled fields are drawn too: the person must see what a reader would show.
    Raises HostileInput (broken_pdf).
    """
    try:
        with closing(pypdfium2.PdfDocument(data)) as document:
            document.init_forms()
            if page > len(document):
                return None
            drawn = document[page - 1]
            across, down = drawn.get_size()
            scale = min(width / max(across, 1), MAX_HEIGHT / max(down, 1))
            picture = drawn.render(scale=scale).to_pil()
    except pypdfium2.PdfiumError as problem:
        raise HostileInput(
            "Страницу PDF не удалось показать: файл повреждён.",
            "The PDF page cannot be shown: the file is damaged.",
            code="broken_pdf",
        ) from problem
    written = io.BytesIO()
    picture.convert("RGB").save(written, "PNG", optimize=False)
    return written.getvalue()
