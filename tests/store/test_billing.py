"""Roll-ups of what is billed, over each database: what they say is what the sessions say."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import insert

from csms.domain.billing import summed
from csms.store.billing import BillStore
from csms.store.billing_reads import BillReads, Month
from csms.store.billing_tables import bill_days, bill_due
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm
from csms.store.tables import sessions
from csms.store.tariff_tables import session_costs
from csms.store.times import micros
from tests.store.given import OPERATOR, stations

JANUARY = datetime(2025, 12, 31, 16, tzinfo=UTC)
FEBRUARY = datetime(2026, 1, 31, 16, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Month31:
    """A month of sessions of three sites and of none, some without a price, some revised late."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database, self.random = database, random.Random(seed)
        self.bills, self.reads = BillStore(database), BillReads(database)

    async def fill(self, count: int) -> None:
        (station, *_) = await stations(self.database)
        registry = Registry(self.database)
        for code in ("S02", "S03"):
            await registry.put_site(SiteForm(code, OPERATOR, f"Site {code}", 39.9, 116.4))
        rows, costs = [], []
        for n in range(count):
            at = JANUARY - DAY + timedelta(seconds=self.random.randrange(33 * 86_400))
            site = self.random.choice([1, 2, 3, None])
            rows.append(self._session(n, station.station_id, site, at))
            costs += self._costs(n, at)

        def write(connection: Any) -> None:
            connection.execute(insert(sessions), rows)
            connection.execute(insert(session_costs), costs)

        await self.database.run(write)

    def _session(self, n: int, station: int, site: int | None, at: datetime) -> dict[str, Any]:
        return {
            "session_id": 1000 + n, "station_id": station, "site_id": site, "operator_id": 1,
            "ocpp_version": "ocpp1.6", "transaction_id": str(n), "start_key": str(n), "evse": 1,
            "connector": 1, "token": "A1", "token_folded": "a1", "token_type": "",
            "authorization": "accepted", "authorization_reason": "",
            "state": self.random.choice(["ended"] * 9 + ["active"]),
            "started_at": micros(at), "received_at": micros(at), "ended_at": micros(at) + 60_000_000,
            "energy_wh": self.random.choice([None, 0, 500, 22_500]), "energy_source": "registers",
            "stop_reason": "", "flags": "", "revision": 1, "charging_state": "", "progress": "{}",
            "heard": 1,
        }  # fmt: skip

    def _costs(self, n: int, at: datetime) -> list[dict[str, Any]]:
        found = []
        for revision in range(1, self.random.choice([0, 1, 1, 1, 2]) + 1):
            late = FEBRUARY + 10 * DAY if revision == 2 and self.random.random() < 0.5 else at
            elec, service = self.random.randrange(5000), self.random.randrange(3000)
            line = {
                "period": self.random.choice(["sharp", "peak", "flat", "valley"]),
                "energy_wh": 22_500,
                "elec_money": f"{elec / 100:.2f}",
                "service_money": f"{service / 100:.2f}",
            }
            found.append(
                {
                    "session_id": 1000 + n,
                    "revision": revision,
                    "at": micros(late),
                    "session_revision": 1,
                    "digest": "",
                    "energy_wh": 22_500,
                    "currency": "CNY",
                    "elec_money": line["elec_money"],
                    "service_money": line["service_money"],
                    "idle_minutes": 0,
                    "idle_money": "0.50",
                    "parking_minutes": 0,
                    "parking_money": "0.00",
                    "total": f"{(elec + service + 50) / 100:.2f}",
                    "lines": msgspec.json.encode([line]).decode(),
                }
            )
        return found

    async def month(self) -> Month:
        operator = await self.reads.operator(OPERATOR)
        return Month(operator, JANUARY, FEBRUARY, FEBRUARY + 3 * DAY)

    async def lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self.reads.lines(await self.month(), after, 37)
            found += page.items
            after = page.next
            if after is None:
                return found

    async def mark_all(self) -> None:
        """As the migration does for a database that has sessions already."""
        marks = [
            {"operator_id": 1, "start": micros(JANUARY + n * DAY), "site_id": site, "due_at": 0, "version": 1}
            for n in range(-1, 32)
            for site in (0, 1, 2, 3)
        ]
        await self.database.run(lambda connection: connection.execute(insert(bill_due), marks))


