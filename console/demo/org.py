"""The state of the demo org: who is there, what they have open, what was done to them, and what the token may do."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from console.clock import Clock
from console.demo.dice import Dice
from console.demo.faults import Faults, Latency
from console.demo.limits import Limits
from console.demo.log import SystemLog
from console.demo.names import DEPARTMENTS
from console.demo.people import DOMAIN, SIGNED_IN, STATUSES, USER_TYPE, People, Person
from console.demo.roles import ROLES
from console.demo.search import Expression, Index
from console.demo.tokens import TokenOffice

Engine = Literal["idx", "v1"]


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """A group: `has` says who belongs to it."""

    id: str
    name: str
    description: str
    has: Callable[[Person], bool]
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What a user has open: IDs of sessions and of OAuth tokens, and how many devices remember a factor."""

    sessions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    remembered: int = 0


NOTHING = Open()


class DemoOrg:
    """An Okta org in memory. The same `seed` and `users` make the same org.

    `limits` are requests a window by bucket, as the token's share; `concurrency` is how many requests may be under way
    at once. `admin_of` names groups and makes the token one of a group admin, who is denied (403 E0000006) everybody
    else; `role` is a name in ROLES, and what that may not do is denied, too. `scopes` are an OAuth token's, None for
    one that has them all. `skew_s` is how far the org's clock is ahead. `token_life_s` is how long the tokens that its
    `office` issues are good.
    """

    token_revoked = False
    """Set it, and the org refuses the token with 401 E0000011."""
    under_way = 0
    """Requests at this moment."""
    concurrency_limited = 0
    """429s for too many at once."""
    revocations = 0
    unauthorized = 0
    """Requests without a credential that is good: 401 E0000011."""

    def __init__(
        self,
        *,
        clock: Clock,
        token: str,
        seed: int = 7,
        users: int = 300,
        limits: Mapping[str, int] | None = None,
        window_s: float = 60.0,
        concurrency: int = 17,
        engine: Engine = "idx",
        faults: Faults | None = None,
        latency: Latency = Latency(),  # noqa: B008  (frozen)
        admin_of: Collection[str] | None = None,
        role: str = "super",
        scopes: Collection[str] | None = None,
        skew_s: float = 0.0,
        token_life_s: float = 3600.0,
    ) -> None:
        self.clock, self.token, self.seed = clock, token, seed
        self.engine: Engine = engine
        self.faults = faults if faults is not None else Faults(seed=seed)
        self.latency, self.concurrency = latency, concurrency
        self.limits = Limits(limits, window_s=window_s)
        self.role = ROLES[role]
        self.skew = timedelta(seconds=skew_s)
        self.scopes = None if scopes is None else frozenset(scopes)
        self.log = SystemLog(seed)
        self.id = Dice(seed, 0x0D6).name("00o")
        self._ids = Dice(seed, 0x1D5)
        self.office = TokenOffice(self.now, Dice(seed, 0x0A7), life_s=token_life_s)
        """Where OAuth apps get their tokens."""
        self._people = People(seed=seed, count=users, born=clock.now())
        self.users: Sequence[Person] = self._people.everybody
        self.me = self.users[0]
        self.groups = _groups(seed)
        self.index = Index(self._column, changing=("status", "statusChanged", "lastUpdated"))
        self._members: dict[str, tuple[Person, ...]] = {}
        self._open: dict[str, Open] = {}
        self._reach = None if admin_of is None else [self.group_named(name) for name in admin_of]

    def __repr__(self) -> str:
        return f"<DemoOrg of {len(self.users):,} users, seed {self.seed}>"

    def now(self) -> datetime:
        """The org's own time, in UTC."""
        return self.clock.now().astimezone(UTC) + self.skew

    def accepts(self, token: str) -> bool:
        """Whether a token is the org's."""
        return not self.token_revoked and secrets.compare_digest(token.encode(), self.token.encode())

    def next_request_id(self) -> str:
        """An X-Okta-Request-Id, 32 hexadecimal digits."""
        return self._ids.hexadecimal(32)

    def next_error_id(self) -> str:
        """An errorId."""
        return self._ids.name("oae", 25)

    def find(self, id_or_login: str) -> Person | None:
        """A user by ID, login or short name, or `me`."""
        return self.me if id_or_login == "me" else self._people.find(id_or_login)

    def profile(self, person: Person) -> dict[str, object]:
        """A user's profile, as the API returns it."""
        return self._people.profile(person)

    def moments(self, person: Person) -> dict[str, str | None]:
        """A user's times, RFC 3339."""
        return self._people.moments(person)

    def group_named(self, name: str) -> DemoGroup:
        """The group of that name; KeyError if there is none."""
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(f"no group {name!r}; there are {', '.join(group.name for group in self.groups)}")

    def members(self, group: DemoGroup) -> tuple[Person, ...]:
        """The users of a group."""
        if group.id not in self._members:
            self._members[group.id] = tuple(person for person in self.users if group.has(person))
        return self._members[group.id]

    def reaches(self, person: Person) -> bool:
        """Whether the role behind the token covers a user."""
        return self._reach is None or any(group.has(person) for group in self._reach)

    def search(self, expression: Expression) -> list[Person]:
        """The users that match, in the org's order."""
        return [self.users[at] for at in sorted(self.index.find(expression))]

    def open_of(self, user_id: str) -> Open:
        """What a user has open now; KeyError if there is no such user."""
        if user_id in self._open:
            return self._open[user_id]
        person = self._people.by_id[user_id]
        if person.status not in SIGNED_IN:
            return NOTHING
        sessions, tokens, remembered = self._began_with(person)
        dice = Dice(self.seed, person.index, 4)
        prefix = "idx" if self.engine == "idx" else "102"
        return Open(
            tuple(dice.name(prefix, 25) for _ in range(sessions)),
            tuple(dice.name("oar") for _ in range(tokens)),
            remembered,
        )

    def _began_with(self, person: Person) -> tuple[int, int, int]:
        """Sessions, tokens and remembering devices before any call: a service holds tokens alone."""
        bits = Dice(self.seed, person.index, 3).bits()
        return 0 if person.kind == "service" else 1 + bits % 4, 1 + (bits >> 8) % 6, (bits >> 16) % 3

    def sessions_of(self, user_id: str) -> tuple[str, ...]:
        """IDs of the sessions a user has open; KeyError if there is no such user."""
        return self.open_of(user_id).sessions

    def tokens_of(self, user_id: str) -> tuple[str, ...]:
        """IDs of the OAuth tokens a user holds; KeyError if there is no such user."""
        return self.open_of(user_id).tokens

    def remembered_of(self, user_id: str) -> int:
        """How many devices remember a factor of a user; KeyError if there is no such user."""
        return self.open_of(user_id).remembered

    def sign_in(self, user_id: str) -> str:
        """Open one more session for a user, as an intruder with the password would; returns its ID."""
        had = self.open_of(user_id)
        session = self._ids.name("idx", 25)
        self._open[user_id] = Open((*had.sessions, session), had.tokens, had.remembered)
        person = self._people.by_id[user_id]
        self.log.add("user.session.start", "User login to Okta", at=self.now(), actor=self.actor(person))
        return session

    def revoke(
        self, person: Person, *, oauth_tokens: bool, forget_devices: bool, request_id: str = "", user_agent: str = ""
    ) -> None:
        """End all sessions of a user, and what else was asked for, and write down what happened."""
        had = self.open_of(person.id)
        self._open[person.id] = Open(
            (), () if oauth_tokens else had.tokens, 0 if forget_devices else had.remembered
        )  # fmt: skip
        self.revocations += 1
        self._log_ended(person, had.sessions, request_id, user_agent, f"/api/v1/users/{person.id}/sessions")
        if oauth_tokens and had.tokens:
            self.log.add(
                "app.oauth2.token.revoke.implicit.user", "OAuth2 tokens revoked for user", at=self.now(),
                actor=self.actor(), targets=[self.actor(person)], request_id=request_id, user_agent=user_agent,
            )  # fmt: skip

    @property
    def own_cookie(self) -> tuple[str, str]:
        """Name and value of the session cookie of the account behind the token."""
        return ("idx" if self.engine == "idx" else "sid"), Dice(self.seed, 0xC00).hexadecimal(24)

    def end_own(
        self,
        *,
        keep_current: bool,
        oauth_tokens: bool = False,
        request_id: str = "",
        user_agent: str = "",
        uri: str = "",
    ) -> None:
        """End the sessions of the account behind the token, the first of them aside with `keep_current`.

        With `oauth_tokens` its tokens, too; those that the office gave it stay with what is current.
        """
        had = self.open_of(self.me.id)
        kept = had.sessions[:1] if keep_current else ()
        self._open[self.me.id] = Open(kept, () if oauth_tokens else had.tokens, had.remembered)
        if oauth_tokens and not keep_current:
            self.office.sign_out_people()
        self._log_ended(self.me, had.sessions[len(kept) :], request_id, user_agent, uri)

    def _log_ended(self, person: Person, sessions: Iterable[str], request_id: str, user_agent: str, uri: str) -> None:
        self.log.add(
            "user.session.clear", "Clear user session", at=self.now(), actor=self.actor(),
            targets=[self.actor(person)], request_id=request_id, user_agent=user_agent, uri=uri,
        )  # fmt: skip
        if self.engine == "idx":
            for session in sessions:
                self.log.add(
                    "user.session.end", "User logout from Okta", at=self.now(), actor=self.actor(person),
                    request_id=request_id, debug={"EndedSessionId": session},
                )  # fmt: skip

    def change_status(self, person: Person, status: str, event_type: str, *, request_id: str = "") -> None:
        """Put a user into a status; leaving the signed-in ones ends the sessions."""
        had = self.open_of(person.id)
        person.status = status
        person.changed = self.now()
        signed_in = status in SIGNED_IN
        self._open[person.id] = Open(had.sessions if signed_in else (), had.tokens if signed_in else (), had.remembered)
        self.log.add(
            event_type, f"User is now {status}", at=self.now(), actor=self.actor(), targets=[self.actor(person)],
            request_id=request_id,
        )  # fmt: skip

    def forget(self, person: Person) -> None:
        """Forget the remembered factors of a user's devices."""
        had = self.open_of(person.id)
        self._open[person.id] = Open(had.sessions, had.tokens, 0)

    def others_spend(self, bucket: str, n: int, *, same_token: bool = True) -> None:
        """`n` requests by somebody else: with the same token, or (unseen in our headers) elsewhere in the org."""
        self.limits.others_spend(bucket, n, self.now().timestamp(), same_token=same_token)

    def actor(self, person: Person | None = None) -> dict[str, str]:
        """A user as the System Log names one; by default the account behind the token."""
        who = person or self.me
        return {"id": who.id, "type": "User", "alternateId": who.login, "displayName": who.name}

    def totals(self) -> dict[str, object]:
        """What the org holds and what was asked of it, for a look from outside."""
        sums = [0, 0, 0]
        for person in self.users:
            if (one := self._open.get(person.id)) is not None:
                counts = len(one.sessions), len(one.tokens), one.remembered
            else:
                counts = self._began_with(person) if person.status in SIGNED_IN else (0, 0, 0)
            sums = [total + count for total, count in zip(sums, counts, strict=True)]
        return {
            "users": len(self.users),
            "sessions": sums[0],
            "tokens": sums[1],
            "remembered": sums[2],
            "revocations": self.revocations,
            "requests": dict(self.limits.requests),
            "rate_limited": dict(self.limits.rate_limited),
            "concurrency_limited": self.concurrency_limited,
            "unauthorized": self.unauthorized,
            "tokens_issued": self.office.count,
            "proofs_checked": self.office.proofs_checked,
            "first_resets": self.limits.first_resets(),
            "statuses": {
                status: sum(person.status == status for person in self.users) for status, _ in STATUSES
            },
        }  # fmt: skip

    def _column(self, attribute: str) -> Iterable[str | None]:
        quick: dict[str, Callable[[Person], str | None]] = {
            "id": lambda person: person.id,
            "status": lambda person: person.status,
            "profile.login": lambda person: person.login,
            "profile.email": lambda person: person.email,
            "profile.firstName": lambda person: person.first,
            "profile.lastName": lambda person: person.last,
            "profile.department": lambda person: person.department,
            "profile.displayName": lambda person: person.display or person.name,
            "type.id": lambda _: USER_TYPE,
        }
        if attribute in quick:
            return map(quick[attribute], self.users)
        if attribute.startswith("profile."):
            name = attribute.removeprefix("profile.")
            return (
                str(value) if (value := self.profile(person).get(name)) is not None else None for person in self.users
            )
        return (self.moments(person).get(attribute) for person in self.users)


