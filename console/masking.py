"""Blots secrets out of texts that nobody wrote by hand: log lines, tracebacks.

Where a message quotes what it was given, it does so in the form that it was given it: escaped, encoded, or a part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "********"
SHORTEST = 8
"""Characters. What is shorter stands in any text by chance."""
LINE = 16
"""Characters of a line of a key that say something of it."""
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
"""Members of a JWK that must not be known (RFC 7518 §6)."""

SHAPES = re.compile(
    r"-----BEGIN[ \w%+]{1,20}PRIVATE(?: |%20|\+)KEY-----.*?(?:-----END[ \w%+]{1,20}KEY-----|\Z)"
    r"|\beyJ[\w-]{16,}(?:\.[\w-]*){0,4}"  # assertions, proofs, tokens: whatever is signed
    r"|(?<=SSWS )[\w.~+/=-]{16,}|(?<=Bearer )[\w.~+/=-]{16,}|(?<=DPoP )[\w.~+/=-]{16,}|(?<=Basic )[\w.~+/=-]{16,}",
    re.DOTALL,
)
"""What is secret by its looks, whether anybody holds it or not."""
MEMBER = re.compile(r"""(?P<name>["'](?:dp|dq|qi|d|p|q|k)\\*["']\s*:\s*\\*["'])[\w-]{16,}""")
"""A private member of a JWK, also where its quotes are escaped."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, their parts and their usual encodings, and without what looks like one."""
    forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
    for form in sorted(forms, key=len, reverse=True):  # one may stand within another
        text = text.replace(form, MASK)
    return MEMBER.sub(rf"\g<name>{MASK}", SHAPES.sub(MASK, text))


def _parts(secret: str) -> Iterator[str]:
    """The secret, and each part of it that is one by itself: lines of a key, members of a JWK, a proxy's password."""
    whole = secret.strip()
    if not whole:
        return
    yield whole
    lines = whole.replace("\\n", "\n").splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= LINE and not line.startswith(("-----", "{", "}")))
    if whole.startswith("{"):
        yield from _members(whole)
    elif "://" in whole:
        yield from _password(whole)


def _members(jwk: str) -> Iterator[str]:
    try:
        found: Any = json.loads(jwk)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict):
        yield from (one for name, one in found.items() if name in PRIVATE and isinstance(one, str))


def _password(url: str) -> Iterator[str]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _forms(part: str) -> Iterator[str]:
    if len(part) < SHORTEST:
        return
    escaped = json.dumps(part)[1:-1]
    yield from (part, escaped, json.dumps(escaped)[1:-1], repr(part)[1:-1], quote(part, safe=""), quote_plus(part))
