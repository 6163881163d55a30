"""Which records are wanted, as an operator types it: `case:INC-2041 outcome:failed since:2h mallory`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from console.history.entries import BatchInfo, Entry
from console.history.records import OUTCOMES
from console.text import timestamp

UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})\s*(s|min|m|h|d|w)", re.ASCII)
_NAMES = {
    "case": "case",
    "user": "user",
    "outcome": "outcome",
    "by": "operator",
    "operator": "operator",
    "batch": "batch",
    "since": "since",
    "until": "until",
}


def parse_moment(text: str, now: datetime) -> datetime:
    """`2h`, `30min`, `7d` before `now`, or a date or time (UTC where it names no zone). Raises ValueError."""
    if ago := _AGO.fullmatch(text.strip().lower()):
        try:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise ValueError(f"{text} is too long ago") from None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2h, 30min, 7d, 2026-11-23 or 2026-11-23T03:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(text: str) -> list[str]:
    """Words, quotes kept together; a lone quote is a character like any other."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _holds(part: str, *values: str) -> bool:
    """Whether one of `values` has the folded `part` in it."""
    return any(part in value.casefold() for value in values)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What a record must have. None asks for nothing; text is compared without regard to case."""

    case: str | None = None
    """The whole case."""
    user: str | None = None
    """The whole ID, or a part of login or name."""
    outcome: str | None = None
    operator: str | None = None
    """A part of the OS user or the Okta principal."""
    batch: str | None = None
    since: datetime | None = None
    """Queued at or after."""
    until: datetime | None = None
    """Queued before."""
    text: str | None = None
    """Words, each of which stands somewhere in the record."""

    @classmethod
    def parse(cls, text: str, now: datetime) -> RecordFilter:
        """The filter that `text` asks for; `now` is what `since:2h` counts from.

        Raises ValueError with what to write instead, for an outcome or a time that there is not.
        """
        asked: dict[str, str | datetime] = {}
        free: list[str] = []
        for word in _words(text):
            name, colon, value = word.partition(":")
            field = _NAMES.get(name.lower()) if colon else None
            if field is None:
                free.append(word)
            elif not value:
                continue  # still being typed
            elif field in ("since", "until"):
                asked[field] = parse_moment(value, now)
            elif field == "outcome" and value.lower() not in OUTCOMES:
                raise ValueError(f"there is no outcome {value!r}: write one of {', '.join(OUTCOMES)}")
            else:
                asked[field] = value.lower() if field == "outcome" else value
        if free:
            asked["text"] = " ".join(free)
        return cls(**asked)  # type: ignore[arg-type]

    def choose(self, entries: Iterable[Entry], limit: int | None = None) -> list[Entry]:
        """Those of `entries` that fit, in their order, at most `limit`."""
        chosen = filter(self._test(), entries)
        return list(chosen if limit is None else islice(chosen, max(0, limit)))

    def _test(self) -> Callable[[Entry], bool]:
        """What is asked of one entry; what is asked of its batch is answered once a batch."""
        outcome, user = self.outcome, self.user and self.user.casefold()
        since = timestamp(self.since) if self.since else ""
        until = timestamp(self.until) if self.until else "~"
        words = (self.text or "").casefold().split()
        lacking: dict[int, list[str] | None] = {}

        def fits(entry: Entry) -> bool:
            if outcome is not None and entry.outcome != outcome:
                return False
            if not since <= entry.queued_at < until:
                return False
            batch = entry.batch
            key = id(batch)
            if key not in lacking:
                lacking[key] = self._lacking(batch, words)
            if (left := lacking[key]) is None:
                return False
            if user is not None and not (entry.user_id.casefold() == user or _holds(user, entry.login, entry.name)):
                return False
            return all(word in entry.words or word in entry.outcome for word in left)

        return fits

    def _lacking(self, batch: BatchInfo, words: Sequence[str]) -> list[str] | None:
        """The words that a batch does not have, so that its entries must; None where it does not fit at all."""
        who = batch.operator
        fits = (
            (self.case is None or batch.case.casefold() == self.case.casefold())
            and (self.batch is None or batch.id == self.batch)
            and (self.operator is None or _holds(self.operator.casefold(), who.os_user, who.principal))
        )
        return [word for word in words if word not in batch.words] if fits else None
