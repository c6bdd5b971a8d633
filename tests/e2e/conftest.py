"""The browser's fixtures, found here by their names."""

from tests.desks import browser, desk, gallery, server, site
from tests.signing_desk import plugin

__all__ = ["browser", "desk", "gallery", "plugin", "server", "site"]
