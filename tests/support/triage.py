"""The triage screen on the demo org, in process, driven by keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from console.okta.models import Profile, User
from console.revocation.states import Item, Options, State
from console.settings import load_demo
from console.ui.app import EvictApp
from console.ui.screens.triage import TriageScreen
from console.ui.triage.queue_pane import QueueTable
from console.ui.triage.search_pane import SearchPane
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace

DEADLINE_S = 20.0


@dataclass
class Triage:
    """A running console, with what tests look at."""

    app: EvictApp
    pilot: Pilot[None]
    workspace: Workspace

    @property
    def screen(self) -> TriageScreen:
        return next(one for one in self.app.screen_stack if isinstance(one, TriageScreen))

    @property
    def results(self) -> VirtualTable[User]:
        return self.screen.query_one("#results", VirtualTable)

    @property
    def queue(self) -> QueueTable:
        return self.screen.query_one("#queue", QueueTable)

    @property
    def search(self) -> SearchPane:
        return self.screen.query_one(SearchPane)

    def words(self, selector: str) -> str:
        """What a Static says."""
        return str(self.app.screen.query_one(selector).render())

    def text(self) -> str:
        """Everything on screen, as characters."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def until(self, reached: Callable[[], Any]) -> None:
        """Let the console run until something is so; fails at the deadline."""
        end = time.monotonic() + DEADLINE_S
        while not reached():
            assert time.monotonic() < end, f"it never came to that; on screen:\n{self.text()}"
            await self.pilot.pause()
            await asyncio.sleep(0)

    async def find(self, text: str) -> None:
        """Type into the search box and wait for the answer."""
        self.screen.action_search()
        await self.pilot.pause()
        self.search.box.value = text
        await self.until(lambda: not self.search.busy and self.search._asked == text)
        self.results.focus()
        await self.pilot.pause()

    def states(self) -> list[State]:
        return [item.state for item in self.workspace.queue.items.values()]

    def stage(self, users: Iterable[User], options: Options = Options()) -> tuple[Item, ...]:  # noqa: B008
        """Put users into the queue without the keys."""
        return self.workspace.queue.stage(users, options).added


async def demo_users(workspace: Workspace, number: int) -> list[User]:
    """Active, unprotected people of the demo org."""
    found: list[User] = []
    async for page in workspace.client.search_users('status eq "ACTIVE"'):
        found.extend(page)
    plain = [user for user in found if workspace.guard.check(user) is None]
    return [user for user in plain if not workspace.guard.looks_like_service(user)][:number]


def some_user(text: str, number: int = 0) -> User:
    """A user whose every field is `text`."""
    names = {"firstName": text, "lastName": text, "displayName": text, "title": text, "department": text}
    profile = Profile.model_validate({"login": text, "email": text, "manager": text, "userType": text, **names})
    return User(id=f"00u{number:017d}", status=text or "ACTIVE", profile=profile)


@asynccontextmanager
async def triage(
    *, size: tuple[int, int] = (120, 36), settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Triage]:
    """A console on the demo org; `options` go to `Workspace.open_demo`, `settings` to the settings."""
    chosen = load_demo().model_copy(update=settings or {})
    workspace = await Workspace.open_demo(chosen, **options)
    try:
        app = EvictApp(workspace)
        async with app.run_test(size=size, notifications=True) as pilot:
            console = Triage(app, pilot, workspace)
            await console.until(lambda: isinstance(app.screen, TriageScreen))
            await console.until(lambda: workspace.connection.state != "connecting")
            yield console
    finally:
        await workspace.aclose()
