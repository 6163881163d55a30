"""No secret, key, proof, cookie or code is ever written anywhere: canaries go down every path, and all is searched."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey
from rich.console import Console
from textual.widgets import Input

from console.clock import ManualClock, SystemClock
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.demo.tokens import App
from console.settings import load
from console.ui.app import EvictApp
from console.ui.dialogs.sign_in import SignInDialog
from console.workspace import Workspace
from tests.support.canaries import Canaries, files_below
from tests.support.desk import Desk, Order
from tests.support.keyring import memory_keyring
from tests.support.tapped import PROC, tapped
from tests.support.triage import Triage
from tests.support.ui import settled

pytestmark = pytest.mark.slow

SSWS, BEARER, TYPED = "00SswsCanaryZ7yX3wV9uT5sR1qP", "00BearerCanaryK4jH8gF2dS6aL", "00TypedCanaryM3nB7vC1xZ9lK5"
COMMAND, FILED, KEPT = "00CommandCanaryQ8wE4rT2yU6iO", "00FileCanaryA1sD5fG9hJ3kL7", "00KeptCanaryP0oI9uY8tR7eW6"
WRONG, PASSWORD = "00WrongCanaryZ1xC2vB3nM4qW5", "ProxyCanary+Pa=ssw0rd/9x7Lq"
SERVICE, NATIVE = "0oaServiceApp0000001", "0oaNativeApp00000001"
SCOPES = frozenset({"okta.users.read", "okta.users.manage", "okta.groups.read", "okta.logs.read"})
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
KEY = RSAKey.import_key(PEM)
JWK = json.dumps({**KEY.as_dict(private=True), "kid": "k1"})


def planted() -> Canaries:
    canaries = Canaries()
    names = {"SSWS token": SSWS, "bearer token": BEARER, "typed token": TYPED, "command's token": COMMAND,
             "token file": FILED, "kept token": KEPT, "wrong token": WRONG, "proxy password": PASSWORD}  # fmt: skip
    for name, value in names.items():
        canaries.add(name, value)
    canaries.add_pem("private key, PEM", PEM)
    canaries.add_jwk("private key, JWK", JWK)
    return canaries


# The search itself

WAYS = {
    "as it is": lambda text: text,
    "in the middle": lambda text: "x" * 37 + text + "y" * 11,
    "its first half": lambda text: text[: len(text) // 2],
    "its second half": lambda text: text[len(text) // 2 :],
    "what is between": lambda text: text[len(text) // 4 : len(text) // 4 + len(text) // 2 + 1],
    "URL-encoded": lambda text: quote(text, safe=""),
    "in JSON": lambda text: json.dumps({"error": json.dumps(text)}),
    "in Python": lambda text: repr([text]),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, shifted": lambda text: base64.b64encode(b"user:" + text.encode() + b"@").decode(),
    "in base64url": lambda text: base64.urlsafe_b64encode(b"u" + text.encode()).decode(),
    "in hexadecimal": lambda text: text.encode().hex(),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_search_finds_a_leak(way: str) -> None:
    canaries = planted()
    said = "2026-11-23T03:00:00Z ERROR console: it broke with {} and went on\n" * 3
    assert canaries.found_in(said) == []
    for value, name in canaries.held.items():
        found = canaries.found_in(said.replace("{}", WAYS[way](value), 1))
        assert [one for one in found if one.startswith(f"{name}, ")], (way, name)


def test_the_search_looks_into_every_file_and_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "log").write_bytes(b"\0\xff" + SSWS.encode() + b"\xfe")
    (tmp_path / f"name-{BEARER}").touch()
    leaks = planted().leaks(files_below(tmp_path))
    assert {leak.rpartition(": ")[2] for leak in leaks} == {"SSWS token, as it is", "bearer token, as it is"}


# The command line

SERVICE_APP = {"EVICT_SIGN_IN": "service_app", "EVICT_CLIENT_ID": SERVICE, "EVICT_DPOP": "auto"}
DEVICE = {"EVICT_SIGN_IN": "device", "EVICT_CLIENT_ID": NATIVE}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    org = DemoOrg(clock=SystemClock(), token=SSWS, users=40, seed=7)
    org.accepts = lambda token: token in (SSWS, BEARER, COMMAND, FILED, KEPT)  # type: ignore[method-assign]
    org.office.register(App(SERVICE, SCOPES, KEY.as_dict(private=False), dpop=True))
    org.office.register(App(NATIVE, SCOPES, dpop=True))
    org.office.interval_s = 0.2
    (tmp_path / "home" / "config").mkdir(parents=True)
    with tapped(org, planted()) as tap:
        yield Desk(tap, tmp_path)


def private(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


async def works(desk: Desk) -> None:
    """The ways of signing in, each at its work."""
    users, root = desk.tap.org.users, desk.root
    script = private(root / "give-token", f'#!/bin/sh\nenv >> "{desk.told}"\necho "{COMMAND}"\n')
    Path(script).chmod(0o700)
    by_command = {"EVICT_TOKEN_COMMAND": script, "EVICT_TOKEN_PREFIX": "Bearer"}
    others = {"EVICT_PROXY": f"http://eve:{quote(PASSWORD, safe='')}@127.0.0.1:9", "OKTA_CLIENT_PRIVATEKEY": JWK}
    well: list[Order] = [
        ({"EVICT_TOKEN": SSWS}, ["revoke", users[3].id, "--yes", "--json", "--case", "INC-1"], ""),
        (others | {"EVICT_TOKEN": SSWS}, ["config", "show"], ""),
        ({"EVICT_PRIVATE_KEY": private(root / "key.pem", PEM), **SERVICE_APP}, ["search", "mallory"], ""),
        ({"EVICT_TOKEN_FILE": private(root / "token", FILED)}, ["search", "mallory"], ""),
        ({"EVICT_TOKEN": BEARER, "EVICT_TOKEN_PREFIX": "Bearer"}, ["doctor"], ""),
    ]
    await asyncio.gather(
        desk.run("revoke", users[4].id, "--yes", "--json", EVICT_PRIVATE_KEY=JWK, **SERVICE_APP),
        desk.run("search", "mallory", OKTA_CLIENT_PROXY_PASSWORD=PASSWORD, OKTA_CLIENT_PRIVATEKEY=JWK, **by_command),
        desk.several(well, goes_wrong(desk)),
    )


async def signs_in(desk: Desk) -> None:
    """An operator with a code, and the cookie of a browser."""

    async def in_the_browser() -> None:
        while not desk.tap.org.office.pending:  # noqa: ASYNC110 - the org is in another thread
            await asyncio.sleep(0.02)
        desk.tap.org.office.decide(next(iter(desk.tap.org.office.pending)), allow=True)

    name, value = desk.tap.org.own_cookie
    await asyncio.gather(
        in_the_browser(),
        desk.run("auth", "login", EVICT_PRIVATE_KEY=JWK, OKTA_CLIENT_TOKEN=SSWS, **DEVICE),
        desk.run("end-my-sessions", stdin=f"{name}={value}\n"),
    )
    before = (desk.root / "keyring").read_text()
    token = {"EVICT_SIGN_IN": "token"}
    well: list[Order] = [
        (DEVICE, ["search", "mallory"], ""),
        (token, ["auth", "login", "--token"], KEPT),
        (token, ["auth", "status", "--json"], ""),
        *(({"EVICT_TOKEN": SSWS}, ["history", "export", f"all.{form}"], "") for form in ("csv", "jsonl", "md")),
        ({"EVICT_TOKEN": SSWS}, ["history", "list", "--json"], ""),
        (DEVICE, ["auth", "logout"], ""),
    ]
    await desk.several(well, [(DEVICE, ["auth", "status"], "")])
    for kept in json.loads(before).values():
        fields = json.loads(kept) if kept.startswith("{") else {}
        if "refresh" in fields:
            desk.tap.canaries.add("refresh token", fields["refresh"])
            desk.tap.canaries.add_jwk("proof key", fields["key"])
        elif not fields:
            desk.tap.canaries.add("what the keyring holds", kept)


CRASH = """
import json, os, urllib.parse
KEY = os.environ["EVICT_PRIVATE_KEY"]
from console.__main__ import main
from console.okta import client
from console.okta.auth.dpop import ProofKey

