"""Whom the guard keeps out, by every name an account has, and what it says when it can't know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.okta.errors import PermissionDenied
from console.okta.models import Group, User
from console.revocation.guard import Admin, Guard


def user(number: int = 1, login: str = "mallory@acme.test", **profile: Any) -> User:
    return User.model_validate({"id": f"00u{number:017}", "status": "ACTIVE", "profile": {"login": login, **profile}})


class Org:
    """As much of the client as a guard asks."""

    def __init__(
        self,
        groups: dict[str, list[User]],
        *,
        own: User | None = None,
        broken: bool = False,
        admins: frozenset[str] = frozenset(),
    ) -> None:
        self.admins = admins
        self.groups = groups
        self.own = own
        self.broken = broken
        self.asked: list[str] = []

    async def me(self) -> User:
        self.asked.append("me")
        if self.own is None:
            raise PermissionDenied("a service app is nobody", status=403)
        return self.own

    async def admin_ids(self) -> frozenset[str]:
        if self.broken:
            raise PermissionDenied("not for you", status=403)
        return self.admins

    async def find_groups(self, name: str) -> tuple[Group, ...]:
        if self.broken:
            raise PermissionDenied("not for you", status=403)
        names = [group for group in self.groups if group.casefold().startswith(name.casefold())]
        return tuple(Group(id=f"00g{list(self.groups).index(each):017}", name=each) for each in names)

    async def group_members(self, group_id: str) -> AsyncIterator[tuple[User, ...]]:
        self.asked.append(group_id)
        for member in list(self.groups.values())[int(group_id[3:])]:
            yield (member,)


@pytest.mark.parametrize(
    "protected",
    [
        "00u00000000000000001",
        "Mallory@ACME.test",
        "mal@mail.test",
        "mallory@*",
        "*@ACME.TEST",
        " mallory@acme.test ",
        "m?l@mail.test",
    ],
)
def test_refuses_a_protected_user_by_every_name_it_has(protected: str) -> None:
    guard = Guard(users=["other@acme.test", "", protected])
    assert "protected_users" in (guard.check(user(email="Mal@mail.test")) or "")
    assert guard.check(user(2, "bob@bob.test")) is None


def test_a_glob_covers_a_whole_name_and_no_part_of_one() -> None:
    guard = Guard(users=["root*"])
    assert guard.check(user(login="root2@acme.test")) is not None
    assert guard.check(user(login="groot@acme.test")) is None


def test_a_user_without_login_matches_no_empty_pattern() -> None:
    assert Guard(users=["", "  "], service_patterns=["", " "]).check(user(login="")) is None
    assert not Guard(users=[""], service_patterns=[""]).looks_like_service(user(login=""))


async def test_refuses_the_own_account_from_load_on() -> None:
    guard = Guard()
    assert guard.check(user(1)) is None
    await guard.load(Org({}, own=user(1)))
    assert guard.check(user(1, "renamed@acme.test")) == "is your own account"
    assert guard.check(user(2)) is None
    assert guard.problems == ()


async def test_an_own_account_that_is_known_is_not_asked_for() -> None:
    org = Org({}, own=user(1))
    guard = Guard()
    await guard.load(org, own=user(2))
    assert org.asked == []
    assert guard.own == user(2)


async def test_refuses_members_of_a_protected_group_of_exactly_that_name() -> None:
    org = Org({"Admins": [user(1), user(2)], "Admins of nothing": [user(3)]}, own=user(9))
    guard = Guard(groups=["admins"])
    await guard.load(org)
    assert guard.check(user(2)) == "is protected as a member of the group Admins"
    assert guard.check(user(3)) is None
    assert guard.problems == ()


async def test_takes_a_group_by_id() -> None:
    guard = Guard(groups=["00g" + "0" * 17])
    await guard.load(Org({"Admins": [user(1)]}, own=user(9)))
    assert guard.check(user(1)) is not None


async def test_says_what_could_not_be_loaded_and_keeps_what_it_knew() -> None:
    org = Org({"Admins": [user(1)]}, own=user(9))
    guard = Guard(groups=["Admins", "Nobody"])
    await guard.load(org)
    assert [problem for problem in guard.problems if "Nobody does not exist" in problem]
    org.own, org.broken = None, True
    await guard.load(org)
    assert len(guard.problems) == 3
    assert guard.check(user(1)) is not None
    assert guard.check(user(9)) == "is your own account"


@pytest.mark.parametrize(
    "login", ["svc-backup@acme.test", "SVC_x", "build-bot@acme.test", "sa-x", "service.x@a.b", "noreply@a.b"]
)
def test_knows_service_accounts_by_their_login(login: str) -> None:
    assert Guard().looks_like_service(user(login=login))


@pytest.mark.parametrize("login", ["mallory@svc-host.test", "sandra@acme.test", "abbot@acme.test", "salma-x@acme.test"])
def test_takes_no_person_for_a_service(login: str) -> None:
    assert not Guard().looks_like_service(user(login=login))


def test_service_patterns_are_a_setting_and_the_user_type_counts() -> None:
    guard = Guard(service_patterns=["robo.*"])
    assert guard.looks_like_service(user(login="Robo.cop@acme.test"))
    assert not guard.looks_like_service(user(login="svc-x@acme.test"))
    assert guard.looks_like_service(user(userType="Service Account"))


@pytest.mark.parametrize(
    "login", ["admin@acme.test", "Admin-jo@acme.test", "jo-adm@acme.test", "adm.jo", "jo.admin@a.b", "sysadmin7@a.b"]
)
def test_knows_admins_by_their_login(login: str) -> None:
    assert Guard().admin(user(login=login)) is Admin.LOGIN
    assert Guard(admin_patterns=[]).admin(user(login=login)) is None
    assert Guard().check(user(login=login)) is None, "a mark is no refusal"


@pytest.mark.parametrize("login", ["mallory@admin.test", "adminah@acme.test", "adam@acme.test", "adm@acme.test"])
def test_takes_nobody_for_an_admin_whose_name_is_only_like_it(login: str) -> None:
    assert Guard().admin(user(login=login)) is None


async def test_a_role_that_okta_tells_makes_an_admin_whatever_the_login() -> None:
    guard = Guard(admin_patterns=["x-*"])
    with pytest.raises(PermissionDenied):
        await guard.load_admins(Org({}, broken=True))  # type: ignore[arg-type]
    assert (guard.admin(user(1)), guard.admins_learnt) == (None, 0)
    await guard.load_admins(Org({}, admins=frozenset({user(1).id})))  # type: ignore[arg-type]
    assert guard.admin(user(1, login="x-mallory")) is Admin.ROLE
    assert guard.admin(user(2)) is None
    assert guard.admin(user(2, login="x-mallory")) is Admin.LOGIN
    before = guard.admins_learnt
    guard.learn_admin(user(2).id, True)
    guard.learn_admin(user(1).id, False)
    assert guard.admin(user(2)) is Admin.ROLE
    assert guard.admin(user(1)) is None
    assert guard.admins_learnt == before + 2
    guard.learn_admin(user(1).id, False)
    assert guard.admins_learnt == before + 2, "nothing new, nothing to draw"
    with pytest.raises(PermissionDenied):
        await guard.load_admins(Org({}, broken=True))  # type: ignore[arg-type]
    assert guard.admin(user(2)) is Admin.ROLE, "what was learnt stays in force"
