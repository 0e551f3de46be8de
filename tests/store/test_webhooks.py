"""Webhooks as rows: leases, positions that somebody moves meanwhile, pages, and what is forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from csms.errors import Conflict, NotFound
from csms.store.change_rows import Kind, announce, of_station
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.places import Places
from csms.store.registry import OperatorForm, Registry
from csms.store.tables import operators
from csms.store.times import micros
from csms.store.webhooks import MOST_OF_ONE, Delivery, WebhookForm, WebhookStore
from tests.store.given import MINUTE, OPERATOR, T0, stations

FORM = WebhookForm("https://a.example/", frozenset({"b", "a"}), None, True)


def done(last: int, error: str = "", at: timedelta = timedelta(0)) -> Delivery:
    return Delivery(micros(T0 + at), 1, last, 1, 1, 500 if error else 204, error, 7)


async def test_a_delivery_counts_only_for_who_holds_the_lease(database: Database) -> None:
    """And only while nobody has moved the position: a replay is not undone by what was on its way."""
    store = WebhookStore(database)
    number = await store.add(FORM, "s", 5, T0)
    (hook,) = await store.active()
    assert (hook.kinds, hook.position) == ({"a", "b"}, 5)

    assert await store.lease(hook, "x", T0, 30)
    assert await store.lease(hook, "x", T0 + MINUTE / 3, 30)
    assert not await store.delivered(hook, "y", done(9))
    assert await store.delivered(hook, "x", done(9))
    (hook,) = await store.active()
    assert hook.position == 9

    await store.replay(number, 2)
    assert not await store.delivered(hook, "x", done(12))
    (hook,) = await store.active()
    assert hook.position == 2
    await store.skip(hook, 8)
    assert (await store.active())[0].position == 8


async def test_failures_add_up_until_somebody_resumes(database: Database) -> None:
    """A webhook that waits or was given up is not leased."""
    store = WebhookStore(database)
    number = await store.add(FORM, "s", 5, T0)
    (hook,) = await store.active()
    for n in (1, 2):
        assert await store.lease(hook, "x", T0 + n * MINUTE, 30)
        await store.failed(hook, "x", done(9, "HTTP 500"), micros(T0 + (n + 1) * MINUTE))
        (hook,) = await store.active()
        assert hook.attempts == n
    assert not await store.lease(hook, "x", T0, 30)
    await store.lease(hook, "x", T0 + 9 * MINUTE, 30)
    await store.failed(hook, "x", done(9, "HTTP 500"), 0, "given up")
    assert await store.active() == []
    assert [one["paused_because"] for one in await store.paused()] == ["given up"]

    await store.resume(number)

    (hook,) = await store.active()
    assert (hook.attempts, hook.position) == (0, 5)


async def test_pages_owners_and_ends(database: Database) -> None:
    """An operator sees its own; deliveries go with their webhook, or when they are old."""
    await stations(database)
    store = WebhookStore(database)
    numbers = [await store.add(FORM, "s", 0, T0) for _ in range(2)]
    mine = await store.add(FORM._replace(operator=OPERATOR, kinds=None), "s", 0, T0)
    with pytest.raises(NotFound):
        await store.add(FORM._replace(operator="000000000"), "s", 0, T0)

    page = await store.find(None, None, 2)
    rest = await store.find(None, page.next, 2)
    assert [one["id"] for one in page.items + rest.items] == [str(n) for n in (*numbers, mine)]
    assert [one["id"] for one in (await store.find(OPERATOR)).items] == [str(mine)]
    for n in range(3):
        await store.note(mine, done(n, at=n * MINUTE))
    first = await store.deliveries(mine, None, 2)
    last = await store.deliveries(mine, first.next, 2)
    assert [one["last"] for one in first.items + last.items] == ["2", "1", "0"]
    assert await store.prune(T0 + MINUTE) == 1
    await store.remove(mine)
    assert (await store.deliveries(mine)).items == []
    for lost in (store.remove(mine), store.renew(mine, "t"), store.resume(mine), store.replay(mine, 1)):
        with pytest.raises(NotFound):
            await lost


async def test_an_operator_with_a_webhook_stays(database: Database) -> None:
    """It cannot be removed; a webhook whose operator is gone all the same is told nothing."""
    store = WebhookStore(database)
    await Registry(database).put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Shanghai"))
    await store.add(FORM._replace(operator=OPERATOR), "s", 5, T0)

    with pytest.raises(Conflict, match="webhooks"):
        await Places(database).remove_operator(OPERATOR)
    assert len(await store.active()) == 1
    await database.execute(delete(operators))
    assert await store.active() == []


async def test_a_lease_tells_what_the_webhook_is_by_now(database: Database) -> None:
    """Its address, kinds and secret; what was looked through for other kinds moves nothing."""
    store = WebhookStore(database)
    number = await store.add(FORM, "s", 5, T0)
    (hook,) = await store.active()
    await store.change(number, FORM._replace(url="https://b.example/", kinds=None))
    await store.renew(number, "t")

    await store.skip(hook, 9)
    leased = await store.lease(hook, "x", T0, 30)

    assert leased == hook._replace(url="https://b.example/", kinds=None, secret="t")
    assert (await store.active())[0].position == 5


async def test_webhooks_are_so_many_at_most(database: Database) -> None:
    """Of each operator, and of all of them together."""
    await stations(database)
    store = WebhookStore(database)
    for _ in range(MOST_OF_ONE):
        await store.add(FORM, "s", 5, T0)

    with pytest.raises(Conflict, match="20 webhooks of all operators"):
        await store.add(FORM, "s", 5, T0)
    await store.add(FORM._replace(operator=OPERATOR), "s", 5, T0)


async def test_who_stood_still_for_too_long_has_lost_something(database: Database) -> None:
    """Events that are gone were not told; one that is served and wants none of them has lost nothing."""
    (station,) = await stations(database)
    store, feed = WebhookStore(database), ChangeFeed(database)
    at = await feed.settled()
    off = await store.add(FORM._replace(enabled=False), "s", at, T0)
    on = await store.add(FORM, "s", at, T0)
    row = of_station(Kind.CONNECTOR_STATUS, station, micros(T0), {})
    await database.run(lambda connection: announce([row] * 3, connection))
    before = (await store.one(off, None))[1]["has_lost"]

    await feed.prune(T0 + MINUTE)

    assert before is False
    assert [(await store.one(number, None))[1]["has_lost"] for number in (off, on)] == [True, False]
