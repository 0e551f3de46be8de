"""/messages: searched in the log and in what sessions keep, a bounded number at a time. On both databases."""

from datetime import timedelta
from typing import Any

import pytest

from csms.domain.meter import Reading
from csms.store.message_log import INSERT, MessageRow
from csms.store.times import micros
from tests.api.conftest import MINE, NOW, OTHER
from tests.store.given import told_row

PATH = "/api/v1/messages"
SECOND = timedelta(seconds=1)


async def log(desk: Any, *rows: tuple[int, int, str, str, str, str | None, str]) -> None:
    """(second, station, direction, action, request, answer, outcome)."""
    for second, station, direction, action, request, answer, outcome in rows:
        at = micros(NOW + second * SECOND)
        row = MessageRow(station, at, direction, f"m{second}", action, request, answer, outcome, 800)
        await desk.database.execute(INSERT, row._asdict())


async def fill(desk: Any) -> None:
    await log(
        desk,
        (0, 1, "in", "Heartbeat", "{}", '{"currentTime":"x"}', "answered"),
        (10, 2, "in", "Heartbeat", "{}", '{"currentTime":"x"}', "answered"),
        (20, 1, "out", "Reset", '{"type":"Soft"}', None, "silent"),
        (30, 1, "in", "Authorize", '{"idTag":"50%_A"}', '{"idTagInfo":{"status":"Invalid"}}', "answered"),
        (40, 2, "in", "Nonsense", "{", '[4,"m40"]', "NotImplemented"),
    )
    number = await desk.add_session(0)
    for second in (15, 35):
        at = NOW + second * SECOND
        row = told_row(number, [Reading(at, "soc", second * 1000)], at)
        await desk.write(row._replace(action="MeterValues", request='{"a":"ü"}', message_id=f"m{second}"))


async def found(client: Any, **query: Any) -> list[int]:
    answer = await client.get(PATH, params={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [int(item["message_id"][1:]) for item in answer.json()["items"]]


async def test_every_filter(desk_on_each: Any) -> None:
    """Latest first, logged and kept ones in one order; another operator's do not exist."""
    await fill(desk_on_each)
    after_10 = "2026-01-01T12:00:15Z"
    async with await desk_on_each.client() as client:
        assert await found(client) == [40, 35, 30, 20, 15, 10, 0]
        assert await found(client, station="CS-0001") == [35, 30, 20, 15, 0]
        assert await found(client, station="nobody") == []
        assert await found(client, action="MeterValues") == [35, 15]
        assert await found(client, direction="out") == [20]
        assert await found(client, outcome="bad") == [40, 20]
        assert await found(client, from_=after_10, to="2026-01-01T12:00:35Z") == [30, 20, 15]
        assert await found(client, text="50%_", station="CS-0001") == [30]
        assert await found(client, text="Invalid", from_=after_10) == [30]
        assert await found(client, text="ü", from_="2026-01-01T00:00:00Z") == [35, 15]
        item = (await client.get(PATH, params={"action": "MeterValues"})).json()["items"][0]
    async with await desk_on_each.client("viewer", OTHER) as client:
        assert await found(client) == [40, 10]
        assert (await client.get(PATH, params={"operator": MINE})).status_code == 404

    assert (item["charging_station"], item["operator"], item["answer"]) == ("CS-0001", MINE, "{}")
    assert item["session_id"] is not None


async def test_a_text_is_found_in_either_case(desk_on_each: Any) -> None:
    """a-z as A-Z, on both databases alike; other letters as they stand, signs as themselves."""
    await fill(desk_on_each)
    async with await desk_on_each.client() as client:

        async def with_text(text: str) -> list[int]:
            return await found(client, text=text, from_="2026-01-01T00:00:00Z")

        assert await with_text("iNVALID") == [30]
        assert await with_text("50%_a") == [30]
        assert await with_text("50%a") == []
        assert await with_text("SOFT") == [20]
        assert await with_text('{"A":"ü') == [35, 15]
        assert await with_text("Ü") == []


@pytest.mark.parametrize("share", [1, 2, 3, 100])
@pytest.mark.parametrize("query", [{}, {"station": "CS-0001"}, {"action": "Heartbeat"}, {"outcome": "bad"}])
async def test_pages_of_any_share_find_the_same(
    desk: Any, monkeypatch: pytest.MonkeyPatch, share: int, query: dict[str, str]
) -> None:
    """However few rows a request looks at: in the end all, each once, in order, though some came late."""
    monkeypatch.setattr("csms.store.message_search.LOOKED_AT", share)
    await fill(desk)
    await log(desk, (25, 1, "in", "Heartbeat", "{}", "{}", "answered"))
    async with await desk.client() as client:
        whole: list[int] = []
        after, pages = None, 0
        while pages == 0 or after:
            asked = query | {"limit": 2} | ({"after": after} if after else {})
            page = (await client.get(PATH, params=asked)).json()
            whole += [int(item["message_id"][1:]) for item in page["items"]]
            after, pages = page["next"], pages + 1
            assert pages < 60

    everything = {0: 1, 10: 2, 15: 1, 20: 1, 25: 1, 30: 1, 35: 1, 40: 2}
    wanted = {
        "station": [n for n, station in everything.items() if station == 1],
        "action": [0, 10, 25],
        "outcome": [20, 40],
    }
    assert sorted(whole) == (wanted[next(iter(query))] if query else sorted(everything))


async def test_a_text_needs_a_time_or_a_station(desk: Any) -> None:
    """Else all that was ever said would be read."""
    async with await desk.client() as client:
        answer = await client.get(PATH, params={"text": "x"})
        bad = await client.get(PATH, params={"after": "x"})

    assert answer.json()["errors"][0]["field"] == "query.from"
    assert bad.status_code == 422
