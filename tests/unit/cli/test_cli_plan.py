"""`evict plan` and `evict revoke --plan`: what one operator looked up is run by another, and what changed is told."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.history.store import History, HistoryUnavailable
from console.revocation.plan_file import read_plan
from console.workspace import Workspace
from tests.support.cli import Done, Shell, make_shell
from tests.support.plans import spoil
from tests.unit.cli.test_cli_revoke import counts, when_revoked


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inc-7.json"


def plan(evict: Shell, file: Path, *more: str, users: int = 3) -> Done:
    why = ("--case", "INC-7", "--reason", "token theft")
    return evict("plan", *evict.ids(users), *more, "--oauth-tokens", *why, "--output", str(file))


def somebody(workspace: Workspace) -> None:
    """Another operator than the planner."""
    workspace.operator = workspace.operator.model_copy(update={"os_user": "kim", "host": "soc-2"})


def lose(file: Path, user_id: str) -> None:
    """That user of the plan is none of the org's any more."""

    def change(content: dict[str, Any]) -> None:
        next(user for user in content["users"] if user["id"] == user_id)["id"] = "00uDeleted0000000000"

    spoil(file, change, honest=True)


def run(evict: Shell, file: Path, *more: str, **given: Any) -> Done:
    return evict("revoke", "--plan", str(file), *more, **given)


# Making one


def test_a_plan_says_what_would_be_done_and_does_nothing(evict: Shell, file: Path) -> None:
    done = plan(evict, file, "nobody@acme.test", evict.org.me.id, evict.ids(1)[0], "--json", users=12)
    assert (done.code, counts(done)) == (1, {"planned": 12, "unresolved": 1, "refused": 1, "duplicates": 1})
    assert evict.org.revocations == 0
    assert evict("history", "list", "--json").records == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = read_plan(file)
    assert sorted(user.id for user in made.users) == sorted(evict.ids(12))
    assert {(user.oauth_tokens, user.forget_devices, user.status) for user in made.users} == {(True, False, "ACTIVE")}
    assert (made.case, made.reason) == ("INC-7", "token theft")
    assert (made.org.url, made.org.id) == ("https://demo.okta.test", evict.org.id)
    assert made.made_by.principal == evict.org.me.login
    assert [(one.login, one.why) for one in made.refused] == [(evict.org.me.login, "is your own account")]
    assert [one.target for one in made.unresolved] == ["nobody@acme.test"]
    assert (made.cost.requests, made.cost.windows, made.counts.duplicates) == (12, 1, 1)
    (told,) = done.of("plan")
    assert (told["sha256"], told["file"]) == (made.sha256, str(file))


def test_a_plan_is_not_made_over_another_file(evict: Shell, file: Path, tmp_path: Path) -> None:
    file.write_text("notes")
    done = plan(evict, file)
    assert (done.code, file.read_text()) == (2, "notes")
    assert "--replace" in done.err
    assert not evict.workspaces, "nobody was looked up in vain"
    assert plan(evict, file, "--replace").code == 0
    for wrong in (tmp_path, tmp_path / "missing" / "plan.json"):
        assert plan(evict, wrong, "--replace").code == 2
    assert evict("plan", evict.ids(1)[0]).code == 2, "where to?"
    assert evict("plan", "--output", str(tmp_path / "new.json")).code == 2, "whom?"