class Quotes(Exception):
    pass

async def search(self, *args, **options):
    ask = self._http.auth
    request = self._http.build_request("GET", "/api/v1/users")
    flow = ask.async_auth_flow(request)
    first = await anext(flow)
    if first is not request:
        answer = await self._http.send(first, auth=None, stream=True)
        while (first := await flow.asend(answer)) is not request:
            answer = await self._http.send(first, auth=None, stream=True)
    held = [*map(str, request.headers.items()), KEY, KEY.strip(), json.dumps({"key": KEY, "h": dict(request.headers)}),
            repr(dict(request.headers)), urllib.parse.quote(KEY), ProofKey().secret().get_secret_value()]
    raise Quotes(held)
    yield

client.OktaClient.search_users = search
main()
"""


def goes_wrong(desk: Desk) -> list[Order]:
    """Everything that has reason to quote what it was given."""
    root = desk.root
    cut = private(root / "cut.pem", PEM[: len(PEM) // 2])
    broken = root / "broken"
    (broken / ".okta").mkdir(parents=True)
    private(broken / "config.toml", f'token = "{WRONG}\nprivate_key = {PEM}')
    private(broken / "odd.toml", "x")
    private(broken / ".okta" / "okta.yaml", f"okta:\n  client: {{token: {WRONG}\n  private: '{PASSWORD}\n")
    proxy = f"http://eve:{quote(PASSWORD, safe='')}@127.0.0.1:9"
    wrong: list[tuple[dict[str, str], list[str]]] = [
        ({"EVICT_TOKEN": f"SSWS {WRONG}"}, ["search", "x"]),
        ({"EVICT_TOKEN": f"{WRONG} {WRONG}"}, ["doctor"]),
        ({"EVICT_TOKEN": f"{WRONG}ä"}, ["search", "x"]),
        ({"EVICT_TOKEN": WRONG}, ["search", "x"]),
        ({"EVICT_TOKEN": WRONG}, ["doctor"]),
        ({"EVICT_TOKN": WRONG}, ["search", "x"]),
        ({"EVICT_TOKEN": WRONG, "EVICT_TOKEN_COMMAND": f"op {WRONG}"}, ["search", "x"]),
        ({"EVICT_TOKEN_COMMAND": f"no-such-command --password {PASSWORD}"}, ["search", "x"]),
        ({"EVICT_TOKEN_COMMAND": f"echo SSWS {WRONG}"}, ["search", "x"]),
        ({"EVICT_TOKEN_COMMAND": f"sh -c 'exit 3' {WRONG}"}, ["search", "x"]),
        ({"EVICT_TOKEN_FILE": cut}, ["search", "x"]),
        ({"EVICT_ORG_URL": f"https://eve:{quote(PASSWORD, safe='')}@acme.okta.com"}, ["search", "x"]),
        ({"EVICT_ORG_URL": "https://localhost:9", "EVICT_TOKEN": SSWS, "EVICT_PROXY": proxy}, ["search", "x"]),
        ({"EVICT_TOKEN": SSWS, "EVICT_PROXY": f"http://eve:8080/{PASSWORD}@h:1"}, ["config", "show"]),
        ({"EVICT_TOKEN": SSWS, "EVICT_PROXY": f"socks://eve:{PASSWORD}"}, ["config", "show"]),
        ({"EVICT_PRIVATE_KEY": JWK[: len(JWK) // 2], **SERVICE_APP}, ["search", "x"]),
        ({"EVICT_PRIVATE_KEY": JWK.replace('"RSA"', '"oct"'), **SERVICE_APP}, ["search", "x"]),
        ({"EVICT_PRIVATE_KEY": PEM[: len(PEM) // 2], **SERVICE_APP}, ["search", "x"]),
        ({"EVICT_PRIVATE_KEY": PEM.replace("-----", "----"), **SERVICE_APP}, ["search", "x"]),
        ({"EVICT_PRIVATE_KEY": cut, **SERVICE_APP}, ["auth", "status"]),
        ({"EVICT_PRIVATE_KEY": PEM, **SERVICE_APP, "EVICT_CLIENT_ID": "0oaNobody"}, ["search", "x"]),
        ({"EVICT_PRIVATE_KEY": PEM, **SERVICE_APP, "EVICT_SCOPES": "okta.apps.manage"}, ["search", "x"]),
        ({"EVICT_KEYS": f'{{"a": {WRONG}', "EVICT_TOKEN": SSWS}, ["search", "x"]),
        ({"EVICT_CLIENT_ID": f"{WRONG} x"}, ["search", "x"]),
        ({"EVICT_CONFIG_DIR": str(broken)}, ["search", "x"]),
        ({"HOME": str(broken), "EVICT_ORG_URL": ""}, ["search", "x"]),
    ]
    cookies = [f"DT={WRONG}; JSESSIONID={WRONG}", f"{WRONG}{WRONG}", f"{WRONG} {WRONG}"]
    orders: list[Order] = [(given, argv, "") for given, argv in wrong]
    orders += [({}, ["end-my-sessions"], cookie) for cookie in cookies]
    return orders


async def crashes(desk: Desk) -> None:
    """A mistake of Evict's whose message quotes all that a request holds."""
    private(desk.root / "crash.py", CRASH)
    program = (sys.executable, str(desk.root / "crash.py"))
    await desk.run("search", "x", code=1, program=program, EVICT_PRIVATE_KEY=JWK, **SERVICE_APP)


