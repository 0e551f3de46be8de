"""The keeper of bills: works off what is due, outlives an outage."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from csms.errors import StoreUnavailable
from csms.reporting import bills
from csms.store.billing import BillStore
from csms.store.billing_tables import bill_days, bill_due
from csms.store.database import Database
from csms.store.times import micros
from tests.reporting.parts import cancelled
from tests.store.given import T0, stations


async def test_due_days_are_summed_and_outages_outlived(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that was away once is tried again."""
    monkeypatch.setattr(bills, "POLL_S", 0.01)
    monkeypatch.setattr(bills, "BETWEEN_S", 0.0)
    await stations(database)
    start = micros(T0.replace(hour=16) - timedelta(days=1))
    marks = [
        {"operator_id": 1, "start": start, "site_id": site, "due_at": 0, "version": 1} for site in range(60)
    ]
    await database.run(lambda connection: connection.execute(insert(bill_due), marks))
    store = BillStore(database)
    settle, failures = store.settle, [StoreUnavailable("away"), RuntimeError("odd")]

    async def failing(now: object) -> int:
        if failures:
            raise failures.pop(0)
        return await settle(now)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "settle", failing)
    with capture_logs() as logs:
        task = asyncio.create_task(bills.BillKeeper(store, lambda: T0).run())
        for _ in range(500):
            await asyncio.sleep(0.02)
            if await store.due_since() is None:
                break
        await cancelled(task)

    assert len(await database.read(bill_days.select())) == 60
    assert [entry["event"] for entry in logs] == ["bills_unavailable", "bills_failed"]
