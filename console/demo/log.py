"""The demo org's System Log."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.demo.dice import Dice
from console.text import timestamp

KEPT = 50_000
"""Events kept; older ones fall out."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with what the API shows of it."""

    number: int
    published: datetime
    body: dict[str, Any]

    @property
    def type(self) -> str:
        """Such as `user.session.clear`."""
        return str(self.body["eventType"])

    def values(self, attribute: str) -> list[str]:
        """The values of a filter attribute, such as `target.id` or `eventType`."""
        found: list[Any] = [self.body]
        for part in attribute.split("."):
            found = [one[part] for one in found if isinstance(one, dict) and part in one]
            found = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
        return [str(one) for one in found if one is not None]


class SystemLog(Sequence[Event]):
    """What happened, oldest first."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed, 0x106)
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._number = 0

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, at: Any) -> Any:
        return list(self._events)[at] if isinstance(at, slice) else self._events[at]

    def add(
        self,
        event_type: str,
        message: str,
        *,
        at: datetime,
        actor: dict[str, str],
        targets: Sequence[dict[str, str]] = (),
        request_id: str = "",
        uri: str = "",
        result: str = "SUCCESS",
        reason: str | None = None,
        severity: str = "INFO",
        debug: dict[str, str] | None = None,
        user_agent: str = "",
    ) -> Event:
        """Write one event down."""
        self._number += 1
        uuid = self._dice.hexadecimal(32)
        body = {
            "uuid": f"{uuid[:8]}-{uuid[8:12]}-4{uuid[13:16]}-a{uuid[17:20]}-{uuid[20:]}",
            "published": timestamp(at),
            "eventType": event_type,
            "version": "0",
            "severity": severity,
            "displayMessage": message,
            "actor": actor,
            "target": list(targets),
            "outcome": {"result": result, **({"reason": reason} if reason else {})},
            "client": {"userAgent": {"rawUserAgent": user_agent}, "ipAddress": "127.0.0.1"},
            "transaction": {"type": "WEB", "id": request_id, "detail": {}},
            "debugContext": {"debugData": {"requestId": request_id, "requestUri": uri, **(debug or {})}},
            "request": {"ipChain": []},
        }
        event = Event(self._number, at, body)
        self._events.append(event)
        return event