def _groups(seed: int) -> tuple[DemoGroup, ...]:
    """The org's groups; who belongs to one follows from what the person is."""
    dice = Dice(seed, 0x60)

    def group(name: str, description: str, has: Callable[[Person], bool], built_in: bool = False) -> DemoGroup:
        return DemoGroup(dice.name("00g"), name, description, has, built_in)

    def department(name: str) -> DemoGroup:
        return group(name, f"Everybody in {name}", lambda person: person.department == name)

    return (
        group("Everyone", f"All users of {DOMAIN}", lambda _: True, built_in=True),
        *(department(name) for name, _ in DEPARTMENTS),
        group("Okta Admins", "Accounts with an admin role", lambda person: person.kind == "admin"),
        group("Break Glass", "Emergency accounts: keep out", lambda person: person.kind == "break glass"),
        group("Service Accounts", "No human behind them", lambda person: person.kind == "service"),
        group("Contractors", "People of partner companies", lambda person: person.kind == "contractor"),
        group("VPN Users", "May use the VPN", lambda person: person.kind != "service" and person.index % 3 == 0),
        group("Project [/x] Falcon", "[@click=app.quit]Need to know[/]", lambda person: person.index % 23 == 1),
        group("=1+1 取締役会", "Board \u202eyrotcerid", lambda person: person.index % 97 == 2),
    )
