"""What each endpoint of the demo org does, once a request is let in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from console.demo import search
from console.demo.org import DemoGroup, DemoOrg
from console.demo.people import USER_TYPE, Person
from console.demo.replies import SUMMARIES, Refusal, Reply, invalid, not_found

PAGE = 200
"""Users on a page at most."""
MAX_EXPRESSION = 4000
"""Encoded bytes of an expression above which the Link header, which repeats it, is too large."""
USER_ID = re.compile(r"[A-Za-z0-9]{20}", re.ASCII)
PAST = "Thu, 01-Jan-1970 00:00:10 GMT"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `origin` is scheme and host, `query` the decoded parameters, `found` the parts of the path."""

    origin: str
    path: str
    query: Mapping[str, str]
    found: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    user_agent: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    app: str = ""
    """Client ID of the service app that asks; empty where it is a person's credential."""
    proof: str | None = None
    """The DPoP proof, where the request came with one."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    accept: str = ""
    """The Accept header, in which some calls want a version."""


def revoke(org: DemoOrg, call: Call) -> Reply:
    """DELETE /api/v1/users/{id}/sessions."""
    person = _person(org, call)
    org.revoke(
        person,
        oauth_tokens=flag(call, "oauthTokens", default=False),
        forget_devices=flag(call, "forgetDevices", default=org.engine == "idx"),
        request_id=call.request_id,
        user_agent=call.user_agent,
    )
    cookies = (
        f'autolaunch_triggered=""; Expires={PAST}; Path=/',
        f'sid=""; Expires={PAST}; Path=/',
        f'xids=""; Expires={PAST}; Path=/',
        f"JSESSIONID={call.request_id[:32].upper()}; Path=/; Secure; HttpOnly",
        f'DT=""; Expires={PAST}; Path=/; Secure; SameSite=None',
    )
    return Reply(204, headers=[("set-cookie", line) for line in cookies])


def list_users(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users, by search, filter, q or none of them."""
    query = call.query
    if "search" in query:
        people = _searched(org, query)
    elif "filter" in query:
        people = _filtered(org, query["filter"])
    else:
        people = [person for person in org.users if person.status != "DEPROVISIONED"]
    if query.get("q") and "search" not in query:
        wanted = query["q"].lower()
        people = [one for one in people if _starts(one, wanted)]
        return Reply(body=[user_json(org, call, one) for one in people[: whole(call, "limit", default=10, most=PAGE)]])
    code = "E0000031" if "search" in query else "E0000029"
    page, headers = paged(call, people, [one.id for one in people], whole(call, "limit", default=PAGE, most=PAGE), code)
    fields = query.get("fields")
    return Reply(body=[user_json(org, call, one, fields) for one in page], headers=headers)


