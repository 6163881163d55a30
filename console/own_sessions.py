"""Ending the operator's own sessions: one request without the credential, and its record in the history."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from console.clock import Clock, SystemClock
from console.credentials import NO_ORG
from console.history.records import AttemptRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import History, new_id
from console.okta.answers import parse_json
from console.okta.errors import AnswerLost, CredentialRejected, NotFound, OktaError, UnexpectedAnswer
from console.okta.models import OrgInfo
from console.okta.own_sessions import Ended, SessionCookie, end_own_sessions
from console.okta.transport import open_http
from console.settings import Settings, SettingsError
from console.text import timestamp
from console.workspace import open_history, whoami

OUTCOMES: tuple[tuple[type[OktaError], str], ...] = (
    (AnswerLost, "unknown"),
    (CredentialRejected, "denied"),
    (NotFound, "not_found"),
)


class OwnSessions:
    """A connection to the org without a credential, and the org's history. Use it as a context manager."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Raises SettingsError without an org, HistoryUnavailable where the history can't be opened."""
        if settings.org_url is None:
            raise SettingsError(NO_ORG)
        self._settings = settings
        self._org_url = settings.org_url
        self._clock = clock or SystemClock()
        self._history: History = open_history(settings, clock=self._clock)
        self._http = open_http(
            settings.org_url,
            httpx.Auth(),
            transport=transport,
            ca_file=settings.ca_file,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._http.aclose()
        finally:
            self._history.close()

    async def pipeline(self) -> str:
        """`idx` or `v1`: which cookie the org goes by. Empty where the org does not say."""
        try:
            response = await self._http.get("/.well-known/okta-organization")
            return OrgInfo.model_validate(parse_json(response.content)).pipeline
        except (httpx.HTTPError, UnexpectedAnswer, ValueError):
            return ""  # what follows says it if the org can't be reached at all

    async def end(self, cookie: SessionCookie, *, keep_current: bool) -> Ended:
        """End them; the attempt is in the history before the request leaves, and its outcome after it.

        Raises OktaError, and HistoryUnavailable with nothing sent.
        """
        record = self._record(keep_current=keep_current)
        await self._history.add([record])
        attempt = AttemptRecord(at=timestamp(self._clock.now()))
        await self._history.attempt(record.id, attempt)
        try:
            ended = await end_own_sessions(
                self._http, cookie, keep_current=keep_current, clock=self._clock, deadline_s=self._settings.deadline
            )
        except OktaError as error:
            outcome = next((name for kind, name in OUTCOMES if isinstance(error, kind)), "failed")
            facts = {"status": error.status, "error_code": error.code, "request_id": error.request_id}
            failed = attempt.model_copy(update={**facts, "error": str(error)})
            await self._history.finish(record.id, outcome, failed)
            raise
        facts = {"status": ended.status, "request_id": ended.request_id, "milliseconds": ended.milliseconds}
        await self._history.finish(record.id, "revoked", attempt.model_copy(update=facts))
        return ended

    def _record(self, *, keep_current: bool) -> RevocationRecord:
        which = "all but the current one" if keep_current else "all"
        return RevocationRecord(
            id=new_id(self._clock),
            batch_id=new_id(self._clock),
            reason=f"the operator's own sessions, {which}, by session cookie",
            org=self._org_url,
            operator=whoami("session cookie"),
            user=UserRecord(id="me", name="whose the cookie is"),
            options=OptionsRecord(oauth_tokens=False, forget_devices=False),
            queued_at=timestamp(self._clock.now()),
        )
