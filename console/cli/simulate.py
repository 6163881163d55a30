"""`evict simulate`: serve the demo org on loopback."""

from __future__ import annotations

import argparse
import json
import secrets
import shlex

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.clock import SystemClock
from console.demo.faults import Faults, Latency
from console.demo.oauth import MY_SCOPE
from console.demo.org import DemoOrg
from console.demo.server import serve
from console.demo.tokens import App
from console.text import count

SCOPES = frozenset({"okta.users.read", "okta.users.manage", "okta.groups.read", "okta.logs.read"})
"""What the app of the simulated org was granted."""


def run(args: argparse.Namespace) -> int:
    """Carry out `evict simulate`; returns when it is interrupted."""
    token = "00" + secrets.token_urlsafe(30)
    try:
        faults = Faults.parse(args.fault, seed=args.seed)
    except ValueError as error:
        raise Stop(f"--fault: {error}", USAGE) from None
    org = DemoOrg(
        clock=SystemClock(),
        token=token,
        seed=args.seed,
        users=args.users,
        limits=_limits(args),
        window_s=float(args.window),
        engine="idx" if args.engine == "idx" else "v1",
        faults=faults,
        latency=Latency(median_s=args.latency / 1000),
        token_life_s=float(args.token_life),
        role=args.role,
    )
    org.office.interval_s = args.poll
    credential = _app(org, args) if args.app else {"OKTA_CLIENT_TOKEN": token}
    with Output() as out:

        def ready(url: str) -> None:
            out.talk(f"The demo org with {count(args.users, 'user')} is served at {url} until Ctrl-C. To use it:\n")
            out.line(f"export OKTA_CLIENT_ORGURL={url}")
            for name, value in credential.items():
                out.line(f"export {name}={shlex.quote(value)}")

        serve(org, args.host, args.port, ready)
        out.talk("Stopped.")
    return OK


def _app(org: DemoOrg, args: argparse.Namespace) -> dict[str, str]:
    """Register an app; returns the variables with which Evict, or any of Okta's SDKs, signs in as it."""
    from joserfc.jwk import ECKey

    native = args.app == "native"
    key = None if native else ECKey.generate_key("P-256", private=True)
    public = key.as_dict(private=False) if key else None
    scopes = SCOPES | {MY_SCOPE} if native else SCOPES  # a service app has no sessions of its own
    app = App(f"0oa{secrets.token_hex(8)}A", scopes, public, dpop=args.dpop)
    org.office.register(app)
    named = {"OKTA_CLIENT_CLIENTID": app.client_id, "OKTA_CLIENT_SCOPES": ",".join(sorted(scopes))}
    if key is None:
        return {"EVICT_SIGN_IN": "device", **named}
    private = json.dumps(key.as_dict(private=True))
    return {"OKTA_CLIENT_AUTHORIZATIONMODE": "PrivateKey", **named, "OKTA_CLIENT_PRIVATEKEY": private}


def _limits(args: argparse.Namespace) -> dict[str, int]:
    """Requests a window, where they were chosen."""
    chosen = {"users": args.limit, "user read": args.lookups}
    return {bucket: limit for bucket, limit in chosen.items() if limit is not None}
