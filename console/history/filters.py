"""Which records are wanted: by case, user, outcome, operator, batch, time or text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.history.entries import BatchInfo, Entry
from console.history.moments import parse_moment
from console.history.records import OUTCOMES
from console.history.words import TEXT, FilterMistake, Term, terms
from console.text import timestamp

__all__ = ["OUTCOMES", "FilterMistake", "RecordFilter", "parse_moment"]

SLICE = 500
"""Entries between two looks at whether the answer is still wanted: about half a millisecond's worth."""

OfBatch = Callable[[BatchInfo], bool]
OfEntry = Callable[[Entry], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What a record must have. None asks for nothing; text is compared without regard to case."""

    case: str | None = None
    """The whole case; `*` at its end stands for any rest."""
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
    terms: tuple[Term, ...] = ()
    """What else is asked, as it was typed."""

    @classmethod
    def parse(cls, text: str, now: datetime) -> RecordFilter:
        """The filter that `text` asks for; `now` is what `since:2h` counts from.

        Raises FilterMistake, a ValueError, with what to write instead.
        """
        return cls(terms=terms(text, now))

    def choose(
        self, entries: Sequence[Entry], limit: int | None = None, *, stop: Callable[[], bool] = _never
    ) -> list[Entry]:
        """Those of `entries` that fit, in their order, at most `limit`.

        `stop` is asked now and then; where it says so the search ends, and what it returns is of no use.
        """
        fits = self._test()
        chosen: list[Entry] = []
        most = len(entries) if limit is None else max(0, limit)
        for start in range(0, len(entries), SLICE):
            if stop() or len(chosen) >= most:
                break
            chosen += [entry for entry in entries[start : start + SLICE] if fits(entry)]
        return chosen[:most]

    def wants(self, entry: Entry) -> bool:
        """Whether the entry has all that is asked for."""
        return self._test()(entry)

    def _all_terms(self) -> list[Term]:
        asked: dict[str, str | None] = {
            "case": self.case,
            "user": self.user,
            "outcome": self.outcome,
            "by": self.operator,
        }
        asked["batch"] = self.batch
        asked["since"] = timestamp(self.since) if self.since else None
        asked["until"] = timestamp(self.until) if self.until else None
        plain = [
            Term(name, (value if name in ("since", "until") else value.casefold(),))
            for name, value in asked.items()
            if value is not None
        ]
        words = [Term(TEXT, (word,)) for word in (self.text or "").casefold().split()]
        return [*plain, *words, *self.terms]

    def _test(self) -> OfEntry:
        """What is asked of one entry. What is asked of its batch is answered once a batch."""
        asked = self._all_terms()
        of_batch = [_turned(_OF_BATCH[one.name](one.values), one) for one in asked if one.name in _OF_BATCH]
        of_entry = [_turned(_OF_ENTRY[one.name](one.values), one) for one in asked if one.name in _OF_ENTRY]
        texts = [one for one in asked if one.name == TEXT]
        judged: dict[int, list[OfEntry] | None] = {}

        def judge(batch: BatchInfo) -> list[OfEntry] | None:
            """What is left to ask of the entries of a batch; None where none of them fits."""
            if not all(test(batch) for test in of_batch):
                return None
            there = [one for one in texts if one.values[0] in batch.words]
            if any(one.no for one in there):
                return None
            return of_entry + [_turned(_has(one.values[0]), one) for one in texts if one not in there]

        def fits(entry: Entry) -> bool:
            key = id(entry.batch)
            if key not in judged:
                judged[key] = judge(entry.batch)
            tests = judged[key]
            if tests is None:
                return False
            for test in tests:  # noqa: SIM110 - a generator for each of 100,000 entries takes twice as long
                if not test(entry):
                    return False
            return True

        return fits


def _turned(test: Callable[..., bool], term: Term) -> Callable[..., bool]:
    return (lambda one: not test(one)) if term.no else test


def _is(value: str, wanted: str) -> bool:
    """Whether it is what is wanted, or begins so where that ends in `*`; nothing is not anything."""
    return bool(value) and value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _case(values: Sequence[str]) -> OfBatch:
    return lambda batch: any(_is(batch.case.casefold(), value) for value in values)


def _batch(values: Sequence[str]) -> OfBatch:
    return lambda batch: any(_is(batch.id.casefold(), value) for value in values)


def _by(values: Sequence[str]) -> OfBatch:
    def test(batch: BatchInfo) -> bool:
        who = batch.operator
        return any(value in who.os_user.casefold() or value in who.principal.casefold() for value in values)

    return test


def _reason(values: Sequence[str]) -> OfBatch:
    return lambda batch: any(value in batch.reason.casefold() for value in values)


def _org(values: Sequence[str]) -> OfBatch:
    return lambda batch: any(value in batch.org.casefold() for value in values)


def _outcome(values: Sequence[str]) -> OfEntry:
    return lambda entry: entry.outcome in values


def _since(values: Sequence[str]) -> OfEntry:
    moment = min(values)
    return lambda entry: entry.queued_at >= moment


def _until(values: Sequence[str]) -> OfEntry:
    moment = max(values)
    return lambda entry: entry.queued_at < moment


def _user(values: Sequence[str]) -> OfEntry:
    def test(entry: Entry) -> bool:
        id_, login, name = entry.user_id.casefold(), entry.login.casefold(), entry.name.casefold()
        for value in values:  # noqa: SIM110 - as above
            if value == id_ or value in login or value in name:
                return True
        return False

    return test


def _status(values: Sequence[str]) -> OfEntry:
    def test(entry: Entry) -> bool:
        status = entry.answer[:3]
        if not status.isdigit():
            return entry.attempts > 0 and "none" in values
        return status in values or f"{status[0]}xx" in values

    return test


def _error(values: Sequence[str]) -> OfEntry:
    def test(entry: Entry) -> bool:
        answer = entry.answer
        said = (answer[3:] if answer[:3].isdigit() else answer).casefold()
        return any(value in said for value in values)

    return test


def _words(entry: Entry) -> str:
    """Its words; none where it can't be read any more, which whoever opens it is told."""
    try:
        return entry.words
    except (OSError, KeyError):
        return ""


def _request(values: Sequence[str]) -> OfEntry:
    return lambda entry: any(value in _words(entry) for value in values)


def _has(text: str) -> OfEntry:
    return lambda entry: text in _words(entry) or text in entry.outcome


_OF_BATCH: dict[str, Callable[[Sequence[str]], OfBatch]] = {
    "case": _case,
    "batch": _batch,
    "by": _by,
    "reason": _reason,
    "org": _org,
}
_OF_ENTRY: dict[str, Callable[[Sequence[str]], OfEntry]] = {
    "outcome": _outcome,
    "since": _since,
    "until": _until,
    "user": _user,
    "status": _status,
    "error": _error,
    "request": _request,
}
