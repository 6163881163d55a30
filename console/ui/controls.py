"""What an operator changes while a batch runs: pace, reserve, requests at once, emergency; and what that means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from textual.app import App
from textual.timer import Timer

from console.okta.limits import BucketState, Endpoint
from console.revocation.cap import MOST_IN_FLIGHT
from console.revocation.pacer import MOST_RESERVE
from console.revocation.states import State
from console.revocation.words import of_revocations
from console.text import count, duration
from console.ui.screens.confirm import Confirm
from console.workspace import Workspace

STEP = 5
"""Percent points that the reserve changes by."""
TOGETHER_S = 0.4
"""Keys that follow each other this closely are told of once."""
UNSENT = (State.QUEUED, State.RETRYING, State.SENDING)
USUAL = 1000
"""Users whose price is told where nothing runs and nothing is staged."""


class Controls:
    """Changes the pacer at once and says so in words. `changed` is called after each change."""

    def __init__(self, app: App[Any], workspace: Workspace, changed: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._workspace = workspace
        self._pacer = workspace.pacer
        self._changed = changed
        self._saying: tuple[str, str] | None = None
        self._before: float | None = None
        self._timer: Timer | None = None

    # Changes

    def next_pace(self) -> None:
        """Sprint or spread."""
        self._begin()
        self._pacer.pace = "spread" if self._pacer.pace == "sprint" else "sprint"
        self._say("Pace", f"{pace_words(self._pacer.pace).capitalize()}.")

    def reserve(self, points: int) -> None:
        """More or less for everyone else, in percent points; 0 to 90 percent."""
        self._begin()
        share = round(self._pacer.kept_reserve + points / 100, 2)
        self._pacer.reserve = max(0.0, min(MOST_RESERVE, share))
        later = ", once the emergency is over" if self._pacer.in_emergency else " of each window is left to others"
        self._say("Reserve", f"{reserve_words(self._pacer.kept_reserve, self._bucket).capitalize()}{later}.")

    def in_flight(self, step: int) -> None:
        """More or fewer requests at once, 1 to 10."""
        self._begin()
        wanted = max(1, min(MOST_IN_FLIGHT, self._pacer.in_flight + step))
        if wanted != self._pacer.in_flight:
            self._pacer.in_flight = wanted
        self._say("In flight", f"{in_flight_words(self._pacer.allowed, wanted).capitalize()} at once.")

    def emergency(self) -> None:
        """End the emergency at once, or begin one after a confirmation."""
        if self._pacer.in_emergency:
            self._set_emergency(on=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._set_emergency(on=True)

        self._app.push_screen(Confirm("Emergency", self._question(), yes="Use the reserve", no="Keep it"), answered)

    def _set_emergency(self, *, on: bool) -> None:
        if on == self._pacer.in_emergency:
            return
        self._begin()
        self._pacer.emergency(on)
        kept = reserve_words(self._pacer.kept_reserve, self._bucket)
        over = f"It is over: the reserve is left to others again ({kept})."
        self._say("Emergency", "The reserve is used too: nothing is kept for others." if on else over)

    def _question(self) -> str:
        state = self._bucket
        kept = f"the {self._pacer.kept_reserve:.0%} of each window"
        if state is not None and state.limit:
            kept = f"the {self._pacer.kept_reserve:.0%} of each window ({state.reserve:,} of {state.limit:,} requests)"
        return (
            f"This takes {kept} that Evict leaves to everyone else in the org. Apps and people that need the"
            " same bucket may be refused until the emergency is over. Use it to get an attacker out, not to save time."
        )

    # What it means

    def _begin(self) -> None:
        if self._saying is None:
            self._before = self._takes()

    def _say(self, title: str, text: str) -> None:
        """Soon, so that a key held down leaves one toast and not ten."""
        self._saying = (title, text)
        self._changed()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._app.set_timer(TOGETHER_S, self._tell)

    def _tell(self) -> None:
        if self._saying is not None:
            title, text = self._saying
            self._saying = None
            self._app.notify(f"{text} {self._meaning()}", title=title, timeout=6, markup=False)

    @property
    def _bucket(self) -> BucketState | None:
        return of_revocations(self._pacer.snapshot())

    def _subject(self) -> tuple[int, str]:
        """So many requests, and whose they are."""
        queue = self._workspace.queue
        counts = queue.counts()
        if left := sum(counts[state] for state in UNSENT):
            return left, "The batch takes"
        if staged := counts[State.STAGED]:
            return staged, f"The {count(staged, 'user')} staged would take"
        return USUAL, f"{count(USUAL, 'user')} would take"

    def _takes(self) -> float | None:
        return self._pacer.plan(Endpoint.SESSIONS, self._subject()[0]).seconds

    def _meaning(self) -> str:
        """`The batch takes about 3 min 20 s more (2 min 40 s before).`"""
        seconds, before = self._takes(), self._before
        if seconds is None:
            return "How long a batch takes is known once the org has told its limit."
        subject = self._subject()[1]
        more = " more" if subject.startswith("The batch") else ""
        now, was = (duration(max(1, round(value))) for value in (seconds, seconds if before is None else before))
        return f"{subject} about {now}{more}" + (", as before." if now == was else f", not {was}.")

    # The palette

    def commands(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """(title, what it does, how) of every change, for the palette."""
        pacer, bucket = self._pacer, self._bucket
        other = "spread" if pacer.pace == "sprint" else "sprint"
        yield f"Pace: {other}", f"{pace_words(other)}; now: {pacer.pace}", self.next_pace
        now = reserve_words(pacer.kept_reserve, bucket)
        yield "More reserve", f"{STEP} points more for everyone else; now {now}", lambda: self.reserve(STEP)
        yield "Less reserve", f"{STEP} points less for everyone else; now {now}", lambda: self.reserve(-STEP)
        at_once = in_flight_words(pacer.allowed, pacer.in_flight)
        yield "More in flight", f"One request more at once; now {at_once}", lambda: self.in_flight(1)
        yield "Fewer in flight", f"One request fewer at once; now {at_once}", lambda: self.in_flight(-1)
        if pacer.in_emergency:
            yield "End the emergency", f"Leave the reserve to others again: {now}", self.emergency
        else:
            yield "Emergency", "Use the reserve too; asks first", self.emergency


def pace_words(pace: str) -> str:
    """What a pace does."""
    return "sprint, then wait" if pace == "sprint" else "spread over the window"


def reserve_words(share: float, state: BucketState | None) -> str:
    """`20%: 60 of 300`."""
    if not share:
        return "none"
    if state is None or not state.limit:
        return f"{share:.0%}"
    part = min(math.ceil(state.limit * share - 1e-9), state.limit - 1)
    return f"{share:.0%}: {part:,} of {state.limit:,}"


def in_flight_words(allowed: int, wanted: int) -> str:
    """`at most 8`; fewer for a while after the org was at its concurrency limit."""
    return f"{allowed} for now, {wanted} wanted" if allowed < wanted else f"at most {wanted}"
