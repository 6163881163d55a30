"""The case report, in Markdown: who, when, why, how many, what failed, everybody, and how to check it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from console import __version__
from console.history.records import AttemptRecord, RevocationRecord
from console.history.verify import Verdict
from console.text import count, visible

NOTHING = "–"
KINDS_SHOWN = 50
"""Kinds of failure that are listed apart."""
HEADS_SHOWN = 100
ORDER = ("revoked", "not_found", "denied", "failed", "unknown", "cancelled", "sending", "queued")
MEANINGS = {
    "revoked": "Okta said that the sessions are ended",
    "not_found": "Okta has no such user",
    "denied": "the credential may not do this to the user",
    "failed": "Okta did not carry it out",
    "unknown": "sent, and no answer was seen: it may have been carried out",
    "cancelled": "taken back before it was sent",
    "sending": "under way when the report was made",
    "queued": "not sent",
}
GAPS = {
    "queued": "not sent. Their sessions were left as they were",
    "cancelled": "taken back before they were sent. Their sessions were left as they were",
    "sending": "under way when this report was made. How they ended is not in it",
    "unknown": "sent, and no answer was seen. Their sessions may have been ended or not; sending again is safe",
}
"""What of the records proves nothing, and why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the records of a report are from. What is not known is left out of it."""

    made_at: str = ""
    asked: str = ""
    """The filter, as it was typed; empty where all records were asked for."""
    verdict: Verdict | None = None
    """What a check of the whole history found, just before."""
    seal: str = ""
    """Hash of a seal that was made just before."""


def code(value: object) -> str:
    """Text as a code span for any place of a document, table cells too: nothing in it is markup, nor a link."""
    text = " ".join(visible(re.sub(r"\s", " ", "" if value is None else str(value))).split(" ")).strip(" ")
    if not text:
        return NOTHING
    if "|" in text:
        # It would end the cell, and the ways to escape it within a code span differ.
        return "".join(c if c.isalnum() or c == " " or not c.isascii() else f"&#{ord(c)};" for c in text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int = 0) -> list[str]:
    """The lines of a table; the last `numbers` columns to the right. Cells are Markdown already."""
    rule = ["---"] * (len(head) - numbers) + ["--:"] * numbers
    return ["", *(f"| {' | '.join(map(str, row))} |" for row in (head, rule, *rows)), ""]


@dataclass(slots=True)
class _Batch:
    """What all records of a batch share, and how many there are."""

    first: RevocationRecord
    confirmed_at: str
    records: int = 0


@dataclass(slots=True)
class _Totals:
    """What is counted while the records go by."""

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """Outcome, status, error code and words."""
    batches: dict[str, _Batch] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    attempts: int = 0
    unanswered: int = 0
    first: str = ""
    last: str = ""

    def take(self, record: RevocationRecord) -> None:
        """Count a record."""
        self.records += 1
        self.users.add(record.user.id)
        self.outcomes[record.outcome] += 1
        batch = self.batches.setdefault(record.batch_id, _Batch(record, record.queued_at))
        batch.records += 1
        batch.confirmed_at = min(batch.confirmed_at, record.queued_at)
        self.attempts += len(record.attempts)
        self.unanswered += sum(attempt.status is None for attempt in record.attempts)
        times = [record.queued_at, *(attempt.at for attempt in record.attempts), record.finished_at or ""]
        self.first = min(self.first or times[0], *(time for time in times if time))
        self.last = max(self.last, *times)
        if record.outcome in {"not_found", "denied", "failed", "unknown"}:
            last = record.attempts[-1] if record.attempts else AttemptRecord(at="")
            status = "" if last.status is None else str(last.status)
            self.failures[record.outcome, status, last.error_code or "", last.error or ""] += 1


def write_report(file: BinaryIO, records: Iterable[RevocationRecord], source: Source) -> None:
    """A report of `records` for people and tickets. Times are UTC. Text from records is never markup.

    Its head counts what follows, so that the lines of the users wait in a file without a name.
    """
    totals = _Totals()
    with tempfile.TemporaryFile() as users:
        for record in records:
            totals.take(record)
            users.write((_user_line(record) + "\n").encode())
        file.write("\n".join(_head(totals, source)).encode())
        users.seek(0)
        shutil.copyfileobj(users, file)
    file.write("\n".join(_proof(source)).encode())


def _head(totals: _Totals, source: Source) -> list[str]:
    cases = sorted({batch.first.case for batch in totals.batches.values()})
    title = f": {code(cases[0])}" if len(cases) == 1 and cases[0] else ""
    lines = [f"# Okta sessions revoked{title}", "", f"{_outcomes(totals.outcomes)}.", ""]
    lines += [f"- Org: {', '.join(code(org) for org in _each(totals, 'org')) or NOTHING}"]
    lines += [f"- Cases: {', '.join(code(case) for case in cases if case) or 'none was named'}"]
    lines += [f"- By: {', '.join(_operators(totals)) or NOTHING}"]
    lines += [f"- From {totals.first or NOTHING} to {totals.last or NOTHING} (UTC, as this machine's clock had it)"]
    batches = count(len(totals.batches), "batch", "batches")
    size = f"{count(totals.records, 'revocation')} of {count(len(totals.users), 'user')}, in {batches}"
    lines += [f"- {size}, with {count(totals.attempts, 'request')}"]
    lines += [f"- Asked for: {code(source.asked) if source.asked else 'all that the history holds'}"]
    lines += [f"- Made{f' at {source.made_at}' if source.made_at else ''} by Evict {__version__}"]
    lines += ["", "## Why"]
    lines += _table(("batch", "confirmed at", "case", "reason", "by", "revocations"), _batches(totals), numbers=1)
    lines += ["## Outcomes"]
    ends = [(name, MEANINGS[name], f"{totals.outcomes[name]:,}") for name in ORDER if totals.outcomes[name]]
    lines += _table(("outcome", "which means", "revocations"), ends, numbers=1)
    return [*lines, *_failed(totals), *_gaps(totals), "## Users", "", _USERS_HEAD, _USERS_RULE, ""]


def _outcomes(outcomes: Counter[str]) -> str:
    told = [f"{outcomes[name]:,} {name.replace('_', ' ')}" for name in ORDER if outcomes[name]]
    return ", ".join(told) or "No revocations"


def _each(totals: _Totals, name: str) -> list[str]:
    return sorted({getattr(batch.first, name) for batch in totals.batches.values()})


def _operators(totals: _Totals) -> list[str]:
    return sorted({_by(batch.first) for batch in totals.batches.values()})


def _by(record: RevocationRecord) -> str:
    who = record.operator
    principal = f", in Okta {code(who.principal)}" if who.principal else ""
    by = f"{code(who.os_user)} on {code(who.host)}{principal}{f' ({code(who.auth_mode)})' if who.auth_mode else ''}"
    if (plan := record.planned) is None:
        return by
    account = f", in Okta {code(plan.principal)}" if plan.principal else ""
    planner = f"{code(plan.os_user)} on {code(plan.host)}{account}"
    return f"{by}, as planned by {planner} at {plan.made_at} (plan {code(plan.sha256)})"


def _batches(totals: _Totals) -> list[tuple[object, ...]]:
    rows = sorted(totals.batches.items(), key=lambda item: item[1].confirmed_at)
    return [
        (code(key), batch.confirmed_at, code(batch.first.case), code(batch.first.reason), _by(batch.first),
         f"{batch.records:,}")
        for key, batch in rows
    ]  # fmt: skip


def _failed(totals: _Totals) -> list[str]:
    lines = ["## What failed, and why", ""]
    if not totals.failures:
        return [*lines, "Nothing.", ""]
    kinds = totals.failures.most_common(KINDS_SHOWN)
    rows = [(name, status or "no answer", code(error), code(words), f"{n:,}")
            for (name, status, error, words), n in kinds]  # fmt: skip
    lines = lines[:-1] + _table(("outcome", "status", "error code", "in words", "revocations"), rows, numbers=1)
    more = len(totals.failures) - len(kinds)
    return [*lines, *([f"And {count(more, 'kind')} more, in the table of users.", ""] if more else [])]


def _gaps(totals: _Totals) -> list[str]:
    found = [f"- {count(totals.outcomes[name], 'revocation')}: {told}." for name, told in GAPS.items()
             if totals.outcomes[name]]  # fmt: skip
    if totals.unanswered:
        found.append(f"- {count(totals.unanswered, 'request')} of all brought no answer.")
    return ["## Gaps", "", *(found or ["None: of every revocation it is known how it ended."]), ""]


_USERS = ("user", "login", "name", "outcome", "case", "OAuth tokens", "devices", "queued at", "finished at", "requests")
_USERS_HEAD = f"| {' | '.join(_USERS)} |"
_USERS_RULE = f"|{'---|' * len(_USERS)}"


def _user_line(record: RevocationRecord) -> str:
    user, options = record.user, record.options
    cells = (
        code(user.id),
        code(user.login),
        code(user.name),
        record.outcome.replace("_", " "),
        code(record.case),
        "revoked too" if options.oauth_tokens else "kept",
        "forgotten too" if options.forget_devices else "kept",
        record.queued_at,
        record.finished_at or NOTHING,
        "; ".join(map(_attempt, record.attempts)) or "none was sent",
    )
    return f"| {' | '.join(cells)} |"


def _attempt(attempt: AttemptRecord) -> str:
    answer = "no answer" if attempt.status is None else str(attempt.status)
    parts = [attempt.at, answer, *([code(attempt.error_code)] if attempt.error_code else [])]
    request = f"request ID {code(attempt.request_id)}" if attempt.request_id else "no request ID"
    signed = [f"as {code(attempt.principal)}"] if attempt.principal else []
    return " ".join([*parts, request, *signed])


SEALED = """\
Keep this hash where the users of the machine can't change it, as in the ticket. Nothing that was written before the
seal has changed for as long as this exits 0:"""
NOT_SEALED = """\
No seal was made for this report. The head of a segment is the hash of its last line: nothing before that line has
changed for as long as  `evict history verify --seal HEAD`  exits 0."""


def _proof(source: Source) -> list[str]:
    lines = ["", "## Proof", ""]
    verdict = source.verdict
    if verdict is None:
        return [*lines, "The history was not checked when this report was made: run  `evict history verify`.", ""]
    size = f"{count(verdict.records, 'record')} in {count(verdict.segments, 'segment')}"
    lines += [f"The history of this org on this machine was **{verdict.state}** when this report was made: {size}.", ""]
    lines += [f"- {code(finding)}" for finding in verdict.findings]
    lines += [f"- {code(one.segment)} was pruned at {code(one.at)} by {code(one.by)}" for one in verdict.pruned]
    if source.seal:
        lines += ["", f"Seal: {code(source.seal)}", "", SEALED, "", f"    evict history verify --seal {source.seal}"]
    else:
        lines += ["", NOT_SEALED]
    sound = [check for check in verdict.checks if check.lines]
    rows = [(code(check.name), f"{check.lines:,}", code(check.head)) for check in sound[-HEADS_SHOWN:]]
    lines += _table(("segment", "lines", "head"), rows)
    newest = f"The newest {HEADS_SHOWN} of {count(len(sound), 'segment')}. " if len(sound) > HEADS_SHOWN else ""
    return [*lines, f"{newest}Head of all: {code(verdict.head)}", ""]
