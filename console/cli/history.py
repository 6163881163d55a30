"""`evict history`: list, show, export and verify what was revoked."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from console.cli.exits import INCOMPLETE, OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.clock import SystemClock
from console.history.export import write_export
from console.history.filters import RecordFilter, parse_moment
from console.history.records import RevocationRecord
from console.history.store import History
from console.settings import load
from console.text import count
from console.workspace import open_history

SUFFIXES = (".csv", ".jsonl", ".md")


def run(args: argparse.Namespace) -> int:
    """Carry out `evict history …`. Needs the org's address, as each org has its own history, but no token."""
    wanted = _filter(args, SystemClock().now()) if args.action in {"list", "export"} else RecordFilter()
    if args.action == "export" and Path(args.file).suffix.lower() not in SUFFIXES:
        raise Stop(f"which format? The file's name must end in one of {', '.join(SUFFIXES)}", USAGE)
    history = open_history(load(), clock=SystemClock(), read_only=True)
    with Output(as_json=getattr(args, "json", False)) as out:
        try:
            for notice in history.notices:
                out.talk(notice)
            if args.action == "list":
                return _list(history, wanted, args.limit, out)
            if args.action == "show":
                return _show(history, args.id, out)
            if args.action == "export":
                return _export(history, wanted, Path(args.file), args.replace, out)
            return _verify(history, out)
        finally:
            history.close()


def _filter(args: argparse.Namespace, now: datetime) -> RecordFilter:
    return RecordFilter(
        case=args.case,
        user=args.user,
        outcome=args.outcome,
        since=_moment("--since", args.since, now),
        until=_moment("--until", args.until, now),
    )


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """A time, a day or an age. Raises Stop for anything else."""
    try:
        return None if text is None else parse_moment(text, now)
    except ValueError as error:
        raise Stop(f"{option}: {error}", USAGE) from None


def _list(history: History, wanted: RecordFilter, limit: int | None, out: Output) -> int:
    records = history.records(wanted, limit=limit)
    if out.as_json:
        for record in records:
            out.record(_facts(record))
    elif records:
        head = ("queued at", "outcome", "login", "user id", "case", "status", "operator", "id")
        out.table(head, map(_cells, records))
    out.talk(count(len(records), "revocation"))
    return OK


def _facts(record: RevocationRecord) -> dict[str, object]:
    """A record as a JSON object, with what every line about a user has at the top."""
    return {"type": "revocation", "user_id": record.user.id, "login": record.user.login, **record.model_dump()}


def _cells(record: RevocationRecord) -> tuple[str, ...]:
    last = record.attempts[-1] if record.attempts else None
    status = str(last.status or last.error or "") if last else ""
    user = record.user
    who = record.operator.principal or record.operator.os_user
    return (record.queued_at, record.outcome, user.login, user.id, record.case, status, who, record.id)


def _show(history: History, record_id: str, out: Output) -> int:
    record = history.get(record_id)
    if record is None:
        raise Stop("no revocation has this ID; find it with  evict history list", INCOMPLETE)
    if out.as_json:
        out.record(_facts(record))
        return OK
    operator, user, options = record.operator, record.user, record.options
    facts = {
        "id": record.id,
        "outcome": record.outcome,
        "user": f"{user.login}  {user.name}  {user.id}  {user.status}",
        "OAuth tokens": "revoked too" if options.oauth_tokens else "not touched",
        "devices": "forgotten too" if options.forget_devices else "not touched",
        "case": record.case or "none",
        "reason": record.reason or "none",
        "org": record.org,
        "operator": f"{operator.os_user} on {operator.host}, {operator.principal} ({operator.auth_mode})",
        "batch": record.batch_id,
        "queued at": record.queued_at,
        "finished at": record.finished_at or "not finished",
    }
    for name, value in facts.items():
        out.row([(name, 13), (value, 0)])
    for number, attempt in enumerate(record.attempts, 1):
        answer = " ".join(str(part) for part in (attempt.status, attempt.error_code) if part) or "no answer seen"
        took = "" if attempt.milliseconds is None else f"  {attempt.milliseconds} ms"
        more = "".join(f"  {part}" for part in (attempt.request_id, attempt.error) if part)
        out.row([(f"attempt {number}", 13), (f"{attempt.at}  {answer}{took}{more}", 0)])
    return OK


def _export(history: History, wanted: RecordFilter, path: Path, replace: bool, out: Output) -> int:
    records = history.records(wanted)
    write_export(path, records, replace=replace)
    out.talk(f"{count(len(records), 'revocation')} written to {path}")
    return OK


def _verify(history: History, out: Output) -> int:
    verdict = history.verify()
    for problem in verdict.problems:
        out.line(f"problem: {problem}")
    size = f"{count(verdict.records, 'record')} in {count(verdict.segments, 'segment')}"
    out.line(f"{'sound' if verdict.sound else 'NOT SOUND'}: {size}, head {verdict.head or 'none'}")
    return OK if verdict.sound else INCOMPLETE
