"""Ending the operator's own sessions, by a session cookie or by their sign-in, and its record in the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial

import httpx

from console.clock import Clock, SystemClock
from console.credentials import NO_ORG, SignIn, sign_in, way_of
from console.history.records import ME, AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import History, HistoryUnavailable, new_id
from console.okta.answers import parse_json
from console.okta.errors import (
    AnswerLost,
    CredentialRejected,
    NotFound,
    OktaError,
    PermissionDenied,
    ScopeMissing,
    UnexpectedAnswer,
)
from console.okta.models import OrgInfo
from console.okta.own_sessions import (
    BY_COOKIE,
    BY_SIGN_IN,
    SCOPE,
    Ended,
    SessionCookie,
    end_own_sessions,
    end_own_sessions_signed_in,
)
from console.org_history import open_history
from console.settings import Settings, SettingsError
from console.text import timestamp
from console.workspace import Workspace, http_for, whoami

OUTCOMES: tuple[tuple[type[OktaError], str], ...] = (
    (AnswerLost, "unknown"),
    (CredentialRejected, "denied"),
    (ScopeMissing, "denied"),
    (PermissionDenied, "denied"),
    (NotFound, "not_found"),
)


class Way(StrEnum):
    """By what they are ended. The value is for `--json`."""

    COOKIE = "cookie"
    SIGN_IN = "sign_in"

    @property
    def call(self) -> str:
        """Okta's call."""
        return f"POST {BY_COOKIE}" if self is Way.COOKIE else f"DELETE {BY_SIGN_IN}"

    @property
    def recorded(self) -> str:
        """For the record of it."""
        return "session cookie" if self is Way.COOKIE else f"sign-in ({self.call})"

    def plan(self, *, keep_current: bool) -> str:
        """What will happen, before it does."""
        if self is Way.COOKIE:
            current = "but the one of the cookie" if keep_current else "the one of the cookie too"
            return (
                f"It ends all Okta sessions of whoever the cookie belongs to, {current}. "
                "OAuth tokens and remembered factors stay."
            )
        current = (
            "but the one that this sign-in was made in. That need not be the browser you have open now: "
            "Okta keeps what it calls the current authorization context"
            if keep_current
            else "in every browser"
        )
        return f"It ends your own Okta sessions, {current}. OAuth tokens stay, so that Evict stays signed in."

    def done(self, ended: Ended, *, keep_current: bool) -> str:
        """What happened, and by which way."""
        kept = "the one of the cookie" if self is Way.COOKIE else "the one of this sign-in"
        which = f"your sessions, except {kept}," if keep_current else "all your sessions"
        by = "your session cookie" if self is Way.COOKIE else "your sign-in"
        return f"Okta has ended {which} by {by}: {self.call} (request {ended.request_id or 'unknown'})."


SOMEBODY = UserRecord(id=ME, name="whose the cookie is")
"""All that is known of the user: what a cookie says is not read."""


