"""One folder a system outside: wire format and transport only; no tables, no routing."""
