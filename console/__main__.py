"""The `evict` command."""

from __future__ import annotations

import os
import sys

from console.cli import run
from console.environment import take_secrets


def main() -> None:
    """Run the command line of this process and exit with its code."""
    hold_streams()
    take_secrets()
    sys.exit(run())


def hold_streams() -> None:
    """Put nothing in the place of a stream that the shell closed (`evict … 2>&-`).

    Its number would go to the file that is opened next, and what the interpreter has to say would go into that.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for life


if __name__ == "__main__":
    main()
