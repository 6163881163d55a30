"""What Okta returns, typed. Foreign text is made safe here, once, and unknown fields are ignored."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from console.text import sanitize

USER_ID = re.compile(r"[A-Za-z0-9]{20}", re.ASCII)


def is_user_id(value: str) -> bool:
    """Whether `value` has the form of an Okta ID: exactly 20 ASCII letters and digits."""
    return USER_ID.fullmatch(value) is not None


def _safe(value: Any) -> str:
    """Any JSON value as safe text; a field of a wrong type must not cost us the user."""
    if value is None:
        return ""
    return sanitize(value if isinstance(value, str) else str(value))


def _shared(value: Any) -> str:
    """The same, for what many users have in common: all of them hold one text."""
    return sys.intern(_safe(value))


def _moment(value: Any) -> Any:
    """A time, or None where Okta sent something that is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


SafeText = Annotated[str, BeforeValidator(_safe)]
SharedText = Annotated[str, BeforeValidator(_shared)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


CONFIG = ConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)
"""Tolerant of unknown fields, and silent about values when they do not fit."""


class Model(BaseModel):
    """What Okta returns few of; frozen."""

    model_config = ConfigDict(frozen=True, **CONFIG)


class Compact:
    """What Okta returns 100,000 of: a model without the two dictionaries and the set that each of pydantic's holds.

    Those are 2 kB a user, which is most of what a user takes.
    """

    __slots__ = ()

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """As a model's. Raises pydantic's ValidationError."""
        validated: Self = cls.__pydantic_validator__.validate_python(value)  # type: ignore[attr-defined]
        return validated


@dataclass(frozen=True, slots=True, config=CONFIG)
class Profile(Compact):
    """The part of a user's profile that Evict reads."""

    login: SafeText = ""
    email: SafeText = ""
    first_name: SharedText = Field(default="", alias="firstName")
    last_name: SharedText = Field(default="", alias="lastName")
    display_name: SafeText = Field(default="", alias="displayName")
    title: SharedText = ""
    department: SharedText = ""
    manager: SharedText = ""
    user_type: SharedText = Field(default="", alias="userType")

    def __post_init__(self) -> None:
        """Most people sign in with their email: one text for both."""
        if self.email == self.login:
            object.__setattr__(self, "email", self.login)


@dataclass(frozen=True, slots=True, config=CONFIG)
class User(Compact):
    """An Okta user. `id` is always 20 ASCII letters and digits; `status` is open, as Okta may add to it."""

    id: str = Field(pattern=r"^[A-Za-z0-9]{20}$")
    status: SharedText = "UNKNOWN"
    profile: Profile = Profile()
    created: Moment = None
    activated: Moment = None
    status_changed: Moment = Field(default=None, alias="statusChanged")
    last_login: Moment = Field(default=None, alias="lastLogin")
    last_updated: Moment = Field(default=None, alias="lastUpdated")
    password_changed: Moment = Field(default=None, alias="passwordChanged")

    @property
    def login(self) -> str:
        """The login, safe to show."""
        return self.profile.login

    @property
    def email(self) -> str:
        """The primary email, safe to show."""
        return self.profile.email

    @property
    def name(self) -> str:
        """First and last name, else the display name, else the login."""
        full = f"{self.profile.first_name} {self.profile.last_name}".strip()
        return full or self.profile.display_name or self.profile.login


class Group(Model):
    """An Okta group."""

    id: str = Field(pattern=r"^[A-Za-z0-9]{20}$")
    name: SafeText = ""
    description: SafeText = ""


class OAuthClient(Model):
    """An app that has OAuth tokens or grants of a user."""

    id: SafeText = Field(default="", alias="client_id")
    name: SafeText = Field(default="", alias="client_name")


class Grant(Model):
    """One scope that an OAuth client may use for a user. A revocation of sessions and tokens leaves it."""

    client_id: SafeText = Field(default="", alias="clientId")
    scope: SafeText = Field(alias="scopeId")
    status: SafeText = ""


class AdminRole(Model):
    """An admin role of a user, its own or one of a group it is in."""

    type: SafeText
    """`SUPER_ADMIN` and so on; open, as Okta adds to it."""
    label: SafeText = ""
    assignment: SafeText = Field(default="", alias="assignmentType")
    """`USER` or `GROUP`."""
    status: SafeText = ""

    @property
    def name(self) -> str:
        """By the name people use."""
        return self.label or self.type


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Listed(Generic[R]):
    """The first page of a list; `more` where it goes on."""

    rows: tuple[R, ...]
    more: bool = False


class OrgInfo(Model):
    """What `/.well-known/okta-organization` tells without a credential."""

    id: SafeText = ""
    pipeline: SafeText = ""
    """`idx` on Identity Engine, `v1` on Classic."""

    @property
    def engine(self) -> str:
        """The engine by the name people use."""
        return {"idx": "Identity Engine", "v1": "Classic Engine"}.get(self.pipeline, "unknown engine")
