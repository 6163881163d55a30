"""What is picked out of a text, and that nothing of it is lost, invented or unsafe."""

from __future__ import annotations

import io
import json
import os
import time
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.revocation import target_text
from console.revocation.targets import Kind, TargetFileError, parse, parsing, read_targets
from tests.support.hostile import HOSTILE

ID = "00u1a2b3c4d5e6f7g8h9"
OTHER = "00u1a2b3c4d5e6f7g8H9"


def names(text: str) -> list[str]:
    return [target.text for target in parse(text).targets]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mallory@acme.test\r\njdoe\rbob@acme.test", ["mallory@acme.test", "jdoe", "bob@acme.test"]),
        (f"https://acme-admin.okta.com/admin/user/profile/view/{ID}#tab-account", [ID]),
        ('"Smith, Mallory" <mallory@acme.test>; Bob <bob@acme.test>', ["mallory@acme.test", "bob@acme.test"]),
        ("jdoe; asmith\tbob", ["jdoe", "asmith", "bob"]),
        (f"see {ID}, and mail mallory@acme.test.", [ID, "mallory@acme.test"]),
        ("12345678901234567890", ["12345678901234567890"]),
        ("user=mallory@acme.test ip=10.0.0.1", ["mallory@acme.test"]),
        ("o'brien@acme.test", ["o'brien@acme.test"]),
        ("'mallory@acme.test'", ["mallory@acme.test"]),
        ("a/b@acme.test", ["a/b@acme.test"]),
        ("\ufeffmallory@acme.test", ["mallory@acme.test"]),
        ("\x1b[31mmallory@acme.test\x1b[0m", ["mallory@acme.test"]),
        ("ＭＡＬ@acme.test\nжук@acme.test", ["ＭＡＬ@acme.test", "жук@acme.test"]),
        ("ACME\\mallory", ["ACME\\mallory"]),
    ],
)
def test_picks_targets_out_of_lists_and_prose(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"name,Login,ID\nMallory,m@acme.test,{ID}\nBob,b@acme.test,", [ID, "b@acme.test"]),
        (f'"First";"User ID"\n"x;y";"{ID}"', [ID]),
        ("userPrincipalName\tdept\nm@acme.test\tx", ["m@acme.test"]),
        ("time,actor.alternateId\nnow,m@acme.test", ["m@acme.test"]),
        ('login,notes\nm@acme.test,"two\nlines with x@acme.test"\nb@acme.test,', ["m@acme.test", "b@acme.test"]),
        ('login,notes\n"m@acme.test,never closed\nb@acme.test,x', ["m@acme.test", "b@acme.test"]),
        (f"id\n{ID}\n00g1a2b3c4d5e6f7g8h9", [ID, "00g1a2b3c4d5e6f7g8h9"]),
        ("email\nm@acme.test", ["m@acme.test"]),
    ],
)
def test_reads_the_recognised_column_of_a_table(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (json.dumps([{"id": ID, "profile": {"login": "m@acme.test"}}, "b@acme.test"], indent=1), [ID, "b@acme.test"]),
        (f'{{"user_id": "{ID}"}}\n{{"profile": {{"login": "m@acme.test"}}}}', [ID, "m@acme.test"]),
        ('{"uuid": "x", "actor": {"id": "00uno", "alternateId": "m@acme.test"}}', ["m@acme.test"]),
        (f'{{"note": "{ID}"}}', [ID]),
    ],
)
def test_reads_json_and_json_lines(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


def test_folds_duplicates_with_ids_by_case_and_logins_without() -> None:
    parsed = parse(f"{ID}\n{OTHER}\n{ID}\nMallory@acme.test\nmallory@ACME.test")
    assert [target.text for target in parsed.targets] == [ID, OTHER, "Mallory@acme.test"]
    assert [target.kind for target in parsed.targets] == [Kind.ID, Kind.ID, Kind.LOGIN]
    assert parsed.duplicates == 2
    assert [target.line for target in parsed.targets] == [1, 2, 4]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("ok\nJohn Smith", 2, "neither"),
        ("mal\x00lory@acme.test", 1, "control"),
        ("\x1b]0;x\x07mallory@acme.test", 1, "control"),
        ("https://acme.okta.com/app", 1, "link"),
        ("10.0.0.1", 1, "IP address"),
        ("# a list", 1, "comment"),
        ("\n\n---", 3, "neither"),
        ("login,x\n,only this", 2, "login"),
        ("mallory@acme.test, Smith", 1, "beside"),
        ("a" * 300, 1, "too long"),
        ("mal\ufffdlory@acme.test", 1, "neither"),
    ],
)
def test_says_what_it_did_not_take_and_why(text: str, line: int, word: str) -> None:
    (ignored,) = parse(text).ignored
    assert ignored.line == line
    assert word in ignored.why


def test_never_takes_a_column_of_first_names_for_logins() -> None:
    parsed = parse("jdoe,John,Doe\nasmith,Anna,Smith")
    assert parsed.targets == ()
    assert len(parsed.ignored) == 2
    assert "header" in parsed.ignored[0].why


