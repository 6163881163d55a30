from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.history.export import FORMATS, to_csv, to_jsonl, to_markdown, write_export
from console.history.records import AttemptRecord, RevocationRecord
from tests.unit.history.test_history_store import record

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =HYPERLINK(1)"]


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = rows(to_csv([record(case=text, reason=text)]))
    assert row["case"] == f"'{text}"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5))
def test_csv_comes_back_as_it_was(reasons: list[str]) -> None:
    back = rows(to_csv([record(reason=reason) for reason in reasons]))
    assert [row["reason"].removeprefix("'") for row in back] == [reason.removeprefix("'") for reason in reasons]


def test_jsonl_holds_whole_records() -> None:
    one = record(attempts=(AttemptRecord(at="2026-11-23T03:00:00.000Z", status=503),))
    assert [RevocationRecord.model_validate(json.loads(line)) for line in to_jsonl([one]).splitlines()] == [one]


def test_markdown_is_never_markup_of_the_data() -> None:
    report = to_markdown([record(case="[x](http://evil) | **b**")]).decode()
    assert "\\[x\\](http://evil) \\| \\*\\*b\\*\\*" in report


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_is_private_and_never_overwritten_unasked(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"case{suffix}"
    write_export(target, [record()])
    assert b"INC" in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_export(target, [])
    write_export(target, [], replace=True)


def test_another_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.csv, \.jsonl, \.md"):
        write_export(tmp_path / "case.xlsx", [record()])
