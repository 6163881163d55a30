"""`evict history prune`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from console.cli.exits import INCOMPLETE, OK, USAGE
from console.cli.failures import Stop
from console.cli.history.opening import by_whom, folder_of, moment, settings_for
from console.cli.history.proof import unreadable
from console.cli.interrupts import usual_interrupt
from console.cli.output import Output
from console.clock import SystemClock
from console.history.keys import KeyringStore
from console.history.prune import Plan, carry_out, plan
from console.text import count


def run(args: argparse.Namespace) -> int:
    """Carry out the command: show what would go, ask, record it, remove it."""
    clock = SystemClock()
    before = moment("--older-than", args.older_than, clock.now())
    if before is None or before > clock.now():
        raise Stop("--older-than: name an age (400d) or a time that is over", USAGE)
    folder = folder_of(settings_for("a pruning", writes=not args.dry_run))
    with Output(as_json=args.json) as out:
        try:
            planned = plan(folder, before=before, keys=KeyringStore())
        except OSError as error:
            raise unreadable(error) from error
        _show(planned, out, dry_run=args.dry_run)
        if args.dry_run:
            _summary(planned, out, removed=0)
            return OK
        if planned.going and not _agreed(planned, args, out):
            out.talk("Not confirmed: nothing was removed.")
            return INCOMPLETE
        if not planned.going and not planned.unfinished:
            _summary(planned, out, removed=0)
            return OK
        try:
            done = carry_out(folder, planned, clock=clock, by=by_whom(), keys=KeyringStore())
        except OSError as error:
            raise unreadable(error) from error
        for sentence in done.kept:
            out.talk(sentence)
        if done.statement is not None and done.statement.notice:
            out.talk(done.statement.notice)
        for name in done.finished:
            out.talk(f"{name} of an earlier pruning, which was cut off, is removed now.")
        _summary(planned, out, removed=len(done.removed))
        out.talk(f"{count(done.records, 'record')} in {count(len(done.removed), 'segment')} removed.")
        return OK if len(done.removed) == len(planned.going) else INCOMPLETE


def _show(planned: Plan, out: Output, *, dry_run: bool) -> None:
    if out.as_json:
        for one in planned.going:
            out.record({"type": "segment", **asdict(one)})
    elif planned.going:
        rows = [(one.segment, f"{one.records:,}", one.first, one.last) for one in planned.going]
        out.table(("segment", "records", "first", "last"), rows)
    for sentence in planned.kept:
        out.talk(sentence)
    for cut_off in planned.unfinished:
        what = "would be" if dry_run else "is"
        out.talk(f"{cut_off.segment} was pruned at {cut_off.at}, which was cut off: it {what} removed.")
    size = f"{count(planned.records, 'record')} in {count(len(planned.going), 'segment')}"
    out.talk(f"Nothing has happened since {planned.older_than} in: {size}." if planned.going else
             f"No segment can be pruned in which nothing has happened since {planned.older_than}.")  # fmt: skip


def _summary(planned: Plan, out: Output, *, removed: int) -> None:
    if out.as_json:
        out.record({
            "type": "summary", "older_than": planned.older_than, "segments": len(planned.going),
            "records": planned.records, "removed": removed, "kept": planned.kept,
        })  # fmt: skip


def _agreed(planned: Plan, args: argparse.Namespace, out: Output) -> bool:
    """Whether the operator wants it. Raises Stop where nobody can be asked."""
    if args.yes:
        return True
    if not out.interactive:
        raise Stop("nobody is there to confirm: add --yes to remove, or --dry-run to look", USAGE)
    out.talk("They can't be brought back. Export or copy them first if they may be asked for.")
    wanted = {str(planned.records), f"{planned.records:,}"}
    with usual_interrupt():
        answer = out.ask(f"Type the number of records ({planned.records}) to remove them, anything else to keep them:")
    return answer in wanted
