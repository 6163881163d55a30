"""Whom a command line names, by arguments and by a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from console.cli.exits import USAGE
from console.cli.failures import Stop
from console.cli.screening import COMMENT
from console.revocation.targets import Ignored, Kind, Parsed, Target, parse, read_targets
from console.text import sanitize


def refuse_nobody(args: argparse.Namespace, *, command: str) -> None:
    """Raise Stop where no target is named at all, or one that is empty."""
    if not args.targets and args.from_file is None:
        raise Stop(f"whom? Name targets, or a file with --from-file (see  evict {command} --help)", USAGE)
    if any(not text.strip() for text in args.targets):
        raise Stop("one target is empty: is a variable not set?", USAGE)


def targets_of(args: argparse.Namespace) -> Parsed:
    """Targets of the arguments and of the file, in this order, each once. Raises TargetFileError."""
    parts = [_typed(text) for text in args.targets]
    if args.from_file is not None:
        parts.append(read_targets(None if args.from_file == "-" else Path(args.from_file)))
    every = [target for part in parts for target in part.targets]
    once = {(target.kind, target.key): target for target in reversed(every)}
    return Parsed(
        tuple(reversed(once.values())),
        sum(part.duplicates for part in parts) + len(every) - len(once),
        tuple(ignored for part in parts for ignored in part.ignored),
    )


def _typed(text: str) -> Parsed:
    """What one argument names. Each stands for itself: `user` is a login here, and no header of a table."""
    parsed = parse(text)
    if not parsed.targets and not parsed.ignored:
        return Parsed((Target(sanitize(text), Kind.LOGIN),))
    why = "it is neither an ID nor a login nor an email"
    return Parsed(
        tuple(Target(one.text, one.kind) for one in parsed.targets),
        parsed.duplicates,
        tuple(Ignored(one.text, None, why if one.why == COMMENT else one.why) for one in parsed.ignored),
    )
