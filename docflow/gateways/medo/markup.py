"""XML written by hand: qualified names, nothing empty, every text escaped."""

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters XML 1.0 cannot hold, escaped or not."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Elements and attributes of one vocabulary; empty ones are left out, as the format wants."""

    prefix: str

    def leaf(self, name: str, text: object = "", **attributes: str) -> str:
        """An element with words, or with attributes alone; nothing when it has neither."""
        words = "" if text is None else str(text).strip()
        return self.branch(name, escape(words), **attributes)

    def branch(self, name: str, *inner: str, **attributes: str) -> str:
        """An element around others; nothing when there is nothing to hold."""
        content = "".join(inner)
        pairs = "".join(
            f" {self.prefix}:{key}={quoteattr(one)}" for key, one in attributes.items() if one
        )
        if not content and not pairs:
            return ""
        tag = f"{self.prefix}:{name}"
        return f"<{tag}{pairs}>{content}</{tag}>" if content else f"<{tag}{pairs}/>"

    def root(
        self, name: str, namespace: str, encoding: str, *inner: str, **attributes: str
    ) -> bytes:
        """The whole file: declaration on the first line, namespace on the root."""
        pairs = "".join(f" {self.prefix}:{key}={quoteattr(one)}" for key, one in attributes.items())
        tag = f"{self.prefix}:{name}"
        text = (
            f'<?xml version="1.0" encoding="{encoding}"?>\n'
            f"<{tag} xmlns:{self.prefix}={quoteattr(namespace)}{pairs}>"
            f"{''.join(inner)}</{tag}>\n"
        )
        return text.encode(encoding, "xmlcharrefreplace")
