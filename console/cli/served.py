"""The console as `evict serve` starts it: its screen and keys are packets on the pipes that it was given."""

from __future__ import annotations

import os
import sys

from console.cli.failures import report
from console.cli.parser import build_parser
from console.cli.screen import open_console
from console.environment import take_secrets


def main() -> int:
    """Run the console; its exit code."""
    take_secrets()
    keep_pipes()
    try:
        return open_console(build_parser().parse_args())
    except Exception as error:  # noqa: BLE001 - the last resort: a message and a code, never a traceback
        return report(error)


def keep_pipes() -> None:
    """Keep the pipes for the driver alone.

    Else a command that gives the token would read keys, and what it or a library prints would be taken for a packet.
    """
    keys, screen = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    for name, descriptor, mode in (("__stdin__", keys, "r"), ("__stdout__", screen, "w")):
        setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
