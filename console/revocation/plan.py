"""A plan: whom a batch would revoke, how and why; made by one operator to be looked at, and run, by another."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from console import __version__
from console.history.records import OperatorRecord, PlanRecord
from console.okta.models import User, is_user_id
from console.revocation.forecast import Plan as Price
from console.revocation.guard import Guard
from console.revocation.resolver import Resolved
from console.revocation.states import Item, Options
from console.text import count, sanitize, timestamp

PLAN_VERSION = 1
WORDS = 400
"""Characters of a sentence that came with a plan."""

Text = Annotated[str, AfterValidator(sanitize)]
Sentence = Annotated[str, AfterValidator(lambda text: sanitize(text, limit=WORDS))]


def _user_id(text: str) -> str:
    if not is_user_id(text):
        raise ValueError("an ID is 20 letters and digits")
    return text


class _Part(BaseModel):
    # What is not known is refused: to pass over it would be to do something else than was planned.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class _Person(_Part):
    """A user as it was when the plan was made."""

    id: Annotated[str, AfterValidator(_user_id)]
    login: Text
    name: Text
    status: Text


class PlannedUser(_Person):
    """One who would be revoked."""

    oauth_tokens: bool
    forget_devices: bool
    service_account: bool
    """Whether software may stand behind the account."""

    @property
    def options(self) -> Options:
        """What would be revoked besides the sessions."""
        return Options(self.oauth_tokens, self.forget_devices)


class RefusedUser(_Person):
    """One whom the guard kept out."""

    why: Sentence


class UnresolvedTarget(_Part):
    """A target that gave no user."""

    target: Text
    line: int | None
    why: Sentence


class Org(_Part):
    """The org that the plan is for. `id` is empty where it was not known."""

    url: Text
    id: Text


class Planner(_Part):
    """Who made the plan: at this machine, and as Okta saw them."""

    os_user: Text
    host: Text
    principal: Text
    auth_mode: Text


class Counts(_Part):
    """How many there are of each."""

    users: int
    refused: int
    unresolved: int
    duplicates: int
    service_accounts: int


class Cost(_Part):
    """What it would have taken when it was made; without an answer of the org's the last two are not known."""

    requests: int
    windows: int | None
    seconds: float | None


