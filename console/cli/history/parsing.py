"""What can be typed after `evict history`, and the help for it. Imports argparse and nothing heavier."""

from __future__ import annotations

import argparse
from typing import Any

from console.cli.parts import json_option, make_parser, number

OUTCOMES = ("revoked", "not_found", "denied", "failed", "unknown", "cancelled", "queued", "sending")
FILTERS = """\
A FILTER is what the history screen takes: words, and NAME:VALUE of case, user,
outcome, by, batch, since and until. All must fit; quote what holds spaces:
  'case:INC-2041 outcome:failed since:2h mallory'
T is a time (2026-11-23T03:00Z), a day (2026-11-23) or an age (30m, 2h, 7d)."""
VERIFY = """\
Every line of every segment is read again and held against the one before, and
against what later segments, seals and records of pruning know of it. Names the
first line that was altered, cut, reordered or inserted, and the last sound one.
What a newer Evict wrote, or whose key is not at hand, is not checked and said.

A hash that  evict history seal  printed and that was kept elsewhere proves that
nothing from before it changed, whoever may write on this machine.

With --json each line is an object with a type: segment, pruned, seal, and as
the last line summary, with state, records, head, problems and unchecked.

example:
  evict history verify --seal 3f0c...

exit codes:
  0  sound, all of it              2  wrong usage, or it can't be read
  1  not sound, or not checked in full
"""
SEAL = """\
Checks the history, writes the heads of all segments into one line and prints
the hash of that line. Keep it where nobody who uses this machine can change it,
as in the ticket. Later  evict history verify --seal HASH  proves that nothing
from before the seal was changed, removed or put in. The history goes on.

example:
  evict history seal

exit codes:
  0  sealed                        2  it can't be written
  1  sealed, but it was not sound
"""
PRUNE = """\
Removes whole segments in which nothing has happened since, and leaves a record
of what went: segments, lines, heads, records, times and by whom. A segment
stays that a console writes, that holds an open batch, that is damaged or could
not be checked. What is removed can't be brought back: export it first.

examples:
  evict history prune --older-than 400d --dry-run
  evict history prune --older-than 400d

exit codes:
  0  done, or nothing to do        2  wrong usage, or it can't be written
  1  not confirmed, or some stayed
"""
KEY = """\
Without a key who can write the files can also make their hashes; only a seal
that is kept elsewhere shows that. With a key, which the keyring of this account
holds, hashes can be made by who has the key only. Segments that consoles begin
from then on carry it; those that are there stay as they are.

example:
  evict history key create
"""


def add_history(commands: Any) -> None:
    """Add `history` and its commands."""
    epilog = "example:\n  evict history list --case INC-2041 --json"
    what = "Show, export, verify, seal and prune the record of all revocations."
    parser = make_parser(commands.add_parser, "history", what, epilog)
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add, module in ((_list, "look"), (_show, "look"), (_export, "export"), (_verify, "proof"), (_seal, "proof"),
                        (_prune, "prune"), (_key, "key")):  # fmt: skip
        part = add(parts)
        part.set_defaults(module=f"history.{module}", action=part.prog.rpartition(" ")[2])


def _list(parts: Any) -> argparse.ArgumentParser:
    epilog = (
        f"{FILTERS}\n\nexamples:\n  evict history list outcome:failed since:2h\n  evict history list --case INC-2041"
    )
    parser = make_parser(parts.add_parser, "list", "List revocations, newest first.", epilog)
    _filters(parser)
    parser.add_argument("--limit", type=number(1), metavar="N", help="the newest N only")
    json_option(parser)
    return parser


def _show(parts: Any) -> argparse.ArgumentParser:
    parser = make_parser(parts.add_parser, "show", "Show one revocation with every attempt and what is related.")
    parser.add_argument("id", metavar="ID", help="its ID, as history list shows it")
    json_option(parser)
    return parser


def _export(parts: Any) -> argparse.ArgumentParser:
    epilog = (
        "The suffix chooses the format: .csv, .jsonl, or .md for a case report: who,\n"
        "when, why, how many, what failed, all request IDs, and how to verify it.\n"
        "The file is private (0600), and there complete or not at all.\n\n"
        f"{FILTERS}\n\nexamples:\n  evict history export inc-2041.csv case:INC-2041\n"
        "  evict history export inc-2041.md case:INC-2041 --seal"
    )
    parser = make_parser(parts.add_parser, "export", "Write revocations to a file.", epilog)
    parser.add_argument("file", metavar="FILE", help="the file to make; it must not exist")
    _filters(parser)
    parser.add_argument("--replace", action="store_true", help="overwrite it if it exists")
    parser.add_argument("--seal", action="store_true", help="seal the history first; a report names the seal")
    json_option(parser)
    return parser


def _verify(parts: Any) -> argparse.ArgumentParser:
    what = "Check that nothing was changed or lost. Exits 0 only for a sound history."
    parser = make_parser(parts.add_parser, "verify", what, VERIFY)
    parser.add_argument("--seal", metavar="HASH", help="prove that nothing from before this seal changed")
    json_option(parser)
    return parser


def _seal(parts: Any) -> argparse.ArgumentParser:
    what = "Seal the history: print a hash that proves all that is in it now."
    parser = make_parser(parts.add_parser, "seal", what, SEAL)
    json_option(parser)
    return parser


def _prune(parts: Any) -> argparse.ArgumentParser:
    parser = make_parser(parts.add_parser, "prune", "Remove what is old, and record what went.", PRUNE)
    words = "an age (400d) or a time: what happened since stays"
    parser.add_argument("--older-than", metavar="T", required=True, help=words)
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed; remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    json_option(parser)
    return parser


def _key(parts: Any) -> argparse.ArgumentParser:
    parser = make_parser(parts.add_parser, "key", "Make the key that hashes are made with, or see how it stands.", KEY)
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    epilog = "example:\n  evict history key create"
    create = make_parser(kinds.add_parser, "create", "Make a key and put it into the keyring.", epilog)
    create.add_argument("--replace", action="store_true", help="make another one; the one before stays in the keyring")
    json_option(create)
    epilog = "example:\n  evict history key status\n\nExits 1 where a key that segments need is not at hand."
    status = make_parser(
        kinds.add_parser, "status", "Show which keys the history needs, and which are at hand.", epilog
    )
    json_option(status)
    for name, kind in kinds.choices.items():
        kind.set_defaults(part=name)
    return parser


def _filters(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("words", metavar="FILTER", nargs="*", help="what a revocation must have, see below")
    add("--case", metavar="C", help="of this case")
    add("--user", metavar="U", help="of this user: ID, login or a part of it")
    add("--outcome", metavar="O", choices=OUTCOMES, help=", ".join(OUTCOMES))
    add("--since", metavar="T", help="from this time on")
    add("--until", metavar="T", help="up to this time")
