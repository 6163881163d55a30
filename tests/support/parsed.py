"""Stylesheets for tests: each is parsed once in a process, not once for each of its consoles."""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

as_ever = Stylesheet._parse_rules
_parsed: dict[tuple[Any, ...], list[RuleSet]] = {}


def _once(self: Stylesheet, *source: Any, **options: Any) -> list[RuleSet]:
    """Textual reads rules and never writes to them: what it parses is the same for the same text and variables."""
    key = (source, tuple(options.items()), tuple(self._variables.items()))
    if (rules := _parsed.get(key)) is None:
        rules = _parsed[key] = as_ever(self, *source, **options)
    return rules


def install() -> None:
    """For every app of this process."""
    Stylesheet._parse_rules = _once  # type: ignore[method-assign]
