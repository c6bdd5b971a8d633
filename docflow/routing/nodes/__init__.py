"""Nodes (узлы обмена): who they are, who lives where, messages to and from them."""