class OwnSessions:
    """Ends them over a connection that is there, each time with a record of it in the history."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        history: History,
        clock: Clock,
        *,
        org_url: str,
        credential: SignIn | None = None,
        operator: OperatorRecord | None = None,
        deadline_s: float = 30.0,
    ) -> None:
        """`credential` is what signs on `http`; None for nothing that could end sessions of its own."""
        self._operator = operator or whoami("")
        self.credential = credential
        self._http = http
        self._history = history
        self._clock = clock
        self._org_url = org_url
        self._deadline_s = deadline_s

    @classmethod
    def of(cls, workspace: Workspace) -> OwnSessions:
        """With the connection and the history of a console."""
        # Past the pacer: one call, of somebody else's or another bucket than the revocations'.
        return cls(
            workspace.http,
            workspace.history,
            workspace.clock,
            org_url=workspace.org_url,
            credential=workspace.credential,
            operator=workspace.operator,
            deadline_s=workspace.settings.deadline,
        )

    async def pipeline(self) -> str:
        """`idx` or `v1`: which cookie the org goes by. Empty where the org does not say."""
        try:
            response = await self._http.get("/.well-known/okta-organization", auth=None)
            return OrgInfo.model_validate(parse_json(response.content)).pipeline
        except (httpx.HTTPError, UnexpectedAnswer, ValueError):
            return ""  # what follows says it if the org can't be reached at all

    # By which way

    @property
    def way(self) -> Way:
        """By the sign-in where an operator is signed in with the scope for it, else by cookie."""
        operator = self.credential.operator if self.credential is not None else None
        return Way.SIGN_IN if operator is not None and SCOPE in operator.auth.scopes else Way.COOKIE

    @property
    def signed_in(self) -> UserRecord:
        """Whose sign-in it is, as far as that is known without asking."""
        operator = self.credential.operator if self.credential is not None else None
        kept = operator.kept if operator is not None else None
        login = kept.login if kept else ""
        return UserRecord(id=ME, login=login, name="" if login else "who is signed in")

    async def resume(self) -> str:
        """Go on from a sign-in that is kept, where there is one; why it does not serve, empty where it does.

        Raises the OktaErrors that say nothing of the sign-in, such as Unreachable.
        """
        operator = self.credential.operator if self.credential is not None else None
        if operator is None:
            return "nobody signs in with a code here"
        try:
            if not operator.signed_in:
                await operator.resume(self._http)
        except (CredentialRejected, ScopeMissing) as error:
            return str(error)
        return "" if self.way is Way.SIGN_IN else f"the sign-in lacks the scope {SCOPE}"

    # Ending

    async def by_cookie(self, cookie: SessionCookie, *, keep_current: bool) -> Ended:
        """End them; the attempt is in the history before the request leaves, and its outcome after it.

        Raises OktaError, and HistoryUnavailable, which says whether anything was sent.
        """
        record = self._record(Way.COOKIE, "session cookie", SOMEBODY, keep_current=keep_current)
        call = partial(end_own_sessions, self._http, cookie)
        return await self._end(record, call, keep_current=keep_current)

    async def by_sign_in(self, user: UserRecord, *, keep_current: bool) -> Ended:
        """The same for the operator who is signed in; `user` is who that is, as far as it is known. Raises as above."""
        mode = self.credential.mode if self.credential is not None else ""
        record = self._record(Way.SIGN_IN, mode, user, keep_current=keep_current)
        return await self._end(record, partial(end_own_sessions_signed_in, self._http), keep_current=keep_current)

    async def _end(
        self, record: RevocationRecord, call: Callable[..., Awaitable[Ended]], *, keep_current: bool
    ) -> Ended:
        attempt = AttemptRecord(at=timestamp(self._clock.now()))
        try:
            await self._history.add([record])
            await self._history.attempt(record.id, attempt)
        except HistoryUnavailable as error:
            raise HistoryUnavailable(f"Nothing was sent, as no record can be kept of it: {error}") from error
        try:
            ended = await call(keep_current=keep_current, clock=self._clock, deadline_s=self._deadline_s)
        except OktaError as error:
            facts = {"status": error.status, "error_code": error.code, "request_id": error.request_id}
            failed = attempt.model_copy(update={**facts, "error": str(error)})
            await self._finish(record, outcome_of(error), failed)
            raise
        facts = {"status": ended.status, "request_id": ended.request_id, "milliseconds": ended.milliseconds}
        await self._finish(record, "revoked", attempt.model_copy(update=facts))
        return ended

    async def _finish(self, record: RevocationRecord, outcome: str, attempt: AttemptRecord) -> None:
        try:
            await self._history.finish(record.id, outcome, attempt)
        except HistoryUnavailable as error:
            raise HistoryUnavailable(f"It was sent ({outcome}), but the history does not have that: {error}") from error

    def _record(self, way: Way, auth_mode: str, user: UserRecord, *, keep_current: bool) -> RevocationRecord:
        which = "all but the current one" if keep_current else "all"
        return RevocationRecord(
            id=new_id(self._clock),
            batch_id=new_id(self._clock),
            reason=f"the operator's own sessions, {which}, by {way.recorded}",
            org=self._org_url,
            operator=self._operator.model_copy(update={"principal": user.login, "auth_mode": auth_mode}),
            user=user,
            options=OptionsRecord(oauth_tokens=False, forget_devices=False),
            queued_at=timestamp(self._clock.now()),
        )


def outcome_of(error: OktaError) -> str:
    """What the history calls an ending that failed."""
    return next((name for kind, name in OUTCOMES if isinstance(error, kind)), "failed")


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    by_sign_in: bool = True,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[OwnSessions]:
    """A connection and the org's history, for a command. It has the operator's sign-in where `scopes` ask for SCOPE.

    No other credential is needed or looked at. Raises SettingsError, HistoryUnavailable.
    """
    clock = clock or SystemClock()
    if settings.org_url is None:
        raise SettingsError(NO_ORG)
    serves = by_sign_in and way_of(settings) == "device" and SCOPE in settings.scopes
    credential = await sign_in(settings, clock) if serves else None
    history = open_history(settings, clock=clock)
    try:
        http = http_for(settings, credential.auth if credential is not None else httpx.Auth(), transport)
        try:
            yield OwnSessions(
                http, history, clock, org_url=settings.org_url, credential=credential, deadline_s=settings.deadline
            )
        finally:
            await http.aclose()
            if credential is not None:
                await credential.aclose()
    finally:
        history.close()
