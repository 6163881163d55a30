from __future__ import annotations

import csv
import errno
import io
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from console.history.claims import Pruned
from console.history.export import FORMATS, Source, write_csv, write_export, write_jsonl
from console.history.records import AttemptRecord, RevocationRecord
from console.history.report import HEADS_SHOWN, KINDS_SHOWN, code, write_report
from console.history.verify import Check, Verdict
from console.paths import UnsafePathError
from tests.support.hostile import HOSTILE
from tests.unit.history.test_history_store import record

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =HYPERLINK(1)"]
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
AT = "2026-11-23T03:00:00.000Z"


def written(form: str, *records: RevocationRecord, source: Source | None = None) -> str:
    out = io.BytesIO()
    FORMATS[form](out, records, source or Source())
    return out.getvalue().decode()


def rows(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline="")))


def attempt(**fields: object) -> AttemptRecord:
    return AttemptRecord.model_validate({"at": AT} | fields)


# CSV and JSON Lines


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = rows(written(".csv", record(case=text, reason=text)))
    assert row["case"].startswith("'")
    assert row["case"][1:] == text.replace("\t", "\ufffd").replace("\r", "\ufffd")


@given(st.lists(PLAIN.filter(str.isprintable), max_size=5))
def test_csv_comes_back_as_it_was(reasons: list[str]) -> None:
    back = rows(written(".csv", *(record(reason=reason) for reason in reasons)))
    assert [row["reason"].removeprefix("'") for row in back] == [reason.removeprefix("'") for reason in reasons]


def test_csv_ends_lines_as_rfc_4180_says_and_names_every_request() -> None:
    one = record(attempts=(attempt(status=503, request_id="R1"), attempt(status=204, request_id="R2")), case='a "b", c')
    content = written(".csv", one)
    assert content.count("\r\n") == 2
    assert content.count("\n") == 2
    (row,) = rows(content)
    assert (row["request_id"], row["request_ids"], row["attempts"]) == ("R2", "R1 R2", "2")
    assert row["case"] == 'a "b", c'
    assert '"a ""b"", c"' in content


@given(st.lists(PLAIN, min_size=1, max_size=5))
def test_jsonl_holds_whole_records_and_nothing_that_a_terminal_obeys(reasons: list[str]) -> None:
    many = [record(reason=reason, attempts=(attempt(status=503),)) for reason in reasons]
    content = written(".jsonl", *many)
    assert content.replace("\n", "").isprintable()
    assert [RevocationRecord.model_validate(json.loads(line)) for line in content.splitlines()] == many


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_in_a_file_is_obeyed_by_a_terminal(form: str) -> None:
    for text in HOSTILE:
        one = record(case=text, reason=text, user={"id": "00u1", "login": text, "name": text, "status": text},
                     attempts=(attempt(error=text, request_id=text, error_code=text),), outcome="failed")  # fmt: skip
        content = written(form, one)
        assert content.replace("\r\n", "").replace("\n", "").isprintable(), text


# The report


def tokens(report: str) -> Iterator[tuple[str, str]]:
    """Every inline token of the report as Markdown with tables and bare links has it: type and content."""
    for block in MarkdownIt("gfm-like").parse(report):
        for token in block.children or [block]:
            yield token.type, token.content


@pytest.mark.parametrize(
    "text",
    [*HOSTILE, "[x](http://evil)", "**b** _i_ `c` ``d``", "<img src=x onerror=alert(1)>", "a | b \\| c", "`", "``|``",
     "http://evil.test www.evil.test a@evil.test", "# head", "- item", "![x](y)", "a  b", "&lt;script&gt;", "~~s~~",
     "<!-- c", "| a | b |", "\\", "```\ncode"],
)  # fmt: skip
def test_text_from_records_is_never_markup(text: str) -> None:
    plain = code("x")
    clean = [kind for kind, _ in tokens(_report_of(plain_text="x"))]
    found = list(tokens(_report_of(plain_text=text)))
    kinds = [kind for kind, _ in found]
    allowed = {"code_inline", "text"}
    assert [kind for kind in kinds if kind not in allowed] == [kind for kind in clean if kind not in allowed]
    shown = " ".join("".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text).split())
    contents = {" ".join(content.split()) for _, content in found}
    assert plain == "`x`"
    assert _report_of(plain_text=text).count("|") == _report_of(plain_text="x").count("|"), "it ends no cell"
    assert not shown or shown in contents, "and it stands there as it is"


