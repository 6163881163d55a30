"""The revocations of this console and where each stands: every change is one event, in constant time an item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TypeVar

from console.okta.models import User
from console.revocation.events import Events, ItemsChanged, ItemsRemoved
from console.revocation.states import Item, Options, State
from console.steps import Steps, at_once
from console.text import count

UNDO_DEPTH = 100
SLICE = 200
"""Users of one step of a command, and of one event: a millisecond's work."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of users that were put into the queue."""

    added: tuple[Item, ...]
    already: tuple[User, ...]
    """Users that were staged, queued or being sent before; they are not staged twice."""


@dataclass(slots=True)
class _Step:
    """How to take one command back: what it added, what it took away, and what it changed (as it was)."""

    words: str
    added: list[str] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)
    changed: list[Item] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Queue:
    """Items by ID, in the order in which they were staged. Not thread-safe; lives on the event loop.

    A command of the operator comes in two forms: done at once, or (`staging`, `unstaging`, ...) in steps that tell how
    many users are done, for 100,000 of them. What was done before one is closed early is taken back by `undo`.
    """

    def __init__(self, events: Events, *, new_id: Callable[[], str]) -> None:
        self.new_id = new_id
        """Makes IDs of revocations and batches."""
        self._events = events
        self._items: dict[str, Item] = {}
        self._order: dict[str, int] = {}
        self._active: dict[str, str] = {}
        self._counts: dict[State, int] = dict.fromkeys(State, 0)
        self._steps: deque[_Step] = deque(maxlen=UNDO_DEPTH)

    @property
    def items(self) -> Mapping[str, Item]:
        """All items by ID, in order; a live view, not to be changed."""
        return MappingProxyType(self._items)

    def counts(self) -> dict[State, int]:
        """How many items are in each state; every state is there."""
        return dict(self._counts)

    def staged(self) -> tuple[Item, ...]:
        """What is not confirmed yet, in order."""
        if not self._counts[State.STAGED]:
            return ()
        return tuple(item for item in self._items.values() if item.state is State.STAGED)

    # Commands of the operator

    def stage(self, users: Iterable[User], options: Options) -> Staged:
        """Put users into the queue, unless they are in it and have no outcome yet."""
        return at_once(self.staging(users, options))

    def staging(self, users: Iterable[User], options: Options) -> Steps[int, Staged]:
        """The same in steps."""
        step, waiting = _Step("taken out"), list(users)
        added: list[Item] = []
        already: list[User] = []
        for part in _parts(waiting):
            staged = self.insert(part, lambda user: Item(id=self.new_id(), user=user, options=options))
            step.added += [item.id for item in staged.added]
            self._remember(step)
            added += staged.added
            already += staged.already
            yield len(added) + len(already)
        return Staged(tuple(added), tuple(already))

    def put_in(self, items: Iterable[Item]) -> Staged:
        """Stage items as they are made, each with options of its own, unless their users are in the queue already."""
        made = {item.user.id: item for item in items}
        staged = self.insert([item.user for item in made.values()], lambda user: made[user.id])
        self._remember(_Step("taken out", added=[item.id for item in staged.added]))
        return staged

    def restage(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Put users whose revocations have ended into the queue again, as new revocations with the same options."""
        ended = {item.user.id: item for item in items if item.state.final}

        def again(user: User) -> Item:
            old = ended[user.id]
            return Item(id=self.new_id(), user=user, options=old.options, retries=old.id)

        staged = self.insert([item.user for item in ended.values()], again)
        self._remember(_Step("taken out", added=[item.id for item in staged.added]))
        return staged.added

    def unstage(self, ids: Iterable[str]) -> int:
        """Take staged items out; returns how many there were."""
        return at_once(self.unstaging(ids))

    def unstaging(self, ids: Iterable[str]) -> Steps[int, int]:
        """The same in steps."""
        return self._taking_out(list(ids), lambda item: item.state is State.STAGED)

    def set_options(
        self, ids: Iterable[str], *, oauth_tokens: bool | None = None, forget_devices: bool | None = None
    ) -> int:
        """Change what is revoked for staged items; None leaves an option as it is. Returns how many changed."""
        return at_once(self.setting_options(ids, oauth_tokens=oauth_tokens, forget_devices=forget_devices))

    def setting_options(
        self, ids: Iterable[str], *, oauth_tokens: bool | None = None, forget_devices: bool | None = None
    ) -> Steps[int, int]:
        """The same in steps."""
        step = _Step("set back")
        for part in _parts(list(ids)):
            after = []
            for item in self._known(part):
                options = Options(
                    oauth_tokens=item.options.oauth_tokens if oauth_tokens is None else oauth_tokens,
                    forget_devices=item.options.forget_devices if forget_devices is None else forget_devices,
                )
                if item.state is State.STAGED and options != item.options:
                    step.changed.append(item)
                    after.append(replace(item, options=options))
            self.replace_all(after)
            self._remember(step)
            yield len(step.changed)
        return len(step.changed)

    def clear_finished(self) -> int:
        """Take everything out that has an outcome; the history keeps it. Returns how many there were."""
        return at_once(self.clearing_finished())

    def clearing_finished(self) -> Steps[int, int]:
        """The same in steps."""
        return self._taking_out(list(self._items), lambda item: item.state.final)

    def _taking_out(self, ids: list[str], wanted: Callable[[Item], bool]) -> Steps[int, int]:
        step = _Step("put back")
        for part in _parts(ids):
            step.removed += self._remove(part, wanted)
            self._remember(step)
            yield len(step.removed)
        return len(step.removed)

    def undo(self) -> str | None:
        """Take the last stage, unstage, set_options or clear back, as far as its items are still unconfirmed.

        Returns words for the operator, or None where there is nothing to take back.
        """
        return at_once(self.undoing())

    def undoing(self) -> Steps[int, str | None]:
        """The same in steps."""
        while self._steps:
            step = self._steps.pop()
            try:
                done = yield from self._taking_back(step)
            finally:
                self._remember(step)  # what is left of it, where this was closed before its end
            if done:
                return f"{count(done, 'user')} {step.words}"
        return None

    def _taking_back(self, step: _Step) -> Steps[int, int]:
        done = 0
        for ids in _parts(step.added):
            done += len(self._remove(ids, lambda item: item.state is State.STAGED))
            yield done
        try:
            for items in _parts(step.removed):
                done += self._restore(items)
                yield done
        finally:
            self._sort()
        for items in _parts(step.changed):
            # The options alone: the user may have been looked up again meanwhile.
            staged = [item for item in items if self._state(item.id) is State.STAGED]
            self.replace_all([replace(self._items[item.id], options=item.options) for item in staged])
            done += len(staged)
            yield done
        return done

    # Commands of the engine

    def insert(self, users: Iterable[User], make: Callable[[User], Item]) -> Staged:
        """Add an item for each user who has none without an outcome, in one event; not undone by `undo`.

        An item whose ID is there already, with an outcome, takes that one's place.
        """
        added: list[Item] = []
        already: list[User] = []
        for user in users:
            if user.id in self._active:
                already.append(user)
                continue
            item = make(user)
            if (old := self._items.get(item.id)) is not None:
                self._counts[old.state] -= 1
            self._put(item)
            added.append(item)
        if added:
            self._events.emit(ItemsChanged(tuple(added)))
        return Staged(tuple(added), tuple(already))

    def replace(self, item: Item) -> None:
        """Set the new snapshot of an item. KeyError where the queue does not hold it."""
        self.replace_all((item,))

    def replace_all(self, items: Iterable[Item]) -> None:
        """Set new snapshots, in one event."""
        changed = tuple(items)
        for item in changed:
            self._counts[self._items[item.id].state] -= 1
            self._put(item)
        if changed:
            self._events.emit(ItemsChanged(changed))

    def discard(self, ids: Iterable[str]) -> None:
        """Take items out for good, whatever their state."""
        self._remove(ids, lambda _: True)

    # Inside

    def _known(self, ids: Iterable[str]) -> list[Item]:
        return [self._items[id_] for id_ in dict.fromkeys(ids) if id_ in self._items]

    def _state(self, id_: str) -> State | None:
        item = self._items.get(id_)
        return item.state if item else None

    def _put(self, item: Item) -> None:
        self._items[item.id] = item
        self._order.setdefault(item.id, len(self._order))
        self._counts[item.state] += 1
        if not item.state.final:
            self._active[item.user.id] = item.id
        elif self._active.get(item.user.id) == item.id:
            del self._active[item.user.id]

    def _remove(self, ids: Iterable[str], wanted: Callable[[Item], bool]) -> tuple[Item, ...]:
        gone = tuple(item for item in self._known(ids) if wanted(item))
        for item in gone:
            del self._items[item.id]
            self._counts[item.state] -= 1
            if self._active.get(item.user.id) == item.id:
                del self._active[item.user.id]
        if gone:
            self._events.emit(ItemsRemoved(tuple(item.id for item in gone)))
        return gone

    def _restore(self, items: Iterable[Item]) -> int:
        """Put removed items back, last of all, except staged users who are in the queue again by now."""
        back = [item for item in items if item.state.final or item.user.id not in self._active]
        for item in back:
            self._put(item)
        if back:
            self._events.emit(ItemsChanged(tuple(back)))
        return len(back)

    def _sort(self) -> None:
        """Back into the order in which they were staged; quick for what is nearly in it."""
        order = self._order
        if any(order[one] > order[next_] for one, next_ in pairwise(self._items)):
            self._items = {id_: self._items[id_] for id_ in sorted(self._items, key=order.__getitem__)}

    def _remember(self, step: _Step) -> None:
        """Keep how to take a command back, once, from its first change on."""
        if step and not any(one is step for one in self._steps):
            self._steps.append(step)


def _parts(waiting: list[V]) -> Iterator[list[V]]:
    """Take a list out of itself in slices: what is not taken is still to be done."""
    waiting.reverse()  # from its end, as what is taken from the front moves all the rest
    try:
        while waiting:
            part = waiting[-SLICE:][::-1]
            del waiting[-SLICE:]
            yield part
    finally:
        waiting.reverse()