@pytest.mark.long
async def test_no_canary_gets_out_of_the_command_line(desk: Desk) -> None:
    canaries, root = desk.tap.canaries, desk.root
    await asyncio.gather(works(desk), signs_in(desk), crashes(desk))

    seen = set(canaries.held.values())
    for name in ("DPoP proof (signature)", "client assertion (signature)", "nonce", "device code",
                 "refresh token", "access token", "cookie", "proof key (d)"):  # fmt: skip
        assert name in seen, f"{name} never passed: the paths are not what this test takes them for"
    places = {**desk.said, **desk.tap.shown, **files_below(root / "home"), "inherited": desk.told.read_bytes()}
    assert "Quotes" in (root / "home" / "data" / "evict.log").read_text(), "the crash is on record"
    assert "PYTHONASYNCIODEBUG" in desk.told.read_text()
    listed = b"".join(one for one in desk.tap.shown.values() if isinstance(one, bytes))
    assert b"-m\0console\0" in listed or not PROC.is_dir()
    assert canaries.leaks(places) == []
    typed = re.findall(r"type the code\s+([A-Z]{8})", "".join(map(str, desk.said.values())))
    assert typed, "the one code that is shown, to the operator alone"
    assert not [path for path, data in files_below(root / "home").items() if typed[0].encode() in data]


