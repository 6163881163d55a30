"""`evict` and `evict demo`: open the console."""

from __future__ import annotations

import argparse
import sys

from console.cli.exits import USAGE
from console.cli.failures import Stop
from console.settings import load, load_demo


def run(args: argparse.Namespace) -> int:
    """Open the console, on the org or on the demo org."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Stop("the console needs a terminal; for scripts see  evict revoke --help", USAGE)
    return open_console(args)


def open_console(args: argparse.Namespace) -> int:
    """Open it on whatever shows the screen."""
    settings = load_demo() if args.demo else load()
    from console.ui.run import run as run_console

    if args.demo:
        return run_console(settings, demo=True, users=args.users, seed=args.seed)
    return run_console(settings)
