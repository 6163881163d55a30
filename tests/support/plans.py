"""Plans to read, to write and to spoil."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.clock import ManualClock
from console.history.records import OperatorRecord
from console.okta.models import User
from console.revocation.forecast import Plan as Price
from console.revocation.guard import Guard
from console.revocation.plan import BatchPlan, checksum, make_plan
from console.revocation.resolver import Resolved
from console.revocation.states import Options
from console.revocation.targets import Kind, Target
from tests.support.fake_org import user, users

URL = "https://example.okta.com"
RILEY = OperatorRecord(os_user="riley", host="soc-1", principal="riley@acme.test", auth_mode="SSWS")
CLOCK = ManualClock()


def a_plan(people: list[tuple[User, Options]] | None = None, **fields: Any) -> BatchPlan:
    """A plan of Riley's, of three users with two kinds of options unless others are given."""
    people = people or list(zip(users(3), (Options(), Options(oauth_tokens=True), Options()), strict=True))
    given: dict[str, Any] = {
        "refused": [(user(8), "is your own account")],
        "unresolved": [Resolved(Target("nobody", Kind.LOGIN, 7), None, "no user has this login")],
        "org": (URL, "00o1"),
        "by": RILEY,
        "at": CLOCK.now(),
        "why": ("INC-2041", "token theft"),
        "guard": Guard(),
        "price": Price(3, 1, 0.4),
    }
    return make_plan(people, **given | fields)


def spoil(path: Path, change: Callable[[dict[str, Any]], object], *, honest: bool = False) -> None:
    """Change what a plan file says; `honest` makes its checksum fit again, as anybody can."""
    content = json.loads(path.read_text())
    change(content)
    if honest:
        content["sha256"] = checksum(content)
    path.write_text(json.dumps(content))
