"""The staged queue is kept, and comes back: to one console, without what was confirmed, and looked up again first."""

from __future__ import annotations

import asyncio
import itertools
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history.locks import SegmentLock
from console.okta.models import Profile, User
from console.revocation.events import Events
from console.revocation.plan import OpenedPlan
from console.revocation.queue import Queue
from console.revocation.resolver import Resolved
from console.revocation.staged import AGAIN_S, SOON_S, StagedQueue
from console.revocation.staged_file import Intended
from console.revocation.states import Options, State
from console.revocation.targets import Target
from tests.support.demo import settle
from tests.support.fake_org import user, users
from tests.support.plans import a_plan

NUMBERS = itertools.count(1)


@dataclass
class Org:
    """Looks users up; those in `gone` are none, those in `failing` can't be asked for."""

    gone: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    async def resolve(self, targets: list[Target]) -> AsyncIterator[Resolved]:
        for target in targets:
            if target.text in self.gone:
                yield Resolved(target, None, "no user has this ID", gone=True)
            elif target.text in self.failing:
                yield Resolved(target, None, "Okta is down")
            else:
                profile = Profile(login=f"{target.text}@now.test", email="boss@acme.test")
                yield Resolved(target, User(id=target.text, status="SUSPENDED", profile=profile))


@dataclass
class Recorded:
    ids: set[str] = field(default_factory=set)

    def has(self, record_id: str) -> bool:
        return record_id in self.ids


