"""Whole commands on the demo org: every request that leaves and every answer that comes fits Okta's own document."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from tests.support.cli import Shell, make_shell
from tests.support.openapi import check_answer, check_request, needs_document

pytestmark = needs_document


class Checked(httpx.AsyncBaseTransport):
    """Holds what passes against the document, and counts it by operation and status."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.passed: Counter[tuple[str, int]] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operation = check_request(request)
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        # A second object to look at: this one goes on to the client, which reads its stream itself.
        seen = httpx.Response(response.status_code, headers=response.headers, content=body, request=request)
        check_answer(seen)
        self.passed[operation, response.status_code] += 1
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(body))


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Shell, Checked]:
    evict = make_shell(monkeypatch, capsys, limits={"users": 40, "user read": 30})
    transport = Checked(evict.transport)
    evict.transport = transport
    return evict, transport


def test_looking(checked: tuple[Shell, Checked], monkeypatch: pytest.MonkeyPatch) -> None:
    evict, transport = checked
    monkeypatch.setenv("EVICT_PROTECTED_GROUPS", "Break Glass, Project [/x] Falcon")
    assert evict("search", "group:Everyone").code == 0
    assert evict("search", 'O\'Brien "x" \\ ä').code == 0
    assert evict("search", '=status eq "LOCKED_OUT"').code == 0
    assert evict("search", "=nonsense").code == 1
    assert evict("search", evict.ids(1)[0]).code == 0
    assert evict("limits").code == 0
    assert evict("doctor").code == 0
    assert {operation for operation, _ in transport.passed} == {
        "getWellknownOrgMetadata", "getUser", "listUsers", "listGroups", "listGroupUsers", "revokeUserSessions",
        "listLogEvents", "listUsersWithRoleAssignments",
    }  # fmt: skip
    assert ("listUsers", 400) in transport.passed


def test_revoking_by_id_login_and_email_over_several_windows(checked: tuple[Shell, Checked]) -> None:
    evict, transport = checked
    known = {one.id: one for one in evict.org.users}
    contractors = [one.email for one in evict.org.users if one.kind == "contractor" and one.status == "ACTIVE"][:5]
    ids = evict.ids(90)
    targets = [*ids[:40], *(known[id_].login for id_ in ids[40:]), *contractors, "nobody@acme.test"]
    done = evict("revoke", *targets, "--oauth-tokens", "--forget-devices", "--yes", "--json")
    assert (done.code, done.summary["revoked"], done.summary["unresolved"]) == (1, len(targets) - 1, 1)
    assert transport.passed["revokeUserSessions", 204] == len(targets) - 1
    assert transport.passed["listUsers", 200], "emails are searched for"
