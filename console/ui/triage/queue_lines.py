"""The lines above the queue: counts by state, case and options, progress."""

from __future__ import annotations

from textual.content import Content

from console.revocation.states import State
from console.text import count, duration, sanitize, width
from console.ui.look import look
from console.ui.remapping import bound
from console.ui.triage.badges import also, options_words
from console.ui.triage.intent import Intent
from console.ui.widgets.line import Fact, Line, bar, fact, lay
from console.workspace import Workspace

SHOWN = (
    State.STAGED,
    State.QUEUED,
    State.SENDING,
    State.RETRYING,
    State.REVOKED,
    State.FAILED,
    State.UNKNOWN,
    State.DENIED,
    State.NOT_FOUND,
    State.CANCELLED,
)
WELL_KNOWN = (
    State.REVOKED,
    State.QUEUED,
    State.STAGED,
    State.CANCELLED,
    State.SENDING,
    State.RETRYING,
    State.DENIED,
    State.NOT_FOUND,
    State.FAILED,
    State.UNKNOWN,
)
"""In which order their words give way."""


class CountsLine(Line):
    """How many are in each state that has any."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def line(self, cells: int) -> Content:
        """The whole line; where it is too narrow, words go and glyphs stay, those that need the eye last."""
        counts = self._workspace.queue.counts()
        if not any(counts[state] for state in SHOWN):
            return Content.styled("nothing queued", "$quiet")
        told = {state: f"{look(state).glyph} {counts[state]:,} {look(state).word}" for state in SHOWN if counts[state]}
        for state in WELL_KNOWN:
            if sum(width(text) for text in told.values()) + 2 * (len(told) - 1) <= cells:
                break
            if state in told:
                told[state] = f"{look(state).glyph} {counts[state]:,}"
        return lay([fact(text, look(state).style) for state, text in told.items()], [], cells)


class IntentLine(Line):
    """The case, and what users put into the queue from now on lose."""

    def __init__(self, workspace: Workspace, intent: Intent) -> None:
        super().__init__()
        self._workspace = workspace
        self._intent = intent

    def line(self, cells: int) -> Content:
        """The whole line."""
        intent = self._intent
        if intent.case or intent.reason:
            words = " ".join(part for part in (intent.case, intent.reason) if part)
            case = fact(sanitize(words, limit=80), "$foreground")
        else:
            case = fact(f"no case: press {bound('triage.case', self._workspace.settings.keys)}", "$state-retrying")
        options = intent.options
        words = options_words(oauth_tokens=options.oauth_tokens, forget_devices=options.forget_devices)
        full = f"new: {words}"
        short = f"new: + {also(options)}" if also(options) else "new: sessions"
        room = cells - case.content.cell_length - 2
        return lay([case], [fact(full if len(full) <= room else short, "$quiet")], cells)


class ProgressLine(Line):
    """How far look-ups and the running batch are; takes no room while there is neither."""

    def __init__(self, workspace: Workspace, intent: Intent) -> None:
        super().__init__()
        self._workspace = workspace
        self._intent = intent
        self.display = False

    def tick(self) -> None:
        """Appear and go as needed."""
        lookups = self._intent.lookups
        wanted = self._shows_batch or lookups.running or bool(lookups.unresolved)
        if self.display != wanted:
            self.display = wanted
        super().tick()

    @property
    def _shows_batch(self) -> bool:
        """Where the terminal is short, rows matter more than saying twice what the limit line says."""
        return self._workspace.dispatcher.running and not self.screen.has_class("-short")

    def line(self, cells: int) -> Content:
        """The whole line."""
        facts: list[Fact] = []
        lookups = self._intent.lookups
        if lookups.running:
            facts.append(fact(f"looking up {lookups.done:,} of {count(lookups.total, 'target')}", "$state-sending"))
        if lookups.unresolved:
            key = bound("triage.unresolved", self._workspace.settings.keys)
            facts.append(fact(f"{len(lookups.unresolved):,} not resolved: {key}", "$state-retrying"))
        if self._shows_batch:
            facts.extend(self._batch_facts(cells))
        return lay(facts, [], cells)

    def _batch_facts(self, cells: int) -> list[Fact]:
        dispatcher = self._workspace.dispatcher
        done, total = dispatcher.progress()
        if not total:
            return []
        share = done / total if total else 0.0
        eta = dispatcher.eta_s()
        told = [fact(f"{done:,} of {total:,}  {int(share * 100)} %", "$foreground bold")]
        if eta is not None:
            told.append(fact(f"{duration(round(eta))} left", "$quiet", drop=1))
        room = cells - sum(one.content.cell_length + 2 for one in told)
        return [Fact(bar(share, max(6, min(24, room)), "$state-revoked"), drop=2), *told]