def get_user(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users/{idOrLogin}; a service app is nobody, so it has no `me`."""
    person = None if call.app and call.found["id"] == "me" else org.find(call.found["id"])
    if person is None:
        raise not_found(call.found["id"])
    body = user_json(org, call, person)
    body["_links"] = {
        "self": {"href": f"{call.origin}/api/v1/users/{person.id}"},
        "suspend": {"href": f"{call.origin}/api/v1/users/{person.id}/lifecycle/suspend", "method": "POST"},
        "deactivate": {"href": f"{call.origin}/api/v1/users/{person.id}/lifecycle/deactivate", "method": "POST"},
    }
    return Reply(body=body)


def groups_of_user(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users/{id}/groups."""
    person = person_of(org, call)
    return Reply(body=[group_json(org, call, group) for group in org.groups if group.has(person)])


def person_of(org: DemoOrg, call: Call) -> Person:
    """The user that a call names, by ID, login or short name. Raises Refusal."""
    person = org.find(call.found["id"])
    if person is None:
        raise not_found(call.found["id"])
    return person


def lifecycle(org: DemoOrg, call: Call) -> Reply:
    """POST /api/v1/users/{id}/lifecycle/{action}."""
    person = _person(org, call)
    match call.found["action"]:
        case "suspend":
            _must_be(person, "ACTIVE", "Cannot suspend a user that is not active")
            org.change_status(person, "SUSPENDED", "user.lifecycle.suspend", request_id=call.request_id)
        case "unsuspend":
            _must_be(person, "SUSPENDED", "Cannot unsuspend a user that is not suspended")
            org.change_status(person, "ACTIVE", "user.lifecycle.unsuspend", request_id=call.request_id)
        case "deactivate":
            org.change_status(person, "DEPROVISIONED", "user.lifecycle.deactivate", request_id=call.request_id)
        case "expire_password":
            org.change_status(person, "PASSWORD_EXPIRED", "user.account.expire_password", request_id=call.request_id)
            return Reply(body=user_json(org, call, person))
        case "reset_factors":
            org.forget(person)
        case _:
            raise Refusal(405, "E0000022", rate_headers=False)
    return Reply()


def list_groups(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/groups, by q (prefix of the name), search over `profile.name`, or all."""
    groups: Sequence[DemoGroup] = org.groups
    if "search" in call.query:
        expression = _parsed(call.query["search"])
        for term in search.terms(expression):
            if term.attribute not in {"id", "type", "profile.name", "profile.description"}:
                raise _bad_search(f"unknown attribute {term.attribute}")
        lowered = search.lowered(expression)
        groups = [one for one in groups if search.holds(lowered, _group_values(one).__getitem__)]
    elif "q" in call.query:
        groups = [one for one in groups if one.name.lower().startswith(call.query["q"].lower())]
    limit = whole(call, "limit", default=10_000, most=10_000)
    page, headers = paged(call, groups, [one.id for one in groups], limit, "E0000029")
    return Reply(body=[group_json(org, call, one) for one in page], headers=headers)


def group_users(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/groups/{id}/users."""
    group = next((one for one in org.groups if one.id == call.found["id"]), None)
    if group is None:
        raise not_found(call.found["id"], "UserGroup")
    members = org.members(group)
    limit = whole(call, "limit", default=1000, most=1000)
    page, headers = paged(call, members, [one.id for one in members], limit, "E0000029")
    return Reply(body=[user_json(org, call, one) for one in page], headers=headers)


def organization(org: DemoOrg, call: Call) -> Reply:
    """GET /.well-known/okta-organization."""
    links = {"organization": {"href": call.origin}}
    return Reply(body={"id": org.id, "pipeline": org.engine, "_links": links})


def user_json(org: DemoOrg, call: Call, person: Person, fields: str | None = None) -> dict[str, Any]:
    """A user as the API returns it, or the `fields` of one that were asked for."""
    moments = org.moments(person)
    user: dict[str, Any] = {
        "id": person.id,
        "status": person.status,
        **moments,
        "type": {"id": USER_TYPE},
        "profile": org.profile(person),
        "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"{call.origin}/api/v1/users/{person.id}"}},
    }
    if fields is None:
        return user
    match = re.search(r"profile:\(([^)]*)\)", fields)
    wanted = {name.strip() for name in re.sub(r"profile:\([^)]*\)", "", fields).split(",")} | {"id"}
    projected = {name: value for name, value in user.items() if name in wanted}
    if match:
        names = {name.strip() for name in match[1].split(",")}
        projected["profile"] = {name: value for name, value in user["profile"].items() if name in names}
    return projected


def group_json(org: DemoOrg, call: Call, group: DemoGroup) -> dict[str, Any]:
    """A group as the API returns it."""
    born = str(org.moments(org.me)["created"])
    return {
        "id": group.id,
        "created": born,
        "lastUpdated": born,
        "lastMembershipUpdated": born,
        "objectClass": ["okta:user_group"],
        "type": "BUILT_IN" if group.built_in else "OKTA_GROUP",
        "profile": {"name": group.name, "description": group.description},
        "_links": {"users": {"href": f"{call.origin}/api/v1/groups/{group.id}/users"}},
    }


def _group_values(group: DemoGroup) -> dict[str, list[str]]:
    return {
        "id": [group.id.lower()],
        "type": ["built_in" if group.built_in else "okta_group"],
        "profile.name": [group.name.lower()],
        "profile.description": [group.description.lower()],
    }


def _person(org: DemoOrg, call: Call) -> Person:
    """The user that is about to be changed: by ID alone, and within the token's reach."""
    wanted = call.found["id"]
    person = org.find(wanted) if USER_ID.fullmatch(wanted) else None
    if person is None:
        raise not_found(wanted)
    if not org.reaches(person):
        raise Refusal(403, "E0000006")
    return person


def _must_be(person: Person, status: str, otherwise: str) -> None:
    if person.status != status:
        raise Refusal(400, "E0000001", f"Api validation failed: {otherwise}", causes=(otherwise,))


def flag(call: Call, name: str, *, default: bool) -> bool:
    """True or false among the parameters. Raises Refusal for anything else."""
    text = call.query.get(name, "").lower()
    if not text:
        return default
    if text not in {"true", "false"}:
        raise invalid(name, "must be true or false")
    return text == "true"


def whole(call: Call, name: str, *, default: int, most: int) -> int:
    """A whole number above 0 among the parameters, cut to `most`."""
    text = call.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < 1:
        raise invalid(name, "must be a whole number above 0")
    return min(int(text), most)


def _starts(person: Person, wanted: str) -> bool:
    return any(value.lower().startswith(wanted) for value in (person.first, person.last, person.email) if value)


def _searched(org: DemoOrg, query: Mapping[str, str]) -> list[Person]:
    """The users that `search` finds, sorted if asked."""
    expression = _parsed(query["search"])
    try:
        search.check_search(expression)
    except search.BadExpression as error:
        raise _bad_search(str(error)) from None
    people = org.search(expression)
    sort_by = query.get("sortBy")
    if sort_by is None:
        return people
    if sort_by not in search.TOP_LEVEL and not sort_by.startswith("profile."):
        raise _bad_search(f"cannot sort by {sort_by}")
    order = query.get("sortOrder", "asc").lower()
    if order not in {"asc", "desc"}:
        raise invalid("sortOrder", "must be asc or desc")
    ranks = org.index.values(sort_by)
    people.sort(key=lambda one: one.id)
    people.sort(key=lambda one: ranks.get(one.index, ""), reverse=order == "desc")
    return people


def _filtered(org: DemoOrg, text: str) -> list[Person]:
    """The users that `filter` finds; it minds the case of values."""
    try:
        expression = search.parse(text)
        search.check_filter(expression)
    except search.BadExpression as error:
        raise Refusal(400, "E0000053", f"Invalid filter '{text}': {error}") from None

    def values(person: Person, attribute: str) -> list[str]:
        if attribute == "lastUpdated":
            return [str(org.moments(person)["lastUpdated"])]
        found = {
            "id": person.id,
            "status": person.status,
            "profile.login": person.login,
            "profile.email": person.email,
            "profile.firstName": person.first,
            "profile.lastName": person.last,
        }[attribute]
        return [found] if found else []

    return [one for one in org.users if search.holds(expression, lambda name, one=one: values(one, name))]  # type: ignore[misc]


def _parsed(text: str) -> search.Expression:
    if len(quote(text, safe="")) > MAX_EXPRESSION:
        raise Refusal(414, "E0000256", rate_headers=False)
    try:
        return search.parse(text)
    except search.BadExpression as error:
        raise _bad_search(str(error)) from None


def _bad_search(cause: str) -> Refusal:
    return Refusal(400, "E0000031", SUMMARIES["E0000031"], causes=(cause,))


def paged(
    call: Call, everything: Sequence[Any], ids: Sequence[str], limit: int, code: str
) -> tuple[Sequence[Any], list[tuple[str, str]]]:
    """The part of a result that `after` asks for, with one Link line for each relation."""
    start = 0
    after = call.query.get("after")
    if after:
        # The cursor is the ID that the last page ended with, behind a digit; clients must not rely on that.
        try:
            start = ids.index(after[1:]) + 1 if after[:1] == "2" else -1
        except ValueError:
            start = -1
        if start < 0:
            raise Refusal(400, code, "Invalid cursor." if code == "E0000031" else SUMMARIES[code])
    page = everything[start : start + limit]
    links = [("link", link(call, call.query, "self"))]
    if start + limit < len(everything):
        following = {**call.query, "after": "2" + ids[start + limit - 1], "limit": str(limit)}
        links.append(("link", link(call, following, "next")))
    return page, links


def link(call: Call, query: Mapping[str, str], relation: str) -> str:
    """One Link header: the call's address with other parameters."""
    address = f"{call.origin}{call.path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    return f'<{address}>; rel="{relation}"'
