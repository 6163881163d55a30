"""A plan: kept whole in a file, refused where it was altered, and held against who runs what."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.history.records import OperatorRecord
from console.okta.models import OrgInfo, Profile, User
from console.revocation.plan import OpenedPlan, checksum, same_person
from console.revocation.plan_check import refuse_other_org
from console.revocation.plan_file import PlanFileError, read_plan, write_plan
from console.revocation.states import Item, Options
from tests.support.fake_org import user
from tests.support.hostile import HOSTILE
from tests.support.plans import CLOCK, RILEY, URL, a_plan, spoil


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    write_plan(path, a_plan())
    return path


def test_a_plan_is_read_as_it_was_written_and_by_its_owner_alone(file: Path) -> None:
    assert read_plan(file) == a_plan()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    plan = read_plan(file)
    assert (plan.counts.users, plan.counts.refused, plan.counts.unresolved) == (3, 1, 1)
    assert plan.options() == [(Options(), 2), (Options(oauth_tokens=True), 1)]
    assert plan.record.principal == "riley@acme.test"
    assert plan.age_s(CLOCK.now() + timedelta(hours=3)) == 3 * 3600
    assert plan.age_s(CLOCK.now() - timedelta(hours=3)) == 0


def test_a_file_that_is_there_is_kept_unless_told(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_plan(file, a_plan(why=("INC-1", "")))
    assert file.read_bytes() == before
    write_plan(file, a_plan(why=("INC-1", "")), replace=True)
    assert read_plan(file).case == "INC-1"


def test_how_it_is_laid_out_is_no_change(file: Path) -> None:
    content = json.loads(file.read_text())
    file.write_text(json.dumps(dict(reversed(content.items())), indent=8))
    assert read_plan(file) == a_plan()


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["users"].pop(),
        lambda plan: plan["users"][0].update(id=user(7).id),
        lambda plan: plan["users"][0].update(forget_devices=True),
        lambda plan: plan.update(case="INC-1"),
        lambda plan: plan["made_by"].update(principal="eve@acme.test"),
        lambda plan: plan["org"].update(url="https://other.okta.com"),
        lambda plan: plan.pop("sha256"),
    ],
)
def test_whatever_is_altered_is_seen(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    spoil(file, change)
    with pytest.raises(PlanFileError, match="altered"):
        read_plan(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan.update(users=[]), "users"),
        (lambda plan: plan["users"].append(plan["users"][0]), "twice"),
        (lambda plan: plan["users"].pop(), "counts"),
        (lambda plan: plan["users"][0].update(id="../../users/me"), "letters and digits"),
        (lambda plan: plan["users"][0].update(oauth_tokens="yes"), "oauth_tokens"),
        (lambda plan: plan["users"][0].update(reset_password=True), "reset_password"),
        (lambda plan: plan.update(made_at="yesterday"), "made_at"),
        (lambda plan: plan.update(made_at="2026-11-23T03:00:00"), "made_at"),
        (lambda plan: plan.update(users={}), "users"),
    ],
)
def test_what_cannot_be_kept_to_is_refused_though_its_checksum_fits(
    file: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    spoil(file, change, honest=True)
    with pytest.raises(PlanFileError, match=said) as refused:
        read_plan(file)
    assert "make a plan anew" in str(refused.value)


def test_a_newer_plan_asks_for_a_newer_evict(file: Path) -> None:
    spoil(file, lambda plan: plan.update(evict_plan=2, users="in another form"), honest=True)
    with pytest.raises(PlanFileError, match="newer Evict"):
        read_plan(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe{}", b'{"evict_plan": true}', b'{"evict_plan": 0}', b"{}"],
)
def test_what_is_no_plan(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(PlanFileError, match="not a plan"):
        read_plan(file)


def test_a_name_that_stands_twice_hides_nothing(file: Path) -> None:
    file.write_text(file.read_text().replace('"case": "INC-2041"', '"case": "INC-1",\n  "case": "INC-2041"'))
    with pytest.raises(PlanFileError, match="case twice"):
        read_plan(file)


def test_files_that_cannot_be_read(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlanFileError, match="there is no file"):
        read_plan(tmp_path / "missing.json")
    with pytest.raises(PlanFileError, match="not a plain file"):
        read_plan(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(PlanFileError, match="not a plain file"):
        read_plan(pipe)
    monkeypatch.setattr("console.revocation.plan_file.MAX_BYTES", 300)
    with pytest.raises(PlanFileError, match="larger than"):
        read_plan(file)
    with pytest.raises(PlanFileError, match="make several"):
        write_plan(tmp_path / "large.json", a_plan())
    assert not (tmp_path / "large.json").exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_made_safe_and_kept(file: Path, text: str) -> None:
    person = User(id=user(1).id, status="ACTIVE", profile=Profile(login=text, display_name=text))
    written = a_plan([(person, Options())], why=(text, text))
    write_plan(file, written, replace=True)
    assert all(character == "\n" or character.isprintable() for character in file.read_text())
    plan = read_plan(file)
    assert plan == written
    assert plan.users[0].login == person.login
    # What somebody else wrote comes in as safe.
    spoil(file, lambda content: content.update(reason=f"a\x1b[31mb\u202e{text}"), honest=True)
    assert read_plan(file).reason.isprintable()


def test_the_checksum_is_of_all_but_itself() -> None:
    content = a_plan().model_dump(mode="json")
    assert checksum(content) == content["sha256"] == checksum({**content, "sha256": "0"})


# Whose, and where


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (RILEY, "yourself"),
        (RILEY.model_copy(update={"principal": "Riley@ACME.test", "host": "soc-2"}), "yourself"),
        (RILEY.model_copy(update={"principal": ""}), "yourself"),
        (RILEY.model_copy(update={"os_user": "kim"}), "Okta can't tell you"),
        (RILEY.model_copy(update={"principal": "kim@acme.test"}), "this account on this machine"),
        (OperatorRecord(os_user="kim", host="soc-1", principal="kim@acme.test"), ""),
        (OperatorRecord(os_user="kim", host="soc-2"), ""),
        (OperatorRecord(os_user="riley", host="soc-2", principal="kim@acme.test"), ""),
    ],
)
def test_whether_four_eyes_have_seen_it(operator: OperatorRecord, said: str) -> None:
    told = same_person(a_plan().record, operator)
    assert said in told
    assert bool(told) is bool(said)


def test_only_the_org_that_it_was_made_for() -> None:
    plan = a_plan()
    refuse_other_org(plan, url=URL, org=OrgInfo(id="00o1"))
    refuse_other_org(plan, url=URL, org=None)
    refuse_other_org(a_plan(org=(URL, "")), url=URL, org=OrgInfo(id="00o2"))
    with pytest.raises(PlanFileError, match="--profile"):
        refuse_other_org(plan, url="https://example.oktapreview.com", org=OrgInfo(id="00o1"))
    with pytest.raises(PlanFileError, match="00o2"):
        refuse_other_org(plan, url=URL, org=OrgInfo(id="00o2"))


# What is run in its name


def test_a_part_of_a_plan_is_the_plan_and_more_than_it_is_not() -> None:
    plan = a_plan()
    opened = OpenedPlan.of(plan)
    people = {one.id: one.options for one in plan.users}
    items = [Item(id=f"r{number}", user=user(number), options=people[user(number).id]) for number in range(3)]
    because = {"case": plan.case, "reason": plan.reason}
    assert opened.departures(items, **because) == ()
    assert opened.departures(items[:1], **because) == ()
    assert opened.concerns(items)
    stranger = Item(id="r9", user=user(9), options=Options())
    assert not opened.concerns([stranger])
    other = replace(items[0], options=Options(forget_devices=True))
    said = opened.departures([other, *items[1:], stranger], case="INC-1", reason="")
    assert said == (
        "1 user is not in the plan.",
        "For 1 user something else is revoked than was planned.",
        "The case is another than the plan's, which is INC-2041.",
        "The reason is another than the plan's, which is token theft.",
    )