@pytest.mark.parametrize("text", [f"x{ID}", f"{ID}x", f"{ID}@acme.test", f"{ID}-b", f"é{ID}"])
def test_never_takes_a_piece_of_a_word_for_an_id(text: str) -> None:
    assert all(target.kind is Kind.LOGIN for target in parse(text).targets)


def test_caps_lines_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_text, "MAX_LINES", 1_000)
    parsed = parse("\n".join(f"u{n}" for n in range(1_002)))
    assert len(parsed.targets) == 1_000
    (ignored,) = parsed.ignored
    assert ignored.line == 1_001
    assert "2 were left out" in ignored.why


def test_caps_targets_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_text, "MAX_LINES", 1_000)
    parsed = parse(",".join(f"u{n}" for n in range(1_002)))
    assert len(parsed.targets) == 1_000
    assert "left out" in parsed.ignored[-1].why


def test_a_hundred_thousand_lines_are_read_in_small_steps_that_tell_how_far_they_are() -> None:
    steps = parsing("\n".join(f"u{n}@acme.test" for n in range(2_000)))
    told = list(steps)
    assert told == sorted(told)
    assert max(later - now for now, later in pairwise(told)) <= target_text.STEP
    assert told[-1] > 2_000 - target_text.STEP
    assert target_text.MAX_LINES >= 100_000
    table = list(parsing("login\n" + "u@acme.test\n" * 2_000))
    assert len(table) >= 2_000 // target_text.STEP


def test_caps_the_size_of_a_paste_without_cutting_a_login_in_two() -> None:
    parsed = parse("\n".join(f"{'x' * 200}{n}@acme.test" for n in range(30_000)))
    assert all(target.text.endswith("@acme.test") for target in parsed.targets)
    assert "5 MB" in parsed.ignored[0].why


def _accounted(text: str) -> None:
    parsed = parse(text)
    shown = [target.text for target in parsed.targets] + [ignored.text for ignored in parsed.ignored]
    for word in shown:
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in word), word
        assert "\n" not in word
    for target in parsed.targets:
        assert target.text == target.text.strip() != ""
    assert len({(target.kind, target.key) for target in parsed.targets}) == len(parsed.targets)


WORDS = (ID, OTHER, "m@acme.test", "jdoe", "login", "id", "email", '{"id":"', "\x1b[31m", "://", "\r\n")
PIECES = st.sampled_from((*WORDS, *"\"',;\t|\n <>{}[]:#@\x00\x85\u2028\u202e", *HOSTILE))


@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)))
@example("\ud800")
@example("[" * 5000)
@example('login\n"')
def test_any_text_parses_into_safe_words(text: str) -> None:
    _accounted(text)


@given(st.lists(st.one_of(st.text(max_size=30), PIECES), max_size=12))
def test_no_line_of_a_list_vanishes(lines: list[str]) -> None:
    # The first line names nothing and is no header, so each further line stands for itself.
    lines = [line for line in lines if not set(line) & {"\n", "\r"}]
    parsed = parse("\n".join(["??", *lines]))
    told = {entry.line for entry in (*parsed.targets, *parsed.ignored)}
    known = {target.key for target in parsed.targets}
    for number, line in enumerate(lines, 2):
        if line.replace("\x1b[31m", "").strip() and number not in told:
            again = {target.key for target in parse("??\n" + line).targets}
            assert again, "neither a target nor an entry in `ignored`"
            assert again <= known, "not even a duplicate"


SLOW = ("'" * 200_000, "a" * 500_000, "@" * 200_000, '"a\n' * 50_000, "login\n" + '"a"b\n' * 49_000, "a@" * 100_000)


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_nothing_makes_it_slow(text: str) -> None:
    before = time.process_time()
    parse(text)
    assert time.process_time() - before < 5


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_reads_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes("mallory@acme.test\njosé@acme.test\nbob@acme.test".encode(encoding))
    assert [target.text for target in read_targets(path).targets] == [
        "mallory@acme.test",
        "josé@acme.test",
        "bob@acme.test",
    ]


def test_reads_windows_text(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes("Name;Login\nJosé;mallory@acme.test".encode("cp1252"))
    assert [target.text for target in read_targets(path).targets] == ["mallory@acme.test"]


def test_reads_a_stream() -> None:
    assert [target.text for target in read_targets(None, io.BytesIO(b"jdoe\n")).targets] == ["jdoe"]
    assert read_targets(None, io.BytesIO(b"")).targets == ()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04rest", "CSV"),
        (b"\x7fELF\x00\x00\x01\x02\x03\x04\x00", "binary"),
        (bytes(range(1, 32)) * 40, "binary"),
        (b"\xff\xfea", "UTF-16"),
        (b"x" * (5 * 1024 * 1024 + 1), "5 MB"),
        (b"x\n" * 100_001, "100,001 lines"),
    ],
)
def test_refuses_what_is_no_list(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(content)
    with pytest.raises(TargetFileError, match=word):
        read_targets(path)


def test_refuses_what_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(TargetFileError, match="no file"):
        read_targets(tmp_path / "missing")
    with pytest.raises(TargetFileError, match="folder"):
        read_targets(tmp_path)
    with pytest.raises(TargetFileError, match="file name"):
        read_targets(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_refuses_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(TargetFileError, match="Permission"):
        read_targets(path)
