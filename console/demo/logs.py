"""GET /api/v1/logs of the demo org."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from console.demo import search
from console.demo.api import Call, link, whole
from console.demo.org import DemoOrg
from console.demo.replies import Headers, Refusal, Reply, invalid

MOST = 1000
"""Events on a page at most."""


def list_events(org: DemoOrg, call: Call) -> Reply:
    """Events by `since`, `until`, `filter`, `q`, `sortOrder` and `limit`.

    Without `until` the answer always carries a `next` link, even when empty, as a client that polls needs it.
    """
    query = call.query
    limit = whole(call, "limit", default=100, most=MOST)
    until = _moment(query, "until") or org.now() + timedelta(seconds=1)
    since = _moment(query, "since") or until - timedelta(days=7)
    wanted = _filter(query.get("filter"))
    words = query.get("q", "").lower().split()
    after = _cursor(query.get("after"))
    found = [
        event
        for event in org.log
        if since <= event.published < until
        and (wanted is None or search.holds(wanted, event.values))
        and all(word in str(event.body).lower() for word in words)
    ]
    backwards = query.get("sortOrder", "ASCENDING").upper() == "DESCENDING"
    if backwards:
        found = [event for event in reversed(found) if after is None or event.number < after]
    elif after is not None:
        found = [event for event in found if event.number > after]
    page = found[:limit]
    headers: Headers = [("link", link(call, query, "self"))]
    if len(found) > limit or ("until" not in query and not backwards):
        last = page[-1].number if page else after or 0
        kept = {name: value for name, value in query.items() if name != "since"}
        headers.append(("link", link(call, {**kept, "after": f"{last}_1"}, "next")))
    return Reply(body=[event.body for event in page], headers=headers)


def _filter(text: str | None) -> search.Expression | None:
    if not text:
        return None
    try:
        return search.parse(text)
    except search.BadExpression as error:
        raise Refusal(400, "E0000053", f"Invalid filter '{text}': {error}") from None


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(name, "must be an ISO 8601 time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cursor(text: str | None) -> int | None:
    if not text:
        return None
    number = text.removesuffix("_1")
    if number == text or not (number.isascii() and number.isdigit()):
        raise Refusal(400, "E0000029")
    return int(number)