@dataclass
class Console:
    """One console's queue and its keeper."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    org: Org = field(default_factory=Org)
    recorded: Recorded = field(default_factory=Recorded)
    org_id: str = "00o1"
    read_only: bool = False

    def __post_init__(self) -> None:
        events = Events()
        self.queue = Queue(events, new_id=lambda: f"01R{next(NUMBERS):023d}")
        self.kept = StagedQueue(
            self.folder,
            queue=self.queue,
            events=events,
            clock=self.clock,
            resolver=self.org,  # type: ignore[arg-type]
            org_id=lambda: self.org_id,
            recorded=self.recorded,
            read_only=self.read_only,
        )

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("staged-*.json"))

    def content(self) -> dict[str, Any]:
        (file,) = self.files
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    async def passes(self, seconds: float = SOON_S) -> None:
        """Time goes by, and what was to be written is."""
        await settle(lambda: self.clock.next_wake is not None)
        soon = self.kept._soon
        assert soon is not None
        await self.clock.advance(seconds)
        await asyncio.wait_for(soon, 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "org"
    made.mkdir(mode=0o700)
    return made


async def left(folder: Path, number: int = 3, intended: Intended | None = None, **what: Any) -> list[str]:
    """A console stages so many users and goes; the IDs of what it staged."""
    console = Console(folder, **what)
    console.kept.intend(intended or Intended("INC-7", "theft", Options(oauth_tokens=True)))
    console.queue.stage(users(number)[:1], Options(forget_devices=True))
    console.queue.stage(users(number)[1:], Options())
    await console.kept.aclose()
    return list(console.queue.items)


async def test_it_comes_back_as_it_was_and_as_old_as_it_is(folder: Path) -> None:
    ids = await left(folder)
    console = Console(folder)
    await console.clock.advance(7200)
    restored = await console.kept.restore()
    assert [item.id for item in restored.items] == ids == list(console.queue.items)
    assert [item.user.id for item in restored.items] == [one.id for one in users(3)]
    assert [item.options for item in restored.items] == [Options(forget_devices=True), Options(), Options()]
    assert {item.state for item in restored.items} == {State.STAGED}
    assert restored.intended == Intended("INC-7", "theft", Options(oauth_tokens=True))
    assert (restored.age_s, restored.problems, console.kept.restored) == (7200, (), frozenset(ids))
    assert console.queue.undo() == "3 users taken out"
    await console.kept.aclose()
    assert console.files == [], "and it stays taken out"


async def test_a_plan_that_was_opened_comes_back_with_it(folder: Path) -> None:
    plan = OpenedPlan.of(a_plan())
    await left(folder, intended=Intended(plan=plan))
    console = Console(folder)
    assert (await console.kept.restore()).intended.plan == plan
    await console.kept.aclose()


async def test_it_is_written_privately_soon_and_once_for_many_changes(folder: Path) -> None:
    console = Console(folder)
    written: list[int] = []
    put = console.kept._put

    def counted(items: Any, intended: Any, at: str) -> None:
        written.append(len(items))
        put(items, intended, at)

    console.kept._put = counted  # type: ignore[method-assign]
    for one in users(5):
        console.queue.stage([one], Options())
    await asyncio.sleep(0)
    assert console.files == [], "not at once"
    await console.passes()
    assert written == [5]
    (file,) = console.files
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(console.content()["items"][0]) == {
        *("id", "user", "login", "name", "status", "oauth_tokens", "forget_devices", "retries")
    }
    console.kept.intend(Intended(case="INC-8"))
    console.kept.intend(Intended(case="INC-8"))
    await console.passes()
    assert (console.content()["case"], written) == ("INC-8", [5, 5])
    first = next(iter(console.queue.items.values()))
    console.queue.replace(replace(first, state=State.QUEUED))
    await console.passes()
    assert len(console.content()["items"]) == 4, "what was confirmed is the history's"
    console.queue.replace(replace(first, state=State.REVOKED))
    await asyncio.sleep(0)
    assert console.clock.next_wake is None, "how it ended is no change of what is staged"
    await console.kept.aclose()


async def test_what_the_history_has_is_not_staged_again(folder: Path) -> None:
    ids = await left(folder)
    console = Console(folder, recorded=Recorded({ids[0]}))
    assert [item.id for item in (await console.kept.restore()).items] == ids[1:]
    await console.kept.aclose()
    all_confirmed = Console(folder, recorded=Recorded(set(ids)))
    assert (await all_confirmed.kept.restore()).items == ()
    assert all_confirmed.files == []


async def test_it_comes_back_to_one_console_and_each_has_its_own(folder: Path) -> None:
    await left(folder)
    await left(folder, 1)
    first, second, third = Console(folder), Console(folder), Console(folder)
    newest = await first.kept.restore()
    assert (len(newest.items), newest.others) == (1, 1)
    assert len((await second.kept.restore()).items) == 3
    assert (await third.kept.restore()).items == ()
    third.queue.stage([user(9)], Options())
    for console in (first, second, third):
        await console.kept.aclose()
    assert len(third.files) == 3
    assert [path.suffix for path in folder.iterdir()] == [".json"] * 3, "no lock is left"


async def test_the_file_of_a_console_that_lives_is_left_alone(folder: Path) -> None:
    await left(folder)
    (file,) = folder.glob("staged-*.json")
    lock = SegmentLock(file)
    lock.acquire()
    console = Console(folder)
    assert (await console.kept.restore()).items == ()
    lock.release()
    assert len((await console.kept.restore()).items) == 3
    await console.kept.aclose()


async def test_whoever_has_begun_something_is_not_interrupted(folder: Path) -> None:
    await left(folder)
    console = Console(folder)
    console.queue.stage([user(9)], Options())
    assert (await console.kept.restore()).items == ()
    await console.kept.aclose()
    assert len(console.files) == 2


async def test_a_read_only_console_neither_reads_nor_writes(folder: Path) -> None:
    await left(folder)
    (before,) = [path.read_bytes() for path in folder.iterdir()]
    console = Console(folder, read_only=True)
    assert (await console.kept.restore()).items == ()
    console.queue.stage([user(9)], Options())
    await console.kept.aclose()
    assert [path.read_bytes() for path in folder.iterdir()] == [before]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"evict_staged": 1}', b"\x00" * 100, b'{"evict_staged": "1"}', b"[" * 50_000]
)
async def test_what_cannot_be_read_is_set_aside_and_said(folder: Path, content: bytes) -> None:
    await left(folder)
    (file,) = folder.glob("staged-*.json")
    file.write_bytes(content)
    console = Console(folder)
    restored = await console.kept.restore()
    assert restored.items == ()
    (problem,) = restored.problems
    assert file.with_suffix(".damaged").name in problem
    assert file.with_suffix(".damaged").read_bytes() == content
    assert console.files == []


@pytest.mark.parametrize(
    ("change", "said"), [({"evict_staged": 2, "new": []}, "newer Evict"), ({"org_id": "00o2"}, "another org")]
)
async def test_what_is_not_ours_to_read_stays_where_it_is(folder: Path, change: dict[str, Any], said: str) -> None:
    await left(folder)
    (file,) = folder.glob("staged-*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    console = Console(folder)
    restored = await console.kept.restore()
    assert restored.items == ()
    assert said in restored.problems[0]
    assert console.files == [file]


async def test_names_from_a_file_are_data(folder: Path) -> None:
    await left(folder, 1)
    (file,) = folder.glob("staged-*.json")
    content = json.loads(file.read_text())
    content["items"][0].update(login="eve\x1b]0;x\x07@acme.test", name="a\u202eb")
    content["case"] = "INC\n7"
    file.write_text(json.dumps(content))
    console = Console(folder)
    restored = await console.kept.restore()
    assert restored.items[0].user.login.isprintable()
    assert (restored.items[0].user.name, restored.intended.case) == ("ab", "INC 7")
    await console.kept.aclose()


async def test_a_folder_that_cannot_be_written_is_said_and_tried_again(folder: Path) -> None:
    console = Console(folder)
    folder.rmdir()
    folder.write_text("in the way")
    console.queue.stage(users(2), Options())
    await settle(lambda: console.clock.next_wake == SOON_S)
    await console.clock.advance(SOON_S)
    writing = console.kept._writing
    assert writing is not None
    await writing
    assert "can't be kept" in console.kept.trouble
    folder.unlink()
    await settle(lambda: console.clock.next_wake == AGAIN_S)
    await console.passes(AGAIN_S)
    assert (console.kept.trouble, len(console.content()["items"])) == ("", 2)
    await console.kept.aclose()


# Looked up again


async def test_nobody_is_ready_before_looked_up_again_and_who_is_gone_leaves(folder: Path) -> None:
    await left(folder)
    first, second, third = (one.id for one in users(3))
    console = Console(folder, org=Org(gone={first}, failing={second}))
    restored = await console.kept.restore()
    assert all(console.kept.unchecked(item) for item in restored.items)
    console.queue.set_options([restored.items[2].id], forget_devices=True)
    gone, trouble = await console.kept.look_up()
    assert ([item.user.id for item in gone], trouble) == ([first], "Okta is down")
    left_there = list(console.queue.items.values())
    assert [(item.user.id, console.kept.unchecked(item)) for item in left_there] == [(second, True), (third, False)]
    assert (left_there[1].user.status, left_there[1].user.email) == ("SUSPENDED", "boss@acme.test")
    assert left_there[1].options == Options(forget_devices=True), "what was set meanwhile stays"
    console.org.failing.clear()
    assert await console.kept.look_up() == ((), "")
    assert not any(console.kept.unchecked(item) for item in console.queue.items.values())
    assert console.queue.undo() == "1 user set back"
    assert console.queue.items[left_there[1].id].user.email == "boss@acme.test", "undo brings no old name back"
    await console.kept.aclose()


async def test_who_was_taken_out_while_looked_up_is_not_taken_for_fresh(folder: Path) -> None:
    await left(folder, 3)
    console = Console(folder)
    restored = await console.kept.restore()
    original = console.org.resolve

    async def slow(targets: list[Target]) -> AsyncIterator[Resolved]:
        async for answer in original(targets):
            console.queue.unstage([restored.items[0].id])
            console.queue.replace(replace(restored.items[1], state=State.QUEUED))
            yield answer

    console.org.resolve = slow  # type: ignore[method-assign]
    await console.kept.look_up()
    assert console.queue.undo() == "1 user put back"
    back = console.queue.items[restored.items[0].id]
    assert console.kept.unchecked(back)
    confirmed = console.queue.items[restored.items[1].id]
    assert confirmed == replace(restored.items[1], state=State.QUEUED), "it is as it was recorded"
    await console.kept.aclose()


async def test_a_write_that_was_begun_is_not_cut_by_the_end(folder: Path) -> None:
    console = Console(folder)
    console.queue.stage(users(2), Options())
    await settle(lambda: console.clock.next_wake is not None)
    await console.clock.advance(SOON_S)
    await settle(lambda: console.kept._writing is not None)
    console.queue.stage([user(5)], Options())
    await console.kept.aclose()
    assert len(console.content()["items"]) == 3
    assert list(folder.iterdir()) == console.files
    assert console.clock.now() - ManualClock().now() == timedelta(seconds=SOON_S)
