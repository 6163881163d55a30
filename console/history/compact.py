"""A journal of what there is, without what led to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.history.chain import START, encode
from console.history.header import SEGMENTS


def snapshot(tables: Mapping[str, Mapping[str, dict[str, Any]]], *, key: bytes | None) -> tuple[bytes, int, str]:
    """The bytes of a journal that holds `tables` (the header first), how many lines it has, and the last one's hash.

    Raises TypeError or ValueError for what JSON can't hold.
    """
    made: list[bytes] = []
    head = START

    def add(table: str, doc_id: int | None, document: dict[str, Any]) -> None:
        nonlocal head
        raw, head = encode(len(made) + 1, head, table, doc_id, document=document, key=key)
        made.append(raw)

    for table in sorted(tables, key=lambda name: name != SEGMENTS):
        if not tables[table]:
            add(table, None, {})
        for doc_id, document in tables[table].items():
            add(table, int(doc_id), document)
    return b"".join(made), len(made), head
