"""Which records are wanted, as an operator types it: `case:INC-2041 outcome:failed since:2h mallory`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from console.history.records import RecordOutcome, RevocationRecord
from console.text import timestamp

OUTCOMES: tuple[str, ...] = get_args(RecordOutcome)
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
    return any(part.casefold() in value.casefold() for value in values)


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

    def wants(self, record: RevocationRecord) -> bool:
        """Whether the record has all that is asked for."""
        return (
            (self.outcome is None or record.outcome == self.outcome)
            and (self.case is None or record.case.casefold() == self.case.casefold())
            and (self.batch is None or record.batch_id == self.batch)
            and (self.since is None or record.queued_at >= timestamp(self.since))
            and (self.until is None or record.queued_at < timestamp(self.until))
            and (self.user is None or self._is_user(record))
            and (self.operator is None or _holds(self.operator, record.operator.os_user, record.operator.principal))
            and (self.text is None or self._has_words(record))
        )

    def _is_user(self, record: RevocationRecord) -> bool:
        user, wanted = record.user, self.user or ""
        return user.id == wanted or _holds(wanted, user.login, user.name)

    def _has_words(self, record: RevocationRecord) -> bool:
        user, operator = record.user, record.operator
        hay = "\n".join(
            (record.id, record.batch_id, record.case, record.reason, record.outcome, record.org, user.id, user.login,
             user.name, user.status, operator.os_user, operator.principal, operator.host,
             *(attempt.request_id or "" for attempt in record.attempts),
             *(attempt.error_code or "" for attempt in record.attempts))
        ).casefold()  # fmt: skip
        return all(word in hay for word in (self.text or "").casefold().split())