class BatchPlan(_Part):
    """All of it. `sha256` is a checksum over the rest: it shows a change, and proves nobody's hand."""

    evict_plan: Literal[1]
    evict: Text
    made_at: str
    made_by: Planner
    org: Org
    case: Text
    reason: Text
    counts: Counts
    cost: Cost
    cautions: tuple[Sentence, ...]
    """What of the guard could not be loaded."""
    users: Annotated[tuple[PlannedUser, ...], Field(min_length=1)]
    refused: tuple[RefusedUser, ...]
    unresolved: tuple[UnresolvedTarget, ...]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("made_at")
    @classmethod
    def _is_a_moment(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("it has no time zone")
        return timestamp(datetime.fromisoformat(value))

    @model_validator(mode="after")
    def _adds_up(self) -> BatchPlan:
        if len({user.id for user in self.users}) < len(self.users):
            raise ValueError("a user is in it twice")
        found = (len(self.users), len(self.refused), len(self.unresolved))
        if found != (self.counts.users, self.counts.refused, self.counts.unresolved):
            raise ValueError("its counts are not those of its lists")
        return self

    @property
    def record(self) -> PlanRecord:
        """What the history keeps of it."""
        by = self.made_by
        return PlanRecord(
            os_user=by.os_user, host=by.host, principal=by.principal, made_at=self.made_at, sha256=self.sha256
        )

    def age_s(self, now: datetime) -> float:
        """Seconds since it was made; none before it was."""
        return max(0.0, (now - datetime.fromisoformat(self.made_at)).total_seconds())

    def options(self) -> list[tuple[Options, int]]:
        """What would be revoked, and for how many users; the most frequent first."""
        return Counter(user.options for user in self.users).most_common()


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 over what a plan says, however it is laid out in its file; of `sha256` itself nothing."""
    said = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def make_plan(
    users: Iterable[tuple[User, Options]],
    *,
    refused: Iterable[tuple[User, str]],
    unresolved: Iterable[Resolved],
    org: tuple[str, str],
    by: OperatorRecord,
    at: datetime,
    why: tuple[str, str],
    guard: Guard,
    price: Price,
    duplicates: int = 0,
) -> BatchPlan:
    """A plan; `org` is its URL and ID, `why` case and reason. ValueError where nobody is in it, or one user twice."""
    planned = [_planned(user, options, guard) for user, options in users]
    kept_out = [_person(user) | {"why": why} for user, why in refused]
    missed = [{"target": one.target.text, "line": one.target.line, "why": one.why} for one in unresolved]
    content: dict[str, Any] = {
        "evict_plan": PLAN_VERSION,
        "evict": __version__,
        "made_at": timestamp(at),
        "made_by": by.model_dump(),
        "org": {"url": org[0], "id": org[1]},
        "case": why[0],
        "reason": why[1],
        "cost": _cost(price),
        "cautions": tuple(guard.problems),
        "users": tuple(planned),
        "refused": tuple(kept_out),
        "unresolved": tuple(missed),
        "counts": _counts(planned, kept_out, missed, duplicates),
    }
    # The checksum is of the texts as they are kept, made safe.
    plan = BatchPlan.model_validate({**content, "sha256": "0" * 64})
    return plan.model_copy(update={"sha256": checksum(plan.model_dump(mode="json"))})


def _counts(
    planned: Sequence[Mapping[str, Any]], kept_out: Sequence[object], missed: Sequence[object], duplicates: int
) -> dict[str, int]:
    return {
        "users": len(planned),
        "refused": len(kept_out),
        "unresolved": len(missed),
        "duplicates": duplicates,
        "service_accounts": sum(one["service_account"] for one in planned),
    }


def _planned(user: User, options: Options, guard: Guard) -> dict[str, Any]:
    return {
        **_person(user),
        "oauth_tokens": options.oauth_tokens,
        "forget_devices": options.forget_devices,
        "service_account": guard.looks_like_service(user),
    }


def _person(user: User) -> dict[str, Any]:
    return {"id": user.id, "login": user.login, "name": user.name, "status": user.status}


def _cost(price: Price) -> dict[str, Any]:
    known = price.seconds is not None
    return {
        "requests": price.requests,
        "windows": price.windows if known else None,
        "seconds": None if price.seconds is None else round(float(price.seconds), 1),
    }


def same_person(plan: PlanRecord, operator: OperatorRecord) -> str:
    """Why a plan's second pair of eyes may be its first, as a sentence; empty where another person runs it."""
    seat = plan.os_user == operator.os_user
    known = bool(plan.principal and operator.principal)
    account = known and plan.principal.casefold() == operator.principal.casefold()
    if account and not seat:
        return "You use the Okta account that the plan was made with: Okta can't tell you from the planner."
    if account or (seat and not known):
        return "You planned it yourself: nobody else has looked at it."
    if seat and plan.host == operator.host:
        return "It was planned from this account on this machine, with another Okta account."
    return ""


@dataclass(frozen=True, slots=True)
class OpenedPlan:
    """What is remembered of a plan whose users are in the queue, to know whether what is run is what was planned."""

    record: PlanRecord
    case: str
    reason: str
    users: Mapping[str, Options]
    """By ID."""

    @classmethod
    def of(cls, plan: BatchPlan) -> OpenedPlan:
        """Of a plan as it was read."""
        return cls(plan.record, plan.case, plan.reason, {user.id: user.options for user in plan.users})

    def age_s(self, now: datetime) -> float:
        """Seconds since it was made; none before it was."""
        return max(0.0, (now - datetime.fromisoformat(self.record.made_at)).total_seconds())

    def concerns(self, items: Iterable[Item]) -> bool:
        """Whether any of them is of the plan."""
        return any(item.user.id in self.users for item in items)

    def departures(self, items: Sequence[Item], *, case: str, reason: str) -> tuple[str, ...]:
        """How a batch goes beyond the plan, a sentence each; none for one that is the plan, or a part of it."""
        said = []
        strangers = sum(item.user.id not in self.users for item in items)
        other = sum(item.user.id in self.users and self.users[item.user.id] != item.options for item in items)
        if strangers:
            said.append(f"{count(strangers, 'user')} {'is' if strangers == 1 else 'are'} not in the plan.")
        if other:
            said.append(f"For {count(other, 'user')} something else is revoked than was planned.")
        if case != self.case:
            said.append(f"The case is another than the plan's, which is {self.case or 'none'}.")
        if reason != self.reason:
            said.append(f"The reason is another than the plan's, which is {self.reason or 'none'}.")
        return tuple(said)
