"""What a batch costs is known before it runs, and asking for it holds nothing up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from console.okta.errors import OktaError
from console.okta.limits import Answer, Endpoint, Priority, RateHeaders
from console.okta.models import User
from console.revocation.pacer import Pacer
from console.revocation.price import AGAIN_S, PATIENCE_S, Prices
from tests.support.virtual import VirtualClock, on_virtual_time

EPOCH = 1_764_000_000


class Org:
    """Answers searches: with a window, with an error, without headers, or never."""

    def __init__(self, clock: VirtualClock, *, limit: int | None = 50, error: OktaError | None = None) -> None:
        self.clock = clock
        self.pacer = Pacer(clock, rng=random.Random(7))
        self.limit = limit
        self.error = error
        self.silent = False
        self.asked: list[int] = []

    def prices(self) -> Prices:
        return Prices(self, self.pacer, self.clock)

    async def search_users(self, expression: str, *, page_size: int = 200) -> AsyncIterator[tuple[User, ...]]:
        self.asked.append(page_size)
        permit = await self.pacer.enter(Endpoint.SEARCH, Priority.INTERACTIVE)
        sent = self.clock.monotonic()
        try:
            await self.clock.sleep(3600 if self.silent else 0.2)
        except asyncio.CancelledError:
            permit.lost()
            raise
        if self.error is not None:
            permit.lost()
            raise self.error
        now = self.clock.monotonic()
        headers = RateHeaders(date=int(EPOCH + now))
        if self.limit is not None:
            headers = RateHeaders(self.limit, self.limit - 1, int(EPOCH + now + 60), int(EPOCH + now))
        permit.answered(Answer(Endpoint.SEARCH, 200, headers, sent, now))
        yield ()


@on_virtual_time
async def test_one_small_search_tells_the_limit_and_no_second_one_is_sent(clock: VirtualClock) -> None:
    org = Org(clock)
    prices = org.prices()
    assert not prices.known
    assert prices.words(100) == "100 requests; the limit is not known yet, the first answer tells how long"
    await prices.learn()
    await prices.learn()
    assert org.asked == [1]
    assert prices.known
    assert prices.words(100).startswith("100 requests in 3 windows, about 2 min")
    assert prices.words(1) == "1 request in 1 window, less than a second"


@on_virtual_time
async def test_a_long_batch_has_its_end_told_as_a_time_of_day(clock: VirtualClock) -> None:
    prices = Org(clock).prices()
    await prices.learn()
    await clock.sleep(600)
    seconds = prices.plan(400).seconds
    assert seconds is not None
    minutes, rest = divmod(round(600.2 + seconds), 60)
    assert f"done by 03:{minutes:02d}:{rest:02d} UTC" in prices.words(400)
    assert "done by" not in prices.words(20)


@on_virtual_time
async def test_an_org_that_fails_is_not_asked_at_every_review(clock: VirtualClock) -> None:
    org = Org(clock, error=OktaError("The org is on fire"))
    prices = org.prices()
    await prices.learn()
    await prices.learn()
    assert len(org.asked) == 1
    assert "(The org is on fire)" in prices.words(3)
    org.error = None
    await clock.sleep(AGAIN_S)
    await prices.learn()
    assert (len(org.asked), prices.trouble) == (2, "")
    assert prices.known


@on_virtual_time
async def test_a_silent_org_holds_a_review_up_for_seconds_only(clock: VirtualClock) -> None:
    org = Org(clock)
    org.silent = True
    prices = org.prices()
    await prices.learn()
    assert clock.monotonic() == PATIENCE_S
    assert "no answer within 5 s" in prices.words(3)


@on_virtual_time
async def test_answers_without_a_limit_are_said_to_be_so(clock: VirtualClock) -> None:
    prices = Org(clock, limit=None).prices()
    await prices.learn()
    assert "the org's answers tell no limit" in prices.words(3)


@on_virtual_time
async def test_a_review_that_is_left_early_may_ask_again(clock: VirtualClock) -> None:
    org = Org(clock)
    prices = org.prices()
    asking = asyncio.create_task(prices.learn())
    await clock.sleep(0.1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    await prices.learn()
    assert prices.known
