"""What is kept of platforms, on both databases: tallies, ticks, cursors, replacing, pruning."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csms.store.database import Database
from csms.store.delivery_rows import Told, china_day
from csms.store.disputes import DisputeStore
from csms.store.outbox import Hold, Outbox, OutboxFilter
from csms.store.platforms import Check, PlatformStore, first_since
from csms.store.records import OutboxRow
from csms.store.times import micros

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
TODAY = date(2026, 1, 5)
S = timedelta(seconds=1)
LIMITS = {("beijing", "charge-order"): 150.0}


def row(
    about: str, at: datetime = T0, kind: str = "charge-order", key: str | None = None, **payload: Any
) -> OutboxRow:
    return OutboxRow.of("beijing", kind, key or about, about, payload, at)


async def rows_of(outbox: Outbox, **wanted: Any) -> dict[str, dict[str, Any]]:
    page = await outbox.find(OutboxFilter(**wanted), most=1000)
    return {item["about"]: item for item in page.items}


async def test_what_was_told_in_time(database: Database) -> None:
    """数据推送及时率: told within the limit, late, disputed, set aside, and what waits too long."""
    outbox, store = Outbox(database), PlatformStore(database)
    await outbox.enqueue([row(str(n)) for n in range(1, 7)] + [row("7", T0 + 100 * S)])

    await outbox.sent(Hold(1), T0 + 150 * S, {}, Told("h", 150))
    await outbox.sent(Hold(2), T0 + 151 * S, {}, Told("h", 150))
    await outbox.sent(Hold(3), T0 + 10 * S, {}, Told("h", 150, 1, {"start_charge_seq": "X"}))
    await outbox.dead(Hold(4), T0 + 10 * S, "poison")
    await outbox.drop(Hold(5), T0, "not wanted")
    (tally,) = await store.tallies(TODAY, TODAY, T0 + 200 * S, LIMITS)

    assert tally[2:9] == (3, 2, 2, 1, 1, 2, 1)
    assert tally.last_at is not None
    assert [item["sent_hash"] for item in (await rows_of(outbox, state="sent")).values()] == ["h", "h", "h"]
    (dispute,) = (await DisputeStore(database).disputes("beijing", True)).items
    assert (dispute["start_charge_seq"], dispute["reason"], dispute["about"]) == ("X", 1, "3")


async def test_a_record_counts_once(database: Database) -> None:
    """However often it is told again; one that was set aside does no longer when it is told."""
    outbox, store = Outbox(database), PlatformStore(database)
    await outbox.enqueue([row("1"), row("2")])

    await outbox.sent(Hold(1), T0, {}, Told())
    await outbox.dead(Hold(2), T0, "poison")
    assert await outbox.resend(1, T0)
    assert await outbox.resend_dead("beijing", T0) == (1, 0)
    await outbox.sent(Hold(1), T0, {}, Told())
    await outbox.sent(Hold(2), T0, {}, Told())
    (tally,) = await store.tallies(TODAY, TODAY, T0, LIMITS)

    assert (tally.sent, tally.dead, tally.waiting) == (2, 0, 0)
    assert not await outbox.sent(Hold(2), T0)
    assert not await outbox.resend(99, T0)
    assert (await outbox.platform_of(1), await outbox.platform_of(99)) == ("beijing", None)


async def test_days_are_those_of_china(database: Database) -> None:
    """Eight hours before those of UTC."""
    outbox, store = Outbox(database), PlatformStore(database)
    await outbox.enqueue(
        [row("1", datetime(2026, 1, 4, 16, tzinfo=UTC)), row("2", datetime(2026, 1, 4, 15, tzinfo=UTC))]
    )
    await outbox.sent(Hold(1), T0)
    await outbox.sent(Hold(2), T0)

    assert [tally.sent for tally in await store.tallies(TODAY, TODAY, T0, {})] == [1]
    assert [tally.sent for tally in await store.tallies(date(2026, 1, 4), TODAY, T0, {})] == [2]
    assert china_day(micros(datetime(1970, 1, 1, 16, tzinfo=UTC))) == 1


async def test_only_one_runs_a_tick(database: Database) -> None:
    """Ten at once: one owes the rows."""
    store, outbox = PlatformStore(database), Outbox(database)

    done = await asyncio.gather(*(store.run_once("t", 5, [row(f"{n}", kind="power")], T0) for n in range(10)))

    assert done.count(True) == 1
    assert len(await rows_of(outbox)) == 1
    assert await store.has_ticked("t", 5)
    assert not await store.has_ticked("t", 6)
    assert await store.forget_ticks(T0 + timedelta(days=3)) == 1


async def test_the_newest_takes_the_place(database: Database) -> None:
    """A live value is owed once, told or not; its retry keeps its time."""
    store, outbox = PlatformStore(database), Outbox(database)
    await store.run_once("t", 1, [row("s", kind="charge-status", n=1)], T0, "renew")
    (entry,) = await outbox.lease(["beijing"], T0)
    await outbox.again(entry.hold, T0 + 300 * S, "no answer")

    await store.run_once("t", 2, [row("s", T0 + 50 * S, kind="charge-status", n=2)], T0 + 50 * S, "renew")
    assert await outbox.lease(["beijing"], T0 + 60 * S) == []
    (again,) = await outbox.lease(["beijing"], T0 + 301 * S)
    assert (again.payload, again.attempts, again.outbox_id) == ({"n": 2}, 2, entry.outbox_id)

    await outbox.sent(again.hold, T0 + 302 * S)
    await store.run_once("t", 3, [row("s", T0 + 350 * S, kind="charge-status", n=3)], T0 + 350 * S, "renew")
    (third,) = await outbox.lease(["beijing"], T0 + 350 * S)
    assert (third.payload, third.attempts) == ({"n": 3}, 1)


async def test_a_renewed_value_is_late_from_its_newest_cause(database: Database) -> None:
    """One that waits: since it was owed first. Its number is an old one, but no other is late for that."""
    store, outbox = PlatformStore(database), Outbox(database)
    limits = {("beijing", kind): 100.0 for kind in ("charge-status", "charge-order")}

    async def late(at: datetime) -> dict[str, int]:
        return {one.kind: one.late for one in await store.tallies(TODAY, TODAY, at, limits)}

    async def renew(tick: int, at: datetime) -> None:
        assert await store.run_once("t", tick, [row("s", at, kind="charge-status", n=tick)], at, "renew")

    await renew(1, T0)
    await outbox.sent(Hold(1), T0 + 200 * S, {}, Told("h", 150))
    await outbox.enqueue([row(f"o{n}", T0 + 250 * S) for n in range(8)])
    await renew(2, T0 + 390 * S)

    assert await late(T0 + 400 * S) == {"charge-order": 8, "charge-status": 0}
    (shown,) = (await rows_of(outbox, kind="charge-status")).values()
    assert shown["created_at"] == "2026-01-05T10:06:30.000Z"
    await renew(3, T0 + 480 * S)
    assert await late(T0 + 491 * S) == {"charge-order": 8, "charge-status": 1}
    assert await database.look(lambda db: first_since(db, micros(T0 + 100 * S))) == 2

    await outbox.sent(Hold(1), T0 + 500 * S, {}, Told("h", 150))
    tallies = {one.kind: one for one in await store.tallies(TODAY, TODAY, T0 + 500 * S, limits)}
    assert (tallies["charge-status"].sent, tallies["charge-status"].on_time) == (2, 1)


async def test_what_is_told_anyway_is_not_owed_again(database: Database) -> None:
    """A full status does not pile up on a change that waits."""
    store, outbox = PlatformStore(database), Outbox(database)
    await outbox.enqueue([row("a", kind="connector-status", key="k1")])

    await store.run_once(
        "t",
        1,
        [row("b", kind="connector-status", key="k1"), row("c", kind="connector-status", key="k2")],
        T0,
        "fill",
    )

    assert set(await rows_of(outbox)) == {"a", "c"}


async def test_older_ones_are_replaced(database: Database) -> None:
    """Of one key and kind only; the newest is told."""
    outbox = Outbox(database)
    await outbox.enqueue(
        [row("1", key="k"), row("2", key="k"), row("3", key="other"), row("4", key="k", kind="alarm")]
    )
    entry = next(one for one in await outbox.lease(["beijing"], T0) if one.about == "1")

    assert await outbox.replaced(entry, T0)
    assert not await outbox.replaced(entry._replace(outbox_id=2), T0)
    found = await rows_of(outbox)
    assert {about: one["state"] for about, one in found.items()} == {
        "1": "dropped", "2": "waiting", "3": "waiting", "4": "waiting",
    }  # fmt: skip
    assert found["1"]["last_error"] == "replaced by a newer one"


async def test_kinds_of_one_key_do_not_wait_for_each_other(database: Database) -> None:
    """A session's order is not held up by its status."""
    outbox = Outbox(database)
    await outbox.enqueue([row("1", key="k"), row("2", key="k"), row("3", key="k", kind="charge-status")])

    assert [one.about for one in await outbox.lease(["beijing"], T0)] == ["1", "3"]


