"""`evict config show`: every setting and where it came from."""

from __future__ import annotations

import argparse

from console.cli.exits import OK
from console.cli.output import Output
from console.settings import explain, load, profiles


def run(args: argparse.Namespace) -> int:
    """Carry out `evict config show`."""
    settings = load()
    with Output() as out:
        rows = ((one.name, one.value_masked, one.source) for one in explain(settings))
        out.table(("setting", "value", "from"), rows, widest=60)
        in_use = f"{settings.profile}, colour {settings.colour}" if settings.profile else "none"
        others = ", ".join(name for name in profiles() if name != settings.profile)
        out.line(f"Profile in use: {in_use}" + (f". Others: {others}" if others else ""))
    return OK
