"""Offline packages: one signed file for one organization on a stick, out and back; wire only."""
