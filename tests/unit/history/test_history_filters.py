"""The words of a filter: what each asks for, how they are written, and what is said of a mistake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from console.history.entries import BatchInfo, Document, Entry
from console.history.filters import SLICE, FilterMistake, RecordFilter
from console.history.records import OperatorRecord
from console.history.words import NAMES, WORDS, quoted

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


class Nowhere:
    """A source that is never asked."""

    name, alive, ours = "history-X.jsonl", True, False

    def document(self, entry: Entry) -> Document:
        raise AssertionError("the words of an entry were read from the disk")


def batch(case: str = "INC-1", **fields: Any) -> BatchInfo:
    facts: dict[str, Any] = {"id": "01BATCHA", "reason": "token theft", "org": "https://acme.okta.com"}
    who = OperatorRecord(os_user="riley", host="soc-1", principal="riley@acme.test")
    return BatchInfo(case=case, operator=who, confirmed_at="2026-11-23T00:00:00.000Z", **(facts | fields))


FIRST, SECOND, NONE = batch(), batch("INC-22", id="01BATCHB", reason="lost, laptop"), batch("", id="01OTHER")


def entry(name: str, of: BatchInfo, outcome: str, queued_at: str, answer: str, attempts: int = 1) -> Entry:
    words = f"rec-{name}\n00u{name}\n{name}@acme.test\n{name} lee\nreq-{name}".casefold()
    return Entry(
        f"rec-{name}", of, f"2026-11-{queued_at}:00.000Z", None, outcome, f"00u{name}", f"{name}@acme.test",
        f"{name} Lee", "ACTIVE", answer, attempts, 0, words, Nowhere(), 0,
    )  # fmt: skip


ENTRIES = [
    entry("Ann", FIRST, "revoked", "23T02:59", "204"),
    entry("bob", FIRST, "failed", "23T02:00", "503 E0000009"),
    entry("carol", SECOND, "unknown", "22T12:00", "no answer within 10 s"),
    entry("o'dan", SECOND, "denied", "21T12:00", "403 E0000006"),
    entry("eve", NONE, "cancelled", "20T12:00", "", 0),
]


def ask(text: str) -> str:
    """The names of those that fit, by their first letters."""
    return "".join(one.name[0] for one in RecordFilter.parse(text, NOW).choose(ENTRIES))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "Abcoe"),
        ("case:inc-1", "Ab"),
        ("case:INC-2", ""),
        ("case:INC-2*", "co"),
        ("case:*", "Abco"),
        ("-case:*", "e"),
        ("case:INC-1,INC-22", "Abco"),
        ("outcome:failed,unknown", "bc"),
        ("outcome:REV", "A"),
        ("-outcome:revoked", "bcoe"),
        ("outcome:not-found", ""),
        ("user:ann@", "A"),
        ("user:00uANN", "A"),
        ("user:00ua", ""),
        ("user:bob,eve", "be"),
        ("by:RILEY@", "Abcoe"),
        ("-operator:riley", ""),
        ("batch:01batcha", "Ab"),
        ("batch:01BATCH*", "Abco"),
        ("since:2h", "Ab"),
        ("since:today", "Ab"),
        ("since:yesterday until:today", "c"),
        ("until:2026-11-22", "oe"),
        ("org:acme.okta", "Abcoe"),
        ("reason:theft", "Abe"),
        ("reason:laptop", "co"),
        ("status:204", "A"),
        ("status:5xx,403", "bo"),
        ("status:none", "c"),
        ("error:e0000006", "o"),
        ("error:503", ""),
        ("error:answer", "c"),
        ("request:req-B", "b"),
        ("token theft", "Abe"),
        ('"token theft" -bob', "Ae"),
        ('"theft token"', ""),
        ('reason:"lost, laptop"', "co"),
        ("reason:lost,theft", "Abcoe"),
        ("o'dan", "o"),
        ('case:"INC-1', "Ab"),
        ("-inc-1", "coe"),
        ("-", "Abcoe"),
        ('"-"', "Abcoe"),
        ("case:", "Abcoe"),
        ("outcome:failed,", "b"),
        ("https://acme.okta.com", "Abcoe"),
        ('"case:inc-1"', ""),
        ("lee case:INC-1 outcome:failed since:2h -ann", "b"),
    ],
)
def test_what_words_ask_for(text: str, found: str) -> None:
    assert ask(text) == found


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("outcome:gone", "write queued, sending, revoked, not_found"),
        ("outcome:faild", "'faild': write failed"),
        ("outcome:x,failed", "'x'"),
        ("since:soon", "since: 'soon' is no time: write 2h"),
        ("until:99999999w", "is no time"),
        ("until:999999w", "too long ago"),
        ("-since:2h", "write until:2h"),
        ("status:active", "write what Okta answered, such as 204"),
        ("ouctome:failed", "write outcome: or"),
        ("zzz:1", '"zzz:1"'),
    ],
)
def test_a_mistake_says_what_to_write(text: str, write: str) -> None:
    with pytest.raises(FilterMistake) as caught:
        ask(f"bob {text}")
    assert write in str(caught.value)


def test_every_example_is_understood_and_every_name_is_matched() -> None:
    for word in WORDS:
        for example in word.example.replace(" or ", f" {word.name}:").split():
            assert RecordFilter.parse(example, NOW).terms, example
    assert set(NAMES.values()) == {word.name for word in WORDS}
    for name in NAMES:
        value = {"since": "1h", "until": "1h", "outcome": "failed", "status": "204"}.get(name, "zzz")
        assert len(ask(f"{name}:{value}")) < len(ENTRIES), f"{name}: lets everything through"


@pytest.mark.parametrize("value", ["INC-1", "INC 1", "a,b", 'a"b', "a:b", "-a", ""])
def test_a_value_that_is_put_into_a_filter_stays_one_value(value: str) -> None:
    (term,) = RecordFilter.parse(f"case:{quoted(value)}", NOW).terms or (None,)
    assert term is None if not value else term is not None and term.values == (value.replace('"', " ").casefold(),)


def test_fields_ask_like_words() -> None:
    for fields, text in (
        ({"case": "inc-1", "outcome": "failed"}, "case:INC-1 outcome:failed"),
        ({"user": "ANN", "since": NOW.replace(hour=2)}, "user:ann since:1h"),
        ({"operator": "Riley", "batch": "01batchb", "until": NOW}, "by:riley batch:01BATCHB until:2026-11-23T03:00"),
        ({"text": "token Bob"}, "token bob"),
    ):
        chosen = RecordFilter(**fields).choose(ENTRIES)  # type: ignore[arg-type]
        assert chosen == RecordFilter.parse(text, NOW).choose(ENTRIES)
        assert 0 < len(chosen) < len(ENTRIES)


def test_a_limit_and_a_stop_end_the_search() -> None:
    many = ENTRIES * SLICE
    wanted = RecordFilter(outcome="failed")
    assert len(wanted.choose(many, 7)) == 7
    assert wanted.choose(many, 0) == []
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 3

    assert len(wanted.choose(many, stop=stop)) == 2 * SLICE // 5
    assert len(asked) == 3


def test_one_entry_can_be_asked_about() -> None:
    wanted = RecordFilter.parse("outcome:failed", NOW)
    assert [wanted.wants(one) for one in ENTRIES] == [False, True, False, False, False]
