"""Safe search expressions: foreign text only ever enters one as a JSON string."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

ATTRIBUTES = frozenset(
    {"id", "status", "profile.login", "profile.email", "profile.firstName", "profile.lastName", "profile.name"}
)
"""What we search by; anything else in an expression is an operator's own `=EXPR`."""

NAMES = ("profile.login", "profile.email", "profile.firstName", "profile.lastName")


def literal(text: str) -> str:
    """`text` as a string of a search expression, quoted and escaped. Half characters become U+FFFD."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.dumps(whole, ensure_ascii=False)


def prefix_search(text: str) -> str:
    """Users whose login, email, first or last name starts with `text`; `Jane Do` also finds Jane Doe.

    Raises ValueError where there is nothing to search for.
    """
    words = text.split()
    if not words:
        raise ValueError("nothing to search for")
    wanted = literal(" ".join(words))
    terms = [f"{name} sw {wanted}" for name in NAMES]
    if len(words) > 1:
        first, last = literal(words[0]), literal(" ".join(words[1:]))
        terms.append(f"(profile.firstName sw {first} and profile.lastName sw {last})")
    return " or ".join(terms)


def _checked(attributes: str | Sequence[str]) -> tuple[str, ...]:
    """The attributes as a tuple. Raises ValueError for one that is not on the list."""
    names = (attributes,) if isinstance(attributes, str) else tuple(attributes)
    if not names or not ATTRIBUTES.issuperset(names):
        raise ValueError("not an attribute that can be searched by")
    return names


def any_of(attribute: str | Sequence[str], values: Iterable[str]) -> str:
    """Users for whom one attribute equals one value: `id eq "a" or id eq "b"`.

    Raises ValueError for an attribute that is not in ATTRIBUTES and where no value is given.
    """
    names = _checked(attribute)
    terms = [f"{name} eq {literal(value)}" for value in values for name in names]
    if not terms:
        raise ValueError("nothing to search for")
    return " or ".join(terms)


def term_batches(
    attributes: str | Sequence[str], values: Iterable[str], max_terms: int = 25, max_bytes: int = 2000
) -> Iterator[tuple[str, ...]]:
    """Split `values` so that `any_of` of each part keeps to `max_terms` terms and `max_bytes` once percent-encoded.

    Okta names no limit, but echoes the expression in its Link header, which overflows. A value that is too long by
    itself gets a part of its own. Raises ValueError as `any_of`.
    """
    names = _checked(attributes)
    most = max(1, max_terms // len(names))
    joint = len(quote(" or ", safe=""))
    part: list[str] = []
    size = 0
    for value in values:
        cost = len(quote(any_of(names, (value,)), safe="")) + joint
        if part and (len(part) >= most or size + cost - joint > max_bytes):
            yield tuple(part)
            part, size = [], 0
        part.append(value)
        size += cost
    if part:
        yield tuple(part)
