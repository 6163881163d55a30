"""The composition root: settings in; http client, Okta client, pacer, queue, dispatcher and history out."""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import SecretStr

from console import __version__, log
from console.clock import Clock, SystemClock
from console.credentials import SignIn, sign_in, token_sign_in
from console.history.records import OperatorRecord
from console.history.store import History, new_id
from console.okta.auth.grants import Token
from console.okta.client import OktaClient
from console.okta.errors import CredentialRejected, OktaError, ScopeMissing, Unreachable
from console.okta.models import OrgInfo, User
from console.okta.signing import Signing
from console.okta.transport import open_http
from console.org_history import history_folder, open_history
from console.revocation.authority import Authority
from console.revocation.dispatcher import Dispatcher
from console.revocation.dossier import Dossiers
from console.revocation.events import Events, RateLimitMet, Why
from console.revocation.guard import Guard
from console.revocation.pacer import Pacer
from console.revocation.price import Prices
from console.revocation.queue import Queue
from console.revocation.readonly import ReadOnlyClient, ReadOnlyDispatcher
from console.revocation.resolver import Resolver
from console.revocation.resuming import Resuming
from console.revocation.staged import StagedQueue
from console.settings import Settings, SettingsError
from console.text import sanitize

if TYPE_CHECKING:
    from console.demo.org import DemoOrg

LOGGER = logging.getLogger(__name__)
DEMO_URL = "https://demo.okta.test"
OTHER_ORG = "Another org answers at this address than before: nothing goes on. Check the network, and start Evict anew."
OF_THE_CREDENTIAL = (Why.CREDENTIAL, Why.SCOPE)
"""Pauses that another credential may end."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How Evict stands with the org. `message` says what is wrong and what to do; empty when nothing is."""

    state: Literal["connecting", "connected", "offline", "refused"]
    message: str = ""


def whoami(auth_mode: str) -> OperatorRecord:
    """The operator as this machine knows them."""
    try:
        os_user = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        os_user = f"uid {os.getuid()}"
    return OperatorRecord(os_user=sanitize(os_user), host=sanitize(socket.gethostname()), auth_mode=auth_mode)


