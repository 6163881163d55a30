"""The record of one revocation. Times are UTC, RFC 3339, milliseconds. No secrets, no profile beyond these fields."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

RECORD_VERSION = 1

RecordOutcome = Literal["queued", "sending", "revoked", "not_found", "denied", "failed", "unknown", "cancelled"]
"""`queued`: never sent. `sending`: an attempt is under way, in the console that holds the segment; read from a
segment whose console is gone it is `unknown`. The rest are final."""

OUTCOMES: tuple[str, ...] = get_args(RecordOutcome)

ME = "me"
"""Stands for the ID of whoever ended their own sessions: Okta goes by the cookie or the sign-in there."""
FINAL: frozenset[str] = frozenset({"revoked", "not_found", "denied", "failed", "unknown", "cancelled"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OperatorRecord(_Part):
    """Who was at the console, and who Okta saw."""

    os_user: str
    host: str
    principal: str = ""
    """Login of the Okta user behind the credential; empty where it could not be read."""
    auth_mode: str = ""
    """`SSWS` or `Bearer`."""


class PlanRecord(_Part):
    """The plan that a batch was run from: somebody made it, and maybe another one confirmed it."""

    os_user: str
    host: str
    principal: str = ""
    made_at: str
    sha256: str
    """Checksum of the plan file, by which it is found among others."""


class UserRecord(_Part):
    """The user as it was when the batch was confirmed."""

    id: str
    login: str = ""
    name: str = ""
    status: str = ""


class OptionsRecord(_Part):
    """What was revoked besides the sessions; both were sent explicitly."""

    oauth_tokens: bool
    forget_devices: bool


class AttemptRecord(_Part):
    """One request. Without a status: sent, and no answer was seen."""

    at: str
    status: int | None = None
    error_code: str | None = None
    request_id: str | None = None
    milliseconds: int | None = None
    error: str | None = None
    """What went wrong, in words, where something did."""
    principal: str | None = None
    """Whom Okta saw, where that is somebody else than at the confirmation: the credential was changed meanwhile."""


class RevocationRecord(_Part):
    """One user, once: what was asked, by whom and why, every attempt, and how it ended."""

    id: str
    """Sortable by time, unique across consoles."""
    batch_id: str
    case: str = ""
    reason: str = ""
    org: str
    """Org URL."""
    operator: OperatorRecord
    user: UserRecord
    options: OptionsRecord
    outcome: RecordOutcome = "queued"
    attempts: tuple[AttemptRecord, ...] = ()
    queued_at: str
    finished_at: str | None = None
    planned: PlanRecord | None = None
    """Who planned the batch, where it was run from a plan; who ran it is the operator."""
    version: int = RECORD_VERSION
