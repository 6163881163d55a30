"""`make keys`: the keys of the README, from the one table of bindings."""

from __future__ import annotations

import sys
from pathlib import Path

from console.ui.bindings import markdown

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- keys -->", "<!-- /keys -->"


def filled(text: str) -> str:
    """The README with its keys as they are now."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"README.md has no {START} … {END}")
    return f"{before}{START}\n\n{markdown()}\n{END}{after}"


def main() -> int:
    """Write them."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