def http_for(
    settings: Settings, auth: httpx.Auth, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The one HTTP client. Raises SettingsError where CA file or proxy can't be used."""
    try:
        return open_http(
            settings.org_url or "",
            auth,
            transport=transport,
            ca_file=settings.ca_file,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _log(settings: Settings, secrets: Callable[[], tuple[str, ...]]) -> Callable[[], None]:
    """Keep a log, but from a read-only console, which leaves no trace; returns its end."""
    if settings.read_only:
        return lambda: None
    proxy = settings.proxy.get_secret_value() if settings.proxy else ""
    return log.start(settings.data_dir, level=settings.log_level, secrets=lambda: (*secrets(), proxy))


def _guard(settings: Settings) -> Guard:
    return Guard(
        users=settings.protected_users, groups=settings.protected_groups,
        service_patterns=settings.service_account_patterns, admin_patterns=settings.admin_patterns,
    )  # fmt: skip


class Workspace:
    """Everything one console holds. Made by `open` or `open_demo`, ended by `aclose`."""

    def __init__(
        self,
        settings: Settings,
        credential: SignIn,
        history: History,
        *,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None,
        seed: int | None,
        demo_org: DemoOrg | None = None,
    ) -> None:
        self.settings, self.clock, self.history = settings, clock, history
        self.demo_org = demo_org
        """The org of the demo, None on a real one."""
        self.org_url = settings.org_url or ""
        self.org: OrgInfo | None = None
        self.me: User | None = None
        self.connection = Connection("connecting")
        self.credential, self.operator = credential, whoami(credential.mode)
        self._signing, self._credentials, self._renewing = Signing(credential.auth), [credential], asyncio.Lock()
        rng = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self.events = Events()
        self.http = http_for(settings, self._signing, transport)
        self.pacer = Pacer(
            clock,
            rng=rng,
            reserve=settings.reserve,
            in_flight=settings.in_flight,
            pace=settings.pace,
            on_rate_limited=lambda bucket, cause: self.events.emit(RateLimitMet(bucket, cause)),
        )
        self.pacer.emergency(settings.emergency)
        make_client = ReadOnlyClient if settings.read_only else OktaClient
        self.client = make_client(self.http, gate=self.pacer, clock=clock, deadline_s=settings.deadline)
        self.prices = Prices(self.client, self.pacer, clock)
        self.queue = Queue(self.events, new_id=lambda: new_id(clock))
        self.guard = _guard(settings)
        self.resolver = Resolver(self.client, self.pacer)
        self.dispatcher = self._dispatcher(rng)
        self._end_log = _log(settings, self.secrets)

    def _dispatcher(self, rng: random.Random) -> Dispatcher:
        make = ReadOnlyDispatcher if self.settings.read_only else Dispatcher
        return make(
            self.client,
            pacer=self.pacer,
            queue=self.queue,
            history=self.history,
            events=self.events,
            clock=self.clock,
            rng=rng,
            operator=lambda: self.operator,
            org=self.org_url,
            guard=self.guard,
        )

    @cached_property
    def authority(self) -> Authority:
        """What the credential may do."""
        return Authority(
            self.client,
            self.pacer,
            scopes=lambda: tuple(getattr(self.credential.auth, "scopes", ())),
            read_only=self.settings.read_only,
        )

    @cached_property
    def dossiers(self) -> Dossiers:
        """What Okta knows of single users besides their profile."""
        busy, learnt = (lambda: self.dispatcher.running), self.guard.learn_admin
        return Dossiers(self.client, self.pacer, self.clock, busy=busy, learnt=learnt)

    @cached_property
    def resuming(self) -> Resuming:
        """Batches that a console left unfinished."""
        return Resuming(
            self.history,
            self.dispatcher,
            guard=self.guard,
            resolver=self.resolver,
            clock=self.clock,
            operator=lambda: self.operator,
        )

    @cached_property
    def staged(self) -> StagedQueue:
        """What is staged, kept across restarts; only where it is asked for, as the console does."""
        return StagedQueue(
            history_folder(self.settings, demo=self.demo),
            queue=self.queue,
            events=self.events,
            clock=self.clock,
            resolver=self.resolver,
            org_id=lambda: self.org.id if self.org else "",
            recorded=self.history,
            read_only=self.settings.read_only,
        )

    @property
    def demo(self) -> bool:
        """Whether this is the demo org."""
        return self.demo_org is not None

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        seed: int | None = None,
        load: bool = True,
        may_ask: bool = False,
    ) -> Workspace:
        """A workspace on a real org; nothing is sent yet. Without `load` its history is still to be read.

        With `may_ask` a token that is nowhere may be given later, to `credential.token`.

        Raises SettingsError where org or token is missing, HistoryUnavailable where the history can't be opened.
        """
        clock = clock or SystemClock()
        credential = await sign_in(settings, clock, may_ask=may_ask)
        history = open_history(settings, clock=clock, read_only=settings.read_only, load=load)
        try:
            return cls(settings, credential, history, clock=clock, transport=transport, seed=seed)
        except BaseException:
            history.close()
            raise

    @classmethod
    async def open_demo(
        cls,
        settings: Settings,
        *,
        users: int = 300,
        seed: int = 7,
        clock: Clock | None = None,
        load: bool = True,
        **options: Any,
    ) -> Workspace:
        """A workspace on the demo org, which runs inside this process; `options` go to DemoOrg.

        Raises HistoryUnavailable where the demo's own history can't be opened.
        """
        from console.demo.app import build_app  # with what serves it: of no use on a real org
        from console.demo.org import DemoOrg

        clock, token = clock or SystemClock(), secrets.token_urlsafe(24)
        org = DemoOrg(seed=seed, users=users, clock=clock, token=token, **options)
        nothing: dict[str, Any] = {"org_url": DEMO_URL, "token": SecretStr(token), "token_prefix": "SSWS"}
        real = dict.fromkeys(
            ("ca_file", "proxy", "sign_in", "token_file", "token_command", "client_id", "private_key", "key_id")
        )
        settings = settings.model_copy(update={**real, **nothing})
        credential, transport = await sign_in(settings, clock), httpx.ASGITransport(app=build_app(org))
        history = open_history(settings, clock=clock, demo=True, read_only=settings.read_only, load=load)
        try:
            return cls(settings, credential, history, clock=clock, transport=transport, seed=seed, demo_org=org)
        except BaseException:
            history.close()
            raise

    async def connect(self) -> Connection:
        """Ask the org who it is and who we are, and load the guard. Never raises an OktaError; may be repeated."""
        self.connection = Connection("connecting")
        self.authority.forget()
        self.dossiers.forget()
        self.connection = await self._connect()
        LOGGER.info("evict %s, %s: %s %s", __version__, self.org_url, self.connection.state, self.connection.message)
        return self.connection

    async def _connect(self) -> Connection:
        try:
            self.org = await self.client.org_info()
            self.me = await self.client.me()
        except (CredentialRejected, ScopeMissing) as error:
            return Connection("refused", error.told)
        except OktaError as error:
            if self.org is None or isinstance(error, Unreachable):
                return Connection("offline", error.told)
            # A service app has no user of its own: it is known by its client ID, and that is no trouble.
            self.me, app = None, self.credential.principal
            self._signed_in_as(app)
            await self.guard.load(self.client)
            return Connection("connected", "" if app else f"Okta does not say who the credential belongs to: {error}")
        self._signed_in_as(self.me.login)
        await self.guard.load(self.client, own=self.me)
        return Connection("connected")

    def _signed_in_as(self, principal: str) -> None:
        self.operator = self.operator.model_copy(update={"principal": principal, "auth_mode": self.credential.mode})

    def secrets(self) -> tuple[str, ...]:
        """What every credential of this console holds, to be kept out of logs and crash reports."""
        return tuple(secret for one in self._credentials for secret in one.secrets())

    async def renew_credential(self, given: SecretStr | Token | None = None) -> Connection:
        """Sign with another token from now on, the one of a new sign-in, or without one try the credential again.

        What was paused for it then goes on, but in nobody's name but the one it was confirmed in: where somebody else
        has signed in, or Okta does not say who, it stays paused until the operator resumes it.

        A token is kept in memory alone. Where the org refuses it or can't be reached, the credential, and who is
        signed in, stay as they were, what is paused stays so, and what is returned says why. Raises SettingsError for
        what can't be a token.
        """
        async with self._renewing:
            before = (self.credential, self.operator, self.me, self.org)
            was = self.connection
            new = await token_sign_in(self.settings, given, self.clock) if isinstance(given, SecretStr) else None
            stopped = given is not None and self._stand_still()
            if new is not None:
                self._sign_with(new)
            elif isinstance(given, Token) and self.credential.operator is not None:
                self.credential.operator.began(given)
            try:
                connection = await self.connect()
            except BaseException:
                self._take_back(*before, stopped=stopped and new is not None)
                raise
            if connection.state == "connected" and before[3] and self.org and self.org.id != before[3].id:
                connection = self.connection = Connection("refused", OTHER_ORG)
            if connection.state != "connected":
                # A sign-in that was given up for another one does not come back: it stays paused then.
                self._take_back(*before, stopped=stopped and new is not None)
                if new is not None and connection.state == "refused" and was.state == "connected":
                    self.connection = was  # the one before was not asked, and may be as good as it was
                return connection
            self._go_on(before[1].principal, anew=given is not None)
            return connection

    def _sign_with(self, credential: SignIn) -> None:
        self.credential, self._signing.current = credential, credential.auth
        if credential not in self._credentials:
            self._credentials.append(credential)

    def _stand_still(self) -> bool:
        """Nothing that was confirmed is sent before it is known who signs it; whether it stands still for that now."""
        if not self.dispatcher.running or self.dispatcher.paused is not None:
            return False
        self.dispatcher.pause(Why.CREDENTIAL, "Somebody signs in: nothing is sent before Okta says who.")
        return True

    def _take_back(
        self, credential: SignIn, operator: OperatorRecord, me: User | None, org: OrgInfo | None, *, stopped: bool
    ) -> None:
        self._sign_with(credential)
        self.operator, self.me, self.org = operator, me, org
        if stopped:
            self.dispatcher.mended("Nobody else signed in.")

    def _go_on(self, was: str, *, anew: bool) -> None:
        """End a pause that the credential was the cause of, or let the operator do it where that takes their word."""
        if (paused := self.dispatcher.paused) is None or paused.why not in OF_THE_CREDENTIAL:
            return
        who = self.operator.principal
        if who == was and (who or not anew):
            self.dispatcher.mended(f"Okta accepts the credential{f' of {who}' if who else ''}.")
            return
        now, then = who or "somebody whom Okta does not name", was or "somebody whom Okta did not name"
        self.dispatcher.mended(
            f"You are signed in as {now}. What waits was confirmed as {then}: resume to send it in the new name.",
            ask=True,
        )

    async def aclose(self) -> None:
        """Stop sending, wait for what is under way, then close connections and, last, the history."""
        try:
            await self.dispatcher.aclose()
            await self.authority.aclose()
            if "staged" in self.__dict__:
                await self.staged.aclose()
            await self.dossiers.aclose()
        finally:
            try:
                await self.http.aclose()
                await self.credential.aclose()
            finally:
                self.history.close()
                self._end_log()
