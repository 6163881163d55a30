from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

import pytest

from console.clock import ManualClock
from console.demo.consents import role_of
from console.demo.names import PERSONAS
from console.demo.people import STATUSES
from console.okta.models import User
from tests.support.demo import demo_org, http_for


def facts(org):
    return [
        (p.id, p.login, p.first, p.last, p.status, org.open_of(p.id), org.profile(p), org.moments(p)) for p in org.users
    ]


def test_same_seed_same_org() -> None:
    assert facts(demo_org(seed=3)) == facts(demo_org(seed=3))
    assert facts(demo_org(seed=3)) != facts(demo_org(seed=4))


def test_the_first_users_of_seed_7_never_change() -> None:
    """A picture or a runbook that names them stays true."""
    assert [(p.id, p.login) for p in demo_org().users[:3]] == [
        ("00uExgRvvvjxpkZRgXwk", "sam.okafor@acme.test"),
        ("00uxvPSJvwvt17FQesU5", "thomas.davis@acme.test"),
        ("00uSmEULe0IEt6fn0rjc", "david.reed@acme.test"),
    ]


def test_ids_and_logins_are_unique() -> None:
    org = demo_org(users=5000)
    assert len({p.id for p in org.users}) == len({p.login for p in org.users}) == 5000


def test_every_status_is_there_even_in_a_small_org() -> None:
    counts = Counter(p.status for p in demo_org(users=60).users)
    assert set(counts) == {status for status, _ in STATUSES}
    assert counts["ACTIVE"] > 30


@pytest.mark.parametrize("size", [1, 5, 19, 60, 300])
def test_an_org_of_any_size_has_its_operator_first(size: int) -> None:
    org = demo_org(users=size)
    assert len(org.users) == size
    assert org.find("me") is org.me is org.users[0]
    assert org.me.login == "sam.okafor@acme.test"
    assert sum(p.login.partition("@")[0] in {one.login for one in PERSONAS} for p in org.users) == min(size, 19)


def test_hostile_people_are_there_and_fit_the_model() -> None:
    org = demo_org()
    raw = "".join(str(value) for p in org.users for value in org.profile(p).values())
    for hostile in ("[/x]", "[@click=app.quit]", "\x1b]52;", "\u202e", '"', "=HYPERLINK", "東海林", "🦊"):
        assert hostile in raw
    for person in org.users:
        user = User.model_validate({
            "id": person.id, "status": person.status, "profile": org.profile(person), **org.moments(person)
        })  # fmt: skip
        assert user.name.isprintable()
        assert user.created is not None


def test_groups_have_the_members_they_promise() -> None:
    org = demo_org()
    by_name = {group.name: {p.login for p in org.members(group)} for group in org.groups}
    assert len(by_name["Everyone"]) == 300
    assert by_name["Break Glass"] == {"breakglass-1@acme.test", "breakglass-2@acme.test"}
    assert "sam.okafor@acme.test" in by_name["Okta Admins"]
    assert by_name["Service Accounts"]
    assert all(login.startswith("svc-") for login in by_name["Service Accounts"])
    assert all(by_name.values())


def test_a_revocation_leaves_what_was_not_asked_for() -> None:
    org = demo_org()
    person = next(p for p in org.users if org.remembered_of(p.id) and org.sessions_of(p.id))
    before = org.open_of(person.id)
    org.revoke(person, oauth_tokens=False, forget_devices=False)
    assert org.open_of(person.id).sessions == ()
    assert org.tokens_of(person.id) == before.tokens
    assert org.remembered_of(person.id) == before.remembered
    org.revoke(person, oauth_tokens=True, forget_devices=False)
    assert org.tokens_of(person.id) == ()
    assert org.remembered_of(person.id) == before.remembered
    org.revoke(person, oauth_tokens=False, forget_devices=True)
    assert org.remembered_of(person.id) == 0


def test_someone_can_sign_in_again_after_a_revocation() -> None:
    org = demo_org()
    org.revoke(org.users[1], oauth_tokens=True, forget_devices=True)
    session = org.sign_in(org.users[1].id)
    assert org.sessions_of(org.users[1].id) == (session,)
    assert org.log[-1].type == "user.session.start"


def test_the_log_tells_what_happened_to_whom() -> None:
    org = demo_org()
    person = org.find("mallory.reyes")
    had = org.open_of(person.id)
    org.revoke(person, oauth_tokens=True, forget_devices=True, request_id="r1")
    types = Counter(event.type for event in org.log)
    assert types == {
        "user.session.clear": 1, "user.session.end": len(had.sessions), "app.oauth2.token.revoke.implicit.user": 1
    }  # fmt: skip
    clear = org.log[0]
    assert clear.values("target.id") == [person.id]
    assert clear.values("actor.id") == [org.me.id]
    assert clear.values("transaction.id") == ["r1"]


def test_classic_orgs_log_no_end_of_each_session() -> None:
    org = demo_org(engine="v1")
    org.revoke(org.users[1], oauth_tokens=False, forget_devices=False)
    assert [event.type for event in org.log] == ["user.session.clear"]


def test_totals_count_what_is_open() -> None:
    org = demo_org()
    totals = org.totals()
    assert totals["sessions"] == sum(len(org.sessions_of(p.id)) for p in org.users)
    assert totals["tokens"] == sum(len(org.tokens_of(p.id)) for p in org.users)
    person = org.find("mallory.reyes")
    ended = len(org.sessions_of(person.id))
    org.revoke(person, oauth_tokens=True, forget_devices=True)
    assert org.totals()["sessions"] == totals["sessions"] - ended


def test_the_org_keeps_its_own_time() -> None:
    clock = ManualClock()
    assert demo_org(clock, skew_s=90).now() - clock.now() == timedelta(seconds=90)


def test_the_token_shows_in_no_repr() -> None:
    assert "demo-token" not in repr(demo_org())


@pytest.mark.slow
def test_100_000_users_stand_in_under_5_seconds() -> None:
    begin = time.process_time()
    org = demo_org(users=100_000)
    assert time.process_time() - begin < 5
    assert len({p.id for p in org.users}) == 100_000


async def test_who_is_an_admin_is_told_the_same_by_both_calls() -> None:
    org = demo_org(users=300, role="super")
    async with http_for(org) as http:
        listed: set[str] = set()
        following: str | None = "/api/v1/iam/assignees/users?limit=2"
        while following is not None:
            body = (await http.get(following)).json()
            listed |= {one["id"] for one in body["value"]}
            following = body.get("_links", {}).get("next", {}).get("href")
        assert listed == {one.id for one in org.users if one.kind in ("admin", "break glass")}
        for person in org.users[:40]:
            roles = (await http.get(f"/api/v1/users/{person.id}/roles")).json()
            assert bool(roles) == (person.id in listed)
    assert role_of(org, org.me) == ("SUPER_ADMIN", "Super Administrator")
    assert role_of(demo_org(role="help-desk"), org.me) != role_of(org, org.me)