async def test_whether_it_was_told_before(database: Database) -> None:
    """An earlier revision that was sent, not one that was only owed."""
    outbox = Outbox(database)
    await outbox.enqueue([row("1", key="k")])
    (first,) = await outbox.lease(["beijing"], T0)
    second = first._replace(outbox_id=2)
    assert not await outbox.told_before(second)

    await outbox.sent(first.hold, T0)

    assert await outbox.told_before(second)
    assert not await outbox.told_before(first)


async def test_a_cursor_moves_once(database: Database) -> None:
    """With what follows from it; whoever comes second does nothing."""
    store, outbox = PlatformStore(database), Outbox(database)

    assert await store.position("c") is None
    assert await store.advance("c", None, 5, [row("1")], T0)
    assert not await store.advance("c", None, 6, [row("2")], T0)
    assert await store.advance("c", 5, 7, [row("3")], T0)
    assert not await store.advance("c", 5, 8, [row("4")], T0)
    assert await store.position("c") == 7
    assert set(await rows_of(outbox)) == {"1", "3"}


async def test_pruning(database: Database) -> None:
    """What was told or dropped long ago goes; what waits and what is set aside stays."""
    store, outbox = PlatformStore(database), Outbox(database)
    await outbox.enqueue([row(name) for name in ("sent", "late", "dropped", "dead", "waiting")])
    await outbox.sent(Hold(1), T0)
    await outbox.sent(Hold(2), T0 + timedelta(days=100))
    await outbox.drop(Hold(3), T0, "old")
    await outbox.dead(Hold(4), T0, "poison")

    assert await store.prune(T0 + timedelta(days=50)) == (2, None)
    assert set(await rows_of(outbox)) == {"late", "dead", "waiting"}


