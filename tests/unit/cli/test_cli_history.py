"""`evict history`: what was revoked, found, shown, exported, proven and pruned."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.history.header import header_in
from console.text import timestamp
from tests.support.cli import Shell
from tests.support.hostile import HOSTILE
from tests.support.keyring import MemoryKeyring, memory_keyring
from tests.support.segments import batch, lines_of, make, record


@pytest.fixture
def revoked(evict: Shell) -> Shell:
    """Three users revoked under one case, two under another."""
    evict("revoke", *evict.ids(3), "--case", "INC-1", "--reason", "token theft", "--yes")
    evict("revoke", *evict.ids(5)[3:], "--case", "INC-2", "--yes")
    return evict


def test_history_list(revoked: Shell) -> None:
    done = revoked("history", "list", "--json")
    assert (done.code, len(done.of("revocation"))) == (0, 5)
    assert done.records[0]["case"] == "INC-2", "the newest stands first"
    first = revoked("history", "list", "--case", "INC-1", "--json").records
    assert sorted(record["user_id"] for record in first) == sorted(revoked.ids(3))
    assert {(record["outcome"], record["reason"]) for record in first} == {("revoked", "token theft")}
    assert [len(record["attempts"]) for record in first] == [1, 1, 1]


@pytest.mark.parametrize(
    ("argv", "number"),
    [
        (["--limit", "2"], 2),
        (["--outcome", "failed"], 0),
        (["--since", "2026-11-23"], 5),
        (["--since", "2030-01-01T00:00Z"], 0),
        (["--until", "2026-11-23"], 0),
        (["--case", "INC-3"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_history_filters(revoked: Shell, argv: list[str], number: int) -> None:
    assert len(revoked("history", "list", *argv, "--json").records) == number


def test_history_of_one_user(revoked: Shell) -> None:
    id_ = revoked.ids(1)[0]
    assert [one["user_id"] for one in revoked("history", "list", "--user", id_, "--json").records] == [id_]


def test_history_list_for_people(revoked: Shell) -> None:
    lines = revoked("history", "list").out.splitlines()
    assert lines[0].split()[:2] == ["queued", "at"]
    assert len(lines) == 6
    assert all("revoked" in line and "204" in line for line in lines[1:])


def test_history_show(revoked: Shell) -> None:
    record = revoked("history", "list", "--case", "INC-1", "--json").records[0]
    shown = revoked("history", "show", record["id"])
    assert shown.code == 0
    for words in (record["user_id"], "token theft", "attempt 1", "204", record["attempts"][0]["request_id"]):
        assert words in shown.out
    assert json.loads(revoked("history", "show", record["id"], "--json").out)["id"] == record["id"]
    assert revoked("history", "show", "none").code == 1


def test_history_export(revoked: Shell, tmp_path: Path) -> None:
    path = tmp_path / "inc-1.csv"
    done = revoked("history", "export", str(path), "--case", "INC-1")
    assert (done.code, done.err) == (0, f"3 revocations written to {path}\n")
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 4
    again = revoked("history", "export", str(path))
    assert again.code == 2
    assert "--replace" in again.err
    assert revoked("history", "export", str(path), "--replace").code == 0
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 6
    assert revoked("history", "export", str(tmp_path / "x.xlsx")).code == 2
    assert revoked("history", "export", str(tmp_path / "X.CSV")).code == 0
    nowhere = revoked("history", "export", str(tmp_path / "no" / "x.csv"))
    assert nowhere.code == 2
    assert f"cannot write {tmp_path / 'no' / 'x.csv'}" in nowhere.err


def test_history_verify(revoked: Shell) -> None:
    done = revoked("history", "verify")
    assert (done.code, done.out[:6]) == (0, "sound:")
    folder = revoked.workspaces[0].settings.data_dir
    segment = min(folder.rglob("*.jsonl"))
    content = segment.read_text()
    segment.write_text(content.replace("token theft", "token_theft", 1))
    done = revoked("history", "verify")
    assert done.code == 1
    assert "NOT SOUND" in done.out
    assert f"problem: {segment.name}: line 2 was altered" in done.out
    assert "line 1 is the last that is sound" in done.out
    assert "fail" in revoked("doctor").out


def test_history_needs_no_token(revoked: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVICT_TOKEN")
    assert len(revoked("history", "list", "--json").records) == 5
    assert revoked("search", "x").code == 2


def test_history_of_an_org_without_one(evict: Shell) -> None:
    assert evict("history", "list").code == 0
    assert evict("history", "verify").code == 0


@pytest.mark.parametrize(
    "action",
    [
        ["list"],
        ["verify"],
        ["show", "x"],
        ["export", "x.csv"],
        ["seal"],
        ["prune", "--older-than", "1d"],
        ["key", "create"],
        ["key", "status"],
    ],
    ids=" ".join,
)
def test_history_in_a_folder_that_is_none(
    evict: Shell, action: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing found is not the same as nothing there: a history that can't be read is no sound one."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVICT_DATA_DIR", str(tmp_path / "file"))
    done = evict("history", *action)
    assert (done.code, done.out) == (2, "")
    assert str(tmp_path / "file") in done.err
    assert "EVICT_DATA_DIR" in done.err or action[0] == "key"


def test_wrong_times(evict: Shell) -> None:
    done = evict("history", "list", "--since", "whenever")
    assert done.code == 2
    assert "--since" in done.err


def data(evict: Shell) -> Path:
    """The folder of the history."""
    folder = Path(evict("config", "show").out.split("data_dir", 1)[1].split()[0]) / "demo.okta.test"
    assert folder.is_dir()
    return folder


# Filters as they are typed


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["case:INC-1 outcome:revoked since:2026-11-23"], 3),
        (["case:INC-1", "outcome:revoked"], 3),
        (["case:INC-1", "--outcome", "failed"], 0),
        (["outcome:failed"], 0),
        (["theft"], 3),
        (["zzzz"], 0),
        (["since:2026-11-23", "--limit", "2"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters_are_typed_as_on_the_screen(revoked: Shell, words: list[str], number: int) -> None:
    assert len(revoked("history", "list", *words, "--json").records) == number


def test_a_filter_that_can_not_be_is_told_with_what_to_write(revoked: Shell) -> None:
    for words in ("outcome:gone", "since:whenever"):
        done = revoked("history", "list", words)
        assert (done.code, done.out) == (2, "")
        assert words.partition(":")[2] in done.err


# Related


def test_show_names_what_is_related(revoked: Shell) -> None:
    one = revoked("history", "list", "--case", "INC-1", "--json").records[0]
    revoked("revoke", one["user_id"], "--case", "INC-9", "--yes")
    (again,) = revoked("history", "list", "--case", "INC-9", "--json").records
    shown = json.loads(revoked("history", "show", one["id"], "--json").out)
    assert shown["related"]["same_user"] == [again["id"]]
    assert len(shown["related"]["same_case"]) == 2
    lines = revoked("history", "show", one["id"]).out.splitlines()
    assert [line.split()[:3] for line in lines if line.startswith("same user")] == [["same", "user", again["id"]]]
    assert len([line for line in lines if line.startswith("same case")]) == 2


# Exports


def test_an_export_by_a_typed_filter(revoked: Shell, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    done = revoked("history", "export", str(path), "case:INC-1", "--json")
    assert done.records == [{"type": "summary", "file": str(path), "records": 3, "seal": None}]
    rows = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    assert {row["case"] for row in rows} == {"INC-1"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_report_says_what_was_asked_and_found_and_names_the_seal(revoked: Shell, tmp_path: Path) -> None:
    path = tmp_path / "inc-1.md"
    done = revoked("history", "export", str(path), "case:INC-1", "--outcome", "revoked", "--seal")
    assert done.code == 0
    report = path.read_text()
    assert "# Okta sessions revoked: `INC-1`" in report
    assert "Asked for: `case:INC-1 outcome:revoked`" in report
    assert "was **sound** when this report was made: 5 records" in report
    hash_ = report.split("history verify --seal ")[1].split()[0]
    assert hash_ in done.err
    assert revoked("history", "verify", "--seal", hash_).code == 0
    for one in revoked("history", "list", "--case", "INC-1", "--json").records:
        assert one["user_id"] in report


def test_no_seal_is_made_for_an_export_that_can_not_be(revoked: Shell, tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("theirs")
    before = sorted(data(revoked).iterdir())
    assert revoked("history", "export", str(path), "--seal").code == 2
    assert revoked("history", "export", str(tmp_path / "x.doc"), "--seal").code == 2
    assert sorted(data(revoked).iterdir()) == before
    assert path.read_text() == "theirs"


@pytest.mark.parametrize("name", ["folder.csv", "link.csv"])
def test_an_export_says_what_is_in_the_way(revoked: Shell, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    done = revoked("history", "export", str(tmp_path / name), "--replace")
    assert done.code == 2
    assert f"cannot write {tmp_path / name}: it is a" in done.err


def test_text_of_records_never_reaches_the_terminal_as_a_command(evict: Shell, tmp_path: Path) -> None:
    evict("history", "list")
    evict("revoke", *evict.ids(1), "--yes")
    many = [record(f"u{n}", user={"id": f"00u{n:0>17}", "login": text, "name": text, "status": "ACTIVE"},
                   outcome="failed", attempts=[{"at": AT, "error": text, "request_id": text}])
            for n, text in enumerate(HOSTILE)]  # fmt: skip
    make(data(evict), "01A", many, batches=[batch(case=HOSTILE[4], reason=HOSTILE[6])])
    for argv in (["list"], ["list", "--json"], ["show", "R-u5"], ["show", "R-u5", "--json"], ["verify"]):
        done = evict("history", *argv)
        assert done.code == 0, argv
        assert (done.out + done.err).replace("\n", "").isprintable(), argv
    for suffix in ("csv", "jsonl", "md"):
        path = tmp_path / f"x.{suffix}"
        assert evict("history", "export", str(path)).code == 0
        assert path.read_bytes().decode().replace("\r\n", "").replace("\n", "").isprintable()


AT = timestamp(datetime(2026, 11, 23, 3, tzinfo=UTC))


# Seals


def test_seal_prints_a_hash_that_proves_what_was_there(revoked: Shell) -> None:
    done = revoked("history", "seal")
    assert done.code == 0
    hash_ = done.out.strip()
    assert len(hash_) == 64
    assert f"evict history verify --seal {hash_}" in done.err
    assert "Keep this hash" in done.err
    revoked("revoke", *revoked.ids(6)[5:], "--yes")
    held = revoked("history", "verify", "--seal", hash_)
    assert held.code == 0
    assert "seal: holds, made at" in held.out
    assert revoked("history", "verify", "--seal", hash_.upper() + " ").code == 0
    (fact,) = revoked("history", "verify", "--seal", hash_, "--json").of("seal")
    assert (fact["holds"], fact["hash"]) == (True, hash_)
    for path in sorted(data(revoked).glob("*.jsonl"))[:1]:
        path.unlink()
    broken = revoked("history", "verify", "--seal", hash_)
    assert broken.code == 1
    assert "seal: DOES NOT HOLD" in broken.out


def test_seal_in_json(revoked: Shell) -> None:
    (fact,) = revoked("history", "seal", "--json").of("seal")
    assert (len(fact["hash"]), fact["records"], fact["state"]) == (64, 5, "sound")
    assert fact["at"].endswith("Z")


def test_a_seal_that_is_none(revoked: Shell) -> None:
    done = revoked("history", "verify", "--seal", "abc")
    assert (done.code, done.out) == (2, "")
    assert "64 hexadecimal digits" in done.err
    assert revoked("history", "verify", "--seal", "f" * 64).code == 1


def test_a_history_that_is_not_sound_is_sealed_and_said(revoked: Shell) -> None:
    segment = min(data(revoked).glob("*.jsonl"))
    segment.write_text(segment.read_text().replace("token theft", "token_theft", 1))
    done = revoked("history", "seal")
    assert (done.code, len(done.out.strip())) == (1, 64)
    assert f"CAUTION: {segment.name}: line 2 was altered" in done.err


@pytest.mark.parametrize(
    "argv", [["seal"], ["prune", "--older-than", "0s", "--yes"], ["key", "create"], ["export", "x.md", "--seal"]],
    ids=" ".join,
)  # fmt: skip
def test_read_only_writes_nothing(revoked: Shell, argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data(revoked)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    done = revoked("history", *argv)
    assert (done.code, done.out) == (2, "")
    assert "read_only is on" in done.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert revoked("history", "verify").code == 0
    assert revoked("history", "prune", "--older-than", "1d", "--dry-run").code == 0


def test_verify_in_json_names_every_segment(revoked: Shell) -> None:
    done = revoked("history", "verify", "--json")
    assert (done.code, done.summary["state"], done.summary["records"]) == (0, "sound", 5)
    assert len(done.of("segment")) == done.summary["segments"]
    assert {"name", "lines", "head", "first_bad", "sound_to", "damage"} <= done.of("segment")[0].keys()
    segment = min(data(revoked).glob("*.jsonl"))
    segment.write_bytes(b"".join(line for n, line in enumerate(lines_of(segment)) if n != 2))
    done = revoked("history", "verify", "--json")
    (bad,) = [each for each in done.of("segment") if each["state"] == "damaged"]
    assert (done.code, bad["damage"], bad["first_bad"], bad["sound_to"]) == (1, "cut", 3, 2)


def test_what_a_newer_version_wrote_is_not_checked(revoked: Shell) -> None:
    from console.history.chain import encode

    raw, _ = encode(1, "0" * 64, "segments", 1, document={"format": 9})
    path = data(revoked) / "history-01ZZ.jsonl"
    path.write_bytes(raw)
    path.chmod(0o600)
    done = revoked("history", "verify")
    assert done.code == 1
    assert "not checked: history-01ZZ.jsonl" in done.out
    assert done.out.splitlines()[-1].startswith("NOT CHECKED IN FULL")


# Pruning


@pytest.fixture
def old(revoked: Shell) -> Shell:
    """With three records of 2020 besides, in a segment of their own."""
    day = "2020-01-01T00:00:00.000Z"
    make(data(revoked), "01A", [record(f"old{n}", at=day) for n in range(3)], batches=[batch(at=day)], days=-2500)
    return revoked


def test_prune_asks_for_the_number_and_says_what_goes(old: Shell) -> None:
    done = old("history", "prune", "--older-than", "400d", answer="3")
    assert done.code == 0
    assert "history-01A.jsonl" in done.out
    assert "Type the number of records (3)" in done.err
    assert "3 records in 1 segment removed" in done.err
    assert len(old("history", "list", "--json").records) == 5
    verified = old("history", "verify")
    assert verified.code == 0
    assert "pruned: history-01A.jsonl, 3 records, at" in verified.out
    assert old("history", "prune", "--older-than", "400d").code == 0, "nothing is left to do"


@pytest.mark.parametrize("answer", ["", "y", "4", "yes"])
def test_anything_but_the_number_removes_nothing(old: Shell, answer: str) -> None:
    before = sorted(data(old).iterdir())
    done = old("history", "prune", "--older-than", "400d", answer=answer)
    assert done.code == 1
    assert "nothing was removed" in done.err
    assert sorted(data(old).iterdir()) == before


def test_prune_where_nobody_is_there(old: Shell) -> None:
    before = sorted(data(old).iterdir())
    done = old("history", "prune", "--older-than", "400d")
    assert done.code == 2
    assert "--yes" in done.err
    looked = old("history", "prune", "--older-than", "400d", "--dry-run", "--json")
    assert looked.code == 0
    assert (looked.summary["records"], looked.summary["removed"]) == (3, 0)
    assert [each["segment"] for each in looked.of("segment")] == ["history-01A.jsonl"]
    assert sorted(data(old).iterdir()) == before
    assert old("history", "prune", "--older-than", "400d", "--yes", "--json").summary["removed"] == 1


@pytest.mark.parametrize("when", ["soon", "2999-01-01", "99999999w", ""])
def test_prune_needs_a_time_that_is_over(old: Shell, when: str) -> None:
    done = old("history", "prune", "--older-than", when, "--yes")
    assert (done.code, done.out) == (2, "")
    assert "--older-than" in done.err
    assert (data(old) / "history-01A.jsonl").exists()


# Keys


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as ours:
        yield ours


def test_a_key_is_made_and_segments_carry_it_from_then_on(revoked: Shell, ring: MemoryKeyring) -> None:
    done = revoked("history", "key", "create")
    assert done.code == 0
    (secret,) = ring.held.values()
    key_id = done.out.split()[1]
    revoked("revoke", *revoked.ids(7)[5:], "--yes")
    newest = max(data(revoked).glob("*.jsonl"))
    assert (header_in(lines_of(newest)[0]) or {})["key_id"] == key_id
    assert revoked("history", "verify").code == 0
    status = revoked("history", "key", "status")
    assert (status.code, status.out) == (0, f"key {key_id}: at hand; 1 segment, for new segments\n")
    for said in (done, status, revoked("history", "key", "status", "--json"), revoked("history", "verify", "--json")):
        assert secret not in said.out + said.err
    again = revoked("history", "key", "create")
    assert (again.code, len(ring.held)) == (2, 1)
    assert "--replace" in again.err
    assert revoked("history", "key", "create", "--replace", "--json").of("key")[0]["key_id"] != key_id
    assert len(ring.held) == 2


def test_without_the_key_the_history_is_read_and_said_not_to_be_checked(revoked: Shell, ring: MemoryKeyring) -> None:
    revoked("history", "key", "create")
    revoked("revoke", *revoked.ids(7)[5:], "--yes")
    ring.held.clear()
    listed = revoked("history", "list", "--json")
    assert (listed.code, len(listed.records)) == (0, 7)
    verified = revoked("history", "verify")
    assert verified.code == 1
    assert "hashes not checked" in verified.out
    assert revoked("history", "key", "status").code == 1
    done = revoked("revoke", *revoked.ids(8)[7:], "--yes")
    assert done.code == 0
    newest = max(data(revoked).glob("*.jsonl"))
    assert (header_in(lines_of(newest)[0]) or {})["key_id"] is None, "it goes on without, in a segment of its own"


def test_no_key_where_there_is_no_keyring(revoked: Shell) -> None:
    done = revoked("history", "key", "create")
    assert (done.code, done.out) == (2, "")
    assert "no keyring on this machine" in done.err
    assert revoked("history", "key", "status").code == 0
