"""`evict simulate`: serve the demo org on loopback."""

from __future__ import annotations

import argparse
import secrets

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.clock import SystemClock
from console.demo.faults import Faults, Latency
from console.demo.org import DemoOrg
from console.demo.server import serve
from console.text import count


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
    )
    with Output() as out:

        def ready(url: str) -> None:
            out.talk(f"The demo org with {count(args.users, 'user')} is served at {url} until Ctrl-C. To use it:\n")
            out.line(f"export OKTA_CLIENT_ORGURL={url}")
            out.line(f"export OKTA_CLIENT_TOKEN={token}")

        serve(org, args.host, args.port, ready)
        out.talk("Stopped.")
    return OK


def _limits(args: argparse.Namespace) -> dict[str, int]:
    """Requests a window, where they were chosen."""
    chosen = {"users": args.limit, "user read": args.lookups}
    return {bucket: limit for bucket, limit in chosen.items() if limit is not None}
