"""Moments as people write them: `2h` ago, a day, a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})\s*(s|min|m|h|d|w)", re.ASCII)
_DAYS = {"today": 0, "yesterday": 1}


def parse_moment(text: str, now: datetime) -> datetime:
    """`2h`, `30min`, `7d` before `now`, `today`, or a date or time (UTC where it names no zone). Raises ValueError."""
    wanted = text.strip().lower()
    if ago := _AGO.fullmatch(wanted):
        try:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise ValueError(f"{text} is too long ago") from None
    if wanted in _DAYS:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=_DAYS[wanted])
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2h, 30min, 7d, 2026-11-23 or 2026-11-23T03:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
