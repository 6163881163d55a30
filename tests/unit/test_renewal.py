"""A credential that dies in mid-batch: the queue takes another one and goes on; nothing is lost and nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from console.demo.org import DemoOrg
from console.okta.models import User
from console.revocation.authority import Ability
from console.revocation.events import Event, ItemsChanged, Paused, Resumed, Why
from console.revocation.states import Options, State
from console.settings import Settings, SettingsError
from console.workspace import Workspace
from tests.support.triage import demo_users

USERS, BEFORE = 30, 8
NEW = "00new-token-never-to-be-seen"


class Drain:
    """A batch whose token dies after some users."""

    def __init__(self, workspace: Workspace) -> None:
        assert workspace.demo_org is not None
        self.workspace, self.org = workspace, workspace.demo_org
        self.batch = ""
        self.said: list[Event] = []
        self.paused = asyncio.Event()
        workspace.events.subscribe(self._look)

    def _look(self, event: Event) -> None:
        if isinstance(event, ItemsChanged) and self.org.revocations >= BEFORE:
            self.org.token_revoked = True
        if isinstance(event, Paused | Resumed):
            self.said.append(event)
        if isinstance(event, Paused):
            self.paused.set()

    async def begin(self) -> list[User]:
        """Send until the token is dead and the queue stands still."""
        users = await demo_users(self.workspace, USERS)
        staged = self.workspace.queue.stage(users, Options()).added
        batch = await self.workspace.dispatcher.confirm([item.id for item in staged], case="INC-1", reason="test")
        self.batch = batch.id
        async with asyncio.timeout(10):
            await self.paused.wait()
        return users

    def replace_token(self) -> None:
        """In Okta: another token, which works."""
        self.org.token, self.org.token_revoked = NEW, False
        self.workspace.events._listeners.remove(self._look)
        self.workspace.events.subscribe(self.said.append)

    async def end(self) -> Counter[str]:
        async with asyncio.timeout(10):
            await self.workspace.dispatcher.wait(self.batch)
        return Counter(record.outcome for record in self.workspace.history.records())


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    settings = Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config", in_flight=4)
    workspace = await Workspace.open_demo(settings, users=120)
    await workspace.connect()
    yield Drain(workspace)
    await workspace.aclose()


def resumed(drain: Drain) -> str:
    return " ".join(event.message for event in drain.said if isinstance(event, Resumed))


async def test_the_queue_takes_the_new_token_and_goes_on(drain: Drain) -> None:
    users = await drain.begin()
    paused = drain.workspace.dispatcher.paused
    assert paused is not None
    assert paused.why is Why.CREDENTIAL
    first = drain.org.revocations
    assert BEFORE <= first < USERS
    drain.replace_token()
    connection = await drain.workspace.renew_credential(SecretStr(f" {NEW}\n"))
    assert connection.state == "connected"
    assert await drain.end() == {"revoked": USERS}
    assert drain.org.revocations == USERS, "nobody twice, nobody left out"
    assert all(drain.org.sessions_of(user.id) == () for user in users)
    assert "accepts" in resumed(drain)
    records = drain.workspace.history.records()
    assert {attempt.principal for record in records for attempt in record.attempts} == {None}, "still the same account"
    assert all(record.attempts[-1].status == 204 for record in records)
    assert NEW in drain.workspace.secrets(), "so that no log shows it"


async def test_a_wrong_token_changes_nothing(drain: Drain) -> None:
    await drain.begin()
    drain.replace_token()
    workspace = drain.workspace
    before = (workspace.operator, workspace.me, workspace.credential, drain.org.revocations)
    connection = await workspace.renew_credential(SecretStr("00wrong"))
    assert connection.state == "refused"
    assert "token" in connection.message
    assert workspace.dispatcher.paused is not None
    assert (workspace.operator, workspace.me, workspace.credential, drain.org.revocations) == before
    for never in ("", "two words", "é"):
        with pytest.raises(SettingsError):
            await workspace.renew_credential(SecretStr(never))
        assert workspace.dispatcher.paused is not None
    assert (await workspace.renew_credential(SecretStr(NEW))).state == "connected"
    assert await drain.end() == {"revoked": USERS}
    assert drain.org.revocations == USERS


async def test_another_account_sends_nothing_unasked_and_is_recorded_for_what_follows(drain: Drain) -> None:
    await drain.begin()
    old, first = drain.workspace.operator.principal, drain.org.revocations
    drain.replace_token()
    drain.org.me = next(one for one in drain.org.users if one.kind == "admin" and one.login != old)
    assert (await drain.workspace.renew_credential(SecretStr(NEW))).state == "connected"
    new, paused = drain.org.me.login, drain.workspace.dispatcher.paused
    assert paused is not None
    assert paused.why is Why.OPERATOR
    assert old in paused.message
    assert new in paused.message
    await asyncio.sleep(0.05)
    assert drain.org.revocations == first
    drain.workspace.dispatcher.resume()
    assert await drain.end() == {"revoked": USERS}
    assert drain.workspace.operator.principal == new
    records = drain.workspace.history.records()
    assert {record.operator.principal for record in records} == {old}, "who confirmed it stays who confirmed it"
    last = Counter(record.attempts[-1].principal for record in records)
    assert last == {None: first, new: USERS - first}
    assert drain.workspace.history.verify().sound


async def test_without_a_token_the_same_one_is_tried_again(drain: Drain) -> None:
    await drain.begin()
    assert (await drain.workspace.renew_credential()).state == "refused"
    assert drain.workspace.dispatcher.paused is not None
    token = drain.org.token
    drain.replace_token()
    drain.org.token = token
    assert (await drain.workspace.renew_credential()).state == "connected"
    assert await drain.end() == {"revoked": USERS}


async def test_a_pause_that_was_asked_for_stays(drain: Drain) -> None:
    await drain.begin()
    drain.workspace.dispatcher.pause()
    drain.replace_token()
    assert (await drain.workspace.renew_credential(SecretStr(NEW))).state == "connected"
    paused = drain.workspace.dispatcher.paused
    assert paused is not None
    assert paused.why is Why.OPERATOR
    drain.workspace.dispatcher.resume()
    assert await drain.end() == {"revoked": USERS}


async def test_another_org_at_the_address_is_refused(drain: Drain) -> None:
    await drain.begin()
    drain.replace_token()
    org, drain.org.id = drain.org.id, "00oAnother0000000000"
    assert (await drain.workspace.renew_credential(SecretStr(NEW))).state == "refused"
    assert drain.workspace.dispatcher.paused is not None
    drain.org.id = org
    assert (await drain.workspace.renew_credential(SecretStr(NEW))).state == "connected"
    assert await drain.end() == {"revoked": USERS}


async def test_what_the_old_one_may_do_is_asked_anew_of_the_new_one(drain: Drain) -> None:
    assert isinstance(drain.org, DemoOrg)
    assert (await drain.workspace.authority.ask(Ability.LOG)).may == "yes"
    drain.org.token = NEW
    await drain.workspace.renew_credential(SecretStr(NEW))
    assert drain.workspace.authority.known(Ability.LOG) is None
    assert State.QUEUED not in {item.state for item in drain.workspace.queue.items.values()}


@pytest.mark.parametrize("who", ["same", "another", "nobody"])
async def test_a_batch_that_is_sent_waits_until_it_is_known_who_signs(
    drain: Drain, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, org = drain.workspace, drain.org
    workspace.events._listeners.remove(drain._look)
    workspace.events.subscribe(drain.said.append)
    monkeypatch.setattr(org, "accepts", lambda token: token in (org.token, NEW))
    users = await demo_users(workspace, USERS)
    staged = workspace.queue.stage(users, Options()).added
    drain.batch = (await workspace.dispatcher.confirm([item.id for item in staged], case="", reason="")).id
    if who == "another":
        waits = {item.user.id for item in staged}
        org.me = next(one for one in org.users[1:] if one.id not in waits)
    given = SecretStr("00wrong" if who == "nobody" else NEW)
    state = (await workspace.renew_credential(given)).state
    stops = [event for event in drain.said if isinstance(event, Paused)]
    assert "before Okta says who" in stops[0].message
    assert state == ("refused" if who == "nobody" else "connected")
    assert workspace.connection.state == "connected", "the one before is as good as it was"
    if who == "another":
        paused = workspace.dispatcher.paused
        assert paused is not None
        assert paused.why is Why.OPERATOR
        assert org.revocations < USERS
        workspace.dispatcher.resume()
    assert await drain.end() == {"revoked": USERS}
    assert org.revocations == USERS