async def test_the_first_row_of_a_time(database: Database) -> None:
    """Found by halving, with gaps in the numbers, too."""
    outbox = Outbox(database)
    await outbox.enqueue([row(str(n), T0 + n * S) for n in range(50)])
    for n in range(10, 20):
        await outbox.drop(Hold(n), T0, "x")
    await PlatformStore(database).prune(T0 + 1 * S)

    async def found(at: datetime) -> int:
        return await database.look(lambda connection: first_since(connection, micros(at)))

    assert [await found(T0 + n * S) for n in (-5, 0, 8, 12, 30, 49)] == [
        0,
        0,
        9,
        10,
        31,
        50,
    ]  # no row is between
    assert await found(T0 + timedelta(days=1)) == 51


async def test_orders_of_a_day(database: Database) -> None:
    """By when their sessions ended; the last revision that was taken, under the platform's own name."""
    outbox, disputes = Outbox(database), DisputeStore(database)
    own = "9" * 27

    def order(n: int, about: str, wh: int, ended: str) -> OutboxRow:
        return row(
            about, key=str(n), start_charge_seq=f"{n:027d}", energy_wh=wh, money="1.00", ended_at=ended
        )

    await outbox.enqueue(
        [
            order(1, "1/1", 10, "2026-01-05T10:00:00Z"),
            order(1, "1/2", 11, "2026-01-05T10:00:00Z"),
            order(2, "2/1", 20, "2026-01-05T11:00:00Z"),
            order(3, "3/1", 30, "2026-01-05T16:00:00Z"),
            order(4, "4/1", 40, "2026-01-05T12:00:00Z"),
        ]
    )
    for n in (1, 2, 4):
        await outbox.sent(Hold(n), T0, {"ConfirmResult": 0})
    await outbox.sent(Hold(3), T0, {"StartChargeSeq": own})

    told, waiting = await disputes.told_orders("beijing", T0 - 18 * 3600 * S, T0 + 6 * 3600 * S)

    assert told == [(f"{1:027d}", 11, "1.00"), (own, 20, "1.00")]
    assert waiting == 1