# The console


@asynccontextmanager
async def opened(org: DemoOrg, **settings: Any) -> AsyncIterator[Triage]:
    workspace = await Workspace.open(
        load(org_url="https://demo.okta.test", log_level="debug", **settings),
        clock=org.clock, transport=httpx.ASGITransport(app=build_app(org)), seed=7, may_ask=True,
    )  # fmt: skip
    app = EvictApp(workspace)
    try:
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            await settled(pilot)
            yield Triage(app, pilot, workspace)
    finally:
        await workspace.aclose()


async def test_no_canary_gets_out_of_the_console(tmp_path: Path) -> None:
    canaries = planted()
    org = DemoOrg(clock=ManualClock(), token=TYPED, users=40, seed=7)
    org.office.register(App(NATIVE, SCOPES))
    places: dict[str, bytes | str] = {}
    printed = io.StringIO()

    def looked(stage: Triage) -> None:
        places[f"screen {len(places)}"] = stage.app.export_screenshot()
        places[f"screen {len(places)}"] = stage.text()

    with memory_keyring() as ring:
        with pytest.raises(RuntimeError, match="quoted"):  # noqa: PT012 - it surfaces when the app ends
            async with opened(org) as stage:
                await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
                box = stage.app.screen.query_one("#token", Input)
                box.value = f"SSWS {WRONG}"
                await stage.pilot.press("enter")
                await stage.until(lambda: "the token alone" in stage.words("#problem"))
                looked(stage)
                box.value = TYPED
                box.select_all()
                await stage.pilot.press("ctrl+c")
                looked(stage)
                places["clipboard"] = stage.app.clipboard
                await stage.pilot.press("enter")
                await stage.until(lambda: stage.workspace.connection.state == "connected")
                looked(stage)

                def crash() -> None:
                    raise RuntimeError(f"quoted {TYPED} {quote(PEM)} {JWK} {json.dumps({'a': f'SSWS {TYPED}'})}")

                stage.app.error_console = Console(file=printed, width=200)
                stage.app.call_later(crash)
                await stage.pilot.pause()
        stage.app._print_error_renderables()
        async with opened(org, sign_in="device", client_id=NATIVE) as stage:
            await stage.until(lambda: isinstance(stage.app.screen, SignInDialog) and "type the code" in stage.text())
            canaries.add("device code", next(iter(org.office.pending.values())).device_code)
            looked(stage)
            secret = next(iter(org.office.pending.values())).device_code
            import logging

            logging.getLogger("console").error("quoted %s", {"device_code": secret})
        for value in ring.held.values():
            canaries.add("what the keyring holds", value)
    places["crash"] = printed.getvalue()
    assert "RuntimeError: quoted ****" in str(places["crash"])
    assert len(places) >= 9
    own = Path(os.environ["HOME"])
    assert "quoted" in "".join(str(data) for data in files_below(own).values())
    assert canaries.leaks({**places, **files_below(own, tmp_path)}) == []
