"""One history record as people read it."""

from __future__ import annotations

from textual.content import Content

from console.history.records import AttemptRecord, RevocationRecord
from console.text import sanitize
from console.ui.look import look

LABEL = 10


def clean(value: str) -> str:
    """Text from a file that anybody may have edited."""
    return sanitize(value, limit=400)


def short_time(stamp: str) -> str:
    """`2026-11-23T03:00:00.000Z` as `11-23 03:00:00`; anything else as it is."""
    fits = len(stamp) >= 19 and stamp[10] == "T"
    return clean(f"{stamp[5:10]} {stamp[11:19]}" if fits else stamp)


def _fact(name: str, value: str | Content, style: str = "") -> Content:
    shown = value if isinstance(value, Content) else Content.styled(clean(value), style)
    return Content.assemble((f"{name:<{LABEL}}", "$quiet"), shown)


def _options(record: RevocationRecord) -> str:
    tokens = "revoked" if record.options.oauth_tokens else "kept"
    devices = "forgotten" if record.options.forget_devices else "kept"
    return f"OAuth tokens {tokens}, devices {devices}"


def attempt_content(number: int, attempt: AttemptRecord) -> list[Content]:
    """An attempt in two or three lines: when and how it was answered, by which request, and what went wrong."""
    well = attempt.status == 204
    status = "no answer" if attempt.status is None else str(attempt.status)
    facts = [status, attempt.error_code or "", "" if attempt.milliseconds is None else f"{attempt.milliseconds} ms"]
    lines = [
        Content.assemble(
            (f"{number:>3}  ", "$quiet"),
            (short_time(attempt.at), "$foreground"),
            "  ",
            (clean("  ".join(one for one in facts if one)), "$state-revoked" if well else "$state-failed"),
        )
    ]
    if attempt.request_id:
        lines.append(Content.assemble(("     request ", "$quiet"), clean(attempt.request_id)))
    if attempt.error:
        lines.append(Content.assemble("     ", (clean(attempt.error), "$quiet")))
    return lines


def record_content(record: RevocationRecord) -> Content:
    """Everything a record says."""
    shown = look(record.outcome)
    operator = record.operator
    who = f"{operator.principal or 'unknown principal'} ({operator.auth_mode or '?'})"
    lines = [
        Content.styled(clean(record.user.name or record.user.login or record.user.id), "$foreground bold"),
        Content.styled(shown.text, shown.style),
        Content.styled(shown.meaning, "$quiet"),
        Content(""),
        _fact("login", record.user.login),
        _fact("id", record.user.id),
        _fact("status", record.user.status),
        _fact("options", _options(record)),
        Content(""),
        _fact("case", record.case or "none"),
        _fact("reason", record.reason or "none"),
        _fact("operator", who),
        _fact("", f"{operator.os_user}@{operator.host}", "$quiet"),
        _fact("org", record.org),
        _fact("batch", record.batch_id),
        _fact("record", record.id),
        _fact("queued", short_time(record.queued_at)),
        _fact("finished", short_time(record.finished_at) if record.finished_at else "not yet"),
        Content(""),
        Content.styled("Attempts" if record.attempts else "No attempt was made", "$quiet bold"),
    ]
    for number, attempt in enumerate(record.attempts, 1):
        lines.extend(attempt_content(number, attempt))
    return Content("\n").join(lines)
