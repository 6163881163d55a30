"""`evict serve`: the console in a browser of this machine."""

from __future__ import annotations

import argparse
import asyncio

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.interrupts import Interrupts
from console.cli.output import Output
from console.credentials import NO_ORG
from console.settings import SettingsError, load, load_demo

MISSING = (
    "serving the console needs textual-serve, which is not installed: install Evict with its extra, as in  "
    "pipx install '.[serve]'"
)


def run(args: argparse.Namespace) -> int:
    """Carry out `evict serve`; returns when it is interrupted."""
    options = _options(args)
    settings = load_demo() if args.demo else load()  # what is wrong with them is said now, not in the browser
    if settings.org_url is None and not args.demo:
        raise SettingsError(NO_ORG)
    return asyncio.run(_serve(args.port, options))


def _options(args: argparse.Namespace) -> list[str]:
    """What of our options is the console's."""
    chosen = [(f"--{name}", getattr(args, name)) for name in ("users", "seed") if getattr(args, name) is not None]
    if chosen and not args.demo:
        raise Stop(f"{chosen[0][0]} is of the demo org: add --demo", USAGE)
    words = [word for name, number in chosen for word in (name, str(number))]
    return ["demo", *words] if args.demo else []


async def _serve(port: int, options: list[str]) -> int:
    try:
        from console.serving.server import PortTaken, serving
    except ModuleNotFoundError as error:
        if error.name not in {"aiohttp", "textual_serve"}:
            raise
        raise Stop(MISSING, USAGE) from None
    with Output() as out, Interrupts() as interrupts:
        try:
            async with serving(port, options, out.talk) as url:
                out.talk("The console is served on this machine until Ctrl-C. Good for one opening, by one browser:")
                out.line(url)
                await interrupts.happened
                out.talk("Ending the console.")
        except PortTaken as error:
            raise Stop(str(error), USAGE) from None
        out.talk("Stopped.")
    return OK
