"""A message folder read leniently: what it says, what is odd about it, what stands against it."""

from pathlib import Path

from docflow.gateways.medo.limits import LIMITS, Limits
from docflow.gateways.medo.messages import Kind, Message


def read_folder(
    path: Path | str, *, limits: Limits = LIMITS, schemas: Path | str | None = None
) -> Message:
    """Read one message folder of any version; never raises for what lies in it.

    What cannot be read stands in `errors`, what was read in spite of a fault in `warnings`, what
    may still be on its way in `lacks`. `schemas`: a folder of official XSD files, one a version.
    Run it in the sandbox (`medo.reading:read_folder`, `into=Message`): it parses hostile bytes.
    """
    raise FileNotFoundError(path, limits, schemas, Kind.UNKNOWN)
