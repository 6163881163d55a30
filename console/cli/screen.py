"""`evict` and `evict demo`: open the console."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def run(args: argparse.Namespace) -> int:
    """Open the console, on the org or on the demo org."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from console.cli.exits import USAGE
        from console.cli.failures import Stop

        raise Stop("the console needs a terminal; for scripts see  evict revoke --help", USAGE)
    return open_console(args)


def open_console(args: argparse.Namespace) -> int:
    """Open it on whatever shows the screen."""
    with no_garbage():
        from console.settings import load, load_demo

        settings = load_demo() if args.demo else load()
        from console.ui.run import run as run_console
        from console.ui.screens import triage  # noqa: F401 - the first frame needs it
    if args.demo:
        return run_console(settings, demo=True, users=args.users, seed=args.seed)
    return run_console(settings)


@contextmanager
def no_garbage() -> Iterator[None]:
    """While modules are imported nothing is to be thrown away, and looking for it takes a tenth of the start."""
    gc.disable()
    try:
        yield
        gc.freeze()  # modules stay, so later passes need not look at them either
    finally:
        gc.enable()
