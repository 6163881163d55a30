"""The command line: a thin shell over the services. Nothing is imported before a command needs it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from console.cli.exits import INTERRUPTED
from console.cli.parser import build_parser


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `argv` is without the program's name; None is this process's own."""
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as leaving:  # argparse has said what it had to say
        return leaving.code if isinstance(leaving.code, int) else 0
    if args.profile is not None:
        # Stands for the variable, as every command reads its settings by itself.
        os.environ["EVICT_PROFILE"] = args.profile
    try:
        command = importlib.import_module(f"console.cli.{args.module}")
        code: int = command.run(args)
    except KeyboardInterrupt:
        print("evict: interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a message and a code, never a traceback
        from console.cli.failures import report

        return report(error)
    return code
