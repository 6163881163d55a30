"""`evict history verify` and `seal`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from console.cli.exits import INCOMPLETE, OK, USAGE
from console.cli.failures import Stop
from console.cli.history.opening import by_whom, folder_of, settings_for
from console.cli.output import Output
from console.clock import SystemClock
from console.history.keys import KeyringStore
from console.history.seals import make_seal
from console.history.store import HistoryUnavailable
from console.history.verify import SealCheck, Verdict, seal_hash, verify
from console.text import count

STATES = {"sound": "sound", "not sound": "NOT SOUND", "not checked in full": "NOT CHECKED IN FULL"}


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    return _verify(args) if args.action == "verify" else _seal(args)


def _verify(args: argparse.Namespace) -> int:
    try:
        wanted = None if args.seal is None else seal_hash(args.seal)
    except ValueError as error:
        raise Stop(f"--seal: {error}", USAGE) from None
    folder = folder_of(settings_for("verify", writes=False))
    with Output(as_json=args.json) as out:
        out.progress("reading every line again")
        try:
            verdict = verify(folder, keys=KeyringStore(), seal=wanted)
        except OSError as error:
            raise unreadable(error) from error
        out.progress("")
        if out.as_json:
            _as_json(verdict, out)
        else:
            _in_words(verdict, out)
        return OK if verdict.sound else INCOMPLETE


def unreadable(error: OSError) -> HistoryUnavailable:
    """What to say of a history that can't be read or written, with where else it may lie."""
    return HistoryUnavailable(
        f"The history can't be used: {error}. The setting data_dir (EVICT_DATA_DIR) may name another folder."
    )


def _as_json(verdict: Verdict, out: Output) -> None:
    for check in verdict.checks:
        out.record({"type": "segment", **asdict(check)})
    for one in verdict.pruned:
        out.record({"type": "pruned", **asdict(one)})
    if verdict.seal is not None:
        out.record({"type": "seal", **asdict(verdict.seal)})
    out.record({
        "type": "summary", "state": verdict.state, "sound": verdict.sound, "records": verdict.records,
        "segments": verdict.segments, "head": verdict.head, "problems": verdict.problems,
        "unchecked": verdict.unchecked, "notes": verdict.notes,
    })  # fmt: skip


def _in_words(verdict: Verdict, out: Output) -> None:
    for problem in verdict.problems:
        out.line(f"problem: {problem}")
    for sentence in verdict.unchecked:
        out.line(f"not checked: {sentence}")
    for one in verdict.pruned:
        out.line(f"pruned: {one.segment}, {count(one.records, 'record')}, at {one.at} by {one.by}")
    for note in verdict.notes:
        out.line(f"note: {note}")
    if verdict.seal is not None:
        _of_the_seal(verdict.seal, out)
    size = f"{count(verdict.records, 'record')} in {count(verdict.segments, 'segment')}"
    out.line(f"{STATES[verdict.state]}: {size}, head {verdict.head if verdict.segments else 'none'}")


def _of_the_seal(seal: SealCheck, out: Output) -> None:
    for sentence in seal.told:
        out.line(f"seal: {sentence}")
    if not seal.holds:
        out.line("seal: DOES NOT HOLD")
        return
    gone = f", {count(len(seal.pruned), 'segment')} pruned since" if seal.pruned else ""
    made = f", made at {seal.at} by {seal.by}" if seal.at else ""
    out.line(f"seal: holds{made}: {count(seal.proven, 'segment')} unchanged up to it{gone}")


def _seal(args: argparse.Namespace) -> int:
    folder = folder_of(settings_for("a seal", writes=True))
    with Output(as_json=args.json) as out:
        try:
            seal = make_seal(folder, clock=SystemClock(), by=by_whom(), keys=KeyringStore())
        except OSError as error:
            raise unreadable(error) from error
        verdict = seal.verdict
        if out.as_json:
            facts = {"type": "seal", "hash": seal.hash, "at": seal.at, "segment": seal.segment, "line": seal.line}
            out.record({**facts, "covers": seal.covers, "records": verdict.records, "state": verdict.state})
        else:
            out.line(seal.hash)
        if seal.notice:
            out.talk(seal.notice)
        for finding in verdict.findings:
            out.talk(f"CAUTION: {finding}")
        out.talk(f"Sealed {count(verdict.records, 'record')} in {count(seal.covers, 'segment')}.")
        out.talk("Keep this hash where nobody who uses this machine can change it, as in the ticket.")
        out.talk(
            f"Nothing from before has changed for as long as this exits 0:  evict history verify --seal {seal.hash}"
        )
        if not verdict.sound:
            out.talk("The history was not sound: the seal covers what is sound of it.")
    return OK if verdict.sound else INCOMPLETE
