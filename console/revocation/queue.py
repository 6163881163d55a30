"""The revocations of this console and where each stands: every change is one event, in constant time an item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from console.okta.models import User
from console.revocation.events import Events, ItemsChanged, ItemsRemoved
from console.revocation.states import Item, Options, State
from console.text import count

UNDO_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of users that were put into the queue."""

    added: tuple[Item, ...]
    already: tuple[User, ...]
    """Users that were staged, queued or being sent before; they are not staged twice."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How to take one command back: what it added, what it took away, and what it changed (as it was)."""

    words: str
    added: tuple[str, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[Item, ...] = ()


class Queue:
    """Items by ID, in the order in which they were staged. Not thread-safe; lives on the event loop."""

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
        staged = self.insert(users, lambda user: Item(id=self.new_id(), user=user, options=options))
        self._remember("taken out", added=tuple(item.id for item in staged.added))
        return staged

    def put_in(self, items: Iterable[Item]) -> Staged:
        """Stage items as they are made, each with options of its own, unless their users are in the queue already."""
        made = {item.user.id: item for item in items}
        staged = self.insert([item.user for item in made.values()], lambda user: made[user.id])
        self._remember("taken out", added=tuple(item.id for item in staged.added))
        return staged

    def restage(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Put users whose revocations have ended into the queue again, as new revocations with the same options."""
        ended = {item.user.id: item for item in items if item.state.final}

        def again(user: User) -> Item:
            old = ended[user.id]
            return Item(id=self.new_id(), user=user, options=old.options, retries=old.id)

        staged = self.insert([item.user for item in ended.values()], again)
        self._remember("taken out", added=tuple(item.id for item in staged.added))
        return staged.added

    def unstage(self, ids: Iterable[str]) -> int:
        """Take staged items out; returns how many there were."""
        gone = self._remove(ids, lambda item: item.state is State.STAGED)
        self._remember("put back", removed=gone)
        return len(gone)

    def set_options(
        self, ids: Iterable[str], *, oauth_tokens: bool | None = None, forget_devices: bool | None = None
    ) -> int:
        """Change what is revoked for staged items; None leaves an option as it is. Returns how many changed."""
        before, after = [], []
        for item in self._known(ids):
            options = Options(
                oauth_tokens=item.options.oauth_tokens if oauth_tokens is None else oauth_tokens,
                forget_devices=item.options.forget_devices if forget_devices is None else forget_devices,
            )
            if item.state is State.STAGED and options != item.options:
                before.append(item)
                after.append(replace(item, options=options))
        self.replace_all(after)
        self._remember("set back", changed=tuple(before))
        return len(after)

    def clear_finished(self) -> int:
        """Take everything out that has an outcome; the history keeps it. Returns how many there were."""
        gone = self._remove(list(self._items), lambda item: item.state.final)
        self._remember("put back", removed=gone)
        return len(gone)

    def undo(self) -> str | None:
        """Take the last stage, unstage, set_options or clear back, as far as its items are still unconfirmed.

        Returns words for the operator, or None where there is nothing to take back.
        """
        while self._steps:
            step = self._steps.pop()
            done = len(self._remove(step.added, lambda item: item.state is State.STAGED))
            done += self._restore(step.removed)
            # The options alone: the user may have been looked up again meanwhile.
            staged = [item for item in step.changed if self._state(item.id) is State.STAGED]
            back = [replace(self._items[item.id], options=item.options) for item in staged]
            self.replace_all(back)
            done += len(back)
            if done:
                return f"{count(done, 'user')} {step.words}"
        return None

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

    def _restore(self, items: tuple[Item, ...]) -> int:
        """Put removed items back where they were, except staged users who are in the queue again by now."""
        back = [item for item in items if item.state.final or item.user.id not in self._active]
        for item in back:
            self._put(item)
        if back:
            self._items = dict(sorted(self._items.items(), key=lambda pair: self._order[pair[0]]))
            self._events.emit(ItemsChanged(tuple(back)))
        return len(back)

    def _remember(self, words: str, **parts: tuple[Item, ...] | tuple[str, ...]) -> None:
        if any(parts.values()):
            self._steps.append(_Step(words, **parts))  # type: ignore[arg-type]
