"""`evict history export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.history.opening import asked_by, by_whom, folder_of, opened, settings_for, wanted_by, whole
from console.cli.output import Output
from console.clock import SystemClock
from console.history.entries import Entry
from console.history.export import FORMATS, Source, write_export
from console.history.keys import KeyringStore
from console.history.records import RevocationRecord
from console.history.seals import make_seal
from console.text import count, timestamp

SHOWN_EVERY = 2000
"""Records between two words on how far it is."""


def run(args: argparse.Namespace) -> int:
    """Carry out the command. A report says what a check of the history found, and names a seal where one is asked."""
    path, clock = Path(args.file), SystemClock()
    wanted = wanted_by(args, clock.now())
    if path.suffix.lower() not in FORMATS:
        raise Stop(f"which format? The file's name must end in one of {', '.join(FORMATS)}", USAGE)
    if path.exists() and not args.replace:
        raise FileExistsError(17, "exists", str(path))  # before a seal is made for it
    settings = settings_for("--seal", writes=args.seal)
    with Output(as_json=args.json) as out:
        seal = None
        if args.seal:
            seal = make_seal(folder_of(settings), clock=clock, by=by_whom(), keys=KeyringStore())
            _tell(seal.notice, out)
        with opened(out, clock=clock) as history:
            entries = history.entries(wanted)
            source = Source(timestamp(clock.now()), asked_by(args), seal=seal.hash if seal else "")
            if path.suffix.lower() == ".md":
                verdict = seal.verdict if seal else history.verify()
                source = Source(source.made_at, source.asked, verdict, source.seal)
            written = write_export(path, _records(entries, out), replace=args.replace, source=source)
        out.progress("")
        if out.as_json:
            facts = {"type": "summary", "file": str(path), "records": written, "seal": seal.hash if seal else None}
            out.record(facts)
        out.talk(f"{count(written, 'revocation')} written to {path}")
        if seal is not None:
            out.talk(f"Sealed: {seal.hash}. Keep it in the ticket; evict history verify --seal HASH  proves it.")
    return OK


def _tell(notice: str, out: Output) -> None:
    if notice:
        out.talk(notice)


def _records(entries: Sequence[Entry], out: Output) -> Iterator[RevocationRecord]:
    """Whole records, one at a time, so that a hundred thousand need no memory."""
    for number, entry in enumerate(entries, 1):
        yield whole(entry)
        if number % SHOWN_EVERY == 0:
            out.progress(f"written: {number:,} of {len(entries):,}")
