"""The commands that only look: search, limits, history, config, doctor."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from console.demo.faults import Fault
from console.demo.people import Person
from console.okta.errors import GroupNotFound
from console.revocation.authority import NOBODY
from tests.support.cli import TOKEN, Shell, make_shell


def hostile(evict: Shell) -> Person:
    """A user whose name holds characters that a terminal would obey."""
    return next(one for one in evict.org.users if not one.name.isprintable())


def test_search_prints_a_line_a_user(evict: Shell) -> None:
    me = evict.org.me
    done = evict("search", me.login)
    assert done.code == 0
    assert done.out.split()[:3] == [me.id, me.status, me.login]
    assert "1 user found" in done.err


def test_search_in_json_ends_with_a_summary(evict: Shell) -> None:
    done = evict("search", "group:Contractors", "--json")
    assert done.code == 0
    assert done.summary["users"] == len(done.of("user")) > 1
    assert {"user_id", "login", "email", "name", "status"} <= done.records[0].keys()


def test_search_for_nobody(evict: Shell) -> None:
    assert evict("search", "zzzzzz").code == 0
    assert [evict("search", blank).code for blank in (" ", "=", "group:")] == [2, 2, 2]
    done = evict("search", "group:Nobody")
    assert done.code == 1
    assert done.err == f"evict: no group is named Nobody. {GroupNotFound.advice}\n"


def test_a_bad_expression_is_told_by_okta(evict: Shell) -> None:
    done = evict("search", "=status is ACTIVE")
    assert done.code == 1
    assert "E0000031]. Correct the search expression" in done.err


def test_foreign_text_cannot_reach_the_terminal(evict: Shell) -> None:
    person = hostile(evict)
    for argv in (["search", person.id], ["revoke", person.id, "--dry-run"], ["search", person.id, "--json"]):
        done = evict(*argv)
        assert person.id in done.out
        assert (done.out + done.err).replace("\n", "").isprintable()


def test_search_stops_when_nobody_reads(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    class Closed:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            tries.append("write")
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

        def fileno(self) -> int:
            raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Closed())
        done = evict("search", "group:Everyone")
    assert (done.code, done.out, tries) == (0, "", ["write"])
    assert "internal error" not in done.err


def test_revoking_goes_on_when_nobody_reads(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        encoding = "ascii"

        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

        def fileno(self) -> int:
            raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Closed())
        done = evict("revoke", *evict.ids(30), "--yes", "--json")
    assert done.code == 0
    assert evict.org.revocations == 30


def test_limits(evict: Shell) -> None:
    done = evict("limits", "--json")
    assert done.code == 0
    buckets = {record["bucket"]: record for record in done.of("bucket")}
    assert buckets["users"]["limit"] == 300
    assert buckets["users"]["remaining"] < 300
    assert buckets["users"]["reserve"] == 60
    assert buckets["users"].keys() >= {"resets_in_s", "others", "rate_limited", "sent", "others_per_minute"}
    assert (buckets["users"]["calls"], buckets["users"]["window_s"], buckets["users"]["held"]) == (["search"], 60, 60)
    assert {"user read", "groups", "org"} < buckets.keys()
    table = evict("limits").out.splitlines()
    assert table[0].split()[:4] == ["bucket", "calls", "limit", "remaining"]
    assert table[1].split()[:3] == ["users", "search", "300"]
    assert "left to others" in table[0]


def test_limits_show_what_others_used_and_what_is_left_to_them(evict: Shell) -> None:
    evict.org.others_spend("users", 25)
    done = evict("limits", "--json")
    users = done.of("bucket")[0]
    assert (users["others"], users["reserve"]) == (25, 60)
    assert users["held"] >= 35
    assert users["others_per_minute"] > 0


# Settings and doctor


def test_config_show_masks_the_token(evict: Shell) -> None:
    done = evict("config", "show")
    assert done.code == 0
    assert "https://demo.okta.test" in done.out
    assert "environment EVICT_ORG_URL" in done.out
    assert "********" in done.out


def levels(evict: Shell) -> tuple[int, dict[str, str]]:
    """The exit code of doctor, and what it found of each thing."""
    done = evict("doctor")
    return done.code, {line.split()[1]: line.split()[0] for line in done.out.splitlines()}


def test_doctor_finds_everything_well(evict: Shell) -> None:
    code, found = levels(evict)
    assert code == 0
    assert found.pop("terminal") == "warn"
    assert set(found.values()) == {"ok"}
    assert found.keys() >= {"settings", "data", "org", "clock", "credential", "users", "sessions", "groups"}
    assert evict.org.revocations == 0


def test_doctor_without_settings(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVICT_TOKEN")
    monkeypatch.delenv("EVICT_ORG_URL")
    done = evict("doctor")
    assert done.code == 2
    failed = [line for line in done.out.splitlines() if line.startswith("fail")]
    assert ["EVICT_ORG_URL" in failed[0], "EVICT_TOKEN" in failed[1]] == [True, True], "all that is missing, at once"


def test_doctor_and_a_bad_token(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_TOKEN", TOKEN[:-1])
    code, found = levels(evict)
    assert (code, found["org"], found["credential"]) == (3, "ok", "fail")


def test_doctor_and_an_unreachable_org(evict: Shell) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    evict.transport = httpx.MockTransport(refuse)
    code, found = levels(evict)
    assert (code, found["org"]) == (1, "fail")


def test_doctor_and_a_wrong_clock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = levels(make_shell(monkeypatch, capsys, skew_s=-90))
    assert (code, found["clock"]) == (0, "warn")


def test_doctor_and_missing_permissions(evict: Shell) -> None:
    evict.org.faults.queue(Fault(403, "E0000006"), route="users")
    evict.org.faults.queue(Fault(403, "E0000006"), route="groups")
    code, found = levels(evict)
    assert (code, found["users"], found["groups"]) == (1, "fail", "warn")


def test_doctor_and_a_token_that_may_look_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evict = make_shell(monkeypatch, capsys, scopes=["okta.users.read", "okta.groups.read"])
    code, found = levels(evict)
    assert (code, found["users"], found["sessions"], found["groups"]) == (3, "ok", "fail", "ok")
    assert "okta.users.manage" in evict("doctor").out


def test_doctor_and_a_role_that_may_not_end_sessions(evict: Shell) -> None:
    evict.org.faults.queue(Fault(403, "E0000006"), route="revoke")
    code, found = levels(evict)
    assert (code, found["sessions"]) == (0, "warn")


@pytest.mark.parametrize(
    ("role", "code", "found"),
    [
        ("help-desk", 0, {"users": "ok", "sessions": "ok", "groups": "ok", "System": "warn"}),
        ("read-only", 0, {"users": "ok", "sessions": "warn", "groups": "ok", "System": "ok"}),
        ("report", 1, {"users": "fail", "sessions": "warn", "groups": "warn", "System": "ok"}),
        ("custom", 0, {"users": "ok", "sessions": "ok", "groups": "warn", "System": "warn"}),
    ],
)
def test_doctor_says_what_each_role_may(
    role: str, code: int, found: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done, told = levels(make_shell(monkeypatch, capsys, role=role))
    assert (done, {what: told[what] for what in found}) == (code, found)


def test_doctor_ends_nobodys_sessions(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even of a user whom somebody gave the ID that is nobody's; and read-only it does not ask to."""
    seen: list[str] = []

    class Noting(httpx.AsyncBaseTransport):
        inner = evict.transport

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(f"{request.method} {request.url.path}")
            if request.method == "GET" and NOBODY in request.url.path and taken:
                return httpx.Response(200, json={"id": NOBODY, "profile": {"login": "taken@acme.test"}})
            return await self.inner.handle_async_request(request)

    evict.transport, taken = Noting(), False
    assert evict("doctor").code == 0
    assert [call for call in seen if not call.startswith("GET")] == [f"DELETE /api/v1/users/{NOBODY}/sessions"]
    assert evict.org.revocations == 0
    seen.clear()
    taken = True
    assert levels(evict)[1]["sessions"] == "warn"
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    taken = False
    code, found = levels(evict)
    assert (code, "sessions" in found) == (0, False)
    assert all(call.startswith("GET") for call in seen)


def test_doctor_and_a_protected_group_that_is_none(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_PROTECTED_GROUPS", "Brake Glass")
    code, found = levels(evict)
    assert (code, found["groups"]) == (2, "fail")


def test_doctor_and_a_data_folder_that_is_none(evict: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVICT_DATA_DIR", str(tmp_path / "file"))
    code, found = levels(evict)
    assert (code, found["data"]) == (2, "fail")
