"""`evict resume`: what was left unfinished is told exactly, gone on with once, or closed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.demo.faults import Latency
from console.history.store import History
from console.org_history import history_folder
from console.revocation.events import ItemsChanged
from console.revocation.states import State
from console.settings import load
from console.workspace import Workspace, whoami
from tests.support.cli import Done, Shell, make_shell
from tests.support.left import RILEY, Left, leave
from tests.unit.cli.test_cli_revoke import counts, when_revoked


def folder() -> Path:
    return history_folder(load())


def left(evict: Shell, number: int, **what: Any) -> str:
    """A batch of that many users whose console is gone; its ID."""
    logins = {one.id: one.login for one in evict.org.users}
    users = [(id_, logins[id_]) for id_ in evict.ids(number)]
    batch: str = asyncio.run(leave(folder(), Left(users, **what), evict.org.clock))  # type: ignore[arg-type]
    return batch


def outcomes(evict: Shell) -> Counter[str]:
    return Counter(record["outcome"] for record in evict("history", "list", "--json").records)


def test_nothing_left_is_said_and_no_failure(evict: Shell) -> None:
    done = evict("resume")
    assert done.code == 0
    assert "Nothing to resume" in done.err
    assert evict("resume", "--yes", "--json").summary["batch_id"] is None


def test_an_interrupted_batch_is_finished_under_the_same_ids(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"users": 20})
    evict.on_open = when_revoked(5, lambda: signal.raise_signal(signal.SIGINT))
    first = evict("revoke", *evict.ids(24), "--yes", "--json", "--oauth-tokens", "--case", "INC-7")  # one look-up
    assert first.code == 130
    evict.on_open = lambda workspace: None
    queued = counts(first)["queued"]
    ids = {line["id"] for line in first.of("revocation") if line["outcome"] == "queued"}
    done = evict("resume", "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": queued})
    assert {line["id"] for line in done.of("revocation")} == ids
    assert done.summary["batch_id"] == first.summary["batch_id"]
    assert done.summary["before"] == {"revoked": counts(first)["revoked"], "queued": queued}
    assert {(line["case"], line["oauth_tokens"]) for line in done.of("revocation")} == {("INC-7", True)}
    assert set(outcomes(evict)) == {"revoked"}
    assert evict("history", "verify").code == 0
    assert "Nothing to resume" in evict("resume", "--yes").err


def test_it_says_exactly_how_the_batch_stands(evict: Shell) -> None:
    batch = left(evict, 20, revoked=8, unknown=3)
    done = evict("resume", answer="no")
    assert done.code == 1
    for said in (batch, "8 revoked, 3 unknown (sent, no answer seen), 9 not sent", "INC-2041", "stolen session cookies",
                 whoami("SSWS").os_user, "sends      12 users",
                 "of 12: every session, OAuth tokens",
                 "sessions opened since", "Type the number of users (12)",
                 "Not confirmed: nothing was changed"):  # fmt: skip
        assert said in done.err, said
    assert evict.org.revocations == 0


@pytest.mark.parametrize(("number", "answer", "code"), [(3, "y", 0), (3, "", 1), (12, "12", 0), (12, "y", 1)])
def test_a_person_confirms_as_in_a_review(evict: Shell, number: int, answer: str, code: int) -> None:
    left(evict, number)
    assert evict("resume", answer=answer).code == code
    assert evict.org.revocations == (number if code == 0 else 0)


def test_nobody_there_to_confirm(evict: Shell) -> None:
    left(evict, 2)
    done = evict("resume")
    assert (done.code, evict.org.revocations) == (2, 0)
    assert "add --yes" in done.err


def test_unknown_ones_are_sent_again_unless_kept(evict: Shell) -> None:
    batch = left(evict, 10, revoked=2, unknown=3)
    done = evict("resume", "--yes", "--keep-unknown", "--json")
    assert (done.code, counts(done)) == (1, {"revoked": 5, "unknown": 3})
    assert outcomes(evict) == {"revoked": 7, "unknown": 3}
    assert "has ended" in evict("resume", batch).err, "who keeps them has had the last word"
    left(evict, 10, revoked=2, unknown=3)
    done = evict("resume", "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": 8})
    assert {len(one["attempts"]) for one in evict("history", "list", "--json").records if one["batch_id"] != batch} == {
        1,
        2,
    }


def test_only_unknown_ones_and_those_kept_leave_nothing_to_send(evict: Shell) -> None:
    left(evict, 3, unknown=3)
    done = evict("resume", "--yes", "--keep-unknown")
    assert (done.code, evict.org.revocations) == (1, 0)
    assert "--close" in done.err


def test_it_can_be_closed_instead(evict: Shell) -> None:
    batch = left(evict, 10, revoked=2, unknown=3)
    assert evict("resume", "--close", answer="no").code == 1
    done = evict("resume", "--close", "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"cancelled": 5, "unknown": 3})
    assert evict.org.revocations == 0
    assert outcomes(evict) == {"revoked": 2, "unknown": 3, "cancelled": 5}
    assert "Nothing to resume" in evict("resume").err
    done = evict("resume", batch)
    assert done.code == 0
    assert f"closed by {whoami('SSWS').os_user}" in done.err


def test_several_are_listed_and_the_newest_is_taken(evict: Shell) -> None:
    older = left(evict, 4, age=timedelta(hours=2))
    newest = left(evict, 5)
    done = evict("resume", "--yes")
    assert done.code == 0
    assert "2 batches unfinished" in done.err
    assert f"> Batch {newest}" in done.err
    assert f"  Batch {older}" in done.err
    assert evict.org.revocations == 5
    done = evict("resume", older.lower(), "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": 4})
    (batch,) = done.of("batch")
    assert (batch["batch_id"], batch["queued"], batch["chosen"], batch["held"]) == (older, 4, True, False)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"operator": RILEY}, "Another operator confirmed it: riley on soc-1"),
        ({"age": timedelta(days=3)}, "3 days ago"),
    ],
)
def test_what_may_not_be_yours_to_resume_must_be_named(evict: Shell, what: dict[str, Any], said: str) -> None:
    batch = left(evict, 2, **what)
    done = evict("resume", "--yes")
    assert (done.code, evict.org.revocations) == (2, 0)
    assert said in done.err
    assert f"evict resume {batch}" in done.err
    done = evict("resume", batch, "--yes")
    assert (done.code, evict.org.revocations) == (0, 2)
    assert said in done.err, "and said all the same"


def test_no_such_batch(evict: Shell) -> None:
    left(evict, 2)
    assert evict("resume", "01JUNK", "--yes").code == 1
    assert evict.org.revocations == 0


def test_a_batch_that_a_console_works_on_is_refused(evict: Shell) -> None:
    batch = left(evict, 3)

    async def hold() -> History:
        history = History.open(folder(), clock=evict.org.clock)
        history.take_over(batch)
        return history

    holder: History = asyncio.run(hold())
    try:
        for argv in (("resume", "--yes"), ("resume", batch, "--yes"), ("resume", batch, "--close", "--yes")):
            done = evict(*argv)
            assert (done.code, evict.org.revocations) == (1, 0)
            assert "works on it" in done.err
    finally:
        holder.close()
    assert evict("resume", "--yes").code == 0


def test_it_is_refused_also_where_another_console_took_it_in_between(
    evict: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = left(evict, 3)
    others: list[History] = []
    real = History.take_over

    def late(self: History, batch_id: str) -> Any:
        if not others:
            others.append(History.open(folder(), clock=evict.org.clock))
            real(others[0], batch_id)
        return real(self, batch_id)

    monkeypatch.setattr(History, "take_over", late)
    done = evict("resume", batch, "--yes", "--json")
    others[0].close()
    assert (done.code, evict.org.revocations) == (1, 0)
    assert outcomes(evict) == {"queued": 3}


def test_the_guard_holds_again(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    login = {one.id: one.login for one in evict.org.users}[evict.ids(1)[0]]
    left(evict, 3)
    monkeypatch.setenv("EVICT_PROTECTED_USERS", login)
    done = evict("resume", "--yes", "--json")
    assert (done.code, counts(done)) == (1, {"revoked": 2, "cancelled": 1})
    assert login in done.err
    (kept,) = [line for line in done.of("revocation") if line["outcome"] == "cancelled"]
    assert "protected_users" in kept["why"]


def test_a_name_that_has_changed_is_judged_as_it_is_now(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    one = next(each for each in evict.org.users if each.id == evict.ids(1)[0])
    left(evict, 3, age=timedelta(hours=3))
    one.login = "breakglass@acme.test"
    monkeypatch.setenv("EVICT_PROTECTED_USERS", "breakglass@acme.test")
    done = evict("resume", "--yes", "--json")
    assert counts(done) == {"revoked": 2, "cancelled": 1}


def test_a_read_only_console_resumes_nothing(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    left(evict, 2)
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    assert evict("resume", "--yes").code == 2
    assert evict.org.revocations == 0


def test_a_signal_leaves_it_to_be_resumed_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evict = make_shell(monkeypatch, capsys, limits={"users": 20})
    batch = left(evict, 40)
    evict.on_open = when_revoked(5, lambda: signal.raise_signal(signal.SIGTERM))
    done = evict("resume", "--yes", "--json")
    found = counts(done)
    assert done.code == 130
    assert found.keys() == {"revoked", "queued"}
    assert f"evict resume {batch}" in done.err
    evict.on_open = lambda workspace: None
    again = evict("resume", "--yes", "--json")
    assert (again.code, counts(again)) == (0, {"revoked": found["queued"]})
    assert evict.org.revocations == 40


def test_a_bad_token_has_its_own_code(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    left(evict, 2)
    monkeypatch.setenv("EVICT_TOKEN", "00wrong")
    assert evict("resume", "--yes").code == 3
    monkeypatch.undo()


# A history that fails meanwhile


def fails_between(monkeypatch: pytest.MonkeyPatch, evict: Shell, first: int, seconds: float) -> None:
    """No room on the disk for so long, from the moment on at which so many are revoked."""
    real = History.attempt
    began: list[float] = []

    def full() -> None:
        if evict.org.revocations >= first:
            began.append(evict.org.clock.monotonic())
        if began and evict.org.clock.monotonic() < began[0] + seconds:
            raise OSError(28, "No space left on device")

    async def attempt(self: History, record_id: str, tried: Any) -> None:
        full()
        await real(self, record_id, tried)

    monkeypatch.setattr(History, "attempt", attempt)
    monkeypatch.setattr(History, "writable", lambda self: full())


@pytest.mark.parametrize("command", ["revoke", "resume"])
def test_it_waits_for_the_history_and_goes_on(evict: Shell, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    if command == "resume":
        left(evict, 30)
    fails_between(monkeypatch, evict, 3, 40.0)
    done = (
        evict("revoke", *evict.ids(30), "--yes", "--json")
        if command == "revoke"
        else evict("resume", "--yes", "--json")
    )
    assert (done.code, counts(done)) == (0, {"revoked": 30})
    assert "No space left" in done.err
    assert "Waiting for 1 min at most" in done.err
    assert "can be written again. Going on" in done.err
    assert done.summary["elapsed_s"] >= 40
    assert outcomes(evict) == {"revoked": 30}


def test_where_nobody_watches_it_gives_up_after_a_minute_and_all_can_be_resumed(
    evict: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fails_between(patch, evict, 3, 1e9)
        done = evict("revoke", *evict.ids(30), "--yes", "--json")
    found = counts(done)
    assert done.code == 2
    assert 60 <= done.summary["elapsed_s"] < 75
    assert evict.org.revocations == found["revoked"]
    assert f"evict resume {done.summary['batch_id']}" in done.err
    again = evict("resume", "--yes", "--json")
    assert (again.code, counts(again)) == (0, {"revoked": found["queued"]})


def test_a_signal_ends_the_wait(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_between(monkeypatch, evict, 3, 1e9)

    def on_open(workspace: Any) -> None:
        async def interrupt() -> None:
            await workspace.clock.sleep(20)
            os.kill(os.getpid(), signal.SIGINT)

        tasks.append(asyncio.get_running_loop().create_task(interrupt()))

    tasks: list[asyncio.Task[None]] = []
    evict.on_open = on_open
    done: Done = evict("revoke", *evict.ids(30), "--yes", "--json")
    assert done.code == 130
    assert done.summary["elapsed_s"] < 40
    assert counts(done)["queued"]


class Disk:
    """The disk under the history: while it is full nothing gets onto it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        for name in ("fdatasync", "fsync"):
            if hasattr(os, name):
                monkeypatch.setattr(os, name, self._sync(getattr(os, name)))

    def _sync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            if self.full:
                raise OSError(28, "No space left on device")
            real(descriptor)

        return sync


