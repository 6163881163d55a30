"""Batches that were left unfinished, in lines and objects: how each stands, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.cli.exits import INCOMPLETE
from console.cli.failures import Stop
from console.history.entries import BatchState
from console.revocation.resuming import who
from console.revocation.states import OUTCOMES, State

WORDS = {"queued": "not sent", "sending": "being sent", State.UNKNOWN.value: "unknown (sent, no answer seen)"}
"""What an outcome is called where it is not its own name."""
ORDER = (*(state.value for state in OUTCOMES), "sending", "queued")


def chosen(named: str | None, every: Sequence[BatchState], unfinished: Sequence[BatchState]) -> BatchState | None:
    """The batch of that ID; without one the newest that nobody works on, or None. Raises Stop for no such batch."""
    if named is None:
        free = [state for state in unfinished if not state.held]
        return next(iter([*free, *unfinished]), None)
    for state in every:
        if state.info.id == named.strip().upper():
            if state.open:
                return state
            closed = f", and closed by {state.info.closed_by}" if state.info.closed_at else ""
            raise Ended(f"This batch has ended: {stands(state)}{closed}. There is nothing to resume.")
    raise Stop("no batch has this ID; evict resume  without one takes the newest that was left unfinished", INCOMPLETE)


class Ended(Stop):
    """There is nothing to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 0)


def stands(state: BatchState) -> str:
    """`112 revoked, 2 failed, 3 unknown (sent, no answer seen), 83 not sent`."""
    counts = {name: state.counts[name] for name in ORDER if state.counts.get(name)}
    return ", ".join(f"{number:,} {WORDS.get(name, name.replace('_', ' '))}" for name, number in counts.items())


def lines(state: BatchState) -> list[str]:
    """The head of a batch, then the rest about it."""
    info = state.info
    held = "; a console works on it" if state.held else ""
    return [
        f"Batch {info.id}, confirmed {info.confirmed_at}: {stands(state)}{held}",
        f"  by         {who(info.operator)}",
        f"  case       {info.case or 'none'}    reason  {info.reason or 'none'}",
    ]


def facts(state: BatchState, *, chosen: bool) -> dict[str, Any]:
    """The same as a JSON object."""
    info = state.info
    return {
        "type": "batch",
        "batch_id": info.id,
        "confirmed_at": info.confirmed_at,
        "operator": info.operator.model_dump(),
        "case": info.case,
        "reason": info.reason,
        "org": info.org,
        "held": state.held,
        "chosen": chosen,
        **{name: state.counts.get(name, 0) for name in ORDER},
    }
