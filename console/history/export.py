"""The history for other programs and people: CSV, JSON Lines and a Markdown report, written as the records come."""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from console.history.records import RevocationRecord
from console.history.report import Source, write_report
from console.paths import UnsafePathError, new_private
from console.text import printable_json, visible

__all__ = ["FORMATS", "Source", "write_export"]

COLUMNS = (
    "id", "batch_id", "case", "reason", "org", "operator", "host", "principal", "auth_mode", "user_id", "login", "name",
    "user_status", "oauth_tokens", "forget_devices", "outcome", "attempts", "last_attempt_at", "status", "error_code",
    "request_id", "error", "queued_at", "finished_at", "request_ids",
)  # fmt: skip
# A spreadsheet runs what starts with one of these; the full-width forms too, as it folds them.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠|%")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Records = Iterable[RevocationRecord]


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, and no terminal for a command."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    safe = visible(text)
    return f"'{safe}" if text.lstrip(" ").startswith(FORMULA_STARTS) else safe


def _row(record: RevocationRecord) -> list[str]:
    user, operator, options = record.user, record.operator, record.options
    last = record.attempts[-1] if record.attempts else None
    requests = " ".join(attempt.request_id for attempt in record.attempts if attempt.request_id)
    values = (
        record.id, record.batch_id, record.case, record.reason, record.org, operator.os_user, operator.host,
        operator.principal, operator.auth_mode, user.id, user.login, user.name, user.status, options.oauth_tokens,
        options.forget_devices, record.outcome, len(record.attempts), last and last.at, last and last.status,
        last and last.error_code, last and last.request_id, last and last.error, record.queued_at, record.finished_at,
        requests,
    )  # fmt: skip
    return [_cell(value) for value in values]


def write_csv(file: BinaryIO, records: Records, source: Source) -> None:
    """RFC 4180, UTF-8, a header line, one record a line, its last attempt in columns.

    Formulas are neutralised by a quote before them; what can't be printed is U+FFFD. JSON Lines keep it all.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, records))
    text.detach()  # flushed, and the file is left to who opened it


def write_jsonl(file: BinaryIO, records: Records, source: Source) -> None:
    """One whole record a line, every attempt in it. What can't be printed stands there as an escape of JSON."""
    file.writelines(printable_json(record.model_dump_json()).encode() + b"\n" for record in records)


FORMATS: dict[str, Callable[[BinaryIO, Records, Source], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".md": write_report,
}


def write_export(
    path: Path, records: Iterable[RevocationRecord], *, replace: bool = False, source: Source | None = None
) -> int:
    """Write `records` as the suffix of `path` says, 0600, whole or not at all; returns how many.

    They are written as they come, so an iterator needs memory for one only. `source` is what the report says of where
    they are from. For a thread. Raises ValueError for another suffix, FileExistsError unless `replace`,
    UnsafePathError with what to do where it can't be written.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"name a file that ends in {', '.join(FORMATS)}")
    _refuse(path)
    number = 0

    def counted() -> Iterator[RevocationRecord]:
        nonlocal number
        for record in records:
            number += 1
            yield record

    try:
        with new_private(path, replace=replace) as file:
            form(file, counted(), source or Source())
    except OSError as error:
        if error.errno in FULL:
            raise UnsafePathError(f"cannot write {path}: {error.strerror}. Nothing was left there") from error
        raise
    return number


def _refuse(path: Path) -> None:
    """Say what is in the way, before anything is made. Raises UnsafePathError."""
    try:
        why = _in_the_way(path)
    except OSError as error:
        why = error.strerror or type(error).__name__
    if why:
        raise UnsafePathError(f"cannot write {path}: {why}")


def _in_the_way(path: Path) -> str:
    folder = path.parent
    if path.is_symlink():
        return "it is a symbolic link; name the file that is meant"
    if path.is_dir():
        return "it is a folder; name a file in it"
    if path.exists() and not path.is_file():
        return "it is no plain file; name another"
    if not folder.exists():
        return f"there is no folder {folder}; make it, or name another"
    return "" if folder.is_dir() else f"{folder} is no folder; name another"
