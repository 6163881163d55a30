"""The queue: what is staged, once a user, and how it is taken back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.revocation.events import Event, Events, ItemsChanged, ItemsRemoved
from console.revocation.queue import SLICE, Queue
from console.revocation.states import Item, Options, State
from tests.support.fake_org import user, users


def make() -> tuple[Queue, list[Event]]:
    events, told = Events(), []
    events.subscribe(told.append)
    numbers = itertools.count(1)
    return Queue(events, new_id=lambda: f"r{next(numbers)}"), told


def logins(queue: Queue) -> list[str]:
    return [item.user.login.split("@")[0] for item in queue.items.values()]


def test_a_user_is_staged_once_until_there_is_an_outcome() -> None:
    queue, told = make()
    staged = queue.stage([user(1), user(2), user(1)], Options())
    assert [item.user.id for item in staged.added] == [user(1).id, user(2).id]
    assert staged.already == (user(1),)
    assert told == [ItemsChanged(staged.added)]
    for state in (State.QUEUED, State.SENDING, State.RETRYING):
        queue.replace(replace(staged.added[0], state=state))
        assert not queue.stage([user(1)], Options()).added
    queue.replace(replace(staged.added[0], state=State.REVOKED))
    assert queue.stage([user(1)], Options()).added
    assert queue.counts()[State.STAGED] == 2


def test_options_change_only_while_staged_and_are_undone() -> None:
    queue, _ = make()
    first, second = queue.stage(users(2), Options(forget_devices=True)).added
    queue.replace(replace(second, state=State.QUEUED))
    assert queue.set_options([first.id, second.id, "nobody"], oauth_tokens=True) == 1
    assert queue.items[first.id].options == Options(oauth_tokens=True, forget_devices=True)
    assert queue.items[second.id].options == Options(forget_devices=True)
    assert queue.undo() == "1 user set back"
    assert queue.items[first.id].options == Options(forget_devices=True)


def test_undo_goes_back_step_by_step_and_in_place() -> None:
    queue, told = make()
    ids = [item.id for item in queue.stage(users(3), Options()).added]
    assert queue.unstage([ids[1]]) == 1
    assert told[-1] == ItemsRemoved((ids[1],))
    assert logins(queue) == ["u0", "u2"]
    assert queue.undo() == "1 user put back"
    assert logins(queue) == ["u0", "u1", "u2"]
    assert queue.undo() == "3 users taken out"
    assert not queue.items
    assert queue.undo() is None


def test_undo_leaves_what_was_confirmed() -> None:
    queue, _ = make()
    first, second = queue.stage(users(2), Options()).added
    queue.replace(replace(first, state=State.QUEUED))
    assert queue.unstage([first.id]) == 0
    assert queue.undo() == "1 user taken out"
    assert list(queue.items) == [first.id]
    assert second.id not in queue.items


def test_undo_never_stages_a_user_twice() -> None:
    queue, _ = make()
    ids = [item.id for item in queue.stage(users(1), Options()).added]
    queue.unstage(ids)
    again = queue.insert([user(0)], lambda one: Item(id="again", user=one, options=Options())).added
    assert queue.undo() is None
    assert tuple(queue.items.values()) == again


def test_clearing_takes_outcomes_and_comes_back() -> None:
    queue, _ = make()
    first, *_ = queue.stage(users(3), Options()).added
    queue.replace(replace(first, state=State.FAILED))
    assert queue.clear_finished() == 1
    assert logins(queue) == ["u1", "u2"]
    assert queue.undo() == "1 user put back"
    assert logins(queue) == ["u0", "u1", "u2"]
    assert queue.counts()[State.FAILED] == 1


def test_what_ended_is_staged_again_as_a_new_revocation() -> None:
    queue, _ = make()
    (old,) = queue.stage(users(1), Options(oauth_tokens=True)).added
    assert queue.restage([old]) == ()
    queue.replace(replace(old, state=State.FAILED))
    (new,) = queue.restage([queue.items[old.id]])
    assert (new.retries, new.options, new.state) == (old.id, old.options, State.STAGED)
    assert new.id != old.id
    assert queue.restage([queue.items[old.id]]) == ()


def test_an_unknown_item_is_not_replaced() -> None:
    queue, _ = make()
    (item,) = queue.stage(users(1), Options()).added
    queue.unstage([item.id])
    with pytest.raises(KeyError):
        queue.replace(item)


@given(st.lists(st.tuples(st.sampled_from(["stage", "unstage", "undo", "clear", "end", "confirm"]), st.integers(0, 4))))
def test_counts_and_uniqueness_hold_whatever_happens(story: list[tuple[str, int]]) -> None:
    queue, _ = make()
    for what, number in story:
        ids = [item.id for item in queue.items.values() if item.user.id == user(number).id]
        if what == "stage":
            queue.stage([user(number)], Options())
        elif what == "unstage":
            queue.unstage(ids)
        elif what == "undo":
            queue.undo()
        elif what == "clear":
            queue.clear_finished()
        else:
            state = State.REVOKED if what == "end" else State.QUEUED
            queue.replace_all(replace(queue.items[i], state=state) for i in ids if not queue.items[i].state.final)
        items = list(queue.items.values())
        for state in State:
            assert queue.counts()[state] == sum(item.state is state for item in items)
        active = [item.user.id for item in items if not item.state.final]
        assert len(active) == len(set(active))


def test_a_command_in_steps_is_one_to_undo_and_tells_how_far_it_is() -> None:
    queue, told = make()
    many = SLICE * 3 + 1
    steps = queue.staging(users(many), Options())
    assert list(steps) == [SLICE, SLICE * 2, SLICE * 3, many]
    assert [len(event.items) for event in told if isinstance(event, ItemsChanged)] == [SLICE, SLICE, SLICE, 1]
    ids = list(queue.items)
    assert queue.unstage(ids[::2]) == len(ids[::2])
    assert queue.undo() == f"{len(ids[::2])} users put back"
    assert list(queue.items) == ids, "in the order in which they were staged"
    assert queue.set_options(ids, oauth_tokens=True) == many
    assert queue.undo() == f"{many} users set back"
    assert queue.undo() == f"{many} users taken out"
    assert (len(queue.items), queue.undo()) == (0, None)


def test_what_a_command_did_before_it_was_stopped_is_undone_and_an_undo_that_was_stopped_goes_on() -> None:
    queue, _ = make()
    staging = queue.staging(users(SLICE * 4), Options())
    assert [next(staging), next(staging)] == [SLICE, SLICE * 2]
    staging.close()
    assert len(queue.items) == SLICE * 2
    undoing = queue.undoing()
    next(undoing)
    undoing.close()
    assert len(queue.items) == SLICE
    assert queue.undo() == f"{SLICE} users taken out"
    ids = [item.id for item in queue.stage(users(SLICE * 2), Options()).added]
    queue.unstage(ids)
    undoing = queue.undoing()
    next(undoing)
    undoing.close()
    assert queue.undo() == f"{SLICE} users put back"
    assert list(queue.items) == ids