def _report_of(plain_text: str) -> str:
    return written(
        ".md",
        record(
            id="R1", batch_id=plain_text or "x", case=plain_text, reason=plain_text, org=plain_text,
            operator={"os_user": plain_text, "host": plain_text, "principal": plain_text, "auth_mode": plain_text},
            user={"id": "00u1", "login": plain_text, "name": plain_text}, outcome="failed",
            attempts=(attempt(error=plain_text, request_id=plain_text, error_code=plain_text),),
        ),
        source=Source(asked=plain_text, verdict=Verdict(1, 1, (plain_text,), "f" * 64)),
    )  # fmt: skip


def test_a_report_says_who_when_why_how_many_and_what_failed() -> None:
    many = [
        record("alice", outcome="revoked",
               attempts=(attempt(status=503, request_id="Q1"), attempt(status=204, request_id="Q2")),
               finished_at="2026-11-23T03:00:09.000Z"),
        record("bob", outcome="failed", attempts=(attempt(status=500, error_code="E0000009", request_id="Q3"),),
               options={"oauth_tokens": False, "forget_devices": True}),
        record("carol", outcome="unknown", attempts=(attempt(error="no answer"),),
               queued_at="2026-11-22T01:00:00.000Z"),
        record("dave", outcome="queued"),
        record("erin", outcome="cancelled", batch_id="B2", reason="left the company"),
    ]  # fmt: skip
    report = written(".md", *many, source=Source(made_at=AT, asked="case:INC-2041"))
    assert report.startswith("# Okta sessions revoked: `INC-2041`\n")
    assert "1 revoked, 1 failed, 1 unknown, 1 cancelled, 1 queued." in report
    assert "- From 2026-11-22T01:00:00.000Z to 2026-11-23T03:00:09.000Z" in report
    assert "5 revocations of 5 users, in 2 batches, with 4 requests" in report
    assert "`analyst` on `soc-1`, in Okta `analyst@example.com`" in report
    assert "Asked for: `case:INC-2041`" in report
    assert "| `B1` | 2026-11-22T01:00:00.000Z | `INC-2041` | `token theft` |" in report
    assert "`left the company`" in report
    assert "| failed | 500 | `E0000009` | – | 1 |" in report
    assert "| unknown | no answer | – | `no answer` | 1 |" in report
    for gap in (
        "1 revocation: not sent.",
        "1 revocation: taken back",
        "1 revocation: sent, and no answer",
        "1 request of",
    ):
        assert f"- {gap}" in report
    alice = next(line for line in report.splitlines() if "`alice@example.com`" in line)
    assert "503 request ID `Q1`; 2026-11-23T03:00:00.000Z 204 request ID `Q2`" in alice
    assert "| revoked too | kept |" in alice
    bob = next(line for line in report.splitlines() if "`bob@example.com`" in line)
    assert "| kept | forgotten too |" in bob
    assert "none was sent" in next(line for line in report.splitlines() if "`dave@example.com`" in line)
    assert "was not checked" in report


def test_a_report_without_gaps_and_of_nothing() -> None:
    one = record(outcome="revoked", attempts=(attempt(status=204),), finished_at=AT)
    report = written(".md", one)
    assert "None: of every revocation it is known how it ended." in report
    assert "## What failed, and why\n\nNothing." in report
    assert "No revocations." in written(".md")


def test_failures_of_many_kinds_are_cut_and_said() -> None:
    many = [record(f"u{n}", outcome="failed", attempts=(attempt(error=f"kind {n}"),)) for n in range(KINDS_SHOWN + 3)]
    assert "And 3 kinds more" in written(".md", *many)


def _check(name: str, lines: int = 3) -> Check:
    return Check(name, "sound", 2, None, lines, "a" * 64, 1, False, None, 0, lines, "")


