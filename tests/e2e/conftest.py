"""The browser's fixtures, found here by their names."""

from tests.desks import browser, desk, gallery, site

__all__ = ["browser", "desk", "gallery", "site"]
