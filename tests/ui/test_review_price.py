"""The review tells what a batch costs, also where nothing has told the org's limit before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.demo.faults import NO_RATE_HEADERS, Fault
from console.revocation.price import Prices
from console.revocation.states import State
from console.ui.dialogs.review import ReviewDialog
from tests.support.triage import Triage, triage


async def reviewed_by_id(console: Triage, number: int = 2) -> ReviewDialog:
    """Stage people who were looked up by ID alone, which tells nothing of the bucket of revocations; review them."""
    org = console.workspace.demo_org
    assert org is not None
    people = [one for one in org.users[1:] if one.status == "ACTIVE" and one.kind == "employee"][:number]
    console.stage([await console.workspace.client.get_user(one.id) for one in people])
    assert not console.workspace.prices.known
    await console.pilot.press("r")
    await console.until(lambda: isinstance(console.app.screen, ReviewDialog) and console.app.screen.armed)
    assert isinstance(console.app.screen, ReviewDialog)
    return console.app.screen


async def test_the_limit_is_asked_for_once() -> None:
    async with triage() as console:
        await reviewed_by_id(console)
        await console.until(lambda: "2 requests in 1 window" in console.text())
        await console.pilot.press("escape", "r")
        await console.until(lambda: "2 requests in 1 window" in console.text())
        assert console.workspace.demo_org is not None
        assert console.workspace.demo_org.limits.requests["users"] == 1


async def test_a_limit_that_is_not_told_stops_nobody() -> None:
    async with triage() as console:
        assert console.workspace.demo_org is not None
        fault = Fault(403, "E0000006", headers=NO_RATE_HEADERS)
        console.workspace.demo_org.faults.rates = {"users": ((1.0, fault),)}
        await reviewed_by_id(console)
        await console.until(lambda: "the limit is not known yet" in console.text())
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 2)


async def test_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def never(self: Prices) -> None:
        asked.append(self)
        await asyncio.Event().wait()

    monkeypatch.setattr(Prices, "learn", never)
    async with triage() as console:
        await reviewed_by_id(console)
        await console.until(lambda: "asking the org for its limit" in console.text())
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 2)
        assert len(asked) == 1