def test_a_report_says_how_to_check_it() -> None:
    verdict = Verdict(5, 1, (), "c" * 64, checks=(_check("history-A.jsonl"),))
    sealed = written(".md", record(), source=Source(verdict=verdict, seal="b" * 64))
    assert f"    evict history verify --seal {'b' * 64}\n" in sealed
    assert "was **sound** when" in sealed
    assert f"| `history-A.jsonl` | 3 | `{'a' * 64}` |" in sealed
    bare = written(".md", record(), source=Source(verdict=verdict))
    assert "No seal was made" in bare
    bad = Verdict(5, 1, ("history-A.jsonl: line 4 was altered",), "c" * 64)
    assert "**not sound**" in written(".md", source=Source(verdict=bad))
    assert "- `history-A.jsonl: line 4 was altered`" in written(".md", source=Source(verdict=bad))
    many = Verdict(1, 200, (), "c" * 64, checks=tuple(_check(f"h{n}") for n in range(HEADS_SHOWN + 50)))
    assert f"The newest {HEADS_SHOWN} of 150 segments" in written(".md", source=Source(verdict=many))
    gone = Verdict(1, 1, (), "c" * 64, pruned=(Pruned("history-0.jsonl", 9, "d" * 64, 4, AT, "analyst"),))
    assert f"`history-0.jsonl` was pruned at `{AT}` by `analyst`" in written(".md", source=Source(verdict=gone))


# The file


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_is_private_and_never_overwritten_unasked(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"case{suffix}"
    assert write_export(target, [record()]) == 1
    first = target.read_bytes()
    assert b"INC" in first
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_export(target, [])
    assert target.read_bytes() == first
    assert write_export(target, iter([]), replace=True) == 0
    assert target.read_bytes() != first
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_fails_on_the_way_leaves_nothing_and_replaces_nothing(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"case{suffix}"
    target.write_text("before")

    def broken() -> Iterator[RevocationRecord]:
        yield record()
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"cannot write .*No space"):
        write_export(target, broken(), replace=True)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_file_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "case.csv"

    def meanwhile() -> Iterator[RevocationRecord]:
        target.write_text("theirs")
        yield record()

    with pytest.raises(FileExistsError):
        write_export(target, meanwhile())
    assert target.read_text() == "theirs"


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "case.csv"
    write_export(target, [record()])
    assert b"INC" in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600

    def meanwhile() -> Iterator[RevocationRecord]:
        (tmp_path / "other.csv").write_text("theirs")
        yield record()

    with pytest.raises(FileExistsError):
        write_export(tmp_path / "other.csv", meanwhile())
    assert (tmp_path / "other.csv").read_text() == "theirs"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.csv", "other.csv"]


def test_another_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.csv, \.jsonl, \.md"):
        write_export(tmp_path / "case.xlsx", [record()])


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_in_the_way_is_said(tmp_path: Path, replace: bool) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "victim.csv").write_text("keep")
    (tmp_path / "link.csv").symlink_to(tmp_path / "victim.csv")
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, why in (
        ("folder.csv", "it is a folder"),
        ("link.csv", "symbolic link"),
        ("dangling.csv", "symbolic link"),
        ("pipe.csv", "no plain file"),
        ("no/such.csv", "there is no folder"),
        ("victim.csv/x.csv", "is no folder"),
        ("x" * 300 + ".csv", "name too long"),
    ):
        with pytest.raises(UnsafePathError, match=f"(?i)cannot write .*{why}"):
            write_export(tmp_path / name, [record()], replace=replace)
    assert (tmp_path / "victim.csv").read_text() == "keep"
    assert not (tmp_path / "gone.csv").exists()


def test_records_are_written_as_they_come(tmp_path: Path) -> None:
    """Of an iterator one record at a time is held: what was taken is let go before the next is made."""
    alive = 0
    most = 0

    class Counted(RevocationRecord):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def many() -> Iterator[RevocationRecord]:
        nonlocal alive, most
        for n in range(200):
            alive += 1
            most = max(most, alive)
            yield Counted.model_validate(record(f"u{n}").model_dump())

    for suffix, form in ((".csv", write_csv), (".jsonl", write_jsonl), (".md", write_report)):
        alive = most = 0
        with (tmp_path / f"x{suffix}").open("wb") as file:
            form(file, many(), Source())
        assert most <= 4, suffix
