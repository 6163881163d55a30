"""The collector leaves a long queue alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from console.revocation.events import BatchFinished, BatchOpened, ItemsChanged
from console.revocation.states import Batch, Item, Options
from console.ui.garbage import MANY, NEVER, LongLived
from tests.support.triage import some_user

BATCH = Batch("1", "", "", "")


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*usual)


@pytest.fixture(autouse=True, scope="module")
def _frozen_again() -> Iterator[None]:
    """What lives as long as the tests, as tests/conftest.py has it."""
    yield
    gc.collect()
    gc.freeze()


def items(number: int) -> tuple[Item, ...]:
    return tuple(Item(id=str(index), user=some_user("eve"), options=Options()) for index in range(number))


def test_a_long_queue_is_left_out_of_full_passes() -> None:
    queue = items(MANY)
    LongLived()(ItemsChanged(queue))
    assert gc.get_freeze_count() > len(queue)


def test_garbage_that_is_there_already_is_not_kept() -> None:
    class Ring:
        pass

    ring = Ring()
    ring.self = ring  # type: ignore[attr-defined]
    alive = weakref.ref(ring)
    del ring
    LongLived()(BatchOpened(BATCH))
    assert alive() is None


def test_what_changes_little_by_little_is_left_out_too() -> None:
    listener = LongLived()
    for _ in range(MANY - 1):
        listener(ItemsChanged(items(1)))
    assert gc.get_freeze_count() == 0
    listener(ItemsChanged(items(1)))
    assert gc.get_freeze_count() > 0


def test_what_was_recorded_of_a_batch_is_left_out_too() -> None:
    LongLived()(BatchOpened(BATCH))
    assert gc.get_freeze_count() > 0


def test_no_full_pass_begins_by_itself_until_the_batch_has_ended() -> None:
    usual = gc.get_threshold()
    listener = LongLived()
    try:
        listener(ItemsChanged(items(MANY)))
        assert gc.get_threshold() == (*usual[:2], NEVER)
        listener(BatchFinished(BATCH, (), 1.0, 0))
        assert gc.get_threshold() == usual
        listener(BatchOpened(BATCH))
    finally:
        listener.end()
    assert gc.get_threshold() == usual
