"""What many sessions add up to: counted while they are few, by days where roll-ups know it, else a part."""

from datetime import timedelta
from typing import Any

import pytest

from csms.domain.session import SessionState
from csms.store.billing_tables import SUMS, bill_days
from csms.store.database import Database
from csms.store.outbox import Outbox
from csms.store.records import OutboxRow
from csms.store.reports import ReportStore
from csms.store.session_filter import MOST_NAMED, SessionFilter, is_by_place_only
from csms.store.session_totals import SessionTotals
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import HOUR, OPERATOR, T0, a_session, start_of, stations

DAY = timedelta(days=1)
DAY_US = 86_400_000_000


@pytest.fixture
async def filled(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Six sessions of an hour and 1 kWh, one each day, of which only four are counted one by one."""
    monkeypatch.setattr("csms.store.session_totals.MOST_COUNTED", 4)
    (station,) = await stations(database)
    async with Writer(database, fence=False) as writer:
        for n in range(6):
            at = T0 + n * DAY
            ended = {"state": SessionState.ENDED, "ended_at": at + HOUR, "end_received_at": at + HOUR}
            session = a_session(station, n + 1, started_at=at, received_at=at, energy_wh=1_000, **ended)
            await writer.write(start_of(station, session))
    while await ReportStore(database).recompute(T0 + 9 * DAY, grace=timedelta(0)):
        pass
    return database


@pytest.mark.parametrize(
    "place", [{}, {"operator": OPERATOR}, {"site": "S01", "operator": OPERATOR}, {"station": "CS-0001"}]
)
async def test_many_by_place_are_those_of_days(filled: Database, place: dict[str, Any]) -> None:
    """Whole local days that lie within the range; it says which. No bill, no money."""
    since, until = T0 - DAY, T0 + 4 * DAY  # 18:00 by the operator's clock: the last day is not whole
    found = await SessionTotals(filled).of(SessionFilter(**place, since=since))
    part = await SessionTotals(filled).of(SessionFilter(**place, since=since, until=until + HOUR))

    assert found == {
        "exact": False,
        "basis": "days",
        "sessions": 6,
        "energy_wh": 6_000,
        "minutes": 360,
        "money": None,
        "from": "2026-01-04T16:00:00.000Z",
        "to": "2026-01-10T16:00:00.000Z",
    }
    assert (part["basis"], part["sessions"], part["to"]) == ("days", 4, "2026-01-08T16:00:00.000Z")


@pytest.mark.parametrize(
    ("place", "total"),
    [
        ({}, "12.34"),
        ({"operator": OPERATOR}, "12.34"),
        ({"site": "S01", "operator": OPERATOR}, "12.34"),
        ({"site": "S01"}, "12.34"),
        ({"station": "CS-0001"}, None),
    ],
)
async def test_what_many_by_place_cost_is_what_their_days_are_billed(
    filled: Database, place: dict[str, Any], total: str | None
) -> None:
    """As the statement has it, of the same days; no bill is of a single station."""
    day = micros(T0.replace(hour=16) - DAY)  # midnight by the operator's clock
    sums = dict.fromkeys(SUMS, 0) | {"last_priced_at": None, "computed_at": 0}
    for start, fen in ((day - DAY_US, 7), (day, 1_200), (day + 2 * DAY_US, 34)):
        row = {"operator_id": 1, "start": start, "site_id": 1, **sums, "total_fen": fen}
        await filled.execute(bill_days.insert().values(row))
    found = await SessionTotals(filled).of(SessionFilter(**place, since=T0 - DAY))

    assert found["money"] == (total and [{"currency": "CNY", "total": total}])


async def test_many_by_anything_else_are_a_part(filled: Database) -> None:
    """The newest, or the oldest, and up to where."""
    newest = await SessionTotals(filled).of(SessionFilter(token="A1"))
    oldest = await SessionTotals(filled).of(SessionFilter(token="A1", oldest_first=True))

    assert (newest["exact"], newest["sessions"], newest["energy_wh"]) == (False, 4, 4_000)
    assert newest["counted_to"] == "2026-01-07T10:00:00.000Z"
    assert oldest["counted_to"] == "2026-01-08T10:00:00.000Z"


async def test_few_are_counted(filled: Database) -> None:
    """Exactly, with nothing left out; another operator's place has none."""
    few = await SessionTotals(filled).of(SessionFilter(station="CS-0001", since=T0 + 2 * DAY))

    assert (few["exact"], few["basis"], few["sessions"], few["minutes"]) == (True, "sessions", 4, 240)
    other = await SessionTotals(filled).of(SessionFilter(operator="987654321"))
    assert (other["exact"], other["sessions"]) == (True, 0)


async def test_a_list_that_was_cut_is_not_exact(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list that names more sessions than are looked for, the sum is a part."""
    rows = [OutboxRow.of("city", "charge-order", str(n), f"{n}/1", {}, T0) for n in (1, 2, 3)]
    await Outbox(filled).enqueue(rows)
    unsent = SessionFilter(is_unsent=True)

    assert ((await SessionTotals(filled).of(unsent))["sessions"], MOST_NAMED) == (3, 5_000)
    monkeypatch.setattr("csms.store.session_filter.MOST_NAMED", 3)
    found = await SessionTotals(filled).of(unsent)

    assert (found["exact"], found["sessions"], found["counted_to"]) == (False, 3, None)


def test_what_rollups_know() -> None:
    """Place and time of start, in either order; nothing else."""
    assert is_by_place_only(SessionFilter(OPERATOR, "S01", "CS-0001", since=T0, until=T0, oldest_first=True))
    assert not is_by_place_only(SessionFilter(OPERATOR, evse=1))
    assert not is_by_place_only(SessionFilter(is_unsent=True))
