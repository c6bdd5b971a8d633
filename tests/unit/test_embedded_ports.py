"""Ports of the engines: free, and none a client can be given."""

from pathlib import Path

from core.embedded.process import free_port, is_free


def test_a_port_of_an_engine_lies_below_those_of_clients() -> None:
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()
    found = [free_port() for _ in range(50)]
    assert all(is_free(port) and 1024 <= port < int(first) for port in found)
    assert len(set(found)) > 40
