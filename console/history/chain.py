"""One line of the journal: JSON that carries the hash of the line before it, and its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64
"""What the first line carries for the line before it."""
_TAIL = len(',"h":""}') + 64

Document = Mapping[str, Any]


class LineDamaged(ValueError):
    """A line that is not what was written; the message says what does not fit."""


@dataclass(frozen=True, slots=True)
class Line:
    """A decoded line."""

    number: int
    table: str
    doc_id: int
    document: dict[str, Any] | None
    """None: removed."""
    hash: str


def encode(number: int, before: str, table: str, doc_id: int, document: Document | None) -> tuple[bytes, str]:
    """The bytes of a line, newline and all, and its hash. Raises TypeError or ValueError for what JSON can't hold."""
    fields = {"n": number, "p": before, "t": table, "i": doc_id, "d": document}
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    own = hashlib.sha256(body).hexdigest()
    return body[:-1] + f',"h":"{own}"}}\n'.encode(), own


def decode(raw: bytes, number: int, before: str) -> Line:
    """The line in `raw` (without its newline), held against its place in the chain. Raises LineDamaged."""
    body, tail = raw[:-_TAIL] + b"}", raw[-_TAIL:]
    own = hashlib.sha256(body).hexdigest()
    if tail != f',"h":"{own}"}}'.encode():
        raise LineDamaged("its content does not fit its hash")
    try:
        fields = json.loads(body)
        line = Line(fields["n"], fields["t"], int(fields["i"]), fields["d"], own)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LineDamaged("it is not a line of this journal") from None
    if fields["p"] != before:
        raise LineDamaged("it does not follow the line before it: something was removed, inserted or reordered")
    if line.number != number:
        raise LineDamaged(f"it is numbered {line.number}")
    return line
