"""`evict doctor`: is everything ready to revoke, and if not, what is there to do."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx

from console.cli.exits import INCOMPLETE, OK, REFUSED, USAGE
from console.cli.failures import Stop, explain
from console.cli.output import Output
from console.cli.signing_in import signed_in
from console.clock import Clock
from console.history.store import HistoryUnavailable
from console.okta.errors import CredentialRejected, OktaError, PermissionDenied, ScopeMissing
from console.okta.models import User
from console.revocation import authority
from console.revocation.authority import Ability
from console.settings import Settings, SettingsError, load
from console.text import count, duration
from console.workspace import Workspace

SKEW_S = 5.0
"""Clocks further apart than this are worth a word: the history's times are this machine's."""
SMALLEST = (80, 24)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `what` was looked at, what was found, and the exit code if that is a failure."""

    level: Literal["ok", "warn", "fail"]
    what: str
    found: str
    code: int = OK


def run(args: argparse.Namespace) -> int:
    """Carry out `evict doctor`. The first check that fails decides the exit code."""
    with Output() as out:
        return asyncio.run(_examine(out))


async def _examine(out: Output) -> int:
    code = OK
    warnings = 0
    async for finding in _findings(out):
        out.row([(finding.level, 4), (finding.what, 12), (finding.found, 0)])
        code = code or finding.code
        warnings += finding.level == "warn"
    if code:
        out.talk("Not ready: see the lines that begin with fail.")
    else:
        out.talk("Ready to revoke." if not warnings else f"Ready to revoke, with {count(warnings, 'warning')}.")
    return code


async def _findings(out: Output) -> AsyncIterator[Finding]:
    yield _terminal()
    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("fail", "settings", problem, USAGE)
        return
    yield Finding("ok", "settings", f"read from {_places(settings)}")
    if settings.read_only:
        yield Finding("warn", "settings", "read_only is on: nothing can be revoked")
    try:
        workspace = await Workspace.open(settings, may_ask=out.interactive)
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("fail", "settings", problem, USAGE)
        return
    except HistoryUnavailable as error:
        yield Finding("fail", "data folder", str(error), USAGE)
        return
    except ValueError as error:
        # A CA file that is none, a token that no header can carry: the message says which.
        yield Finding("fail", "settings", str(error), USAGE)
        return
    try:
        yield _data_folder(workspace, settings)
        try:
            await signed_in(workspace, out)
        except Stop as stop:
            yield Finding("fail", "credential", str(stop), stop.code)
            return
        except OktaError as error:
            yield _failure("credential", error)
            return
        async for finding in _org(workspace):
            yield finding
    finally:
        await workspace.aclose()


def _places(settings: Settings) -> str:
    """Where the settings were read from: the variables of the environment, then files."""
    places = {place for place in settings.sources.values() if place}
    variables = sorted(place.removeprefix("environment ") for place in places if place.startswith("environment "))
    files = sorted(place for place in places if not place.startswith("environment "))
    return "; ".join([f"the environment ({', '.join(variables)})"] * bool(variables) + files) or "nowhere: all defaults"


def _terminal() -> Finding:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding("warn", "terminal", "this is none: commands work, the console needs one")
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    size = f"{columns}x{lines}" if columns else "of unknown size"
    if columns and (columns < SMALLEST[0] or lines < SMALLEST[1]):
        return Finding("warn", "terminal", f"{size} is small: make it {SMALLEST[0]}x{SMALLEST[1]} or larger")
    return Finding("ok", "terminal", f"{size}, {os.environ.get('TERM', 'unknown')}")


def _data_folder(workspace: Workspace, settings: Settings) -> Finding:
    verdict = workspace.history.verify()
    size = f"{count(verdict.records, 'record')} in {settings.data_dir}"
    if not verdict.sound:
        return Finding("fail", "data folder", f"{size}, not sound: {'; '.join(verdict.problems)}", INCOMPLETE)
    return Finding("ok", "data folder", f"writable, history sound, {size}")


