"""The first line of a journal file: what it is, who made it, and the heads of the files that were there before."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from typing import Any

from console import __version__
from console.clock import Clock
from console.history.chain import from_json, key_id
from console.text import sanitize, timestamp

FORMAT = 2
"""The newest format that this version reads, and the one that it writes. 1 has no such line."""
SEGMENTS = "segments"
"""The table that belongs to the file itself; its one document is the header."""
HEADER_ID = 1

Heads = Mapping[str, tuple[int, str]]
"""Of each file, by name: how many lines it had and the hash of the last."""


def new_header(clock: Clock, key: bytes | None, follows: Heads, *, evidence: bool) -> dict[str, Any]:
    """The header of a file that is made now. One that is not `evidence` may be compacted."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "made_at": timestamp(clock.now()),
        "evict": __version__,
        "os_user": sanitize(_os_user()),
        "host": sanitize(socket.gethostname()),
        "key_id": None if key is None else key_id(key),
        "follows": {name: list(head) for name, head in follows.items()},
    }
    return header if evidence else header | {"evidence": False}


def header_in(raw: bytes) -> dict[str, Any] | None:
    """The header in a first line, believed as it stands; None where it holds none: a file of format 1."""
    try:
        fields = from_json(raw)
        found = fields["d"] if (fields["t"], fields["i"]) == (SEGMENTS, HEADER_ID) else None
        return found if isinstance(found, dict) and type(found["format"]) is int and found["format"] >= FORMAT else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"
