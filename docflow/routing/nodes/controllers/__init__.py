"""Nodes over HTTP: what other nodes ask, and what our administrators do."""
