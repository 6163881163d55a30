"""One line of the journal: JSON that carries the hash of the line before it, and its own."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64
"""What the first line carries for the line before it."""
DEEPEST = 100
"""How far lists and objects may be nested: what is deeper can be written and then not be read."""
_TAIL = len(',"h":""}') + 64
_UTF8 = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ASCII = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_read = json.JSONDecoder().raw_decode

Document = Mapping[str, Any]


class LineDamaged(ValueError):
    """A line that is not what was written; the message says what does not fit."""


@dataclass(frozen=True, slots=True)
class Line:
    """A decoded line: a whole `document`, an `update` of one, or neither, where it was removed."""

    number: int
    table: str
    doc_id: int | None
    """None: the line is about the table itself, made (an empty document) or dropped (none)."""
    document: dict[str, Any] | None
    update: dict[str, Any] | None
    """The top-level keys that changed of a document that is there."""
    hash: str


def key_id(key: bytes) -> str:
    """The name of a key: what may be written down of it."""
    return hashlib.sha256(key).hexdigest()[:16]


def to_json(value: object) -> bytes:
    """`value` as a line holds it. Raises TypeError or ValueError for what JSON can't hold or nests too far."""
    try:
        raw = _UTF8.encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: JSON holds it as an escape only
        raw = _ASCII.encode(value).encode()
    except RecursionError:
        raise ValueError("it is nested too far") from None
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        raise ValueError("it is nested too far")
    return raw


def from_json(raw: bytes) -> Any:
    """What `to_json` was given, in JSON's own types."""
    return _read(raw.decode())[0]


def encode(
    number: int,
    before: str,
    table: str,
    doc_id: int | None,
    *,
    document: Document | None = None,
    update: Document | None = None,
    key: bytes | None = None,
) -> tuple[bytes, str]:
    """The bytes of a line, newline and all, and its hash; with neither `document` nor `update` it removes.

    Raises TypeError or ValueError for what JSON can't hold.
    """
    place = f'{{"n":{number},"p":"{before}","t":{_quoted(table)},"i":{"null" if doc_id is None else doc_id},'
    what = b'"d":' + to_json(document) if update is None else b'"u":' + to_json(update)
    body = b"%b%b}" % (place.encode(), what)
    own = _hash(body, key)
    return b'%b,"h":"%b"}\n' % (body[:-1], own.encode()), own


def decode(raw: bytes, number: int, before: str, *, key: bytes | None = None, checked: bool = True) -> Line:
    """The line in `raw` (without its newline), held against its place in the chain. Raises LineDamaged.

    Not `checked`, its own hash is believed: for a file whose key is not at hand.
    """
    body, tail = raw[:-_TAIL] + b"}", raw[-_TAIL:]
    own = _hash(body, key) if checked else tail[6:-2].decode("ascii", "replace")
    if tail != f',"h":"{own}"}}'.encode():
        raise LineDamaged("its content does not fit its hash")
    try:
        fields = from_json(body)
        found, previous, table, doc_id = fields["n"], fields["p"], fields["t"], fields["i"]
        update = fields.get("u")
        document = fields["d"] if update is None else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LineDamaged("it is not a line of this journal") from None
    if not (isinstance(table, str) and (doc_id is None or type(doc_id) is int) and _fits(document) and _fits(update)):
        raise LineDamaged("it is not a line of this journal")
    if previous != before:
        raise LineDamaged("it does not follow the line before it: something was removed, inserted or reordered")
    if found != number:
        raise LineDamaged(f"it is numbered {found}")
    return Line(number, table, doc_id, document, update, own)


def _hash(body: bytes, key: bytes | None) -> str:
    return hashlib.sha256(body).hexdigest() if key is None else hmac.digest(key, body, "sha256").hex()


def _fits(document: object) -> bool:
    return document is None or isinstance(document, dict)


@functools.lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    return json.dumps(text)


def _depth(value: object) -> int:
    """How far `value` is nested, counted without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        parts: list[object] = []
        for each in level:
            if isinstance(each, dict):
                parts += each.values()
            elif isinstance(each, list | tuple):
                parts += each
        level = parts
    return deepest - 1
