"""`evict auth login|status|logout`: how Evict signs in, and what of it is kept in the keyring."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

import httpx

from console.cli.exits import INCOMPLETE, OK, REFUSED, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.cli.signing_in import ask_token, sign_in_with_code, take_token
from console.clock import Clock, SystemClock
from console.credentials import NO_ORG, SignIn, sign_in, way_of
from console.kept import KeptToken
from console.keyring_store import KeyringUnavailable
from console.okta.auth.operator import OperatorSignIn
from console.okta.auth.token import TokenAuth
from console.okta.client import OktaClient
from console.okta.errors import CredentialRejected, OktaError, ScopeMissing, Unreachable
from console.revocation.pacer import Pacer
from console.settings import Settings, SettingsError, load, profiles
from console.text import sanitize, timestamp
from console.workspace import http_for

NOT_DEVICE = (
    'these settings sign in with a token: run  evict auth login --token,  or set sign_in = "device" and client_id'
)
UNUSED = "Okta ends an API token after 30 days without use"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one set of settings signs in. Holds no secret."""

    profile: str
    org: str
    how: str
    who: str = ""
    until: str = ""
    scopes: str = ""
    secret_from: str = ""
    good: bool = False
    why: str = ""
    """Why it is not good, and what to do."""
    code: int = OK


def run(args: argparse.Namespace) -> int:
    """Carry out `evict auth ...`."""
    with Output(as_json=getattr(args, "json", False)) as out:
        part = {"login": _login, "status": _status, "logout": _logout}[args.part]
        try:
            return asyncio.run(part(args, out))
        except KeyringUnavailable as error:
            raise Stop(str(error), USAGE) from None


# Login


async def _login(args: argparse.Namespace, out: Output) -> int:
    settings, clock = load(), SystemClock()
    if settings.org_url is None:
        raise SettingsError(NO_ORG)
    if args.token:
        return await _keep_token(settings, clock, out)
    way = way_of(settings)
    if way != "device":
        raise Stop(NOT_DEVICE if way == "token" else "a service app signs in by itself, with its key", USAGE)
    credential = await sign_in(settings, clock)
    operator = _operator(credential)
    async with _client(settings, credential, clock) as (http, client):
        if not out.interactive:
            out.talk("Nobody seems to be at a terminal; somebody must open the link all the same.")
        await sign_in_with_code(http, clock, operator, out)
        login = await _whose(client)
        if not await operator.keep(login):
            out.talk(
                "The org gave no refresh token, so nothing can be kept: grant the app the Refresh Token grant type."
            )
            return INCOMPLETE
    out.talk(f"You are signed in{f' as {login}' if login else ''}. The sign-in is kept in the keyring of this account.")
    return OK


async def _keep_token(settings: Settings, clock: Clock, out: Output) -> int:
    """Nothing is kept that the org does not take."""
    token = ask_token(out, kept=True)
    auth = TokenAuth(None, settings.org_url or "", prefix=settings.token_prefix)
    take_token(auth, token)
    async with _client(settings, SignIn(auth, "token"), clock) as (_, client):
        login = await _whose(client)
    await asyncio.to_thread(KeptToken(settings.org_url or "").put, token)
    out.talk(f"The token{f' of {login}' if login else ''} is kept in the keyring of this account.")
    stronger = next((name for name in ("token", "token_file", "token_command") if getattr(settings, name)), None)
    if stronger is not None:
        out.talk(f"It is not used while {stronger} is set ({settings.sources.get(stronger, '')}).")
    elif way_of(settings) != "token":
        out.talk('It is not used before sign_in = "token" is set.')
    return OK


def _operator(credential: SignIn) -> OperatorSignIn:
    if credential.operator is None:
        raise Stop(NOT_DEVICE, USAGE)
    return credential.operator


async def _whose(client: OktaClient) -> str:
    """The login of whoever it is; empty where the org does not say. Raises OktaError where it is not good."""
    try:
        return (await client.me()).login
    except (CredentialRejected, Unreachable):
        raise
    except OktaError:
        return ""  # a service app has no user, and a scope for it may be missing


