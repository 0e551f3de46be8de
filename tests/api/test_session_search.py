"""/sessions by everything that is known of them, and what they add up to. On both databases."""

import csv
import io
from typing import Any

import pytest

from csms.store.delivery_tables import disputes
from csms.store.records import OutboxRow
from csms.store.session_rows import SessionDue
from csms.store.tariff_tables import session_costs
from csms.store.times import micros
from tests.api.conftest import FIRST_SESSION, MINE, NOW, OTHER

PATH = "/api/v1/sessions"


async def fill(desk: Any) -> None:
    """Six sessions: ended; running; flagged; another operator's; dear; stopped from afar."""
    await desk.add_session(0, transaction_id="T-1000")
    await desk.add_session(1, state="active", ended_at=None, last_event_at=None, energy_wh=None)
    await desk.add_session(2, token="B2", token_folded="b2", flags=",gap,", energy_wh=5_000)
    await desk.add_session(3, station="CS-0009")
    await desk.add_session(4, energy_wh=60_000)
    await desk.add_session(5, stop_reason="remote", evse=2)
    for number, total in ((0, "40.68"), (4, "108.50")):
        values = dict.fromkeys(session_costs.c.keys())
        values |= {"session_id": FIRST_SESSION + number, "revision": 1, "at": 0, "session_revision": 1}
        values |= {"digest": "", "currency": "CNY", "total": total, "lines": "[]"}
        await desk.database.execute(session_costs.insert(), values)
    named = {"platform": "beijing", "source": "order-check", "their_power": "1", "their_money": "1"}
    await desk.database.execute(
        disputes.insert(),
        named | {"about": "a", "start_charge_seq": "x", "raised_at": 0, "session_id": FIRST_SESSION},
    )
    await desk.write(
        OutboxRow.of("beijing", "charge-order", str(FIRST_SESSION + 4), f"{FIRST_SESSION + 4}/1", {}, NOW),
        SessionDue(FIRST_SESSION + 5, micros(NOW)),
    )


async def numbers(client: Any, **query: Any) -> list[int]:
    answer = await client.get(PATH, params={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [int(item["session_id"]) - FIRST_SESSION for item in answer.json()["items"]]


async def test_every_filter(desk_on_each: Any) -> None:
    """Alone and together, newest first or oldest."""
    await fill(desk_on_each)
    async with await desk_on_each.client() as client:
        for query, right in (
            ({"transaction_id": "T-1000"}, [0]),
            ({"transaction_id": "T-1000", "station": "CS-0009"}, []),
            ({"state": "live"}, [1]),
            ({"state": "ended"}, [5, 4, 3, 2, 0]),
            ({"state": "unsettled"}, [5]),
            ({"state": "settled"}, [4, 3, 2, 0]),
            ({"quality": "gap", "token": "b2"}, [2]),
            ({"quality": "clock"}, []),
            ({"stop_reason": "remote"}, [5]),
            ({"evse": 2, "site": "S01"}, [5]),
            ({"energy_from": 22_500}, [5, 4, 3, 0]),
            ({"energy_from": 5_000, "energy_to": 5_000}, [2]),
            ({"cost_from": "40.68", "cost_to": "100"}, [0]),
            ({"cost_from": "40.69"}, [4]),
            ({"disputed": True}, [0]),
            ({"unsent": True}, [4]),
            ({"unsent": True, "disputed": True}, []),
            ({"ended_from": "2026-01-01T10:49:00Z"}, [5, 4]),
            ({"ended_from": "2026-01-01T10:46:00Z", "ended_to": "2026-01-01T10:48:00Z"}, [2]),
            ({"text": "t-10"}, [0]),
            ({"text": "B2"}, [2]),
            ({"text": "cs-0009"}, [3]),
            ({"text": "%"}, []),
            ({"text": str(FIRST_SESSION + 3)}, [3]),
            ({"text": f"{MINE}{FIRST_SESSION + 2:018d}"}, [2]),
            ({"sort": "oldest", "state": "ended"}, [0, 2, 3, 4, 5]),
            ({"sort": "oldest", "from_": "2026-01-01T10:02:00Z"}, [2, 3, 4, 5]),
        ):
            assert await numbers(client, **query) == right, query
    async with await desk_on_each.client("viewer", OTHER) as client:
        assert await numbers(client, state="ended") == [3]
        assert await numbers(client, disputed=True) == []
        assert await numbers(client, text=str(FIRST_SESSION)) == []


@pytest.mark.parametrize("sort", ["newest", "oldest"])
async def test_short_pages_go_on(desk_on_each: Any, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    """A page that has looked at its share ends there, even empty; in the end all are found, each once."""
    desk = desk_on_each
    monkeypatch.setattr("csms.store.session_queries.CHUNKS", (2, 3))
    for n in range(23):
        await desk.add_session(n, stop_reason="remote" if n % 7 == 0 else "local")
    found, pages, after = [], 0, None
    async with await desk.client() as client:
        while pages == 0 or after:
            query = {"stop_reason": "remote", "sort": sort, "limit": 2} | ({"after": after} if after else {})
            page = (await client.get(PATH, params=query)).json()
            found += [int(item["session_id"]) - FIRST_SESSION for item in page["items"]]
            pages, after = pages + 1, page["next"]
        rows = list(
            csv.DictReader(
                io.StringIO(
                    (
                        await client.get(
                            PATH, params={"stop_reason": "remote"}, headers={"Accept": "text/csv"}
                        )
                    ).text
                )
            )
        )

    assert found == ([0, 7, 14, 21] if sort == "oldest" else [21, 14, 7, 0])
    assert pages >= 5
    assert len(rows) == 4


async def test_totals_of_a_filter(desk_on_each: Any) -> None:
    """Count, energy, minutes and money of each currency; only what the key may see."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer", MINE) as client:
        everything = (await client.get(f"{PATH}/totals")).json()
        dear = (await client.get(f"{PATH}/totals", params={"cost_from": "100"})).json()
        nothing = (await client.get(f"{PATH}/totals", params={"token": "nobody"})).json()

    assert everything == {
        "exact": True,
        "basis": "sessions",
        "sessions": 5,
        "energy_wh": 110_000,
        "minutes": 180,
        "money": [{"currency": "CNY", "total": "149.18"}],
        "counted_to": None,
    }
    assert (dear["sessions"], dear["money"]) == (1, [{"currency": "CNY", "total": "108.50"}])
    assert (nothing["sessions"], nothing["exact"], nothing["money"]) == (0, True, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"energy_from": 2, "energy_to": 1}, "query.energy_to"),
        ({"cost_from": "0.001"}, "query.cost_from"),
        ({"state": "gone"}, "query.state"),
        ({"sort": "energy"}, "query.sort"),
        ({"stop_reason": "'"}, "query.stop_reason"),
        ({"colour": "red"}, "query.colour"),
        ({"text": "\x00"}, "query.text"),
    ],
)
async def test_what_cannot_be_asked(desk: Any, query: dict[str, Any], field: str) -> None:
    """422 names the parameter, for the list and for the totals."""
    async with await desk.client() as client:
        for path in (PATH, f"{PATH}/totals"):
            answer = await client.get(path, params=query)
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == field