def test_nobody_to_be_planned_leaves_no_file(evict: Shell, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evict("plan", "nobody@acme.test", "--output", str(file)).code == 1
    monkeypatch.setenv("EVICT_TOKEN", "00another-token")
    done = plan(evict, file, "--json")
    assert (done.code, counts(done)) == (3, {"unsent": 3})
    assert not file.exists()


def test_a_read_only_console_may_plan_and_not_run(evict: Shell, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    assert plan(evict, file).code == 0
    assert run(evict, file, "--dry-run").code == 0
    assert run(evict, file, "--yes").code == 2


def test_show_needs_no_org(evict: Shell, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(evict, file, "nobody@acme.test")
    made = read_plan(file)
    evict.workspaces.clear()
    monkeypatch.delenv("EVICT_ORG_URL")
    done = evict("plan", "--show", str(file))
    assert done.code == 0
    for said in ("plan to revoke 3 users of https://demo.okta.test", made.made_by.principal, "INC-7", "token theft",
                 "OAuth access and refresh tokens", made.sha256, "nobody@acme.test", *evict.ids(3)):  # fmt: skip
        assert said in done.out, said
    done = evict("plan", "--show", str(file), "--json")
    assert [line["type"] for line in done.records] == ["plan", "planned", "planned", "planned", "unresolved"]
    assert done.records[0]["sha256"] == made.sha256
    assert done.records[1]["oauth_tokens"] is True
    assert evict("plan", "--show", str(file), "somebody").code == 2
    assert not evict.workspaces


# Running it


def test_a_colleague_runs_it_and_both_are_in_the_history(evict: Shell, file: Path) -> None:
    plan(evict, file, users=2)
    planner = evict.org.me.login
    evict.on_open = lambda workspace: somebody(workspace)
    done = run(evict, file, "--json", answer="y")
    assert (done.code, counts(done)) == (0, {"revoked": 2})
    made = read_plan(file)
    for said in (f"planned    by {made.made_by.os_user} on {made.made_by.host} ({planner})", made.sha256,
                 "you are    kim on soc-2", "every user is as it was planned", "Okta can't tell you from the planner",
                 "INC-7"):  # fmt: skip
        assert said in done.err, said
    assert not any(evict.org.tokens_of(id_) for id_ in evict.ids(2))
    records = evict("history", "list", "--json").records
    assert {(one["planned"]["sha256"], one["planned"]["os_user"], one["operator"]["os_user"]) for one in records} == {
        (made.sha256, made.made_by.os_user, "kim")
    }
    assert {(one["case"], one["reason"]) for one in records} == {("INC-7", "token theft")}
    shown = evict("history", "show", records[0]["id"])
    assert f"by {made.made_by.os_user} on" in shown.out
    assert evict("history", "list", made.sha256, "--json").records == records
    assert evict("history", "verify").code == 0


def test_whoever_planned_it_is_told_that_nobody_else_has_looked(evict: Shell, file: Path) -> None:
    plan(evict, file)
    done = run(evict, file, answer="n")
    assert done.code == 1
    assert "You planned it yourself" in done.err
    assert evict.org.revocations == 0


def test_what_changed_since_is_told_before_anybody_is_asked(
    evict: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(evict, file, users=13)
    gone, suspended, protected = (one for one in evict.org.users if one.id in evict.ids(3))
    lose(file, gone.id)
    evict.org.change_status(suspended, "SUSPENDED", "user.lifecycle.suspend")
    monkeypatch.setenv("EVICT_PROTECTED_USERS", json.dumps([protected.login]))
    done = run(evict, file, "--json", answer="11")
    assert "1 user gone, 1 protected by now, 1 change" in done.err
    for said in (f"{gone.login} is no user of the org any more", f"{suspended.login} was ACTIVE, is SUSPENDED",
                 f"{protected.login} is protected by the setting", "Type the number of users (11)"):  # fmt: skip
        assert said in done.err, said
    assert (done.code, counts(done)) == (1, {"revoked": 11, "unresolved": 1, "refused": 1})
    assert [line["what"] for line in done.of("changed")] == ["was ACTIVE, is SUSPENDED"]
    assert evict.org.sessions_of(protected.id)


def test_the_one_who_runs_it_is_kept_out_of_it(evict: Shell, file: Path) -> None:
    plan(evict, file)
    made = json.loads(file.read_text())
    spoil(file, lambda content: content["users"][0].update(id=evict.org.me.id, login=evict.org.me.login), honest=True)
    done = run(evict, file, "--yes", "--json")
    assert counts(done) == {"revoked": 2, "refused": 1}
    assert made["users"][0]["id"] != evict.org.me.id
    assert evict.org.sessions_of(evict.org.me.id)


def test_a_dry_run_shows_the_differences_and_no_more(evict: Shell, file: Path) -> None:
    plan(evict, file)
    lose(file, evict.ids(1)[0])
    done = run(evict, file, "--dry-run", "--json")
    assert (done.code, counts(done)) == (1, {"planned": 2, "unresolved": 1})
    assert all(line["oauth_tokens"] for line in done.of("planned"))
    assert "1 user gone" in done.err
    assert evict.org.revocations == 0


def test_options_of_each_user_are_kept(evict: Shell, file: Path) -> None:
    plan(evict, file)
    spoil(file, lambda content: content["users"][0].update(oauth_tokens=False, forget_devices=True), honest=True)
    done = run(evict, file, "--yes", "--json")
    sent = {line["user_id"]: (line["oauth_tokens"], line["forget_devices"]) for line in done.of("revocation")}
    first, second, third = evict.ids(3)
    assert sent == {first: (False, True), second: (True, False), third: (True, False)}
    assert "of 2: every session, OAuth" in done.err
    assert evict.org.tokens_of(first)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--case", "INC-8"), "--case (the plan's is INC-7)"),
        (("--reason", "boredom"), "--reason (the plan's is token theft)"),
        (("--no-oauth-tokens",), "--oauth-tokens or its opposite (other for 3 users)"),
        (("--forget-devices",), "--forget-devices"),
        (("mallory@acme.test",), "leave targets"),
        (("--from-file", "-"), "leave targets"),
    ],
)
def test_what_contradicts_the_plan_is_refused(evict: Shell, file: Path, more: tuple[str, ...], said: str) -> None:
    plan(evict, file)
    evict.workspaces.clear()
    done = run(evict, file, "--yes", *more)
    assert done.code == 2
    assert said in done.err
    assert not evict.workspaces


def test_what_says_the_same_as_the_plan_is_no_contradiction(evict: Shell, file: Path) -> None:
    plan(evict, file)
    assert run(evict, file, "--yes", "--oauth-tokens", "--keep-devices", "--case", "INC-7").code == 0


def altered(content: dict[str, Any]) -> None:
    content["users"].pop()


@pytest.mark.parametrize(
    ("change", "honest", "said"),
    [
        (altered, False, "altered after it was made"),
        (lambda content: content["org"].update(url="https://other.okta.com"), True, "is for https://other.okta.com"),
        (lambda content: content["org"].update(id="00oAnother"), True, "make a plan anew"),
        (lambda content: content.update(evict_plan=2), True, "newer Evict"),
    ],
    ids=["altered", "other org", "other org here", "newer"],
)
def test_a_plan_that_is_not_to_be_trusted(
    evict: Shell, file: Path, change: Callable[[dict[str, Any]], object], honest: bool, said: str
) -> None:
    plan(evict, file)
    spoil(file, change, honest=honest)
    done = run(evict, file, "--yes")
    assert done.code == 2
    assert said in done.err
    assert evict.org.revocations == 0


def test_nobody_there_to_confirm(evict: Shell, file: Path) -> None:
    plan(evict, file)
    done = run(evict, file)
    assert done.code == 2
    assert "--yes" in done.err


def test_an_old_plan_is_said_to_be_old(evict: Shell, file: Path) -> None:
    plan(evict, file)
    spoil(file, lambda content: content.update(made_at="2026-11-20T03:00:00.000Z"), honest=True)
    done = run(evict, file, answer="n")
    assert "made 3 days ago: the reason for it may be gone" in done.err


def test_nobody_left_of_it(evict: Shell, file: Path) -> None:
    plan(evict, file, users=1)
    lose(file, evict.ids(1)[0])
    done = run(evict, file, "--yes", "--json")
    assert (done.code, counts(done)) == (1, {"unresolved": 1})
    assert "Nobody of the plan is left" in done.err


def test_an_interrupted_plan_is_resumed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                                        file: Path) -> None:  # fmt: skip
    evict = make_shell(monkeypatch, capsys, limits={"users": 20})
    plan(evict, file, users=30)
    evict.on_open = when_revoked(5, lambda: signal.raise_signal(signal.SIGINT))
    done = run(evict, file, "--yes", "--json")
    found = counts(done)
    assert done.code == 130
    assert sum(found.values()) == 30
    assert found.keys() == {"revoked", "queued"}
    evict.on_open = lambda workspace: None
    rest = evict("resume", "--yes", "--json")
    assert (rest.code, counts(rest)) == (0, {"revoked": found["queued"]})
    records = evict("history", "list", "--json").records
    assert {one["planned"]["sha256"] for one in records} == {read_plan(file).sha256}


def test_a_history_that_cannot_be_written_sends_nobody(
    evict: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(evict, file)

    async def full(self: History, records: Any) -> None:
        raise HistoryUnavailable("The disk is full.")

    monkeypatch.setattr(History, "add", full)
    done = run(evict, file, "--yes", "--json")
    assert (done.code, counts(done)) == (2, {"unsent": 3})
    assert "The disk is full" in done.err
    assert evict.org.revocations == 0
