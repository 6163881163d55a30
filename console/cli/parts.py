"""What the parsers of all commands are made of. Imports argparse and nothing heavier."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def make_parser(
    make: Callable[..., Any], name: str, what: str, epilog: str = "", **more: Any
) -> argparse.ArgumentParser:
    """A parser in the one style of all: the description as written, no abbreviated options."""
    if make is argparse.ArgumentParser:
        more["prog"] = name
        args: tuple[str, ...] = ()
    else:
        args, more["help"] = (name,), what[:1].lower() + what[1:].partition(".")[0]
    parser: argparse.ArgumentParser = make(
        *args,
        description=what,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **more,
    )
    return parser


def json_option(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON Lines, one object a line")


def number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number within bounds, as an argparse type."""

    def whole(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
            bounds = f"from {least} to {most}" if most is not None else f"of {least} or more"
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}")
        return int(text)

    return whole


def percent(text: str) -> float:
    """A share of a window: `20` and `20%` are 0.2."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 90:
        raise argparse.ArgumentTypeError("must be percent from 0 to 90")
    return value / 100
