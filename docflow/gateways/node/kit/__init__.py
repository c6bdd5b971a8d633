"""The partner test kit: a bad neighbour that any node can be pointed at (docs/kit.md)."""
