"""Paper: sheets with a code that leads to the acknowledgement; wire only."""
