"""A lane against a platform that does as it is told: order, bounds, rests, what is said of it."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.errors import StoreUnavailable
from csms.reporting.lane import AT_ONCE, Lane
from csms.reporting.tcec.outcomes import Delivered, Disputed, Ignored, Outcome, Refused, Rejected, Retry
from csms.reporting.tcec.profile import load_profile
from csms.store.database import Database
from csms.store.outbox import Outbox, OutboxEntry, OutboxFilter
from csms.store.records import OutboxRow
from tests.reporting.parts import Clock, cancelled, order, reporting, until

SIMULATED = load_profile("simulated")
MINUTES = timedelta(minutes=2)


class Scripted:
    """A platform that answers what `answer` says, after `delay_s`."""

    profile = SIMULATED

    def __init__(self, answer: Callable[[Mapping[str, Any]], Outcome] = lambda _: Delivered()) -> None:
        self.answer = answer
        self.delay_s = 0.0
        self.got: list[tuple[str, int]] = []
        self.taken: dict[str, list[int]] = defaultdict(list)
        self.at_once = self.most_at_once = 0

    async def push(self, kind: str, payload: Mapping[str, Any]) -> Outcome:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.at_once -= 1
        key = payload["start_charge_seq"], payload["revision"]
        self.got.append(key)
        outcome = self.answer(payload)
        if isinstance(outcome, (Delivered, Disputed)):
            self.taken[key[0]].append(key[1])
        return outcome


def lane_of(platform: Scripted, outbox: Outbox, clock: Clock, **changes: Any) -> Lane:
    return Lane("city", platform, outbox, reporting(**changes), clock, jitter=lambda: 1.0)


async def owe(outbox: Outbox, clock: Clock, *pairs: tuple[int, int]) -> None:
    """Owe orders by number and revision."""
    await outbox.enqueue(
        [
            OutboxRow.of("city", "charge-order", str(n), f"{n}/{r}", order(n, revision=r), clock())
            for n, r in pairs
        ]
    )


async def rows(outbox: Outbox) -> dict[str, dict[str, Any]]:
    page = await outbox.find(OutboxFilter(), most=1000)
    return {row["about"]: row for row in page.items}


async def run_dry(lane: Lane, clock: Clock, rounds: int = 60) -> None:
    for _ in range(rounds):
        await lane.deliver_due()
        clock.move(MINUTES)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_platform_does_keys_stay_in_order(outbox: Outbox, clock: Clock, seed: int) -> None:
    """Random answers, thirty keys of four revisions: each is taken once, after all before it."""
    chance = random.Random(seed)
    answers: list[Outcome] = [Delivered(), Delivered(), Ignored("seen"), Retry("no"), Retry("no", 3.0)]
    answers.append(Rejected("no"))
    platform = Scripted(lambda _: chance.choice(answers))
    pairs = [(n, r) for r in (1, 2, 3, 4) for n in range(30)]
    await owe(outbox, clock, *pairs)

    await run_dry(lane_of(platform, outbox, clock, outbox_attempts=1000), clock)

    found = await rows(outbox)
    assert {row["state"] for row in found.values()} == {"sent"}
    for taken in platform.taken.values():
        assert taken == sorted(set(taken))
    ignored = [row for row in found.values() if row["answer"] == {"ignored": "seen"}]
    assert sum(map(len, platform.taken.values())) == 120 - len(ignored)


async def test_only_so_many_at_once(outbox: Outbox, clock: Clock) -> None:
    """However much is due, the platform gets a bounded number of pushes beside each other."""
    platform = Scripted()
    platform.delay_s = 0.005
    await owe(outbox, clock, *((n, 1) for n in range(100)))

    await lane_of(platform, outbox, clock).deliver_due()

    assert platform.most_at_once == AT_ONCE
    assert len(platform.got) == 100


async def test_one_slow_push_holds_up_no_other_key(outbox: Outbox, clock: Clock) -> None:
    """While one order's push takes its time, all the others are done."""
    platform = Scripted()
    slow = asyncio.Event()

    async def push(kind: str, payload: Mapping[str, Any]) -> Outcome:
        if payload["revision"] == 9:
            await slow.wait()
        return await Scripted.push(platform, kind, payload)

    platform.push = push  # type: ignore[method-assign]  # one order is slow
    await owe(outbox, clock, (0, 9), *((n, 1) for n in range(1, 50)))
    running = asyncio.create_task(lane_of(platform, outbox, clock).deliver_due())

    async def others_done() -> bool:
        return len(platform.got) == 49

    await until(others_done)
    slow.set()
    assert await running == 50


