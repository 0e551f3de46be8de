"""Settings: the columns the API really gives; what of it is bad news."""

from datetime import timedelta

from csms.console.pages.settings import RESOURCES, _columns
from csms.store.change_rows import Kind, announce_operator
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.times import micros
from tests.api.conftest import MINE, NOW, Desk
from tests.console.kit import running, visit_of


async def test_columns(desk: Desk) -> None:
    """Those we know and it gives; else its own; removing only where that can be."""
    visit = await visit_of(desk)
    resource = RESOURCES["sites"]

    known = _columns(visit, resource, [{"code": "S01", "name": "x"}], False)
    other = _columns(visit, resource, [{"odd": 1}], True)

    assert [str(column.head) for column in known] == ["Code", "Name"]
    assert len(other) == 2
    assert other[0].cell({"odd": 1}) == "1"


async def events_come_and_go(database: Database) -> None:
    """More than one, and all but the newest are older than events are kept."""
    for _ in range(3):
        await database.run(
            lambda connection: announce_operator(Kind.REGISTRATION_CHANGED, MINE, micros(NOW), {}, connection)
        )
    await ChangeFeed(database).prune(NOW + timedelta(days=1))


async def test_a_webhook_that_has_lost_events(sqlite_url: str) -> None:
    """Is named above the list, with what to do; none is named before, nor one that was told everything."""
    async with running(sqlite_url) as kit:
        async with await kit.desk.client() as client:
            for place, is_on in (("off", False), ("on", True)):
                hook = {"url": f"https://93.184.215.14/{place}", "operator": None, "enabled": is_on}
                assert (await client.post("/api/v1/webhooks", json=hook)).status_code == 201
        before = await kit.page("/settings?tab=webhooks")
        await events_come_and_go(kit.desk.database)
        after = await kit.page("/settings?tab=webhooks")
        chinese = await kit.page("/settings?tab=webhooks", "zh-CN")

    assert "Events are lost" not in before
    assert "Events are lost: webhook 1 (https://93.184.215.14/off)<" in after
    assert "read what it missed from the API" in after
    assert "有事件已永久丢失：Webhook 1 (https://93.184.215.14/off)<" in chinese
    assert "补齐遗漏的数据" in chinese
