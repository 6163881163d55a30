"""The words of a filter as an operator types them: `case:INC-2041 -outcome:revoked since:2h "Ann Lee"`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from console.history.moments import parse_moment
from console.history.records import OUTCOMES
from console.text import timestamp

TEXT = ""
"""The name of a word without one: text that stands somewhere in the record."""


@dataclass(frozen=True, slots=True)
class Word:
    """A name that may stand before a colon."""

    name: str
    meaning: str
    example: str


WORDS: tuple[Word, ...] = (
    Word("user", "A part of login or name, or the whole ID", "user:ann@acme.test"),
    Word("case", "The whole case; * at its end stands for any rest", "case:INC-2041"),
    Word("outcome", "How it ended; several with commas", "outcome:failed,unknown"),
    Word("since", "Queued since: an age, a day or a time", "since:2h"),
    Word("until", "Queued before", "until:2026-11-23"),
    Word("by", "A part of the operator's login or name", "by:riley"),
    Word("batch", "The whole ID of the batch; * as above", "batch:01KAQ*"),
    Word("reason", "A part of the reason", "reason:phishing"),
    Word("org", "A part of the org's address", "org:acme"),
    Word("status", "What Okta answered last; none for no answer", "status:503 or 5xx"),
    Word("error", "A part of the last error's code or text", "error:E0000006"),
    Word("request", "A part of the ID of any request", "request:ZcKq"),
)
"""In the order of the help screen."""
_ALIASES = {"operator": "by"}
NAMES = {**{word.name: word.name for word in WORDS}, **_ALIASES}
_NAME = re.compile(r"[a-z_]+", re.ASCII | re.IGNORECASE)
_STATUS = re.compile(r"[1-5](\d\d|xx)|none", re.ASCII)


class FilterMistake(ValueError):
    """A word that can't be understood; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked: one of `values` must fit, or none of them where `no`."""

    name: str
    """One of `WORDS`, or `TEXT`."""
    values: tuple[str, ...]
    """As they are compared: folded, times as in a record."""
    no: bool = False


@dataclass(frozen=True, slots=True)
class _Letter:
    char: str
    quoted: bool

    def is_plain(self, char: str) -> bool:
        return self.char == char and not self.quoted


def _letters(text: str) -> Iterator[list[_Letter]]:
    """The words of a line; a quote that is not closed yet goes to the end."""
    word: list[_Letter] = []
    begun = quoted = False
    for char in text:
        if char == '"':
            quoted = not quoted
            begun = True
        elif char.isspace() and not quoted:
            if begun:
                yield word
            word, begun = [], False
        else:
            word.append(_Letter(char, quoted))
            begun = True
    if begun:
        yield word


def _text(letters: Sequence[_Letter]) -> str:
    return "".join(letter.char for letter in letters)


def _parts(letters: Sequence[_Letter]) -> Iterator[str]:
    """What stands between commas; a comma in quotes is a letter."""
    part: list[_Letter] = []
    for letter in letters:
        if letter.is_plain(","):
            yield _text(part)
            part = []
        else:
            part.append(letter)
    yield _text(part)


def terms(line: str, now: datetime) -> tuple[Term, ...]:
    """What the line asks for, all of which must hold. A word that is still being typed asks for nothing.

    `now` is what ages count from. Raises FilterMistake.
    """
    return tuple(term for letters in _letters(line) if (term := _term(letters, now)) is not None)


def _term(letters: list[_Letter], now: datetime) -> Term | None:
    no = bool(letters) and letters[0].is_plain("-")
    if no:
        letters = letters[1:]
    colon = next((place for place, letter in enumerate(letters) if letter.is_plain(":")), None)
    if colon is not None and not any(letter.quoted for letter in letters[:colon]):
        name, rest = _text(letters[:colon]), letters[colon + 1 :]
        if _NAME.fullmatch(name) and not _text(rest).startswith("//"):
            known = _known(name, _text(rest))
            values = tuple(_value(known, part, now, no=no) for part in _parts(rest) if part.strip())
            return Term(known, values, no) if values else None
    text = _text(letters).casefold().strip()
    return Term(TEXT, (text,), no) if text else None


def _known(name: str, rest: str) -> str:
    """The word of that name. Raises FilterMistake."""
    if (known := NAMES.get(name.lower())) is not None:
        return known
    if near := get_close_matches(name.lower(), NAMES, 1):
        raise FilterMistake(f'there is no word {name}: write {near[0]}: or, to find it as text, "{name}:{rest}"')
    raise FilterMistake(f'there is no word {name}: to find it as text write "{name}:{rest}"; F1 lists the words')


def _value(name: str, value: str, now: datetime, *, no: bool) -> str:
    """A value as it is compared. Raises FilterMistake."""
    folded = value.strip().casefold()
    if name in ("since", "until"):
        if no:
            other = "until" if name == "since" else "since"
            raise FilterMistake(f"{name}: can't be turned round with a minus: write {other}:{value}")
        try:
            return timestamp(parse_moment(value, now))
        except ValueError as error:
            raise FilterMistake(f"{name}: {error}") from None
    if name == "outcome":
        return _outcome(folded)
    if name == "status" and not _STATUS.fullmatch(folded):
        raise FilterMistake(f"there is no status {value!r}: write what Okta answered, such as 204, 503 or 5xx, or none")
    return folded


def _outcome(value: str) -> str:
    """The outcome of that name; its first letters are enough where no other begins like that. Raises FilterMistake."""
    wanted = value.replace("-", "_")
    begin = [outcome for outcome in OUTCOMES if outcome.startswith(wanted)]
    if wanted in OUTCOMES or len(begin) == 1:
        return wanted if wanted in OUTCOMES else begin[0]
    likely = get_close_matches(wanted, OUTCOMES, 1) or begin
    write = likely[0] if len(likely) == 1 else ", ".join(likely or OUTCOMES)
    raise FilterMistake(f"there is no outcome {value!r}: write {write}")


def quoted(value: str) -> str:
    """A value as it may stand after a colon."""
    plain = value.replace('"', " ").strip()
    return f'"{plain}"' if not plain or any(char.isspace() or char == "," for char in plain) else plain
