"""Admin roles of the demo org: what a token may ask for, by the role of the account behind it.

Source: Okta's role comparison, as far as Evict's calls go. What a role may not is refused with 403 E0000006.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from console.demo.replies import Refusal

LOOKING = frozenset({"users", "user"})
GROUPS = frozenset({"groups", "members"})
LOGS = frozenset({"logs"})
ADMINS = frozenset({"roles"})
"""Who is an admin: that only those see who may make one."""
ENDING = frozenset({"revoke"})
MANAGING = frozenset({"lifecycle"})
EVERYTHING = LOOKING | GROUPS | LOGS | ADMINS | ENDING | MANAGING


@dataclass(frozen=True, slots=True)
class Role:
    """A role: `routes` are the names of the endpoints that it opens."""

    name: str
    routes: frozenset[str] = field(repr=False)

    def check(self, route: str, user: str = "") -> None:
        """Raise Refusal for a route that the role does not open. One's own account can be read with any."""
        own = route == "user" and user == "me"
        if route in EVERYTHING and route not in self.routes and not own:
            raise Refusal(403, "E0000006")


ROLES = {
    role.name: role
    for role in (
        Role("super", EVERYTHING),
        Role("org", EVERYTHING - ADMINS),
        Role("help-desk", LOOKING | GROUPS | ENDING | MANAGING),
        Role("group", LOOKING | GROUPS | ENDING | MANAGING),
        Role("read-only", LOOKING | GROUPS | LOGS),
        Role("report", LOGS),
        # The least that a revocation takes: okta.users.read and okta.users.lifecycle.clearSessions.
        Role("custom", LOOKING | ENDING),
    )
}
