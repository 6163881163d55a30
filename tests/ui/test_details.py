"""The drawer asks Okta about whom the cursor rests on, and about nobody else; admins are marked wherever they stand."""

from __future__ import annotations

from console.clock import ManualClock
from console.demo.org import DemoOrg
from console.revocation.dossier import SETTLE_S
from console.ui.dialogs.review import ReviewDialog
from tests.support.triage import Triage, triage


def org_of(console: Triage) -> DemoOrg:
    org = console.workspace.demo_org
    assert org is not None
    return org


def drawer(console: Triage) -> str:
    """What the parts of the drawer say that Okta was asked for."""
    parts = ("#details-guard", "#details-memberships", "#details-hits")
    return " ".join(" ".join(console.words(part) for part in parts).split())


async def test_it_asks_about_whom_the_cursor_rests_on_and_gives_way_to_a_batch() -> None:
    clock = ManualClock()
    async with triage(clock=clock, role="org") as console:  # an org admin may not see who has which role
        org, pilot = org_of(console), console.pilot
        await console.find("an")
        spent = org.limits.requests["users"]

        await clock.advance(10)
        await pilot.press("enter")
        await console.until(lambda: not console.workspace.dossiers.at_rest)
        for _ in range(3):
            await clock.advance(SETTLE_S / 2)
            await pilot.press("down")
        assert org.limits.requests["users"] == spent, "the cursor moved on each time"
        await clock.advance(SETTLE_S)
        await console.until(lambda: "Asked" in drawer(console))
        assert org.limits.requests["users"] == spent + 4
        shown = drawer(console)
        assert "groups Everyone" in shown
        assert "roles ✕ the admin role does not show them [403]" in shown
        assert "any OAuth tokens unless t is on" in shown
        assert "ends all sessions at Okta" in shown

        await pilot.press("t")
        assert "any OAuth tokens unless" not in drawer(console)
        assert "any OAuth tokens" in drawer(console)

        await pilot.press("escape", "down")
        await clock.advance(10)
        await pilot.pause()
        assert org.limits.requests["users"] == spent + 4, "nobody looks while it is closed"

        item, *_ = console.stage(console.results.rows[:1])
        console.workspace.dispatcher.pause()
        await console.workspace.dispatcher.confirm([item.id], case="", reason="")
        await pilot.press("enter")
        await console.until(lambda: not console.workspace.dossiers.at_rest)
        await clock.advance(SETTLE_S)
        await console.until(lambda: "Not asked while a batch runs: d asks anyway." in drawer(console))
        assert org.limits.requests["users"] == spent + 4
        await pilot.press("d")
        await console.until(lambda: "d asks again" in drawer(console))
        assert org.limits.requests["users"] == spent + 8


async def test_an_admin_is_marked_where_it_is_found_queued_and_reviewed() -> None:
    async with triage() as console:
        await console.find("dana.whitfield")
        await console.until(lambda: "◆ admin" in console.text())
        await console.pilot.press("plus")
        await console.until(lambda: console.queue.row_count == 1 and "◆ admin" in console.text())
        await console.pilot.press("r")
        await console.until(lambda: isinstance(console.app.screen, ReviewDialog) and console.app.screen.armed)
        assert "◆ 1 admin by role or login" in console.text()