async def test_sums_equal_the_lines_whether_kept_or_marked(database: Database) -> None:
    """All days marked, some, none: the same figures, those of the lines; no line twice."""
    month = Month31(database, 7)
    await month.fill(400)
    await month.mark_all()
    lines = await month.lines()
    wanted = summed(line["sums"] for line in lines)

    marked = await month.reads.figures(await month.month())
    assert await month.bills.settle(JANUARY) == 50
    partly = await month.reads.figures(await month.month())
    while await month.bills.settle(JANUARY):
        pass
    kept = await month.reads.figures(await month.month())

    assert len({line["session_id"] for line in lines}) == len(lines) > 200
    assert wanted.unpriced > 10
    for figures in (marked, partly, kept):
        assert summed(day.sums for day in figures.days) == wanted
    assert await month.bills.due_since() is None
    assert [day.key for day in marked.days] == [day.key for day in kept.days]
    assert marked.corrections == kept.corrections
    assert marked.corrected_fen == kept.corrected_fen


async def test_corrections_explain_the_difference(database: Database) -> None:
    """The sum as it was when the month was closed, and every later difference, make the sum of today."""
    month = Month31(database, 11)
    await month.fill(300)
    await month.mark_all()
    while await month.bills.settle(JANUARY):
        pass

    figures = await month.reads.figures(await month.month())

    late = {one["session_id"] for one in figures.corrections}
    assert len(late) == figures.corrections_in_all > 5
    lines = {line["session_id"]: line for line in await month.lines()}
    assert late <= set(lines)
    closed = micros(FEBRUARY + 3 * DAY)
    told = {}
    for row in await database.read(session_costs.select().order_by(session_costs.c.revision)):
        if row.at < closed and str(row.session_id) in lines:
            told[row.session_id] = int(row.total.replace(".", ""))
    total = summed(line["sums"] for line in lines.values()).total_fen
    assert total - figures.corrected_fen == sum(told.values())


async def test_a_mark_made_meanwhile_stays(database: Database) -> None:
    """What is marked again while it is being summed is summed again."""
    month = Month31(database, 3)
    await month.fill(20)
    await month.mark_all()
    bump = bill_due.update().values(version=2)
    store = month.bills._store

    def late(found: Any, now: int, connection: Any) -> None:
        connection.execute(bump)
        store(found, now, connection)

    month.bills._store = late  # type: ignore[method-assign]
    assert await month.bills.settle(JANUARY) == 50
    month.bills._store = store  # type: ignore[method-assign]

    assert len(await database.read(bill_due.select())) == 132
    assert len(await database.read(bill_days.select())) == 50


@pytest.mark.parametrize("time_zone", ["Asia/Urumqi", "America/New_York", "Australia/Perth"])
async def test_another_clock_makes_other_days(database: Database, time_zone: str) -> None:
    """The month by the new clock is what its lines add up to, at once and when its days are summed again."""
    month = Month31(database, 5)
    await month.fill(400)
    await month.mark_all()
    assert await month.bills.settle(JANUARY) == 50

    await Registry(database).put_operator(OperatorForm(OPERATOR, "Operator", time_zone))

    since = datetime(2026, 1, 1, tzinfo=ZoneInfo(time_zone))
    asked = Month(await month.reads.operator(OPERATOR), since, since + 31 * DAY, since + 34 * DAY)
    lines = (await month.reads.lines(asked, None, 1000)).items
    wanted = summed(line["sums"] for line in lines)
    at_once = await month.reads.figures(asked)
    while await month.bills.settle(JANUARY):
        pass
    kept = await month.reads.figures(asked)
    assert wanted.sessions > 200
    assert summed(day.sums for day in at_once.days) == summed(day.sums for day in kept.days) == wanted


async def test_a_day_of_the_old_clock_in_flight(database: Database) -> None:
    """Sums made by it are not kept, and a mark made by it counts for the days it lies in."""
    month = Month31(database, 5)
    await month.fill(400)
    await month.mark_all()
    registry, store = Registry(database), month.bills._store
    found: list[Any] = []
    month.bills._store = lambda *given: found.append(given)  # type: ignore[method-assign,assignment]
    await month.bills.settle(JANUARY)
    month.bills._store = store  # type: ignore[method-assign]

    await registry.put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Urumqi"))
    await database.run(lambda connection: store(*found[0][:2], connection))
    assert await database.read(bill_days.select()) == []
    await database.run(lambda connection: connection.execute(bill_due.delete()))
    await month.mark_all()
    asked = Month(
        await month.reads.operator(OPERATOR), JANUARY + 2 * HOUR, FEBRUARY + 2 * HOUR, FEBRUARY + 3 * DAY
    )
    wanted = summed(line["sums"] for line in (await month.reads.lines(asked, None, 1000)).items)
    marked = await month.reads.figures(asked)
    while await month.bills.settle(JANUARY):
        pass

    kept = await month.reads.figures(asked)
    assert summed(day.sums for day in marked.days) == summed(day.sums for day in kept.days) == wanted
