"""`evict history list` and `show`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from console.cli.exits import INCOMPLETE, OK
from console.cli.failures import Stop
from console.cli.history.opening import opened, wanted_by, whole
from console.cli.output import Output
from console.clock import SystemClock
from console.history.entries import Entry
from console.history.records import RevocationRecord
from console.history.store import History
from console.revocation.resuming import who
from console.text import count

RELATED_SHOWN = 20
"""Related revocations that are shown to people; JSON has them all."""


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    clock = SystemClock()
    if args.action == "list":
        wanted = wanted_by(args, clock.now())
        with Output(as_json=args.json) as out, opened(out, clock=clock) as history:
            return _list(history.entries(wanted, limit=args.limit), out)
    with Output(as_json=args.json) as out, opened(out, clock=clock) as history:
        return _show(history, args.id, out)


def _list(entries: Sequence[Entry], out: Output) -> int:
    if out.as_json:
        for entry in entries:
            out.record(_facts(whole(entry)))
    elif entries:
        head = ("queued at", "outcome", "login", "user id", "case", "answer", "operator", "id")
        out.table(head, map(_cells, entries))
    out.talk(count(len(entries), "revocation"))
    return OK


def _facts(record: RevocationRecord) -> dict[str, object]:
    """A record as a JSON object, with what every line about a user has at the top."""
    return {"type": "revocation", "user_id": record.user.id, "login": record.user.login, **record.model_dump()}


def _cells(entry: Entry) -> tuple[str, ...]:
    who = entry.batch.operator.principal or entry.batch.operator.os_user
    case = entry.batch.case
    return (entry.queued_at, entry.outcome, entry.login, entry.user_id, case, entry.answer, who, entry.id)


def _show(history: History, record_id: str, out: Output) -> int:
    record = history.get(record_id)
    if record is None:
        raise Stop("no revocation has this ID; find it with  evict history list", INCOMPLETE)
    related = history.related(record_id)
    if out.as_json:
        same = {"same_user": [one.id for one in related if one.user_id == record.user.id]}
        same["same_case"] = [one.id for one in related if record.case and one.batch.case == record.case]
        out.record({**_facts(record), "related": same})
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
        **({"planned": f"by {who(record.planned)} at {record.planned.made_at}"} if record.planned else {}),
        "batch": record.batch_id,
        "queued at": record.queued_at,
        "finished at": record.finished_at or "not finished",
    }
    for name, value in facts.items():
        out.row([(name, 13), (value, 0)])
    for number, attempt in enumerate(record.attempts, 1):
        answer = " ".join(str(part) for part in (attempt.status, attempt.error_code) if part) or "no answer seen"
        signed = f"as {attempt.principal}" if attempt.principal else ""
        took = "" if attempt.milliseconds is None else f"  {attempt.milliseconds} ms"
        more = "".join(f"  {part}" for part in (attempt.request_id, attempt.error, signed) if part)
        out.row([(f"attempt {number}", 13), (f"{attempt.at}  {answer}{took}{more}", 0)])
    for one in related[:RELATED_SHOWN]:
        why = "same user" if one.user_id == record.user.id else "same case"
        out.row([(why, 13), (f"{one.id}  {one.queued_at}  {one.outcome}  {one.login}", 0)])
    if len(related) > RELATED_SHOWN:
        out.talk(f"{len(related) - RELATED_SHOWN:,} more related: --json shows all")
    return OK
