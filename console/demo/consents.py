"""What the demo org's users let OAuth clients do, which clients hold tokens of them, and who has which admin role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.demo.api import PAGE, Call, paged, person_of, whole
from console.demo.dice import Dice
from console.demo.org import DemoOrg
from console.demo.people import Person
from console.demo.replies import Reply

APPS = (
    "Slack",
    "Zoom",
    "GitHub Enterprise",
    "Salesforce",
    "Jira",
    "Snowflake",
    "Grafana",
    "1Password",
    "Okta Verify Backup",
)
"""OAuth clients; the last one has a name as an attacker would choose it."""
SCOPES = ("openid", "profile", "email", "offline_access", "groups")
GRANTED = 3
"""Clients that a user has granted something to, at most."""
ROLES_OF_ADMINS = (
    ("ORG_ADMIN", "Organizational Administrator"),
    ("USER_ADMIN", "Group Administrator"),
    ("HELP_DESK_ADMIN", "Help Desk Administrator"),
    ("APP_ADMIN", "Application Administrator"),
    ("CUSTOM", "SOC Responder"),
)
SUPER = ("SUPER_ADMIN", "Super Administrator")
OWN_ROLES = {
    "super": SUPER,
    "org": ROLES_OF_ADMINS[0],
    "group": ROLES_OF_ADMINS[1],
    "help-desk": ROLES_OF_ADMINS[2],
    "read-only": ("READ_ONLY_ADMIN", "Read-only Administrator"),
    "report": ("REPORT_ADMIN", "Report Administrator"),
    "custom": ROLES_OF_ADMINS[4],
}
"""The role of the account behind the token, by the name of the role that the org was made with."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One scope of one client."""

    id: str
    app: int
    scope: str


def client_id(org: DemoOrg, app: int) -> str:
    """The ID of one of APPS."""
    return Dice(org.seed, 0xC11, app).name("0oa")


def consents(org: DemoOrg, person: Person) -> tuple[Consent, ...]:
    """What a user has granted; nothing that is done to its sessions changes it."""
    dice = Dice(org.seed, person.index, 5)
    if person.status in {"STAGED", "PROVISIONED"}:
        return ()
    apps = sorted({dice.below(len(APPS)) for _ in range(dice.below(GRANTED + 1))})
    return tuple(
        Consent(dice.name("oag"), app, scope) for app in apps for scope in SCOPES[: 2 + dice.below(len(SCOPES) - 1)]
    )


def clients_with_tokens(org: DemoOrg, person: Person) -> set[int]:
    """Which of APPS hold tokens of a user now: its tokens are spread over them."""
    return {sum(token.encode()) % len(APPS) for token in org.tokens_of(person.id)}


def role_of(org: DemoOrg, person: Person) -> tuple[str, str] | None:
    """Type and label of a user's admin role."""
    if person is org.me:
        return OWN_ROLES[org.role.name]
    if person.kind == "break glass":
        return SUPER
    return Dice(org.seed, person.index, 6).pick(ROLES_OF_ADMINS) if person.kind == "admin" else None


def list_clients(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users/{id}/clients: those with tokens or grants."""
    person = person_of(org, call)
    apps = sorted(clients_with_tokens(org, person) | {one.app for one in consents(org, person)})
    return Reply(body=[_client_json(org, call, person, app) for app in apps])


def list_grants(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users/{id}/grants."""
    person = person_of(org, call)
    granted = consents(org, person)
    limit = whole(call, "limit", default=20, most=PAGE)
    page, headers = paged(call, granted, [one.id for one in granted], limit, "E0000029")
    return Reply(body=[_grant_json(org, call, person, one) for one in page], headers=headers)


def list_roles(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/users/{id}/roles."""
    person = person_of(org, call)
    role = role_of(org, person)
    return Reply(body=[] if role is None else [_role_json(org, person, *role)])


def list_admins(org: DemoOrg, call: Call) -> Reply:
    """GET /api/v1/iam/assignees/users: it names the next page in its body, not in a header."""
    everybody = [person for person in org.users if role_of(org, person) is not None]
    limit = whole(call, "limit", default=100, most=PAGE)
    page, headers = paged(call, everybody, [one.id for one in everybody], limit, "E0000029")
    body: dict[str, Any] = {"value": [_assignee_json(org, call, one) for one in page]}
    for name, line in headers:
        if name == "link" and 'rel="next"' in line:
            body["_links"] = {"next": {"href": line.partition("<")[2].partition(">")[0]}}
    return Reply(body=body)


def _client_json(org: DemoOrg, call: Call, person: Person, app: int) -> dict[str, Any]:
    own = client_id(org, app)
    address = f"{call.origin}/api/v1/users/{person.id}/clients/{own}"
    return {
        "client_id": own,
        "client_name": APPS[app],
        "client_uri": "https://www.example.test",
        "logo_uri": "https://www.example.test/logo.png",
        "_links": {"grants": {"href": f"{address}/grants"}, "tokens": {"href": f"{address}/tokens"}},
    }


def _grant_json(org: DemoOrg, call: Call, person: Person, consent: Consent) -> dict[str, Any]:
    born = str(org.moments(person)["created"])
    return {
        "id": consent.id,
        "status": "ACTIVE",
        "created": born,
        "createdBy": {"id": person.id, "type": "User"},
        "lastUpdated": born,
        "issuer": call.origin,
        "clientId": client_id(org, consent.app),
        "userId": person.id,
        "scopeId": consent.scope,
        "source": "END_USER",
    }


def _role_json(org: DemoOrg, person: Person, kind: str, label: str) -> dict[str, Any]:
    dice, born = Dice(org.seed, person.index, 7), str(org.moments(person)["created"])
    return {
        "id": dice.name("ra1"),
        "label": label,
        "type": kind,
        "status": "ACTIVE",
        "created": born,
        "lastUpdated": born,
        "assignmentType": "USER",
    }


def _assignee_json(org: DemoOrg, call: Call, person: Person) -> dict[str, Any]:
    address = f"{call.origin}/api/v1/users/{person.id}"
    links = {"self": {"href": address}, "roles": {"href": f"{address}/roles"}}
    return {"id": person.id, "orn": f"orn:okta:directory:{org.id}:users:{person.id}", "_links": links}
