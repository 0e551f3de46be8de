"""What is owed: once, in order, to one worker at a time, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from csms.errors import Superseded
from csms.store.database import Database
from csms.store.outbox import Hold, Outbox, OutboxFilter
from csms.store.records import OutboxRow
from csms.store.reports import ReportStore
from tests.store.given import HOUR, MINUTE, T0, count

CITY = ("city",)


def owed(number: int, key: str | None = None, platform: str = "city", kind: str = "order") -> OutboxRow:
    """A row about `number`; of its own key unless told."""
    return OutboxRow.of(platform, kind, key or str(number), f"about-{number}", {"n": number}, T0)


async def leased(outbox: Outbox, at: timedelta = timedelta(0), most: int = 100) -> list[int]:
    """The numbers of the rows that are given out at T0 + `at`."""
    return [row.payload["n"] for row in await outbox.lease(CITY, T0 + at, most)]


async def test_the_same_fact_is_owed_once(database: Database) -> None:
    """Platform, kind and `about` name it."""
    outbox = Outbox(database)

    await outbox.enqueue([owed(1), owed(1), owed(2)])
    await outbox.enqueue([owed(1), owed(1, platform="other"), owed(1, kind="status")])

    assert await count(database, "outbox") == 4


async def test_each_row_goes_to_one_worker(database: Database) -> None:
    """Four at once, none twice, none left (D09)."""
    await Outbox(database).enqueue([owed(n) for n in range(200)])

    async def work() -> list[int]:
        outbox, mine = Outbox(database), []
        while batch := await leased(outbox, most=7):
            mine += batch
        return mine

    hands = await asyncio.gather(*(work() for _ in range(4)))

    assert sorted(n for hand in hands for n in hand) == list(range(200))


async def test_rows_of_a_key_go_in_order(database: Database) -> None:
    """The next of a key waits for the one before; other keys do not (head-of-line inside a key only)."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1, "k"), owed(2, "k"), owed(3, "other")])

    first = await outbox.lease(CITY, T0)
    assert [row.payload["n"] for row in first] == [1, 3]
    assert await leased(outbox) == []
    await outbox.sent(first[0].hold, T0, {"Ret": 0})

    assert await leased(outbox) == [2]


async def test_a_row_that_is_dead_holds_up_nobody(database: Database) -> None:
    """D03: poison is set aside, the key goes on."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1, "k"), owed(2, "k")])
    (row,) = await outbox.lease(CITY, T0)

    assert await outbox.dead(row.hold, T0, "no")

    assert await leased(outbox) == [2]
    (dead,) = (await outbox.find(OutboxFilter(state="dead"))).items
    assert (dead["about"], dead["last_error"], dead["attempts"]) == ("about-1", "no", 1)


async def test_a_lease_ends_by_the_clock(database: Database) -> None:
    """D08: who dies with a row in hand gives it back."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1)])

    assert await leased(outbox) == [1]
    assert await leased(outbox, 59 * timedelta(seconds=1)) == []
    assert await leased(outbox, 61 * timedelta(seconds=1)) == [1]


async def test_a_retry_comes_at_its_time(database: Database) -> None:
    """And says why."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1)])
    (row,) = await outbox.lease(CITY, T0)

    await outbox.again(row.hold, T0 + HOUR, "503")

    assert await leased(outbox, 59 * MINUTE) == []
    (again,) = await outbox.lease(CITY, T0 + HOUR)
    assert again.attempts == 2
    assert (await outbox.find(OutboxFilter())).items[0]["last_error"] == "503"


async def test_what_was_not_tried_does_not_count(database: Database) -> None:
    """Given back, a row is due again at once with the attempts it had."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1), owed(2)])
    rows = await outbox.lease(CITY, T0)

    for row in rows:
        await outbox.give_back(row.hold)

    assert [row.attempts for row in await outbox.lease(CITY, T0)] == [1, 1]


async def test_a_paused_platform_gets_nothing(database: Database) -> None:
    """D04: others go on; resumed, its rows go at once."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1), owed(2, platform="other")])
    (row,) = await outbox.lease(CITY, T0)
    await outbox.again(row.hold, T0 + HOUR, "401")

    await outbox.pause("city", "401", T0)

    assert await outbox.paused() == {"city": "401"}
    assert [r.payload["n"] for r in await outbox.lease(("city", "other"), T0 + HOUR)] == [2]
    await outbox.resume("city", T0 + MINUTE)
    assert await outbox.paused() == {}
    assert await leased(outbox, MINUTE) == [1]


async def test_only_ones_own_platforms(database: Database) -> None:
    """A worker without a client for a platform leaves its rows."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1, platform="other")])

    assert await leased(outbox) == []
    assert await outbox.lease((), T0) == []


