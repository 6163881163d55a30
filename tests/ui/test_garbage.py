"""The collector leaves a long queue alone until its batch has ended."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from console.revocation.events import BatchFinished, BatchOpened, ItemsChanged
from console.revocation.states import Batch, Item, Options
from console.ui.garbage import MANY, spare
from tests.support.triage import some_user


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def items(number: int) -> tuple[Item, ...]:
    return tuple(Item(id=str(index), user=some_user("eve"), options=Options()) for index in range(number))


def test_a_long_queue_is_left_out_of_full_passes_until_its_batch_has_ended() -> None:
    spare(ItemsChanged(items(MANY)))
    assert gc.get_freeze_count() > MANY
    spare(BatchFinished(Batch("1", "", "", ""), (), 1.0, 0))
    assert gc.get_freeze_count() == 0


def test_what_was_recorded_of_a_batch_is_left_out_too() -> None:
    spare(BatchOpened(Batch("1", "", "", "")))
    assert gc.get_freeze_count() > 0


def test_a_short_one_changes_nothing() -> None:
    spare(ItemsChanged(items(3)))
    assert gc.get_freeze_count() == 0
