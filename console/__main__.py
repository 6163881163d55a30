"""The `evict` command."""

from __future__ import annotations

import sys

from console.cli import run


def main() -> None:
    """Run the command line of this process and exit with its code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
