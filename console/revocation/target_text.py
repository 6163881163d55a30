"""Text and files to targets: IDs, emails and logins picked out of whatever an operator has at hand.

Two rules stand above convenience: nothing is dropped without a word, and what is picked is never a piece of something
else, as the piece may be somebody else's login.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from console.okta.models import is_user_id
from console.steps import Steps, at_once
from console.text import sanitize

MAX_LINES = 100_000
MAX_BYTES = 5 * 1024 * 1024
MAX_LOGIN = 256
STEP = 200
"""Lines that are read in one step."""

_LOCAL = r"[\w.!#$%&'+^~-]"
_OPENING = r"(?:^|(?<=[\s<(\[{\"'=:;,|>]))"
_CLOSING = r"(?=$|[\s>)\]}\"',;:|]|[.!?](?:\s|$))"
EMAIL = re.compile(_OPENING + rf"(?P<email>{_LOCAL}{{1,128}}@[\w-]{{1,64}}(?:\.[\w-]{{1,64}}){{0,12}})" + _CLOSING)
ID = re.compile(r"(?<![\w.+@-])00u[A-Za-z0-9]{17}(?![\w@+]|[.-]\w)")
LOGIN = re.compile(r"[\w.!#$%&'+^~/\\-]+(?:@[\w.-]+)?")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SEPARATOR = re.compile(r"[,;|\t]")

ID_NAMES = frozenset({"id", "userid", "oktaid", "oktauserid", "useroktaid", "actorid", "profileid"})
LOGIN_NAMES = frozenset(
    {"login", "userlogin", "oktalogin", "profilelogin", "user", "username", "userprincipalname", "upn"}
    | {"samaccountname", "alternateid", "actoralternateid", "useralternateid"}
)
EMAIL_NAMES = frozenset({"email", "mail", "emailaddress", "useremail", "primaryemail", "profileemail", "workemail"})


class Kind(StrEnum):
    """How a target is looked up."""

    ID = "id"
    LOGIN = "login"
    """A login or an email; only the org knows which."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an operator typed, pasted or loaded: one plain line without control characters."""

    text: str
    kind: Kind
    line: int | None = None
    """Where it stands, from 1; None inside a JSON document."""

    @property
    def key(self) -> str:
        """Equal for targets that mean the same user: IDs keep their case, logins do not."""
        return self.text if self.kind is Kind.ID else self.text.casefold()


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that gave no target. `text` is safe to show and cut to a line."""

    text: str
    line: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything that a text gave."""

    targets: tuple[Target, ...] = ()
    duplicates: int = 0
    """Targets that were named before."""
    ignored: tuple[Ignored, ...] = ()


@dataclass(slots=True)
class _Finds:
    """Targets in order, folded as they come."""

    targets: dict[tuple[Kind, str], Target] = field(default_factory=dict)
    ignored: list[Ignored] = field(default_factory=list)
    duplicates: int = 0
    beyond: Ignored | None = None
    """The first target past the cap."""

    def add(self, text: str, kind: Kind, line: int | None) -> None:
        target = Target(text, kind, line)
        if (kind, target.key) in self.targets:
            self.duplicates += 1
        elif len(self.targets) >= MAX_LINES:
            why = f"only {MAX_LINES:,} users are read at once: this one and all after it were left out"
            self.beyond = self.beyond or Ignored(sanitize(text), line, why)
        else:
            self.targets[kind, target.key] = target

    def refuse(self, text: str, line: int | None, why: str) -> None:
        self.ignored.append(Ignored(sanitize(text, limit=120), line, why))

    def result(self) -> Parsed:
        beyond = [self.beyond] if self.beyond else []
        return Parsed(tuple(self.targets.values()), self.duplicates, (*self.ignored, *beyond))


def parse(text: str) -> Parsed:
    """The targets in `text`: a list, a table with a recognised column, JSON or JSON Lines, or any prose.

    Never raises. Every line that holds anything gives a target, a duplicate or an entry in `ignored` that says why.
    """
    return at_once(parsing(text))


def parsing(text: str) -> Steps[int, Parsed]:
    """The same in steps, each of which tells how many lines are read."""
    finds = _Finds()
    text = text.removeprefix("\ufeff")
    if "\x1b" in text:
        text = COLOUR.sub("", text)
    if len(text) > MAX_BYTES:
        text, _, rest = text[:MAX_BYTES].rpartition("\n")
        finds.refuse(rest, text.count("\n") + 2, "only 5 MB are read at once: this and all after it were left out")
    yield 0
    if (yield from _document(text, finds)):
        return finds.result()
    lines = lines_of(text)
    if len(lines) > MAX_LINES and any(line.strip() for line in lines[MAX_LINES:]):
        more = len(lines) - MAX_LINES
        finds.refuse(lines[MAX_LINES], MAX_LINES + 1, f"only {MAX_LINES:,} lines are read; {more:,} were left out")
    lines = lines[:MAX_LINES]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    table = _header(lines[first])
    if table:
        yield from _read_table(table, lines, first + 1, finds)
    else:
        yield from _read_lines(lines, 1, finds)
    return finds.result()


