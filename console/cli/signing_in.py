"""Before a command talks to the org: what only the operator can give is asked for, where somebody is there."""

from __future__ import annotations

import getpass
import signal
import sys

import httpx
from pydantic import SecretStr

from console import qr
from console.cli.exits import REFUSED, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.clock import Clock
from console.okta.auth.device import Invitation
from console.okta.auth.operator import OperatorSignIn
from console.okta.auth.token import TokenAuth
from console.okta.errors import SignedOut
from console.settings import check_token
from console.text import duration
from console.workspace import Workspace

HOW = "run  evict auth login"


async def signed_in(workspace: Workspace, out: Output) -> None:
    """See that the credential can sign: go on from a kept sign-in, or ask. Raises Stop, OktaError."""
    credential = workspace.credential
    if credential.token is not None and not credential.token.ready:
        take_token(credential.token, ask_token(out))
    operator = credential.operator
    if operator is None or operator.signed_in:
        return
    try:
        await operator.resume(workspace.http)
    except SignedOut as error:
        if not out.interactive:
            raise Stop(f"{error}: {HOW}", REFUSED) from None
        await sign_in_with_code(workspace.http, workspace.clock, operator, out)


async def sign_in_with_code(http: httpx.AsyncClient, clock: Clock, operator: OperatorSignIn, out: Output) -> None:
    """Show code and link, and wait until the operator has signed in. For this run alone. Raises OktaError."""
    device = operator.device(http)
    invitation = await device.invite()
    show(invitation, invitation.ends - clock.monotonic(), out)
    operator.began(await device.token(invitation))
    out.talk("Signed in.")


def show(invitation: Invitation, seconds: float, out: Output) -> None:
    """Code, link and QR code, on stderr."""
    out.talk(f"To sign in, open  {invitation.link}  and type the code  {invitation.user_code}")
    if code := qr.for_encoding(invitation.link_with_code, sys.stderr.encoding or "ascii"):
        out.talk("\n".join(["or scan this:", *code]))
    out.talk(f"Waiting until you have signed in; the code is good for {duration(seconds)}, Ctrl-C gives up.")


def ask_token(out: Output, *, kept: bool = False) -> SecretStr:
    """A token, typed without echo, or the first line of a pipe where nobody is there. Raises Stop for none."""
    if not out.interactive:
        text = sys.stdin.readline()
    else:
        # The loop would only take note of a Ctrl-C until the line is typed.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            text = getpass.getpass(f"API token of the org (not shown{'' if kept else ', not kept'}): ")
        finally:
            signal.signal(signal.SIGINT, before)
    if not text.strip():
        raise Stop("no token was given: nothing was done", USAGE)
    try:
        return check_token(SecretStr(text.strip()))
    except ValueError as error:
        raise Stop(f"the token {error}. Nothing was done", USAGE) from None


def take_token(auth: TokenAuth, token: SecretStr) -> None:
    """Sign with it. Raises Stop for one that no header can carry."""
    try:
        auth.take(token)
    except ValueError as error:
        raise Stop(f"{error}. Nothing was done", USAGE) from None