@asynccontextmanager
async def _client(
    settings: Settings, credential: SignIn, clock: Clock
) -> AsyncIterator[tuple[httpx.AsyncClient, OktaClient]]:
    http = http_for(settings, credential.auth)
    try:
        gate = Pacer(clock, rng=random.Random())  # noqa: S311 - jitter, not a secret
        yield http, OktaClient(http, gate=gate, clock=clock, deadline_s=settings.deadline)
    finally:
        await credential.aclose()
        await http.aclose()


# Status


async def _status(args: argparse.Namespace, out: Output) -> int:
    code = OK
    for name in (*profiles(), None) if args.all else (None,):
        try:
            settings = load(profile=name)
        except SettingsError as error:
            found = Standing(name or "", "", "", why="; ".join(error.problems), code=USAGE)
        else:
            found = await _standing(settings, SystemClock())
        _tell(found, out)
        code = code or found.code
    return code


async def _standing(settings: Settings, clock: Clock) -> Standing:
    profile, org, way = settings.profile or "", settings.org_url or "", way_of(settings)
    try:
        credential = await sign_in(settings, clock)
    except SettingsError as error:
        return Standing(profile, org, way, why="; ".join(error.problems), code=REFUSED)
    where, login, why, code = credential.where, "", "", OK
    async with _client(settings, credential, clock) as (http, client):
        try:
            if credential.operator is not None:
                await credential.operator.resume(http)
            login = await _whose(client)
        except OktaError as error:
            refused = isinstance(error, CredentialRejected | ScopeMissing)
            why, code = error.told, REFUSED if refused else INCOMPLETE
    token = getattr(credential.auth, "token", None)
    until, scopes = UNUSED, "those of its owner's admin roles"
    if token is not None:
        until = timestamp(clock.now() + timedelta(seconds=token.ends - clock.monotonic()))
        scopes = " ".join(token.scopes)
    elif way != "token" or settings.token_prefix != "SSWS":  # noqa: S105 - the word before it
        until = scopes = ""
    kept = credential.operator.kept if credential.operator else None
    who = login or (kept.login if kept else "") or credential.principal
    return Standing(profile, org, credential.mode, who, until, scopes, where, good=not code, why=why, code=code)


def _tell(found: Standing, out: Output) -> None:
    if out.as_json:
        facts = asdict(found)
        del facts["code"]
        out.record({"type": "sign_in", **facts})
        return
    out.line(f"{found.profile or 'settings'}: {'good' if found.good else 'NOT GOOD'}")
    rows = (
        ("org", found.org), ("signs in", found.how), ("as", found.who), ("until", found.until),
        ("scopes", found.scopes), ("secret from", found.secret_from), ("why", found.why),
    )  # fmt: skip
    for what, said in rows:
        if said:
            out.row([("", 0), (what, 11), (sanitize(said, limit=2000), 0)])


# Logout


async def _logout(args: argparse.Namespace, out: Output) -> int:
    settings, clock = load(), SystemClock()
    if settings.org_url is None:
        raise SettingsError(NO_ORG)
    if args.token or way_of(settings) == "token":
        there = await asyncio.to_thread(KeptToken(settings.org_url).delete)
        out.talk("The token is forgotten here." if there else "No token of this org is kept here.")
        if there:
            out.talk("It is still good: to end it, revoke it in the admin console under Security > API > Tokens.")
        return OK
    if way_of(settings) == "service_app":
        raise Stop("a service app signs in by itself, with its key: nothing of it is kept", USAGE)
    credential = await sign_in(settings, clock)
    operator = _operator(credential)
    code = OK
    async with _client(settings, credential, clock) as (http, _):
        try:
            there = await operator.sign_out(http)
        except OktaError as error:
            if not args.force:
                message = f"the org did not sign you out: {error}. Nothing was forgotten here; --force forgets it"
                raise Stop(message, INCOMPLETE) from None
            there, code = True, INCOMPLETE
            out.talk(f"The org did not sign you out: {error}. The sign-in may still be good there.")
        await operator.forget()
    out.talk("Forgotten here." if code else "Signed out." if there else "Nobody is signed in here.")
    return code
