"""`evict revoke`: every target accounted for, the exit codes, and who is asked."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.cli.interrupts import SIGNALS, usual_interrupt
from console.demo.faults import NO_RATE_HEADERS, PROXY_429, Fault, Latency
from console.history.store import History
from console.okta.client import OktaClient
from console.revocation.events import ItemsChanged, Paused
from console.revocation.states import State
from console.workspace import Workspace
from tests.support.cli import TOKEN, Done, Shell, make_shell

OUTCOMES = ("revoked", "not_found", "denied", "failed", "unknown", "cancelled")
USER_LINE = {
    *("type", "user_id", "login", "outcome", "status", "error_code", "request_id", "attempts"),
    *("oauth_tokens", "forget_devices", "case"),
}


def counts(done: Done) -> dict[str, int]:
    """The counts of the summary that are not zero."""
    names = (*OUTCOMES, "queued", "unresolved", "unsent", "refused", "duplicates", "planned")
    return {name: done.summary[name] for name in names if done.summary[name]}


@pytest.fixture
def ids_file(evict: Shell, tmp_path: Path) -> Path:
    path = tmp_path / "ids.txt"
    path.write_text("\n".join(evict.ids(120)) + "\n")
    return path


def test_a_file_of_users_is_revoked_and_told(evict: Shell, ids_file: Path) -> None:
    done = evict("revoke", "--from-file", str(ids_file), "--oauth-tokens", "--case", "INC-1", "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": 120})
    assert set(OUTCOMES) <= done.summary.keys()
    assert done.summary["rate_limited"] == 0
    assert done.summary["elapsed_s"] >= 0
    lines = done.of("revocation")
    assert sorted(line["user_id"] for line in lines) == sorted(evict.ids(120))
    assert all(line.keys() >= USER_LINE for line in lines)
    assert {(line["status"], line["attempts"], line["oauth_tokens"], line["forget_devices"]) for line in lines} == {
        (204, 1, True, False)
    }
    assert all(line["request_id"] and line["case"] == "INC-1" for line in lines)
    assert {line["batch_id"] for line in lines} == {done.summary["batch_id"]}
    assert not any(evict.org.sessions_of(id_) + evict.org.tokens_of(id_) for id_ in evict.ids(120))


def test_options_of_the_settings_hold_unless_said_otherwise(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_OAUTH_TOKENS", "yes")
    one, other = evict.ids(2)
    assert evict("revoke", one, "--yes", "--json").of("revocation")[0]["oauth_tokens"] is True
    assert evict("revoke", other, "--no-oauth-tokens", "--forget-devices", "--yes").code == 0
    assert not evict.org.tokens_of(one)
    assert evict.org.tokens_of(other)
    assert not evict.org.remembered_of(other)


def test_sending_does_not_wait_for_the_last_look_up(monkeypatch: Any, capsys: Any) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"user read": 20})
    seen: list[str] = []

    class Noting(httpx.AsyncBaseTransport):
        inner = evict.transport

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.method if request.url.path.count("/") > 3 else "")
            return await self.inner.handle_async_request(request)

    evict.transport = Noting()
    done = evict("revoke", *evict.ids(40), "--yes", "--json")
    assert counts(done) == {"revoked": 40}
    assert seen.index("DELETE") < len(seen) - 1 - seen[::-1].index("GET")
    assert done.summary["rate_limited"] == 0


def test_what_cannot_be_revoked_is_told_and_counts(evict: Shell) -> None:
    own, good = evict.org.me, evict.ids(1)[0]
    login = next(one.login for one in evict.org.users if one.id == good)
    done = evict("revoke", own.id, good, login.upper(), login, "nobody@acme.test", "10.0.0.1", "--yes", "--json")
    assert (done.code, counts(done)) == (1, {"revoked": 1, "unresolved": 2, "refused": 1, "duplicates": 2})
    assert {line["target"] for line in done.of("unresolved")} == {"nobody@acme.test", "10.0.0.1"}
    assert all(line["why"] for line in done.of("unresolved"))
    (refused,) = done.of("refused")
    assert (refused["user_id"], refused["why"]) == (own.id, "is your own account")
    assert evict.org.sessions_of(own.id)


def test_protected_accounts_are_refused(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = next(one for one in evict.org.users if one.kind == "break glass")
    monkeypatch.setenv("EVICT_PROTECTED_GROUPS", "Break Glass")
    done = evict("revoke", guarded.id, "--yes")
    assert done.code == 1
    assert "Break Glass" in done.out
    assert evict.org.revocations == 0


def test_a_protected_group_that_is_not_known_stops_what_nobody_confirms(
    evict: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVICT_PROTECTED_GROUPS", "Brake Glass")
    done = evict("revoke", evict.ids(1)[0], "--yes", "--json")
    assert done.code == 2
    assert "Brake Glass" in done.err
    assert counts(done) == {"unsent": 1}
    assert evict.org.revocations == 0


def test_dry_run_sends_nothing_and_keeps_no_record(evict: Shell, ids_file: Path) -> None:
    done = evict("revoke", "--from-file", str(ids_file), "--dry-run", "--json")
    assert (done.code, counts(done)) == (0, {"planned": 120})
    assert done.summary["dry_run"] is True
    assert len(done.of("planned")) == 120
    assert {line["admin"] for line in done.of("planned")} == {False}
    assert evict.org.revocations == 0
    assert evict("history", "list", "--json").records == []


def test_standard_input(evict: Shell) -> None:
    listed = "# leavers\n" + "\n".join(evict.ids(3))
    done = evict("revoke", "--from-file", "-", "--yes", "--json", stdin=listed.encode())
    assert (done.code, counts(done)) == (0, {"revoked": 3})


def test_a_word_that_could_head_a_table_is_a_login_when_typed(evict: Shell) -> None:
    done = evict("revoke", "user", "--yes", "--json")
    assert done.summary["batch_id"] is None, "nobody is in it"
    assert (done.code, [line["target"] for line in done.of("unresolved")]) == (1, ["user"])


# Who is asked


def test_nobody_there_to_confirm(evict: Shell) -> None:
    done = evict("revoke", evict.ids(1)[0])
    assert (done.code, done.out) == (2, "")
    assert "--yes" in done.err
    assert evict.org.revocations == 0


@pytest.mark.parametrize(
    ("users", "answer", "code"), [(2, "y", 0), (2, "", 1), (2, "2", 1), (12, "12", 0), (12, "y", 1), (12, "13", 1)]
)
def test_a_person_is_asked(evict: Shell, users: int, answer: str, code: int) -> None:
    done = evict("revoke", *evict.ids(users), "--case", "INC-7", "--json", answer=answer)
    assert done.code == code
    assert evict.org.revocations == (users if code == 0 else 0)
    assert f"{users} users of https://demo.okta.test" in done.err
    assert "INC-7" in done.err
    if code:
        assert counts(done) == {"unsent": users}
        assert sorted(line["user_id"] for line in done.of("unsent")) == sorted(evict.ids(users))
        assert "nothing was sent" in done.err


def test_the_review_tells_what_matters(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    service = next(one for one in evict.org.users if one.kind == "service" and one.status == "ACTIVE")
    suspended = next(one for one in evict.org.users if one.status == "SUSPENDED")
    monkeypatch.setenv("EVICT_ADMIN_PATTERNS", "svc-*, mallory.*")
    targets = (
        *evict.ids(1),
        service.login,
        suspended.id,
        "mallory.reyes@acme.test",
        evict.org.me.id,
        "nobody@acme.test",
    )
    done = evict("revoke", *targets, "--oauth-tokens", answer="n")
    for words in (
        "OAuth access",
        "not: remembered factors",
        service.login,
        "1 SUSPENDED",
        "2 admins",
        "refused",
        "unresolved",
    ):
        assert words in done.err, words
    assert "4 requests in 1 window, less than a second" in done.err


# What it takes is told before


def test_only_ids_are_named_and_the_price_is_known_all_the_same(evict: Shell) -> None:
    done = evict("revoke", *evict.ids(2), answer="n")
    assert "takes      2 requests in 1 window, less than a second" in done.err
    assert evict.org.limits.requests["users"] == 1, "one search, as nothing of the bucket was asked before"
    done = evict("revoke", evict.org.users[5].login, "--dry-run")
    assert "takes 1 request in 1 window" in done.err
    assert evict.org.limits.requests["users"] == 2, "the look-up of a login told the limit: nothing more is asked"


def test_a_dry_run_tells_what_it_would_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"users": 40})
    done = evict("revoke", *evict.ids(120), "--dry-run", "--json")
    assert (done.summary["requests"], done.summary["windows"]) == (120, 4)
    assert 180 < done.summary["expected_s"] < 240
    assert "done by 03:0" in done.err


def test_a_limit_that_is_not_told_stops_no_review(evict: Shell) -> None:
    evict.org.faults.rates = {"users": ((1.0, Fault(403, "E0000006", headers=NO_RATE_HEADERS)),)}
    done = evict("revoke", *evict.ids(2), answer="y")
    assert "2 requests; the limit is not known yet" in done.err
    assert (done.code, evict.org.revocations) == (0, 2)
    done = evict("revoke", *evict.ids(2), "--dry-run", "--json")
    assert done.code == 0
    assert (done.summary["requests"], done.summary["windows"], done.summary["expected_s"]) == (2, None, None)


@pytest.mark.parametrize(
    ("argv", "setting", "pace"),
    [((), None, "sprint"), ((), "spread", "spread"), (("--pace", "sprint"), "spread", "sprint")],
    ids=["default", "setting", "option"],
)
def test_the_pace_is_the_option_or_the_setting(
    evict: Shell, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], setting: str | None, pace: str
) -> None:
    if setting:
        monkeypatch.setenv("EVICT_PACE", setting)
    assert evict("revoke", evict.ids(1)[0], "--yes", *argv).code == 0
    assert evict.workspaces[0].pacer.pace == pace


@pytest.mark.parametrize(("pace", "least", "most"), [("sprint", 0, 5), ("spread", 30, 60)])
def test_a_pace_is_kept_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pace: str, least: float, most: float
) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"users": 50})
    done = evict("revoke", *evict.ids(30), "--yes", "--json", "--pace", pace)
    assert least <= done.summary["elapsed_s"] < most


def test_no_such_pace(evict: Shell) -> None:
    done = evict("revoke", evict.ids(1)[0], "--yes", "--pace", "fast")
    assert done.code == 2
    assert "sprint" in done.err


# What goes wrong


def test_bad_token(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_TOKEN", "00another-token")
    done = evict("revoke", evict.ids(1)[0], "--yes", "--json")
    assert done.code == 3
    assert "E0000011" in done.err
    assert counts(done) == {"unsent": 1}


def test_unreachable_org(evict: Shell) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    evict.transport = httpx.MockTransport(refuse)
    done = evict("revoke", evict.ids(1)[0], "--yes")
    assert (done.code, done.out) == (1, "")
    assert "Cannot reach" in done.err


def test_no_settings(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVICT_ORG_URL")
    assert evict("revoke", "x", "--yes").code == 2
    monkeypatch.setenv("EVICT_ORG_URL", "http://example.okta.com")
    done = evict("revoke", "x", "--yes")
    assert done.code == 2
    assert "https://" in done.err


def test_read_only(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    assert evict("revoke", evict.ids(1)[0], "--yes").code == 2
    assert not evict.workspaces, "refused before anything is opened"
    assert evict("revoke", evict.ids(1)[0], "--dry-run").code == 0


def test_files_that_are_none(evict: Shell, tmp_path: Path) -> None:
    binary = tmp_path / "targets.xlsx"
    binary.write_bytes(b"PK\x03\x04\x00\x00\x00\xff\xfe\x00" * 20)
    for path in (binary, tmp_path / "missing.txt", tmp_path):
        done = evict("revoke", "--from-file", str(path), "--yes")
        assert (done.code, done.out) == (2, ""), path
        assert path.name in done.err


def test_nothing_to_do(evict: Shell, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n\n")
    assert evict("revoke", "--from-file", str(empty), "--yes").code == 0
    assert evict("revoke", "--yes").code == 2
    assert evict("revoke", "", "--yes").code == 2


def test_data_folder_that_cannot_be_used(evict: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVICT_DATA_DIR", str(tmp_path / "file"))
    done = evict("revoke", evict.ids(1)[0], "--yes")
    assert done.code == 2
    assert str(tmp_path / "file") in done.err
    assert evict.org.revocations == 0


def test_a_mistake_of_ours_shows_its_type_and_no_values(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: OktaClient) -> None:
        raise ZeroDivisionError(TOKEN)

    monkeypatch.setattr(OktaClient, "org_info", broken)
    done = evict("limits")
    assert done.code == 1
    assert "internal error: ZeroDivisionError at console/" in done.err
    assert "evict doctor" in done.err
    logged = (evict.workspaces[0].settings.data_dir / "evict.log").read_text()
    assert "ZeroDivisionError: ********" in logged
    assert "Traceback" in logged


# A drain that stops


def test_an_outage_stops_and_leaves_the_rest_queued(evict: Shell) -> None:
    evict.org.faults.rates = {"revoke": ((1.0, Fault(503)),)}
    done = evict("revoke", *evict.ids(40), "--yes", "--json")
    found = counts(done)
    assert done.code == 1
    assert found.keys() <= {"failed", "queued", "unsent"}
    assert found["failed"] >= 10
    assert sum(found.values()) == 40
    assert found["queued"]
    assert "in a row failed" in done.err
    assert {line["outcome"] for line in done.of("revocation")} == {"failed", "queued"}


def test_a_credential_that_dies_midway_stops_with_its_own_code(evict: Shell) -> None:
    def die(workspace: Workspace) -> None:
        def watch(event: object) -> None:
            if isinstance(event, ItemsChanged) and any(item.state is State.REVOKED for item in event.items):
                evict.org.token_revoked = True

        workspace.events.subscribe(watch)

    evict.on_open = die
    done = evict("revoke", *evict.ids(60), "--yes", "--json")
    found = counts(done)
    assert done.code == 3
    assert sum(found.values()) == 60
    assert found["revoked"] >= 1
    assert found.keys() <= {"revoked", "queued", "unsent"}
    assert evict.org.revocations == found["revoked"]
    evict.org.token_revoked = False
    listed = evict("history", "list", "--json").records
    assert sum(record["outcome"] == "queued" for record in listed) == found.get("queued", 0)


def test_a_token_that_may_look_only_stops_with_the_code_of_a_refusal(monkeypatch: Any, capsys: Any) -> None:
    evict = make_shell(monkeypatch, capsys, scopes=["okta.users.read"])
    done = evict("revoke", *evict.ids(5), "--yes", "--json")
    assert done.code == 3
    assert "okta.users.manage" in done.err
    assert evict.org.revocations == 0
    assert sum(counts(done).values()) == 5


def test_429s_are_counted_and_cost_nobody(evict: Shell) -> None:
    evict.org.faults.queue(None, PROXY_429, None, PROXY_429)
    done = evict("revoke", *evict.ids(20), "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": 20})
    assert done.summary["rate_limited"] == 2
    assert {line["attempts"] for line in done.of("revocation")} == {1}, "a 429 is not an attempt"


def test_nothing_is_sent_without_a_record(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    real = History.attempt

    async def full(self: History, record_id: str, attempt: Any) -> None:
        if evict.org.revocations >= 3:
            raise OSError(28, "No space left on device")
        await real(self, record_id, attempt)

    monkeypatch.setattr(History, "attempt", full)
    done = evict("revoke", *evict.ids(30), "--yes", "--json")
    assert done.code == 2
    assert "No space left" in done.err
    assert evict.org.revocations == counts(done)["revoked"] < 30
    assert sum(counts(done).values()) == 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_and_says_what_was_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"users": 20})
    evict.on_open = when_revoked(5, lambda: signal.raise_signal(number))
    done = evict("revoke", *evict.ids(40), "--yes", "--json")
    found = counts(done)
    assert done.code == 130
    assert 5 <= found["revoked"] < 40
    assert evict.org.revocations == found["revoked"]
    assert sum(found.values()) == 40
    assert found.keys() <= {"revoked", "queued", "unsent"}
    assert f"{found['queued']} users not sent yet" in done.err
    assert f"evict resume {done.summary['batch_id']}" in done.err


def test_a_signal_stops_sending_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Look-ups that are cut give their slots back, and no revocation may take one of those."""
    evict = make_shell(monkeypatch, capsys, latency=Latency(median_s=0.3))
    after: list[str] = []

    def on_open(workspace: Workspace) -> None:
        def watch(event: object) -> None:
            if isinstance(event, Paused):
                after.append("paused")
            elif after and isinstance(event, ItemsChanged):
                after.extend(item.state.value for item in event.items if item.state is State.SENDING)

        workspace.events.subscribe(watch)
        when_revoked(10, lambda: signal.raise_signal(signal.SIGINT))(workspace)

    evict.on_open = on_open
    assert evict("revoke", *evict.ids(120), "--yes").code == 130
    assert after == ["paused"]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_question_too(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with usual_interrupt(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def when_revoked(number: int, then: Callable[[], None]) -> Callable[[Workspace], None]:
    """Call `then` once, when `number` users have been revoked."""

    def on_open(workspace: Workspace) -> None:
        revoked: set[str] = set()

        def watch(event: object) -> None:
            if isinstance(event, ItemsChanged) and len(revoked) < number:
                revoked.update(item.id for item in event.items if item.state is State.REVOKED)
                if len(revoked) >= number:
                    then()

        workspace.events.subscribe(watch)

    return on_open
