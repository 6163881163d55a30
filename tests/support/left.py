"""What a console leaves in the history when it dies in the middle of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from console.clock import Clock
from console.history.ids import new_id
from console.history.records import AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import History
from console.text import timestamp
from console.workspace import whoami

RILEY = OperatorRecord(os_user="riley", host="soc-1", principal="riley@acme.test", auth_mode="SSWS")


@dataclass(frozen=True)
class Left:
    """A batch of one user each for `users`: so many revoked, so many sent without an answer, the rest not sent."""

    users: Sequence[tuple[str, str]]
    """IDs and logins."""
    revoked: int = 0
    unknown: int = 0
    case: str = "INC-2041"
    reason: str = "stolen session cookies"
    org: str = "https://demo.okta.test"
    operator: OperatorRecord | None = None
    """None: whoever runs the tests."""
    age: timedelta = timedelta(minutes=12)
    oauth_tokens: bool = True


async def leave(folder: Path, left: Left, clock: Clock, make_id: Callable[[], str] | None = None) -> str:
    """Write it as a console of its own that is gone afterwards; returns the batch's ID."""
    at = timestamp(clock.now() - left.age)
    make_id = make_id or (lambda: new_id(clock))
    batch_id = make_id()
    records = [
        RevocationRecord(
            id=make_id(),
            batch_id=batch_id,
            case=left.case,
            reason=left.reason,
            org=left.org,
            operator=left.operator or whoami("SSWS"),
            user=UserRecord(id=user_id, login=login, name=login.partition("@")[0], status="ACTIVE"),
            options=OptionsRecord(oauth_tokens=left.oauth_tokens, forget_devices=False),
            queued_at=at,
        )
        for user_id, login in left.users
    ]
    history = History.open(folder, clock=clock)
    await history.add(records)
    for number, record in enumerate(records[: left.revoked + left.unknown]):
        tried = AttemptRecord(at=at)
        await history.attempt(record.id, tried)
        if number < left.revoked:
            answered = tried.model_copy(update={"status": 204, "request_id": f"req{number}", "milliseconds": 90})
            await history.finish(record.id, "revoked", answered)
    history.close()
    return batch_id