async def test_a_push_ends_before_its_lease(outbox: Outbox, clock: Clock) -> None:
    """A client that never comes back counts as a failure while the row is still ours."""
    platform = Scripted()
    platform.delay_s = 60
    await owe(outbox, clock, (1, 1))

    await lane_of(platform, outbox, clock, outbox_lease_s=0.1).deliver_due()

    (row,) = (await rows(outbox)).values()
    assert (row["state"], row["last_error"]) == ("waiting", "no answer within 0.08 s")


async def test_trouble_is_spared_row_by_row(outbox: Outbox, clock: Clock) -> None:
    """After three failures in a row the platform is asked once in a while, at growing intervals."""
    platform = Scripted(lambda _: Retry("busy"))
    await owe(outbox, clock, *((n, 1) for n in range(100)))
    lane = lane_of(platform, outbox, clock)

    await lane.deliver_due()
    assert len(platform.got) == AT_ONCE
    asked = []
    for _ in range(120):
        clock.move(timedelta(seconds=1))
        asked.append(await lane.deliver_due())

    assert max(asked) == 1
    # The profile's schedule: 1, 2, 5, 10, 30, 60 and again 60 seconds.
    assert [n for n, count in enumerate(asked, 1) if count] == [1, 3, 8, 18, 48, 108]
    platform.answer = lambda _: Delivered()
    clock.move(MINUTES)
    await lane.deliver_due()
    assert {row["state"] for row in (await rows(outbox)).values()} == {"sent"}


async def test_a_disputed_order_is_done_and_shown(outbox: Outbox, clock: Clock) -> None:
    """The platform has it and does not agree: people see that; nothing is sent again."""
    platform = Scripted(lambda _: Disputed("ConfirmResult 3", 3))
    await owe(outbox, clock, (1, 1))

    await run_dry(lane_of(platform, outbox, clock), clock, rounds=3)

    (row,) = (await rows(outbox)).values()
    assert (row["state"], row["answer"]) == ("sent", {"disputed": 3, "reason": "ConfirmResult 3"})
    assert len(platform.got) == 1


async def test_trouble_is_said_once_and_so_is_its_end(outbox: Outbox, clock: Clock) -> None:
    """However many rows fail, there are two lines; a pause and a dead letter are errors."""
    platform = Scripted(lambda _: Retry("down"))
    await owe(outbox, clock, *((n, 1) for n in range(50)))
    with capture_logs() as lines:
        lane = lane_of(platform, outbox, clock)
        await run_dry(lane, clock, rounds=5)
        platform.answer = lambda _: Delivered()
        await run_dry(lane, clock, rounds=3)
        platform.answer = lambda _: Rejected("what is this")
        await owe(outbox, clock, (99, 1))
        await run_dry(lane, clock, rounds=12)
        platform.answer = lambda _: Refused("HTTP 401")
        await owe(outbox, clock, *((n, 2) for n in range(50)))
        await run_dry(lane, clock, rounds=5)

    said = Counter((line["event"], line["log_level"]) for line in lines)
    assert said == {
        ("platform_failed", "warning"): 1,
        ("platform_recovered", "info"): 1,
        ("report_set_aside", "error"): 1,
        ("platform_paused", "error"): 1,
    }
    assert all(line["platform"] == "city" for line in lines)


class Flaky(Outbox):
    """An outbox whose database is away at times."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.leases_fail = 2
        self.marks_fail = 3

    async def lease(self, *args: Any, **options: Any) -> list[OutboxEntry]:
        if self.leases_fail:
            self.leases_fail -= 1
            raise StoreUnavailable
        return await super().lease(*args, **options)

    async def sent(self, *args: Any, **options: Any) -> bool:
        if self.marks_fail:
            self.marks_fail -= 1
            raise StoreUnavailable
        return await super().sent(*args, **options)


async def test_an_outage_of_the_database_is_waited_out(database: Database, clock: Clock) -> None:
    """What was delivered and could not be marked is sent again after its lease; the platform knows it."""
    outbox, platform = Flaky(database), Scripted()
    await owe(outbox, clock, *((n, 1) for n in range(10)))
    running = asyncio.create_task(lane_of(platform, outbox, clock).run())

    async def sent(count: int) -> bool:
        return [row["state"] for row in (await rows(outbox)).values()].count("sent") == count

    await until(partial(sent, 7))
    clock.move(MINUTES)
    await until(partial(sent, 10))
    await cancelled(running)
    assert len(platform.got) == 13
