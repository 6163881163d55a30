"""Whatever fails, and wherever process or power goes: what was promised is there, and what was refused is not."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history.header import SEGMENTS
from console.history.journal import JournalStorage
from console.history.reader import Reader
from tests.crash.shadow import ShadowDisk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at open files through /proc")

State = dict[str, dict[int, dict[str, Any]]]
NAME = "history-X.jsonl"
TORN = b'{"n":99,"p":"a line that was cut'


@dataclass
class Scene:
    """A journal in use, and what it must hold."""

    folder: Path
    disk: ShadowDisk
    wanted: State
    storage: JournalStorage | None = None
    torn: bool = False

    def opened(self) -> None:
        """Open the journal, again where it is open."""
        if self.storage is not None:
            self.storage.close()
        self.storage = JournalStorage(self.folder / NAME, evidence=False, clock=ManualClock())

    @property
    def journal(self) -> JournalStorage:
        assert self.storage is not None
        return self.storage


Step = Callable[[Scene], None]


def several(scene: Scene) -> None:
    with scene.journal.together():
        scene.journal.append("t", {1: {"a": 3, "b": 1}, 3: {"c": "x" * 300}})
        scene.journal.append("u", {1: {"d": 1}})


def torn(scene: Scene) -> None:
    """Another console died in the middle of a line."""
    if not scene.torn:
        scene.disk.add(scene.folder / NAME, TORN)
        scene.torn = True
    scene.opened()


# What is done, and each state that may be found from its beginning to its end: the last is what it leads to.
A: State = {"t": {1: {"a": 1, "b": 1}, 2: {"a": 5}}}
B: State = {"t": {1: {"a": 2, "b": 1}, 2: {"a": 5}}}
C: State = {"t": {1: {"a": 3, "b": 1}, 2: {"a": 5}}}
D: State = {"t": {**C["t"], 3: {"c": "x" * 300}}}
E: State = {**D, "u": {1: {"d": 1}}}
F: State = {**E, "t": {1: D["t"][1], 3: D["t"][3]}}
G: State = {**F, "t": {**F["t"], 9: {"e": 1}}}
H: State = {"t": G["t"]}
J: State = {"t": {**H["t"], 10: {"f": 1}}}
STEPS: list[tuple[Step, list[State]]] = [
    (Scene.opened, [{}]),
    (lambda scene: scene.journal.append("t", {1: {"a": 1, "b": 1}, 2: {"a": 5}}), [{"t": {1: {"a": 1, "b": 1}}}, A]),
    (lambda scene: scene.journal.append("t", {1: {"a": 2, "b": 1}}), [B]),
    (several, [C, D, E]),
    (lambda scene: scene.journal.append("t", {2: None}), [F]),
    (lambda scene: scene.journal.compact(), [F]),
    (lambda scene: scene.journal.append("t", {9: {"e": 1}}), [G]),
    (lambda scene: scene.journal.write({"t": scene.journal.rows("t")}), [H]),
    (torn, [H]),
    (lambda scene: scene.journal.compact(), [H]),
    (lambda scene: scene.journal.append("t", {10: {"f": 1}}), [J]),
    (Scene.opened, [J]),
]  # fmt: skip


def found(folder: Path) -> State:
    """What a reader finds in a folder; a file that is not there holds nothing."""
    if not (folder / NAME).exists():
        return {}
    reader = Reader(folder / NAME)
    reader.advance()
    assert reader.problem == ""
    return {table: rows for table, rows in reader.tables.items() if table != SEGMENTS}


def check(scene: Scene, place: Path, allowed: list[State]) -> None:
    """Hold what a kill and a power cut would leave against what may be there."""
    for view in (scene.disk.after_a_kill, scene.disk.after_a_power_cut):
        folder = view(place)
        assert found(folder) in allowed, view.__name__
        if scene.torn:
            assert any(TORN in path.read_bytes() for path in folder.iterdir()), "a torn line is never lost"


def held(storage: JournalStorage) -> State:
    return {name: {int(key): document for key, document in rows.items()} for name, rows in storage.read().items()}


def opened_again(scene: Scene) -> State | None:
    """What an opening finds; None where that fails too."""
    try:
        scene.opened()
    except OSError:
        return None
    return copy.deepcopy(held(scene.journal))


def run(scene: Scene, place: Path, *, settled: bool = True, reopen: bool = False) -> None:
    """All steps, each until it succeeds; while one fails, and when it has succeeded, nothing is there but what must be.

    Not `settled`, what a step wrote may be there though it failed: its being taken back failed too. With `reopen` the
    file is opened again after each failure, and what is found then must be durable.
    """
    for step, states in STEPS:
        before = copy.deepcopy(scene.wanted)
        for _ in range(10):
            try:
                step(scene)
            except OSError:
                if scene.storage is not None:
                    assert held(scene.storage) == before
                check(scene, place, [before] if settled else [before, *states])
                if reopen and (again := opened_again(scene)) is not None:
                    assert again in [before, *states]
                    check(scene, place, [again])
                    before = again
                continue
            break
        else:
            raise AssertionError("it does not go on though nothing fails any more")
        scene.wanted = states[-1]
        assert held(scene.journal) == scene.wanted
        check(scene, place, [scene.wanted])


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return fresh(tmp_path, monkeypatch, "one")


def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Scene:
    folder = tmp_path / name
    folder.mkdir(mode=0o700)
    return Scene(folder, ShadowDisk(folder, monkeypatch), {})


def number_of_calls(tmp_path: Path) -> int:
    with pytest.MonkeyPatch.context() as patched:
        scene = fresh(tmp_path, patched, "counted")
        run(scene, tmp_path / "place")
        return scene.disk.calls


def test_without_faults_all_is_durable_as_it_is_promised(scene: Scene, tmp_path: Path) -> None:
    run(scene, tmp_path / "place")
    assert scene.disk.calls > 30
    assert found(scene.folder) == J


@pytest.mark.parametrize("how", ["error", "half"])
def test_one_call_that_fails_is_refused_whole_and_then_it_goes_on(tmp_path: Path, how: str) -> None:
    for failing in range(1, number_of_calls(tmp_path) + 1):
        with pytest.MonkeyPatch.context() as patched:
            scene = fresh(tmp_path, patched, f"{how}{failing}")
            scene.disk.fails = lambda number, call, at=failing: how if number == at else ""
            run(scene, tmp_path / "place")


@pytest.mark.parametrize("reopen", [False, True])
@pytest.mark.parametrize("length", [2, 3, 5])
def test_calls_that_go_on_failing_lose_nothing_that_was_promised(tmp_path: Path, length: int, reopen: bool) -> None:
    """Such as a disk that is full or gone for a while, so that taking back fails too."""
    for failing in range(1, number_of_calls(tmp_path) + 1):
        with pytest.MonkeyPatch.context() as patched:
            scene = fresh(tmp_path, patched, f"{length}at{failing}")
            scene.disk.fails = lambda number, call, at=failing: "error" if at <= number < at + length else ""
            run(scene, tmp_path / "place", settled=False, reopen=reopen)


def test_killed_or_without_power_before_any_call_nothing_is_lost(scene: Scene, tmp_path: Path) -> None:
    moments = []

    def moment() -> None:
        step = len(done)
        allowed = [scene.wanted, *STEPS[step][1]]
        # A step that moves to a new state may be found at its beginning, at its end, or between two of its lines.
        check(scene, tmp_path / "place", allowed)
        for view in (scene.disk.after_a_kill, scene.disk.after_a_power_cut):
            folder = view(tmp_path / "place")
            with pytest.MonkeyPatch.context() as real:
                for name, call in scene.disk._real.items():
                    real.setattr("os." + name, call)
                again = JournalStorage(folder / NAME, evidence=False, clock=ManualClock())
                assert held(again) in allowed
                again.append("t", {50: {"after": 1}})
                again.close()
            assert not list(folder.glob("*.tmp")), "strays are swept"
            assert found(folder)["t"][50] == {"after": 1}
        moments.append(step)

    done: list[Step] = []
    scene.disk.before = moment
    for step, states in STEPS:
        step(scene)
        scene.wanted = states[-1]
        done.append(step)
    assert set(moments) == set(range(len(STEPS)))


def test_this_disk_is_as_unkind_as_real_ones(scene: Scene, tmp_path: Path) -> None:
    """A sync that succeeds after one that failed proves nothing of what the first should have written."""
    path = scene.folder / NAME
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
    folder = os.open(scene.folder, os.O_RDONLY)
    os.fsync(folder)
    os.write(file, b"one ")
    os.fdatasync(file)
    os.write(file, b"two ")
    assert (scene.disk.after_a_power_cut(tmp_path / "place") / NAME).read_bytes() == b"one "
    scene.disk.fails = lambda number, call: "error"
    with pytest.raises(OSError, match="Input/output"):
        os.fdatasync(file)
    scene.disk.fails = lambda number, call: ""
    os.write(file, b"three")
    os.fdatasync(file)
    assert path.read_bytes() == b"one two three"
    assert (scene.disk.after_a_power_cut(tmp_path / "place") / NAME).read_bytes() == b"one \0\0\0\0three"
    os.ftruncate(file, 4)
    os.write(file, b"two")
    os.fdatasync(file)
    assert (scene.disk.after_a_power_cut(tmp_path / "place") / NAME).read_bytes() == b"one two"
    os.close(file)
    os.close(folder)
