"""A process that drains when told to, in a fork that can be killed: each start costs milliseconds.

Reads one JSON object a line (see `Order`), forks, says {"pid": …}, and when that child is gone {"ended": status}.
The child says {"confirmed": batch}, and puts every outcome that it was told of into the file `told`, one
"record outcome" a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from console.history.records import FINAL, AttemptRecord, RevocationRecord
from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.events import Event, ItemsChanged
from console.revocation.states import Options
from console.settings import Settings
from console.text import timestamp
from console.workspace import Workspace


@dataclass(frozen=True)
class Order:
    """What one child is to do: confirm `batches` of user IDs one after the other, or go on with what is left."""

    url: str
    token: str
    data: str
    told: str
    batches: list[list[str]]

    def line(self) -> str:
        """As the process reads it."""
        return json.dumps(asdict(self)) + "\n"


def say(**facts: Any) -> None:
    """In one write, as children and parent share the pipe."""
    os.write(1, (json.dumps(facts) + "\n").encode())


async def carry_out(order: Order) -> None:
    """Drain or resume, to the end if nobody kills us."""
    settings = Settings(org_url=order.url, token=SecretStr(order.token), data_dir=Path(order.data))
    workspace = await Workspace.open(settings)
    told = os.open(order.told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(record_id: str, outcome: str) -> None:
        os.write(told, f"{record_id} {outcome}\n".encode())

    def heard(event: Event) -> None:
        if isinstance(event, ItemsChanged):
            for item in event.items:
                if item.state.value in FINAL:
                    tell(item.id, item.state.value)

    workspace.events.subscribe(heard)
    try:
        if order.batches:
            await drain(workspace, order.batches)
        else:
            await resume(workspace, tell)
    finally:
        await workspace.aclose()


async def drain(workspace: Workspace, batches: Iterable[list[str]]) -> None:
    """Confirm one batch after the other while the first is sent already."""
    waiting = []
    for ids in batches:
        users = [User.model_validate({"id": id_, "profile": {"login": f"{id_}@acme.test"}}) for id_ in ids]
        staged = workspace.queue.stage(users, Options(oauth_tokens=True))
        batch = await workspace.dispatcher.confirm([item.id for item in staged.added], case="CRASH", reason="test")
        say(confirmed=batch.id)
        waiting.append(workspace.dispatcher.wait(batch.id))
    await asyncio.gather(*waiting)


async def resume(workspace: Workspace, tell: Any) -> None:
    """Take every open batch over and send what is left of it, eight at a time."""
    history = workspace.history
    for state in await asyncio.to_thread(history.batches):
        if not state.open:
            continue
        left = iter(await asyncio.to_thread(history.take_over, state.info.id))
        say(confirmed=state.info.id)
        await asyncio.gather(*(_send(workspace, left, tell) for _ in range(8)))


async def _send(workspace: Workspace, left: Iterable[RevocationRecord], tell: Any) -> None:
    for record in left:
        at = timestamp(workspace.clock.now())
        await workspace.history.attempt(record.id, AttemptRecord(at=at))
        try:
            done = await workspace.client.revoke_sessions(record.user.id, oauth_tokens=True, forget_devices=False)
        except OktaError as error:
            ended, attempt = "failed", AttemptRecord(at=at, error=str(error))
        else:
            ended = "revoked"
            attempt = AttemptRecord(at=at, status=done.status, request_id=done.request_id)
        await workspace.history.finish(record.id, ended, attempt)
        tell(record.id, ended)


def main() -> None:
    """Fork for every order until there are no more."""
    say(ready=os.getpid())
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if not child:
            status = 1
            try:
                asyncio.run(carry_out(order))
                status = 0
            except BaseException:  # noqa: BLE001 - whatever it is, the exit status tells
                traceback.print_exc()
            finally:
                os._exit(status)
        say(pid=child)
        _, status = os.waitpid(child, 0)
        say(ended=status)


if __name__ == "__main__":
    main()
