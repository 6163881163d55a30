"""One attempt at one revocation: guard, record, request, verdict. What follows from it is the dispatcher's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.clock import Clock
from console.history.records import AttemptRecord
from console.okta.errors import InvalidUserId, OktaError
from console.okta.limits import Permit
from console.revocation.brake import unrecorded
from console.revocation.events import Why
from console.revocation.outcomes import Then, Verdict, explain, judge
from console.revocation.ports import HistoryWriter, Revoker, UserGuard
from console.revocation.states import Item, State
from console.text import timestamp


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt."""

    verdict: Verdict
    sent: bool
    """Whether the request was handed to the client."""
    note: str = ""
    record: AttemptRecord | None = None
    """Replaces what was recorded before the request; None where nothing was recorded."""

    @property
    def counts(self) -> bool:
        """Whether it is one of the attempts that a revocation has."""
        return self.sent and self.verdict.then in (Then.END, Then.RETRY)


class Attempt:
    """Runs once. Ends the permit in every case, also when cancelled."""

    def __init__(
        self,
        item: Item,
        *,
        client: Revoker,
        history: HistoryWriter,
        clock: Clock,
        guard: UserGuard | None,
        principal: str | None = None,
    ) -> None:
        """`principal` is whom Okta sees, where that is not the operator of the record."""
        self._item = item
        self._client = client
        self._history = history
        self._clock = clock
        self._guard = guard
        self._principal = principal
        self._sent = False
        self._record: AttemptRecord | None = None
        """As it was handed to the history, which writes it even if nobody waits for that any more."""

    async def run(self, permit: Permit, may_send: Callable[[], bool]) -> Tried:
        """Send, if the guard, the history and `may_send` (asked last) let it leave.

        The attempt is durable in the history before the request leaves.
        """
        try:
            refusal = self._guard.check(self._item.user) if self._guard else None
            if refusal is not None:
                return Tried(Verdict(Then.END, State.CANCELLED), sent=False, note=f"Protected: {refusal}")
            record = self._record = AttemptRecord(at=timestamp(self._clock.now()), principal=self._principal)
            try:
                await self._history.attempt(self._item.id, record)
            except OSError as error:
                verdict = Verdict(Then.PAUSE, State.QUEUED, Why.HISTORY)
                return Tried(verdict, sent=False, note=unrecorded(error))
            if not may_send():
                record = record.model_copy(update={"error": "Not sent: paused or stopped just before."})
                return Tried(Verdict(Then.AGAIN, State.QUEUED), sent=False, record=record)
            self._sent = True
            return await self._send(record, permit)
        finally:
            # The client has ended it, unless it failed before it could; a second end does nothing.
            if self._sent:
                permit.lost()
            else:
                permit.unused()

    async def _send(self, record: AttemptRecord, permit: Permit) -> Tried:
        options, began = self._item.options, self._clock.monotonic()
        try:
            receipt = await self._client.revoke_sessions(
                self._item.user.id,
                oauth_tokens=options.oauth_tokens,
                forget_devices=options.forget_devices,
                permit=permit,
            )
        except (OktaError, InvalidUserId) as error:
            note = explain(error)
            facts: dict[str, object] = {"error": str(error)}
            if isinstance(error, OktaError):
                facts |= {"status": error.status, "error_code": error.code, "request_id": error.request_id}
            facts["milliseconds"] = round((self._clock.monotonic() - began) * 1000)
            return Tried(judge(error), sent=True, note=note, record=record.model_copy(update=facts))
        facts = {"status": receipt.status, "request_id": receipt.request_id, "milliseconds": receipt.milliseconds}
        return Tried(Verdict(Then.END, State.REVOKED), sent=True, record=record.model_copy(update=facts))

    def cut(self) -> Tried:
        """What is to be said of an attempt that was cancelled while it ran."""
        note = "Evict was closed before the answer came: Okta may have carried it out."
        if not self._sent:
            note = "Not sent: Evict was closed just before."
        record = self._record.model_copy(update={"error": note}) if self._record else None
        if not self._sent:
            return Tried(Verdict(Then.AGAIN, State.QUEUED), sent=False, record=record)
        return Tried(Verdict(Then.END, State.UNKNOWN), sent=True, note=note, record=record)
