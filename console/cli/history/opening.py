"""What every command on the history begins with: settings, folder, and who asks."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from console.cli.exits import USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.clock import Clock, SystemClock
from console.history.entries import Entry
from console.history.filters import RecordFilter, parse_moment
from console.history.records import RevocationRecord
from console.history.store import History, HistoryUnavailable
from console.org_history import history_folder, open_history
from console.settings import Settings, load
from console.workspace import whoami


def settings_for(what: str, *, writes: bool) -> Settings:
    """The settings. Raises Stop where they say read-only and the command `writes`; `what` names it."""
    settings = load()
    if writes and settings.read_only:
        raise Stop(f"read_only is on, and {what} writes into the history: switch it off (EVICT_READ_ONLY=no)", USAGE)
    return settings


def folder_of(settings: Settings) -> Path:
    """The folder of the org's history. Raises SettingsError where no org is set."""
    return history_folder(settings)


def by_whom() -> str:
    """The operator, as seals and prunings name them."""
    who = whoami("")
    return f"{who.os_user} on {who.host}"


@contextmanager
def opened(out: Output, *, clock: Clock | None = None) -> Iterator[History]:
    """The history, to read; what is to be known of it is said. Needs the org's address, but no token."""
    history = open_history(load(), clock=clock or SystemClock(), read_only=True)
    try:
        for notice in history.notices:
            out.talk(notice)
        yield history
    finally:
        history.close()


def whole(entry: Entry) -> RevocationRecord:
    """The whole record of an entry. Raises HistoryUnavailable where it is not there any more."""
    try:
        return entry.record()
    except (OSError, KeyError) as error:
        raise HistoryUnavailable(f"The record {entry.id} can't be read any more: {error}") from error


def wanted_by(args: argparse.Namespace, now: datetime) -> RecordFilter:
    """The filter that words and options ask for together. Raises Stop for what can't be asked."""
    try:
        typed = RecordFilter.parse(" ".join(args.words), now)
    except ValueError as error:
        raise Stop(str(error), USAGE) from None
    options: dict[str, Any] = {
        "case": args.case,
        "user": args.user,
        "outcome": args.outcome,
        "since": moment("--since", args.since, now),
        "until": moment("--until", args.until, now),
    }
    return replace(typed, **{name: value for name, value in options.items() if value is not None})


def asked_by(args: argparse.Namespace) -> str:
    """The same filter as text, as it would be typed."""
    names = ("case", "user", "outcome", "since", "until")
    options = [f"{name}:{shlex.quote(value)}" for name in names if (value := getattr(args, name)) is not None]
    return " ".join([*args.words, *options])


def moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """A time, a day or an age. Raises Stop for anything else."""
    try:
        return None if text is None else parse_moment(text, now)
    except ValueError as error:
        raise Stop(f"{option}: {error}", USAGE) from None
