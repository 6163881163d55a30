"""The history for other programs and people: CSV, JSON Lines and Markdown."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from console.history.records import RevocationRecord
from console.paths import write_private

COLUMNS = (
    "id", "batch_id", "case", "reason", "org", "operator", "host", "principal", "auth_mode", "user_id", "login", "name",
    "user_status", "oauth_tokens", "forget_devices", "outcome", "attempts", "last_attempt_at", "status", "error_code",
    "request_id", "error", "queued_at", "finished_at",
)  # fmt: skip
# A spreadsheet runs what starts with one of these; the full-width forms too, as it folds them.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠|%")


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _row(record: RevocationRecord) -> list[str]:
    user, operator, options = record.user, record.operator, record.options
    last = record.attempts[-1] if record.attempts else None
    values = (
        record.id, record.batch_id, record.case, record.reason, record.org, operator.os_user, operator.host,
        operator.principal, operator.auth_mode, user.id, user.login, user.name, user.status, options.oauth_tokens,
        options.forget_devices, record.outcome, len(record.attempts), last and last.at, last and last.status,
        last and last.error_code, last and last.request_id, last and last.error, record.queued_at, record.finished_at,
    )  # fmt: skip
    return [_cell(value) for value in values]


def to_csv(records: Sequence[RevocationRecord]) -> bytes:
    """RFC 4180, UTF-8, a header line, one record a line, its last attempt in columns; formulas neutralised."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, records))
    return out.getvalue().encode()


def to_jsonl(records: Sequence[RevocationRecord]) -> bytes:
    """One whole record a line, every attempt in it."""
    return "".join(record.model_dump_json() + "\n" for record in records).encode()


def _md(value: object) -> str:
    """Text in a Markdown table cell: nothing in it is markup."""
    text = "" if value is None else str(value)
    for mark in "\\`*_{}[]<>|#!~":
        text = text.replace(mark, f"\\{mark}")
    return text


def to_markdown(records: Sequence[RevocationRecord]) -> bytes:
    """A report for people: the counts, then a table with a line a record. Times are UTC."""
    counts = Counter(record.outcome for record in records)
    lines = [
        "# Okta sessions revoked",
        "",
        ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())) or "Nothing.",
    ]
    lines += [
        "",
        "| queued | case | user | login | outcome | attempts | request ID | by |",
        "|---|---|---|---|---|--:|---|---|",
    ]
    for record in records:
        last = record.attempts[-1] if record.attempts else None
        by = record.operator.principal or record.operator.os_user
        cells = (record.queued_at, record.case, record.user.id, record.user.login, record.outcome, len(record.attempts))
        lines.append("| " + " | ".join(_md(cell) for cell in (*cells, last and last.request_id, by)) + " |")
    return ("\n".join(lines) + "\n").encode()


FORMATS: dict[str, Callable[[Sequence[RevocationRecord]], bytes]] = {
    ".csv": to_csv,
    ".jsonl": to_jsonl,
    ".md": to_markdown,
}


def write_export(path: Path, records: Sequence[RevocationRecord], *, replace: bool = False) -> None:
    """Write `records` as the suffix of `path` says, 0600, whole or not at all.

    Raises ValueError for another suffix, FileExistsError unless `replace`, OSError where it can't be written.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"name a file that ends in {', '.join(FORMATS)}")
    write_private(path, form(records), replace=replace)
