"""The users of the demo org: decided by a seed, cheap to make by the hundred thousand, details made when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.demo.dice import Dice
from console.demo.names import CITIES, DEPARTMENTS, PERSONAS, POOLS, SERVICES, TITLES, Pair, Persona
from console.text import timestamp

DOMAIN = "acme.test"
PARTNER_DOMAIN = "northwind.test"
USER_TYPE = "oty1demo0ACMEdemo0g4"

STATUSES = (
    ("ACTIVE", 840),
    ("PASSWORD_EXPIRED", 38),
    ("DEPROVISIONED", 36),
    ("SUSPENDED", 24),
    ("LOCKED_OUT", 20),
    ("PROVISIONED", 18),
    ("STAGED", 14),
    ("RECOVERY", 10),
)
"""Every status Okta has, with how many of a thousand users are in it."""
SIGNED_IN = frozenset({"ACTIVE", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY"})
"""Statuses in which sessions may be open."""


@dataclass(slots=True, eq=False)
class Person:
    """One user. `first` and `last` are text as it stands, hostile or None; `kind` says what the account is."""

    index: int
    id: str
    login: str
    email: str
    first: str | None
    last: str | None
    department: str
    kind: str
    """`employee`, `contractor`, `service`, `admin` or `break glass`."""
    status: str
    title: str | None = None
    display: str | None = None
    changed: datetime | None = None
    """When the status was last changed by a call, None if never."""

    @property
    def name(self) -> str:
        """First and last name, else the display name, else the login; not made safe."""
        full = " ".join(part for part in (self.first, self.last) if part)
        return full or self.display or self.login


def _table(weighted: Sequence[tuple[Any, int]]) -> tuple[Any, ...]:
    """A value as often as it weighs, so that one pick suffices."""
    return tuple(value for value, weight in weighted for _ in range(weight))


_STATUSES = _table(STATUSES)
_DEPARTMENTS = _table(DEPARTMENTS)
_POOLS = _table([(pool, pool.weight) for pool in POOLS])
_RARE = tuple(status for status, _ in STATUSES[1:])


class People:
    """All users, in the order they were made; the first is the account behind the token.

    `seed` decides everything but the dates, which count back from `born`.
    """

    def __init__(self, *, seed: int, count: int, born: datetime) -> None:
        if count < 1:
            raise ValueError("an org has at least one user: the account behind the token")
        self._seed = seed
        self._born = born.replace(microsecond=0)
        self._logins: dict[str, int] = {}
        self._ordinary = 0
        every = max(1, min(6, count // len(PERSONAS)))
        self.everybody = [self._make(index, every) for index in range(count)]
        self.by_id = {person.id: person for person in self.everybody}
        self._by_login = {person.login.lower(): person for person in self.everybody}
        self._by_short = {login.partition("@")[0]: person for login, person in self._by_login.items()}

    def find(self, id_or_login: str) -> Person | None:
        """By ID, login or the part of a login before the @."""
        wanted = id_or_login.lower()
        return self.by_id.get(id_or_login) or self._by_login.get(wanted) or self._by_short.get(wanted)

    def _make(self, index: int, every: int) -> Person:
        slot, rest = divmod(index, every)
        dice = Dice(self._seed, index)
        if rest == 0 and slot < len(PERSONAS):
            return self._persona(index, PERSONAS[slot], dice)
        return self._ordinary_person(index, dice)

    def _persona(self, index: int, persona: Persona, dice: Dice) -> Person:
        login = self._login(persona.login)
        return Person(
            index, dice.name("00u"), login, login, persona.first, persona.last, persona.department, persona.kind,
            persona.status, persona.title, persona.display,
        )  # fmt: skip

    def _ordinary_person(self, index: int, dice: Dice) -> Person:
        number = self._ordinary
        self._ordinary += 1
        bits = dice.bits()
        status: str = _STATUSES[bits % len(_STATUSES)]
        if number % 4 == 3 and number // 4 < len(_RARE):
            status = _RARE[number // 4]  # every status is there, however small the org
        bits >>= 12
        if number % 29 == 4:
            what = SERVICES[number // 29 % len(SERVICES)]
            login = self._login(f"svc-{what}")
            return Person(index, dice.name("00u"), login, login, what, "Service", "IT", "service", "ACTIVE")
        department: str = _DEPARTMENTS[bits % len(_DEPARTMENTS)]
        bits >>= 10
        pool = _POOLS[bits % len(_POOLS)]
        bits >>= 10
        first: Pair = pool.first[bits % len(pool.first)]
        bits >>= 8
        last: Pair = pool.last[bits % len(pool.last)]
        bits >>= 8
        contractor = bits % 16 == 0
        local = f"{first[1]}.{last[1]}" + (".ext" if contractor else "")
        login = self._login(local)
        email = f"{login.partition('@')[0].replace('.ext', '')}@{PARTNER_DOMAIN}" if contractor else login
        kind = "contractor" if contractor else "admin" if number % 211 == 210 else "employee"
        return Person(index, dice.name("00u"), login, email, first[0], last[0], department, kind, status)

    def _login(self, local: str) -> str:
        """A login nobody has: a second `anna.hill` is `anna.hill2`."""
        number = self._logins.get(local, 0) + 1
        self._logins[local] = number
        return f"{local}{number if number > 1 else ''}@{DOMAIN}"

    def profile(self, person: Person) -> dict[str, Any]:
        """The profile as the API returns it."""
        dice = Dice(self._seed, person.index, 1)
        city, country, zone = dice.pick(CITIES)
        title = person.title or (None if person.kind == "service" else dice.pick(TITLES[person.department]))
        boss = self.everybody[person.index // 9]
        return {
            "firstName": person.first,
            "lastName": person.last,
            "login": person.login,
            "email": person.email,
            "secondEmail": None,
            "mobilePhone": None,
            "displayName": person.display or person.name,
            "title": title,
            "department": person.department,
            "organization": "Acme",
            "userType": person.kind.title(),
            "employeeNumber": str(100_000 + person.index),
            "manager": boss.name if boss is not person else None,
            "managerId": boss.login if boss is not person else None,
            "city": city,
            "countryCode": country,
            "timezone": zone,
            "locale": "en_US",
        }

    def moments(self, person: Person) -> dict[str, str | None]:
        """The times of a user, RFC 3339, None where it never happened."""
        dice = Dice(self._seed, person.index, 2)
        created = self._born - timedelta(days=20 + dice.below(2500), seconds=dice.below(86_400))
        activated = None if person.status == "STAGED" else created + timedelta(seconds=60 + dice.below(7200))
        signed_in = None
        if person.status not in {"STAGED", "PROVISIONED"}:
            # Most people signed in within the day, some a season ago.
            ago = timedelta(minutes=dice.below(600)) if dice.below(4) else timedelta(hours=dice.below(2000))
            signed_in = max(created, self._born - ago)
        password = None if activated is None else created + (self._born - created) * dice.chance()
        changed = person.changed or (activated if person.status == "ACTIVE" else password or created)
        updated = max(moment for moment in (created, activated, password, changed) if moment)
        times = {
            "created": created,
            "activated": activated,
            "statusChanged": changed,
            "lastLogin": signed_in,
            "lastUpdated": updated,
            "passwordChanged": password,
        }
        return {name: timestamp(moment) if moment else None for name, moment in times.items()}
