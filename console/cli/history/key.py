"""`evict history key`: make the key of a history, and say how it stands."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from console.cli.exits import INCOMPLETE, OK, USAGE
from console.cli.failures import Stop
from console.cli.history.opening import folder_of, settings_for
from console.cli.history.proof import unreadable
from console.cli.output import Output
from console.history.header import header_in
from console.history.keys import KeyringStore, Keys, KeysUnavailable, create_key, marked
from console.history.segments import segment_paths
from console.paths import open_private
from console.text import count


def run(args: argparse.Namespace) -> int:
    """Carry out the command. A key itself is never shown."""
    return _create(args) if args.part == "create" else _status(args)


def _create(args: argparse.Namespace) -> int:
    folder = folder_of(settings_for("a key", writes=True))
    with Output(as_json=args.json) as out:
        try:
            key_id = create_key(folder, KeyringStore(), replace=args.replace)
        except FileExistsError:
            raise Stop(
                "this history has a key: see  evict history key status,  or make another with --replace", USAGE
            ) from None
        except KeysUnavailable as error:
            raise Stop(f"no key was made: {error}", USAGE) from None
        if out.as_json:
            out.record({"type": "key", "key_id": key_id})
        else:
            out.line(f"key {key_id}")
        out.talk(
            "It is in the keyring of this account. Segments that consoles begin from now on carry hashes made with it."
        )
        out.talk("Consoles that run now write on without it: end them and start them anew.")
        out.talk("Keep a copy of the keyring: without this key nobody can check them.")
    return OK


def _status(args: argparse.Namespace) -> int:
    folder = folder_of(settings_for("status", writes=False))
    with Output(as_json=args.json) as out:
        try:
            current, segments = marked(folder), _by_key(folder)
        except KeysUnavailable as error:
            raise Stop(str(error), USAGE) from None
        except OSError as error:
            raise unreadable(error) from error
        keys = Keys(folder, KeyringStore())
        missing = 0
        for key_id in sorted({*segments, *([current] if current else [])} - {""}):
            at_hand = keys.find(key_id) is not None
            missing += not at_hand
            used = segments.get(key_id, 0)
            if out.as_json:
                out.record({"type": "key", "key_id": key_id, "at_hand": at_hand, "current": key_id == current,
                            "segments": used, "why": keys.why(key_id)})  # fmt: skip
            else:
                hand = "at hand" if at_hand else f"NOT AT HAND: {keys.why(key_id)}"
                now = ", for new segments" if key_id == current else ""
                out.line(f"key {key_id}: {hand}; {count(used, 'segment')}{now}")
        plain = segments.get("", 0)
        if out.as_json:
            out.record({"type": "summary", "current": current, "missing": missing, "unkeyed_segments": plain})
        if current is None:
            out.talk(
                "New segments carry plain hashes: who can write the files can make them too.  evict history key create"
            )
        out.talk(f"{count(plain, 'segment')} without a key.")
    return INCOMPLETE if missing else OK


def _by_key(folder: Path) -> dict[str, int]:
    """How many segments carry which key, by its ID; empty for none."""
    found: dict[str, int] = {}
    for path in segment_paths(folder):
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            header = header_in(file.readline().rstrip(b"\n")) or {}
        key_id = header.get("key_id")
        key_id = key_id if isinstance(key_id, str) else ""
        found[key_id] = found.get(key_id, 0) + 1
    return found
