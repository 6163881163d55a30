"""The text of a search decides its query."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from console.demo.app import build_app
from console.okta.auth import TokenAuth
from console.okta.client import OktaClient
from console.okta.errors import NotFound
from console.okta.limits import OpenGate, Priority
from console.okta.transport import open_http
from console.revocation.lookup import find_users
from tests.support.demo import TOKEN, URL, demo_org
from tests.support.fake_okta import SleeplessClock


@dataclass
class Asked:
    """A client that notes what it is asked, in front of a demo org."""

    client: OktaClient
    calls: list[str] = field(default_factory=list)

    def search_users(self, expression: str, **options: Any) -> Any:
        assert options["priority"] is Priority.INTERACTIVE
        self.calls.append(expression)
        return self.client.search_users(expression, **options)

    def __getattr__(self, name: str) -> Any:
        def call(argument: str, **options: Any) -> Any:
            self.calls.append(f"{name} {argument}")
            return getattr(self.client, name)(argument, **options)

        return call


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    transport = httpx.ASGITransport(app=build_app(demo_org()))
    async with open_http(URL, TokenAuth(SecretStr(TOKEN), URL), transport=transport) as http:
        yield Asked(OktaClient(http, gate=OpenGate(), clock=SleeplessClock()))


async def found(asked: Asked, text: str) -> list[str]:
    """Logins of the users found."""
    return [user.login async for page in find_users(asked, text) for user in page]  # type: ignore[arg-type]


async def test_an_id_is_read_by_id(asked: Asked) -> None:
    me = await asked.client.me()
    assert await found(asked, f" {me.id} ") == [me.login]
    assert asked.calls == [f"get_user {me.id}"]


async def test_an_id_of_nobody_finds_nobody(asked: Asked) -> None:
    assert await found(asked, "00u" + "x" * 17) == []
    assert len(asked.calls) == 1


async def test_twenty_letters_can_be_a_name(asked: Asked) -> None:
    assert await found(asked, "christopherhernandez") == []
    assert len(asked.calls) == 2
    assert 'profile.login sw "christopherhernandez"' in asked.calls[1]


async def test_what_holds_an_at_is_the_start_of_a_login_or_email(asked: Asked) -> None:
    me = await asked.client.me()
    assert me.login in await found(asked, me.login[:-3])
    assert asked.calls == [f'profile.login sw "{me.login[:-3]}" or profile.email sw "{me.login[:-3]}"']


async def test_quotes_stay_inside_the_expression(asked: Asked) -> None:
    assert await found(asked, 'a@b" or status eq "ACTIVE') == []


async def test_members_of_a_group(asked: Asked) -> None:
    members = await found(asked, "Group:Contractors")
    assert len(members) > 1
    assert asked.calls[0] == "find_groups Contractors"
    assert await found(asked, "group:Project [/x] Falcon")


async def test_a_group_that_is_none_is_told(asked: Asked) -> None:
    with pytest.raises(NotFound, match="no group is named Nobody"):
        await found(asked, "group:Nobody")


async def test_an_expression_goes_out_as_typed(asked: Asked) -> None:
    users = await found(asked, '= status eq "SUSPENDED"')
    assert users
    assert asked.calls == ['status eq "SUSPENDED"']


async def test_anything_else_is_a_prefix_of_any_name(asked: Asked) -> None:
    me = await asked.client.me()
    assert me.login in await found(asked, me.name)


@pytest.mark.parametrize("text", ["", "   ", "=", "group:", "group:  "])
async def test_blank_text_asks_nothing(asked: Asked, text: str) -> None:
    assert await found(asked, text) == []
    assert asked.calls == []


async def test_each_user_once(asked: Asked) -> None:
    async def twice(expression: str, **_: Any) -> AsyncIterator[Any]:
        me = await asked.client.me()
        yield (me, me)
        yield (me,)

    asked.search_users = twice  # type: ignore[method-assign]
    assert len(await found(asked, "x")) == 1
