"""Admin roles of the demo org: what a token may ask for, by the role of the account behind it.

Source: Okta's role comparison, as far as Evict's calls go. What a role may not is refused with 403 E0000006.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LOOKING = frozenset({"users", "user"})
GROUPS = frozenset({"groups", "members"})
LOGS = frozenset({"logs"})
ENDING = frozenset({"revoke"})
MANAGING = frozenset({"lifecycle"})
EVERYTHING = LOOKING | GROUPS | LOGS | ENDING | MANAGING


@dataclass(frozen=True, slots=True)
class Role:
    """A role: `routes` are the names of the endpoints that it opens."""

    name: str
    routes: frozenset[str] = field(repr=False)

    def may(self, route: str, user: str = "") -> bool:
        """Whether the role opens a route. One's own account can be read with any."""
        return route not in EVERYTHING or route in self.routes or (route == "user" and user == "me")


ROLES = {
    role.name: role
    for role in (
        Role("super", EVERYTHING),
        Role("org", EVERYTHING),
        Role("help-desk", LOOKING | GROUPS | ENDING | MANAGING),
        Role("group", LOOKING | GROUPS | ENDING | MANAGING),
        Role("read-only", LOOKING | GROUPS | LOGS),
        Role("report", LOGS),
        # The least that a revocation takes: okta.users.read and okta.users.lifecycle.clearSessions.
        Role("custom", LOOKING | ENDING),
    )
}
