"""`evict resume`: go on with a batch that a console left unfinished, or close it."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

from console.cli.drain import PATIENCE_S, Drain, Ending
from console.cli.exits import INCOMPLETE, INTERRUPTED, OK, USAGE
from console.cli.failures import Stop
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.output import Output
from console.cli.report import Report
from console.cli.review import ask, guard_is_whole
from console.cli.services import connect, opened
from console.cli.standing import chosen, facts, lines
from console.cli.waiting import forget, unasked
from console.history.entries import BatchState
from console.history.store import BatchHeld
from console.revocation.readonly import ReadOnly
from console.revocation.recorder import item_of
from console.revocation.resuming import Standing, who
from console.revocation.states import Options, State
from console.settings import Settings, load
from console.text import count
from console.workspace import Workspace


def run(args: argparse.Namespace) -> int:
    """Carry out `evict resume`."""
    settings = load(
        reserve=args.reserve,
        in_flight=args.in_flight,
        pace=args.pace,
        emergency=None if args.reserve is None else False,
    )
    if settings.read_only:
        raise ReadOnly
    with Output(as_json=args.json) as out:
        return asyncio.run(_run(args, settings, out))


async def _run(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    report = Report(out, Options())
    state: BatchState | None = None
    ending: Ending | None = None
    async with opened(settings) as workspace:
        began = workspace.clock.monotonic()
        with Interrupts() as interrupts:
            try:
                await asyncio.to_thread(workspace.history.load)
                state = await _find(args, workspace, out)
                if state is not None:
                    ending = await _go(args, workspace, state, report, interrupts)
            except Interrupted:
                ending = Ending(INTERRUPTED, "Interrupted: nothing was sent.", "")
            except BatchHeld as held:
                ending = Ending(INCOMPLETE, str(held), "")
            except Stop as stop:
                ending = Ending(stop.code, str(stop), "")
            left = await asyncio.to_thread(_left, workspace, out)
        report.summary(
            elapsed_s=workspace.clock.monotonic() - began,
            rate_limited=workspace.pacer.rate_limited,
            batch_id=state.info.id if state else None,
            dry_run=False,
        )
    if ending is None:
        return report.code or (INCOMPLETE if left else OK)
    if ending.message:
        out.talk(f"evict: {ending.message}")
    return ending.code


def _left(workspace: Workspace, out: Output) -> int:
    """Tell of targets that no console came to look up, and how to go on with them; how many there are."""
    number = 0
    for one in unasked(workspace.history):
        number += len(one.targets)
        if out.as_json:
            for target in one.targets:
                why = "its console died before it was looked up"
                out.record({"type": "unsent", "target": target, "batch_id": one.batch_id, "why": why})
        were = f"{count(len(one.targets), 'target')} of batch {one.batch_id} {'was' if number == 1 else 'were'}"
        out.talk(f"CAUTION: {were} never looked up. Go on with:  evict revoke --from-file {one.path}")
    return number


async def _find(args: argparse.Namespace, workspace: Workspace, out: Output) -> BatchState | None:
    """The batch that is meant; None where there is nothing to do. Raises Stop."""
    for notice in workspace.history.notices:
        out.talk(notice)
    every = await asyncio.to_thread(workspace.history.batches)
    unfinished = [state for state in every if state.open]
    state = chosen(args.batch, every, unfinished)
    if args.json:
        for one in unfinished:
            out.record(facts(one, chosen=one is state))
    elif len(unfinished) > 1:
        out.talk(f"{count(len(unfinished), 'batch', 'batches')} unfinished:")
        for one in unfinished:
            out.talk(f"{'>' if one is state else ' '} {lines(one)[0]}")
    if state is None:
        out.talk("Nothing to resume: no batch was left unfinished.")
    return state if state is not None and state.open else None


async def _go(
    args: argparse.Namespace, workspace: Workspace, state: BatchState, report: Report, interrupts: Interrupts
) -> Ending | None:
    """Go on with the batch, or close it; why it ended early, if it did. Raises Interrupted, Stop, BatchHeld."""
    report.case, report.before = state.info.case, dict(state.counts)
    if not args.close:
        await interrupts.race(connect(workspace))
    standing = await asyncio.to_thread(workspace.resuming.look, state)
    for line in _review(args, workspace, standing):
        report.out.talk(line)
    _may_go_on(args, standing, report.out)
    number = len(standing.waiting if args.close else standing.chosen(unknown=args.unknown))
    if not number and not args.close:
        kept = f"{count(len(standing.unknown), 'unknown one')} kept as they are"
        return Ending(INCOMPLETE, f"Nobody is left to be sent; {kept}. With --close the batch is closed.", "")
    if not args.yes and not _agreed(args, report.out, number):
        return Ending(INCOMPLETE, "Not confirmed: nothing was changed.", "")
    if args.close:
        await asyncio.to_thread(forget, workspace.history, state.info.id)
        return await _close(workspace, standing, report)
    if args.yes:
        guard_is_whole(workspace, report.out)
    return await _send(args, workspace, standing, report, interrupts)


def _may_go_on(args: argparse.Namespace, standing: Standing, out: Output) -> None:
    """Raises Stop where nobody may be asked, or the batch must be named."""
    if standing.state.held:
        confirmer = who(standing.state.info.operator)
        raise BatchHeld(f"A console that runs works on it; confirmed by {confirmer}. Nothing was changed.")
    batch_id = standing.batch.id
    if standing.cautions and args.batch is None:
        raise Stop(f"{' '.join(standing.cautions)} To go on all the same, name it:  evict resume {batch_id}", USAGE)
    if not args.yes and not out.interactive:
        raise Stop("nobody is there to confirm: add --yes. Nothing was sent.", USAGE)


def _agreed(args: argparse.Namespace, out: Output, number: int) -> bool:
    try:
        if args.close:
            return ask(out, 1, what="close it")
        return ask(out, number)
    except KeyboardInterrupt:
        raise Interrupted from None


def _review(args: argparse.Namespace, workspace: Workspace, standing: Standing) -> list[str]:
    """How it stands, and what would be done."""
    said = lines(standing.state)
    if not args.close:
        said += _plan(args, workspace, standing)
    return said + [f"  CAUTION    {caution}" for caution in standing.cautions]


def _plan(args: argparse.Namespace, workspace: Workspace, standing: Standing) -> list[str]:
    records = standing.chosen(unknown=args.unknown)
    said = [f"  sends      {count(len(records), 'user')}: {workspace.prices.words(len(records))}"]
    for options, number in standing.options(unknown=args.unknown):
        more = ["OAuth tokens"] * options.oauth_tokens + ["remembered factors"] * options.forget_devices
        said.append(f"  ends       of {number:,}: {', '.join(['every session', *more])}")
    if standing.unknown and args.unknown:
        said.append("  unknown    are sent again: safe, but it also ends sessions opened since (--keep-unknown: not)")
    refused = workspace.resuming.refused(records)
    said += [f"  refused    {record.user.login or record.user.id} {why}: is cancelled" for record, why in refused[:10]]
    if len(refused) > 10:
        said.append(f"  refused    and {len(refused) - 10:,} more")
    return said + [f"  CAUTION    {problem}" for problem in workspace.guard.problems]


async def _close(workspace: Workspace, standing: Standing, report: Report) -> Ending:
    """Nothing of it is sent any more."""
    await workspace.resuming.close(standing)
    for record in standing.waiting:
        report.revocation(replace(item_of(record), state=State.CANCELLED, note="The batch was closed."))
    _tell_kept(standing, report)
    return Ending(OK, "Closed: nothing more of it is sent.", "")


async def _send(
    args: argparse.Namespace, workspace: Workspace, standing: Standing, report: Report, interrupts: Interrupts
) -> Ending | None:
    drain = Drain(workspace, report, patience_s=PATIENCE_S if args.yes else None)

    async def work() -> None:
        try:
            await workspace.resuming.take_up(standing, unknown=args.unknown)
        except BatchHeld as held:
            raise Stop(f"{held} Nothing was sent.", INCOMPLETE) from None
        except ValueError as error:
            raise Stop(f"nothing was sent: {error}", INCOMPLETE) from None
        drain.batch = standing.batch
        await workspace.resuming.finish(standing, unknown=args.unknown)

    if not args.unknown:
        _tell_kept(standing, report)
    return await drain.run(work(), interrupts)


def _tell_kept(standing: Standing, report: Report) -> None:
    """Unknown ones that stay so count, too."""
    for record in standing.unknown:
        report.revocation(replace(item_of(record), state=State.UNKNOWN, note="Not sent again."))