async def test_a_sent_row_is_owed_again_by_hand(database: Database) -> None:
    """Nothing else brings it back: neither a lost worker's mark nor owing it again."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1)])
    (row,) = await outbox.lease(CITY, T0)
    assert await outbox.sent(row.hold, T0, {"Ret": 0})

    assert not await outbox.again(row.hold, T0, "late")
    assert not await outbox.dead(row.hold, T0, "late")
    await outbox.enqueue([owed(1)])
    assert await leased(outbox, HOUR) == []
    assert await outbox.resend(row.outbox_id, T0)
    assert not await outbox.resend(row.outbox_id, T0)

    (again,) = await outbox.lease(CITY, T0)
    assert again.attempts == 1


async def test_lists_and_backlog(database: Database) -> None:
    """Latest first, page by page; what waits, by platform."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(n) for n in range(5)] + [owed(9, platform="other", kind="status")])
    (row, *_) = await outbox.lease(CITY, T0, 1)
    await outbox.sent(row.hold, T0)

    first = await outbox.find(OutboxFilter(platform="city"), None, 3)
    second = await outbox.find(OutboxFilter(platform="city"), first.next, 3)
    hidden = await outbox.find(OutboxFilter(platforms=("nobody",)))
    waiting = await ReportStore(database).waiting()

    shown = [item["about"] for item in first.items + second.items]
    assert shown == [f"about-{n}" for n in (4, 3, 2, 1, 0)]
    assert [item["kind"] for item in (await outbox.find(OutboxFilter(kind="status"))).items] == ["status"]
    assert hidden.items == []
    assert sorted((w.platform, w.records, w.oldest) for w in waiting) == [("city", 4, T0), ("other", 1, T0)]


async def test_what_is_older_than_the_platform_has_is_not_resent(database: Database) -> None:
    """A revision that was set aside stays so when a newer one was taken; all that were: how many stay."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1, "k"), owed(2, "k"), owed(3, "other"), owed(4, "k", kind="status")])
    for n in (1, 3):
        await outbox.dead(Hold(n), T0, "no")
    await outbox.sent(Hold(2), T0, {"Ret": 0})

    with pytest.raises(Superseded, match="about-1"):
        await outbox.resend(1, T0)
    assert await outbox.resend_dead("city", T0) == (1, 1)
    assert await outbox.resend(2, T0)
    with pytest.raises(Superseded):  # what is told again was told all the same
        await outbox.resend(1, T0)

    assert await leased(outbox) == [2, 3, 4]
    assert (await outbox.find(OutboxFilter(state="dead"))).items[0]["about"] == "about-1"


async def test_what_is_in_hands_is_not_given_out_again(database: Database) -> None:
    """Resuming brings what waits for a retry, and leaves a push under way alone."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1, "k"), owed(2, "k"), owed(3)])
    first, third = await outbox.lease(CITY, T0)
    await outbox.again(third.hold, T0 + HOUR, "503")

    await outbox.resume("city", T0)

    assert await leased(outbox) == [3]
    assert await outbox.sent(first.hold, T0)
    assert await leased(outbox) == [2]


async def test_only_who_holds_a_row_says_how_it_went(database: Database) -> None:
    """A worker whose lease has ended marks nothing: neither while another has it nor when it waits again."""
    outbox = Outbox(database)
    await outbox.enqueue([owed(1)])
    (slow,) = await outbox.lease(CITY, T0)
    (now,) = await outbox.lease(CITY, T0 + HOUR)

    async def marks(hold: Hold) -> list[bool]:
        return [
            await outbox.sent(hold, T0 + HOUR),
            await outbox.again(hold, T0 + HOUR, "503"),
            await outbox.dead(hold, T0 + HOUR, "no"),
            await outbox.drop(hold, T0 + HOUR, "no"),
        ]

    assert await marks(slow.hold) == [False] * 4
    await outbox.give_back(slow.hold)
    assert await leased(outbox, HOUR) == []
    assert await outbox.again(now.hold, T0 + HOUR, "503")
    assert await marks(slow.hold) == await marks(now.hold) == [False] * 4
