"""The part of Okta's search expressions that the demo org understands, over an index that keeps 100,000 users quick."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_DEPTH = 40
OPERATORS = frozenset({"eq", "sw", "co", "pr", "gt", "ge", "lt", "le"})
CONTAINS = frozenset({"profile.firstName", "profile.lastName", "profile.email", "profile.login"})
"""The attributes of users that `co` works on."""
TOP_LEVEL = frozenset({"id", "status", "created", "activated", "statusChanged", "lastUpdated", "type.id"})
HIGHEST = "\U0010ffff"

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][\w.$-]*)|(?P<number>-?\d[\w:.+-]*))""",
    re.ASCII,
)


class BadExpression(ValueError):
    """An expression that the grammar or the attribute does not allow; the message says which part."""


@dataclass(frozen=True, slots=True)
class Term:
    """`attribute operator value`."""

    attribute: str
    operator: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    """All of `parts`."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any of `parts`."""

    parts: tuple[Expression, ...]


Expression = Term | Both | Either


def parse(text: str) -> Expression:
    """The expression in `text`; BadExpression if it is none."""
    parser = _Parser(_tokens(text))
    expression = parser.either(0)
    parser.end()
    return expression


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise BadExpression(f"unexpected text at position {at}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    if not tokens:
        raise BadExpression("the expression is empty")
    return tokens


class _Parser:
    """Recursive descent; `and` binds closer than `or`."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def either(self, depth: int) -> Expression:
        parts = [self._both(depth)]
        while self._word("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise BadExpression(f"unexpected {self._tokens[self._at][1]}")

    def _both(self, depth: int) -> Expression:
        parts = [self._primary(depth)]
        while self._word("and"):
            parts.append(self._primary(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _primary(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise BadExpression("the expression is nested too deep")
        kind, text = self._next()
        if (kind, text) == ("mark", "("):
            inner = self.either(depth + 1)
            if self._next() != ("mark", ")"):
                raise BadExpression("a parenthesis is not closed")
            return inner
        if kind != "word":
            raise BadExpression(f"an attribute was expected, not {text}")
        return self._term(text)

    def _term(self, attribute: str) -> Term:
        kind, word = self._next()
        operator = word.lower()
        if kind != "word" or operator not in OPERATORS:
            raise BadExpression(f"unknown operator {word}")
        if operator == "pr":
            return Term(attribute, operator)
        kind, text = self._next()
        if kind == "text":
            try:
                value = json.loads(text)
            except ValueError:
                raise BadExpression(f"malformed value {text}") from None
            return Term(attribute, operator, value)
        if kind == "number" or text.lower() in {"true", "false"}:
            return Term(attribute, operator, text)
        raise BadExpression(f"a value was expected, not {text}")

    def _word(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "word":
            found = self._tokens[self._at][1].lower() == word
            self._at += found
            return found
        return False

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise BadExpression("the expression ends too early")
        self._at += 1
        return self._tokens[self._at - 1]


def terms(expression: Expression) -> Iterable[Term]:
    """Every term of an expression."""
    if isinstance(expression, Term):
        yield expression
    else:
        for part in expression.parts:
            yield from terms(part)


def check_search(expression: Expression) -> None:
    """BadExpression where `search` over users does not take an attribute or an operator."""
    for term in terms(expression):
        if term.attribute not in TOP_LEVEL and not term.attribute.startswith("profile."):
            raise BadExpression(f"unknown attribute {term.attribute}")
        if term.operator == "co" and term.attribute not in CONTAINS:
            raise BadExpression(f"co does not work on {term.attribute}")


def check_filter(expression: Expression) -> None:
    """BadExpression where `filter` over users does not take an attribute or an operator."""
    for term in terms(expression):
        if term.attribute not in CONTAINS | {"status", "lastUpdated", "id"}:
            raise BadExpression(f"unknown attribute {term.attribute}")
        if term.operator != "eq" and not (
            term.attribute == "lastUpdated" and term.operator in {"gt", "ge", "lt", "le"}
        ):
            raise BadExpression(f"{term.operator} does not work on {term.attribute}")


def lowered(expression: Expression) -> Expression:
    """The expression with its values in lower case, for records whose values are."""
    if isinstance(expression, Both):
        return Both(tuple(lowered(part) for part in expression.parts))
    if isinstance(expression, Either):
        return Either(tuple(lowered(part) for part in expression.parts))
    return Term(expression.attribute, expression.operator, expression.value.lower())


def holds(expression: Expression, values: Callable[[str], Sequence[str]]) -> bool:
    """Whether one record matches, values compared as they are; `values` gives those of an attribute."""
    if isinstance(expression, Both):
        return all(holds(part, values) for part in expression.parts)
    if isinstance(expression, Either):
        return any(holds(part, values) for part in expression.parts)
    return any(_compare(expression.operator, value, expression.value) for value in values(expression.attribute))


def _compare(operator: str, value: str, wanted: str) -> bool:
    match operator:
        case "eq":
            return value == wanted
        case "sw":
            return value.startswith(wanted)
        case "co":
            return wanted in value
        case "gt":
            return value > wanted
        case "ge":
            return value >= wanted
        case "lt":
            return value < wanted
        case "le":
            return value <= wanted
    return bool(value)


class Column(Protocol):
    """Gives the value of an attribute for every record, None where it has none."""

    def __call__(self, attribute: str) -> Iterable[str | None]:
        """All values, in the order of the records."""
        ...


class Index:
    """Answers expressions by sorted values instead of looking at every record. Values compare without case."""

    def __init__(self, column: Column, *, changing: Iterable[str] = ()) -> None:
        self._column = column
        self._changing = frozenset(changing)
        self._sorted: dict[str, list[tuple[str, int]]] = {}

    def find(self, expression: Expression) -> set[int]:
        """The positions of the records that match."""
        if isinstance(expression, Both):
            return set.intersection(*(self.find(part) for part in expression.parts))
        if isinstance(expression, Either):
            return set[int]().union(*(self.find(part) for part in expression.parts))
        return self._term(expression)

    def values(self, attribute: str) -> dict[int, str]:
        """The lower-case value of an attribute by position, without the records that have none."""
        return {position: value for value, position in self._rows(attribute)}

    def _term(self, term: Term) -> set[int]:
        rows = self._rows(term.attribute)
        wanted = term.value.lower()
        first, last = 0, len(rows)
        match term.operator:
            case "co":
                return {position for value, position in rows if wanted in value}
            case "eq":
                first, last = bisect_left(rows, (wanted,)), bisect_right(rows, (wanted, len(rows) + 1))
            case "sw":
                first, last = bisect_left(rows, (wanted,)), bisect_left(rows, (wanted + HIGHEST,))
            case "ge":
                first = bisect_left(rows, (wanted,))
            case "gt":
                first = bisect_right(rows, (wanted, len(rows) + 1))
            case "lt":
                last = bisect_left(rows, (wanted,))
            case "le":
                last = bisect_right(rows, (wanted, len(rows) + 1))
        return {position for _, position in rows[first:last]}

    def _rows(self, attribute: str) -> list[tuple[str, int]]:
        if attribute in self._sorted:
            return self._sorted[attribute]
        rows = sorted((value.lower(), at) for at, value in enumerate(self._column(attribute)) if value)
        if attribute not in self._changing:
            self._sorted[attribute] = rows
        return rows