def lines_of(text: str) -> list[str]:
    """The lines of a text, however they end: quicker than one expression for all ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _clean(text: str) -> str | None:
    """One safe line of any length, or None where control characters stand in it: dropping them could join two words."""
    if any(unicodedata.category(c) in {"Cc", "Cs"} and not c.isspace() for c in text):
        return None
    return sanitize(text, limit=len(text) * 4 + 1)


# -- plain lines ------------------------------------------------------------------------------------------------------


def _read_lines(lines: Sequence[str], number: int, finds: _Finds) -> Iterator[int]:
    """`lines`, the first of which has `number`, as a list or as prose."""
    # Two lines of several bare words are a table without a header as likely as they are a list of logins.
    rows = 0
    for at, line in enumerate(lines):
        words = _parts(line)
        rows += len(words) > 1 and all(LOGIN.fullmatch(word) for word in words)
        if rows > 1:
            break
        if at % STEP == 0:
            yield 0
    for at, line in enumerate(lines, number):
        _read_line(line, at, finds, rows=rows)
        if at % STEP == 0:
            yield at


def _parts(line: str) -> list[str]:
    """The pieces between separators, without the quotes around them."""
    return [word for piece in SEPARATOR.split(line) if (word := piece.strip().strip("\"'<>").strip())]


def _read_line(line: str, number: int | None, finds: _Finds, *, rows: int = 0) -> None:
    if not line.strip():
        return
    # The tab is a separator, so the line is cut before white space is made even.
    pieces = [_clean(piece) for piece in SEPARATOR.split(line)]
    if any(piece is None for piece in pieces):
        finds.refuse(line, number, "it holds control characters")
        return
    safe = ",".join(piece or "" for piece in pieces)
    if safe.lstrip().startswith("{") and _line_of_json(line, number, finds):
        return
    if safe.lstrip().startswith("#"):
        finds.refuse(line, number, "it is a comment")
        return
    words = _parts(safe)
    if not words:
        finds.refuse(line, number, "there is no ID, login or email in it")
    elif len(words) > 1 and rows > 1 and not any(_pick(word) for word in words):
        finds.refuse(line, number, "which column is the login? Put a header above, such as login, or one login a line")
    else:
        _read_words(words, number, finds)


def _read_words(words: Sequence[str], number: int | None, finds: _Finds) -> None:
    """The pieces of one line. Beside an ID or an email, a bare word is as likely a name as a login."""
    described = any(_pick(word) for word in words)
    for word in words:
        if found := _pick(word):
            for text, kind in found:
                finds.add(text, kind, number)
        elif (why := _why_no_login(word)) is not None:
            if not described:
                finds.refuse(word, number, why)
        elif described and LOGIN.fullmatch(word):
            finds.refuse(word, number, "it stands beside an ID or email; if it is a login, give it a line of its own")
        else:
            finds.add(word, Kind.LOGIN, number)


def _pick(text: str) -> list[tuple[str, Kind]]:
    """The IDs and emails in a piece of text, in order."""
    if "@" in text and LOGIN.fullmatch(text) and len(text) <= MAX_LOGIN:
        return [(text.rstrip("."), Kind.LOGIN)]
    found = [(match.start(), match.group(), Kind.ID) for match in ID.finditer(text)]
    if "@" in text:
        found += [(match.start(), match["email"].strip("'"), Kind.LOGIN) for match in EMAIL.finditer(text)]
    return [(word, kind) for _, word, kind in sorted(found)]


def _why_no_login(text: str) -> str | None:
    """Why `text` can't be a login; None where it can."""
    if "://" in text:
        return "it is a link without a user ID in it"
    if ADDRESS.fullmatch(text):
        return "it is an IP address"
    if len(text) > MAX_LOGIN:
        return "it is too long for a login"
    if "@" in text or not LOGIN.fullmatch(text) or not any(c.isalnum() for c in text):
        return "it is neither an ID nor a login nor an email"
    return None


# -- tables -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    """Which columns may name the user, the surest first."""

    delimiter: str
    width: int
    columns: tuple[tuple[int, int, str], ...]
    """(rank, index, name)."""


