"""The staged queue of one console as a file beside the history: locked while it lives, taken over when it is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from console.history.locks import SegmentLock
from console.history.records import PlanRecord
from console.okta.models import Profile, User, is_user_id
from console.paths import open_private, private_dir, write_private
from console.revocation.plan import OpenedPlan
from console.revocation.states import Item, Options
from console.text import sanitize

STAGED_VERSION = 1
PREFIX, SUFFIX, DAMAGED = "staged-", ".json", ".damaged"
MAX_BYTES = 64 << 20
"""Room for 100,000 users with long names."""

PATIENCE_S = 0.05
"""Another console that looks whether the file is held has it for an instant."""

Text = Annotated[str, AfterValidator(sanitize)]


def _user_id(text: str) -> str:
    if not is_user_id(text):
        raise ValueError("an ID is 20 letters and digits")
    return text


class StagedUnreadable(ValueError):
    """A kept queue that can't be read; the message says why."""


class StagedNewer(StagedUnreadable):
    """A kept queue of a newer Evict, which can read it."""


@dataclass(frozen=True, slots=True)
class Intended:
    """What the operator has set for what is staged and for what comes next."""

    case: str = ""
    reason: str = ""
    options: Options = field(default_factory=Options)
    plan: OpenedPlan | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class KeptItem(_Part):
    """One staged user: what the history will hold of it, and no more."""

    id: Text
    user: Annotated[str, AfterValidator(_user_id)]
    login: Text
    name: Text
    status: Text
    oauth_tokens: bool
    forget_devices: bool
    retries: Text

    def item(self) -> Item:
        """As it was staged, with as much of the user as was kept."""
        profile = Profile(login=self.login, displayName=self.name)
        user = User(id=self.user, status=self.status or "UNKNOWN", profile=profile)
        return Item(self.id, user, Options(self.oauth_tokens, self.forget_devices), retries=self.retries)


class KeptPlan(_Part):
    """The colleague's plan that was opened last."""

    record: PlanRecord
    case: Text
    reason: Text
    users: dict[str, tuple[bool, bool]]

    def opened(self) -> OpenedPlan:
        """As the review takes it."""
        return OpenedPlan(
            self.record, self.case, self.reason, {id_: Options(*both) for id_, both in self.users.items()}
        )


class KeptQueue(_Part):
    """A whole file."""

    evict_staged: Literal[1]
    saved_at: str
    org_id: str
    case: Text
    reason: Text
    oauth_tokens: bool
    forget_devices: bool
    items: tuple[KeptItem, ...]
    plan: KeptPlan | None

    @property
    def intended(self) -> Intended:
        """What the operator had set."""
        options = Options(self.oauth_tokens, self.forget_devices)
        return Intended(self.case, self.reason, options, self.plan.opened() if self.plan else None)


class _Version(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)
    evict_staged: int


def kept(items: Iterable[Item], intended: Intended, *, saved_at: str, org_id: str) -> bytes:
    """The content of a file. For a thread where it is long."""
    plan, options = intended.plan, intended.options
    content = KeptQueue(
        evict_staged=1,
        saved_at=saved_at,
        org_id=org_id,
        case=intended.case,
        reason=intended.reason,
        oauth_tokens=options.oauth_tokens,
        forget_devices=options.forget_devices,
        items=(),
        plan=None if plan is None else _kept_plan(plan),
    )
    # One by one: a long queue made into text at once would hold every other thread up.
    rows = ",".join([json.dumps(_kept_item(item)) for item in items])
    return content.model_dump_json().replace('"items":[]', f'"items":[{rows}]', 1).encode()


def _kept_item(item: Item) -> dict[str, Any]:
    """What `KeptItem` reads."""
    user, options = item.user, item.options
    return {
        "id": item.id,
        "user": user.id,
        "login": user.login,
        "name": user.name,
        "status": user.status,
        "oauth_tokens": options.oauth_tokens,
        "forget_devices": options.forget_devices,
        "retries": item.retries,
    }


def _kept_plan(plan: OpenedPlan) -> KeptPlan:
    users = {id_: (options.oauth_tokens, options.forget_devices) for id_, options in plan.users.items()}
    return KeptPlan(record=plan.record, case=plan.case, reason=plan.reason, users=users)


class StagedFile:
    """The file of one console. Every method blocks: for a thread. Not for two at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = SegmentLock(path)
        self._held = False

    def hold(self) -> None:
        """Make it ours for as long as we live. Raises OSError: Held where another console has it."""
        if not self._held:
            self._lock.acquire(PATIENCE_S)
            self._held = True

    def write(self, content: bytes) -> None:
        """Keep this and nothing else. Raises OSError."""
        private_dir(self.path.parent)
        self.hold()
        write_private(self.path, content, replace=True)

    def clear(self) -> None:
        """There is nothing to keep. Raises OSError."""
        self.path.unlink(missing_ok=True)

    def read(self) -> KeptQueue:
        """What is kept. Raises StagedUnreadable, OSError."""
        with os.fdopen(open_private(self.path, os.O_RDONLY), "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise StagedUnreadable("it is too large")
        try:
            if _Version.model_validate_json(raw).evict_staged > STAGED_VERSION:
                raise StagedNewer("a newer Evict left it")
            return KeptQueue.model_validate_json(raw)
        except ValidationError as error:
            first: Any = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"][:3])
            raise StagedUnreadable(sanitize(f"{place}: {first['msg']}" if place else first["msg"], limit=120)) from None

    def set_aside(self) -> Path:
        """Out of the way, for whoever wants to look at it; returns its new name. Raises OSError."""
        aside = self.path.with_suffix(DAMAGED)
        self.path.replace(aside)
        return aside

    def release(self) -> None:
        """Give it up; what is in it stays."""
        if self._held:
            self._held = False
            with suppress(OSError):
                self._lock.release()


def left_behind(folder: Path) -> Sequence[Path]:
    """The files of consoles, newest first; those that live hold theirs. Raises OSError."""
    return sorted(folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True)