async def test_orders_of_clocks_that_run_ahead(database: Database) -> None:
    """Put down before midnight, ended after it: they are of the day in which they ended, and of no other."""
    outbox, midnight = Outbox(database), datetime(2026, 1, 5, 16, tzinfo=UTC)
    said = {"start_charge_seq": "1" * 27, "energy_wh": 5, "money": "1.00", "ended_at": "2026-01-05T16:09:59Z"}
    await outbox.enqueue([row("1/1", midnight - S, **said), row("2/1", midnight + S)])
    await outbox.sent(Hold(1), midnight)
    disputes, day = DisputeStore(database), timedelta(days=1)

    assert await disputes.told_orders("beijing", midnight, midnight + day) == ([("1" * 27, 5, "1.00")], 0)
    assert await disputes.told_orders("beijing", midnight - day, midnight) == ([], 0)


async def test_an_answer_that_comes_twice_counts_once(database: Database) -> None:
    """A crash between the answer and its mark, or a record told again; parts of a day count together."""
    store, disputes = PlatformStore(database), DisputeStore(database)
    check = Check("beijing", TODAY, "SEQ", 2, 30, "2.00")
    assert await store.run_once("c", 1, (), T0, check=check)
    one, other = ({"start_charge_seq": n, "reason": 2, "their_power": "", "their_money": ""} for n in "AB")

    for found in ([one], [one], [other]):
        await disputes.check_answered("beijing", TODAY, found, T0)

    assert [kept["disputes"] for kept in await disputes.checks("beijing")] == [2]


async def test_disputes_are_kept_and_settled(database: Database) -> None:
    """The same once; who settled it and how stays with it."""
    store, disputes = PlatformStore(database), DisputeStore(database)
    check = Check("beijing", TODAY, "SEQ", 2, 30, "2.00")
    assert await store.run_once("c", 1, (), T0, check=check)
    found = [{"start_charge_seq": "A", "reason": 2, "their_power": "1.5", "their_money": "2"}]

    await disputes.check_answered("beijing", TODAY, found, T0)
    await disputes.check_answered("beijing", TODAY, [], T0)
    (kept,) = await disputes.checks("beijing")
    assert (kept["day"], kept["orders"], kept["disputes"], kept["money"]) == ("2026-01-05", 2, 1, "2.00")
    assert await disputes.open_disputes() == {"beijing": 1}

    (one,) = (await disputes.disputes("beijing", None)).items
    await disputes.resolve("beijing", int(one["id"]), "key:1:li", "agreed", T0)
    assert (await disputes.disputes("beijing", True)).items == []
    (settled,) = (await disputes.disputes("beijing", False)).items
    assert (settled["resolved_by"], settled["note"]) == ("key:1:li", "agreed")
    assert await disputes.open_disputes() == {}


async def test_a_dispute_there_is_not(database: Database) -> None:
    """Neither another platform's nor one that is settled."""
    import pytest

    from csms.errors import NotFound

    with pytest.raises(NotFound, match="open dispute 1"):
        await DisputeStore(database).resolve("beijing", 1, "me", "x", T0)


async def test_pauses(database: Database) -> None:
    """Why and since when."""
    await Outbox(database).pause("beijing", "refused: Ret 4001", T0)

    assert await PlatformStore(database).pauses() == {
        "beijing": {"paused": True, "reason": "refused: Ret 4001", "changed_at": "2026-01-05T10:00:00.000Z"}
    }


async def test_a_key_that_is_held_up_holds_up_no_other(database: Database) -> None:
    """However many rows of it are due before another's."""
    outbox = Outbox(database)
    await outbox.enqueue([row(f"a{n}", T0, key="a") for n in range(1200)] + [row("b", T0 + S, key="b")])
    (first,) = await outbox.lease(["beijing"], T0, 1)
    await outbox.again(first.hold, T0 + timedelta(hours=1), "no answer")

    assert [one.about for one in await outbox.lease(["beijing"], T0 + 2 * S)] == ["b"]