def _name(text: str) -> str:
    """A column or key name, comparable: `User ID`, `user_id` and `userId` are one."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _rank(name: str) -> int | None:
    """0 for the name of an ID, 1 of a login, 2 of an email, None of anything else."""
    return next((rank for rank, names in enumerate((ID_NAMES, LOGIN_NAMES, EMAIL_NAMES)) if name in names), None)


def _header(line: str) -> _Table | None:
    """The table that starts with `line`, None where it is no header we know."""
    if len(line) > 10_000 or _pick(line):
        return None
    best: _Table | None = None
    for delimiter in ",;\t|":
        cells = next(csv.reader([line], delimiter=delimiter), [])
        ranked = sorted((rank, at) for at, cell in enumerate(cells) if (rank := _rank(_name(cell))) is not None)
        if ranked and (best is None or len(cells) > best.width):
            best = _Table(delimiter, len(cells), tuple((rank, at, cells[at].strip()) for rank, at in ranked))
    return best


def _read_table(table: _Table, lines: Sequence[str], start: int, finds: _Finds) -> Iterator[int]:
    """The rows below the header; `start` is the index of the first. Where quoting is broken, rows are read as prose."""
    for number, (first, last, cells) in enumerate(_rows(table, lines, start)):
        if number % STEP == 0:
            yield first
        if cells is None or (last > first and len(cells) != table.width):
            for at in range(first, last + 1):
                _read_line(lines[at], at + 1, finds)
        elif any(cell.strip() for cell in cells):
            _read_row(table, cells, first + 1, finds)


def _rows(table: _Table, lines: Sequence[str], start: int) -> Iterator[tuple[int, int, list[str] | None]]:
    """First and last index of each row, and its cells; None for a row that is no CSV."""
    at = start
    while at < len(lines):
        reader = csv.reader(
            (lines[index] + "\n" for index in range(at, len(lines))), delimiter=table.delimiter, strict=True
        )
        begun = 0
        try:
            for cells in reader:
                yield at + begun, at + reader.line_num - 1, cells
                begun = reader.line_num
        except csv.Error:
            yield at + begun, at + begun, None
            at += begun + 1
        else:
            return


def _read_row(table: _Table, cells: Sequence[str], number: int, finds: _Finds) -> None:
    for rank, at, _ in table.columns:
        cell = _clean(cells[at]) if at < len(cells) else ""
        if cell is None:
            finds.refuse(cells[at], number, "it holds control characters")
            return
        if found := _cell(cell, column_of_ids=rank == 0):
            finds.add(*found, number)
            return
    names = " or ".join(name for *_, name in table.columns)
    finds.refuse(" ".join(cells), number, f"there is no ID, login or email under {sanitize(names, limit=60)}")


def _cell(text: str, *, column_of_ids: bool) -> tuple[str, Kind] | None:
    """The one target of a cell, None where there is none or more than one."""
    word = text.strip().strip("\"'<>").strip()
    if column_of_ids:
        if is_user_id(word):
            return word, Kind.ID
        found = _pick(word)
        return found[0] if len(found) == 1 else None
    found = _pick(word)
    if found:
        return found[0] if len(found) == 1 else None
    return (word, Kind.LOGIN) if word and _why_no_login(word) is None else None


# -- JSON -------------------------------------------------------------------------------------------------------------


def _document(text: str, finds: _Finds) -> Steps[int, bool]:
    """Read `text` as one JSON document, a list or an object. False where it is none."""
    if not text.lstrip().startswith(("[", "{")) or len(text) > MAX_BYTES:
        return False
    document = _json(text)
    if not isinstance(document, list | dict):
        return False
    if isinstance(document, dict):
        # One object on one line is the first line of JSON Lines too; both give the same.
        return _read_object(document, None, finds) is not None
    for number, entry in enumerate(document):
        if number % STEP == 0:
            yield number
        if isinstance(entry, str):
            _read_line(entry, None, finds)
        elif not isinstance(entry, dict) or _read_object(entry, None, finds) is None:
            finds.refuse(json.dumps(entry), None, "there is no ID, login or email in it")
    return True


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _line_of_json(line: str, number: int | None, finds: _Finds) -> bool:
    """Read one line of JSON Lines. False where it is none, or names no user where we look."""
    entry = _json(line)
    return isinstance(entry, dict) and _read_object(entry, number, finds) is not None


def _read_object(entry: dict[str, Any], number: int | None, finds: _Finds) -> Target | None:
    """Add the user that a JSON object names: its own ID, login or email, or that of its user, profile or actor."""
    named = list(_named(entry))
    for _, name, value in sorted(named, key=lambda each: each[0]):
        clean = _clean(value)
        found = _cell(clean, column_of_ids=_rank(name) == 0) if clean else None
        if found:
            finds.add(*found, number)
            return Target(*found, number)
    return None


def _named(entry: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """(rank, name, value) of the texts of an object that may name a user; its own before those of its parts."""
    for depth, (prefix, part) in enumerate([("", entry), *((_name(k), v) for k, v in entry.items())]):
        if not isinstance(part, dict) or prefix not in {"", "user", "profile", "actor"}:
            continue
        for key, value in part.items():
            name = _name(key) if _rank(_name(key)) is not None else prefix + _name(key)
            rank = _rank(name)
            if rank is not None and isinstance(value, str):
                yield rank + (0 if depth == 0 else 3), name, value