def fills(disk: Disk, seconds: float) -> Callable[[Workspace], None]:
    """The disk gets full while the first answers are on their way, for so long."""
    tasks: list[asyncio.Task[None]] = []

    def on_open(workspace: Workspace) -> None:
        async def fill() -> None:
            await workspace.clock.sleep(0.5)
            disk.full = True
            await workspace.clock.sleep(seconds)
            disk.full = False

        def watch(event: object) -> None:
            if not tasks and isinstance(event, ItemsChanged) and event.items[0].state is State.SENDING:
                tasks.append(asyncio.get_running_loop().create_task(fill()))

        workspace.events.subscribe(watch)

    return on_open


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """An org that takes a second for an answer."""
    return make_shell(monkeypatch, capsys, latency=Latency(median_s=1.0, spread=0.0))


def test_a_disk_that_was_full_for_a_while_costs_nobody(slow: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    left(slow, 30)
    disk = Disk(monkeypatch)
    slow.on_open = fills(disk, 30.0)
    done = slow("resume", "--yes", "--json")
    assert (done.code, counts(done)) == (0, {"revoked": 30})
    assert "free some space" in done.err
    assert "Going on" in done.err
    assert "could not be written" not in done.err
    slow.on_open = lambda workspace: None
    assert outcomes(slow) == {"revoked": 30}
    assert slow.org.revocations == 30
    assert slow("history", "verify").code == 0


def test_a_disk_that_stays_full_leaves_what_is_known_in_the_lines_and_says_so(
    slow: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = left(slow, 30)
    disk = Disk(monkeypatch)
    slow.on_open = fills(disk, 1e6)
    done = slow("resume", "--yes", "--json")
    found = counts(done)
    assert done.code == 2
    assert slow.org.revocations == found["revoked"] > 0
    assert sum(found.values()) == 30
    assert "could not be written into the history" in done.err
    disk.full = False
    slow.on_open = lambda workspace: None
    kept = outcomes(slow)
    assert kept["unknown"] > 0, "what was sent and whose answer the history never learnt"
    assert kept["revoked"] + kept["unknown"] == found["revoked"]
    assert slow("history", "verify").code == 0
    again = slow("resume", batch, "--yes", "--json")
    assert (again.code, counts(again)) == (0, {"revoked": 30 - kept["revoked"]})
    assert outcomes(slow) == {"revoked": 30}
