"""One history record as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from console.history.records import AttemptRecord, RevocationRecord
from console.text import count, duration, sanitize
from console.ui.look import look
from console.ui.widgets.facts import Pair, pair, whole

if TYPE_CHECKING:
    from console.ui.screens.history_listing import Related


def clean(value: str) -> str:
    """Text from a file that anybody may have edited."""
    return sanitize(value, limit=400)


def short_time(stamp: str) -> str:
    """`2026-11-23T03:00:00.000Z` as `11-23 03:00:00`; anything else as it is."""
    fits = len(stamp) >= 19 and stamp[10] == "T"
    return clean(f"{stamp[5:10]} {stamp[11:19]}" if fits else stamp)


def _fact(name: str, value: str, style: str = "") -> Pair:
    return pair(name, clean(value), style=style)


def _later(at: str, before: str | None) -> str:
    """How long after the attempt before: `+5 s`; empty for the first, and where a time is none."""
    try:
        gap = (datetime.fromisoformat(at) - datetime.fromisoformat(before or "")).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f"+{duration(gap)}"


def attempt_pairs(number: int, attempt: AttemptRecord, before: AttemptRecord | None = None) -> list[Pair]:
    """An attempt: when and how it was answered, by which request, what went wrong; how long after the one `before`."""
    status = "no answer" if attempt.status is None else str(attempt.status)
    took = "" if attempt.milliseconds is None else f"{attempt.milliseconds:,} ms"
    answer = clean("  ".join(one for one in (status, attempt.error_code, took) if one))
    style = "$state-revoked" if attempt.status == 204 else "$state-failed"
    when = (short_time(attempt.at)[-8:], _later(attempt.at, None if before is None else before.at))
    said = [part for one in when if one for part in (one, "  ")]
    pairs = [pair(f"{number:>3}", Content.assemble(*said, (answer, style)))]
    if attempt.request_id:
        pairs.append(_fact("  request", attempt.request_id))
    if attempt.error:
        pairs.append(_fact("  error", attempt.error))
    if attempt.principal:
        pairs.append(_fact("  as", attempt.principal))
    return pairs


def _related_pairs(record: RevocationRecord, related: Related) -> Iterator[Pair]:
    """How many others there are, each with the key that lists them."""
    name = "related"
    for number, of, key in ((related.user, "user", "m"), (related.case, "case", "i"), (related.batch, "batch", "b")):
        if of == "case" and not record.case:
            continue
        text = f"{number:,} more of this {of}" if number else f"no other of this {of}"
        yield pair(name, Content.assemble(text, (f"  {key}" if number else "", "$primary")))
        name = " "


def _planned_pairs(record: RevocationRecord) -> list[Pair]:
    """Who planned it, where it was run from a plan."""
    if (plan := record.planned) is None:
        return []
    return [
        _fact("planner", f"{plan.principal or 'unknown principal'}, {plan.os_user}@{plan.host}"),
        _fact("plan", f"{short_time(plan.made_at)}, {plan.sha256}"),
    ]


def record_pairs(record: RevocationRecord, related: Related | None = None) -> list[Pair]:
    """Everything a record says, and how many others there are where that was counted."""
    shown = look(record.outcome)
    operator = record.operator
    pairs = [
        whole(clean(record.user.name or record.user.login or record.user.id), "$foreground bold"),
        whole(shown.text, shown.style),
        whole(shown.meaning, "$quiet"),
        whole(""),
        _fact("login", record.user.login),
        _fact("id", record.user.id),
        _fact("status", record.user.status or "not known"),
        _fact("tokens", "revoked too" if record.options.oauth_tokens else "kept"),
        _fact("devices", "forgotten too" if record.options.forget_devices else "kept"),
        whole(""),
        _fact("case", record.case or "none"),
        _fact("reason", record.reason or "none"),
        _fact("operator", f"{operator.principal or 'unknown principal'} ({operator.auth_mode or '?'})"),
        _fact("from", f"{operator.os_user}@{operator.host}"),
        *_planned_pairs(record),
        _fact("org", record.org),
        _fact("batch", record.batch_id),
        _fact("record", record.id),
        _fact("queued", short_time(record.queued_at)),
        _fact("finished", short_time(record.finished_at) if record.finished_at else "not yet"),
        *(() if related is None else _related_pairs(record, related)),
        whole(""),
        whole(_heading(record), "$quiet bold"),
    ]
    before = None
    for number, attempt in enumerate(record.attempts, 1):
        pairs.extend(attempt_pairs(number, attempt, before))
        before = attempt
    return pairs


def _heading(record: RevocationRecord) -> str:
    return count(len(record.attempts), "attempt") if record.attempts else "No attempt was made"
