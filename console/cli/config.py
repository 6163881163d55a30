"""`evict config show`: every setting and where it came from."""

from __future__ import annotations

import argparse

from console.cli.exits import OK
from console.cli.output import Output
from console.settings import explain, load


def run(args: argparse.Namespace) -> int:
    """Carry out `evict config show`."""
    with Output() as out:
        rows = ((one.name, one.value_masked, one.source) for one in explain(load()))
        out.table(("setting", "value", "from"), rows, widest=60)
    return OK