class _Dates:
    """How far the org's clock is from this machine's, from the Date of every answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew_s: float | None = None

    async def look(self, response: httpx.Response) -> None:
        """An httpx response hook. A Date that is none is no finding."""
        try:
            date = parsedate_to_datetime(response.headers.get("date", ""))
        except (ValueError, TypeError):
            return
        if date.tzinfo is not None:
            # Date is cut to the second, so on average it is half a second behind.
            self.skew_s = date.timestamp() + 0.5 - self._clock.now().timestamp()


async def _org(workspace: Workspace) -> AsyncIterator[Finding]:
    dates = _Dates(workspace.clock)
    workspace.http.event_hooks["response"].append(dates.look)
    try:
        org = await workspace.client.org_info()
    except OktaError as error:
        yield _failure("org", error)
        return
    yield Finding("ok", "org", f"{workspace.org_url} answers, {org.engine}")
    yield _skew(dates.skew_s)
    async for finding in _credential(workspace):
        yield finding


def _skew(skew_s: float | None) -> Finding:
    if skew_s is None:
        return Finding("warn", "clock", "the org's answer carries no time to compare with")
    if abs(skew_s) > SKEW_S:
        way = "behind" if skew_s > 0 else "ahead of"
        return Finding("warn", "clock", f"{duration(abs(skew_s))} {way} the org's: set this machine's clock (NTP)")
    return Finding("ok", "clock", "agrees with the org's")


async def _credential(workspace: Workspace) -> AsyncIterator[Finding]:
    mode = workspace.credential.mode
    me: User | None = None
    try:
        me = await workspace.client.me()
    except (CredentialRejected, ScopeMissing) as error:
        yield _failure("credential", error)
        return
    except OktaError as error:
        yield Finding(
            "warn", "credential", f"{mode}; Okta does not say whose it is, so no account is your own: {error}"
        )
        me = None
    else:
        yield Finding("ok", "credential", f"{mode} of {me.login or me.id}")
        workspace.me = me
    yield _of(await workspace.authority.ask(Ability.SEARCH))
    if not workspace.settings.read_only:
        yield _of(await workspace.authority.ask(Ability.REVOKE))
    yield await _groups(workspace)
    yield _of(await workspace.authority.ask(Ability.ROLES))
    yield _of(await workspace.authority.ask(Ability.LOG))


WHAT = {
    Ability.SEARCH: "users",
    Ability.REVOKE: "sessions",
    Ability.GROUPS: "groups",
    Ability.ROLES: "admins",
    Ability.LOG: "System Log",
}
NEEDED = (Ability.SEARCH, Ability.REVOKE)
"""Without these nothing can be revoked."""


def _of(found: authority.Finding) -> Finding:
    """A line about what the credential may do."""
    what = WHAT[found.ability]
    if found.may == "yes":
        return Finding("ok", what, f"it may {found.ability}{found.why.removeprefix('it may')}")
    said = f"it may not {found.ability}" if found.may == "no" else f"whether it may {found.ability} is not known"
    line = f"{said}: {found.told}"
    # A role over some groups only is refused for a user whom it does not reach, and may be right.
    partial = found.ability is Ability.REVOKE and isinstance(found.error, PermissionDenied)
    untried = found.may == "unknown" and found.error is None
    if found.ability not in NEEDED or partial or untried:
        return Finding("warn", what, line)
    return Finding("fail", what, line, explain(found.error)[1] if found.error else REFUSED)


async def _groups(workspace: Workspace) -> Finding:
    protected = workspace.settings.protected_groups
    found = _of(await workspace.authority.ask(Ability.GROUPS))
    if not protected or found.level != "ok":
        return found
    try:
        await workspace.guard.load(workspace.client, own=workspace.me)
    except OktaError as error:
        return Finding("warn", "groups", f"cannot be read, so group: finds nobody: {error}")
    missing = [problem for problem in workspace.guard.problems if "your own account" not in problem]
    if missing:
        return Finding("fail", "groups", f"{'; '.join(missing)}. Correct protected_groups", USAGE)
    return Finding("ok", "groups", f"{count(len(protected), 'protected group')} known")


def _failure(what: str, error: OktaError) -> Finding:
    return Finding("fail", what, *explain(error))
