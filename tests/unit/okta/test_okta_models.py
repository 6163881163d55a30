"""What Okta returns becomes a user whatever it holds, is safe to show, and no error repeats it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from console.history.records import RevocationRecord
from console.okta.models import Group, OrgInfo, User, is_user_id
from tests.support.fake_okta import GROUP, USER
from tests.support.hostile import HOSTILE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_an_id_is_all_it_takes() -> None:
    user = User.model_validate({"id": USER})
    assert (user.id, user.status, user.login, user.email, user.name) == (USER, "UNKNOWN", "", "", "")
    assert (user.created, user.last_login) == (None, None)


def test_what_okta_adds_is_no_trouble() -> None:
    row = {
        "id": USER, "status": "HIBERNATING", "realmId": "guo1", "_embedded": {"x": [1]},
        "profile": {"login": "a@acme.test", "costCenter": 7, "nicknames": ["A"]},
    }  # fmt: skip
    user = User.model_validate(row)
    assert (user.login, user.status) == ("a@acme.test", "HIBERNATING")
    assert Group.model_validate({"id": GROUP, "name": "G", "objectClass": ["okta:user_group"]}).name == "G"
    assert OrgInfo.model_validate({"id": "00o1", "pipeline": "idx", "settings": {}}).engine == "Identity Engine"
    assert OrgInfo.model_validate({"pipeline": "v9"}).engine == "unknown engine"


@pytest.mark.parametrize("name", ["login", "email", "firstName", "lastName", "displayName", "title", "userType"])
@given(value=JSON)
def test_a_field_of_any_type_does_not_cost_the_user(name: str, value: Any) -> None:
    user = User.model_validate({"id": USER, "status": value, "created": value, "profile": {name: value}})
    shown = (user.status, user.login, user.email, user.name, user.profile.title, user.profile.user_type)
    assert all(text.isprintable() and len(text) <= 256 for text in shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_one_plain_line(text: str) -> None:
    user = User.model_validate({"id": USER, "profile": {"login": text, "firstName": text, "lastName": text}})
    assert user.login.isprintable()
    assert user.name.isprintable()


@pytest.mark.parametrize(
    "wrong", ["", "me", "00u", USER + "\n", USER + "x", "../groups/00g1a2b3c4d", "00u1a2b3c4d5e6f7g8hé", None, 7]
)
def test_what_is_no_id_is_no_user(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        User.model_validate({"id": wrong})
    assert not is_user_id(str(wrong))


@pytest.mark.parametrize("moment", ["2026-11-23T03:00:00.000Z", "2026-11-23T04:00:00+01:00"])
def test_times_are_read(moment: str) -> None:
    created = User.model_validate({"id": USER, "created": moment}).created
    assert created is not None
    assert created.utctimetuple()[:5] == (2026, 11, 23, 3, 0)


@pytest.mark.parametrize("moment", ["soon", "", "2026-11-23T03:00:00", 7, None])
def test_what_is_no_time_is_none(moment: Any) -> None:
    assert User.model_validate({"id": USER, "created": moment}).created is None


@pytest.mark.parametrize("model", [User, Group, RevocationRecord])
def test_no_error_repeats_what_it_was_given(model: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"id": ["secret-canary"], "batch_id": {"secret-canary": 1}})
    assert "secret-canary" not in str(caught.value)


def test_a_hundred_thousand_users_hold_what_they_share_once_and_no_dictionaries() -> None:
    profile = {"login": "a@acme.test", "email": "a@acme.test", "department": "Legal"}
    row = {"id": USER, "status": "ACTIVE", "profile": profile}
    one, other = (User.model_validate(json.loads(json.dumps(row))) for _ in range(2))
    assert not hasattr(one, "__dict__")
    assert not hasattr(one.profile, "__dict__")
    assert one.email is one.login
    assert one.profile.department is other.profile.department
    assert one.status is other.status
    assert one == other
