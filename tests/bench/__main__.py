"""`make bench`: what a drain and a record cost on this machine, as a table, also written into README.md."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from pathlib import Path

from tests.bench import drain, journal

README = Path(__file__).resolve().parents[2] / "README.md"
MARKS = ("<!-- bench -->", "<!-- /bench -->")


def machine() -> str:
    """The machine in words that make a figure comparable."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> int:
    """Measure, print, and write README's section."""
    short = "--short" in sys.argv
    lines = [f"Measured by `make bench` on {machine()}.", ""]
    lines += asyncio.run(drain.table(short=short))
    lines += ["", *asyncio.run(journal.table(short=short))]
    print("\n".join(lines))
    if not short:
        before, _, rest = README.read_text().partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        README.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
