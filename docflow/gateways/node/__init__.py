"""Node to node (обмен между узлами): wire format, message signatures and transport; no tables."""
